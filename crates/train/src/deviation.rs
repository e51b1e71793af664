//! How far two runs of one network are apart.

use n2n_model::StateDict;

/// Returns the largest `|loss - reference| / |reference|` of a step.
pub fn loss_deviation(losses: &[f64], reference: &[f64]) -> f64 {
    let pairs = losses.iter().zip(reference);
    pairs.fold(0.0, |largest, (loss, reference)| {
        largest.max(relative((loss - reference).abs(), reference.abs()))
    })
}

/// Returns the largest `max|w - reference| / max|reference|` of a tensor.
///
/// # Panics
/// If the names differ.
pub fn weight_deviation(weights: &StateDict, reference: &StateDict) -> f64 {
    let tensors = weights.iter().zip(reference);
    tensors.fold(0.0, |largest, ((name, tensor), (expected, reference))| {
        assert_eq!(name, expected, "one network, one set of names");
        let (mut deviation, mut magnitude) = (0.0_f64, 0.0_f64);
        for (value, reference) in tensor.iter::<f64>().zip(reference.iter::<f64>()) {
            deviation = deviation.max((value - reference).abs());
            magnitude = magnitude.max(reference.abs());
        }
        largest.max(relative(deviation, magnitude))
    })
}

/// `deviation / magnitude`, or `deviation` where the reference is zero.
fn relative(deviation: f64, magnitude: f64) -> f64 {
    if magnitude > 0.0 {
        deviation / magnitude
    } else {
        deviation
    }
}

#[cfg(test)]
mod tests {
    use burn::tensor::TensorData;

    use super::*;

    #[test]
    fn deviations_are_the_largest_relative_ones() {
        assert_eq!(loss_deviation(&[1.0, 3.0], &[1.0, 2.0]), 0.5);
        let state = |a: [f32; 2], b: [f32; 2]| {
            StateDict::from([
                ("a".to_owned(), TensorData::from(a)),
                ("b".to_owned(), TensorData::from(b)),
            ])
        };
        // The small first value of `a` is held to the tensor's largest, 4.
        let reference = state([0.5, -4.0], [0.0, 0.0]);
        assert_eq!(
            weight_deviation(&state([1.5, -4.0], [0.0, 0.125]), &reference),
            0.25
        );
    }
}
