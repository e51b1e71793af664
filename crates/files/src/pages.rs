//! Files of pages: of one format or another, told by their first bytes.

use std::path::Path;

use crate::{
    Attached, FileError, FitsStack, MrcStack, PictureFormat, Raster, SampleKind, Stack, TiffStack,
    input::unsupported, picture,
};

/// The images of a file of any format that [has pages](PictureFormat::has_pages).
pub struct PageStack(Pages);

enum Pages {
    Tiff(TiffStack),
    Mrc(MrcStack),
    Fits(FitsStack),
}

impl PageStack {
    /// Opens the file and reads what it says of all pages.
    ///
    /// # Errors
    /// When the file cannot be read, is damaged, or of a format of one image; else as its format has it.
    pub fn open(path: &Path) -> Result<Self, FileError> {
        let (_, format) = picture::open(path)?;
        Ok(Self(match format {
            PictureFormat::Tiff => Pages::Tiff(TiffStack::open(path)?),
            PictureFormat::Mrc => Pages::Mrc(MrcStack::open(path)?),
            PictureFormat::Fits => Pages::Fits(FitsStack::open(path)?),
            _ => {
                let way_out = "save its images as pages of TIFF";
                return Err(unsupported(path, format!("one image of {format}"), way_out));
            }
        }))
    }

    /// What stands beside the pixels of page `index`. What belongs to the whole file stands beside its
    /// first page.
    ///
    /// # Errors
    /// As for [`read_attached`](crate::read_attached).
    ///
    /// # Panics
    /// When `index` is not below [`len`](Stack::len).
    pub fn attached(&self, index: usize) -> Result<Attached, FileError> {
        match &self.0 {
            Pages::Tiff(stack) => stack.attached(index),
            Pages::Mrc(stack) if index == 0 => stack.attached(),
            Pages::Fits(stack) if index == 0 => Ok(stack.attached().clone()),
            Pages::Mrc(_) | Pages::Fits(_) => Ok(Attached::default()),
        }
    }

    fn stack(&self) -> &dyn Stack {
        match &self.0 {
            Pages::Tiff(stack) => stack,
            Pages::Mrc(stack) => stack,
            Pages::Fits(stack) => stack,
        }
    }
}

impl Stack for PageStack {
    fn path(&self) -> &Path {
        self.stack().path()
    }

    fn len(&self) -> usize {
        self.stack().len()
    }

    fn shape(&self) -> [usize; 3] {
        self.stack().shape()
    }

    fn kind(&self) -> SampleKind {
        self.stack().kind()
    }

    fn read(&self, index: usize) -> Result<Raster, FileError> {
        self.stack().read(index)
    }
}
