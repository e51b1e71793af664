//! Images that are read and written in parts, held to those in memory.

use std::ops::ControlFlow;
use std::path::Path;

use n2n_data::Normalization;
use n2n_denoise::{Denoised, Denoiser};
use n2n_files::{FileError, Raster, Region, Sample, SampleKind, Samples, Stack, with_samples};

use crate::model::{ModelFile, image, unet};

/// Statistics of `per_image` are those of 7310 pixels, and of 7309 where a hole is not filled first.
const TOLERANCE: f64 = 1e-4;

/// One image, which is read in parts.
struct InParts(Raster);

impl Stack for InParts {
    fn path(&self) -> &Path {
        Path::new("image")
    }

    fn len(&self) -> usize {
        1
    }

    fn shape(&self) -> [usize; 3] {
        self.0.shape()
    }

    fn kind(&self) -> SampleKind {
        self.0.samples.kind()
    }

    fn read(&self, _index: usize) -> Result<Raster, FileError> {
        panic!("it is never read whole")
    }

    fn read_region(&self, _index: usize, region: Region) -> Result<Raster, FileError> {
        Ok(self.0.cropped(region))
    }

    fn parts(&self) -> Option<[usize; 2]> {
        Some([16, 24])
    }
}

/// An image of a kind, on the scale of its type or up to 200.
fn raster(shape: [usize; 3], kind: SampleKind) -> Raster {
    let [channels, height, width] = shape;
    let mut samples = Samples::zeros(kind, channels * height * width);
    let scale = if kind.is_float() { 200.0 } else { kind.white() };
    with_samples!(&mut samples, samples => {
        for (sample, value) in samples.iter_mut().zip(image(shape).values()) {
            *sample = Sample::from_f64(f64::from(*value) * scale);
        }
    });
    Raster {
        channels,
        height,
        width,
        samples,
        alpha: None,
    }
}

/// What comes of an image in parts, how many there are, and what is said of it.
fn in_parts(denoiser: &Denoiser, raster: &Raster) -> (Vec<f64>, usize, Denoised) {
    let [_, height, width] = raster.shape();
    let mut all = vec![f64::INFINITY; raster.samples.len()];
    let mut count = 0;
    let mut write = |region: Region, samples: &Samples| {
        count += 1;
        with_samples!(samples, samples => {
            for (line, row) in samples.chunks_exact(region.width).enumerate() {
                let (channel, y) = (line / region.height, region.top + line % region.height);
                let start = (channel * height + y) * width + region.left;
                for (into, sample) in all[start..].iter_mut().zip(row) {
                    assert!(into.is_infinite(), "each pixel is written once");
                    *into = sample.to_f64();
                }
            }
        });
        Ok(())
    };
    let go_on = &mut |_| ControlFlow::Continue(());
    let stack = InParts(raster.clone());
    let denoised = denoiser.denoise_parts(&stack, 0, None, 0, &mut write, go_on);
    let denoised = denoised.unwrap();
    (all, count, denoised)
}

#[test]
fn parts_are_together_the_whole_image() {
    let per_channel = Normalization::PerChannel {
        mean: vec![0.45],
        std: vec![0.25],
    };
    for normalization in [per_channel, Normalization::PerImage] {
        let model = ModelFile::new(unet(1, 4, 2), normalization);
        let denoiser = model.load().with_tile(80);
        for kind in [SampleKind::U16, SampleKind::F32] {
            let mut raster = raster([2, 85, 86], kind);
            // The second channel is of one value, and the first of floats has a hole.
            with_samples!(&mut raster.samples, samples => {
                let middle = samples.len() / 2;
                let value = samples[7];
                samples[middle..].fill(value);
            });
            if let Samples::F32(samples) = &mut raster.samples {
                samples[0] = f32::NAN;
            }
            let go_on = &mut |_| ControlFlow::Continue(());
            let whole = denoiser.denoise_raster(&raster, None, go_on).unwrap();
            let (parts, count, said) = in_parts(&denoiser, &raster);
            assert!(count > 3, "{count} tiles");
            assert_eq!(said.holes, usize::from(kind.is_float()));
            assert_eq!(said.stray, denoiser.is_stray(&raster, &whole, None));
            assert!(!said.foreign);
            // Of integers, one that is rounded to the other side.
            let most = if kind.is_float() {
                200.0 * TOLERANCE
            } else {
                1.0
            };
            let whole: Vec<f64> = with_samples!(&whole.samples, samples => {
                samples.iter().map(|&sample| Sample::to_f64(sample)).collect()
            });
            for (part, whole) in parts.iter().zip(&whole) {
                let same = part.is_nan() && whole.is_nan() || (part - whole).abs() <= most;
                assert!(same, "{kind}: {part} {whole}");
            }
        }
    }
}

#[test]
fn memory_of_parts_does_not_grow_with_the_image() {
    let denoiser = ModelFile::new(unet(1, 4, 2), Normalization::None).load();
    let denoiser = denoiser.with_max_memory(64 << 20);
    denoiser
        .check_parts([1, 1 << 20, 1 << 20], 1 << 20)
        .unwrap();
    let error = denoiser.check_parts([1, 100, 100], 64 << 20).unwrap_err();
    assert!(matches!(error, n2n_denoise::Error::TooLittleMemory { .. }));
}
