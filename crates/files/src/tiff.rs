//! TIFF: pages of grey, RGB or bands.

use std::path::Path;

use self::{chain::Chain, page::Page};
use crate::{
    Attached, AxesFrom, Axis, FileError, Header, PageStack, Raster, SampleKind, Stack,
    input::{Input, caught},
    pages::choose,
    stack::check_index,
};

mod attached;
mod axes;
mod camera;
mod chain;
mod chunks;
mod decode;
mod form;
mod levels;
mod page;
mod palette;
mod planes;
mod tags;
mod unpack;

pub(crate) use self::{
    attached::read_attached,
    camera::{is_named_raw, raw},
    tags::{XMP, is_structure},
};

/// Whether a file begins as a TIFF file with offsets of 64 bits.
pub(crate) fn is_big(start: &[u8]) -> bool {
    start.starts_with(b"II+\0") || start.starts_with(b"MM\0+")
}

pub(crate) fn read_header(path: &Path, axes: &AxesFrom) -> Result<Header, FileError> {
    let input = Input::open(path)?;
    let chain = Chain::read(&input)?;
    let page = Page::open(&input, &chain, 0)?.header();
    Ok(choose(axes, chain.axes().to_vec(), &page, path)?.joined(&page))
}

pub(crate) fn read_picture(path: &Path, axes: &AxesFrom) -> Result<Raster, FileError> {
    let input = Input::open(path)?;
    let chain = Chain::read(&input)?;
    let page = Page::open(&input, &chain, 0)?;
    if choose(axes, chain.axes().to_vec(), &page.header(), path)?.channels() == 1 {
        return page.read();
    }
    PageStack::open_with(path, axes)?.read(0)
}

/// Bytes of memory that the largest strip or tile of the first page takes beside its samples.
pub(crate) fn unpacking_bytes(path: &Path) -> Result<u64, FileError> {
    let input = Input::open(path)?;
    let chain = Chain::read(&input)?;
    Page::open(&input, &chain, 0)?.unpacking_bytes()
}

/// The pages of a TIFF file, all of one shape and kind, read from disk one at a time.
///
/// Smaller images of the first one are no pages; planes behind one directory, as ImageJ writes them, are.
pub struct TiffStack {
    input: Input,
    chain: Chain,
    /// That of every page.
    header: Header,
}

impl TiffStack {
    /// Opens the file and reads the directory of each page.
    ///
    /// # Errors
    /// When the file cannot be read, is damaged, is a camera's raw file, a page is something else than grey, RGB or
    /// bands of integers or floats, or the pages differ in shape or kind.
    pub fn open(path: &Path) -> Result<Self, FileError> {
        Self::open_level(path, 0)
    }

    /// The smaller images of a level of a pyramid, where 0 are the largest.
    ///
    /// # Errors
    /// As for [`open`](Self::open), and when there is no such level.
    pub fn open_level(path: &Path, level: usize) -> Result<Self, FileError> {
        let input = Input::open(path)?;
        let chain = Chain::of_level(&input, level)?;
        let header = caught(path, || {
            let first = Page::open(&input, &chain, 0)?.header();
            for page in chain.of_directories().skip(1) {
                let found = Page::open(&input, &chain, page)?.header();
                if (found.shape(), found.kind) != (first.shape(), first.kind) {
                    return Err(FileError::PagesDiffer {
                        path: path.to_owned(),
                        page,
                        found: found.shape(),
                        found_kind: found.kind,
                        expected: first.shape(),
                        expected_kind: first.kind,
                    });
                }
            }
            Ok(first)
        })?;
        Ok(Self {
            input,
            chain,
            header,
        })
    }

    /// The axes along which pages follow each other, the slowest first.
    pub fn axes(&self) -> &[(Axis, usize)] {
        self.chain.axes()
    }

    /// What all pages have in common.
    pub fn header(&self) -> Header {
        self.header
    }

    /// What stands beside the pixels of page `index`.
    ///
    /// # Errors
    /// As for [`read_attached`](crate::read_attached).
    ///
    /// # Panics
    /// When `index` is not below [`len`](Stack::len).
    pub fn attached(&self, index: usize) -> Result<Attached, FileError> {
        check_index(self, index);
        caught(self.path(), || {
            attached::of_page(&self.input, &self.chain, index)
        })
    }
}

impl Stack for TiffStack {
    fn path(&self) -> &Path {
        self.input.path()
    }

    fn len(&self) -> usize {
        self.chain.len()
    }

    fn shape(&self) -> [usize; 3] {
        self.header.shape()
    }

    fn kind(&self) -> SampleKind {
        self.header.kind
    }

    fn read(&self, index: usize) -> Result<Raster, FileError> {
        check_index(self, index);
        caught(self.path(), || {
            Page::open(&self.input, &self.chain, index)?.read()
        })
    }
}
