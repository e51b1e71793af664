//! Splitting of work over threads. Partial sums are split at the same places for any number of threads, so
//! that the sums are equal.

use std::ops::Range;
use std::sync::{Mutex, PoisonError};

/// Threads that a kernel splits its work over.
pub fn threads() -> usize {
    rayon::current_num_threads()
}

/// Splits `count` items into contiguous, non-empty parts of nearly equal size, one per thread.
pub(crate) fn parts(count: usize) -> impl Iterator<Item = Range<usize>> {
    split_into(count, threads().min(count))
}

/// The same for things that are summed up, in parts of at least 128 units of work, so that adding up their
/// sums pays; `each` is the work per thing.
pub(crate) fn summed_parts(count: usize, each: usize) -> impl Iterator<Item = Range<usize>> {
    const LEAST: usize = 128;
    const FEW: usize = 2;
    const MANY: usize = 8;
    split_into(count, (count * each / LEAST).clamp(FEW, MANY).min(count))
}

fn split_into(count: usize, parts: usize) -> impl Iterator<Item = Range<usize>> {
    (0..parts).map(move |part| part * count / parts..(part + 1) * count / parts)
}

/// Splits a slice into consecutive pieces of these lengths.
pub(crate) fn split<T>(mut slice: &mut [T], lengths: impl Iterator<Item = usize>) -> Vec<&mut [T]> {
    lengths
        .map(|length| {
            let (piece, rest) = std::mem::take(&mut slice).split_at_mut(length);
            slice = rest;
            piece
        })
        .collect()
}

/// The results of `compute` for each piece of work, in their order. The calling thread computes too,
/// because waking another takes as long as a small kernel.
pub(crate) fn run<T: Send, R: Send>(work: Vec<T>, compute: impl Fn(T) -> R + Sync) -> Vec<R> {
    let helpers = threads().min(work.len()).saturating_sub(1);
    let mut results: Vec<Option<R>> = work.iter().map(|_| None).collect();
    let queue = Mutex::new(work.into_iter().zip(&mut results));
    let next = || queue.lock().unwrap_or_else(PoisonError::into_inner).next();
    let work_off = || {
        while let Some((work, result)) = next() {
            *result = Some(compute(work));
        }
    };
    rayon::in_place_scope(|scope| {
        for _ in 0..helpers {
            scope.spawn(|_| work_off());
        }
        work_off();
    });
    results.into_iter().flatten().collect()
}
