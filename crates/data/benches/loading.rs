//! Time to make a training batch of 16 images of 32x32 pixels on the host, by where they come from.
//!
//! `cargo bench --workspace --bench loading`; the U-Net's step on such a batch is in `benches/RESULTS.md`.

use std::path::Path;
use std::sync::Arc;

use burn::data::dataloader::DataLoader;
use burn::tensor::Device;
use image::RgbImage;
use n2n_data::{
    AugmentConfig, Batching, DataConfig, Normalization, Preparation, Request, ScenesConfig, Swap,
    Target, TrainStream,
};

/// Batches in a measured run, so that the start of a stream does not count.
const BATCHES: usize = 64;

fn main() {
    divan::main();
}

/// Pairs of square PNG files of the given side.
fn pictures(folder: &Path, count: u32, side: u32) {
    for shot in ["a", "b"] {
        let folder = folder.join(shot);
        std::fs::create_dir(&folder).expect("a folder can be made");
        for index in 0..count {
            // Noise of a linear congruential generator: as hard to compress as noise is.
            let mut state = index * 2 + u32::from(shot == "b");
            let picture = RgbImage::from_fn(side, side, |_, _| {
                let mut byte = || {
                    state = state.wrapping_mul(1_664_525).wrapping_add(1_013_904_223);
                    (state >> 24) as u8
                };
                [byte(), byte(), byte()].into()
            });
            let path = folder.join(format!("{index}.png"));
            picture.save(path).expect("a picture can be written");
        }
    }
}

fn measure(bencher: divan::Bencher, config: &DataConfig) {
    let request = Request {
        config,
        noise: None,
        seed: 1,
        target: Target::Noisy,
        divisor: 16,
        margin: 0,
        progress: &|_| {},
    };
    let opened = request.open().expect("the data is valid");
    let batching = Batching {
        preparation: Preparation {
            normalization: Arc::new(Normalization::None),
            restores: false,
        },
        target: Target::Noisy,
        batch_size: 16,
        shuffle_seed: Some(3),
        workers: 0,
    };
    let stream = TrainStream::new(opened.train, batching, Device::flex());
    // What fits into memory is there.
    stream.iter().take(BATCHES).for_each(drop);
    bencher
        .counter(divan::counter::ItemsCount::new(BATCHES))
        .bench_local(|| stream.iter().take(BATCHES).for_each(drop));
}

/// Images in memory, whole.
#[divan::bench]
fn embedded_scenes(bencher: divan::Bencher) {
    let scenes = ScenesConfig {
        train: 512,
        ..ScenesConfig::default()
    };
    let config = DataConfig {
        scenes,
        ..DataConfig::default()
    };
    measure(bencher, &config);
}

/// Squares of pictures in the cache, mirrored and turned.
#[divan::bench]
fn cached_pictures(bencher: divan::Bencher) {
    let folder = tempfile::tempdir().expect("a folder can be made");
    pictures(folder.path(), 32, 256);
    let config = DataConfig {
        path: Some(folder.path().to_owned()),
        patch_size: Some(32),
        augment: AugmentConfig {
            flip: true,
            rot90: true,
            swap: Swap::Images,
            ..AugmentConfig::default()
        },
        ..DataConfig::default()
    };
    measure(bencher, &config);
}

/// Small pictures, decoded anew each time.
#[divan::bench]
fn streamed_pictures(bencher: divan::Bencher) {
    let folder = tempfile::tempdir().expect("a folder can be made");
    pictures(folder.path(), 600, 32);
    let config = DataConfig {
        path: Some(folder.path().to_owned()),
        cache_mb: 0,
        ..DataConfig::default()
    };
    measure(bencher, &config);
}
