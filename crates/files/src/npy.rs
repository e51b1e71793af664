//! Arrays made by NumPy: `.npy` and `.npz`.
//!
//! An array is read image by image from where its file keeps it; only one whose images are interleaved is
//! brought into another order first, in a temporary file.

use std::{
    fs::File,
    io::{Read, Seek, Write},
    path::Path,
};

use self::{header::NpyHeader, places::Places};
use crate::{
    Axes, AxesFrom, Axis, FileError, Header, Raster, SampleKind, Samples, Stack,
    element::Element,
    input::{Input, malformed, truncated, unsupported},
    stack::check_index,
};

mod header;
mod layout;
mod npz;
mod places;

pub use self::npz::{open_npz, read_npz};
pub(crate) use self::{
    header::code,
    layout::{Layout, axes_of},
};

/// What its bytes are.
const PART: &str = "the elements of its array";

/// Largest array whose images are interleaved, in bytes: it is brought into another order.
pub(crate) const MOST_REORDERED: u64 = 256 << 20;

/// Bytes of images that are brought into another order at once.
const REORDERED_AT_ONCE: usize = 32 << 20;

/// The images of one array.
///
/// Its shape is `[height, width]` or `[height, width, channels]` for one image,
/// `[images, height, width]`, `[images, channels, height, width]` or
/// `[images, height, width, channels]`. Of four axes, the second holds channels if it is of 1 or 3,
/// else the last if that one is; else, in the same order, one of up to 64 that is shorter than rows
/// and columns. Of three axes, the last holds channels if it is of 1 or 3, or of up to 64 with at least
/// 8 times as many rows and columns. A person may say that its axes are others. Elements are integers of 8 to 64 bits or floats of 16 to 64,
/// in either byte order.
pub struct NpyStack {
    input: Input,
    /// Where the first element is.
    start: u64,
    element: Element,
    layout: Layout,
}

impl NpyStack {
    /// Opens a `.npy` file and reads its header.
    ///
    /// # Errors
    /// When the file cannot be read, is damaged, or holds numbers or shapes other than those of
    /// images.
    pub fn open(path: &Path) -> Result<Self, FileError> {
        Self::open_with(path, &AxesFrom::File)
    }

    /// As [`open`](Self::open); a person may say what its axes are.
    ///
    /// # Errors
    /// As for [`open`](Self::open), and when the array has another number of axes.
    pub fn open_with(path: &Path, axes: &AxesFrom) -> Result<Self, FileError> {
        let given = match axes {
            AxesFrom::Given(given) => Some(given),
            AxesFrom::File | AxesFrom::Pages => None,
        };
        Self::from_input(Input::open(path)?, given)
    }

    /// As [`open`](Self::open), from bytes that came from `path`.
    ///
    /// # Errors
    /// As for [`open`](Self::open).
    pub fn from_reader(
        reader: impl Read + Seek + Send + 'static,
        path: &Path,
    ) -> Result<Self, FileError> {
        Self::from_input(Input::new(reader, path)?, None)
    }

    /// The axes of the array, from the first to the last.
    pub fn axes(&self) -> &[(Axis, usize)] {
        self.layout.axes()
    }

    /// With `[channels, height, width]` in place of `[images, height, width]`: one image of
    /// `channels` channels, more than one, where the array has as many grey images. Any other array
    /// stays as it is.
    #[must_use]
    pub fn with_channels(mut self, channels: usize) -> Self {
        self.layout.join_images(channels);
        self
    }

    fn from_input(input: Input, given: Option<&Axes>) -> Result<Self, FileError> {
        let header = NpyHeader::read(&mut input.reader(Vec::new()), input.path())?;
        let held = input.len().saturating_sub(header.len);
        if held < header.data_len {
            return Err(truncated(input.path(), PART));
        }
        if held > header.data_len {
            let found = format!(
                "its array of shape {:?} takes {} bytes, and {held} follow the header",
                header.shape, header.data_len
            );
            return Err(malformed(input.path(), found));
        }
        Self::new(input, header.len, &header, given)
    }

    /// The array of `header`, whose elements begin at `start`.
    fn new(
        input: Input,
        start: u64,
        header: &NpyHeader,
        given: Option<&Axes>,
    ) -> Result<Self, FileError> {
        let layout = Layout::of(header, given, input.path())?;
        let [channels, height, width] = layout.shape();
        let image = Header {
            channels,
            height,
            width,
            kind: header.element.kind(),
            alpha: false,
            pages: 1,
        };
        image.check_size(header.element.bytes(), input.path())?;
        let mut stack = Self {
            layout,
            element: header.element,
            input,
            start,
        };
        if let Some(places) = stack.layout.interleaved() {
            if header.data_len > MOST_REORDERED {
                let found = format!("{} MiB whose images are interleaved", header.data_len >> 20);
                let way_out =
                    "save it with numpy.ascontiguousarray, as images that follow each other";
                return Err(unsupported(stack.input.path(), found, way_out));
            }
            let file = stack.in_planes(places)?;
            let path = stack.input.path().to_owned();
            stack.input = Input::new(file, &path)?;
            stack.start = 0;
            stack.layout = stack.layout.in_planes();
        }
        Ok(stack)
    }

    /// A file of all elements, each moved to its place: of some images at a time, with a pass over all
    /// elements for each.
    fn in_planes(&self, mut places: Places) -> Result<File, FileError> {
        let (size, image) = (self.element.bytes(), self.layout.image_len());
        let count = self.layout.images() * image;
        let at_once = (REORDERED_AT_ONCE / (image * size)).max(1) * image;
        let failed = |source| FileError::temporary(self.input.path(), source);
        let mut file = tempfile::tempfile().map_err(failed)?;
        for first in (0..count).step_by(at_once) {
            let last = (first + at_once).min(count);
            let mut bytes = vec![0; (last - first) * size];
            self.input
                .for_chunks(self.start, count * size, PART, |chunk| {
                    for (element, place) in chunk.chunks_exact(size).zip(&mut places) {
                        if (first..last).contains(&place) {
                            bytes[(place - first) * size..][..size].copy_from_slice(element);
                        }
                    }
                })?;
            file.write_all(&bytes).map_err(failed)?;
        }
        Ok(file)
    }
}

impl Stack for NpyStack {
    /// The file; for an entry of an archive, its name behind the archive's.
    fn path(&self) -> &Path {
        self.input.path()
    }

    fn len(&self) -> usize {
        self.layout.images()
    }

    fn shape(&self) -> [usize; 3] {
        self.layout.shape()
    }

    fn kind(&self) -> SampleKind {
        self.element.kind()
    }

    fn image_axes(&self) -> Vec<(Axis, usize)> {
        self.layout.of_images()
    }

    fn read(&self, index: usize) -> Result<Raster, FileError> {
        check_index(self, index);
        let mut samples = Samples::zeros(self.kind(), self.layout.image_len());
        let (runs, size) = (self.layout.runs(), self.element.bytes());
        for (start, first) in runs.of(index) {
            let start = self.start + (start * size) as u64;
            let mut places = runs.places().map(|place| first + place);
            self.input
                .for_chunks(start, runs.len * size, PART, |chunk| {
                    self.element.scatter(chunk, &mut samples, &mut places);
                })?;
        }
        Ok(Raster::from_planes(samples, self.layout.shape(), false))
    }
}
