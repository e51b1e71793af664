//! Tiles of a fixed size that are blended where they overlap, for networks whose inputs are normalized
//! pixel by pixel: statistics exist for images of one size only.

/// Where tiles begin along an axis: evenly spread, each overlapping the next by half or more.
pub(crate) fn starts(length: usize, tile: usize) -> Vec<usize> {
    let rest = length.saturating_sub(tile);
    let gaps = rest.div_ceil((tile / 2).max(1));
    (0..=gaps)
        .map(|index| (index * rest).checked_div(gaps).unwrap_or(0))
        .collect()
}

/// How much each tile counts at each of its pixels along an axis: less towards its ends, and over all
/// tiles 1 at each pixel.
pub(crate) fn weights(starts: &[usize], tile: usize) -> Vec<Vec<f32>> {
    let hat = |at: usize| (at + 1).min(tile - at) as f32;
    let length = starts.last().map_or(0, |last| last + tile);
    let mut sums = vec![0.0; length];
    for start in starts {
        for at in 0..tile {
            sums[start + at] += hat(at);
        }
    }
    let weights = |start: &usize| (0..tile).map(|at| hat(at) / sums[start + at]).collect();
    starts.iter().map(weights).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Sums of a few f32 that add up to 1.
    const TOLERANCE: f32 = 1e-6;

    #[test]
    fn tiles_cover_the_axis_and_overlap_by_half() {
        assert_eq!(starts(32, 32), [0]);
        assert_eq!(starts(33, 32), [0, 1]);
        assert_eq!(starts(80, 32), [0, 16, 32, 48]);
        for (length, tile) in [(517, 32), (389, 48), (31, 30), (7, 1)] {
            let starts = starts(length, tile);
            assert_eq!(starts.last(), Some(&(length - tile)));
            for pair in starts.windows(2) {
                assert!(pair[1] > pair[0] && pair[1] - pair[0] <= tile.div_ceil(2));
            }
        }
    }

    #[test]
    fn blend_weights_sum_to_one() {
        let starts = starts(101, 24);
        let weights = weights(&starts, 24);
        let mut sums = [0.0; 101];
        for (start, weights) in starts.iter().zip(&weights) {
            for (at, weight) in weights.iter().enumerate() {
                sums[start + at] += weight;
            }
        }
        assert!(sums.iter().all(|sum| (sum - 1.0_f32).abs() < TOLERANCE));
        assert!(weights[2][0] < 0.1 && weights[2][11] > 0.4);
    }
}
