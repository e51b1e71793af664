//! What the axes of an array are.

use crate::{Axis, npy::axes_of};

/// The axis with a name, or of a kind.
pub(super) fn named(name: &str, kind: Option<&str>) -> Option<Axis> {
    Some(match name.to_ascii_lowercase().as_str() {
        "t" | "time" => Axis::Time,
        "z" => Axis::Depth,
        "c" | "channel" => Axis::Channel,
        "y" => Axis::Row,
        "x" => Axis::Column,
        _ => match kind? {
            "time" => Axis::Time,
            "channel" => Axis::Channel,
            _ => return None,
        },
    })
}

/// Whether axes are those of images: rows and columns, and each axis once.
pub(super) fn are_of_images(axes: &[Axis]) -> bool {
    let once = |axis: &Axis| axes.iter().filter(|other| *other == axis).count() == 1;
    axes.contains(&Axis::Row) && axes.contains(&Axis::Column) && axes.iter().all(once)
}

/// The axes of an array that does not name them, by its sizes alone.
pub(super) fn by_sizes(sizes: &[usize]) -> Option<Vec<Axis>> {
    let letters = match sizes.len() {
        // The order of the first versions of OME-Zarr, which named none.
        5 => "TCZYX",
        _ => axes_of(sizes)?,
    };
    Some(letters.parse::<crate::Axes>().ok()?.iter().collect())
}
