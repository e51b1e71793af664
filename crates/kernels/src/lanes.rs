//! Vectors of `f32` along the channels of a pixel.

use pulp::Simd;

/// `channels`, rounded up to whole vectors.
#[inline(always)]
pub(crate) fn padded<S: Simd>(channels: usize) -> usize {
    channels.next_multiple_of(S::F32_LANES)
}

/// The vector of a row that starts at `start`; zeros stand beyond its end.
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
