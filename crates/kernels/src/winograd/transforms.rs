//! The transforms of one vector of channels; each `spread` has the `gather` that is its adjoint.

use pulp::Simd;

/// Elements of a transformed tile.
pub(super) const FREQUENCIES: usize = 16;

/// Rows or columns of a transformed patch that do not vanish: all, or those of an upsampled source.
pub(super) const fn kept(taps: usize) -> &'static [usize] {
    if taps == 4 { &[0, 1, 2, 3] } else { &[0, 1, 3] }
}

/// The frequencies of a source among all.
pub(super) fn frequencies(taps: usize) -> impl Iterator<Item = usize> {
    let kept = kept(taps);
    kept.iter()
        .flat_map(move |row| kept.iter().map(move |column| 4 * row + column))
}

// Loops in place of closures: a closure is compiled without the vector instructions of the function around it.

/// A column of a matrix.
#[inline(always)]
pub(super) fn column_of<T: Copy, const ROWS: usize, const COLUMNS: usize>(
    matrix: &[[T; COLUMNS]; ROWS],
    index: usize,
) -> [T; ROWS] {
    let mut column = [matrix[0][index]; ROWS];
    for (value, row) in column.iter_mut().zip(matrix) {
        *value = row[index];
    }
    column
}

/// `G g`
#[inline(always)]
pub(super) fn spread_kernel<S: Simd>(simd: S, [a, b, c]: [S::f32s; 3]) -> [S::f32s; 4] {
    let half = simd.splat_f32s(0.5);
    let outer = simd.mul_f32s(half, simd.add_f32s(a, c));
    let inner = simd.mul_f32s(half, b);
    [
        a,
        simd.add_f32s(outer, inner),
        simd.sub_f32s(outer, inner),
        c,
    ]
}

/// `G^T u`
#[inline(always)]
pub(super) fn gather_kernel<S: Simd>(simd: S, [a, b, c, d]: [S::f32s; 4]) -> [S::f32s; 3] {
    let half = simd.splat_f32s(0.5);
    let sum = simd.mul_f32s(half, simd.add_f32s(b, c));
    let difference = simd.mul_f32s(half, simd.sub_f32s(b, c));
    [simd.add_f32s(a, sum), difference, simd.add_f32s(sum, d)]
}

/// `B^T d`, or its rows that do not vanish for an upsampled source.
#[inline(always)]
pub(super) fn spread_patch<S: Simd, const N: usize>(simd: S, d: [S::f32s; N]) -> [S::f32s; N] {
    let mut rows = d;
    if N == 4 {
        rows[0] = simd.sub_f32s(d[0], d[2]);
        rows[1] = simd.add_f32s(d[1], d[2]);
        rows[2] = simd.sub_f32s(d[2], d[1]);
        rows[N - 1] = simd.sub_f32s(d[1], d[N - 1]);
    } else {
        rows[0] = simd.sub_f32s(d[0], d[1]);
        rows[1] = simd.add_f32s(d[1], d[1]);
        rows[2] = simd.sub_f32s(d[1], d[2]);
    }
    rows
}

/// `B v`, the adjoint of [`spread_patch`].
#[inline(always)]
pub(super) fn gather_patch<S: Simd, const N: usize>(simd: S, v: [S::f32s; N]) -> [S::f32s; N] {
    let mut rows = v;
    if N == 4 {
        rows[1] = simd.add_f32s(simd.sub_f32s(v[1], v[2]), v[N - 1]);
        rows[2] = simd.sub_f32s(simd.add_f32s(v[1], v[2]), v[0]);
        rows[N - 1] = simd.neg_f32s(v[N - 1]);
    } else {
        rows[1] = simd.add_f32s(simd.sub_f32s(simd.add_f32s(v[1], v[1]), v[0]), v[2]);
        rows[2] = simd.neg_f32s(v[2]);
    }
    rows
}

/// `A^T m`
#[inline(always)]
pub(super) fn gather_tile<S: Simd>(simd: S, [a, b, c, d]: [S::f32s; 4]) -> [S::f32s; 2] {
    let sum = simd.add_f32s(simd.add_f32s(a, b), c);
    let difference = simd.sub_f32s(simd.sub_f32s(b, c), d);
    [sum, difference]
}

/// `A y`, the adjoint of [`gather_tile`].
#[inline(always)]
pub(super) fn spread_tile<S: Simd>(simd: S, [a, b]: [S::f32s; 2]) -> [S::f32s; 4] {
    [
        a,
        simd.add_f32s(a, b),
        simd.sub_f32s(a, b),
        simd.neg_f32s(b),
    ]
}
