//! Numbers for people.

/// A value with about three digits.
pub fn digits(value: f64) -> String {
    let decimals = match value.abs() {
        100.0.. => 0,
        10.0.. => 1,
        1.0.. => 2,
        0.001.. => 4,
        0.0 => 0,
        _ => return format!("{value:.1e}"),
    };
    format!("{value:.decimals$}")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn values_keep_about_three_digits() {
        for (value, text) in [
            (1137.4, "1137"),
            (12.34, "12.3"),
            (0.0477, "0.0477"),
            (0.0, "0"),
            (0.000123, "1.2e-4"),
        ] {
            assert_eq!(digits(value), text);
        }
    }
}
