//! Where the images of an array are.

use std::path::Path;

use super::{header::NpyHeader, places::Places};
use crate::{FileError, MAX_CHANNELS};

/// How many times as many rows and columns as bands `[height, width, bands]` must have, not to be
/// taken for `[images, height, width]`.
const BANDS_BELOW: usize = 8;

/// An axis of an array.
#[derive(Clone, Copy, PartialEq)]
enum Axis {
    Image,
    Channel,
    Row,
    Column,
}

/// What the axes of an array are: those of its images, apart from rows and columns.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum NpyAxes {
    /// `[height, width]`.
    Grey,
    /// `[height, width, channels]`.
    ChannelsLast,
    /// `[channels, height, width]`.
    ChannelsFirst,
    /// `[images, height, width]`.
    ImagesGrey,
    /// `[images, channels, height, width]`.
    ImagesChannelsFirst,
    /// `[images, height, width, channels]`.
    ImagesChannelsLast,
}

impl NpyAxes {
    /// The axes of an array, from the first to the last.
    fn order(self) -> Vec<Axis> {
        use Axis::{Channel, Column, Image, Row};
        match self {
            Self::Grey => vec![Row, Column],
            Self::ChannelsLast => vec![Row, Column, Channel],
            Self::ChannelsFirst => vec![Channel, Row, Column],
            Self::ImagesGrey => vec![Image, Row, Column],
            Self::ImagesChannelsFirst => vec![Image, Channel, Row, Column],
            Self::ImagesChannelsLast => vec![Image, Row, Column, Channel],
        }
    }

    /// How many they are.
    pub(crate) fn count(self) -> usize {
        self.order().len()
    }

    /// The sizes of an array's axes, where each of its `images` is of `[channels, height, width]`.
    ///
    /// Those that these axes do not have are left out.
    pub(crate) fn sizes(self, images: usize, shape: [usize; 3]) -> Vec<usize> {
        let [channels, height, width] = shape;
        let size = |axis| match axis {
            Axis::Image => images,
            Axis::Channel => channels,
            Axis::Row => height,
            Axis::Column => width,
        };
        self.order().into_iter().map(size).collect()
    }
}

/// What an array of these sizes holds: its axes, the number of its images, and
/// `[channels, height, width]` of each.
fn reading(sizes: &[usize]) -> Option<(NpyAxes, usize, [usize; 3])> {
    Some(match *sizes {
        [h, w] => (NpyAxes::Grey, 1, [1, h, w]),
        [h, w, c @ (1 | 3)] => (NpyAxes::ChannelsLast, 1, [c, h, w]),
        [h, w, c @ 2..=MAX_CHANNELS] if BANDS_BELOW * c <= h.min(w) => {
            (NpyAxes::ChannelsLast, 1, [c, h, w])
        }
        [n, h, w] => (NpyAxes::ImagesGrey, n, [1, h, w]),
        [n, c @ (1 | 3), h, w] => (NpyAxes::ImagesChannelsFirst, n, [c, h, w]),
        [n, h, w, c @ (1 | 3)] => (NpyAxes::ImagesChannelsLast, n, [c, h, w]),
        [n, c @ ..=MAX_CHANNELS, h, w] if c < h.min(w) => {
            (NpyAxes::ImagesChannelsFirst, n, [c, h, w])
        }
        [n, h, w, c @ ..=MAX_CHANNELS] if c < h.min(w) => {
            (NpyAxes::ImagesChannelsLast, n, [c, h, w])
        }
        _ => return None,
    })
}

/// The images of an array, and the order of its elements.
pub(super) struct Layout {
    pub axes: NpyAxes,
    pub images: usize,
    /// `[channels, height, width]` of each.
    pub shape: [usize; 3],
    /// The axes along which neighbouring elements lie, those nearest to each other first.
    order: Vec<Axis>,
}

impl Layout {
    pub fn new(header: &NpyHeader, path: &Path) -> Result<Self, FileError> {
        let sizes: Option<Vec<usize>> = header
            .shape
            .iter()
            .map(|&size| usize::try_from(size).ok())
            .collect();
        let Some((axes, images, shape)) = sizes.as_deref().and_then(reading) else {
            return Err(FileError::ArrayShape {
                path: path.to_owned(),
                found: header.shape.clone(),
            });
        };
        if images == 0 || shape.contains(&0) {
            return Err(FileError::Empty {
                path: path.to_owned(),
            });
        }
        let mut order = axes.order();
        if !header.fortran_order {
            order.reverse();
        }
        if images == 1 {
            order.retain(|&axis| axis != Axis::Image);
        }
        Ok(Self {
            axes,
            images,
            shape,
            order,
        })
    }

    /// Turns an array of exactly `channels` grey images into one image with `channels` channels; any other
    /// array stays as it is.
    pub fn join_images(&mut self, channels: usize) {
        let [_, height, width] = self.shape;
        let fits = self.axes == NpyAxes::ImagesGrey && self.images == channels;
        if fits && (2..=MAX_CHANNELS).contains(&channels) {
            self.axes = NpyAxes::ChannelsFirst;
            self.images = 1;
            self.shape = [channels, height, width];
            // Its images stood one behind the other.
            self.order = vec![Axis::Column, Axis::Row, Axis::Channel];
        }
    }

    /// Elements of one image.
    pub fn image_len(&self) -> usize {
        self.shape.iter().product()
    }

    /// For the elements of one image, in the order of the file, their places in its planes.
    pub fn places(&self) -> Places {
        let axes = self.order.iter().filter(|&&axis| axis != Axis::Image);
        self.places_along(axes)
    }

    /// Where the elements of one image do not follow each other: the places of all elements in the
    /// planes of all images. Afterwards they count as standing there.
    pub fn interleaved_images(&mut self) -> Option<Places> {
        let last = self.order.last()?;
        if !self.order.contains(&Axis::Image) || *last == Axis::Image {
            return None;
        }
        let places = self.places_along(self.order.iter());
        self.order = vec![Axis::Column, Axis::Row, Axis::Channel, Axis::Image];
        Some(places)
    }

    fn places_along<'a>(&self, axes: impl Iterator<Item = &'a Axis>) -> Places {
        let [channels, height, width] = self.shape;
        let axes = axes.map(|axis| match axis {
            Axis::Column => (width, 1),
            Axis::Row => (height, width),
            Axis::Channel => (channels, height * width),
            Axis::Image => (self.images, channels * height * width),
        });
        Places::new(axes.collect())
    }
}
