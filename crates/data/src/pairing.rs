//! Which two shots of a scene are a pair, as an experiment says it.

use std::fmt;
use std::sync::Arc;

use serde::{Deserialize, Serialize};

use crate::source::Halves;
use crate::{DataError, SceneSource};

/// How the shots of a scene become pairs, where they stand for each other.
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

/// How the shots of a set become pairs, and who says so.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
pub struct Chosen {
    /// How; never [`Pairing::Auto`].
    pub pairing: Pairing,
    /// Who says so.
    pub by: ChosenBy,
}

/// Who says how shots become pairs.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum ChosenBy {
    /// A person.
    Config,
    /// A file whose images follow each other in time.
    TimeAxis,
    /// Files that say no order of their shots.
    NoTimeAxis,
}

impl Pairing {
    /// How the shots of a set become pairs; `None` where they do not stand for each other: pairs are given, or
    /// made of clean images.
    ///
    /// # Errors
    /// When a person says how, and there is no such choice.
    pub(crate) fn choose(self, source: &dyn SceneSource) -> Result<Option<Chosen>, DataError> {
        let scenes = || 0..source.len();
        let has_choice = !source.ordered() && scenes().any(|scene| source.info(scene).shots > 1);
        let chosen = |pairing, by| Ok(Some(Chosen { pairing, by }));
        match self {
            Self::Neighbours | Self::EvenOdd if !has_choice => Err(DataError::Config {
                key: "pairing",
                value: self.to_string(),
                expected: "\"auto\" or \"any\" where no scene has several shots that stand for each other",
            }),
            _ if !has_choice => Ok(None),
            Self::Auto if scenes().any(|scene| source.in_time(scene)) => {
                chosen(Self::Neighbours, ChosenBy::TimeAxis)
            }
            Self::Auto => chosen(Self::Any, ChosenBy::NoTimeAxis),
            pairing => chosen(pairing, ChosenBy::Config),
        }
    }
}

impl Chosen {
    /// The scenes of a set with the shots that pairs are drawn of.
    pub(crate) fn shots(self, source: Arc<dyn SceneSource>) -> Arc<dyn SceneSource> {
        if self.pairing == Pairing::EvenOdd && !source.ordered() {
            Arc::new(Halves::new(source))
        } else {
            source
        }
    }
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

impl Chosen {
    /// How, why, and what else there is.
    pub fn words(self) -> [&'static str; 3] {
        let (what, other) = match self.pairing {
            Pairing::Auto | Pairing::Any => (
                "any two shots of a scene",
                "\"neighbours\" if it moves from one to the next",
            ),
            Pairing::Neighbours => (
                "each frame and the one before or after it, PSNR estimated against the mean of both",
                "\"any\" if nothing moves",
            ),
            Pairing::EvenOdd => (
                "the mean of the even and that of the odd frames of a scene",
                "\"neighbours\" for frames as they are",
            ),
            Pairing::Subsample => (
                "two sub-images of each image, made of neighbouring pixels",
                "\"any\" for pairs of shots",
            ),
        };
        let why = match self.by {
            ChosenBy::Config => "as data.pairing says",
            ChosenBy::TimeAxis => "since the file says that frames follow each other in time",
            ChosenBy::NoTimeAxis => "since no file says that they follow each other in time",
        };
        [what, why, other]
    }
}

impl fmt::Display for Chosen {
    /// In one line: how, why, and what else there is.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let [what, why, other] = self.words();
        let pairing = self.pairing;
        write!(f, "pairs ({pairing}): {what}, {why}; data.pairing: {other}")
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::tests::numbered::Numbered;

    fn chosen(pairing: Pairing, ordered: bool, in_time: bool) -> Result<Option<Chosen>, DataError> {
        pairing.choose(&Numbered {
            ordered,
            in_time,
            ..Numbered::default()
        })
    }

    #[test]
    fn an_axis_of_time_makes_neighbours_pairs() {
        let auto = |in_time| chosen(Pairing::Auto, false, in_time).unwrap().unwrap();
        assert_eq!(auto(false).pairing, Pairing::Any);
        assert_eq!(auto(true).pairing, Pairing::Neighbours);
        assert!(auto(true).to_string().contains("in time"), "{}", auto(true));
        let given = chosen(Pairing::Any, false, true).unwrap().unwrap();
        assert_eq!(given.pairing, Pairing::Any);
        assert_eq!(given.by, ChosenBy::Config);
    }

    #[test]
    fn given_pairs_leave_no_choice() {
        for pairing in [Pairing::Auto, Pairing::Any] {
            assert_eq!(chosen(pairing, true, true).unwrap(), None);
        }
        for pairing in [Pairing::Neighbours, Pairing::EvenOdd] {
            let error = chosen(pairing, true, true).unwrap_err().to_string();
            assert!(
                error.contains(&format!("data.pairing is {pairing}")),
                "{error}"
            );
        }
    }
}
