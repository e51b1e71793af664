//! Turning images upright.

use crate::{Raster, Sample, with_samples};

/// How an image is to be turned to be upright, as metadata ask for it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Turn(u8);

impl Default for Turn {
    /// None.
    fn default() -> Self {
        Self(1)
    }
}

impl Turn {
    /// By one of EXIF's numbers 1 to 8; any other turns nothing.
    pub fn of_exif(orientation: u8) -> Self {
        match orientation {
            1..=8 => Self(orientation),
            _ => Self::default(),
        }
    }

    /// Whether it changes nothing.
    pub fn is_none(self) -> bool {
        self.0 == 1
    }

    /// Whether rows become columns.
    pub fn swaps_sides(self) -> bool {
        self.0 >= 5
    }
}

impl Raster {
    /// The image turned. It takes the memory of one more channel.
    #[must_use]
    pub fn turned(mut self, turn: Turn) -> Self {
        let size = [self.height, self.width];
        let planes = [Some(&mut self.samples), self.alpha.as_mut()];
        for samples in planes.into_iter().flatten() {
            with_samples!(samples, samples => turn_planes(samples, size, turn));
        }
        if turn.swaps_sides() {
            (self.height, self.width) = (self.width, self.height);
        }
        self
    }
}

fn turn_planes<T: Sample>(samples: &mut [T], [height, width]: [usize; 2], turn: Turn) {
    let mut turned = Vec::with_capacity(height * width);
    let (rows, columns) = if turn.swaps_sides() {
        (width, height)
    } else {
        (height, width)
    };
    for plane in samples.chunks_exact_mut(height * width) {
        turned.clear();
        for y in 0..rows {
            let source = |x: usize| match turn.0 {
                2 => (y, width - 1 - x),
                3 => (height - 1 - y, width - 1 - x),
                4 => (height - 1 - y, x),
                5 => (x, y),
                6 => (height - 1 - x, y),
                7 => (height - 1 - x, width - 1 - y),
                8 => (x, width - 1 - y),
                _ => (y, x),
            };
            turned.extend((0..columns).map(|x| {
                let (row, column) = source(x);
                plane[row * width + column]
            }));
        }
        plane.copy_from_slice(&turned);
    }
}
