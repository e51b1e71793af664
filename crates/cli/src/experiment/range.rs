//! Ranges that a number must lie in.

use anyhow::ensure;

/// Above 0.
pub fn positive(key: &str, value: f64) -> anyhow::Result<()> {
    ensure!(
        value.is_finite() && value > 0.0,
        "{key} is {value}, but must be above 0"
    );
    Ok(())
}

/// 0 or above.
pub fn not_negative(key: &str, value: f64) -> anyhow::Result<()> {
    ensure!(
        value.is_finite() && value >= 0.0,
        "{key} is {value}, but must not be below 0"
    );
    Ok(())
}

/// From 0 to below 1.
pub fn fraction(key: &str, value: f64) -> anyhow::Result<()> {
    ensure!(
        (0.0..1.0).contains(&value),
        "{key} is {value}, but must be at least 0 and below 1"
    );
    Ok(())
}
