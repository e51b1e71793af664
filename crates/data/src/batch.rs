//! Batches on a device, in an order that is a pure function of the seed.

use std::borrow::Cow;
use std::ops::Range;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, OnceLock};

use burn::data::dataloader::{DataLoader, DataLoaderIterator, Progress};
use burn::data::dataset::DatasetError;
use burn::tensor::{Device, Tensor, TensorData};
use n2n_scratch::PairPlace;
use rayon::prelude::*;

use crate::holes::intersection;
use crate::on_device::OnDevice;
use crate::prefetch::Prefetcher;
use crate::quality::Reference;
use crate::subsample::CELL;
use crate::{
    DataError, ExampleIndex, Examples, NoisyPair, Normalization, Target, TargetNoise, Whole, Wholes,
};

/// Images on a device, and what outputs are compared with.
///
/// # Shapes
/// All are `[batch_size, channels, height, width]`, the mask with one channel.
#[derive(Clone, Debug)]
pub struct Batch {
    /// What the network sees: normalized.
    pub input: Tensor<4>,
    /// What its output is compared with. In training, normalized where the output is brought back; in
    /// validation around `[0, 1]`.
    pub target: Tensor<4>,
    /// 1 where input and target say anything and 0 where they do not, if that is not everywhere.
    pub mask: Option<Tensor<4>>,
    /// Validation: brings the output back to the units of the target, if it is in those of the input.
    pub restoration: Option<Restoration>,
    /// Validation without clean images: the pair the other way round, and what it knows of the noise.
    pub reverse: Option<Reverse>,
    /// Training on sub-images: the patches that they are made of, where the loss needs them.
    pub wholes: Option<Wholes>,
    /// Validation without clean images where the target has half the noise: the input as it was, around
    /// `[0, 1]`, in place of `reverse`.
    pub between: Option<Tensor<4>>,
}

/// A noisy pair the other way round.
#[derive(Clone, Debug)]
pub struct Reverse {
    /// The normalized target.
    pub input: Tensor<4>,
    /// The input as it was, around `[0, 1]`.
    pub target: Tensor<4>,
    /// As that of the batch.
    pub restoration: Option<Restoration>,
}

/// Statistics that bring outputs back to the units of the images.
///
/// # Shapes
/// Both are `[batch_size, channels, 1 or height, 1 or width]`.
#[derive(Clone, Debug)]
pub struct Restoration {
    mean: Tensor<4>,
    std: Tensor<4>,
}

impl Restoration {
    /// `mean + std y`.
    ///
    /// # Shapes
    /// - `output`: `[batch_size, channels, height, width]`
    pub fn restore(&self, output: Tensor<4>) -> Tensor<4> {
        output * self.std.clone() + self.mean.clone()
    }
}

/// What is done to images before the network sees them.
#[derive(Clone)]
pub struct Preparation {
    /// Normalization of the inputs.
    pub normalization: Arc<Normalization>,
    /// Whether outputs are in the units of the normalized input, so that they are brought back, and
    /// compared with targets in those units in training.
    pub restores: bool,
}

impl Preparation {
    /// Normalizes an image in place; returns the normalization with its statistics.
    fn normalize(&self, image: &mut [f32], shape: [usize; 3]) -> Cow<'_, Normalization> {
        let normalization = match &*self.normalization {
            Normalization::PerImage if self.restores => {
                Cow::Owned(self.normalization.of_image(shape, |at| image[at]))
            }
            fitted => Cow::Borrowed(fitted),
        };
        normalization.apply(image, shape);
        normalization
    }

    /// Statistics that bring an output back; `None` where it stays as it is.
    fn restoration(
        &self,
        normalization: &Normalization,
        shape: [usize; 3],
    ) -> Option<HostRestoration> {
        let statistics = self
            .restores
            .then(|| normalization.statistics(shape))
            .flatten()?;
        Some(HostRestoration {
            shape: statistics.shape,
            mean: statistics.mean.to_vec(),
            std: statistics.std.to_vec(),
        })
    }
}

impl Batch {
    /// A training batch.
    ///
    /// # Shapes
    /// Both are `[batch_size, channels, height, width]`.
    pub fn of_pairs(input: Tensor<4>, target: Tensor<4>) -> Self {
        Self {
            input,
            target,
            mask: None,
            restoration: None,
            reverse: None,
            wholes: None,
            between: None,
        }
    }
}

/// A training batch as it is made ahead of time.
enum Made {
    /// The images.
    Images(Box<HostBatch>),
    /// Where they lie on the device.
    Places(Vec<PairPlace>),
}

/// A batch, or one example of it, in the host's memory.
struct HostBatch {
    shape: [usize; 4],
    input: Vec<f32>,
    target: Vec<f32>,
    mask: Option<Vec<f32>>,
    restoration: Option<HostRestoration>,
    reverse: Option<HostReverse>,
    whole: Option<Whole>,
    between: Option<Vec<f32>>,
}

/// A [`Reverse`] in the host's memory.
struct HostReverse {
    input: Vec<f32>,
    target: Vec<f32>,
    restoration: Option<HostRestoration>,
}

/// A [`Restoration`] in the host's memory.
struct HostRestoration {
    /// `[channels, height, width]` of the statistics.
    shape: [usize; 3],
    mean: Vec<f32>,
    std: Vec<f32>,
}

impl HostRestoration {
    fn append(&mut self, other: Option<Self>) {
        if let Some(other) = other {
            self.mean.extend(other.mean);
            self.std.extend(other.std);
        }
    }

    fn into_restoration(self, batch_size: usize, device: &Device) -> Restoration {
        let [channels, height, width] = self.shape;
        let tensor = |values| tensor(values, [batch_size, channels, height, width], device);
        Restoration {
            mean: tensor(self.mean),
            std: tensor(self.std),
        }
    }
}

fn tensor(values: Vec<f32>, shape: [usize; 4], device: &Device) -> Tensor<4> {
    Tensor::from_data(TensorData::new(values, shape), device)
}

impl HostBatch {
    /// One example; for validation, `target` is `None`. Sub-images are not estimated from, so that they are not
    /// reversed.
    fn of(
        pair: NoisyPair,
        preparation: &Preparation,
        target: Option<Target>,
        is_sub_image: bool,
        index: usize,
    ) -> Result<Self, DataError> {
        // Validation compares with clean images where it can.
        let wanted = target.unwrap_or(match pair.clean_target {
            Some(_) => Target::Clean,
            None => Target::Noisy,
        });
        let NoisyPair {
            shape,
            mut noisy_input,
            mask,
            noisy_target,
            target_noise,
            target_mask,
            clean_target,
            mut whole,
        } = pair;
        let (image, mask) = match wanted {
            Target::Noisy => (noisy_target, intersection(mask, target_mask)),
            Target::Clean => (clean_target, mask),
        };
        let mut image = image.ok_or_else(|| DataError::MissingTarget {
            name: format!("example {index}"),
            target: wanted,
        })?;
        let is_reversed = target.is_none() && wanted == Target::Noisy && !is_sub_image;
        let raw = is_reversed.then(|| noisy_input.clone());
        let normalization = preparation.normalize(&mut noisy_input, shape);
        if let Some(whole) = &mut whole {
            let shape = [shape[0], shape[1] * CELL, shape[2] * CELL];
            normalization.apply(&mut whole.image, shape);
        }
        let mut restoration = None;
        if target.is_none() {
            restoration = preparation.restoration(&normalization, shape);
        } else if preparation.restores {
            normalization.apply(&mut image, shape);
        }
        let (raw, between) = match target_noise {
            TargetNoise::Equal => (raw, None),
            TargetNoise::Halved => (None, raw),
        };
        let reverse = raw.map(|raw| {
            let mut reversed = image.clone();
            let normalization = preparation.normalize(&mut reversed, shape);
            HostReverse {
                restoration: preparation.restoration(&normalization, shape),
                input: reversed,
                target: raw,
            }
        });
        let [channels, height, width] = shape;
        Ok(Self {
            shape: [1, channels, height, width],
            input: noisy_input,
            target: image,
            mask,
            restoration,
            reverse,
            whole,
            between,
        })
    }

    /// Appends an example of the same shape.
    fn append(&mut self, other: Self) {
        let area = self.shape[2] * self.shape[3];
        if self.mask.is_some() || other.mask.is_some() {
            let everywhere = |examples: usize| vec![1.0; examples * area];
            let mask = self.mask.get_or_insert_with(|| everywhere(self.shape[0]));
            mask.extend(other.mask.unwrap_or_else(|| everywhere(other.shape[0])));
        }
        self.shape[0] += other.shape[0];
        self.input.extend(other.input);
        self.target.extend(other.target);
        if let Some(restoration) = &mut self.restoration {
            restoration.append(other.restoration);
        }
        if let (Some(whole), Some(other)) = (&mut self.whole, other.whole) {
            whole.image.extend(other.image);
            whole.signs.extend(other.signs);
        }
        if let (Some(between), Some(other)) = (&mut self.between, other.between) {
            between.extend(other);
        }
        if let (Some(reverse), Some(other)) = (&mut self.reverse, other.reverse) {
            reverse.input.extend(other.input);
            reverse.target.extend(other.target);
            if let Some(restoration) = &mut reverse.restoration {
                restoration.append(other.restoration);
            }
        }
    }

    /// Bytes of the images.
    fn bytes(&self) -> usize {
        let mask = self.mask.as_ref().map_or(0, Vec::len);
        let whole = |whole: &Whole| whole.image.len() + whole.signs.len();
        let whole = self.whole.as_ref().map_or(0, whole);
        (self.input.len() + self.target.len() + mask + whole) * size_of::<f32>()
    }

    fn into_batch(self, device: &Device) -> Batch {
        let [batch_size, channels, height, width] = self.shape;
        let of_whole = |values, channels| {
            let shape = [batch_size, channels, height * CELL, width * CELL];
            tensor(values, shape, device)
        };
        let images = |values| tensor(values, self.shape, device);
        let restoration = |host: Option<HostRestoration>| {
            host.map(|host| host.into_restoration(batch_size, device))
        };
        Batch {
            input: images(self.input),
            target: images(self.target),
            mask: self
                .mask
                .map(|mask| tensor(mask, [batch_size, 1, height, width], device)),
            restoration: restoration(self.restoration),
            reverse: self.reverse.map(|reverse| Reverse {
                input: images(reverse.input),
                target: images(reverse.target),
                restoration: restoration(reverse.restoration),
            }),
            wholes: self.whole.map(|whole| Wholes {
                images: of_whole(whole.image, channels),
                signs: of_whole(whole.signs, 1),
                weight: whole.weight,
            }),
            between: self.between.map(images),
        }
    }
}

/// Stacks the images of a batch; for validation, `target` is `None`.
fn stack(
    examples: &Examples,
    preparation: &Preparation,
    target: Option<Target>,
    batch: &[ExampleIndex],
) -> Result<HostBatch, DataError> {
    let is_sub_image = examples.reference() == Reference::SubImage;
    let prepared = batch.par_iter().map(|&example| {
        let pair = examples.pair(example)?;
        HostBatch::of(pair, preparation, target, is_sub_image, example.index)
    });
    let prepared = prepared.collect::<Result<Vec<HostBatch>, DataError>>()?;
    let stacked = prepared.into_iter().reduce(|mut stacked, example| {
        stacked.append(example);
        stacked
    });
    Ok(stacked.unwrap_or_else(|| unreachable!("batches hold an example")))
}

/// How training examples become batches.
#[derive(Clone)]
pub struct Batching {
    /// What is done to the images.
    pub preparation: Preparation,
    /// The image that the loss compares outputs with.
    pub target: Target,
    /// Images in a batch; the last of an epoch may have fewer.
    pub batch_size: usize,
    /// A new random order in each epoch; without it, file order.
    pub shuffle_seed: Option<u64>,
    /// Threads that make batches ahead of time; with 0 they are made when asked for.
    pub workers: usize,
}

/// An endless stream of training batches, epoch after epoch.
#[derive(Clone)]
pub struct TrainStream {
    examples: Arc<Examples>,
    range: Range<usize>,
    batching: Batching,
    first: u64,
    /// Images after which the last batch ends.
    end: Option<u64>,
    device: Device,
    /// The images on the device, if they can lie there; found out when the first batch is asked for.
    on_device: Arc<OnceLock<Option<OnDevice>>>,
    sent_bytes: Arc<AtomicU64>,
}

impl TrainStream {
    /// Streams `examples` to a device. On a graphics device 8-bit images of up to 512 MiB are sent at once where
    /// examples are parts of them, mirrored or rotated by 90 degrees.
    pub fn new(examples: Arc<Examples>, batching: Batching, device: Device) -> Self {
        Self {
            range: 0..examples.len(),
            examples,
            batching,
            first: 0,
            end: None,
            device,
            on_device: Arc::default(),
            sent_bytes: Arc::default(),
        }
    }

    /// Bytes of images that were sent to the device with batches.
    pub fn sent_bytes(&self) -> u64 {
        self.sent_bytes.load(Ordering::Relaxed)
    }

    /// The same stream without its first `batches`.
    pub fn after(mut self, batches: u64) -> Self {
        self.first = batches;
        self
    }

    /// The same stream for a run of `images` images: the batch that passes this number is cut off there.
    #[must_use]
    pub fn ending_after(mut self, images: usize) -> Self {
        self.end = Some(images as u64);
        self
    }

    /// The examples of batch `number`, counted from the start of the run.
    pub fn examples_of(&self, number: u64) -> Vec<ExampleIndex> {
        self.examples_in_order(&mut None, number)
    }

    /// As [`examples_of`](Self::examples_of); `order` keeps the order of the last epoch.
    fn examples_in_order(
        &self,
        order: &mut Option<(u64, Vec<u32>)>,
        number: u64,
    ) -> Vec<ExampleIndex> {
        let batch_size = self.batching.batch_size;
        let per_epoch = self.range.len().div_ceil(batch_size) as u64;
        let epoch = number / per_epoch;
        let order = match order {
            Some((of, order)) if *of == epoch => order,
            _ => &mut order.insert((epoch, self.order(epoch))).1,
        };
        let start = (number % per_epoch) as usize * batch_size;
        let before = epoch * self.range.len() as u64 + start as u64;
        let left = self.end.map_or(0, |end| end.saturating_sub(before));
        // Batches beyond the end are made ahead, and not used.
        let most = if left == 0 {
            batch_size
        } else {
            batch_size.min(usize::try_from(left).unwrap_or(usize::MAX))
        };
        let example = |&index: &u32| ExampleIndex {
            epoch,
            index: index as usize,
        };
        let batch = order.iter().skip(start).take(most);
        batch.map(example).collect()
    }

    fn order(&self, epoch: u64) -> Vec<u32> {
        let mut order = self.examples.epoch(self.batching.shuffle_seed, epoch);
        order.retain(|index| self.range.contains(&(*index as usize)));
        order
    }
}

impl DataLoader<Batch> for TrainStream {
    fn iter<'a>(&'a self) -> Box<dyn DataLoaderIterator<Batch> + 'a> {
        let on_device = || OnDevice::new(&self.examples, &self.batching, &self.device);
        let on_device = self.on_device.get_or_init(on_device).as_ref();
        let stream = self.clone();
        let shelves = on_device.map(|set| set.shelves.clone());
        let make = move |order: &mut Option<(u64, Vec<u32>)>, number: u64| {
            let batch = stream.examples_in_order(order, number);
            let Batching {
                preparation,
                target,
                ..
            } = &stream.batching;
            if let Some(shelves) = &shelves {
                let places = batch.par_iter();
                let places = places.map(|&example| shelves.place(&stream.examples, example));
                return places.collect::<Result<_, _>>().map(Made::Places);
            }
            let stacked = stack(&stream.examples, preparation, Some(*target), &batch);
            stacked.map(|images| Made::Images(Box::new(images)))
        };
        let [_, height, width] = self.examples.shape(0);
        let made = Prefetcher::new(self.batching.workers, self.first, make);
        let upload = move |made| match (made, on_device) {
            (Made::Images(images), _) => {
                let bytes = images.bytes() as u64;
                self.sent_bytes.fetch_add(bytes, Ordering::Relaxed);
                images.into_batch(&self.device)
            }
            (Made::Places(places), Some(set)) => {
                let images = set.images.pairs(&places, [height, width]);
                let has_autodiff = self.device.is_autodiff();
                let [input, target] = images.map(|images| {
                    if has_autodiff {
                        images.autodiff()
                    } else {
                        images
                    }
                });
                Batch::of_pairs(input, target)
            }
            (Made::Places(_), None) => unreachable!("places are those of a set on the device"),
        };
        Box::new(Batches {
            made: Box::new(made.map(move |made| made.map(&upload))),
            served: 0,
            total: self.num_items(),
        })
    }

    fn num_items(&self) -> usize {
        self.range.len()
    }

    fn to_device(&self, device: &Device) -> Arc<dyn DataLoader<Batch>> {
        let device = device.clone();
        Arc::new(Self {
            device,
            on_device: Arc::default(),
            ..self.clone()
        })
    }

    fn slice(&self, start: usize, end: usize) -> Arc<dyn DataLoader<Batch>> {
        let range = self.range.start + start..self.range.start + end;
        Arc::new(Self {
            range,
            ..self.clone()
        })
    }
}

/// The validation batches, each example once, in file order, of images of one size each; with clean
/// targets where there are any.
#[derive(Clone)]
pub struct ValidationSet {
    examples: Arc<Examples>,
    preparation: Preparation,
    batch_size: usize,
    batches: Vec<Range<usize>>,
    device: Device,
}

impl ValidationSet {
    /// Serves a range of `examples` in batches of at most `batch_size`.
    pub fn new(
        examples: Arc<Examples>,
        range: Range<usize>,
        preparation: Preparation,
        batch_size: usize,
        device: Device,
    ) -> Self {
        let mut batches: Vec<Range<usize>> = Vec::new();
        for index in range {
            match batches.last_mut() {
                Some(batch)
                    if batch.len() < batch_size
                        && examples.shape(batch.start) == examples.shape(index) =>
                {
                    batch.end += 1;
                }
                _ => batches.push(index..index + 1),
            }
        }
        Self {
            examples,
            preparation,
            batch_size,
            batches,
            device,
        }
    }
}

impl DataLoader<Batch> for ValidationSet {
    fn iter<'a>(&'a self) -> Box<dyn DataLoaderIterator<Batch> + 'a> {
        let made = self.batches.iter().map(|batch| {
            let batch = batch.clone().map(|index| ExampleIndex { epoch: 0, index });
            let batch: Vec<_> = batch.collect();
            stack(&self.examples, &self.preparation, None, &batch)
        });
        let upload = |batch: Result<HostBatch, _>| Ok(batch?.into_batch(&self.device));
        Box::new(Batches {
            made: Box::new(made.map(upload)),
            served: 0,
            total: self.num_items(),
        })
    }

    fn num_items(&self) -> usize {
        self.batches.iter().map(ExactSizeIterator::len).sum()
    }

    fn to_device(&self, device: &Device) -> Arc<dyn DataLoader<Batch>> {
        let device = device.clone();
        Arc::new(Self {
            device,
            ..self.clone()
        })
    }

    fn slice(&self, start: usize, end: usize) -> Arc<dyn DataLoader<Batch>> {
        let first = self.batches.first().map_or(0, |batch| batch.start);
        Arc::new(Self::new(
            self.examples.clone(),
            first + start..first + end,
            self.preparation.clone(),
            self.batch_size,
            self.device.clone(),
        ))
    }
}

struct Batches<'a> {
    made: Box<dyn Iterator<Item = Result<Batch, DataError>> + 'a>,
    served: usize,
    total: usize,
}

impl Iterator for Batches<'_> {
    type Item = Result<Batch, DatasetError>;

    fn next(&mut self) -> Option<Self::Item> {
        let batch = self.made.next()?;
        Some(match batch {
            Ok(batch) => {
                self.served += batch.input.dims()[0];
                Ok(batch)
            }
            Err(error) => Err(DatasetError::new(error)),
        })
    }
}

impl DataLoaderIterator<Batch> for Batches<'_> {
    fn progress(&self) -> Progress {
        Progress::new(self.served, self.total, Some("images".to_owned()))
    }
}
