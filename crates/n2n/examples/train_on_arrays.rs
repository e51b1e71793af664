//! Trains on pairs of arrays in memory, without a file.
//!
//! ```sh
//! cargo run --release --example train_on_arrays
//! ```

#![allow(clippy::print_stdout)]

use std::error::Error;

use n2n::data::NoisyPair;
use n2n::data::noise::{ChaCha8Rng, normal};
use n2n::data::quality::{mse, psnr_db};
use n2n::model::{NetworkConfig, UNetConfig};
use n2n::train::{Experiment, Stop, Trainer};
use n2n::{Device, Image};
use rand::SeedableRng;

/// Standard deviation of the noise, for values in `[0, 1]`.
const SIGMA: f32 = 0.1;

/// Channels, height and width of an image.
const SHAPE: [usize; 3] = [1, 24, 32];

fn main() -> Result<(), Box<dyn Error>> {
    let mut rng = ChaCha8Rng::seed_from_u64(0);
    let mut noisy = |clean: &[f32]| -> Vec<f32> {
        let add = |value: &f32| value + SIGMA * normal(&mut rng);
        clean.iter().map(add).collect()
    };
    // Two exposures of each scene; training never sees the clean image.
    let pairs: Vec<NoisyPair> = (0..128)
        .map(|scene| {
            let clean = stripes(scene);
            NoisyPair {
                shape: SHAPE,
                noisy_input: noisy(&clean),
                noisy_target: Some(noisy(&clean)),
                ..NoisyPair::default()
            }
        })
        .collect();

    let mut experiment = Experiment {
        model: NetworkConfig::UNet(UNetConfig {
            features: 8,
            depth: 2,
            ..UNetConfig::default()
        }),
        ..Experiment::default()
    };
    experiment.train.max_images = Some(16_000);
    let outcome =
        Trainer::with_pairs(&experiment, pairs, &Device::flex())?.run(&Stop::new(), |_| {})?;

    let clean = stripes(1000);
    let input = Image::new(SHAPE, noisy(&clean))?;
    let denoised = outcome.denoiser()?.denoise(&input)?;
    println!(
        "a new scene: noisy {:.2} dB, denoised {:.2} dB",
        psnr_db(mse(input.values(), &clean)),
        psnr_db(mse(denoised.values(), &clean)),
    );
    Ok(())
}

/// Draws slanted stripes, different ones for each scene.
fn stripes(scene: usize) -> Vec<f32> {
    let [_, height, width] = SHAPE;
    let (slant, period) = (scene % 7, 6 + scene % 5);
    (0..height * width)
        .map(|at| {
            let (y, x) = (at / width, at % width);
            if (x + slant * y / 3) % period < period / 2 {
                0.75
            } else {
                0.25
            }
        })
        .collect()
}
