//! The middle of images that are too large as a whole.

/// The middle of an image.
///
/// # Shapes
/// - `values`: `from`, `[channels, height, width]`
/// - returns `to`, of as many channels and no longer sides
pub fn middle(
    values: &[f32],
    [_, height, width]: [usize; 3],
    [_, rows, columns]: [usize; 3],
) -> Vec<f32> {
    let (top, left) = ((height - rows) / 2, (width - columns) / 2);
    let planes = values.chunks_exact(height * width);
    let rows = planes.flat_map(|plane| plane.chunks_exact(width).skip(top).take(rows));
    let values = rows.flat_map(|row| &row[left..left + columns]);
    values.copied().collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn middle_is_centred() {
        let values: Vec<f32> = (0..48).map(|at| at as f32).collect();
        let expected = [
            7.0, 8.0, 9.0, 13.0, 14.0, 15.0, 31.0, 32.0, 33.0, 37.0, 38.0, 39.0,
        ];
        assert_eq!(middle(&values, [2, 4, 6], [2, 2, 3]), expected);
        assert_eq!(middle(&values, [2, 4, 6], [2, 4, 6]), values);
    }
}
