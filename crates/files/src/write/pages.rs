//! Files of pages, one after the other.

use std::io::{Seek, Write};

use super::{EncodeError, fits::FitsWriter, mrc::MrcWriter, tiff::TiffWriter};
use crate::{Attached, Header, PictureFormat, Raster};

/// Writes the pages of a file of a format that [has pages](PictureFormat::has_pages), one at a time.
pub struct PagesWriter<W: Write + Seek>(Form<W>);

enum Form<W: Write + Seek> {
    Tiff(TiffWriter<W>),
    Mrc(MrcWriter<W>),
    Fits(FitsWriter<W>),
}

impl<W: Write + Seek> PagesWriter<W> {
    /// Begins a file of `header.pages` images like `header` at the first byte of `writer`, which should
    /// be buffered. `first` is what is attached to the first of them: what belongs to a whole file is
    /// taken from it.
    ///
    /// # Errors
    /// When the format does not hold such images, or the first bytes cannot be written.
    pub fn new(
        writer: W,
        format: PictureFormat,
        header: &Header,
        first: &Attached,
    ) -> Result<Self, EncodeError> {
        Ok(Self(match format {
            PictureFormat::Tiff => Form::Tiff(TiffWriter::new(writer, header, first)?),
            PictureFormat::Mrc => Form::Mrc(MrcWriter::new(writer, header, first)?),
            PictureFormat::Fits => Form::Fits(FitsWriter::new(writer, header, first)?),
            _ => {
                let pages = header.pages;
                return Err(EncodeError::Pages { format, pages });
            }
        }))
    }

    /// Writes the next page, and what is attached to it alone. With the last one, the file is whole.
    ///
    /// # Errors
    /// When it cannot be written.
    ///
    /// # Panics
    /// When the page is not of the shape and kind announced.
    pub fn write(&mut self, raster: &Raster, attached: &Attached) -> Result<(), EncodeError> {
        match &mut self.0 {
            Form::Tiff(writer) => writer.write(raster, attached),
            Form::Mrc(writer) => writer.write(&raster.samples),
            Form::Fits(writer) => writer.write(&raster.samples),
        }
    }
}
