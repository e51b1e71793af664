//! Amounts of augmentation that the number of scenes decides where nobody does.

use serde::de::Error;
use serde::{Deserialize, Deserializer, Serialize, Serializer};

use crate::held_out::MANY;

/// An amount of augmentation. Few scenes do not show all that a network will meet; many show what noise there is, and
/// a network that knows this alone is better at it.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum ByScenes {
    /// Some where there are fewer than 20 scenes, else none.
    Auto,
    /// This.
    Fixed(f32),
}

/// Notation of [`ByScenes::Auto`].
const AUTO: &str = "auto";

impl ByScenes {
    /// The amount for a number of scenes: `few` or `many` where it is theirs to decide.
    pub(crate) fn of(self, scenes: usize, [few, many]: [f32; 2]) -> Self {
        match self {
            Self::Fixed(_) => self,
            Self::Auto if scenes < MANY => Self::Fixed(few),
            Self::Auto => Self::Fixed(many),
        }
    }

    /// The amount, if it is decided.
    pub(crate) fn fixed(self) -> Option<f32> {
        match self {
            Self::Fixed(amount) => Some(amount),
            Self::Auto => None,
        }
    }
}

impl Serialize for ByScenes {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        match self {
            Self::Auto => AUTO.serialize(serializer),
            Self::Fixed(amount) => amount.serialize(serializer),
        }
    }
}

impl<'de> Deserialize<'de> for ByScenes {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        #[derive(Deserialize)]
        #[serde(untagged)]
        enum Notation {
            Word(String),
            Amount(f32),
        }
        match Notation::deserialize(deserializer) {
            Ok(Notation::Amount(amount)) => Ok(Self::Fixed(amount)),
            Ok(Notation::Word(word)) if word == AUTO => Ok(Self::Auto),
            _ => Err(D::Error::custom("expected \"auto\", or a number")),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn scenes_decide_where_nobody_does() {
        let ends = [2.0, 1.0];
        assert_eq!(ByScenes::Auto.of(19, ends), ByScenes::Fixed(2.0));
        assert_eq!(ByScenes::Auto.of(20, ends), ByScenes::Fixed(1.0));
        for scenes in [1, 4096] {
            let fixed = ByScenes::Fixed(1.5);
            assert_eq!(fixed.of(scenes, ends), fixed);
        }
    }

    #[test]
    fn amounts_are_written_as_they_are_read() {
        for (text, amount) in [("\"auto\"", ByScenes::Auto), ("1.5", ByScenes::Fixed(1.5))] {
            assert_eq!(serde_json::from_str::<ByScenes>(text).unwrap(), amount);
            assert_eq!(serde_json::to_string(&amount).unwrap(), text);
        }
        let whole = serde_json::from_str::<ByScenes>("2").unwrap();
        assert_eq!(whole, ByScenes::Fixed(2.0));
        for text in ["\"far\"", "[2]", "true"] {
            let error = serde_json::from_str::<ByScenes>(text).unwrap_err();
            assert!(error.to_string().contains("\"auto\", or a number"));
        }
    }
}
