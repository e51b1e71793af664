//! Trains on a folder of noisy images, then denoises an image with the result.
//!
//! ```sh
//! cargo run --release --example train_on_folder -- FOLDER RUN_DIR IMAGE
//! ```
//!
//! datasets/README.md shows what a FOLDER can hold. Without arguments the program draws a small one.

#![allow(clippy::print_stdout)]

use std::error::Error;
use std::path::{Path, PathBuf};

use image::RgbImage;
use n2n::data::noise::{ChaCha8Rng, normal};
use n2n::data::quality::Psnr;
use n2n::model::{NetworkConfig, UNetConfig};
use n2n::train::{Event, Experiment, Stop, Trainer};
use n2n::{Denoiser, Device, Image};
use rand::SeedableRng;

fn main() -> Result<(), Box<dyn Error>> {
    let arguments: Vec<PathBuf> = std::env::args_os().skip(1).map(PathBuf::from).collect();
    let drawn = tempfile::tempdir()?;
    let (experiment, run_dir, photo) = match arguments.as_slice() {
        [folder, run_dir, photo] => (Experiment::for_data(folder), run_dir.clone(), photo.clone()),
        [] => {
            let folder = drawn.path().join("scenes");
            let photo = draw_scenes(&folder)?;
            let experiment = shortened(Experiment::for_data(folder));
            (experiment, drawn.path().join("run"), photo)
        }
        _ => return Err("expected FOLDER, RUN_DIR and IMAGE, or no arguments".into()),
    };

    let trainer = Trainer::new(&experiment, &Device::flex())?.run_dir(run_dir);
    println!(
        "{}: noisy input {}",
        trainer.data().kind,
        trainer.noisy_psnr()
    );
    let outcome = trainer.run(&Stop::new(), |event| match event {
        Event::Step(step) => println!("{} images, loss {:.5}", step.images, step.loss),
        Event::Validation(record) => println!("validation: {}", Psnr::from(record.psnr)),
        _ => {}
    })?;

    let denoised = photo.with_extension("denoised.png");
    denoise(&outcome.denoiser()?, &photo, &denoised)?;
    println!(
        "{} is {} without noise",
        denoised.display(),
        photo.display()
    );
    Ok(())
}

/// Denoises a picture of 8 bits in colour.
fn denoise(denoiser: &Denoiser, from: &Path, to: &Path) -> Result<(), Box<dyn Error>> {
    let picture = image::open(from)?.to_rgb8();
    let (width, height) = picture.dimensions();
    // Pixels are interleaved in a picture, and planar in an image.
    let plane = |channel: usize| {
        picture
            .pixels()
            .map(move |pixel| f32::from(pixel[channel]) / 255.0)
    };
    let values = (0..3).flat_map(plane).collect();
    let image = Image::new([3, height as usize, width as usize], values)?;
    let denoised = denoiser.denoise(&image)?;
    let pixels = (width * height) as usize;
    let picture = RgbImage::from_fn(width, height, |x, y| {
        let at = (y * width + x) as usize;
        [0, 1, 2]
            .map(|channel| (denoised.values()[channel * pixels + at] * 255.0).round() as u8)
            .into()
    });
    Ok(picture.save(to)?)
}

/// Shortens an experiment to a few seconds.
fn shortened(mut experiment: Experiment) -> Experiment {
    experiment.model = NetworkConfig::UNet(UNetConfig {
        features: 4,
        depth: 2,
        ..UNetConfig::default()
    });
    experiment.train.max_images = Some(640);
    experiment
}

/// Writes eight scenes as folders of three noisy shots each; returns the path of one shot.
fn draw_scenes(folder: &Path) -> Result<PathBuf, Box<dyn Error>> {
    let mut rng = ChaCha8Rng::seed_from_u64(0);
    for scene in 0..8_u32 {
        let shots = folder.join(format!("scene-{scene}"));
        std::fs::create_dir_all(&shots)?;
        for shot in 0..3 {
            let picture = RgbImage::from_fn(48, 40, |x, y| {
                // A disk on a slope.
                let [x, y] = [x, y].map(|side| side as f32);
                let inside = (x - 10.0 - 3.0 * scene as f32).hypot(y - 20.0) < 9.0;
                let clean = if inside {
                    [180.0, 120.0, 90.0]
                } else {
                    [60.0 + y; 3]
                };
                clean
                    .map(|value| (value + 20.0 * normal(&mut rng)) as u8)
                    .into()
            });
            picture.save(shots.join(format!("shot-{shot}.png")))?;
        }
    }
    Ok(folder.join("scene-0").join("shot-0.png"))
}
