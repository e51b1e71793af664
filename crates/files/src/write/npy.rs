//! Arrays for NumPy.

use std::io::Write;

use super::{EncodeError, elements::ToBytes, planes::Picture};
use crate::{NpyAxes, SampleKind, Samples, npy::code, with_samples};

/// The first element stands at a multiple of this, as NumPy has it.
const ALIGNMENT: usize = 64;

/// Writes the images of a `.npy` file, one at a time: little-endian, in C order.
///
/// [`NpyStack`](crate::NpyStack) tells axes by their sizes alone, and may read others than were written.
pub struct NpyWriter<W: Write> {
    writer: W,
    axes: NpyAxes,
    shape: [usize; 3],
    kind: SampleKind,
    /// Images still to come.
    missing: usize,
}

impl<W: Write> NpyWriter<W> {
    /// Begins an array of `images` images of `shape`, which is `[channels, height, width]`.
    ///
    /// # Errors
    /// When the header cannot be written.
    ///
    /// # Panics
    /// When the axes have no room for several images or for three channels.
    pub fn new(
        mut writer: W,
        axes: NpyAxes,
        images: usize,
        shape: [usize; 3],
        kind: SampleKind,
    ) -> Result<Self, EncodeError> {
        let sizes = axes.sizes(images, shape);
        let (held, given) = (
            sizes.iter().product::<usize>(),
            images * shape.iter().product::<usize>(),
        );
        assert_eq!(
            held, given,
            "elements of the axes {axes:?}, and of {images} images"
        );
        let order = if kind.bytes() == 1 { '|' } else { '<' };
        let description = format!("{order}{}", code(kind));
        let sizes: Vec<_> = sizes.iter().map(usize::to_string).collect();
        let mut header = format!(
            "{{'descr': '{description}', 'fortran_order': False, 'shape': ({}), }}",
            sizes.join(", ")
        );
        let start = b"\x93NUMPY\x01\0";
        let len = start.len() + 2 + header.len() + 1;
        header += &" ".repeat(len.next_multiple_of(ALIGNMENT) - len);
        header += "\n";
        writer.write_all(start)?;
        writer.write_all(&(header.len() as u16).to_le_bytes())?;
        writer.write_all(header.as_bytes())?;
        Ok(Self {
            writer,
            axes,
            shape,
            kind,
            missing: images,
        })
    }

    /// Writes the next image: its `[channels, height, width]` samples in C order.
    ///
    /// # Errors
    /// When they cannot be written.
    ///
    /// # Panics
    /// When they are not as many or of the kind announced, or all images are written.
    pub fn write(&mut self, samples: &Samples) -> Result<(), EncodeError> {
        assert_eq!(samples.kind(), self.kind, "kind of an image, and announced");
        assert!(self.missing > 0, "more images than announced");
        self.missing -= 1;
        with_samples!(samples, samples => {
            self.write_elements(&Picture::new(samples, None, self.shape))
        })
    }

    fn write_elements<T: ToBytes>(&mut self, picture: &Picture<'_, T>) -> Result<(), EncodeError> {
        let mut line = Vec::new();
        let mut write = |samples: &[T]| {
            line.clear();
            let all = samples.iter();
            all.for_each(|sample| sample.push_to(&mut line, false));
            self.writer.write_all(&line)
        };
        if matches!(
            self.axes,
            NpyAxes::ChannelsLast | NpyAxes::ImagesChannelsLast
        ) {
            let mut row = Vec::new();
            for y in 0..picture.height {
                row.clear();
                picture.push_row(y, &mut row);
                write(&row)?;
            }
        } else {
            let rows = picture.planes.iter();
            for row in rows.flat_map(|plane| plane.chunks_exact(picture.width)) {
                write(row)?;
            }
        }
        Ok(())
    }

    /// Ends the file, and gives back what was written to.
    ///
    /// # Errors
    /// When the last bytes cannot be written.
    ///
    /// # Panics
    /// When images are missing.
    pub fn finish(mut self) -> Result<W, EncodeError> {
        assert_eq!(self.missing, 0, "images announced and not written");
        self.writer.flush()?;
        Ok(self.writer)
    }
}
