//! The ops as an extension of Burn's backends. Glue only: the maths is in the files named after it.
//!
//! Every op has a default body over the backend's own primitives, so it runs on any backend; a
//! backend with a faster kernel overrides the method.

// The ndarray backend is deprecated in favour of flex, and kept for comparison.
#![allow(deprecated)]

use burn::backend::tensor::FloatTensor;
use burn::backend::wgpu::CubeBackend;
use burn::backend::{Backend, Flex, NdArray, backend_extension};

use crate::{ConvGeometry, activation, conv_transpose2d, conv2d, host, loss, unfold};

/// The hand-written ops, on primitives.
#[backend_extension(Autodiff, Cube, Flex, NdArray, Fusion)]
pub trait ScratchOps: Backend {
    /// Columns of a frame, see [`crate::unfold()`].
    #[fusion(default)]
    fn unfold(frame: FloatTensor<Self>, geometry: ConvGeometry) -> FloatTensor<Self> {
        unfold::unfold::<Self>(frame, geometry)
    }

    /// The frame of columns, see [`crate::fold()`].
    #[fusion(default)]
    fn fold(
        columns: FloatTensor<Self>,
        geometry: ConvGeometry,
        size: [usize; 2],
    ) -> FloatTensor<Self> {
        unfold::fold::<Self>(columns, geometry, size)
    }

    /// See [`crate::conv2d()`]; without bias, at so many positions of the kernel.
    #[fusion(default)]
    fn conv2d(
        x: FloatTensor<Self>,
        weight: FloatTensor<Self>,
        geometry: ConvGeometry,
        positions: [usize; 2],
    ) -> FloatTensor<Self> {
        conv2d::conv2d::<Self>(x, weight, geometry, positions)
    }

    /// See [`crate::conv_transpose2d()`]; without bias, for an output of `size`.
    #[fusion(default)]
    fn conv_transpose2d(
        x: FloatTensor<Self>,
        weight: FloatTensor<Self>,
        geometry: ConvGeometry,
        size: [usize; 2],
    ) -> FloatTensor<Self> {
        conv_transpose2d::conv_transpose2d::<Self>(x, weight, geometry, size)
    }

    /// Adds `bias[c]` to every pixel of channel `c`.
    #[fusion(default)]
    fn add_bias(x: FloatTensor<Self>, bias: FloatTensor<Self>) -> FloatTensor<Self> {
        conv2d::add_bias::<Self>(x, bias)
    }

    /// See [`crate::relu()`].
    #[fusion(default)]
    fn relu(x: FloatTensor<Self>) -> FloatTensor<Self> {
        activation::relu::<Self>(x)
    }

    /// See [`crate::prelu()`].
    #[fusion(default)]
    fn prelu(x: FloatTensor<Self>, alpha: FloatTensor<Self>) -> FloatTensor<Self> {
        activation::prelu::<Self>(x, alpha)
    }

    /// See [`crate::sigmoid()`].
    #[fusion(default)]
    fn sigmoid(x: FloatTensor<Self>) -> FloatTensor<Self> {
        activation::sigmoid::<Self>(x)
    }

    /// See [`crate::mse()`].
    #[fusion(default)]
    fn mse(x: FloatTensor<Self>, y: FloatTensor<Self>) -> FloatTensor<Self> {
        loss::mse::<Self>(x, y)
    }
}

impl ScratchOps for CubeBackend {}

/// Unfold and fold are copies, which the host makes faster itself.
macro_rules! on_host {
    ($backend:ident) => {
        impl ScratchOps for $backend {
            fn unfold(frame: FloatTensor<Self>, geometry: ConvGeometry) -> FloatTensor<Self> {
                host::unfold::<Self>(frame, geometry)
            }

            fn fold(
                columns: FloatTensor<Self>,
                geometry: ConvGeometry,
                size: [usize; 2],
            ) -> FloatTensor<Self> {
                host::fold::<Self>(columns, geometry, size)
            }
        }
    };
}

on_host!(NdArray);
on_host!(Flex);
