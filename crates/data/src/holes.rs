//! Holes: pixels that hold no number (NaN or infinity), filled so that networks can see images.

use n2n_files::Sample;

/// Fills the holes of a plane in place, and returns whether it had any.
///
/// A hole takes the nearest number to the left and to the right, or their mean; rows without any
/// number take the rows above and below alike. A plane without any number becomes 0.
///
/// # Panics
/// If the plane is not a number of rows of `width`.
pub fn fill_holes<T: Sample>(plane: &mut [T], width: usize) -> bool {
    assert!(
        plane.len().is_multiple_of(width),
        "rows of {width} in {}",
        plane.len()
    );
    if plane.iter().all(|value| value.to_f64().is_finite()) {
        return false;
    }
    let height = plane.len() / width;
    let mut empty = vec![false; height];
    for (row, empty) in plane.chunks_exact_mut(width).zip(&mut empty) {
        *empty = row.iter().all(|value| !value.to_f64().is_finite());
        if !*empty {
            let holes: Vec<bool> = row
                .iter()
                .map(|value| !value.to_f64().is_finite())
                .collect();
            fill_line(&holes, |at, from| {
                row[at] = mean(from.map(|from| row[from]))
            });
        }
    }
    if empty.iter().all(|empty| *empty) {
        plane.fill(T::from_f64(0.0));
    } else {
        fill_line(&empty, |y, from| {
            for x in 0..width {
                plane[y * width + x] = mean(from.map(|from| plane[from * width + x]));
            }
        });
    }
    true
}

/// Calls `fill` for each hole of a line that has others than holes, with the nearest of those on
/// either side; at the ends of the line the one there is, twice.
fn fill_line(holes: &[bool], mut fill: impl FnMut(usize, [usize; 2])) {
    let mut before = None;
    let mut at = 0;
    while at < holes.len() {
        if !holes[at] {
            before = Some(at);
            at += 1;
            continue;
        }
        let run = holes[at..].iter().take_while(|hole| **hole).count();
        let after = Some(at + run).filter(|after| *after < holes.len());
        if let Some(nearest) = before.or(after) {
            let from = [before.unwrap_or(nearest), after.unwrap_or(nearest)];
            (at..at + run).for_each(|hole| fill(hole, from));
        }
        at += run;
    }
}

fn mean<T: Sample>([a, b]: [T; 2]) -> T {
    T::from_f64((a.to_f64() + b.to_f64()) / 2.0)
}

/// Fills the holes of a planar image of `area` pixels in rows of `width`; returns a mask of them, 0
/// where a channel has a hole and 1 elsewhere, if there are any.
pub(crate) fn take_holes(image: &mut [f32], area: usize, width: usize) -> Option<Vec<f32>> {
    if image.iter().all(|value| value.is_finite()) {
        return None;
    }
    let mut mask = vec![1.0; area];
    for plane in image.chunks_exact_mut(area) {
        for (mask, value) in mask.iter_mut().zip(&*plane) {
            if !value.is_finite() {
                *mask = 0.0;
            }
        }
        fill_holes(plane, width);
    }
    Some(mask)
}

/// Where both masks are 1; an absent one is 1 everywhere.
pub(crate) fn intersection(a: Option<Vec<f32>>, b: Option<Vec<f32>>) -> Option<Vec<f32>> {
    match (a, b) {
        (Some(a), Some(b)) => Some(a.iter().zip(&b).map(|(a, b)| a.min(*b)).collect()),
        (a, b) => a.or(b),
    }
}

/// The mask of an image whose pixels are squares of `factor` by `factor` of another: 0 where any of
/// them is.
pub(crate) fn reduced(mask: &[f32], width: usize, factor: usize) -> Vec<f32> {
    let columns = width / factor;
    let rows = mask.len() / width / factor;
    let smallest = |row: usize, column: usize| {
        let square = (0..factor).flat_map(|y| {
            let start = (row * factor + y) * width + column * factor;
            &mask[start..start + factor]
        });
        square.copied().fold(1.0, f32::min)
    };
    let pixels = (0..rows).flat_map(|row| (0..columns).map(move |column| (row, column)));
    pixels.map(|(row, column)| smallest(row, column)).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    const N: f32 = f32::NAN;
    const I: f32 = f32::INFINITY;

    #[test]
    fn holes_take_their_nearest_neighbours() {
        let mut plane = [
            N, N, N, N, //
            N, 2.0, I, 6.0, //
            -I, N, N, N, //
            1.0, N, 3.0, N, //
        ];
        assert!(fill_holes(&mut plane, 4));
        let expected = [
            2.0, 2.0, 4.0, 6.0, //
            2.0, 2.0, 4.0, 6.0, //
            1.5, 2.0, 3.5, 4.5, //
            1.0, 2.0, 3.0, 3.0, //
        ];
        assert_eq!(plane, expected);
        assert!(!fill_holes(&mut plane, 4));
        let mut nothing = [N; 6];
        assert!(fill_holes(&mut nothing, 3));
        assert_eq!(nothing, [0.0; 6]);
    }

    #[test]
    fn mask_is_zero_where_any_channel_has_a_hole() {
        let mut image = [1.0, N, 3.0, 4.0, 5.0, 6.0, 7.0, I, 9.0, 10.0, 11.0, 12.0];
        let mask = take_holes(&mut image, 6, 3).unwrap();
        assert_eq!(mask, [1.0, 0.0, 1.0, 1.0, 1.0, 1.0]);
        assert_eq!((image[1], image[7]), (2.0, 8.0));
        assert_eq!(take_holes(&mut image, 6, 3), None);
        let other = Some(vec![1.0, 1.0, 0.0, 1.0, 1.0, 1.0]);
        let both = intersection(Some(mask), other).unwrap();
        assert_eq!(both, [1.0, 0.0, 0.0, 1.0, 1.0, 1.0]);
        assert_eq!(intersection(None, None), None);
    }

    #[test]
    fn reduced_mask_is_the_smallest_of_squares() {
        let mask = [1.0, 1.0, 1.0, 1.0, 0.0, 1.0, 1.0, 1.0, 1.0, 1.0, 1.0, 1.0];
        assert_eq!(reduced(&mask[..8], 4, 2), [0.0, 1.0]);
        assert_eq!(reduced(&mask, 6, 2), [1.0, 1.0, 0.0]);
    }
}
