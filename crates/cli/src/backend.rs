//! Backends as arguments.

use clap::builder::{PossibleValue, PossibleValuesParser, TypedValueParser};
use n2n_devices::Backend;

/// Parses the name of a backend; `--help` lists them with a line about each.
pub fn parser() -> impl TypedValueParser<Value = Backend> {
    let names = Backend::ALL
        .iter()
        .map(|backend| PossibleValue::new(backend.name()).help(backend.summary()));
    PossibleValuesParser::new(names).try_map(|name| name.parse::<Backend>())
}
