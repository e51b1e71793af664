//! Training images that lie on a graphics device as the bytes that they are, so that batches are cut out there and
//! no pixel is sent in a step.
//!
//! Every byte stands for a number that is computed on the host, so that batches are the same to the bit.

use std::sync::Arc;

use burn::tensor::Device;
use n2n_files::{SampleKind, Samples};
use n2n_scratch::{ByteImages, PairPlace};
use rayon::prelude::*;

use crate::pipeline::{Pipeline, Series};
use crate::swap::exchanged_pixels;
use crate::{
    Batching, DataError, ExampleIndex, Examples, Normalization, Scale, SceneInfo, SceneSource,
    Target, View,
};

/// Most bytes of images that are kept on a device.
const MOST_BYTES: u64 = 512 << 20;

/// Scenes that are read at once.
const READ_AT_ONCE: usize = 256;

/// A training set on a graphics device.
#[derive(Clone)]
pub(crate) struct OnDevice {
    /// The bytes of all scenes.
    pub images: ByteImages,
    /// Where each image lies.
    pub shelves: Arc<Shelves>,
}

/// Where the images of each scene lie: shot after shot, then the clean one.
pub(crate) struct Shelves {
    starts: Vec<usize>,
}

impl OnDevice {
    /// Sends a set to a device; `None` where it cannot lie there: if that is no graphics device, the images are not of
    /// 8 bits, too large together or unreadable, or examples are more than parts of them mirrored, rotated by
    /// multiples of 90 degrees and normalized by constants of their channel.
    pub fn new(examples: &Examples, batching: &Batching, device: &Device) -> Option<Self> {
        let (source, pipeline) = (examples.images().source(), examples.pipeline());
        let most = ByteImages::most(device)?.min(MOST_BYTES);
        let infos = || (0..source.len()).map(|scene| source.info(scene));
        let shape = examples.shape(0);
        let (mut starts, mut end) = (Vec::with_capacity(source.len()), 0);
        for info in infos() {
            starts.push(end);
            end += views(info, batching.target).count() * area(info) * pipeline.channels;
        }
        let is_possible = source.kind() == SampleKind::U8
            && end as u64 <= most
            && infos().all(|info| has_pair(info, shape, batching.target))
            && copies_pixels(pipeline, source);
        let numbers = numbers(pipeline, batching).filter(|_| is_possible)?;
        let bytes = read(examples, batching.target, end)?;
        Some(Self {
            images: ByteImages::new(bytes, numbers, device),
            shelves: Arc::new(Shelves { starts }),
        })
    }
}

impl Shelves {
    /// Where the images of an example lie, and what is done to them.
    ///
    /// # Errors
    /// When an image cannot be read, of which the noise is to be looked at.
    pub fn place(
        &self,
        examples: &Examples,
        example: ExampleIndex,
    ) -> Result<PairPlace, DataError> {
        let (images, pipeline) = (examples.images(), examples.pipeline());
        let (scene, shape) = (examples.scene(example.index), examples.shape(example.index));
        let info = images.source().info(scene);
        let mut drawn = pipeline.draw(images.source(), scene, shape, example);
        let [first, second] = [drawn.views[0], drawn.views[1]];
        let exchanged = if second != View::Clean && pipeline.may_exchange(&drawn) {
            let range = pipeline.range.as_ref();
            let numbers = |view| pipeline.numbers(images, scene, view, &drawn.crop, range);
            let (first, second) = (numbers(first)?, numbers(second)?);
            exchanged_pixels(&first, &second, shape, &mut drawn.rng)
        } else {
            None
        };
        let crop = &drawn.crop;
        let inner = crop.top.unsigned_abs() * info.width + crop.left.unsigned_abs();
        let start = |view| {
            let position = match view {
                View::Shot(shot) => shot,
                View::Clean => info.shots,
            };
            self.starts[scene] + position * pipeline.channels * area(info) + inner
        };
        Ok(PairPlace {
            first: start(first),
            second: start(second),
            row: info.width,
            plane: area(info),
            flip: crop.augmentation.flip,
            rot90: crop.augmentation.rot90,
            exchanged,
        })
    }
}

fn area(info: SceneInfo) -> usize {
    info.height * info.width
}

/// The images of a scene that examples with a target are made of.
fn views(info: SceneInfo, target: Target) -> impl Iterator<Item = View> {
    let clean = (target == Target::Clean).then_some(View::Clean);
    (0..info.shots).map(View::Shot).chain(clean)
}

/// Whether a scene has both images of a pair, and none of their pixels is a reflected one.
fn has_pair(info: SceneInfo, [_, height, width]: [usize; 3], target: Target) -> bool {
    let has_target = match target {
        Target::Noisy => info.shots > 1,
        Target::Clean => info.shots > 0 && info.clean,
    };
    has_target && info.height >= height && info.width >= width
}

/// Whether examples are pixels of the images, in another order.
fn copies_pixels(pipeline: &Pipeline, source: &dyn SceneSource) -> bool {
    let augment = &pipeline.augment;
    let is_mixed = augment.mix > 0.0
        && pipeline.series == Series::No
        && !source.ordered()
        && (0..source.len()).any(|scene| source.info(scene).shots > 2);
    pipeline.noise.is_none()
        && pipeline.subsample.is_none()
        && pipeline.levels.is_none()
        && source.channels() == pipeline.channels
        && augment.rotate_deg == 0.0
        && augment.zoom.fixed().is_none_or(|zoom| zoom <= 1.0)
        && augment.jitter.fixed().is_none_or(|jitter| jitter == 0.0)
        && augment.grey == 0.0
        && !is_mixed
}

/// What bytes stand for in inputs and in targets, 256 numbers for each channel, if that depends on the channel only.
fn numbers(pipeline: &Pipeline, batching: &Batching) -> Option<[Vec<f32>; 2]> {
    let preparation = &batching.preparation;
    let normalization = &preparation.normalization;
    if !matches!(
        &**normalization,
        Normalization::None | Normalization::PerChannel { .. }
    ) {
        return None;
    }
    let scale = |channel| Scale::new(SampleKind::U8, pipeline.range.as_ref(), channel);
    let of_channel = |channel| (0..=u8::MAX).map(move |byte| scale(channel).number(byte));
    let target: Vec<f32> = (0..pipeline.channels).flat_map(of_channel).collect();
    let mut input = target.clone();
    if pipeline.clip_input {
        input
            .iter_mut()
            .for_each(|number| *number = number.clamp(0.0, 1.0));
    }
    let mut images = [input, target];
    for image in &mut images[..1 + usize::from(preparation.restores)] {
        normalization.apply(image, [pipeline.channels, 1, 256]);
    }
    Some(images)
}

/// The bytes of all scenes; `None` if an image is damaged or of other channels.
fn read(examples: &Examples, target: Target, len: usize) -> Option<Vec<u8>> {
    let (images, channels) = (examples.images(), examples.pipeline().channels);
    let scene = |scene| {
        let views = views(images.source().info(scene), target);
        let bytes = views.map(|view| match images.read(scene, view) {
            Ok(raster) if raster.channels == channels => match &raster.samples {
                Samples::U8(samples) => Some(samples.clone()),
                _ => None,
            },
            _ => None,
        });
        Some(bytes.collect::<Option<Vec<_>>>()?.concat())
    };
    let scenes = images.source().len();
    let mut all = Vec::with_capacity(len);
    for first in (0..scenes).step_by(READ_AT_ONCE) {
        let read = (first..scenes.min(first + READ_AT_ONCE))
            .into_par_iter()
            .map(scene);
        for bytes in read.collect::<Option<Vec<_>>>()? {
            all.extend_from_slice(&bytes);
        }
    }
    (all.len() == len).then_some(all)
}
