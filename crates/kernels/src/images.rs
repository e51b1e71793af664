//! The size of a batch of images.

/// A batch of output images; an upsampled source has half the height and width.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Images {
    /// Images in the batch.
    pub batch_size: usize,
    /// Rows of an image.
    pub height: usize,
    /// Columns of an image.
    pub width: usize,
}
