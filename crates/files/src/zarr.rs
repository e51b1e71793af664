//! Zarr, versions 2 and 3, in local folders: arrays in chunks, and OME-Zarr, which says what their axes are.
//!
//! An image is read in parts: of its chunks, those that hold the part.

use std::{
    ops::Range,
    path::{Path, PathBuf},
};

use self::{
    array::{Array, Chunk},
    group::{Found, find},
};
use crate::{
    AxesFrom, Axis, FileError, Header, MAX_CHANNELS, Raster, Region, SampleKind, Samples, Stack,
    input::unsupported, stack::check_index,
};

pub(crate) mod array;
mod axes;
mod blosc;
pub(crate) mod codec;
pub(crate) mod group;
mod json;
mod numbers;
mod shards;
mod v2;
mod v3;

pub use self::group::is_zarr;

/// The images of a folder of Zarr: of an OME-Zarr those of full size, else those of its array.
///
/// An image has all channels; each time point and each plane is a separate image, in the
/// order of the array. The axes are those that OME-Zarr names, or `dimension_names`, or told by the
/// sizes as for [`NpyStack`](crate::NpyStack). Chunks that are not there hold the fill value.
pub struct ZarrStack {
    path: PathBuf,
    pub(crate) found: Found,
    /// The places of channels, rows and columns among the axes.
    channel: Option<usize>,
    row: usize,
    column: usize,
    header: Header,
}

impl ZarrStack {
    /// Opens a folder and reads its metadata.
    ///
    /// # Errors
    /// When they cannot be read, contradict each other, or describe no images that are read here.
    pub fn open(folder: &Path) -> Result<Self, FileError> {
        Self::open_with(folder, &AxesFrom::File)
    }

    /// As [`open`](Self::open); a person may say what the axes are.
    ///
    /// # Errors
    /// As there, and when the array has another number of axes.
    pub fn open_with(folder: &Path, axes: &AxesFrom) -> Result<Self, FileError> {
        let mut found = find(folder)?;
        if let AxesFrom::Given(given) = axes {
            if given.iter().count() != found.axes.len() {
                let sizes = &found.array.shape;
                let found = format!("an array of shape {sizes:?}, which has not the axes {given}");
                let way_out = "say one letter for each of its axes";
                return Err(unsupported(folder, found, way_out));
            }
            found.axes = given.iter().collect();
        }
        let place = |axis| found.axes.iter().position(|found| *found == axis);
        let rows = place(Axis::Row).zip(place(Axis::Column));
        let (row, column) = rows.unwrap_or_else(|| unreachable!("axes are those of images"));
        let channel = place(Axis::Channel);
        let shape = &found.array.shape;
        let sizes = shape.iter().enumerate();
        let images =
            sizes.filter(|(axis, _)| ![Some(row), Some(column), channel].contains(&Some(*axis)));
        let header = Header {
            channels: channel.map_or(1, |channel| shape[channel]),
            height: shape[row],
            width: shape[column],
            kind: found.array.element.kind(),
            alpha: false,
            pages: images.map(|(_, size)| size).product(),
        };
        if header.channels > MAX_CHANNELS {
            let found = format!("images of {} channels", header.channels);
            return Err(unsupported(
                folder,
                found,
                "save up to 64 of them in each image",
            ));
        }
        Ok(Self {
            path: folder.to_owned(),
            channel,
            row,
            column,
            header,
            found,
        })
    }

    /// What all images have in common.
    pub fn header(&self) -> Header {
        self.header
    }

    /// The axes of the array and their sizes, in its order.
    pub fn axes(&self) -> Vec<(Axis, usize)> {
        let sizes = self.array().shape.iter().copied();
        self.found.axes.iter().copied().zip(sizes).collect()
    }

    /// Bytes of memory that reading or writing a region takes at most, besides its samples: a chunk, packed and
    /// unpacked, in vectors that grow by doubling.
    pub fn chunk_memory(&self) -> u64 {
        4 * self.array().chunk_bytes() as u64
    }

    pub(crate) fn array(&self) -> &Array {
        &self.found.array
    }

    /// The range along each axis that a region of an image is.
    pub(crate) fn bounds(&self, index: usize, region: Region) -> Vec<Range<usize>> {
        let mut rest = index;
        let mut bounds = vec![0..0; self.array().shape.len()];
        for (axis, &size) in self.array().shape.iter().enumerate().rev() {
            bounds[axis] = if axis == self.row {
                region.top..region.top + region.height
            } else if axis == self.column {
                region.left..region.left + region.width
            } else if Some(axis) == self.channel {
                0..size
            } else {
                let at = rest % size;
                rest /= size;
                at..at + 1
            };
        }
        bounds
    }

    /// Calls `act` with each row of pixels that a chunk, whose first element is at `origin`, and a region
    /// have in common: where it starts in the chunk, where in the planes of the region, and its pixels. In
    /// the chunk, they are [`step`](Self::step) apart.
    pub(crate) fn for_rows(
        &self,
        origin: &[usize],
        bounds: &[Range<usize>],
        mut act: impl FnMut(usize, usize, usize),
    ) {
        let array = self.array();
        let part = |axis: usize| {
            let end = origin[axis] + array.chunk[axis];
            bounds[axis].start.max(origin[axis])..bounds[axis].end.min(end)
        };
        let offset = |axis: usize, at: usize| (at - origin[axis]) * array.strides[axis];
        let is_image = |axis: &usize| {
            ![Some(self.row), Some(self.column), self.channel].contains(&Some(*axis))
        };
        let images = (0..origin.len()).filter(is_image);
        let start: usize = images.map(|axis| offset(axis, part(axis).start)).sum();
        let (rows, columns) = (&bounds[self.row], &bounds[self.column]);
        let across = part(self.column);
        if across.is_empty() {
            return;
        }
        for channel in self.channel.map_or(0..1, part) {
            let of_channel = self.channel.map_or(0, |axis| offset(axis, channel));
            for y in part(self.row) {
                let from =
                    start + of_channel + offset(self.row, y) + offset(self.column, across.start);
                let line = channel * rows.len() + y - rows.start;
                let into = line * columns.len() + across.start - columns.start;
                act(from, into, across.len());
            }
        }
    }

    /// How far apart neighbours of a row are in a chunk, in elements.
    pub(crate) fn step(&self) -> usize {
        self.array().strides[self.column]
    }

    /// Puts what a chunk has of a region into its planes.
    fn put(&self, chunk: &Chunk, bounds: &[Range<usize>], samples: &mut Samples) {
        let (element, step) = (self.array().element, self.step());
        let size = element.bytes();
        let mut row = Vec::new();
        self.for_rows(&chunk.origin, bounds, |from, into, len| {
            let mut places = into..into + len;
            match &chunk.bytes {
                Some(bytes) if step == 1 => {
                    element.scatter(&bytes[from * size..][..len * size], samples, &mut places);
                }
                Some(bytes) => {
                    row.clear();
                    for at in 0..len {
                        row.extend_from_slice(&bytes[(from + at * step) * size..][..size]);
                    }
                    element.scatter(&row, samples, &mut places);
                }
                None => element.scatter(&self.array().fill.repeat(len), samples, &mut places),
            }
        });
    }
}

impl Stack for ZarrStack {
    fn path(&self) -> &Path {
        &self.path
    }

    fn len(&self) -> usize {
        self.header.pages
    }

    fn shape(&self) -> [usize; 3] {
        self.header.shape()
    }

    fn kind(&self) -> SampleKind {
        self.header.kind
    }

    fn image_axes(&self) -> Vec<(Axis, usize)> {
        let mut axes = self.axes();
        axes.retain(|(axis, _)| axis.is_of_images());
        axes
    }

    fn read(&self, index: usize) -> Result<Raster, FileError> {
        self.read_region(index, Region::all(self.shape()))
    }

    fn read_region(&self, index: usize, region: Region) -> Result<Raster, FileError> {
        check_index(self, index);
        region.assert_within(self.shape());
        let part = Header {
            height: region.height,
            width: region.width,
            ..self.header
        };
        part.check_size(part.kind.bytes(), &self.path)?;
        let shape = part.shape();
        let mut samples = Samples::zeros(part.kind, shape.iter().product());
        let bounds = self.bounds(index, region);
        self.array()
            .for_chunks(&bounds, |chunk| self.put(chunk, &bounds, &mut samples))?;
        Ok(Raster::from_planes(samples, shape, false))
    }

    fn parts(&self) -> Option<[usize; 2]> {
        Some([self.row, self.column].map(|axis| self.array().chunk[axis]))
    }
}
