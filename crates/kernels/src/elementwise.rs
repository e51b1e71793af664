//! Activations and the loss, element by element: values in any order, the same for all operands.

#![allow(unsafe_code)] // Vouches for what it wrote.

use pulp::{Simd, WithSimd};

use crate::lanes::{load, write};
use crate::output::{Unwritten, unwritten, written};
use crate::parallel::{parts, run, split, summed_parts};
use crate::vectors::dispatch;

/// An operation on vectors of elements.
trait Op: Copy + Sync {
    /// The result for elements of two operands.
    fn apply<S: Simd>(self, simd: S, operands: [S::f32s; 2]) -> S::f32s;
}

/// `max(x, 0)`; NaN stays NaN.
pub fn relu(x: &[f32]) -> Vec<f32> {
    map(Relu, [x, x])
}

#[derive(Clone, Copy)]
struct Relu;

impl Op for Relu {
    #[inline(always)]
    fn apply<S: Simd>(self, simd: S, [x, _]: [S::f32s; 2]) -> S::f32s {
        let zero = simd.splat_f32s(0.0);
        simd.select_f32s(simd.less_than_or_equal_f32s(x, zero), zero, x)
    }
}

/// Gradient of [`relu`]: `dy` where `x > 0`, else 0.
///
/// # Panics
/// If the lengths differ.
pub fn relu_backward(x: &[f32], output_grad: &[f32]) -> Vec<f32> {
    map(ReluBackward, [x, output_grad])
}

#[derive(Clone, Copy)]
struct ReluBackward;

impl Op for ReluBackward {
    #[inline(always)]
    fn apply<S: Simd>(self, simd: S, [x, output_grad]: [S::f32s; 2]) -> S::f32s {
        let zero = simd.splat_f32s(0.0);
        simd.select_f32s(simd.less_than_or_equal_f32s(x, zero), zero, output_grad)
    }
}

/// `1 / (1 + exp(-x))`, to a few parts in 10 million.
pub fn sigmoid(x: &[f32]) -> Vec<f32> {
    map(Sigmoid, [x, x])
}

#[derive(Clone, Copy)]
struct Sigmoid;

impl Op for Sigmoid {
    #[inline(always)]
    fn apply<S: Simd>(self, simd: S, [x, _]: [S::f32s; 2]) -> S::f32s {
        let one = simd.splat_f32s(1.0);
        simd.div_f32s(one, simd.add_f32s(one, exp(simd, simd.neg_f32s(x))))
    }
}

/// Outputs of a sigmoid whose slope is zero. Half the distance between 1 and the number below it: at that distance
/// from 1, the slope is zero by rounding. Below it, gradients of a network that is dead would become so small
/// that processors compute with them many times slower.
const FLAT: f32 = f32::EPSILON / 4.0;

/// Gradient of [`sigmoid`] from its output: `dy * y * (1 - y)`, and 0 for outputs up to 2^-25.
///
/// # Panics
/// If the lengths differ.
pub fn sigmoid_backward(output: &[f32], output_grad: &[f32]) -> Vec<f32> {
    map(SigmoidBackward, [output, output_grad])
}

#[derive(Clone, Copy)]
struct SigmoidBackward;

impl Op for SigmoidBackward {
    #[inline(always)]
    fn apply<S: Simd>(self, simd: S, [y, output_grad]: [S::f32s; 2]) -> S::f32s {
        let slope = simd.mul_f32s(y, simd.sub_f32s(simd.splat_f32s(1.0), y));
        let dx = simd.mul_f32s(output_grad, slope);
        let is_flat = simd.less_than_or_equal_f32s(y, simd.splat_f32s(FLAT));
        simd.select_f32s(is_flat, simd.splat_f32s(0.0), dx)
    }
}

/// `scale * (x - y)`: gradient of the mean squared error by `x`, for `scale = 2 / count * dL`.
///
/// # Panics
/// If the lengths differ.
pub fn scaled_difference(x: &[f32], y: &[f32], scale: f32) -> Vec<f32> {
    map(ScaledDifference(scale), [x, y])
}

#[derive(Clone, Copy)]
struct ScaledDifference(f32);

impl Op for ScaledDifference {
    #[inline(always)]
    fn apply<S: Simd>(self, simd: S, [x, y]: [S::f32s; 2]) -> S::f32s {
        simd.mul_f32s(simd.splat_f32s(self.0), simd.sub_f32s(x, y))
    }
}

/// `sum((x - y)^2)`, in f64 beyond a few thousand elements.
///
/// # Panics
/// If the lengths differ.
pub fn squared_error(x: &[f32], y: &[f32]) -> f64 {
    assert_eq!(x.len(), y.len(), "operands of different lengths");
    let work: Vec<_> = summed_parts(x.len(), 1)
        .map(|part| (&x[part.clone()], &y[part]))
        .collect();
    let sums = run(work, |(x, y)| dispatch(SquaredError { x, y }));
    sums.into_iter().sum()
}

struct SquaredError<'a> {
    x: &'a [f32],
    y: &'a [f32],
}

impl WithSimd for SquaredError<'_> {
    type Output = f64;

    #[inline(always)]
    fn with_simd<S: Simd>(self, simd: S) -> f64 {
        /// Elements that are summed in f32.
        const CHUNK: usize = 4096;
        let mut total = 0.0;
        for (x, y) in self.x.chunks(CHUNK).zip(self.y.chunks(CHUNK)) {
            let mut sum = simd.splat_f32s(0.0);
            for at in (0..x.len()).step_by(S::F32_LANES) {
                let difference = simd.sub_f32s(load(simd, x, at), load(simd, y, at));
                sum = simd.mul_add_e_f32s(difference, difference, sum);
            }
            total += f64::from(simd.reduce_sum_f32s(sum));
        }
        total
    }
}

fn map(op: impl Op, operands: [&[f32]; 2]) -> Vec<f32> {
    let count = operands[0].len();
    assert_eq!(operands[1].len(), count, "operands of different lengths");
    let mut output = unwritten(count);
    let parts: Vec<_> = parts(count).collect();
    let pieces = split(&mut output, parts.iter().map(|part| part.len()));
    let work: Vec<_> = parts.into_iter().zip(pieces).collect();
    run(work, |(part, output)| {
        let operands = [&operands[0][part.clone()], &operands[1][part]];
        dispatch(Map {
            op,
            operands,
            output,
        });
    });
    // SAFETY: the parts cover the output, and `Map` writes each element of its part.
    unsafe { written(output) }
}

struct Map<'a, O> {
    op: O,
    operands: [&'a [f32]; 2],
    output: &'a mut Unwritten,
}

impl<O: Op> WithSimd for Map<'_, O> {
    type Output = ();

    #[inline(always)]
    fn with_simd<S: Simd>(self, simd: S) {
        let [a, b] = self.operands;
        for at in (0..self.output.len()).step_by(S::F32_LANES) {
            let value = self.op.apply(simd, [load(simd, a, at), load(simd, b, at)]);
            write(simd, self.output, at, value);
        }
    }
}

/// `exp(x)` from `2^n * exp(r)`, `|r| <= ln(2) / 2`, by a polynomial (Cody and Waite, "Software Manual for
/// the Elementary Functions", 1980; coefficients of Taylor's series). Saturates at `exp(±87)`.
#[inline(always)]
fn exp<S: Simd>(simd: S, x: S::f32s) -> S::f32s {
    const LIMIT: f32 = 87.0;
    /// Adding it rounds to integers: the last bit of the sum stands for 1.
    const ROUND: f32 = 12_582_912.0; // 1.5 * 2^23
    /// `ln(2)`, its first bits, so that multiples are exact, and the rest.
    const LN_2: [f32; 2] = [0.693_359_4, -2.121_944_4e-4];
    const TAYLOR: [f32; 8] = [
        1.0,
        1.0,
        1.0 / 2.0,
        1.0 / 6.0,
        1.0 / 24.0,
        1.0 / 120.0,
        1.0 / 720.0,
        1.0 / 5040.0,
    ];
    // NaN passes both comparisons, which are false.
    let [low, high] = [simd.splat_f32s(-LIMIT), simd.splat_f32s(LIMIT)];
    let x = simd.select_f32s(simd.less_than_f32s(x, low), low, x);
    let x = simd.select_f32s(simd.greater_than_f32s(x, high), high, x);
    let shifted = simd.mul_add_e_f32s(
        x,
        simd.splat_f32s(std::f32::consts::LOG2_E),
        simd.splat_f32s(ROUND),
    );
    let n = simd.sub_f32s(shifted, simd.splat_f32s(ROUND));
    let mut r = x;
    for part in LN_2 {
        r = simd.mul_add_e_f32s(n, simd.splat_f32s(-part), r);
    }
    let mut sum = simd.splat_f32s(TAYLOR[7]);
    for coefficient in TAYLOR[..7].iter().rev() {
        sum = simd.mul_add_e_f32s(sum, r, simd.splat_f32s(*coefficient));
    }
    // The low bits of `shifted` are n: as an exponent they make 2^n.
    let bits = simd.transmute_u32s_f32s(shifted);
    let exponent = simd.add_u32s(bits, simd.splat_u32s(127));
    let power = simd.transmute_f32s_u32s(simd.wrapping_dyn_shl_u32s(exponent, simd.splat_u32s(23)));
    simd.mul_f32s(sum, power)
}
