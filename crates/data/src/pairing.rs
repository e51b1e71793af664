//! Which two shots of a scene are a pair, as an experiment says it.

use std::fmt;

use serde::{Deserialize, Serialize};

/// How the shots of a scene become pairs, where a scene has more than two of them that stand for each other.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Pairing {
    /// [`Neighbours`](Self::Neighbours) where a file says that its images follow each other in time, else
    /// [`Any`](Self::Any).
    #[default]
    Auto,
    /// Any two shots: of a scene that does not move.
    Any,
    /// A frame and the one before or after it: of a scene that moves a little from frame to frame.
    Neighbours,
    /// The mean of the even frames and that of the odd ones: of frames that have little light each.
    EvenOdd,
    /// Each shot by itself, of which two [sub-images](crate::Whole) are a pair: of scenes with a single shot. Where
    /// there are no others, [`Auto`](Self::Auto) is this.
    Subsample,
}

impl fmt::Display for Pairing {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Auto => "auto",
            Self::Any => "any",
            Self::Neighbours => "neighbours",
            Self::EvenOdd => "even_odd",
            Self::Subsample => "subsample",
        })
    }
}
