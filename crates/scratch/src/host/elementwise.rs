//! The pointwise kernels and the loss of `n2n_kernels` on tensors.

use burn::backend::TensorMetadata;
use burn::backend::tensor::FloatTensor;
use burn::tensor::Shape;
use n2n_kernels::elementwise;

use super::Host;
use super::values::{Values, images, tensor};

/// A function of slices, value by value, on images of one shape.
pub(crate) fn pointwise<B: Host, const N: usize>(
    operands: [FloatTensor<B>; N],
    compute: impl FnOnce([&[f32]; N]) -> Vec<f32>,
) -> FloatTensor<B> {
    Aligned::<B, N>::new(operands).map(compute)
}

/// Mean squared error.
pub(crate) fn mse<B: Host>(x: FloatTensor<B>, y: FloatTensor<B>) -> FloatTensor<B> {
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
    let output_grad = Values::<B>::new(output_grad);
    let scale = 2.0 / x.shape().num_elements() as f32 * output_grad.get()[0];
    Aligned::<B, 2>::new([x, y]).map(|[x, y]| elementwise::scaled_difference(x, y, scale))
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
        let values = |x| {
            if channels_last {
                Values::images(x)
            } else {
                Values::new(x)
            }
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
        if self.channels_last {
            images::<B>(values, self.shape, &self.device)
        } else {
            tensor::<B>(values, Shape::new(self.shape), &self.device)
        }
    }
}
