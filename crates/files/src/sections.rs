//! Grey images that follow each other in a file as they are, row by row.

use std::path::Path;

use crate::{
    FileError, Header, SampleKind, Samples,
    element::Element,
    input::{Input, truncated},
};

/// What their bytes are.
const PART: &str = "its pixels";

/// The images of a file, read one at a time.
pub(crate) struct Sections {
    input: Input,
    /// Where the first one is.
    start: u64,
    element: Element,
    header: Header,
}

impl Sections {
    /// `[images, height, width]` numbers from `start` on.
    ///
    /// # Errors
    /// When an image is too large, or the file too short for all of them.
    pub fn new(
        input: Input,
        start: u64,
        element: Element,
        sizes: [usize; 3],
    ) -> Result<Self, FileError> {
        let [pages, height, width] = sizes;
        let header = Header {
            channels: 1,
            height,
            width,
            kind: element.kind(),
            alpha: false,
            pages,
        };
        header.check_size(element.bytes(), input.path())?;
        let sections = Self {
            input,
            start,
            element,
            header,
        };
        match sections.end() {
            Some(end) if sections.input.holds(end)? => Ok(sections),
            _ => Err(truncated(sections.path(), PART)),
        }
    }

    /// Where the bytes behind the last image are; `None` where no file reaches.
    pub fn end(&self) -> Option<u64> {
        let pages = self.header.pages as u64;
        let len = pages.checked_mul(self.header.decoded_bytes())?;
        self.start.checked_add(len)
    }

    pub fn path(&self) -> &Path {
        self.input.path()
    }

    pub fn input(&self) -> &Input {
        &self.input
    }

    /// What all images have in common.
    pub fn header(&self) -> &Header {
        &self.header
    }

    pub fn kind(&self) -> SampleKind {
        self.element.kind()
    }

    /// The numbers of image `index`.
    pub fn read(&self, index: usize) -> Result<Samples, FileError> {
        let count = self.header.height * self.header.width;
        let len = count * self.element.bytes();
        let start = self.start + index as u64 * len as u64;
        let mut samples = Samples::zeros(self.kind(), count);
        let mut places = 0..count;
        self.input.for_chunks(start, len, PART, |chunk| {
            self.element.scatter(chunk, &mut samples, &mut places);
        })?;
        Ok(samples)
    }
}
