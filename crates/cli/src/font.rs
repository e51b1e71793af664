//! The one font of pictures, which comes with the program.

use anyhow::anyhow;
use plotters::style::{FontStyle, register_font};

/// What the plotting crate calls it.
pub const FONT: &str = "sans-serif";

/// Makes it known to the plotting crate.
///
/// # Errors
/// When it cannot be read.
pub fn register() -> anyhow::Result<()> {
    register_font(FONT, FontStyle::Normal, dejavu::sans::regular())
        .map_err(|_| anyhow!("the bundled font cannot be read"))
}
