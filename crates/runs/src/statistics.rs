//! Mean, spread and interval of a number over seeds.

use serde::Serialize;

/// Quantiles of Student's t distribution at 0.975, for one to ten degrees of freedom.
const STUDENT: [f64; 10] = [
    12.706_205, 4.302_653, 3.182_446, 2.776_445, 2.570_582, 2.446_912, 2.364_624, 2.306_004,
    2.262_157, 2.228_139,
];

/// The same quantile of the normal distribution.
const NORMAL: f64 = 1.959_964;

/// A number over the seeds of a variant.
#[derive(Clone, Copy, Debug, PartialEq, Serialize)]
pub struct Statistics {
    /// Number of values.
    pub count: usize,
    /// Mean.
    pub mean: f64,
    /// The smallest value.
    pub min: f64,
    /// The largest value.
    pub max: f64,
    /// Sample standard deviation, `sqrt(sum (x - mean)² / (n - 1))`; `None` for a single value.
    pub deviation: Option<f64>,
    /// Half the width of the 95 % interval of the mean, `t·deviation/sqrt(n)` with Student's t of n - 1 degrees of
    /// freedom: values that spread normally are assumed. `None` for a single value.
    pub interval: Option<f64>,
}

impl Statistics {
    /// Returns the statistics of values; `None` without any.
    pub fn of(values: &[f64]) -> Option<Self> {
        let count = values.len();
        if count == 0 {
            return None;
        }
        let mean = values.iter().sum::<f64>() / count as f64;
        let squares: f64 = values.iter().map(|value| (value - mean).powi(2)).sum();
        let deviation = (count > 1).then(|| (squares / (count - 1) as f64).sqrt());
        Some(Self {
            count,
            mean,
            min: values.iter().copied().fold(f64::INFINITY, f64::min),
            max: values.iter().copied().fold(f64::NEG_INFINITY, f64::max),
            deviation,
            interval: deviation.map(|one| student(count - 1) * one / (count as f64).sqrt()),
        })
    }
}

/// The quantile of Student's t at 0.975 for some degrees of freedom, from 1: a table, and then the first terms of its
/// expansion around the normal distribution (Abramowitz and Stegun, 26.7.5).
fn student(freedom: usize) -> f64 {
    if let Some(quantile) = STUDENT.get(freedom - 1) {
        return *quantile;
    }
    let (z, n) = (NORMAL, freedom as f64);
    z + (z.powi(3) + z) / (4.0 * n)
        + (5.0 * z.powi(5) + 16.0 * z.powi(3) + 3.0 * z) / (96.0 * n.powi(2))
        + (3.0 * z.powi(7) + 19.0 * z.powi(5) + 17.0 * z.powi(3) - 15.0 * z) / (384.0 * n.powi(3))
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Tables have three decimals.
    const TABLE_TOLERANCE: f64 = 5e-4;

    #[test]
    fn a_single_value_has_no_interval() {
        assert_eq!(Statistics::of(&[]), None);
        let one = Statistics::of(&[24.5]).unwrap();
        assert_eq!((one.count, one.mean), (1, 24.5));
        assert_eq!((one.deviation, one.interval), (None, None));
    }

    #[test]
    fn intervals_are_those_of_student() {
        // The deviation is 1, and the mean of four has half of it; t for three degrees of freedom is 3.182.
        let spread = 1.5_f64.sqrt() / 2.0_f64.sqrt();
        let four = Statistics::of(&[24.0 - spread, 24.0 - spread, 24.0 + spread, 24.0 + spread]);
        let four = four.unwrap();
        assert!((four.mean - 24.0).abs() < 1e-12, "{four:?}");
        assert!((four.deviation.unwrap() - 1.0).abs() < 1e-12, "{four:?}");
        assert!(
            (four.interval.unwrap() - 1.591).abs() < TABLE_TOLERANCE,
            "{four:?}"
        );
        assert_eq!((four.min, four.max), (24.0 - spread, 24.0 + spread));
    }

    #[test]
    fn quantiles_are_those_of_tables() {
        for (freedom, quantile) in [
            (1, 12.706),
            (4, 2.776),
            (10, 2.228),
            (11, 2.201),
            (12, 2.179),
            (20, 2.086),
            (30, 2.042),
            (120, 1.980),
        ] {
            let found = student(freedom);
            assert!(
                (found - quantile).abs() < TABLE_TOLERANCE,
                "{freedom}: {found}"
            );
        }
    }
}
