/// Why a noise cannot be made: each variant names the key, the value and what is expected.
#[derive(Clone, Debug, PartialEq, thiserror::Error)]
#[non_exhaustive]
pub enum NoiseError {
    /// A number is outside its range.
    #[error("noise.{key} is {value}, but must be {expected}")]
    OutOfRange {
        /// The name of the number in the configuration.
        key: &'static str,
        /// Its value.
        value: f64,
        /// The range it must be in.
        expected: &'static str,
    },

    /// The ends of a range are in the wrong order.
    #[error("noise.{key} is {low}..{high}, but a range must begin with its lower end")]
    Reversed {
        /// The name of the range in the configuration.
        key: &'static str,
        /// Its first end.
        low: f64,
        /// Its second end.
        high: f64,
    },

    /// A text is not a short form of [`NoiseConfig`](super::NoiseConfig).
    #[error("{found:?} is not a noise; expected {expected}")]
    Form {
        /// The text.
        found: String,
        /// The valid forms.
        expected: &'static str,
    },

    /// The font inside the program cannot be read.
    #[error("the bundled font cannot be read")]
    Font,
}
