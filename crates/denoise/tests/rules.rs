//! Samples, channels, alpha and ranges of files.

use std::ops::ControlFlow;

use n2n_data::{Normalization, SampleError};
use n2n_denoise::{Denoiser, Error, Image, ModelMetadata};
use n2n_files::{Raster, SampleKind, Samples};

use crate::model::{ModelFile, difference, image, unet, weights};

/// A sum of three f32, in another order.
const TOLERANCE: f32 = 1e-6;

fn denoiser(channels: usize) -> Denoiser {
    let normalization = Normalization::PerChannel {
        mean: vec![0.45; channels],
        std: vec![0.25; channels],
    };
    ModelFile::new(unet(channels, 4, 2), normalization).load()
}

fn denoise_raster(denoiser: &Denoiser, raster: &Raster, range: Option<[f32; 2]>) -> Raster {
    let go_on = &mut |_| ControlFlow::Continue(());
    denoiser.denoise_raster(raster, range, go_on).unwrap()
}

/// The samples that correspond to 0 and 1.
fn bounds(kind: SampleKind, range: Option<[f32; 2]>) -> [f32; 2] {
    range.unwrap_or(match kind {
        SampleKind::U8 => [0.0, 255.0],
        SampleKind::U16 => [0.0, 65535.0],
        SampleKind::F32 => [0.0, 1.0],
    })
}

fn from_raster(raster: &Raster, range: Option<[f32; 2]>) -> Image {
    let [low, high] = bounds(raster.samples.kind(), range);
    let samples: Vec<f32> = match &raster.samples {
        Samples::U8(samples) => samples.iter().map(|&sample| sample.into()).collect(),
        Samples::U16(samples) => samples.iter().map(|&sample| sample.into()).collect(),
        Samples::F32(samples) => samples.clone(),
    };
    let numbers = samples
        .into_iter()
        .map(|sample| (sample - low) / (high - low));
    Image::new(raster.shape(), numbers.collect()).unwrap()
}

fn to_raster(image: &Image, kind: SampleKind, range: Option<[f32; 2]>) -> Raster {
    let [channels, height, width] = image.shape();
    let [low, high] = bounds(kind, range);
    let samples = image
        .values()
        .iter()
        .map(|value| low + value * (high - low));
    Raster {
        channels,
        height,
        width,
        samples: match kind {
            SampleKind::U8 => Samples::U8(samples.map(|sample| sample.round() as u8).collect()),
            SampleKind::U16 => Samples::U16(samples.map(|sample| sample.round() as u16).collect()),
            SampleKind::F32 => Samples::F32(samples.collect()),
        },
        alpha: None,
    }
}

fn plane(image: &Image, channel: usize) -> Image {
    let [_, height, width] = image.shape();
    let values = image.values()[channel * height * width..][..height * width].to_vec();
    Image::new([1, height, width], values).unwrap()
}

#[test]
fn grey_image_becomes_mean_of_colour_outputs() {
    let denoiser = denoiser(3);
    let grey = image([1, 21, 34]);
    let colour = Image::new([3, 21, 34], grey.values().repeat(3)).unwrap();
    let denoised = denoiser.denoise(&colour).unwrap();
    let mean = (0..21 * 34).map(|at| {
        let of_channel = |channel: usize| denoised.values()[channel * 21 * 34 + at];
        (of_channel(0) + of_channel(1) + of_channel(2)) / 3.0
    });
    let mean = Image::new([1, 21, 34], mean.collect()).unwrap();
    assert!(difference(&denoiser.denoise(&grey).unwrap(), &mean) < TOLERANCE);
}

#[test]
fn colour_channels_pass_grey_network_one_by_one() {
    let denoiser = denoiser(1);
    let colour = image([3, 17, 26]);
    let denoised = denoiser.denoise(&colour).unwrap();
    for channel in 0..3 {
        let alone = denoiser.denoise(&plane(&colour, channel)).unwrap();
        assert!(difference(&plane(&denoised, channel), &alone) < TOLERANCE);
    }
}

#[test]
fn raster_keeps_kind_channels_and_alpha() {
    for channels in [1, 3] {
        for kind in [SampleKind::U8, SampleKind::U16, SampleKind::F32] {
            let image = image([channels, 9, 14]);
            let range = (kind == SampleKind::F32).then_some([-2.0, 30.0]);
            let alpha = to_raster(&image, kind, range).samples;
            let raster = Raster {
                alpha: Some(alpha),
                ..to_raster(&image, kind, range)
            };
            let denoiser = denoiser(3);
            let denoised = denoise_raster(&denoiser, &raster, range);
            assert_eq!(denoised.shape(), raster.shape());
            assert_eq!(denoised.samples.kind(), kind);
            assert_eq!(denoised.alpha, raster.alpha);
            let expected = from_raster(&raster, range);
            let expected = denoiser.denoise(&expected).unwrap();
            let found = from_raster(&denoised, range);
            let step = match kind {
                SampleKind::U8 => 0.5001 / 255.0,
                SampleKind::U16 => 0.5001 / 65535.0,
                SampleKind::F32 => 0.0,
            };
            assert!(difference(&found, &expected) <= step + TOLERANCE, "{kind}");
        }
    }
}

#[test]
fn training_range_is_the_default_range() {
    let network = unet(1, 4, 2);
    let mut metadata = ModelMetadata::new(network.clone(), Normalization::None, None);
    let state = weights(&network, 3);
    let plain = ModelFile::write(&state, &metadata).load();
    metadata.range = Some([0.0, 4095.0]);
    let twelve_bits = ModelFile::write(&state, &metadata).load();
    assert_eq!(twelve_bits.metadata().range, Some([0.0, 4095.0]));

    let raster = to_raster(&image([1, 10, 12]), SampleKind::U16, Some([0.0, 4095.0]));
    let expected = denoise_raster(&plain, &raster, Some([0.0, 4095.0]));
    assert_eq!(denoise_raster(&twelve_bits, &raster, None), expected);
    assert_ne!(denoise_raster(&plain, &raster, None), expected);
}

#[test]
fn invalid_values_and_ranges_are_refused() {
    let denoiser = denoiser(1);
    let with = |value: f32| Raster {
        channels: 1,
        height: 2,
        width: 3,
        samples: Samples::F32(vec![0.5, 0.25, value, 0.0, 1.0, 0.75]),
        alpha: None,
    };
    let go_on = &mut |_| ControlFlow::Continue(());
    let mut refused = |value, range| {
        denoiser
            .denoise_raster(&with(value), range, go_on)
            .unwrap_err()
    };
    assert!(
        matches!(refused(f32::NAN, Some([0.0, 9.0])), Error::Samples(SampleError::NotFinite { value }) if value.is_nan())
    );
    assert!(matches!(
        refused(f32::INFINITY, None),
        Error::Samples(SampleError::NotFinite { .. })
    ));
    assert!(
        matches!(refused(1.5, None), Error::Samples(SampleError::OutsideUnitRange { high, .. }) if high == 1.5)
    );
    assert!(matches!(
        refused(0.5, Some([2.0, 1.0])),
        Error::Range { .. }
    ));
    let image = Image::new([1, 1, 2], vec![0.5, f32::NAN]).unwrap();
    assert!(matches!(
        denoiser.denoise(&image),
        Err(Error::Samples(SampleError::NotFinite { .. }))
    ));
}

#[test]
fn progress_counts_pixels_and_can_stop() {
    let denoiser = denoiser(1).with_tile(52);
    let raster = to_raster(&image([1, 70, 90]), SampleKind::U8, None);
    let mut seen = vec![];
    let mut note = |done| {
        seen.push(done);
        ControlFlow::Continue(())
    };
    denoiser.denoise_raster(&raster, None, &mut note).unwrap();
    assert_eq!(seen.last(), Some(&(70 * 90)));
    assert!(seen.len() > 3 && seen.is_sorted(), "{seen:?}");

    let mut count = 0;
    let mut stop = |_| {
        count += 1;
        if count == 2 {
            ControlFlow::Break(())
        } else {
            ControlFlow::Continue(())
        }
    };
    let stopped = denoiser.denoise_raster(&raster, None, &mut stop);
    assert!(matches!(stopped, Err(Error::Stopped)));
    assert_eq!(count, 2);
}
