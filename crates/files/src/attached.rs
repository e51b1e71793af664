//! Metadata of pictures.

use std::path::Path;

use crate::{
    FileError, FitsStack, MrcStack, PictureFormat, exr,
    input::{caught, unsupported},
    picture::open,
    tiff,
};

mod bmp;
mod hdr;
mod jpeg;
mod own;
mod png;
mod resolution;
mod upright;
mod webp;

pub(crate) use self::{
    jpeg::XMP as JPEG_XMP,
    own::{ExrAttributes, Segment},
    png::xmp_chunk,
    resolution::{pixel_density, pixel_dimensions, pixels_per_metre},
};
pub use self::{
    own::Own,
    resolution::{Resolution, ResolutionUnit},
};

/// Most bytes of a profile, of EXIF data or of a description: a few bytes can announce any number.
pub(crate) const MAX_BYTES: usize = 64 << 20;

/// Metadata of a picture, which can be written with other pixels. A damaged profile counts as missing.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Attached {
    /// The ICC colour profile.
    pub icc: Option<Vec<u8>>,
    /// EXIF data from their byte order on. Those of TIFF are made of its tags.
    pub exif: Option<Vec<u8>>,
    /// XMP data.
    pub xmp: Option<Vec<u8>>,
    /// Pixels in a unit of length: of PNG, JPEG, TIFF and BMP.
    pub resolution: Option<Resolution>,
    /// The description of a page of TIFF, without the zero at its end: that is where
    /// microscopes keep their settings, and ImageJ the meaning of its stacks. Most are UTF-8.
    pub description: Option<Vec<u8>>,
    /// Whether the colours are multiplied by alpha, as in OpenEXR, and in TIFF where it says so.
    pub associated_alpha: bool,
    /// Whether a TIFF file does not say what the fourth sample of its colours is.
    pub unspecified_alpha: bool,
    /// What only files of the same format keep.
    pub own: Option<Own>,
    /// What the file holds besides and no file keeps, in words.
    pub unread: Vec<String>,
}

/// Reads the metadata of a picture, of several pictures that of the first.
///
/// # Errors
/// When the file cannot be read, is in no known format, is damaged as far as it was read, or holds
/// more than 64 MiB of metadata. The pixels may still be readable.
pub fn read_attached(path: &Path) -> Result<Attached, FileError> {
    let (input, format) = open(path)?;
    caught(path, || match format {
        PictureFormat::Png => png::read(input, path),
        PictureFormat::Jpeg => jpeg::read(input, path),
        PictureFormat::WebP => webp::read(input, path),
        PictureFormat::Tiff => tiff::read_attached(path),
        PictureFormat::Exr => exr::read_attached(path),
        PictureFormat::Bmp => bmp::read(input, path),
        PictureFormat::Hdr => hdr::read(input, path),
        PictureFormat::Mrc => MrcStack::open(path)?.attached(),
        PictureFormat::Fits => Ok(FitsStack::open(path)?.attached().clone()),
    })
}

/// More than [`MAX_BYTES`].
pub(crate) fn too_much(path: &Path) -> FileError {
    let way_out = "save it without its profile, EXIF data and description";
    unsupported(path, "more than 64 MiB beside its pixels", way_out)
}
