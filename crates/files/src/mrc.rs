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
    /// What is behind the last section, in words.
    behind: Option<String>,
}

impl MrcStack {
    /// Opens the file and reads its header.
    ///
    /// # Errors
    /// When the file cannot be read, is damaged or too short, is of another mode than 0, 1, 2, 6 or 12,
    /// or its sections are not along its third axis.
    pub fn open(path: &Path) -> Result<Self, FileError> {
        let input = Input::open_unpacked(path)?;
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
        let sections = Sections::new(input, start, Element::new(kind, big_endian), sizes)?;
        Ok(Self {
            behind: behind(&sections)?,
            sections,
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
        Ok(Attached {
            own: Some(Own::Mrc(Box::new(header::MrcHeader {
                bytes,
                extended,
                big_endian: self.big_endian,
            }))),
            unread: self.behind.clone().into_iter().collect(),
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

/// What is behind the last section, in words. This also reads a packed file to its end, where its checksum is.
fn behind(sections: &Sections) -> Result<Option<String>, FileError> {
    let input = sections.input();
    let end = sections.end().unwrap_or(u64::MAX);
    if !input.holds(end.saturating_add(1))? {
        return Ok(None);
    }
    Ok(Some(match input.known_len() {
        Some(len) => format!("the {} bytes behind its sections", len - end),
        None => "the bytes behind its sections".to_owned(),
    }))
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
