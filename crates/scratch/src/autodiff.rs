//! Glue to Burn's autodiff, boring on purpose: unpack state, call the gradients, register them. The
//! maths is in the files named after it.

use burn::backend::Autodiff;
use burn::backend::TensorMetadata;
use burn::backend::autodiff::checkpoint::base::Checkpointer;
use burn::backend::autodiff::checkpoint::strategy::CheckpointStrategy;
use burn::backend::autodiff::grads::Gradients;
use burn::backend::autodiff::ops::{Backward, Ops, OpsKind};
use burn::backend::tensor::FloatTensor;

use crate::ConvGeometry;
use crate::activation::{prelu_alpha_backward, prelu_x_backward};
use crate::conv_block::Convolution;
use crate::conv_transpose2d::{conv_transpose2d_weight_backward, conv_transpose2d_x_backward};
use crate::conv2d::{bias_backward, conv2d_weight_backward, conv2d_x_backward};
use crate::ops::{ScratchOps, size};

impl<B: ScratchOps, C: CheckpointStrategy> ScratchOps for Autodiff<B, C> {
    fn unfold(x: FloatTensor<Self>, geometry: ConvGeometry) -> FloatTensor<Self> {
        let shape = x.shape();
        let size = [shape[2], shape[3]];
        record::<B, C, _, 1>(Unfold, [x], |[x]| {
            (B::unfold(x, geometry), (geometry, size))
        })
    }

    fn fold(
        columns: FloatTensor<Self>,
        geometry: ConvGeometry,
        size: [usize; 2],
    ) -> FloatTensor<Self> {
        record::<B, C, _, 1>(Fold, [columns], |[columns]| {
            (B::fold(columns, geometry, size), geometry)
        })
    }

    fn conv2d(
        x: FloatTensor<Self>,
        weight: FloatTensor<Self>,
        geometry: ConvGeometry,
        positions: [usize; 2],
    ) -> FloatTensor<Self> {
        record::<B, C, _, 2>(Conv2d, [x, weight], |[x, weight]| {
            let y = <B as ScratchOps>::conv2d(x.clone(), weight.clone(), geometry, positions);
            (y, (x, weight, geometry))
        })
    }

    fn conv_transpose2d(
        x: FloatTensor<Self>,
        weight: FloatTensor<Self>,
        geometry: ConvGeometry,
        size: [usize; 2],
    ) -> FloatTensor<Self> {
        record::<B, C, _, 2>(ConvTranspose2d, [x, weight], |[x, weight]| {
            let y = <B as ScratchOps>::conv_transpose2d(x.clone(), weight.clone(), geometry, size);
            (y, (x, weight, geometry))
        })
    }

    fn add_bias(x: FloatTensor<Self>, bias: FloatTensor<Self>) -> FloatTensor<Self> {
        record::<B, C, _, 2>(AddBias, [x, bias], |[x, bias]| (B::add_bias(x, bias), ()))
    }

    fn relu(x: FloatTensor<Self>) -> FloatTensor<Self> {
        record::<B, C, _, 1>(Relu, [x], |[x]| (<B as ScratchOps>::relu(x.clone()), x))
    }

    fn prelu(x: FloatTensor<Self>, alpha: FloatTensor<Self>) -> FloatTensor<Self> {
        record::<B, C, _, 2>(PRelu, [x, alpha], |[x, alpha]| {
            (
                <B as ScratchOps>::prelu(x.clone(), alpha.clone()),
                (x, alpha),
            )
        })
    }

    fn sigmoid(x: FloatTensor<Self>) -> FloatTensor<Self> {
        record::<B, C, _, 1>(Sigmoid, [x], |[x]| {
            let y = <B as ScratchOps>::sigmoid(x);
            (y.clone(), y)
        })
    }

    fn conv_block(
        x: FloatTensor<Self>,
        weight: FloatTensor<Self>,
        bias: FloatTensor<Self>,
        slope: FloatTensor<Self>,
        convolution: Convolution,
    ) -> FloatTensor<Self> {
        record::<B, C, _, 4>(ConvBlock, [x, weight, bias, slope], |inputs| {
            let [x, weight, bias, slope] = inputs.clone();
            let y = B::conv_block(x, weight, bias, slope, convolution);
            (y.clone(), (inputs, y, convolution))
        })
    }

    fn upsampled_conv_block(
        x: FloatTensor<Self>,
        skip: FloatTensor<Self>,
        weight: FloatTensor<Self>,
        bias: FloatTensor<Self>,
        slope: FloatTensor<Self>,
    ) -> FloatTensor<Self> {
        let inputs = [x, skip, weight, bias, slope];
        record::<B, C, _, 5>(UpsampledConvBlock, inputs, |inputs| {
            let [x, skip, weight, bias, slope] = inputs.clone();
            let y = B::upsampled_conv_block(x, skip, weight, bias, slope);
            (y.clone(), (inputs, y, ()))
        })
    }

    fn max_pool2x2(x: FloatTensor<Self>) -> FloatTensor<Self> {
        record::<B, C, _, 1>(MaxPool, [x], |[x]| (B::max_pool2x2(x.clone()), x))
    }

    fn mse(x: FloatTensor<Self>, y: FloatTensor<Self>) -> FloatTensor<Self> {
        record::<B, C, _, 2>(Mse, [x, y], |[x, y]| (B::mse(x.clone(), y.clone()), (x, y)))
    }
}

/// Runs an op and puts it on the tape if one of its inputs is tracked.
fn record<B, C, O, const N: usize>(
    op: O,
    inputs: [FloatTensor<Autodiff<B, C>>; N],
    forward: impl FnOnce([FloatTensor<B>; N]) -> (FloatTensor<B>, O::State),
) -> FloatTensor<Autodiff<B, C>>
where
    B: ScratchOps,
    C: CheckpointStrategy,
    O: Backward<B, N>,
{
    let nodes = inputs.each_ref().map(|input| input.node());
    let (output, state) = forward(inputs.map(|input| input.into_primitive()));
    match op.prepare::<C>(nodes).compute_bound().stateful() {
        OpsKind::Tracked(prep) => prep.finish(state, output),
        OpsKind::UnTracked(prep) => prep.finish(output),
    }
}

/// Declares an op's backward pass: for each parent that is tracked, register its gradient.
macro_rules! backward {
    ($op:ident, $parents:literal, $state:ty, |$unpacked:pat_param, $grad:ident| [$($gradient:expr),+]) => {
        #[derive(Debug)]
        struct $op;

        impl<B: ScratchOps> Backward<B, $parents> for $op {
            type State = $state;

            fn backward(
                self,
                ops: Ops<Self::State, $parents>,
                grads: &mut Gradients,
                _checkpointer: &mut Checkpointer,
            ) {
                let $grad = grads.consume::<B>(&ops.node);
                let $unpacked = &ops.state;
                let mut parents = ops.parents.into_iter();
                $(
                    if let Some(parent) = parents.next().flatten() {
                        let $grad = $grad.clone();
                        grads.register::<B>(parent.id, $gradient);
                    }
                )+
            }
        }
    };
}

type Conv<B> = (FloatTensor<B>, FloatTensor<B>, ConvGeometry);

backward!(
    Unfold,
    1,
    (ConvGeometry, [usize; 2]),
    |(geometry, size), grad| [B::fold(grad, *geometry, *size)]
);
backward!(Fold, 1, ConvGeometry, |geometry, grad| [B::unfold(
    grad, *geometry
)]);
backward!(Conv2d, 2, Conv<B>, |(x, weight, geometry), grad| [
    conv2d_x_backward::<B>(weight.clone(), grad, *geometry, size::<B>(x)),
    conv2d_weight_backward::<B>(x.clone(), grad, *geometry)
]);
backward!(
    ConvTranspose2d,
    2,
    Conv<B>,
    |(x, weight, geometry), grad| [
        conv_transpose2d_x_backward::<B>(weight.clone(), grad, *geometry, size::<B>(x)),
        conv_transpose2d_weight_backward::<B>(x.clone(), grad, *geometry)
    ]
);
backward!(AddBias, 2, (), |_, grad| [grad, bias_backward::<B>(grad)]);
backward!(Relu, 1, FloatTensor<B>, |x, grad| [
    <B as ScratchOps>::relu_backward(x.clone(), grad)
]);
backward!(
    PRelu,
    2,
    (FloatTensor<B>, FloatTensor<B>),
    |(x, alpha), grad| [
        prelu_x_backward::<B>(x.clone(), alpha.clone(), grad),
        prelu_alpha_backward::<B>(x.clone(), grad, alpha.shape()[0])
    ]
);
backward!(Sigmoid, 1, FloatTensor<B>, |output, grad| [
    <B as ScratchOps>::sigmoid_backward(output.clone(), grad)
]);
backward!(MaxPool, 1, FloatTensor<B>, |x, grad| [
    B::max_pool2x2_backward(x.clone(), grad)
]);
backward!(Mse, 2, (FloatTensor<B>, FloatTensor<B>), |(x, y), grad| [
    B::mse_backward(x.clone(), y.clone(), grad),
    B::mse_backward(y.clone(), x.clone(), grad)
]);

/// Declares the backward pass of an op whose gradients all come from one call.
macro_rules! joint_backward {
    ($op:ident, $parents:literal, $options:ty, |$inputs:pat_param, $output:ident, $chosen:pat_param, $grad:ident, $wanted:ident| $gradients:expr) => {
        #[derive(Debug)]
        struct $op;

        impl<B: ScratchOps> Backward<B, $parents> for $op {
            type State = ([FloatTensor<B>; $parents], FloatTensor<B>, $options);

            fn backward(
                self,
                ops: Ops<Self::State, $parents>,
                grads: &mut Gradients,
                _checkpointer: &mut Checkpointer,
            ) {
                let $grad = grads.consume::<B>(&ops.node);
                let ($inputs, $output, $chosen) = ops.state;
                let $wanted = |parent: usize| ops.parents[parent].is_some();
                let gradients: Vec<Option<FloatTensor<B>>> = $gradients;
                for (parent, gradient) in ops.parents.into_iter().zip(gradients) {
                    if let (Some(parent), Some(gradient)) = (parent, gradient) {
                        grads.register::<B>(parent.id, gradient);
                    }
                }
            }
        }
    };
}

joint_backward!(
    ConvBlock,
    4,
    Convolution,
    |[x, weight, bias, slope], output, convolution, grad, wanted| {
        let wanted = [wanted(0), wanted(3)];
        B::conv_block_backward(x, weight, bias, slope, output, grad, convolution, wanted)
    }
);
joint_backward!(
    UpsampledConvBlock,
    5,
    (),
    |[x, skip, weight, bias, slope], output, (), grad, wanted| {
        let wanted = [wanted(0), wanted(1), wanted(4)];
        B::upsampled_conv_block_backward(x, skip, weight, bias, slope, output, grad, wanted)
    }
);
