//! Curves of runs as a figure: data in, SVG or pixels out.
//!
//! [`figure`] makes a [`Figure`] of runs, [`Figure::svg`] and [`Figure::picture`] draw it.

mod axis;
mod curves;
mod figure;
mod font;
mod layout;
mod lines;
mod options;
mod range;
mod raster;
mod reference;
mod shapes;
mod style;
mod svg;

pub use self::axis::Axis;
pub use self::curves::figure;
pub use self::figure::{Curve, Figure, Level, Origin};
pub use self::font::{FONT, register_font};
pub use self::options::{PlotOptions, Quantity, XQuantity};
pub use self::reference::Reference;
pub use self::style::COLORS;
pub use self::svg::Theme;
