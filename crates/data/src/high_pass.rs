//! What is left of a single image where the scene changes slowly: mostly noise.
//!
//! The filter is the second difference along both axes, `[1, -2, 1]` twice, of which a scene that is linear along rows
//! or along columns leaves nothing. Source: Immerkaer, "Fast Noise Variance Estimation", Computer Vision and Image
//! Understanding 1996.

/// Pixels that the filter takes away along each axis.
pub(crate) const MARGIN: usize = 2;

/// Variance of the filtered image for noise of variance 1 that is independent from pixel to pixel: `(1 + 4 + 1)^2`.
pub(crate) const ENERGY: f64 = 36.0;

/// A filtered plane.
pub(crate) struct HighPass {
    pub values: Vec<f64>,
    pub height: usize,
    pub width: usize,
}

impl HighPass {
    /// Filters a plane of rows of `width`; `None` where it is smaller than the filter.
    pub fn of(plane: &[f64], width: usize) -> Option<Self> {
        let height = plane.len() / width.max(1);
        if height <= MARGIN || width <= MARGIN {
            return None;
        }
        let second = |a: f64, b: f64, c: f64| a - 2.0 * b + c;
        let rows: Vec<f64> = plane
            .chunks_exact(width)
            .flat_map(|row| row.windows(3).map(|at| second(at[0], at[1], at[2])))
            .collect();
        let width = width - MARGIN;
        let values = (0..rows.len() - MARGIN * width)
            .map(|at| second(rows[at], rows[at + width], rows[at + 2 * width]))
            .collect();
        Some(Self {
            values,
            height: height - MARGIN,
            width,
        })
    }

    /// Mean product of pixels with those a number of rows below and columns to the right; 0 where there are none.
    pub fn products(&self, [down, right]: [usize; 2]) -> f64 {
        if self.height <= down || self.width <= right {
            return 0.0;
        }
        let rows = self.values.chunks_exact(self.width);
        let below = self.values.chunks_exact(self.width).skip(down);
        let products = rows
            .zip(below)
            .flat_map(|(row, below)| row.iter().zip(&below[right..]).map(|(a, b)| a * b));
        products.sum::<f64>() / ((self.height - down) * (self.width - right)) as f64
    }
}
