//! A trained network that denoises images of any size.

use std::ops::ControlFlow;
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicUsize, Ordering};

use burn::tensor::Device;
use n2n_data::{Normalization, Range, fill_holes, is_constant, range_of_image};
use n2n_files::{Header, Raster, Sample, SampleKind, Samples, with_samples};
use n2n_model::{Network, StateDict, parse_model_file, read_model_file};

use crate::channels::ChannelRule;
use crate::fit::is_picture_of_floats;
use crate::forward::{Forward, normalizations};
use crate::pass::{DenoiseTile, Pass};
use crate::samples::{Pixels, PixelsToWrite, Scales, Sink, Source};
use crate::tiles::Rules;
use crate::{Error, Image, ModelMetadata};

/// What a run directory calls its best model.
const BEST: &str = "best.safetensors";

/// The model that comes with this crate; models/README.md says how it was trained.
const BUNDLED: &[u8] = include_bytes!("../../../models/bundled.safetensors");

/// Memory that denoising takes where nothing else is said, in bytes.
const MAX_MEMORY: u64 = 1 << 30;

/// A trained network that denoises images of any size.
///
/// - Sides that are no multiples of what the network halves are padded at the bottom and the right, by
///   reflection, and where an image is too small by its last pixel.
/// - What the memory cannot hold is cut into tiles. They overlap by the [receptive
///   radius](n2n_model::NetworkConfig::receptive_radius), and lie on the
///   grid of the network's halvings, so that the result is that of the whole image.
/// - Statistics of `per_image` are those of the whole image. A network with statistics `per_pixel` knows
///   one size only: tiles of it overlap by half, and are blended.
/// - A channel of one value holds no noise, and stays as it is.
/// - A grey image goes through a network for colour in each channel, and comes back as the mean of the
///   three; any image through one for grey channel by channel. Other channels must be the network's.
///
/// ```
/// use n2n_denoise::{Denoiser, Image};
///
/// # fn main() -> Result<(), n2n_denoise::Error> {
/// // Grey, 31 pixels high and 33 wide: a slope with some noise.
/// let noise = |at: usize| ((at * 7919) % 100) as f32 / 500.0 - 0.1;
/// let values: Vec<f32> = (0..31 * 33).map(|at| at as f32 / 2000.0 + 0.25 + noise(at)).collect();
/// let noisy = Image::new([1, 31, 33], values)?;
///
/// let denoised = Denoiser::bundled().denoise(&noisy)?;
/// assert_eq!(denoised.shape(), [1, 31, 33]);
///
/// let error = |image: &Image| -> f32 {
///     let errors = image.values().iter().enumerate().map(|(at, value)| value - at as f32 / 2000.0 - 0.25);
///     errors.map(|error| error * error).sum()
/// };
/// assert!(error(&denoised) < error(&noisy) / 2.0);
/// # Ok(())
/// # }
/// ```
pub struct Denoiser {
    network: Network,
    metadata: ModelMetadata,
    device: Device,
    self_ensemble: bool,
    max_memory: u64,
    most_side: usize,
    /// Pixels of a tile that the device was found to have memory for.
    device_area: AtomicUsize,
}

impl Denoiser {
    /// The model that comes with this crate, on the CPU: for photographs in colour or grey, with a sensor's noise
    /// of any strength.
    pub fn bundled() -> Self {
        Self::bundled_on(&Device::flex())
    }

    /// The same on another device.
    pub fn bundled_on(device: &Device) -> Self {
        let path = Path::new("bundled.safetensors");
        let parsed = parse_model_file(BUNDLED, path).map_err(Error::from);
        let model = parsed.and_then(|(state, metadata)| Self::new(state, metadata, device, path));
        model.unwrap_or_else(|error| unreachable!("the file was tested when it was made: {error}"))
    }

    /// Loads a model file, or the best model of a run directory, to compute on the CPU.
    ///
    /// ```
    /// let path = concat!(env!("CARGO_MANIFEST_DIR"), "/../../models/bundled.safetensors");
    /// let denoiser = n2n_denoise::Denoiser::load(path)?.with_self_ensemble(true);
    /// assert_eq!(denoiser.metadata().channels(), 3);
    /// # Ok::<(), n2n_denoise::Error>(())
    /// ```
    ///
    /// # Errors
    /// When it cannot be read, is damaged, or is no model.
    pub fn load(path: impl AsRef<Path>) -> Result<Self, Error> {
        Self::load_on(path, &Device::flex())
    }

    /// The same on another device.
    ///
    /// # Errors
    /// As for [`load`](Self::load).
    pub fn load_on(path: impl AsRef<Path>, device: &Device) -> Result<Self, Error> {
        let path = model_file(path.as_ref())?;
        let (state, said) = read_model_file(&path)?;
        let metadata = ModelMetadata::parse(said, &path)?;
        Self::new(state, metadata, device, &path)
    }

    /// Makes a denoiser of weights in memory.
    ///
    /// # Errors
    /// When the weights are not those of the network, or one is NaN or infinite.
    pub fn from_weights(
        weights: StateDict,
        metadata: ModelMetadata,
        device: &Device,
    ) -> Result<Self, Error> {
        Self::new(weights, metadata, device, Path::new("the model in memory"))
    }

    /// A model of these weights; `path` is what errors call it.
    fn new(
        state: StateDict,
        metadata: ModelMetadata,
        device: &Device,
        path: &Path,
    ) -> Result<Self, Error> {
        metadata.check(path)?;
        for (name, data) in &state {
            if let Some(value) = data.iter::<f32>().find(|value| !value.is_finite()) {
                return Err(Error::WeightNotFinite {
                    path: path.to_owned(),
                    name: name.clone(),
                    value,
                });
            }
        }
        let network = metadata.network.load(state, device);
        let network = network.map_err(|source| Error::Weights {
            path: path.to_owned(),
            source,
        })?;
        Ok(Self {
            network,
            metadata,
            device: device.clone(),
            self_ensemble: false,
            max_memory: MAX_MEMORY,
            most_side: usize::MAX,
            device_area: AtomicUsize::new(usize::MAX),
        })
    }

    /// Sets whether to average over the eight flips and rotations of each image; off by default.
    #[must_use]
    pub fn with_self_ensemble(self, self_ensemble: bool) -> Self {
        Self {
            self_ensemble,
            ..self
        }
    }

    /// Sets the largest memory in bytes, image and result included; 1 GiB by default. The memory of a tile is
    /// an estimate ([`bytes_per_pixel`](n2n_model::NetworkConfig::bytes_per_pixel)).
    #[must_use]
    pub fn with_max_memory(self, max_memory: u64) -> Self {
        Self { max_memory, ..self }
    }

    /// Sets the longest side of a tile in pixels, halo included; by default the memory decides.
    #[must_use]
    pub fn with_tile(self, most_side: usize) -> Self {
        Self { most_side, ..self }
    }

    /// What the model file says beside its weights.
    pub fn metadata(&self) -> &ModelMetadata {
        &self.metadata
    }

    /// Its parameters under PyTorch's names: a shared block stands under every index.
    pub fn state_dict(&self) -> StateDict {
        self.metadata.network.state_dict(&self.network)
    }

    /// The denoised image.
    ///
    /// NaN and infinite values stay as they are; the network sees their neighbours in their place.
    ///
    /// # Errors
    /// When the channels are not those of the network, or the memory does not suffice.
    pub fn denoise(&self, image: &Image) -> Result<Image, Error> {
        let shape = image.shape();
        let mut denoised = vec![0.0; image.values().len()];
        let filled = filled(image.values(), shape);
        let pixels = Pixels::Numbers(filled.as_deref().unwrap_or(image.values()));
        let pass = Pass {
            shape,
            source: Source::Pixels(pixels),
            sink: Sink::Pixels(PixelsToWrite::Numbers(&mut denoised)),
            progress: &mut |_| ControlFlow::Continue(()),
        };
        let normalizations = self.normalizations(pixels, shape)?;
        self.run(pass, 2 * size_of_val(image.values()), normalizations)?;
        keep(image.values(), &mut denoised, shape);
        Image::new(shape, denoised)
    }

    /// The denoised image of a file, in the same kind of samples, in their units, and with the same alpha.
    ///
    /// Integers are clamped to the range of their type; floats to `[0, 1]` where all of the image lie
    /// there and `range` is not given. NaN and infinite samples stay as they are; the network sees their
    /// neighbours in their place.
    ///
    /// `range` are the samples that become 0 and 1, by default those of [`range`](Self::range).
    /// `progress` is told how many pixels are done, and may ask for an end.
    ///
    /// # Errors
    /// When the channels are not those of the network, the range is not one, or the memory does not
    /// suffice; [`Error::Stopped`] when `progress` asked for it.
    pub fn denoise_raster(
        &self,
        raster: &Raster,
        range: Option<&Range>,
        progress: &mut dyn FnMut(usize) -> ControlFlow<()>,
    ) -> Result<Raster, Error> {
        let given = range.is_some();
        let range = range.cloned().or_else(|| self.range(raster));
        range.as_ref().map_or(Ok(()), Range::validate)?;
        let kind = raster.samples.kind();
        let scales = Scales::new(kind, range.as_ref(), raster.shape());
        let mut denoised = Samples::zeros(kind, raster.samples.len());
        let filled = with_samples!(&raster.samples, samples => {
            filled(samples, raster.shape()).map(Sample::into_samples)
        });
        let alpha = raster.alpha.as_ref().map_or(0, |alpha| alpha.bytes());
        let copies = 2 + usize::from(filled.is_some());
        let pixels = Pixels::Samples(filled.as_ref().unwrap_or(&raster.samples), &scales);
        let normalizations = self.normalizations(pixels, raster.shape())?;
        self.run(
            Pass {
                shape: raster.shape(),
                source: Source::Pixels(pixels),
                sink: Sink::Pixels(PixelsToWrite::Samples {
                    samples: &mut denoised,
                    scales: &scales,
                    clamps: !given && is_picture_of_floats(&raster.samples),
                }),
                progress,
            },
            copies * raster.samples.bytes() + 2 * alpha,
            normalizations,
        )?;
        with_samples!(&raster.samples, samples => {
            keep_of_kind(samples, &mut denoised, raster.shape());
        });
        Ok(Raster {
            samples: denoised,
            alpha: raster.alpha.clone(),
            ..*raster
        })
    }

    /// The samples of an image that become 0 and 1: those of the training, or else those of the image
    /// itself. `None` is as its type says, which is enough for 8- and 16-bit pictures and floats around
    /// `[0, 1]`.
    pub fn range(&self, raster: &Raster) -> Option<Range> {
        self.metadata
            .range
            .clone()
            .or_else(|| match raster.samples.kind() {
                SampleKind::U8 | SampleKind::U16 => None,
                _ => range_of_image(raster),
            })
    }

    /// The normalization of each image of the network's batch.
    fn normalizations(
        &self,
        pixels: Pixels<'_>,
        [channels, height, width]: [usize; 3],
    ) -> Result<Vec<Normalization>, Error> {
        let rule = self.channel_rule(channels);
        rule.check()?;
        let kind = &self.metadata.normalization;
        Ok(normalizations(kind, pixels, rule, [height, width]))
    }

    /// Denoises; `held` is the memory that both images take, in bytes, and `normalizations` are those of the
    /// network's batch.
    pub(crate) fn run(
        &self,
        mut pass: Pass<'_>,
        held: usize,
        normalizations: Vec<Normalization>,
    ) -> Result<(), Error> {
        let [channels, ..] = pass.shape;
        let rule = self.channel_rule(channels);
        self.check_memory(pass.shape, held)?;
        let kind = &self.metadata.normalization;
        let forward = Forward {
            network: &self.network,
            device: &self.device,
            self_ensemble: self.self_ensemble,
            rule,
            normalizations,
            restores: self.metadata.network.has_input_units(),
        };
        let denoise = |values: Vec<f32>, size: [usize; 2]| forward.tile(values, size);
        if let Normalization::PerPixel { shape, .. } = kind {
            return pass.blended([shape[1], shape[2]], &denoise);
        }
        let most_area = self.max_memory.saturating_sub(held as u64);
        let of_parts = match pass.source {
            Source::Pixels(_) => 0,
            Source::Parts(parts) => parts.bytes_per_pixel(),
        };
        let most_area = most_area / (self.bytes_per_pixel(rule) + of_parts) as u64;
        let most_area = usize::try_from(most_area).unwrap_or(usize::MAX);
        self.in_tiles(&mut pass, most_area, &denoise)
    }

    /// Denoises in tiles of at most `most_area` pixels, and in smaller and smaller ones where the device
    /// lacks memory.
    fn in_tiles(
        &self,
        pass: &mut Pass<'_>,
        most_area: usize,
        denoise: DenoiseTile<'_>,
    ) -> Result<(), Error> {
        let [_, height, width] = pass.shape;
        let (rules, size) = (self.rules(), self.padded([height, width]));
        let least_area = rules.least_area(size);
        loop {
            let most_area = most_area.min(self.device_area.load(Ordering::Relaxed));
            let plan = rules.plan(size, most_area.max(least_area), self.most_side);
            let plan = plan.ok_or(Error::Tile {
                side: self.most_side,
                least: rules.multiple + 2 * rules.halo,
            })?;
            match pass.tiled(&plan, denoise) {
                Err(Error::DeviceMemory { .. })
                    if plan.tile_area() > least_area
                        && !matches!(pass.sink, Sink::Parts { begun: true, .. }) =>
                {
                    let half = plan.tile_area() / 2;
                    self.device_area.store(half, Ordering::Relaxed);
                }
                result => return result,
            }
        }
    }

    /// Checks that the memory suffices for an image of a file, before it is read; `in_files` is what reading
    /// or writing it takes, in bytes.
    ///
    /// # Errors
    /// [`Error::TooLittleMemory`].
    pub fn check_header(&self, header: &Header, in_files: u64) -> Result<(), Error> {
        let samples = header.height * header.width * (header.channels + usize::from(header.alpha));
        self.check_memory(header.shape(), 2 * samples * header.kind.bytes())?;
        self.check_bytes(header.shape(), in_files)
    }

    /// Checks that the memory suffices for the smallest tile, besides `held` bytes of images.
    pub(crate) fn check_memory(&self, shape: [usize; 3], held: usize) -> Result<(), Error> {
        let [channels, height, width] = shape;
        let pixel = self.bytes_per_pixel(self.channel_rule(channels));
        let needed = match self.metadata.normalization {
            // Tiles are added up in floats.
            Normalization::PerPixel { shape: tile, .. } => {
                channels * height * width * size_of::<f32>() + tile[1] * tile[2] * pixel
            }
            _ => self.rules().least_area(self.padded([height, width])) * pixel,
        };
        self.check_bytes(shape, (held + needed) as u64)
    }

    /// Checks that `needed` bytes are at hand.
    fn check_bytes(&self, [_, height, width]: [usize; 3], needed: u64) -> Result<(), Error> {
        if needed <= self.max_memory {
            Ok(())
        } else {
            Err(Error::TooLittleMemory {
                height,
                width,
                needed_mib: needed.div_ceil(1 << 20),
                allowed_mib: self.max_memory >> 20,
            })
        }
    }

    pub(crate) fn channel_rule(&self, channels: usize) -> ChannelRule {
        ChannelRule {
            image: channels,
            network: self.metadata.channels(),
        }
    }

    /// Bytes that a pixel of a tile takes: in the network, and of the tiles before and after, which are written and
    /// read meanwhile.
    fn bytes_per_pixel(&self, rule: ChannelRule) -> usize {
        let others = 2 * rule.image * size_of::<f32>();
        rule.batch_size() * self.metadata.network.bytes_per_pixel() + others
    }

    fn rules(&self) -> Rules {
        let multiple = self.metadata.network.divisor();
        Rules {
            halo: self
                .metadata
                .network
                .receptive_radius()
                .next_multiple_of(multiple),
            multiple,
        }
    }

    /// The size of an image whose sides are multiples of what the network halves.
    fn padded(&self, size: [usize; 2]) -> [usize; 2] {
        size.map(|side| side.next_multiple_of(self.metadata.network.divisor()))
    }
}

/// The samples of a planar image with its holes filled, if it has any.
pub(crate) fn filled<T: Sample>(
    samples: &[T],
    [channels, height, width]: [usize; 3],
) -> Option<Vec<T>> {
    if samples.iter().all(|sample| sample.to_f64().is_finite()) {
        return None;
    }
    let mut filled = samples.to_vec();
    for channel in 0..channels {
        let plane = &mut filled[channel * height * width..][..height * width];
        fill_holes(plane, width);
    }
    Some(filled)
}

/// Puts back what stays as it is: NaN and infinite samples, and channels of one value, which hold no noise.
fn keep<T: Sample>(samples: &[T], denoised: &mut [T], [_, height, width]: [usize; 3]) {
    let area = height * width;
    let channels = samples
        .chunks_exact(area)
        .zip(denoised.chunks_exact_mut(area));
    for (samples, denoised) in channels {
        if is_constant(samples) {
            denoised.copy_from_slice(samples);
            continue;
        }
        let pairs = samples.iter().zip(denoised);
        let holes = pairs.filter(|(sample, _)| !sample.to_f64().is_finite());
        holes.for_each(|(sample, denoised)| *denoised = *sample);
    }
}

/// The same of samples of one kind.
fn keep_of_kind<T: Sample>(samples: &[T], denoised: &mut Samples, shape: [usize; 3]) {
    if let Some(denoised) = T::slice_mut(denoised) {
        keep(samples, denoised, shape);
    }
}

/// The model file that a path stands for: of a run directory, its best model.
///
/// # Errors
/// When a folder holds none.
pub fn model_file(path: &Path) -> Result<PathBuf, Error> {
    if !path.is_dir() {
        return Ok(path.to_owned());
    }
    let best = path.join(BEST);
    if best.exists() {
        Ok(best)
    } else {
        Err(Error::NoModel {
            folder: path.to_owned(),
            name: BEST,
        })
    }
}

#[cfg(test)]
mod tests {
    use std::cell::RefCell;

    use super::*;

    /// Denoises an image of 300x400 pixels on a device with memory for tiles of `memory` pixels: tiles
    /// that were tried, the first failure, and whether all pixels arrived.
    fn on_small_device(
        denoiser: &Denoiser,
        memory: usize,
    ) -> (Vec<usize>, Result<(), Error>, bool) {
        let shape = [3, 300, 400];
        let values: Vec<f32> = (0..3 * 300 * 400).map(|at| at as f32).collect();
        let mut written = vec![-1.0; values.len()];
        let tried = RefCell::new(vec![]);
        let mut pass = Pass {
            shape,
            source: Source::Pixels(Pixels::Numbers(&values)),
            sink: Sink::Pixels(PixelsToWrite::Numbers(&mut written)),
            progress: &mut |_| ControlFlow::Continue(()),
        };
        let result = denoiser.in_tiles(&mut pass, usize::MAX, &|values, [height, width]| {
            let pixels = height * width;
            tried.borrow_mut().push(pixels);
            if pixels > memory {
                Err(Error::DeviceMemory {
                    pixels,
                    said: "out of memory".to_owned(),
                })
            } else {
                Ok(values)
            }
        });
        (tried.into_inner(), result, written == values)
    }

    #[test]
    fn tiles_shrink_to_device_memory() {
        let denoiser = Denoiser::bundled();
        let (tried, result, whole) = on_small_device(&denoiser, 40_000);
        result.unwrap();
        assert!(whole);
        assert_eq!(tried[0], 304 * 400, "the whole image, padded");
        assert!(tried[1] <= tried[0] / 2);
        // The next image begins where this one ended.
        let (again, ..) = on_small_device(&denoiser, 40_000);
        assert!(again[0] <= 40_000, "{again:?}");

        let (tried, result, _) = on_small_device(&denoiser, 1000);
        assert!(
            matches!(result, Err(Error::DeviceMemory { .. })),
            "{tried:?}"
        );
        assert_eq!(
            tried.last(),
            Some(&(176 * 176)),
            "the smallest tile is tried"
        );
    }
}
