//! Arrays for NumPy.

use std::io::{Seek, SeekFrom, Write};

use super::{EncodeError, elements::ToBytes};
use crate::{
    Axis, SampleKind, Samples,
    npy::{Layout, code},
    with_samples,
};

/// The first element stands at a multiple of this, as NumPy has it.
const ALIGNMENT: usize = 64;

/// Bytes that are written at once.
const LINE: usize = 1 << 16;

/// Writes the images of a `.npy` file, one at a time: little-endian, in C order.
///
/// [`NpyStack`](crate::NpyStack) tells axes by their sizes, and may read others than were written.
pub struct NpyWriter<W: Write + Seek> {
    writer: W,
    layout: Layout,
    kind: SampleKind,
    /// Bytes before the first element.
    start: u64,
    /// Where the next bytes go.
    position: u64,
    /// Images that are written.
    written: usize,
    /// All samples, planar, where images are interleaved in the array.
    held: Option<Samples>,
}

impl<W: Write + Seek> NpyWriter<W> {
    /// Begins an array of these axes, from the first to the last, at the first byte of `writer`, which
    /// should be buffered.
    ///
    /// An array whose images are interleaved, such as of the axes `YXZ`, is kept in memory until its last image.
    ///
    /// # Errors
    /// When the header cannot be written.
    pub fn new(
        mut writer: W,
        axes: &[(Axis, usize)],
        kind: SampleKind,
    ) -> Result<Self, EncodeError> {
        let order = if kind.bytes() == 1 { '|' } else { '<' };
        let description = format!("{order}{}", code(kind));
        let sizes = axes.iter().map(|(_, size)| size.to_string());
        let sizes: Vec<String> = sizes.collect();
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
        let layout = Layout::new(axes.to_vec(), false);
        let len = layout.images() * layout.image_len();
        let start = (start.len() + 2 + header.len()) as u64;
        Ok(Self {
            writer,
            kind,
            start,
            position: start,
            written: 0,
            held: layout.interleaved().map(|_| Samples::zeros(kind, len)),
            layout,
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
        let len = self.layout.image_len();
        assert_eq!(samples.len(), len, "samples of an image");
        let images = self.layout.images();
        assert!(self.written < images, "more images than announced");
        let image = self.written;
        self.written += 1;
        match self.held.take() {
            None => with_samples!(samples, samples => self.write_image(image, samples)),
            Some(mut held) => {
                held.put(image * len, samples);
                if self.written < images {
                    self.held = Some(held);
                    return Ok(());
                }
                with_samples!(&held, held => self.write_interleaved(held))
            }
        }
    }

    fn write_image<T: ToBytes>(&mut self, image: usize, samples: &[T]) -> Result<(), EncodeError> {
        let runs = self.layout.runs();
        for (start, first) in runs.of(image) {
            let start = self.start + (start * size_of::<T>()) as u64;
            if start != self.position {
                self.writer.seek(SeekFrom::Start(start))?;
                self.position = start;
            }
            let places = runs.places().take(runs.len);
            self.write_elements(places.map(|place| samples[first + place]))?;
        }
        Ok(())
    }

    /// All elements, each of them taken from its place in the planes of all images.
    fn write_interleaved<T: ToBytes>(&mut self, planes: &[T]) -> Result<(), EncodeError> {
        let places = self.layout.interleaved().into_iter().flatten();
        self.write_elements(places.take(planes.len()).map(|place| planes[place]))
    }

    fn write_elements<T: ToBytes>(
        &mut self,
        elements: impl Iterator<Item = T>,
    ) -> Result<(), EncodeError> {
        let mut line = Vec::new();
        for element in elements {
            element.push_to(&mut line, false);
            if line.len() >= LINE {
                self.writer.write_all(&line)?;
                self.position += line.len() as u64;
                line.clear();
            }
        }
        self.writer.write_all(&line)?;
        self.position += line.len() as u64;
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
        let images = self.layout.images();
        assert_eq!(self.written, images, "images written, and announced");
        self.writer.flush()?;
        Ok(self.writer)
    }
}
