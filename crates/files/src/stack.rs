//! Files of many images.

use std::path::Path;

use crate::{
    Axis, FileError, PictureFormat, Raster, Region, SampleKind, input::has_extension, is_picture,
};

/// Images of one shape and kind in one file, read one at a time.
pub trait Stack: Send + Sync {
    /// The file.
    fn path(&self) -> &Path;

    /// Number of images, at least 1.
    fn len(&self) -> usize;

    /// Whether there is no image.
    fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// `[channels, height, width]` of each image.
    fn shape(&self) -> [usize; 3];

    /// The kind of each image's samples.
    fn kind(&self) -> SampleKind;

    /// The axes along which the images follow each other, the slowest first. Those of one image may be left
    /// out.
    fn image_axes(&self) -> Vec<(Axis, usize)> {
        vec![(Axis::Shot, self.len())]
    }

    /// Reads image `index`.
    ///
    /// # Errors
    /// When the file cannot be read, or the image is damaged.
    ///
    /// # Panics
    /// When `index` is not below [`len`](Self::len).
    fn read(&self, index: usize) -> Result<Raster, FileError>;

    /// Reads a part of image `index`.
    ///
    /// # Errors
    /// As for [`read`](Self::read).
    ///
    /// # Panics
    /// When there is no such image, or the part reaches beyond it.
    fn read_region(&self, index: usize, region: Region) -> Result<Raster, FileError> {
        Ok(self.read(index)?.cropped(region))
    }

    /// Height and width of the parts that images are stored in, if one is read without the others: an image may
    /// then be larger than the memory.
    fn parts(&self) -> Option<[usize; 2]> {
        None
    }
}

/// Whether the name of a file ends as that of a stack: `.npy`, or as that of a [picture](is_picture) of a
/// format that has pages.
pub fn is_stack(path: &Path) -> bool {
    let has_pages = PictureFormat::of_path(path).is_some_and(PictureFormat::has_pages);
    has_extension(path, &["npy"]) || has_pages && is_picture(path)
}

/// Panics where `index` is no image of `stack`.
pub(crate) fn check_index(stack: &impl Stack, index: usize) {
    let len = stack.len();
    assert!(index < len, "index {index} of a stack of {len} images");
}
