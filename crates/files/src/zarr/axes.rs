//! What the axes of an array are.

use crate::MAX_CHANNELS;

/// How many times as many rows and columns as bands `[Y, X, C]` must have, not to be taken for
/// `[Z, Y, X]`.
const BANDS_BELOW: usize = 8;

/// An axis of an array of images.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Axis {
    /// Time: an image at each point.
    T,
    /// Depth: an image in each plane.
    Z,
    /// Channels of an image.
    C,
    /// Rows of an image.
    Y,
    /// Columns of an image.
    X,
}

impl Axis {
    /// By its name, and what else is said of it.
    pub(super) fn of(name: &str, kind: Option<&str>) -> Option<Self> {
        Some(match name.to_ascii_lowercase().as_str() {
            "t" | "time" => Self::T,
            "z" => Self::Z,
            "c" | "channel" => Self::C,
            "y" => Self::Y,
            "x" => Self::X,
            _ => match kind? {
                "time" => Self::T,
                "channel" => Self::C,
                _ => return None,
            },
        })
    }
}

/// Whether axes are those of images: rows and columns, and each axis once.
pub(super) fn are_of_images(axes: &[Axis]) -> bool {
    let once = |axis: &Axis| axes.iter().filter(|other| *other == axis).count() == 1;
    axes.contains(&Axis::Y) && axes.contains(&Axis::X) && axes.iter().all(once)
}

/// The axes of an array that does not name them, by its sizes alone.
pub(super) fn by_sizes(sizes: &[usize]) -> Option<Vec<Axis>> {
    use Axis::{C, T, X, Y, Z};
    Some(match *sizes {
        [_, _] => vec![Y, X],
        [_, _, 1 | 3] => vec![Y, X, C],
        [h, w, c @ 2..=MAX_CHANNELS] if BANDS_BELOW * c <= h.min(w) => vec![Y, X, C],
        [_, _, _] => vec![Z, Y, X],
        [_, 1 | 3, _, _] => vec![Z, C, Y, X],
        [_, _, _, 1 | 3] => vec![Z, Y, X, C],
        [_, c @ ..=MAX_CHANNELS, h, w] if c < h.min(w) => vec![Z, C, Y, X],
        [_, h, w, c @ ..=MAX_CHANNELS] if c < h.min(w) => vec![Z, Y, X, C],
        // The order of the first versions of OME-Zarr, which named none.
        [_, _, _, _, _] => vec![T, C, Z, Y, X],
        _ => return None,
    })
}
