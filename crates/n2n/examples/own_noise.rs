//! Trains with a custom noise model: rows that are brighter or darker as a whole.
//!
//! ```sh
//! cargo run --release --example own_noise
//! ```

#![allow(clippy::print_stdout)]

use std::error::Error;
use std::sync::Arc;

use n2n::Device;
use n2n::data::noise::{ChaCha8Rng, Corrupted, NoiseModel, normal};
use n2n::data::quality::Psnr;
use n2n::model::{NetworkConfig, UNetConfig};
use n2n::train::{Event, Experiment, Stop, Trainer};

/// Adds a random offset to each row of each channel, with a mean of 0.
struct Banding {
    /// Standard deviation of the offset, for values in `[0, 1]`.
    sigma: f32,
}

impl NoiseModel for Banding {
    fn corrupt(&self, image: &[f32], shape: [usize; 3], rng: &mut ChaCha8Rng) -> Corrupted {
        let [_, _, width] = shape;
        let mut values = image.to_vec();
        for row in values.chunks_exact_mut(width) {
            let offset = self.sigma * normal(rng);
            row.iter_mut().for_each(|value| *value += offset);
        }
        Corrupted::without_mask(values)
    }
}

fn main() -> Result<(), Box<dyn Error>> {
    // Clean images: scenes that the library draws.
    let mut experiment = Experiment::on_scenes();
    experiment.model = NetworkConfig::UNet(UNetConfig {
        features: 8,
        depth: 2,
        ..UNetConfig::default()
    });
    experiment.data.scenes.train = 256;
    experiment.data.scenes.validation = 32;
    experiment.train.max_images = Some(4_000);
    let noise = Arc::new(Banding { sigma: 0.1 });
    let trainer = Trainer::with_noise(&experiment, noise, &Device::flex())?;
    println!("noisy input {}", trainer.noisy_psnr());
    trainer.run(&Stop::new(), |event| {
        if let Event::Validation(record) = event {
            println!("{} images: {}", record.images, Psnr::from(record.psnr));
        }
    })?;
    Ok(())
}
