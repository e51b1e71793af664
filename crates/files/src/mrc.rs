//! MRC: the sections of stacks and volumes of electron microscopes.

use std::path::Path;

use self::header::Form;
use crate::{
    Attached, Axis, FileError, Header, Own, Raster, SampleKind, Stack,
    attached::{MAX_BYTES, too_much},
    element::Element,
    input::Input,
    sections::Sections,
    stack::check_index,
};

pub(crate) mod header;

/// The sections of an MRC file: images of a stack, or slices of volumes, in the order of the file.
/// Rows are as they are stored.
pub struct MrcStack {
    sections: Sections,
    big_endian: bool,
    /// Of each volume; `None` where the file does not say that there are any.
    slices: Option<usize>,
    /// Bytes between the header and the first section.
    extended: u64,
}

impl MrcStack {
    /// Opens the file and reads its header.
    ///
    /// # Errors
    /// When the file cannot be read, is damaged or too short, is of another mode than 0, 1, 2, 6 or 12,
    /// or its sections are not along its third axis.
    pub fn open(path: &Path) -> Result<Self, FileError> {
        let input = Input::open(path)?;
        let mut bytes = vec![0; header::LEN];
        input.read_exact_at(0, &mut bytes, "its header")?;
        let Form {
            big_endian,
            kind,
            sizes,
            slices,
            extended,
        } = Form::parse(&bytes, path)?;
        let start = header::LEN as u64 + extended;
        Ok(Self {
            sections: Sections::new(input, start, Element::new(kind, big_endian), sizes)?,
            big_endian,
            slices,
            extended,
        })
    }

    /// The header, which belongs to all sections.
    ///
    /// # Errors
    /// When it cannot be read, or takes more than 64 MiB.
    pub fn attached(&self) -> Result<Attached, FileError> {
        if self.extended > MAX_BYTES as u64 {
            return Err(too_much(self.path()));
        }
        let mut bytes = vec![0; header::LEN];
        let mut extended = vec![0; self.extended as usize];
        let input = self.sections.input();
        input.read_exact_at(0, &mut bytes, "its header")?;
        input.read_exact_at(header::LEN as u64, &mut extended, "its extended header")?;
        let behind = self.sections.end().map_or(0, |end| input.len() - end);
        let behind = (behind > 0).then(|| format!("the {behind} bytes behind its sections"));
        Ok(Attached {
            own: Some(Own::Mrc(Box::new(header::MrcHeader {
                bytes,
                extended,
                big_endian: self.big_endian,
            }))),
            unread: behind.into_iter().collect(),
            ..Attached::default()
        })
    }

    /// The axes of the sections, the slowest first.
    pub(crate) fn axes(&self) -> Vec<(Axis, usize)> {
        let sections = self.len();
        match self.slices {
            Some(slices) if sections.is_multiple_of(slices) => {
                vec![(Axis::Unknown, sections / slices), (Axis::Depth, slices)]
            }
            _ => vec![(Axis::Unknown, sections)],
        }
    }

    pub(crate) fn header(&self) -> Header {
        *self.sections.header()
    }
}

impl Stack for MrcStack {
    fn path(&self) -> &Path {
        self.sections.path()
    }

    fn len(&self) -> usize {
        self.sections.header().pages
    }

    fn shape(&self) -> [usize; 3] {
        self.sections.header().shape()
    }

    fn kind(&self) -> SampleKind {
        self.sections.kind()
    }

    fn read(&self, index: usize) -> Result<Raster, FileError> {
        check_index(self, index);
        let samples = self.sections.read(index)?;
        Ok(Raster::from_planes(samples, self.shape(), false))
    }
}
