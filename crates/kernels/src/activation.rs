//! Bias and activation after a convolution, and their gradients.

use pulp::Simd;

use crate::lanes::{accumulate, load};
use crate::workspace::Workspace;

/// Bias and activation after a convolution: `y = z` where `z > 0`, else `slope * z`, where `z = conv + bias`.
#[derive(Clone, Copy, Debug)]
pub struct Epilogue<'a> {
    /// One value for each output channel.
    pub bias: &'a [f32],
    /// One value for each output channel: 1 makes it linear, 0 a ReLU.
    pub slope: &'a [f32],
}

/// Output and its gradient, for a backward pass.
#[derive(Clone, Copy, Debug)]
pub struct Saved<'a> {
    /// `y` or `z`: has the sign of `z`, and `inverse * output` is `z` where `z` is not positive.
    pub output: &'a [f32],
    /// One value for each output channel: 1 if `output` is `z`, `1 / slope` if it is `y`.
    pub inverse: &'a [f32],
    /// One value for each output channel.
    pub slope: &'a [f32],
    /// Gradient of the loss by the output.
    pub grad: &'a [f32],
}

/// Gradients of a convolution.
#[derive(Clone, Debug)]
pub struct Gradients {
    /// By each source of its input, if wanted.
    pub sources: Vec<Option<Vec<f32>>>,
    /// In the weight's shape.
    pub weight: Vec<f32>,
    /// One value for each output channel.
    pub bias: Vec<f32>,
    /// One value for each output channel.
    pub slope: Vec<f32>,
}

/// `y` from `z`.
#[inline(always)]
pub(crate) fn activate<S: Simd>(simd: S, z: S::f32s, slope: S::f32s) -> S::f32s {
    let positive = simd.less_than_f32s(simd.splat_f32s(0.0), z);
    simd.select_f32s(positive, z, simd.mul_f32s(slope, z))
}

/// Sums of the gradients of bias and slope over some pixels; padded to a multiple of the vector length.
pub(crate) struct ActivationSums {
    bias: Workspace,
    slope: Workspace,
}

impl ActivationSums {
    pub(crate) fn new(padded_channels: usize) -> Self {
        Self {
            bias: Workspace::zeros(padded_channels),
            slope: Workspace::zeros(padded_channels),
        }
    }

    pub(crate) fn add_to(&self, gradients: &mut Gradients) {
        let totals = gradients.bias.iter_mut().zip(&*self.bias);
        totals.for_each(|(total, sum)| *total += sum);
        let totals = gradients.slope.iter_mut().zip(&*self.slope);
        totals.for_each(|(total, sum)| *total += sum);
    }
}

/// Backward pass of the activation for one vector of channels.
pub(crate) struct ActivationBackward<S: Simd> {
    slope: S::f32s,
    bias_sum: S::f32s,
    slope_sum: S::f32s,
}

impl<S: Simd> ActivationBackward<S> {
    #[inline(always)]
    pub(crate) fn new(simd: S, saved: Saved, channel: usize) -> Self {
        Self {
            slope: load(simd, saved.slope, channel),
            bias_sum: simd.splat_f32s(0.0),
            slope_sum: simd.splat_f32s(0.0),
        }
    }

    /// The gradient by `z` of the values that start at `at`.
    #[inline(always)]
    pub(crate) fn step(&mut self, simd: S, saved: Saved, at: usize) -> S::f32s {
        let zero = simd.splat_f32s(0.0);
        let output = load(simd, saved.output, at);
        let grad = load(simd, saved.grad, at);
        let positive = simd.less_than_f32s(zero, output);
        let z_grad = simd.select_f32s(positive, grad, simd.mul_f32s(self.slope, grad));
        self.bias_sum = simd.add_f32s(self.bias_sum, z_grad);
        let product = simd.select_f32s(positive, zero, simd.mul_f32s(output, grad));
        self.slope_sum = simd.add_f32s(self.slope_sum, product);
        z_grad
    }

    #[inline(always)]
    pub(crate) fn finish(self, simd: S, saved: Saved, channel: usize, sums: &mut ActivationSums) {
        accumulate(simd, &mut sums.bias, channel, self.bias_sum);
        let inverse = load(simd, saved.inverse, channel);
        let slope_sum = simd.mul_f32s(self.slope_sum, inverse);
        accumulate(simd, &mut sums.slope, channel, slope_sum);
    }
}
