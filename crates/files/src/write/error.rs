//! Errors of writing.

use std::path::PathBuf;

use crate::{PictureFormat, SampleKind};

/// Error of encoding an image: each variant names the value and a remedy.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum EncodeError {
    /// The format has no samples of this kind.
    #[error("a {format} file cannot hold samples of {kind}; save them as {way_out}")]
    Kind {
        /// The format asked for.
        format: PictureFormat,
        /// The kind of the samples.
        kind: SampleKind,
        /// Formats that hold them.
        way_out: &'static str,
    },

    /// The format has no alpha.
    #[error("a {format} file cannot hold alpha; save the image as {way_out}")]
    Alpha {
        /// The format asked for.
        format: PictureFormat,
        /// Formats that hold it.
        way_out: &'static str,
    },

    /// The format cannot hold this number of channels.
    #[error("a {format} file holds images of {held}, not {channels}; save {way_out}")]
    Channels {
        /// The format asked for.
        format: PictureFormat,
        /// How many there are.
        channels: usize,
        /// How many there may be.
        held: &'static str,
        /// What to do instead.
        way_out: &'static str,
    },

    /// The other layers of a file of OpenEXR belong to another image.
    #[error(
        "the other channels and layers of {path} stand beside an image of the shape {expected:?}, not \
         {found:?}; save this one without them",
        path = .path.display()
    )]
    Layers {
        /// The file that has them.
        path: PathBuf,
        /// `[channels, height, width]` of the image to save.
        found: [usize; 3],
        /// `[channels, height, width]` of the image of the file.
        expected: [usize; 3],
    },

    /// There is no pixel, or no page.
    #[error("an image without pixels cannot be saved; expected at least 1x1")]
    Empty,

    /// The format holds one image.
    #[error(
        "a {format} file holds one image, not {pages}; save them as TIFF, or one file for each"
    )]
    Pages {
        /// The format asked for.
        format: PictureFormat,
        /// How many there are.
        pages: usize,
    },

    /// The image is wider or higher than the format can say.
    #[error(
        "a {format} file has at most {most} pixels on a side, and the image has {width}x{height}; \
         save it as PNG or TIFF"
    )]
    Size {
        /// The format asked for.
        format: PictureFormat,
        /// Columns.
        width: usize,
        /// Rows.
        height: usize,
        /// Most there may be of either.
        most: usize,
    },

    /// The file would be longer than its offsets reach.
    #[error("a {format} file cannot be longer than 4 GiB; save fewer images in one file")]
    TooLong {
        /// The format asked for.
        format: PictureFormat,
    },

    /// The bytes could not be written; the operating system's error says why.
    #[error("cannot write the image")]
    Io(#[from] std::io::Error),

    /// The encoder gave up, and its own error says why.
    #[error("the {format} encoder gave up on the image; save it in another format")]
    Encoder {
        /// The format asked for.
        format: PictureFormat,
        /// What the encoder said.
        source: Box<dyn std::error::Error + Send + Sync>,
    },
}
