//! Where the images of an array are.

use std::path::Path;

use super::{header::NpyHeader, places::Places};
use crate::{Axes, Axis, FileError, MAX_CHANNELS, input::unsupported};

/// How many times as many rows and columns as bands `[height, width, bands]` must have, not to be
/// taken for `[images, height, width]`.
const BANDS_BELOW: usize = 8;

/// What the axes of an array of these sizes are.
pub(crate) fn axes_of(sizes: &[usize]) -> Option<&'static str> {
    Some(match *sizes {
        [_, _] => "YX",
        [_, _, 1 | 3] => "YXC",
        [h, w, c @ 2..=MAX_CHANNELS] if BANDS_BELOW * c <= h.min(w) => "YXC",
        [_, _, _] => "NYX",
        [_, 1 | 3, _, _] => "NCYX",
        [_, _, _, 1 | 3] => "NYXC",
        [_, c @ ..=MAX_CHANNELS, h, w] if c < h.min(w) => "NCYX",
        [_, h, w, c @ ..=MAX_CHANNELS] if c < h.min(w) => "NYXC",
        _ => return None,
    })
}

/// The images of an array, and the order of its elements.
pub(crate) struct Layout {
    /// From the first to the last.
    axes: Vec<(Axis, usize)>,
    /// How far apart in the file neighbours along each of them are, in elements.
    distances: Vec<usize>,
}

impl Layout {
    /// Of an array in a file, whose axes are told by its sizes, or `given`.
    pub(super) fn of(
        header: &NpyHeader,
        given: Option<&Axes>,
        path: &Path,
    ) -> Result<Self, FileError> {
        let sizes = header.shape.iter().map(|&size| usize::try_from(size).ok());
        let sizes: Option<Vec<usize>> = sizes.collect();
        let shape = || FileError::ArrayShape {
            path: path.to_owned(),
            found: header.shape.clone(),
        };
        let sizes = sizes.ok_or_else(shape)?;
        let axes = match given {
            Some(given) => given.clone(),
            None => {
                let told = axes_of(&sizes).ok_or_else(shape)?;
                told.parse().map_err(|_| shape())?
            }
        };
        if axes.count() != sizes.len() {
            let found = format!(
                "an array of shape {:?}, which has not the axes {axes}",
                header.shape
            );
            return Err(unsupported(
                path,
                found,
                "say one letter for each of its axes",
            ));
        }
        let layout = Self::new(axes.sized(&sizes), header.fortran_order);
        let [channels, ..] = layout.shape();
        if layout.axes.iter().any(|(_, size)| *size == 0) {
            return Err(FileError::Empty {
                path: path.to_owned(),
            });
        }
        if channels > MAX_CHANNELS {
            return Err(shape());
        }
        Ok(layout)
    }

    /// Of an array whose elements are in C order, the last axis fastest, or else in that of Fortran.
    pub fn new(axes: Vec<(Axis, usize)>, fortran_order: bool) -> Self {
        let mut distances = vec![0; axes.len()];
        let mut distance = 1_usize;
        let mut order: Vec<usize> = (0..axes.len()).collect();
        if !fortran_order {
            order.reverse();
        }
        for at in order {
            distances[at] = distance;
            // A header's elements fit the file, or it is refused before any is read.
            distance = distance.saturating_mul(axes[at].1);
        }
        Self { axes, distances }
    }

    /// The axes, from the first to the last.
    pub fn axes(&self) -> &[(Axis, usize)] {
        &self.axes
    }

    /// Those along which images follow each other.
    pub fn of_images(&self) -> Vec<(Axis, usize)> {
        let axes = self.axes.iter().copied();
        axes.filter(|(axis, _)| axis.is_of_images()).collect()
    }

    /// Number of images.
    pub fn images(&self) -> usize {
        self.of_images().iter().map(|(_, size)| size).product()
    }

    /// `[channels, height, width]` of an image.
    pub fn shape(&self) -> [usize; 3] {
        let size = |wanted| {
            let mut axes = self.axes.iter();
            axes.find(|(axis, _)| *axis == wanted)
                .map_or(1, |&(_, size)| size)
        };
        [size(Axis::Channel), size(Axis::Row), size(Axis::Column)]
    }

    /// Turns an array of exactly `channels` grey images into one image with `channels` channels; any other
    /// array stays as it is.
    pub fn join_images(&mut self, channels: usize) {
        let fits = matches!(self.axes[..], [(Axis::Shot, images), (Axis::Row, _), (Axis::Column, _)] if images == channels);
        if fits && (2..=MAX_CHANNELS).contains(&channels) {
            self.axes[0].0 = Axis::Channel;
        }
    }

    /// Elements of one image.
    pub fn image_len(&self) -> usize {
        self.shape().iter().product()
    }

    /// The axes of more than one element with their distances in the file, the fastest first.
    fn order(&self) -> Vec<(Axis, usize, usize)> {
        let sizes = self.axes.iter().zip(&self.distances);
        let mut order: Vec<_> = sizes
            .filter(|((_, size), _)| *size > 1)
            .map(|(&(axis, size), &distance)| (axis, size, distance))
            .collect();
        order.sort_by_key(|&(_, _, distance)| distance);
        order
    }

    /// Elements of an image that stand together.
    pub fn runs(&self) -> Runs {
        let order = self.order();
        let together = order.iter().take_while(|(axis, ..)| !axis.is_of_images());
        let together = together.count();
        let (run, rest) = order.split_at(together);
        // Images in the order of the array's axes, whatever that of its elements.
        let distances = self.axes.iter().zip(&self.distances);
        let images = distances.filter(|((axis, _), _)| axis.is_of_images());
        let channels = rest.iter().find(|(axis, ..)| *axis == Axis::Channel);
        Runs {
            len: run.iter().map(|(_, size, _)| size).product(),
            places: self.along(run.iter().map(|&(axis, size, _)| (axis, size))),
            images: images
                .map(|(&(_, size), &distance)| (size, distance))
                .collect(),
            channels: channels.map_or((1, 0), |&(_, size, distance)| (size, distance)),
            plane: self.shape()[1] * self.shape()[2],
        }
    }

    /// Where the rows or columns of images are further apart than those of others: the places of all
    /// elements, in the order of the file, in the planes of all images.
    pub fn interleaved(&self) -> Option<Places> {
        let order = self.order();
        let mut behind = order.iter().skip_while(|(axis, ..)| !axis.is_of_images());
        behind
            .any(|(axis, ..)| matches!(axis, Axis::Row | Axis::Column))
            .then(|| self.along(order.iter().map(|&(axis, size, _)| (axis, size))))
    }

    /// The same array with its images one behind the other, planar.
    pub fn in_planes(&self) -> Self {
        let place = |&(axis, _): &(Axis, usize)| self.place(axis);
        Self {
            distances: self.axes.iter().map(place).collect(),
            axes: self.axes.clone(),
        }
    }

    fn along(&self, axes: impl Iterator<Item = (Axis, usize)>) -> Places {
        Places::new(axes.map(|(axis, size)| (size, self.place(axis))).collect())
    }

    /// How far apart neighbours along an axis are in the planes of all images.
    fn place(&self, axis: Axis) -> usize {
        let [channels, height, width] = self.shape();
        match axis {
            Axis::Column => 1,
            Axis::Row => width,
            Axis::Channel => height * width,
            _ => {
                let mut behind = self.of_images().into_iter();
                behind.by_ref().find(|(of_images, _)| *of_images == axis);
                behind.map(|(_, size)| size).product::<usize>() * channels * height * width
            }
        }
    }
}

/// The parts of an image that stand together in a file: all of it, or a channel.
pub(crate) struct Runs {
    /// Elements of a run.
    pub len: usize,
    places: Places,
    /// Sizes of the axes along which images follow each other, and distances, the slowest first.
    images: Vec<(usize, usize)>,
    /// How many runs an image has, and how far apart they are.
    channels: (usize, usize),
    plane: usize,
}

impl Runs {
    /// For each run of an image: where it is in the file, and the place of its first element in the planes
    /// of the image.
    pub fn of(&self, mut image: usize) -> impl Iterator<Item = (usize, usize)> {
        let axes = self.images.iter().rev();
        let start: usize = axes
            .map(|&(size, distance)| {
                let place = image % size * distance;
                image /= size;
                place
            })
            .sum();
        let (channels, distance) = self.channels;
        let plane = self.plane;
        (0..channels).map(move |channel| (start + channel * distance, channel * plane))
    }

    /// For the elements of a run, their places behind that of the first.
    pub fn places(&self) -> Places {
        self.places.clone()
    }
}
