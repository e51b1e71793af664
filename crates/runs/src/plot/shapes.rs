//! What a drawing consists of, in pixels from the upper left corner.

use super::style::{Dashes, Paint};

/// A part of a drawing.
#[derive(Clone, Debug, PartialEq)]
pub enum Shape {
    /// Straight lines from point to point.
    Line {
        points: Vec<[f64; 2]>,
        paint: Paint,
        width: f64,
        dashes: Dashes,
        opacity: f64,
    },
    /// A filled polygon.
    Area {
        corners: Vec<[f64; 2]>,
        paint: Paint,
        opacity: f64,
    },
    /// A line of text.
    Text {
        /// Its place on the base line.
        at: [f64; 2],
        text: String,
        size: f64,
        anchor: Anchor,
        /// Whether it is read from below.
        is_turned: bool,
        opacity: f64,
    },
}

/// Which part of a text is at its place.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Anchor {
    Start,
    Middle,
    End,
}

/// A drawing.
#[derive(Clone, Debug, PartialEq)]
pub struct Drawing {
    /// Width and height.
    pub size: [u32; 2],
    /// What it is of, in words.
    pub description: String,
    /// The lowest ones first.
    pub shapes: Vec<Shape>,
}
