//! Means with standard errors, and medians.

/// A mean with its standard error.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Mean {
    /// The mean.
    pub value: f64,
    /// `sqrt(variance / n)`, with the unbiased variance; `None` for a single value.
    pub standard_error: Option<f64>,
}

impl Mean {
    /// Mean of one value or more.
    ///
    /// # Panics
    /// If there is no value.
    pub fn of(values: &[f64]) -> Self {
        assert!(!values.is_empty(), "mean of no value");
        let count = values.len() as f64;
        let value = values.iter().sum::<f64>() / count;
        let squares = values.iter().map(|one| (one - value).powi(2));
        let variance = squares.sum::<f64>() / (count - 1.0);
        Self {
            value,
            standard_error: (values.len() > 1).then(|| (variance / count).sqrt()),
        }
    }
}

/// Median: the middle value, or the mean of the two middle values. Sorts `values`; NaN for no value.
pub fn median(values: &mut [f64]) -> f64 {
    values.sort_by(f64::total_cmp);
    let middle = values.len() / 2;
    match values {
        [] => f64::NAN,
        _ if values.len() % 2 == 1 => values[middle],
        _ => (values[middle - 1] + values[middle]) / 2.0,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn single_value_has_no_standard_error() {
        let mean = Mean::of(&[3.0]);
        assert_eq!((mean.value, mean.standard_error), (3.0, None));
        // The unbiased variance is 2, and its half 1.
        let mean = Mean::of(&[2.0, 4.0]);
        assert_eq!((mean.value, mean.standard_error), (3.0, Some(1.0)));
    }

    #[test]
    fn median_is_the_middle_or_the_mean_of_two() {
        assert_eq!(median(&mut [5.0, 1.0, 2.0]), 2.0);
        assert_eq!(median(&mut [8.0, 1.0, 2.0, 4.0]), 3.0);
        assert!(median(&mut []).is_nan());
    }
}
