//! Small matrix products whose operands are in the second-level cache.

#![allow(unsafe_code)] // The micro-kernel keeps its sums in registers and walks pointers.

use pulp::{Simd, WithSimd};

/// `C[m, n] = sum over k of A[m, k] * B[k, n]`, optionally added to `C`.
///
/// `B` and `C` are rows of whole vectors; `A` may be walked in either direction.
pub(crate) struct Product<'a> {
    /// Rows of `A` and `C`, columns of `A`, columns of `C` (a multiple of the vector's length).
    pub size: [usize; 3],
    pub a: &'a [f32],
    /// Distance between rows and between columns of `A`.
    pub a_strides: [usize; 2],
    pub b: &'a [f32],
    pub b_stride: usize,
    pub c: &'a mut [f32],
    pub c_stride: usize,
    pub accumulate: bool,
}

impl WithSimd for Product<'_> {
    type Output = ();

    #[inline(always)]
    fn with_simd<S: Simd>(mut self, simd: S) {
        let [m, k, n] = self.size;
        let last = |count: usize, stride: usize| count.saturating_sub(1) * stride;
        assert!(n.is_multiple_of(S::F32_LANES));
        assert!(self.c.len() >= last(m, self.c_stride) + n || m == 0);
        assert!(self.b.len() >= last(k, self.b_stride) + n || k == 0);
        let [row, column] = self.a_strides;
        assert!(self.a.len() > last(m, row) + last(k, column) || m * k == 0);

        let lanes = S::F32_LANES;
        let mut start = 0;
        // The widest block whose accumulators fit the registers.
        if S::REGISTER_COUNT >= 32 {
            while n - start >= 4 * lanes {
                // SAFETY: the asserts above, and `start + 4 * lanes <= n`.
                unsafe { self.columns::<S, 6, 4>(simd, start) };
                start += 4 * lanes;
            }
            if n - start >= 3 * lanes {
                // SAFETY: as above, with three vectors.
                unsafe { self.columns::<S, 8, 3>(simd, start) };
                start += 3 * lanes;
            }
            if n - start >= 2 * lanes {
                // SAFETY: as above, with two vectors.
                unsafe { self.columns::<S, 12, 2>(simd, start) };
                start += 2 * lanes;
            }
        } else {
            while n - start >= 2 * lanes {
                // SAFETY: as above, with two vectors.
                unsafe { self.columns::<S, 6, 2>(simd, start) };
                start += 2 * lanes;
            }
        }
        if n > start {
            // SAFETY: as above, with one vector.
            unsafe { self.columns::<S, 12, 1>(simd, start) };
        }
    }
}

impl Product<'_> {
    /// `NR` vectors of columns from `start` on, in blocks of `MR` rows.
    ///
    /// # Safety
    /// `A` has `size[0]` rows and `size[1]` columns; `B` and `C` have `NR` vectors at `start` of
    /// each of their rows.
    #[inline(always)]
    unsafe fn columns<S: Simd, const MR: usize, const NR: usize>(&mut self, simd: S, start: usize) {
        let mut row = 0;
        // SAFETY: each block lies within the rows; the caller guarantees the columns.
        unsafe {
            while self.size[0] - row >= MR {
                self.block::<S, MR, NR>(simd, row, start);
                row += MR;
            }
            while self.size[0] - row >= 4 {
                self.block::<S, 4, NR>(simd, row, start);
                row += 4;
            }
            while self.size[0] > row {
                self.block::<S, 1, NR>(simd, row, start);
                row += 1;
            }
        }
    }

    /// `MR` rows and `NR` vectors of columns, summed in registers.
    ///
    /// # Safety
    /// `A` has these rows and `size[1]` columns; `B` has `size[1]` rows and `C` these ones, with
    /// `NR` vectors at `start`.
    #[inline(always)]
    unsafe fn block<S: Simd, const MR: usize, const NR: usize>(
        &mut self,
        simd: S,
        row: usize,
        start: usize,
    ) {
        let [a_row, a_column] = self.a_strides;
        let mut sums = [[simd.splat_f32s(0.0); NR]; MR];
        // SAFETY: the caller guarantees that rows and columns lie within the matrices; `C` is borrowed mutably.
        unsafe {
            let mut a = self.a.as_ptr().add(row * a_row);
            let mut b = self.b.as_ptr().add(start);
            let c = self.c.as_mut_ptr().add(row * self.c_stride + start);
            for _ in 0..self.size[1] {
                let mut b_row = [simd.splat_f32s(0.0); NR];
                for (j, value) in b_row.iter_mut().enumerate() {
                    *value = b.cast::<S::f32s>().add(j).read_unaligned();
                }
                for (i, sums) in sums.iter_mut().enumerate() {
                    let factor = simd.splat_f32s(*a.add(i * a_row));
                    for (j, sum) in sums.iter_mut().enumerate() {
                        *sum = simd.mul_add_e_f32s(factor, b_row[j], *sum);
                    }
                }
                a = a.wrapping_add(a_column);
                b = b.wrapping_add(self.b_stride);
            }
            for (i, sums) in sums.into_iter().enumerate() {
                let target = c.add(i * self.c_stride).cast::<S::f32s>();
                for (j, sum) in sums.into_iter().enumerate() {
                    let target = target.add(j);
                    let sum = if self.accumulate {
                        simd.add_f32s(target.read_unaligned(), sum)
                    } else {
                        sum
                    };
                    target.write_unaligned(sum);
                }
            }
        }
    }
}
