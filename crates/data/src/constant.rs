//! Images of one value: lens caps, blank frames, empty channels.

use n2n_files::Sample;

/// Whether all numbers among some samples are one and the same; NaN and infinity are none.
pub fn is_constant<T: Sample>(samples: &[T]) -> bool {
    let mut numbers = samples.iter().map(|sample| sample.to_f64());
    let Some(first) = numbers.find(|number| number.is_finite()) else {
        return true;
    };
    numbers.all(|number| number == first || !number.is_finite())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn one_number_is_constant_among_holes() {
        assert!(is_constant(&[7_u16; 5]));
        assert!(is_constant(&[f32::NAN, 0.5, f32::INFINITY, 0.5]));
        assert!(is_constant(&[f64::NAN; 3]));
        assert!(is_constant::<u8>(&[]));
        assert!(!is_constant(&[0, 0, 1_u8]));
        assert!(!is_constant(&[f32::NAN, 0.5, 0.25]));
        assert!(!is_constant(&[-1.0, f64::INFINITY, 1.0]));
    }
}
