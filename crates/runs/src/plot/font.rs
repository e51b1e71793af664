//! The one font of pictures, which comes with the program.

use plotters::style::{FontDesc, FontFamily, FontStyle};

use crate::RunsError;

/// What the plotting crate calls it.
pub const FONT: &str = "sans-serif";

/// Height of a line of DejaVu Sans, in which the plotting crate measures a font, for a size of 1.
pub(super) const LINE_HEIGHT: f64 = 1.164;

/// Makes it known to the plotting crate.
///
/// # Errors
/// When it cannot be read.
pub fn register_font() -> Result<(), RunsError> {
    plotters::style::register_font(FONT, FontStyle::Normal, dejavu::sans::regular())
        .map_err(|_| RunsError::Font)
}

/// The width of a text in pixels. Other fonts, which a viewer of SVG may take, are narrower.
pub(super) fn width(text: &str, size: f64) -> f64 {
    /// Widths are whole pixels: of a large text, they are exact enough.
    const LARGE: f64 = 100.0;
    let font = FontDesc::new(
        FontFamily::SansSerif,
        LARGE * LINE_HEIGHT,
        FontStyle::Normal,
    );
    let measured = font.layout_box(text);
    // The font is registered before anything is laid out.
    measured.map_or(0.0, |(_, (width, _))| f64::from(width) / LARGE * size)
}
