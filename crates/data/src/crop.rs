//! Crops of images, as numbers around `[0, 1]`, planar.

use n2n_files::{Raster, Region, Sample, with_samples};

use crate::augment::Augmentation;
use crate::holes::take_holes;
use crate::scale::{Range, Scale};

/// Weights of red, green and blue in a grey image (ITU-R BT.709). They add up to 1, so the mean of
/// noise stays zero.
const LUMA: [f32; 3] = [0.2126, 0.7152, 0.0722];

/// A crop of an image with its augmentation.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct Crop {
    /// Row of the first pixel; outside the image, pixels are reflected.
    pub top: isize,
    /// Column of the first pixel.
    pub left: isize,
    /// Height in pixels.
    pub height: usize,
    /// Width in pixels.
    pub width: usize,
    /// Changes to the pixels.
    pub augmentation: Augmentation,
}

/// A part of an image.
#[derive(Clone, Copy)]
pub(crate) struct Part<'a> {
    pub raster: &'a Raster,
    /// Row and column of its first pixel.
    pub origin: [usize; 2],
    /// Height and width of the image.
    pub size: [usize; 2],
}

impl Crop {
    /// The region of an image of `size` that the crop is taken from, or one somewhat larger.
    pub fn bounds(&self, size: [usize; 2]) -> Region {
        let Augmentation { zoom, .. } = self.augmentation;
        let axis = |start: isize, length: usize, side: usize| {
            let (mut first, mut last) = (start, start + length as isize - 1);
            if self.augmentation.interpolates() {
                // Turned, it lies within the circle around it; pixels are taken from two neighbours.
                let middle = (first + last) as f32 / 2.0;
                let [height, width] = [self.height, self.width].map(|side| side as f32);
                let radius = height.hypot(width) / 2.0 / zoom;
                first = (middle - radius).floor() as isize - 1;
                last = (middle + radius).ceil() as isize + 1;
            }
            // Reflected at either end, as far as that goes.
            let end = side as isize - 1;
            let low = first.min(2 * end - last).clamp(0, end);
            let high = last.max(-first).clamp(0, end);
            (low.unsigned_abs(), (high - low + 1).unsigned_abs())
        };
        let (top, height) = axis(self.top, self.height, size[0]);
        let (left, width) = axis(self.left, self.width, size[1]);
        Region {
            top,
            left,
            height,
            width,
        }
    }

    /// Crops a raster; samples from black to white, the `range`, become 0 to 1.
    ///
    /// # Shapes
    /// - returns `[channels, height, width]`, with the channels of the raster, or 1 for 3 or 3 for 1
    pub fn apply(&self, part: Part<'_>, range: Option<&Range>, channels: usize) -> Vec<f32> {
        let raster = part.raster;
        let mut values =
            with_samples!(&raster.samples, samples => self.gather(part, samples, range));
        let area = self.height * self.width;
        values = match (raster.channels, channels) {
            (3, 1) => to_grey(&values, area),
            (1, 3) => values.repeat(3),
            _ => values,
        };
        for (plane, gain) in values.chunks_exact_mut(area).zip(&self.augmentation.gains) {
            plane.iter_mut().for_each(|value| *value *= gain);
        }
        if self.augmentation.grey {
            values = to_grey(&values, area).repeat(channels);
        }
        values
    }

    /// Takes out NaN and infinite values: the others, and a mask of all if there are any.
    pub fn masked(&self, mut values: Vec<f32>) -> (Vec<f32>, Option<Vec<f32>>) {
        let mask = take_holes(&mut values, self.height * self.width, self.width);
        (values, mask)
    }

    fn gather<T: Sample>(&self, part: Part<'_>, samples: &[T], range: Option<&Range>) -> Vec<f32> {
        let Part { raster, origin, .. } = part;
        let planes = samples.chunks_exact(raster.height * raster.width);
        let scales = (0..).map(|channel| Scale::new(T::KIND, range, channel));
        let planes = planes.zip(scales);
        let mut values = Vec::with_capacity(raster.channels * self.height * self.width);
        if self.is_plain(part.size) {
            let top = self.top.unsigned_abs() - origin[0];
            let left = self.left.unsigned_abs() - origin[1];
            for (plane, scale) in planes {
                for y in 0..self.height {
                    let row = &plane[(top + y) * raster.width + left..][..self.width];
                    values.extend(row.iter().map(|&sample| scale.number(sample)));
                }
            }
            return values;
        }
        let points = self.points(part);
        for (plane, scale) in planes {
            let number = |at: u32| scale.number(plane[at as usize]);
            values.extend(points.iter().map(|point| point.of(number)));
        }
        values
    }

    /// Whether the crop is unchanged rows of the image.
    fn is_plain(&self, [image_height, image_width]: [usize; 2]) -> bool {
        let fits = |start: isize, length: usize, side: usize| {
            start >= 0 && start.unsigned_abs() + length <= side
        };
        let augmentation = &self.augmentation;
        !augmentation.flip
            && augmentation.rot90 == 0
            && !augmentation.interpolates()
            && fits(self.top, self.height, image_height)
            && fits(self.left, self.width, image_width)
    }

    /// Where each pixel of the crop comes from.
    fn points(&self, part: Part<'_>) -> Vec<Point> {
        let Augmentation { radians, zoom, .. } = self.augmentation;
        let (sin, cos) = (radians.sin() / zoom, radians.cos() / zoom);
        let interpolates = self.augmentation.interpolates();
        let middle = [self.height, self.width].map(|side| (side as f32 - 1.0) / 2.0);
        let index = |y: isize, x: isize| {
            let y = reflect(self.top + y, part.size[0]) - part.origin[0];
            let x = reflect(self.left + x, part.size[1]) - part.origin[1];
            (y * part.raster.width + x) as u32
        };
        let pixels = (0..self.height).flat_map(|y| (0..self.width).map(move |x| (y, x)));
        pixels
            .map(|(y, x)| {
                let (y, x) = self.augmentation.origin(y, x, self.height, self.width);
                if !interpolates {
                    return Point::Pixel(index(y as isize, x as isize));
                }
                let (dy, dx) = (y as f32 - middle[0], x as f32 - middle[1]);
                let y = middle[0] + cos * dy - sin * dx;
                let x = middle[1] + sin * dy + cos * dx;
                let (top, left) = (y.floor(), x.floor());
                let [i, j] = [top as isize, left as isize];
                Point::Between {
                    corners: [
                        index(i, j),
                        index(i, j + 1),
                        index(i + 1, j),
                        index(i + 1, j + 1),
                    ],
                    down: y - top,
                    right: x - left,
                }
            })
            .collect()
    }
}

/// Where a pixel comes from.
enum Point {
    /// One pixel.
    Pixel(u32),
    /// Four neighbours, interpolated bilinearly.
    Between {
        corners: [u32; 4],
        down: f32,
        right: f32,
    },
}

impl Point {
    fn of(&self, number: impl Fn(u32) -> f32) -> f32 {
        match *self {
            Point::Pixel(at) => number(at),
            Point::Between {
                corners: [a, b, c, d],
                down,
                right,
            } => {
                let upper = number(a) * (1.0 - right) + number(b) * right;
                let lower = number(c) * (1.0 - right) + number(d) * right;
                upper * (1.0 - down) + lower * down
            }
        }
    }
}

fn to_grey(values: &[f32], area: usize) -> Vec<f32> {
    let (red, rest) = values.split_at(area);
    let (green, blue) = rest.split_at(area);
    let pixels = red.iter().zip(green).zip(blue);
    pixels
        .map(|((r, g), b)| LUMA[0] * r + LUMA[1] * g + LUMA[2] * b)
        .collect()
}

/// The pixel that stands for one at `position` of an axis of `length` pixels: reflected about the
/// outermost pixels, and beyond a whole reflection the outermost itself.
///
/// ```
/// let row: Vec<_> = (-3..5).map(|position| n2n_data::reflect(position, 3)).collect();
/// assert_eq!(row, [0, 2, 1, 0, 1, 2, 1, 0]);
/// ```
pub fn reflect(position: isize, length: usize) -> usize {
    let last = length as isize - 1;
    let reflected = if position < 0 {
        -position
    } else if position > last {
        2 * last - position
    } else {
        position
    };
    if (0..=last).contains(&reflected) {
        return reflected.unsigned_abs();
    }
    if position < 0 { 0 } else { last.unsigned_abs() }
}

#[cfg(test)]
mod tests {
    use n2n_files::{SampleKind, Samples};

    use super::*;

    fn raster(channels: usize, height: usize, width: usize) -> Raster {
        let samples = (0..channels * height * width).map(|at| at as u8 * 3);
        Raster {
            channels,
            height,
            width,
            samples: Samples::U8(samples.collect()),
            alpha: None,
        }
    }

    fn whole(raster: &Raster) -> Part<'_> {
        Part {
            raster,
            origin: [0, 0],
            size: [raster.height, raster.width],
        }
    }

    fn crop(top: isize, left: isize, height: usize, width: usize) -> Crop {
        Crop {
            top,
            left,
            height,
            width,
            augmentation: Augmentation::default(),
        }
    }

    #[test]
    fn crop_inside_is_samples_over_type_maximum() {
        let values = crop(1, 2, 2, 3).apply(whole(&raster(3, 4, 6)), None, 3);
        let at = |c: usize, y: usize, x: usize| (c * 24 + y * 6 + x) as f32 * 3.0 / 255.0;
        let expected: Vec<f32> = (0..3)
            .flat_map(|c| (1..3).flat_map(move |y| (2..5).map(move |x| at(c, y, x))))
            .collect();
        assert_eq!(values, expected);
    }

    #[test]
    fn pixels_beyond_the_border_are_reflected() {
        // numpy.pad([0, 1, 2], 2, mode="reflect")
        let reflected: Vec<_> = (-2..5).map(|at| reflect(at, 3)).collect();
        assert_eq!(reflected, [2, 1, 0, 1, 2, 1, 0]);
        // Too small to be reflected as far: the outermost pixel goes on.
        let repeated: Vec<_> = (-3..5).map(|at| reflect(at, 2)).collect();
        assert_eq!(repeated, [0, 0, 1, 0, 1, 0, 1, 1]);
        assert_eq!([reflect(-1, 1), reflect(7, 1)], [0, 0]);
    }

    #[test]
    fn plain_crops_equal_crops_gathered_by_point() {
        let raster = raster(1, 9, 7);
        let scale = Scale::new(SampleKind::U8, None, 0);
        let crop = crop(2, 1, 5, 4);
        let Samples::U8(samples) = &raster.samples else {
            panic!("8-bit samples")
        };
        let number = |at: u32| scale.number(samples[at as usize]);
        let points = crop.points(whole(&raster));
        let gathered: Vec<f32> = points.iter().map(|point| point.of(number)).collect();
        assert_eq!(crop.apply(whole(&raster), None, 1), gathered);
    }

    #[test]
    fn rotated_and_enlarged_slope_is_a_slope() {
        // Pixel (y, x) of a slope is 6 y + x of 255; its middle stays where it is.
        let samples = (0..9 * 11).map(|at| (at / 11 * 6 + at % 11) as u8);
        let raster = Raster {
            channels: 1,
            height: 9,
            width: 11,
            samples: Samples::U8(samples.collect()),
            alpha: None,
        };
        for (radians, zoom) in [(0.3_f32, 1.0), (0.0, 1.6), (0.2, 1.3)] {
            let mut crop = crop(2, 3, 5, 5);
            crop.augmentation.radians = radians;
            crop.augmentation.zoom = zoom;
            let values = crop.apply(whole(&raster), None, 1);
            let (sin, cos) = radians.sin_cos();
            for (at, value) in values.iter().enumerate() {
                let (dy, dx) = ((at / 5) as f32 - 2.0, (at % 5) as f32 - 2.0);
                let y = 4.0 + (cos * dy - sin * dx) / zoom;
                let x = 5.0 + (sin * dy + cos * dx) / zoom;
                let expected = (6.0 * y + x) / 255.0;
                assert!((value - expected).abs() < 1e-6, "{value} {expected}");
            }
        }
    }

    #[test]
    fn range_gives_the_samples_of_0_and_1() {
        let raster = Raster {
            channels: 1,
            height: 1,
            width: 3,
            samples: Samples::F32(vec![-1.0, 3.0, 11.0]),
            alpha: None,
        };
        let range = Range::Shared([-1.0, 7.0]);
        let values = crop(0, 0, 1, 3).apply(whole(&raster), Some(&range), 1);
        assert_eq!(values, [0.0, 0.5, 1.5]);
    }

    #[test]
    fn each_channel_has_its_range() {
        let bands = Raster {
            channels: 2,
            height: 1,
            width: 2,
            samples: Samples::I32(vec![-10, 10, 300_000, 100_000]),
            alpha: None,
        };
        let range = Range::PerChannel(vec![[-10.0, 30.0], [0.0, 400_000.0]]);
        let values = crop(0, 0, 1, 2).apply(whole(&bands), Some(&range), 2);
        assert_eq!(values, [0.0, 0.5, 0.75, 0.25]);
    }

    #[test]
    fn grey_and_colour_are_converted() {
        let colour = crop(0, 0, 2, 3).apply(whole(&raster(1, 2, 3)), None, 3);
        assert_eq!(colour[..6], colour[6..12]);
        let grey = crop(0, 0, 2, 3).apply(whole(&raster(3, 2, 3)), None, 1);
        let expected = (0.7152 * 18.0 + 0.0722 * 36.0) / 255.0;
        assert!((grey[0] - expected).abs() < 1e-6);
        assert_eq!(grey.len(), 6);
    }

    #[test]
    fn a_crop_is_the_same_of_the_region_around_it() {
        let raster = raster(1, 40, 50);
        for (top, left) in [(3, 4), (-5, 46), (36, -7), (-30, 20), (60, 60)] {
            for (radians, zoom, rot90) in
                [(0.0, 1.0, 0), (0.0, 1.0, 3), (0.3, 1.0, 0), (2.0, 0.8, 1)]
            {
                let crop = Crop {
                    augmentation: Augmentation {
                        radians,
                        zoom,
                        rot90,
                        ..Augmentation::default()
                    },
                    ..crop(top, left, 9, 9)
                };
                let region = crop.bounds([40, 50]);
                let cropped = raster.cropped(region);
                let part = Part {
                    raster: &cropped,
                    origin: [region.top, region.left],
                    size: [40, 50],
                };
                assert_eq!(
                    crop.apply(part, None, 1),
                    crop.apply(whole(&raster), None, 1),
                    "{crop:?}"
                );
            }
        }
        assert!(crop(3, 4, 9, 9).bounds([40, 50]).area() == 81);
    }
}
