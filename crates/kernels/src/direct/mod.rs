//! Convolution and transposed convolution of any geometry, and their gradients: blocks of unfolded
//! patches, channels innermost, times the kernel.
//!
//! For patches `P` of a frame, one row for each position of the kernel, and the kernel as a matrix `W`,
//! a convolution is `Y = P(X) W` with the gradients `dX = P^T(dY W^T)` and `dW = P(X)^T dY`. The
//! transposed convolution exchanges the two sides: `Y = P^T(X W^T)`, `dX = P(dY) W`,
//! `dW = P(dY)^T X`.

#![allow(unsafe_code)] // Asserts that the output is initialized.

mod geometry;
mod parts;
mod patches;
mod weight;

use std::ops::Range;

pub use self::geometry::Geometry;
use self::parts::{Conv, ConvBackward, ConvTranspose, ConvTransposeBackward, Partial};
use self::weight::{FromPatch, Sizes, ToPatch, UnpackGrad};
use crate::output::{Unwritten, unwritten, written};
use crate::parallel::{parts, run, split, summed_parts};
use crate::vectors::dispatch;
use crate::{Epilogue, Gradients, Saved};

/// Convolution, bias and activation.
///
/// # Shapes
/// - `x`: `[batch_size, height, width, channels_in]`, the frame
/// - `weight`: `[channels_out, channels_in, kernel_height, kernel_width]`
/// - output: `[batch_size, height_out, width_out, channels_out]`, a pixel for each position
///
/// # Panics
/// If a length does not fit the others.
pub fn conv2d(geometry: Geometry, x: &[f32], weight: &[f32], epilogue: Epilogue) -> Vec<f32> {
    let channels_out = epilogue.bias.len();
    let sizes = Sizes::of_positions(&geometry, channels_out, weight);
    check(&geometry, sizes, weight, [Some(x), None]);
    let from_patch = dispatch(FromPatch { weight, sizes });
    let image = geometry.image_positions() * channels_out;
    let frame = geometry.image_pixels() * sizes.frame_channels;
    by_images(&geometry, image, |batch, output| {
        dispatch(Conv {
            geometry,
            sizes,
            from_patch: &from_patch,
            epilogue,
            x: &x[batch.start * frame..batch.end * frame],
            output,
        });
    })
}

/// Gradients of [`conv2d`] by its input, if `wanted`, by weight, bias and slope.
///
/// # Panics
/// If a length does not fit the others.
pub fn conv2d_backward(
    geometry: Geometry,
    x: &[f32],
    wanted: bool,
    weight: &[f32],
    saved: Saved,
) -> Gradients {
    let sizes = Sizes::of_positions(&geometry, saved.slope.len(), weight);
    check(&geometry, sizes, weight, [Some(x), Some(saved.grad)]);
    let to_patch = dispatch(ToPatch { weight, sizes });
    gradients(&geometry, sizes, x, wanted, saved, |batch, x_grad| {
        dispatch(ConvBackward {
            geometry,
            sizes,
            to_patch: &to_patch,
            saved,
            batch,
            x,
            x_grad,
        })
    })
}

/// Transposed convolution, bias and activation.
///
/// # Shapes
/// - `x`: `[batch_size, height, width, channels_in]`, a pixel for each position
/// - `weight`: `[channels_in, channels_out, kernel_height, kernel_width]`
/// - output: `[batch_size, height_out, width_out, channels_out]`, the frame
///
/// # Panics
/// If a length does not fit the others.
pub fn conv_transpose2d(
    geometry: Geometry,
    x: &[f32],
    weight: &[f32],
    epilogue: Epilogue,
) -> Vec<f32> {
    let channels_out = epilogue.bias.len();
    let sizes = Sizes::of_frame(&geometry, channels_out, weight);
    check(&geometry, sizes, weight, [None, Some(x)]);
    let to_patch = dispatch(ToPatch { weight, sizes });
    let image = geometry.image_positions() * sizes.position_channels;
    let frame = geometry.image_pixels() * channels_out;
    by_images(&geometry, frame, |batch, output| {
        dispatch(ConvTranspose {
            geometry,
            sizes,
            to_patch: &to_patch,
            epilogue,
            x: &x[batch.start * image..batch.end * image],
            output,
        });
    })
}

/// Gradients of [`conv_transpose2d`] by its input, if `wanted`, by weight, bias and slope.
///
/// # Panics
/// If a length does not fit the others.
pub fn conv_transpose2d_backward(
    geometry: Geometry,
    x: &[f32],
    wanted: bool,
    weight: &[f32],
    saved: Saved,
) -> Gradients {
    let sizes = Sizes::of_frame(&geometry, saved.slope.len(), weight);
    check(&geometry, sizes, weight, [Some(saved.grad), Some(x)]);
    let from_patch = dispatch(FromPatch { weight, sizes });
    gradients(&geometry, sizes, x, wanted, saved, |batch, x_grad| {
        dispatch(ConvTransposeBackward {
            geometry,
            sizes,
            from_patch: &from_patch,
            saved,
            batch,
            x,
            x_grad,
        })
    })
}

impl Sizes {
    fn of_positions(geometry: &Geometry, position_channels: usize, weight: &[f32]) -> Self {
        let taps = geometry.taps();
        Self {
            position_channels,
            frame_channels: weight.len() / (position_channels * taps).max(1),
            taps,
        }
    }

    fn of_frame(geometry: &Geometry, frame_channels: usize, weight: &[f32]) -> Self {
        let taps = geometry.taps();
        Self {
            position_channels: weight.len() / (frame_channels * taps).max(1),
            frame_channels,
            taps,
        }
    }
}

/// Checks the lengths of the weight, of frames, and of images with a pixel for each position.
fn check(geometry: &Geometry, sizes: Sizes, weight: &[f32], images: [Option<&[f32]>; 2]) {
    assert_eq!(weight.len(), sizes.count(), "weight of another shape");
    let expected = [
        geometry.image_pixels() * sizes.frame_channels,
        geometry.image_positions() * sizes.position_channels,
    ];
    for (values, image) in images.into_iter().zip(expected) {
        if let Some(values) = values {
            let expected = geometry.frame.batch_size * image;
            assert_eq!(values.len(), expected, "images of another shape");
        }
    }
}

/// An output of `image` values per image; `compute` writes all of them for a part of the batch.
fn by_images(
    geometry: &Geometry,
    image: usize,
    compute: impl Fn(Range<usize>, &mut Unwritten) + Sync,
) -> Vec<f32> {
    let mut output = unwritten(geometry.frame.batch_size * image);
    let parts: Vec<_> = parts(geometry.frame.batch_size).collect();
    let pieces = split(&mut output, parts.iter().map(|part| part.len() * image));
    let work: Vec<_> = parts.into_iter().zip(pieces).collect();
    run(work, |(batch, output)| compute(batch, output));
    // SAFETY: the parts cover the batch, and `compute` writes each image of its part.
    unsafe { written(output) }
}

/// Gradients; `compute` returns those of a part of the batch, and writes its gradients by the input.
fn gradients(
    geometry: &Geometry,
    sizes: Sizes,
    x: &[f32],
    wanted: bool,
    saved: Saved,
    compute: impl Fn(Range<usize>, Option<&mut Unwritten>) -> Partial + Sync,
) -> Gradients {
    let got = saved.output.len();
    assert_eq!(got, saved.grad.len(), "output of another shape");
    let image = if wanted {
        x.len() / geometry.frame.batch_size.max(1)
    } else {
        0
    };
    let mut x_grad = unwritten(geometry.frame.batch_size * image);
    let parts: Vec<_> =
        summed_parts(geometry.frame.batch_size, geometry.image_positions()).collect();
    let pieces = split(&mut x_grad, parts.iter().map(|part| part.len() * image));
    let work: Vec<_> = parts.into_iter().zip(pieces).collect();
    let partial = run(work, |(batch, x_grad)| {
        compute(batch, wanted.then_some(x_grad))
    });
    // SAFETY: the parts cover the batch, and `compute` writes each image of its part.
    let x_grad = unsafe { written(x_grad) };
    let channels = saved.slope.len();
    let mut gradients = Gradients {
        sources: vec![wanted.then_some(x_grad)],
        weight: vec![0.0; sizes.count()],
        bias: vec![0.0; channels],
        slope: vec![0.0; channels],
    };
    for partial in &partial {
        partial.activation.add_to(&mut gradients);
    }
    dispatch(UnpackGrad {
        partial: partial.into_iter().map(|partial| partial.weight).collect(),
        sizes,
        weight: &mut gradients.weight,
    });
    gradients
}
