//! Activations and loss of `n2n_kernels` on tensors.

use burn::backend::TensorMetadata;
use burn::backend::tensor::FloatTensor;
use burn::tensor::{DType, Shape};
use n2n_kernels::elementwise;

use super::Host;
use super::values::{Values, images, tensor};
use crate::{activation, loss};

/// `max(x, 0)`
pub(crate) fn relu<B: Host>(x: FloatTensor<B>) -> FloatTensor<B> {
    if !is_served::<B>(&[&x]) {
        return activation::relu::<B>(x);
    }
    Aligned::<B, 1>::new([x]).map(|[x]| elementwise::relu(x))
}

/// Gradient of [`relu`].
pub(crate) fn relu_backward<B: Host>(
    x: FloatTensor<B>,
    output_grad: FloatTensor<B>,
) -> FloatTensor<B> {
    if !is_served::<B>(&[&x, &output_grad]) {
        return activation::relu_backward::<B>(x, output_grad);
    }
    Aligned::<B, 2>::new([x, output_grad]).map(|[x, grad]| elementwise::relu_backward(x, grad))
}

/// `1 / (1 + exp(-x))`
pub(crate) fn sigmoid<B: Host>(x: FloatTensor<B>) -> FloatTensor<B> {
    if !is_served::<B>(&[&x]) {
        return activation::sigmoid::<B>(x);
    }
    Aligned::<B, 1>::new([x]).map(|[x]| elementwise::sigmoid(x))
}

/// Gradient of [`sigmoid`] from its output.
pub(crate) fn sigmoid_backward<B: Host>(
    output: FloatTensor<B>,
    output_grad: FloatTensor<B>,
) -> FloatTensor<B> {
    if !is_served::<B>(&[&output, &output_grad]) {
        return activation::sigmoid_backward::<B>(output, output_grad);
    }
    Aligned::<B, 2>::new([output, output_grad])
        .map(|[y, grad]| elementwise::sigmoid_backward(y, grad))
}

/// Mean squared error.
pub(crate) fn mse<B: Host>(x: FloatTensor<B>, y: FloatTensor<B>) -> FloatTensor<B> {
    if !is_served::<B>(&[&x, &y]) {
        return loss::mse::<B>(x, y);
    }
    let device = x.device();
    let aligned = Aligned::<B, 2>::new([x, y]);
    let [x, y] = aligned.values();
    let mean = elementwise::squared_error(x, y) / x.len() as f64;
    tensor::<B>(vec![mean as f32], Shape::new([1]), &device)
}

/// Gradient of [`mse`] by `x`.
pub(crate) fn mse_backward<B: Host>(
    x: FloatTensor<B>,
    y: FloatTensor<B>,
    output_grad: FloatTensor<B>,
) -> FloatTensor<B> {
    if !is_served::<B>(&[&x, &y, &output_grad]) {
        return loss::mse_backward::<B>(x, y, output_grad);
    }
    let output_grad = Values::<B>::new(output_grad);
    let scale = 2.0 / x.shape().num_elements() as f32 * output_grad.get()[0];
    Aligned::<B, 2>::new([x, y]).map(|[x, y]| elementwise::scaled_difference(x, y, scale))
}

fn is_served<B: Host>(operands: &[&FloatTensor<B>]) -> bool {
    operands.iter().all(|x| x.dtype() == DType::F32)
}

/// Images of one shape, their values in one order.
struct Aligned<B: Host, const N: usize> {
    operands: [Values<B>; N],
    channels_last: bool,
    shape: [usize; 4],
    device: B::Device,
}

impl<B: Host, const N: usize> Aligned<B, N> {
    fn new(operands: [FloatTensor<B>; N]) -> Self {
        let channels_last = operands.iter().any(|x| B::values(x).is_none());
        let (shape, device) = (operands[0].shape().dims(), operands[0].device());
        let values = |x| match channels_last {
            true => Values::images(x),
            false => Values::new(x),
        };
        Self {
            operands: operands.map(values),
            channels_last,
            shape,
            device,
        }
    }

    fn values(&self) -> [&[f32]; N] {
        self.operands.each_ref().map(Values::get)
    }

    fn map(&self, compute: impl FnOnce([&[f32]; N]) -> Vec<f32>) -> FloatTensor<B> {
        let values = compute(self.values());
        match self.channels_last {
            true => images::<B>(values, self.shape, &self.device),
            false => tensor::<B>(values, Shape::new(self.shape), &self.device),
        }
    }
}
