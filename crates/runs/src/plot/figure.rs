//! The data of a figure.

use serde::Serialize;

use super::axis::Axis;

/// Curves on two axes.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Figure {
    /// A line above it.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub title: Option<String>,
    /// Images or time.
    pub x: Axis,
    /// What is shown.
    pub y: Axis,
    /// Runs and references, in the order of their last values, the largest first.
    pub curves: Vec<Curve>,
    /// Horizontal lines: the noisy input.
    pub levels: Vec<Level>,
    /// Lines below it: what bands are, and what is outside of the axes.
    pub notes: Vec<String>,
}

/// One curve.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Curve {
    /// Its name.
    pub label: String,
    /// Where it is from.
    #[serde(flatten)]
    pub origin: Origin,
    /// Names of the runs that it is the mean of.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub runs: Vec<String>,
    /// `[x, y]`, from left to right.
    pub points: Vec<[f64; 2]>,
    /// `[x, smallest, largest]` of several runs, or `[x, y - error, y + error]` of an estimate; empty for none.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub band: Vec<[f64; 3]>,
    /// The runs of a mean, each as `[x, y]`, where they go on after it; empty for others.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub beyond: Vec<Vec<[f64; 2]>>,
}

/// Where a curve is from, and the number of its colour and marker.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case", tag = "origin", content = "style")]
pub enum Origin {
    /// Runs.
    Runs(usize),
    /// A file of curves; with the number of the runs of the same value, if there are any.
    Reference(Option<usize>),
}

/// A horizontal line.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Level {
    /// Its name.
    pub label: String,
    /// Its place.
    pub y: f64,
}

impl Curve {
    /// The last value.
    pub fn last(&self) -> Option<f64> {
        self.points.last().map(|point| point[1])
    }
}
