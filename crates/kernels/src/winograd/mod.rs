//! Convolution by a 3x3 kernel, stride 1, padding 1, and its gradients, by Winograd's F(2x2, 3x3).
//!
//! An output tile `Y` of 2x2 pixels comes from an input patch `d` of 4x4 by
//! `Y = A^T [sum over channels of (G g G^T) * (B^T d B)] A`, `*` element by element: 16 products in
//! place of 36 (Lavin and Gray, "Fast Algorithms for Convolutional Neural Networks", 2016). The sum
//! over channels is a matrix product for each of the 16 elements. Gradients are the adjoint of
//! every step, so that forward and backward share the transforms:
//! `dU = sum over tiles of (A dY A^T) * (B^T d B)`, `dg = G^T dU G`, and
//! `dd = B [U * (A dY A^T)] B^T`, added where patches overlap.
//!
//! A source that is upsampled by 2 (nearest neighbour) is read as stored. Each tile then covers
//! one of its pixels, whose 4x4 patch has the rows `l[-1], l[0], l[0], l[1]`: the third row of `B^T d`
//! vanishes, and 9 products remain. The products of concatenated sources add up before `A`, so
//! upsampled and concatenated images are never stored.

#![allow(unsafe_code)] // Vouches for what it wrote.

mod backward;
mod forward;
mod patches;
mod tiles;
mod transforms;
mod weight;

use self::backward::{Backward, Partial};
use self::forward::Forward;
use self::weight::{GatherWeight, TransformWeight};
use crate::output::{Unwritten, unwritten, written};
use crate::parallel::{parts, run, split, summed_parts};
use crate::vectors::dispatch;
use crate::{Epilogue, Gradients, Images, Saved};

/// Some channels of the input, channels-last.
#[derive(Clone, Copy, Debug)]
pub struct Source<'a> {
    /// `[batch_size, height, width, channels]`
    pub values: &'a [f32],
    /// Channels of a pixel.
    pub channels: usize,
    /// Whether the source is upsampled by 2, nearest neighbour.
    pub upsampled: bool,
}

impl Source<'_> {
    /// Rows and columns of a patch, as stored.
    fn taps(&self) -> usize {
        if self.upsampled { 3 } else { 4 }
    }

    fn frequencies(&self) -> usize {
        self.taps() * self.taps()
    }
}

/// Convolution, bias and activation.
///
/// # Shapes
/// - `sources`: their channels, in this order, are the input's
/// - `weight`: `[channels_out, channels_in, 3, 3]`
/// - output: `[batch_size, height, width, channels_out]`
///
/// # Panics
/// If a length does not fit the others.
pub fn forward(images: Images, sources: &[Source], weight: &[f32], epilogue: Epilogue) -> Vec<f32> {
    let channels_out = epilogue.bias.len();
    check(images, sources, weight, epilogue);
    let transformed = dispatch(TransformWeight {
        weight,
        sources,
        channels_out,
        transposed: false,
    });
    let mut output = unwritten(images.batch_size * images.height * images.width * channels_out);
    let parts: Vec<_> = parts(images.tile_rows()).collect();
    let pieces = split(
        &mut output,
        parts
            .iter()
            .map(|part| images.pixels(part).len() * channels_out),
    );
    let work: Vec<_> = parts.into_iter().zip(pieces).collect();
    run(work, |(tile_rows, output)| {
        dispatch(Forward {
            images,
            sources,
            transformed: &transformed,
            epilogue,
            tile_rows,
            output,
        });
    });
    // SAFETY: the rows of tiles cover the output, and `Forward` writes each pixel of its part.
    unsafe { written(output) }
}

/// Gradients by every source that is `wanted`, by weight, bias and slope.
///
/// # Panics
/// If a length does not fit the others.
pub fn backward(
    images: Images,
    sources: &[Source],
    wanted: &[bool],
    weight: &[f32],
    saved: Saved,
) -> Gradients {
    let channels_out = saved.slope.len();
    let bias = saved.inverse;
    let epilogue = Epilogue {
        bias,
        slope: saved.slope,
    };
    check(images, sources, weight, epilogue);
    assert_eq!(
        sources.len(),
        wanted.len(),
        "expected a wish for each source"
    );
    let pixels = images.batch_size * images.height * images.width;
    assert_eq!(
        saved.output.len(),
        pixels * channels_out,
        "output of another shape"
    );
    assert_eq!(
        saved.grad.len(),
        pixels * channels_out,
        "gradient of another shape"
    );

    let transformed = dispatch(TransformWeight {
        weight,
        sources,
        channels_out,
        transposed: true,
    });
    let wanted_sources = sources.iter().zip(wanted);
    let mut source_grads: Vec<_> = wanted_sources
        .map(|(source, wanted)| wanted.then(|| unwritten(source.values.len())))
        .collect();
    let mut work: Vec<(_, Vec<Option<&mut Unwritten>>)> =
        summed_parts(images.batch_size, images.tiles().iter().product())
            .map(|part| (part, vec![]))
            .collect();
    for grad in &mut source_grads {
        let Some(grad) = grad else {
            work.iter_mut().for_each(|(_, pieces)| pieces.push(None));
            continue;
        };
        let image = grad.len() / images.batch_size;
        let lengths: Vec<_> = work.iter().map(|(part, _)| part.len() * image).collect();
        let pieces = split(grad, lengths.into_iter());
        for ((_, pieces), piece) in work.iter_mut().zip(pieces) {
            pieces.push(Some(piece));
        }
    }
    let partial: Vec<Partial> = run(work, |(batch, source_grads)| {
        dispatch(Backward {
            images,
            sources,
            transformed: &transformed,
            saved,
            batch,
            source_grads,
        })
    });
    let channels_in = sources.iter().map(|source| source.channels).sum::<usize>();
    // SAFETY: the parts cover the batch, and `Backward` starts from zeros.
    let written = |grad: Option<_>| grad.map(|grad| unsafe { written(grad) });
    let mut gradients = Gradients {
        sources: source_grads.into_iter().map(written).collect(),
        weight: vec![0.0; channels_out * channels_in * 9],
        bias: vec![0.0; channels_out],
        slope: vec![0.0; channels_out],
    };
    for partial in &partial {
        partial.activation.add_to(&mut gradients);
    }
    dispatch(GatherWeight {
        partial: &partial,
        sources,
        weight: &mut gradients.weight,
        channels_out,
    });
    gradients
}

fn check(images: Images, sources: &[Source], weight: &[f32], epilogue: Epilogue) {
    let (channels_out, slopes) = (epilogue.bias.len(), epilogue.slope.len());
    assert_eq!(slopes, channels_out, "expected as many slopes as biases");
    let pixels = images.batch_size * images.height * images.width;
    for source in sources {
        let shrink = if source.upsampled { 4 } else { 1 };
        let even = images.height.is_multiple_of(2) && images.width.is_multiple_of(2);
        assert!(
            even || !source.upsampled,
            "an upsampled source has even sides"
        );
        let expected = pixels / shrink * source.channels;
        assert_eq!(source.values.len(), expected, "source of another shape");
    }
    let channels_in = sources.iter().map(|source| source.channels).sum::<usize>();
    let expected = channels_out * channels_in * 9;
    assert_eq!(weight.len(), expected, "weight of another shape");
}
