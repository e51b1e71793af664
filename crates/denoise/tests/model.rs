//! Models for tests, and images for them.

use std::path::PathBuf;

use burn::tensor::{Device, TensorData};
use n2n_data::Normalization;
use n2n_denoise::{Denoiser, Image, ModelMetadata};
use n2n_model::{NetworkConfig, SimpleNetConfig, StateDict, UNetConfig, write_model_file};
use tempfile::TempDir;

/// Kernels of a network that has learned something are larger than those it starts with; without this,
/// outputs hardly depend on the image.
const GAIN: f32 = 2.0;

/// A U-Net.
pub fn unet(channels: usize, features: usize, depth: usize) -> NetworkConfig {
    NetworkConfig::UNet(UNetConfig {
        channels: Some(channels),
        features,
        depth,
        ..UNetConfig::default()
    })
}

/// A simple net.
pub fn simple(channels: usize) -> NetworkConfig {
    NetworkConfig::Simple(SimpleNetConfig {
        channels: Some(channels),
        features: 5,
        ..SimpleNetConfig::default()
    })
}

/// Weights of a network that depends on its input.
pub fn weights(network: &NetworkConfig, seed: u64) -> StateDict {
    let state = network.state_dict(&network.init(seed, &Device::flex()));
    let stronger = |data: TensorData| {
        let values: Vec<f32> = data.iter::<f32>().map(|value| GAIN * value).collect();
        TensorData::new(values, data.shape().clone())
    };
    let weights = state.into_iter().map(|(name, data)| {
        if name.ends_with("weight") {
            (name, stronger(data))
        } else {
            (name, data)
        }
    });
    weights.collect()
}

/// A model file in another folder.
pub struct ModelFile {
    pub path: PathBuf,
    _folder: TempDir,
}

impl ModelFile {
    pub fn new(network: NetworkConfig, normalization: Normalization) -> Self {
        let state = weights(&network, 3);
        Self::write(&state, &ModelMetadata::new(network, normalization, None))
    }

    pub fn write(state: &StateDict, metadata: &ModelMetadata) -> Self {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("best.safetensors");
        write_model_file(&path, state, metadata).unwrap();
        Self {
            path,
            _folder: folder,
        }
    }

    pub fn load(&self) -> Denoiser {
        Denoiser::load(&self.path).unwrap()
    }
}

/// An image with something to see everywhere: waves of many lengths.
pub fn image(shape: [usize; 3]) -> Image {
    let [channels, height, width] = shape;
    let mut values = Vec::with_capacity(channels * height * width);
    for c in 0..channels {
        for y in 0..height {
            for x in 0..width {
                let (c, y, x) = (c as f32, y as f32, x as f32);
                let wave = (0.31 * x + 0.17 * y + c).sin() + (0.013 * x * y + 2.0 * c).cos();
                values.push(0.5 + 0.2 * wave + 0.05 * (12.9 * x + 78.2 * y).sin());
            }
        }
    }
    Image::new(shape, values).unwrap()
}

/// The largest difference of two images of one shape.
pub fn difference(a: &Image, b: &Image) -> f32 {
    assert_eq!(a.shape(), b.shape());
    let differences = a
        .values()
        .iter()
        .zip(b.values())
        .map(|(a, b)| (a - b).abs());
    // f32::max would drop a NaN.
    differences.fold(0.0, |a, b| if a >= b || a.is_nan() { a } else { b })
}
