//! Made-up scenes with natural statistics: data that needs no download.
//!
//! Every example is a *dead leaves* image: shapes that hide one another, small ones far more
//! frequent than large ones, which gives the edges, textures and scales of photographs. The scene
//! is rendered at several times the resolution. A clean pixel is the mean of its area, and a noisy
//! pixel is one point of it drawn at random: the noise of an image reduced by dropping pixels, with
//! zero mean, absent where the scene is flat.

use std::sync::Arc;

use n2n_files::{Raster, SampleKind, Samples};
use rand::{RngExt, SeedableRng};
use rand_chacha::ChaCha8Rng;
use serde::{Deserialize, Serialize};

use self::{
    canvas::{Strip, render_row},
    texture::Textures,
};
use crate::{DataError, SceneInfo, SceneSource, View};

mod canvas;
mod leaf;
#[cfg(test)]
mod tests;
mod texture;

/// Most scenes: their indices take 64 MiB.
const MOST_SCENES: usize = 1 << 24;

/// Longest side of a scene in pixels, and most samples along each side of a pixel: a scene is drawn in
/// three gigabytes at most.
const LONGEST_SIDE: usize = 2048;
const MOST_OVERSAMPLE: usize = 8;

/// The stream of random numbers that makes the textures; scenes use the streams `2 * index` and `2
/// * index + 1`.
const TEXTURE_STREAM: u64 = u64::MAX;

/// How many scenes, and how large.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct ScenesConfig {
    /// Number of training scenes.
    pub train: usize,
    /// Number of validation scenes.
    pub validation: usize,
    /// Height of the images in pixels.
    pub height: usize,
    /// Width of the images in pixels.
    pub width: usize,
    /// Points per pixel along each axis, between which the noise chooses.
    pub oversample: usize,
    /// Factor to the smallest radius of a scene's shapes, least and most: the more, the fewer shapes and
    /// the larger the calm areas.
    pub zoom: [f64; 2],
    /// Standard deviation of the textures of a scene relative to the colour, least and most: the more,
    /// the stronger the noise of dropped points.
    pub texture: [f64; 2],
    /// Share of the textures that are grains below a pixel's size, in the mean a noise of their own.
    pub grain: f64,
    /// Factor to the differences between the channels: 0 makes grey scenes, more than 1 gaudy ones.
    pub chroma: f64,
}

impl Default for ScenesConfig {
    fn default() -> Self {
        Self {
            train: 4096,
            validation: 256,
            height: 32,
            width: 32,
            oversample: 8,
            zoom: leaf::ZOOMS,
            texture: leaf::TEXTURES,
            grain: texture::GRAIN,
            chroma: 1.0,
        }
    }
}

impl ScenesConfig {
    /// Checks that there are scenes, that they have points, and that their colours exist.
    ///
    /// # Errors
    /// When a number is out of range.
    pub fn validate(&self) -> Result<(), DataError> {
        let invalid = |key, value: String, expected| {
            Err(DataError::Config {
                key,
                value,
                expected,
            })
        };
        for (key, value) in [
            ("scenes.train", self.train),
            ("scenes.validation", self.validation),
        ] {
            if !(1..=MOST_SCENES).contains(&value) {
                return invalid(key, value.to_string(), "between 1 and 16777216");
            }
        }
        for (key, value) in [("scenes.height", self.height), ("scenes.width", self.width)] {
            if !(1..=LONGEST_SIDE).contains(&value) {
                return invalid(key, value.to_string(), "between 1 and 2048");
            }
        }
        if !(1..=MOST_OVERSAMPLE).contains(&self.oversample) {
            let value = self.oversample.to_string();
            return invalid("scenes.oversample", value, "between 1 and 8");
        }
        let ranges = [("scenes.zoom", self.zoom), ("scenes.texture", self.texture)];
        for (key, [least, most]) in ranges {
            if !(0.01..=most).contains(&least) || most > 30.0 {
                let value = format!("[{least}, {most}]");
                return invalid(key, value, "two numbers from 0.01 to 30, the lower first");
            }
        }
        if !(0.0..=1.0).contains(&self.grain) {
            return invalid("scenes.grain", self.grain.to_string(), "between 0 and 1");
        }
        if !(0.0..=10.0).contains(&self.chroma) {
            return invalid("scenes.chroma", self.chroma.to_string(), "between 0 and 10");
        }
        Ok(())
    }
}

/// Which scenes: no scene is in both halves.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Split {
    /// Scenes to train on.
    Train,
    /// Scenes to validate on.
    Validation,
}

/// Procedural scenes, RGB, with both targets; each a pure function of seed, split and index.
pub struct Scenes {
    config: ScenesConfig,
    seed: u64,
    split: Split,
    textures: Textures,
}

impl Scenes {
    /// The scenes of one half.
    ///
    /// # Panics
    /// If a field of `config` is out of range, see [`ScenesConfig::validate`].
    pub fn new(config: &ScenesConfig, seed: u64, split: Split) -> Self {
        if let Err(error) = config.validate() {
            panic!("{error}");
        }
        Self {
            config: config.clone(),
            seed,
            split,
            textures: Textures::new(&mut stream(seed, TEXTURE_STREAM)),
        }
    }
}

impl SceneSource for Scenes {
    fn len(&self) -> usize {
        match self.split {
            Split::Train => self.config.train,
            Split::Validation => self.config.validation,
        }
    }

    fn channels(&self) -> usize {
        3
    }

    fn kind(&self) -> SampleKind {
        SampleKind::U8
    }

    fn info(&self, _scene: usize) -> SceneInfo {
        SceneInfo {
            shots: 2,
            clean: true,
            height: self.config.height,
            width: self.config.width,
        }
    }

    fn name(&self, scene: usize, view: View) -> String {
        format!("embedded scene {scene}, {view:?}")
    }

    fn read(&self, scene: usize, view: View) -> Result<Arc<Raster>, DataError> {
        let [clean, first, second] = self.render(scene);
        Ok(Arc::new(match view {
            View::Clean => clean,
            View::Shot(0) => first,
            View::Shot(_) => second,
        }))
    }

    fn ordered(&self) -> bool {
        true
    }
}

impl Scenes {
    /// A scene: the clean image, then two noisy ones.
    fn render(&self, index: usize) -> [Raster; 3] {
        let len = self.len();
        assert!(index < len, "scene {index} of {len}");
        let (height, width) = (self.config.height, self.config.width);
        let rng = &mut stream(self.seed, 2 * index as u64 + self.split as u64);
        let leaves = leaf::scene(&self.config, rng);
        let mut strip = Strip::new(width, self.config.oversample);
        let mut images = [(); 3].map(|()| vec![0; 3 * height * width]);
        for y in 0..height {
            render_row(&leaves, &self.textures, y, &mut strip);
            for x in 0..width {
                let points = [strip.mean(x), strip.point(x, rng), strip.point(x, rng)];
                for (image, point) in images.iter_mut().zip(points) {
                    put_pixel(image, y * width + x, height * width, point);
                }
            }
        }
        images.map(|samples| Raster {
            channels: 3,
            height,
            width,
            samples: Samples::U8(samples),
            alpha: None,
        })
    }
}

fn stream(seed: u64, stream: u64) -> ChaCha8Rng {
    let mut rng = ChaCha8Rng::seed_from_u64(seed);
    rng.set_stream(stream);
    rng
}

/// Quantized to 8 bits, like images from files.
fn put_pixel(image: &mut [u8], at: usize, channel_len: usize, colour: [f32; 3]) {
    for (channel, value) in colour.into_iter().enumerate() {
        image[channel * channel_len + at] = (value * 255.0 + 0.5) as u8; // the cast cuts off: this rounds
    }
}

/// A number from the normal distribution (Box and Muller's transform).
fn normal(rng: &mut ChaCha8Rng) -> f32 {
    let (radius, angle) = (1.0 - rng.random::<f32>(), rng.random::<f32>());
    (-2.0 * radius.ln()).sqrt() * (std::f32::consts::TAU * angle).cos()
}

/// A number between `low` and `high` whose logarithm is uniform: every scale is as likely.
fn log_uniform(low: f32, high: f32, rng: &mut ChaCha8Rng) -> f32 {
    low * (high / low).powf(rng.random())
}
