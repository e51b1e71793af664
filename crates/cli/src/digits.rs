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

/// A sample of a file: all digits of an integer, else about three.
pub fn sample(value: f64) -> String {
    if value.fract() == 0.0 {
        value.to_string()
    } else {
        digits(value)
    }
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
    #[test]
    fn samples_that_are_integers_keep_all_digits() {
        for (value, text) in [(65535.0, "65535"), (-3.0, "-3"), (-1.2496914, "-1.25")] {
            assert_eq!(sample(value), text);
        }
    }
}
