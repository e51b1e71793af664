//! How much memory a tile takes, and how devices say that there is too little.

use n2n_model::NetworkConfig;

/// What drivers, wgpu and CubeCL say when memory, or another resource, does not suffice.
const OUT_OF_MEMORY: [&str; 6] = [
    "out of device memory",
    "out-of-memory",
    "out of memory",
    "can't allocate buffer",
    "too many resources",
    "cube count too big",
];

/// Whether a device's message says that its memory, or another resource, does not suffice.
///
/// ```
/// assert!(n2n_denoise::is_out_of_memory("Out of device memory allocating 8 bytes"));
/// assert!(!n2n_denoise::is_out_of_memory("the device was lost"));
/// ```
pub fn is_out_of_memory(message: &str) -> bool {
    let message = message.to_lowercase();
    OUT_OF_MEMORY.iter().any(|phrase| message.contains(phrase))
}

/// Bytes of memory that a network takes for each pixel of a tile, at most: twice the inputs and outputs
/// of its widest layer, once as they are and once as a convolution lays them out.
///
/// U-Net: `4 * 2 * ((C_d + channels) + C_d / 2)`, with `C_d = 2 C_e`, of the last decoder block; simple
/// net: `4 * 2 * (channels + C / 4)`, whose images have half the sides from the first layer on.
pub fn tile_bytes_per_pixel(network: &NetworkConfig) -> usize {
    let floats = match network {
        NetworkConfig::UNet(config) => 2 * config.features + channels(network) + config.features,
        NetworkConfig::Simple(config) => channels(network) + config.features.div_ceil(4),
    };
    2 * floats * size_of::<f32>()
}

/// Channels of a network's images: 3 where nothing is said.
pub(crate) fn channels(network: &NetworkConfig) -> usize {
    network.channels().unwrap_or(3)
}
