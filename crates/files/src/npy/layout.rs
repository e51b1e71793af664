//! Where the images of an array are.

use std::path::Path;

use super::{header::NpyHeader, places::Places};
use crate::FileError;

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
    /// `[images, height, width]`.
    ImagesGrey,
    /// `[images, channels, height, width]`.
    ImagesChannelsFirst,
    /// `[images, height, width, channels]`.
    ImagesChannelsLast,
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
        use Axis::{Channel, Column, Image, Row};
        let sizes: Option<Vec<usize>> = header
            .shape
            .iter()
            .map(|&size| usize::try_from(size).ok())
            .collect();
        let (axes, images, shape) = match sizes.as_deref() {
            Some(&[h, w]) => (NpyAxes::Grey, 1, [1, h, w]),
            Some(&[h, w, c @ (1 | 3)]) => (NpyAxes::ChannelsLast, 1, [c, h, w]),
            Some(&[n, h, w]) => (NpyAxes::ImagesGrey, n, [1, h, w]),
            Some(&[n, c @ (1 | 3), h, w]) => (NpyAxes::ImagesChannelsFirst, n, [c, h, w]),
            Some(&[n, h, w, c @ (1 | 3)]) => (NpyAxes::ImagesChannelsLast, n, [c, h, w]),
            _ => {
                return Err(FileError::ArrayShape {
                    path: path.to_owned(),
                    found: header.shape.clone(),
                });
            }
        };
        if images == 0 || shape.contains(&0) {
            return Err(FileError::Empty {
                path: path.to_owned(),
            });
        }
        let mut order = match axes {
            NpyAxes::Grey => vec![Row, Column],
            NpyAxes::ChannelsLast => vec![Row, Column, Channel],
            NpyAxes::ImagesGrey => vec![Image, Row, Column],
            NpyAxes::ImagesChannelsFirst => vec![Image, Channel, Row, Column],
            NpyAxes::ImagesChannelsLast => vec![Image, Row, Column, Channel],
        };
        if !header.fortran_order {
            order.reverse();
        }
        if images == 1 {
            order.retain(|&axis| axis != Image);
        }
        Ok(Self {
            axes,
            images,
            shape,
            order,
        })
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
