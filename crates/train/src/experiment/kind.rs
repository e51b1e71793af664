//! Tables that may leave out their `kind`.

use n2n_model::NetworkConfig;
use serde::de::{DeserializeOwned, Error};
use serde::{Deserialize, Deserializer};

use super::{OptimizerConfig, SchedulerConfig};

/// An enum whose table may leave out its `kind`.
pub trait Kinded: DeserializeOwned {
    /// Kind of a table without one.
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

/// Reads a table, with the default kind where it has none.
pub fn with_default_kind<'de, D: Deserializer<'de>, T: Kinded>(
    deserializer: D,
) -> Result<T, D::Error> {
    let mut table = toml::Table::deserialize(deserializer)?;
    table
        .entry("kind")
        .or_insert_with(|| T::DEFAULT_KIND.into());
    T::deserialize(table).map_err(|error| D::Error::custom(error.message()))
}
