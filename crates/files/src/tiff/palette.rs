//! Colours that samples are the numbers of.

use std::path::Path;

use super::decode::WAY_OUT;
use crate::{
    FileError, Samples,
    input::{malformed, unsupported},
};

/// The colours of a page, of 8 bits each.
pub(super) struct Palette {
    /// Those of red, of green and of blue.
    planes: [Vec<u8>; 3],
}

impl Palette {
    /// From the values of the tag: all reds, all greens, all blues, of 16 bits each. Some writers put numbers
    /// of 8 bits there.
    pub fn new(values: &[u64], bits: u8, path: &Path) -> Result<Self, FileError> {
        if !matches!(bits, 1 | 2 | 4 | 8) {
            let found = format!("a palette for samples of {bits} bits");
            return Err(unsupported(path, found, WAY_OUT));
        }
        let count = 1 << bits;
        if values.len() != 3 * count {
            let found = format!("its palette has {} values, not {}", values.len(), 3 * count);
            return Err(malformed(path, found));
        }
        let shift = if values.iter().any(|&value| value > u8::MAX.into()) {
            8
        } else {
            0
        };
        let plane = |at: usize| {
            let values = values[at * count..][..count].iter();
            values.map(|value| (value >> shift) as u8).collect()
        };
        Ok(Self {
            planes: [plane(0), plane(1), plane(2)],
        })
    }

    /// The colours of these numbers, plane by plane.
    ///
    /// # Panics
    /// When the numbers are no bytes.
    pub fn colours(&self, numbers: Samples) -> Samples {
        let Samples::U8(numbers) = numbers else {
            panic!("numbers of {}", numbers.kind());
        };
        let colours = self.planes.iter().flat_map(|plane| {
            let colours = numbers.iter().map(|&number| plane[usize::from(number)]);
            colours.collect::<Vec<_>>()
        });
        Samples::U8(colours.collect())
    }
}
