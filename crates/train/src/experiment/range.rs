//! Ranges of numbers in a config.

use super::ExperimentError;

/// Largest number, since devices compute in single precision.
const LARGEST: f64 = f32::MAX as f64;

/// Checks that a number is above 0.
pub fn positive(key: &str, value: f64) -> Result<(), ExperimentError> {
    let inside = value > 0.0 && value <= LARGEST;
    require(inside, key, value, "above 0 and at most 3.4e38")
}

/// Checks that a number is 0 or above.
pub fn not_negative(key: &str, value: f64) -> Result<(), ExperimentError> {
    let inside = (0.0..=LARGEST).contains(&value);
    require(inside, key, value, "at least 0 and at most 3.4e38")
}

/// Checks that a number is at least 0 and below 1.
pub fn fraction(key: &str, value: f64) -> Result<(), ExperimentError> {
    let inside = (0.0..1.0).contains(&value);
    require(inside, key, value, "at least 0 and below 1")
}

/// Checks that a count is at least 1.
pub fn between_one_and(most: usize, key: &str, value: usize) -> Result<(), ExperimentError> {
    let rule = match value {
        0 => "at least 1".to_owned(),
        _ => format!("at most {most}"),
    };
    require((1..=most).contains(&value), key, value as f64, rule)
}

fn require(
    fulfilled: bool,
    key: &str,
    value: f64,
    rule: impl Into<String>,
) -> Result<(), ExperimentError> {
    if fulfilled {
        return Ok(());
    }
    Err(ExperimentError::OutOfRange {
        key: key.to_owned(),
        value,
        rule: rule.into(),
    })
}
