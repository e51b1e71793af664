//! How far around itself a denoised pixel depends on the image.

use n2n_model::NetworkConfig;

/// Pixels that a convolution of the U-Net, of 3x3, reaches to either side.
const REACH: i64 = 1;

/// The largest distance in pixels, along an axis, at which a pixel of the image changes a denoised
/// one.
///
/// It depends on where the pixel stands on the grid of `2^depth` pixels that the halvings make; this is
/// the largest of all places.
///
/// ```
/// use n2n_denoise::receptive_radius;
/// use n2n_model::NetworkConfig;
///
/// assert_eq!(receptive_radius(&NetworkConfig::default()), 78);
/// ```
pub fn receptive_radius(network: &NetworkConfig) -> usize {
    let radius = |pixel: i64| {
        let seen = seen(network, Span::new(pixel));
        (pixel - seen.first).max(seen.last - pixel).unsigned_abs() as usize
    };
    let radii = (0..network.divisor() as i64).map(radius);
    radii.max().unwrap_or(0)
}

/// What the network looks at to compute the pixels of `output`.
fn seen(network: &NetworkConfig, output: Span) -> Span {
    match network {
        NetworkConfig::UNet(config) => seen_by_unet(config.depth, output),
        // Kernels of 2x2 at stride 2, there and back: blocks that do not overlap.
        NetworkConfig::Simple(_) => output.halved().halved().doubled().doubled(),
    }
}

/// The U-Net backwards, from the last convolution to the image.
fn seen_by_unet(depth: usize, output: Span) -> Span {
    let mut span = output.wider(); // conv2
    let mut skips = vec![];
    for _ in 0..depth {
        span = span.wider().wider(); // a decoder block's two convolutions
        skips.push(span);
        span = span.halved(); // upsampling
    }
    span = span.wider(); // conv1
    for level in (0..depth).rev() {
        span = span.doubled().wider(); // max-pooling, and an encoder block's convolution
        if level == 0 {
            span = span.wider(); // conv0; the first skip is the image itself
        }
        span = span.and(skips[level]);
    }
    span
}

/// Pixels next to each other along an axis, of any resolution.
#[derive(Clone, Copy, Debug, PartialEq)]
struct Span {
    first: i64,
    last: i64,
}

impl Span {
    fn new(pixel: i64) -> Self {
        Self {
            first: pixel,
            last: pixel,
        }
    }

    /// What a convolution reads to write this.
    fn wider(self) -> Self {
        Self {
            first: self.first - REACH,
            last: self.last + REACH,
        }
    }

    /// What nearest-neighbour upsampling by 2 reads to write this.
    fn halved(self) -> Self {
        Self {
            first: self.first.div_euclid(2),
            last: self.last.div_euclid(2),
        }
    }

    /// What pooling by 2x2 reads to write this.
    fn doubled(self) -> Self {
        Self {
            first: 2 * self.first,
            last: 2 * self.last + 1,
        }
    }

    /// From the first of both to the last of both.
    fn and(self, other: Self) -> Self {
        Self {
            first: self.first.min(other.first),
            last: self.last.max(other.last),
        }
    }
}
