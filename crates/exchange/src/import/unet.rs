//! What tells that parameters are those of the U-Net, and of which one.

use n2n_model::{Activation, NetworkConfig, UNetConfig};

use super::{Candidate, Parameters};

/// The U-Net that parameters look like, with shared blocks.
pub(super) fn recognize(parameters: &Parameters) -> Option<Candidate> {
    let levels = parameters.names().filter_map(level);
    let depth = 1 + levels.max()?;
    let stem = parameters.shape("conv0.weight").unwrap_or_default();
    let default = UNetConfig::default();
    // Of what is missing or of another shape, loading tells.
    let features = stem.first().copied().unwrap_or(default.features);
    let channels = stem.get(1).copied();
    let activation = match parameters.shape("relu.weight") {
        Some(_) => Activation::PRelu,
        None => Activation::Relu,
    };
    let mut names = parameters.names();
    let batch_norm = names.any(|name| name.ends_with(".running_mean"));
    Some(Candidate {
        words: format!("a U-Net of depth {depth}"),
        network: NetworkConfig::UNet(UNetConfig {
            channels,
            features,
            depth,
            activation,
            batch_norm,
            ..default
        }),
        names: parameters.names().map(str::to_owned).collect(),
    })
}

/// The same network, each level with a block of its own.
pub(super) fn unshared(config: UNetConfig) -> UNetConfig {
    UNetConfig {
        share_weights: false,
        ..config
    }
}

/// The level that a parameter of a block belongs to.
fn level(name: &str) -> Option<usize> {
    let (list, rest) = name.split_once('.')?;
    let (level, _) = rest.split_once('.')?;
    let level = level.parse().ok()?;
    (["eblocks", "dblocks"].contains(&list) && level < usize::MAX).then_some(level)
}
