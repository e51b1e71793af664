//! Tiles together against the whole image at once.

use burn::tensor::{Device, Tensor, TensorData};
use n2n_data::{Normalization, reflect};
use n2n_denoise::{Denoiser, Image};
use n2n_model::NetworkConfig;
use proptest::prelude::*;
use proptest::test_runner::{Config, TestRunner};

use crate::model::{ModelFile, difference, image, simple, unet, weights};

/// Values in `(0, 1)`; tiles add the same f32 products in other orders.
const TOLERANCE: f32 = 1e-4;

/// What a seam would be at least: a tile without its surroundings.
const SEAM: f32 = 1e-3;

/// Networks, computed tile by tile.
const CASES: u32 = 24;

fn normalizations(channels: usize) -> [Normalization; 3] {
    let per_channel = Normalization::PerChannel {
        mean: (0..channels).map(|c| 0.4 + 0.1 * c as f32).collect(),
        std: (0..channels).map(|c| 0.2 + 0.05 * c as f32).collect(),
    };
    [Normalization::None, Normalization::PerImage, per_channel]
}

#[test]
fn tiles_of_any_size_equal_the_whole_image() {
    let strategy = (
        1_usize..150,
        1_usize..150,
        0_usize..60,
        0_usize..3,
        prop_oneof![Just([1, 1]), Just([3, 3]), Just([1, 3]), Just([3, 1])],
        any::<bool>(),
    );
    let mut runner = TestRunner::new(Config::with_cases(CASES));
    type Case = (usize, usize, usize, usize, [usize; 2], bool);
    let run = |(height, width, more, kind, [of_image, of_network], ensemble): Case| {
        let network = unet(of_network, 3, 2);
        let least = least_side(&network);
        let normalization = normalizations(of_network)[kind].clone();
        let model = ModelFile::new(network, normalization);
        let image = image([of_image, height, width]);
        let denoise = |tile: usize| -> Image {
            let denoiser = model.load().with_self_ensemble(ensemble).with_tile(tile);
            denoiser.denoise(&image).unwrap()
        };
        let (whole, tiled) = (denoise(usize::MAX), denoise(least + more));
        prop_assert!(difference(&whole, &tiled) < TOLERANCE);
        Ok(())
    };
    runner.run(&strategy, run).unwrap();
}

#[test]
fn reference_unet_has_no_seams() {
    let network = unet(3, 32, 4);
    let tile = least_side(&network) + 32;
    let model = ModelFile::new(network, Normalization::None);
    let image = image([3, 300, 459]);
    let whole = model.load().denoise(&image).unwrap();
    let tiled = model.load().with_tile(tile).denoise(&image).unwrap();
    assert!(difference(&whole, &tiled) < TOLERANCE);

    // The same test sees a tile without its surroundings.
    let left = Image::new([3, 300, 240], left_columns(&image, 240)).unwrap();
    let alone = model.load().denoise(&left).unwrap();
    let whole = Image::new([3, 300, 240], left_columns(&whole, 240)).unwrap();
    assert!(difference(&alone, &whole) > SEAM);
}

#[test]
fn bundled_model_has_no_seams() {
    let tile = least_side(&Denoiser::bundled().metadata().network) + 32;
    let image = image([3, 200, 339]);
    let whole = Denoiser::bundled().with_tile(usize::MAX).denoise(&image);
    let tiled = Denoiser::bundled().with_tile(tile).denoise(&image);
    assert!(difference(&whole.unwrap(), &tiled.unwrap()) < TOLERANCE);
}

#[test]
fn tiles_shrink_with_allowed_memory() {
    let network = unet(3, 8, 2);
    let bytes = network.bytes_per_pixel();
    let model = ModelFile::new(network, Normalization::PerImage);
    let image = image([3, 130, 170]);
    let held = 2 * size_of_val(image.values());
    let whole = model.load().denoise(&image).unwrap();
    let some = (held + 70 * 70 * bytes) as u64;
    let tiled = model.load().with_max_memory(some).denoise(&image).unwrap();
    assert_ne!(whole, tiled, "in tiles, sums are rounded in other places");
    assert!(difference(&whole, &tiled) < TOLERANCE);
    let error = model
        .load()
        .with_max_memory(some / 4)
        .denoise(&image)
        .unwrap_err();
    assert!(
        error.to_string().contains("170x130 pixels take at least"),
        "{error}"
    );
}

#[test]
fn image_is_reflected_and_normalized_as_a_whole() {
    for (network, size) in [
        (unet(3, 4, 2), [13, 22]),
        (simple(3), [5, 2]),
        (unet(3, 4, 3), [1, 2]),
    ] {
        for normalization in normalizations(3) {
            let [height, width] = size;
            let image = image([3, height, width]);
            let mut normalized = image.values().to_vec();
            normalization.apply(&mut normalized, image.shape());
            let divisor = network.divisor();
            let [full_height, full_width] = size.map(|side| side.next_multiple_of(divisor));
            let mut padded = vec![];
            for plane in normalized.chunks(height * width) {
                for y in 0..full_height {
                    let row = reflect(y as isize, height) * width;
                    let pixel = |x: usize| plane[row + reflect(x as isize, width)];
                    padded.extend((0..full_width).map(pixel));
                }
            }
            let data = TensorData::new(padded, [1, 3, full_height, full_width]);
            let expected = run(&network, data);
            let denoised = ModelFile::new(network.clone(), normalization)
                .load()
                .denoise(&image)
                .unwrap();
            for (at, value) in denoised.values().iter().enumerate() {
                let (c, y, x) = (at / (height * width), at / width % height, at % width);
                let expected = expected[(c * full_height + y) * full_width + x];
                assert!((value - expected).abs() < TOLERANCE, "{size:?} {c} {y} {x}");
            }
        }
    }
}

#[test]
fn per_pixel_statistics_use_tiles_of_their_size() {
    let network = unet(3, 4, 2);
    let shape = [3, 12, 20];
    let statistics = |std: f32| Normalization::PerPixel {
        shape,
        mean: (0..720).map(|at| 0.5 + 0.0001 * at as f32).collect(),
        std: vec![std; 720],
    };
    let model = ModelFile::new(network.clone(), statistics(0.3));
    let denoise = |size: [usize; 2]| {
        let image = image([3, size[0], size[1]]);
        (model.load().denoise(&image).unwrap(), image)
    };
    // One tile is the network's output.
    let (denoised, image) = denoise([12, 20]);
    let mut normalized = image.values().to_vec();
    statistics(0.3).apply(&mut normalized, shape);
    let expected = run(&network, TensorData::new(normalized, [1, 3, 12, 20]));
    let expected = Image::new(shape, expected).unwrap();
    assert!(difference(&denoised, &expected) < TOLERANCE);
    // Others are covered, smaller ones too.
    for size in [[12, 21], [47, 33], [5, 7], [1, 64]] {
        let (denoised, _) = denoise(size);
        assert!(
            denoised
                .values()
                .iter()
                .all(|value| *value > 0.0 && *value < 1.0),
            "{size:?}"
        );
    }
}

#[test]
fn self_ensemble_is_mean_over_symmetries() {
    let model = ModelFile::new(unet(1, 4, 2), Normalization::None);
    let (plain, ensemble) = (model.load(), model.load().with_self_ensemble(true));
    let (height, width) = (24, 40);
    let image = image([1, height, width]);
    let mut mean = vec![0.0; height * width];
    for transposed in [false, true] {
        for flip in 0..4 {
            // Where a pixel of the changed image stands in the image.
            let origin = |y: usize, x: usize| {
                let (y, x) = if transposed { (x, y) } else { (y, x) };
                let y = if flip & 1 == 1 { height - 1 - y } else { y };
                let x = if flip & 2 == 2 { width - 1 - x } else { x };
                y * width + x
            };
            let [h, w] = if transposed {
                [width, height]
            } else {
                [height, width]
            };
            let at = |at: usize| origin(at / w, at % w);
            let changed = (0..h * w).map(|pixel| image.values()[at(pixel)]).collect();
            let denoised = plain
                .denoise(&Image::new([1, h, w], changed).unwrap())
                .unwrap();
            for (pixel, value) in denoised.values().iter().enumerate() {
                mean[at(pixel)] += value / 8.0;
            }
        }
    }
    let mean = Image::new([1, height, width], mean).unwrap();
    let denoised = ensemble.denoise(&image).unwrap();
    assert!(difference(&denoised, &mean) < TOLERANCE);
    assert!(difference(&denoised, &plain.denoise(&image).unwrap()) > SEAM);
}

/// A network of the test's weights on a batch that is padded and normalized.
fn run(network: &NetworkConfig, batch: TensorData) -> Vec<f32> {
    let device = Device::flex();
    let network = network.load(weights(network, 3), &device).unwrap();
    network
        .forward(Tensor::from_data(batch, &device))
        .into_data()
        .iter()
        .collect()
}

/// The shortest side of a tile: one step of the grid, and what is seen around it.
fn least_side(network: &NetworkConfig) -> usize {
    let divisor = network.divisor();
    divisor + 2 * network.receptive_radius().next_multiple_of(divisor)
}

fn left_columns(image: &Image, width: usize) -> Vec<f32> {
    let lines = image.values().chunks(image.shape()[2]);
    lines.flat_map(|line| line[..width].to_vec()).collect()
}

#[test]
fn tile_below_minimum_is_refused() {
    let model = ModelFile::new(unet(3, 4, 2), Normalization::None);
    let denoiser: Denoiser = model.load().with_tile(43);
    let error = denoiser
        .denoise(&image([3, 60, 60]))
        .unwrap_err()
        .to_string();
    assert!(error.contains("at least 44"), "{error}");
}
