//! Samples, channels, alpha and ranges of files.

use std::ops::ControlFlow;

use n2n_data::{Normalization, Range};
use n2n_denoise::{Denoiser, Error, Image, ModelMetadata};
use n2n_files::{Raster, Sample, SampleKind, Samples, with_samples};
use n2n_model::{NetworkConfig, Output, StateDict, UNetConfig};

use crate::model::{ModelFile, difference, image, unet, weights};

/// A sum of three f32, in another order.
const TOLERANCE: f32 = 1e-6;

/// The last of a half float's 11 digits, rounded.
const HALF: f64 = 1.0 / 2048.0;

fn denoiser(channels: usize) -> Denoiser {
    let normalization = Normalization::PerChannel {
        mean: vec![0.45; channels],
        std: vec![0.25; channels],
    };
    ModelFile::new(unet(channels, 4, 2), normalization).load()
}

fn denoise_raster(denoiser: &Denoiser, raster: &Raster, range: Option<&Range>) -> Raster {
    let go_on = &mut |_| ControlFlow::Continue(());
    denoiser.denoise_raster(raster, range, go_on).unwrap()
}

/// The samples that correspond to 0 and 1.
fn bounds(kind: SampleKind, range: Option<&Range>) -> [f64; 2] {
    range.map_or([0.0, kind.white()], |range| range.of_channel(0))
}

fn samples(raster: &Raster) -> Vec<f64> {
    with_samples!(&raster.samples, samples => samples.iter().map(|&s| Sample::to_f64(s)).collect())
}

fn from_raster(raster: &Raster, range: Option<&Range>) -> Image {
    let [low, high] = bounds(raster.samples.kind(), range);
    let numbers = samples(raster)
        .into_iter()
        .map(|sample| ((sample - low) / (high - low)) as f32);
    Image::new(raster.shape(), numbers.collect()).unwrap()
}

fn to_raster(image: &Image, kind: SampleKind, range: Option<&Range>) -> Raster {
    let [channels, height, width] = image.shape();
    let [low, high] = bounds(kind, range);
    let values = image.values().iter();
    let values = values.map(|value| low + f64::from(*value) * (high - low));
    let mut samples = Samples::zeros(kind, image.values().len());
    with_samples!(&mut samples, samples => put(samples, values));
    Raster {
        channels,
        height,
        width,
        samples,
        alpha: None,
    }
}

fn put<T: Sample>(samples: &mut [T], values: impl Iterator<Item = f64>) {
    for (sample, value) in samples.iter_mut().zip(values) {
        *sample = T::from_f64(value);
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
        for kind in SampleKind::ALL {
            let image = image([channels, 9, 14]);
            let is_display = matches!(kind, SampleKind::U8 | SampleKind::U16);
            let range = (!is_display).then_some(Range::Shared([-2.0, 125.0]));
            let range = range.as_ref();
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
            let [low, high] = bounds(kind, range);
            let step = match kind {
                SampleKind::F16 => HALF * low.abs().max(high.abs()) / (high - low),
                _ if kind.is_float() => 0.0,
                _ => 0.5001 / (high - low),
            };
            assert!(
                difference(&found, &expected) <= step as f32 + TOLERANCE,
                "{kind}"
            );
        }
    }
}

#[test]
fn training_range_is_the_default_range() {
    let network = unet(1, 4, 2);
    let mut metadata = ModelMetadata::new(network.clone(), Normalization::None, None);
    let state = weights(&network, 3);
    let plain = ModelFile::write(&state, &metadata).load();
    let range = Range::Shared([0.0, 4095.0]);
    metadata.range = Some(range.clone());
    let twelve_bits = ModelFile::write(&state, &metadata).load();
    assert_eq!(twelve_bits.metadata().range, Some(range.clone()));

    let raster = to_raster(&image([1, 10, 12]), SampleKind::U16, Some(&range));
    let expected = denoise_raster(&plain, &raster, Some(&range));
    assert_eq!(denoise_raster(&twelve_bits, &raster, None), expected);
    assert_ne!(denoise_raster(&plain, &raster, None), expected);
}

#[test]
fn pictures_are_foreign_to_counts() {
    let of = |range: Option<Range>| identity(1, Normalization::None, range);
    let raster = |kind| to_raster(&image([1, 8, 12]), kind, None);
    let counts = of(Some(Range::Shared([100.0, 4000.0])));
    assert!(counts.is_foreign(&raster(SampleKind::U8)));
    assert!(counts.is_foreign(&raster(SampleKind::F32)));
    assert!(!counts.is_foreign(&raster(SampleKind::U16)));
    for own in [None, Some(Range::Shared([-20.0, 280.0]))] {
        assert!(!of(own).is_foreign(&raster(SampleKind::U8)));
    }
}

#[test]
fn results_far_outside_their_range_are_strays() {
    let denoiser = identity(1, Normalization::None, None);
    let raster = to_raster(&image([1, 8, 12]), SampleKind::U16, None);
    let is_stray = |raster: &Raster, range: Option<Range>| {
        let denoised = denoise_raster(&denoiser, raster, range.as_ref());
        denoiser.is_stray(raster, &denoised, range.as_ref())
    };
    assert!(!is_stray(&raster, None));
    assert!(!is_stray(&raster, Some(Range::Shared([1000.0, 40_000.0]))));
    assert!(is_stray(&raster, Some(Range::Shared([0.0, 1.0]))));
    // Black that was none before.
    let black = Raster {
        samples: Samples::zeros(SampleKind::U16, raster.samples.len()),
        ..raster.clone()
    };
    assert!(denoiser.is_stray(&raster, &black, None));
    assert!(!denoiser.is_stray(&black, &black, None));
}

/// A network that adds 0 to its input, with any statistics.
fn identity(channels: usize, normalization: Normalization, range: Option<Range>) -> Denoiser {
    let network = NetworkConfig::UNet(UNetConfig {
        channels: Some(channels),
        features: 4,
        depth: 2,
        output: Output::Residual,
        ..UNetConfig::default()
    });
    let mut state: StateDict = weights(&network, 3);
    for (name, values) in &mut state {
        if name.starts_with("conv2.") {
            *values = values.clone().convert::<f32>();
            values.as_mut_slice::<f32>().unwrap().fill(0.0);
        }
    }
    let metadata = ModelMetadata::new(network, normalization, range);
    ModelFile::write(&state, &metadata).load()
}

#[test]
fn identity_keeps_images_of_any_kind_and_scale() {
    let statistics = Normalization::PerChannel {
        mean: vec![0.3, 0.5],
        std: vec![0.1, 0.4],
    };
    let ranges = || Some(Range::PerChannel(vec![[-1000.0, 500.0], [3.0, 4.5]]));
    for normalization in [Normalization::None, Normalization::PerImage, statistics] {
        for range in [None, ranges()] {
            let denoiser = identity(2, normalization.clone(), range);
            for kind in [
                SampleKind::I16,
                SampleKind::U32,
                SampleKind::I64,
                SampleKind::F64,
            ] {
                let counts = Some(Range::Shared([50.0, 30_000.0]));
                let raster = to_raster(&image([2, 9, 14]), kind, counts.as_ref());
                let denoised = denoise_raster(&denoiser, &raster, None);
                assert_eq!(denoised.samples.kind(), kind);
                let pairs = samples(&denoised).into_iter().zip(samples(&raster));
                // Of numbers up to 20,000 in f32, relative to a range of 1.5.
                let largest = pairs.map(|(a, b)| (a - b).abs()).fold(0.0, f64::max);
                assert!(largest < 0.1, "{kind} {normalization:?}: {largest}");
            }
        }
    }
}

#[test]
fn holes_stay_and_do_not_spread() {
    let network = unet(1, 4, 2);
    let model = ModelFile::new(network, Normalization::PerImage);
    let denoiser = model.load();
    let sound = to_raster(&image([1, 40, 52]), SampleKind::F32, None);
    let Samples::F32(values) = &sound.samples else {
        panic!("floats");
    };
    let mut damaged = values.clone();
    damaged[17 * 52 + 20] = f32::INFINITY;
    damaged[..52].fill(f32::NAN);
    let damaged = Raster {
        samples: Samples::F32(damaged),
        ..sound.clone()
    };
    let [expected, found] =
        [&sound, &damaged].map(|raster| samples(&denoise_raster(&denoiser, raster, None)));
    let mut far = 0.0_f64;
    for (at, (found, expected)) in found.iter().zip(&expected).enumerate() {
        let (y, x) = (at / 52, at % 52);
        if y == 0 {
            assert!(found.is_nan(), "{y} {x}");
        } else if (y, x) == (17, 20) {
            assert!(found.is_infinite());
        } else {
            far = far.max((found - expected).abs());
        }
    }
    // Neighbours of holes see what fills them; the statistics of the image change little.
    assert!(far < 0.2, "{far}");
    let image = Image::new([1, 1, 2], vec![0.5, f32::NAN]).unwrap();
    let denoised = denoiser.denoise(&image).unwrap().into_values();
    assert!(denoised[0].is_finite() && denoised[1].is_nan());
}

#[test]
fn constant_channels_stay_as_they_are() {
    let blank = |channels: usize, samples: Samples| Raster {
        channels,
        height: 21,
        width: 34,
        samples,
        alpha: None,
    };
    const AREA: usize = 21 * 34;
    let bundled = Denoiser::bundled();
    let mut blanks = vec![
        Samples::I16(vec![-1000; AREA]),
        Samples::I64(vec![70_000; AREA]),
        Samples::F32(vec![1234.5; AREA]),
        Samples::F64(vec![-5.0; AREA]),
    ];
    blanks.extend([0, 3, 128, 252, 255].map(|value| Samples::U8(vec![value; AREA])));
    blanks.extend([0, 500, 30_000, 65_535].map(|value| Samples::U16(vec![value; AREA])));
    blanks.extend([0.0, 0.37, 1.0].map(|value| Samples::F32(vec![value; AREA])));
    for samples in blanks {
        let raster = blank(1, samples);
        assert_eq!(denoise_raster(&bundled, &raster, None), raster);
        let range = Range::Shared([0.0, 100.0]);
        assert_eq!(denoise_raster(&bundled, &raster, Some(&range)), raster);
    }
    let colour = [[200; AREA], [10; AREA], [60; AREA]].concat();
    let colour = blank(3, Samples::U8(colour));
    assert_eq!(denoise_raster(&bundled, &colour, None), colour);

    // One channel among others, and beside holes.
    let noisy = image([3, 21, 34]);
    let mut values = noisy.values().to_vec();
    values[AREA..2 * AREA].fill(0.25);
    values[AREA + 5] = f32::NAN;
    let of_image = bundled
        .denoise(&Image::new([3, 21, 34], values.clone()).unwrap())
        .unwrap();
    let of_raster = denoise_raster(&bundled, &blank(3, Samples::F32(values.clone())), None);
    let Samples::F32(of_raster) = of_raster.samples else {
        panic!("the kind stays");
    };
    for denoised in [of_image.values(), &of_raster] {
        for (at, (denoised, value)) in denoised.iter().zip(&values).enumerate() {
            let is_blank = (AREA..2 * AREA).contains(&at);
            let stays = denoised == value || denoised.is_nan() && value.is_nan();
            assert!(stays || !is_blank, "{at}: {value} became {denoised}");
        }
        assert_ne!(denoised[..AREA], values[..AREA]);
    }
}

#[test]
fn floats_of_pictures_stay_pictures() {
    let with = |value: f32| Raster {
        channels: 1,
        height: 2,
        width: 3,
        samples: Samples::F32(vec![0.5, 0.25, value, 0.0, 1.0, 0.75]),
        alpha: None,
    };
    let denoiser = identity(1, Normalization::None, None);
    let of = |raster: &Raster| samples(&denoise_raster(&denoiser, raster, None));
    assert!(
        of(&with(0.3))
            .iter()
            .all(|value| (0.0..=1.0).contains(value))
    );
    assert!((of(&with(40.0))[2] - 40.0).abs() < 1e-4);
}

#[test]
fn other_channels_and_ranges_are_refused() {
    let denoiser = denoiser(3);
    let bands = identity(2, Normalization::None, None);
    let error = bands.denoise(&image([5, 8, 12])).unwrap_err();
    assert!(matches!(
        error,
        Error::Channels {
            image: 5,
            network: 2
        }
    ));
    let raster = to_raster(&image([3, 8, 12]), SampleKind::U8, None);
    let go_on = &mut |_| ControlFlow::Continue(());
    let error = denoiser.denoise_raster(&raster, Some(&Range::Shared([2.0, 1.0])), go_on);
    assert!(matches!(error, Err(Error::Range(_))));
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
