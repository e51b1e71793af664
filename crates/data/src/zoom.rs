//! How far examples are enlarged where nobody says it.

use serde::de::Error;
use serde::{Deserialize, Deserializer, Serialize, Serializer};

/// Largest factor where there are few scenes.
const FEW: f32 = 2.0;

/// Largest factor of a random enlargement of half of the examples. Interpolation spreads the noise over
/// neighbours, as cameras and file formats do, so that a network also knows noise that is not independent
/// from pixel to pixel. Clean images that noise is put on stay as they are: they would only be blurred.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Zoom {
    /// 2 where there are fewer than 20 scenes, else 1: many scenes show what noise there is, and a network
    /// that knows this alone is better at it.
    Auto,
    /// This, from 1 for none to 4.
    Largest(f32),
}

/// Notation of [`Zoom::Auto`].
const AUTO: &str = "auto";

impl Zoom {
    /// No enlargement.
    pub const NONE: Self = Self::Largest(1.0);

    /// The largest factor for as many scenes as are few or not.
    pub(crate) fn largest(self, scenes_are_few: bool) -> f32 {
        match self {
            Self::Largest(factor) => factor,
            Self::Auto if scenes_are_few => FEW,
            Self::Auto => 1.0,
        }
    }
}

impl Serialize for Zoom {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        match self {
            Self::Auto => AUTO.serialize(serializer),
            Self::Largest(factor) => factor.serialize(serializer),
        }
    }
}

impl<'de> Deserialize<'de> for Zoom {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        #[derive(Deserialize)]
        #[serde(untagged)]
        enum Notation {
            Word(String),
            Factor(f32),
        }
        match Notation::deserialize(deserializer) {
            Ok(Notation::Factor(factor)) => Ok(Self::Largest(factor)),
            Ok(Notation::Word(word)) if word == AUTO => Ok(Self::Auto),
            _ => Err(D::Error::custom(
                "expected \"auto\", or a number from 1 to 4",
            )),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::AugmentConfig;

    #[test]
    fn scenes_decide_where_nobody_does() {
        let chosen = |zoom, scenes| {
            let config = AugmentConfig {
                zoom,
                ..AugmentConfig::default()
            };
            config.for_scenes(scenes).zoom
        };
        assert_eq!(chosen(Zoom::Auto, 19), Zoom::Largest(2.0));
        assert_eq!(chosen(Zoom::Auto, 20), Zoom::NONE);
        for scenes in [1, 4096] {
            assert_eq!(chosen(Zoom::Largest(1.5), scenes), Zoom::Largest(1.5));
        }
    }

    #[test]
    fn zooms_are_written_as_they_are_read() {
        for (text, zoom) in [("\"auto\"", Zoom::Auto), ("1.5", Zoom::Largest(1.5))] {
            assert_eq!(serde_json::from_str::<Zoom>(text).unwrap(), zoom);
            assert_eq!(serde_json::to_string(&zoom).unwrap(), text);
        }
        let whole = serde_json::from_str::<Zoom>("2").unwrap();
        assert_eq!(whole, Zoom::Largest(2.0));
        for text in ["\"far\"", "[2]", "true"] {
            let error = serde_json::from_str::<Zoom>(text).unwrap_err().to_string();
            assert!(error.contains("\"auto\", or a number"), "{error}");
        }
    }
}
