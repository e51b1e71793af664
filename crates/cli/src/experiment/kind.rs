//! Tables that may leave out their `kind`.

use n2n_model::NetworkConfig;
use serde::de::{DeserializeOwned, Error};
use serde::{Deserialize, Deserializer};

use super::{OptimizerConfig, SchedulerConfig};

/// A choice whose table may leave out its `kind`.
pub trait Kinded: DeserializeOwned {
    /// The kind that is meant then.
    const DEFAULT_KIND: &'static str;
}

impl Kinded for NetworkConfig {
    const DEFAULT_KIND: &'static str = "unet";
}

impl Kinded for OptimizerConfig {
    const DEFAULT_KIND: &'static str = "adam";
}

impl Kinded for SchedulerConfig {
    const DEFAULT_KIND: &'static str = "plateau";
}

/// Reads such a table.
pub fn with_default_kind<'de, D: Deserializer<'de>, T: Kinded>(
    deserializer: D,
) -> Result<T, D::Error> {
    let mut table = toml::Table::deserialize(deserializer)?;
    table
        .entry("kind")
        .or_insert_with(|| T::DEFAULT_KIND.into());
    T::deserialize(table).map_err(|error| D::Error::custom(error.message()))
}
