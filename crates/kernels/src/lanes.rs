//! Vectors of `f32` along the channels of a pixel.

#![allow(unsafe_code)] // Writes vectors to memory that holds no floats yet.

use pulp::Simd;

use crate::output::Unwritten;

/// `channels`, rounded up to a multiple of the vector length.
#[inline(always)]
pub(crate) fn padded<S: Simd>(channels: usize) -> usize {
    channels.next_multiple_of(S::F32_LANES)
}

/// The vector of a row that starts at `start`; zeros beyond its end.
#[inline(always)]
pub(crate) fn load<S: Simd>(simd: S, row: &[f32], start: usize) -> S::f32s {
    match row.get(start..start + S::F32_LANES) {
        Some(values) => S::as_simd_f32s(values).0[0],
        None => simd.partial_load_f32s(row.get(start..).unwrap_or_default()),
    }
}

/// Writes a vector at `start` of a row, as far as the row goes.
#[inline(always)]
pub(crate) fn store<S: Simd>(simd: S, row: &mut [f32], start: usize, values: S::f32s) {
    match row.get_mut(start..start + S::F32_LANES) {
        Some(target) => S::as_mut_simd_f32s(target).0[0] = values,
        None => simd.partial_store_f32s(&mut row[start..], values),
    }
}

/// Adds a vector to the one at `start` of a row, as far as the row goes.
#[inline(always)]
pub(crate) fn accumulate<S: Simd>(simd: S, row: &mut [f32], start: usize, values: S::f32s) {
    let sum = simd.add_f32s(load(simd, row, start), values);
    store(simd, row, start, sum);
}

/// Writes a vector at `start` of an uninitialized row, as far as the row goes.
#[inline(always)]
pub(crate) fn write<S: Simd>(simd: S, row: &mut Unwritten, start: usize, values: S::f32s) {
    if let Some(target) = row.get_mut(start..start + S::F32_LANES) {
        // SAFETY: the slice has room for the vector, and any alignment will do.
        unsafe {
            target
                .as_mut_ptr()
                .cast::<S::f32s>()
                .write_unaligned(values)
        };
        return;
    }
    let mut lanes = [0.0; 16];
    store(simd, &mut lanes, 0, values);
    for (target, value) in row[start..].iter_mut().zip(lanes) {
        target.write(value);
    }
}
