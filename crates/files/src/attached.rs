//! Metadata of pictures.

use std::path::Path;

use crate::{
    FileError, PictureFormat,
    input::{caught, unsupported},
    picture::open,
    tiff,
};

mod jpeg;
mod png;
mod resolution;
mod webp;

pub use self::resolution::{Resolution, ResolutionUnit};
pub(crate) use self::resolution::{pixel_density, pixel_dimensions};

/// Most bytes of a profile, of EXIF data or of a description: a few bytes can announce any number.
pub(crate) const MAX_BYTES: usize = 64 << 20;

/// Metadata of a picture, which can be written with other pixels.
///
/// XMP and IPTC data, PNG texts and other TIFF tags are ignored. A damaged profile counts as missing.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Attached {
    /// The ICC colour profile.
    pub icc: Option<Vec<u8>>,
    /// EXIF data: those of PNG, JPEG and WebP from their byte order on. Of TIFF, its
    /// orientation.
    pub exif: Option<Vec<u8>>,
    /// Pixels in a unit of length: of PNG, JPEG and TIFF.
    pub resolution: Option<Resolution>,
    /// The description of a TIFF file's first page, without the zero at its end: that is where
    /// microscopes keep their settings, and ImageJ the meaning of its stacks. Most are UTF-8.
    pub description: Option<Vec<u8>>,
    /// Whether the colours are multiplied by alpha, as in OpenEXR, and in TIFF where it says so.
    pub associated_alpha: bool,
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
        PictureFormat::Exr => Ok(Attached {
            associated_alpha: true,
            ..Attached::default()
        }),
        PictureFormat::Bmp | PictureFormat::Hdr => Ok(Attached::default()),
    })
}

/// EXIF data that say nothing but how to turn the image, in EXIF's numbers.
pub(crate) fn orientation_alone(orientation: u8) -> Vec<u8> {
    // Little-endian, the directory behind these 8 bytes, of one entry: tag 0x112, one 16-bit number.
    let mut exif = b"II*\0\x08\0\0\0\x01\0\x12\x01\x03\0\x01\0\0\0".to_vec();
    exif.extend([orientation, 0, 0, 0]);
    // No other directory.
    exif.extend([0; 4]);
    exif
}

/// More than [`MAX_BYTES`].
pub(crate) fn too_much(path: &Path) -> FileError {
    let way_out = "save it without its profile, EXIF data and description";
    unsupported(path, "more than 64 MiB beside its pixels", way_out)
}
