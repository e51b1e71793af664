//! A look at large images that are not read whole.

use n2n_files::{Raster, Region, Sample, Samples, with_samples};

/// Squares along each axis.
const SQUARES: usize = 8;

/// Side of a square in pixels.
const SIDE: usize = 128;

/// Squares spread evenly over an image of `[channels, height, width]`, one below the other as one image; the
/// image itself where it is not larger than they are. `read` reads a region.
///
/// # Errors
/// Those of `read`.
pub fn sampled<E>(
    shape: [usize; 3],
    mut read: impl FnMut(Region) -> Result<Raster, E>,
) -> Result<Raster, E> {
    let [_, height, width] = shape;
    if height * width <= (SQUARES * SIDE).pow(2) {
        return read(Region::all(shape));
    }
    let starts = |length: usize| {
        let (count, side) = (SQUARES.min(length), SIDE.min(length));
        let gaps = (count - 1).max(1);
        (0..count).map(move |at| at * (length - side) / gaps)
    };
    let mut squares = vec![];
    for top in starts(height) {
        for left in starts(width) {
            squares.push(read(Region {
                top,
                left,
                height: SIDE.min(height),
                width: SIDE.min(width),
            })?);
        }
    }
    Ok(below_each_other(&squares))
}

/// Images of one shape and kind as one.
fn below_each_other(images: &[Raster]) -> Raster {
    let Raster {
        channels,
        height,
        width,
        ..
    } = images[0];
    let samples = with_samples!(&images[0].samples, first => {
        let mut joined = first[..0].to_vec();
        for channel in 0..channels {
            for image in images {
                push_plane(&image.samples, channel * height * width, height * width, &mut joined);
            }
        }
        Sample::into_samples(joined)
    });
    Raster {
        channels,
        height: images.len() * height,
        width,
        samples,
        alpha: None,
    }
}

/// Adds samples of a plane.
fn push_plane<T: Sample>(samples: &Samples, start: usize, len: usize, joined: &mut Vec<T>) {
    let samples = T::slice(samples).unwrap_or_else(|| panic!("images are of one kind"));
    joined.extend_from_slice(&samples[start..][..len]);
}

#[cfg(test)]
mod tests {
    use std::convert::Infallible;

    use n2n_files::SampleKind;

    use super::*;

    #[test]
    fn squares_are_spread_over_the_image() {
        let (height, width) = (3000, 2000);
        let (mut regions, mut kept) = (vec![], 0);
        let read = |region: Region| {
            regions.push(region);
            let value = regions.len() as u16;
            Ok::<_, Infallible>(Raster {
                channels: 2,
                height: region.height,
                width: region.width,
                samples: Samples::U16(vec![value; 2 * region.area()]),
                alpha: None,
            })
        };
        let image = sampled([2, height, width], read).unwrap();
        assert_eq!(image.shape(), [2, 64 * 128, 128]);
        assert_eq!(image.samples.kind(), SampleKind::U16);
        for (at, region) in regions.iter().enumerate() {
            assert!(region.top + 128 <= height && region.left + 128 <= width);
            kept += usize::from(region.top == 0 || region.left + 128 == width);
            let Samples::U16(samples) = &image.samples else {
                panic!("another kind");
            };
            for channel in 0..2 {
                let plane = &samples[channel * 64 * 128 * 128..];
                assert_eq!(usize::from(plane[at * 128 * 128]), at + 1);
            }
        }
        assert_eq!(kept, 15, "the first row and the last column");
    }

    #[test]
    fn small_images_are_seen_whole() {
        let whole = |region: Region| {
            Ok::<_, Infallible>(Raster {
                channels: 1,
                height: region.height,
                width: region.width,
                samples: Samples::U8(vec![0; region.area()]),
                alpha: None,
            })
        };
        assert_eq!(
            sampled([1, 1024, 1024], whole).unwrap().shape(),
            [1, 1024, 1024]
        );
    }
}
