//! How work is split over threads: in as many parts as there are threads, always in the same
//! places, so that sums of floating-point numbers come out the same.

use std::ops::Range;

/// Threads that a kernel splits its work over.
pub fn threads() -> usize {
    rayon::current_num_threads()
}

/// `count` things in at most [`threads`] contiguous parts of nearly equal size; none is empty.
pub(crate) fn parts(count: usize) -> impl Iterator<Item = Range<usize>> {
    let parts = threads().min(count);
    (0..parts).map(move |part| part * count / parts..(part + 1) * count / parts)
}

/// Splits a slice into consecutive pieces of these lengths.
pub(crate) fn split<'a, T>(
    mut slice: &'a mut [T],
    lengths: impl Iterator<Item = usize>,
) -> Vec<&'a mut [T]> {
    lengths
        .map(|length| {
            let (piece, rest) = std::mem::take(&mut slice).split_at_mut(length);
            slice = rest;
            piece
        })
        .collect()
}
