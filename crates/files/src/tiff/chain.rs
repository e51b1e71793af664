//! The chain of a TIFF file's directories, and the pages that are read from it.

use std::collections::HashSet;

use ::tiff::tags::Tag;

use super::{
    axes, camera,
    form::{Directory, Form},
    levels,
    planes::Planes,
};
use crate::{
    Axis, FileError,
    input::{Input, InputReader, malformed},
};

/// The full image is somewhere else.
const REDUCED: u64 = 1;

/// Bytes of a description that are read: OME says something of every page.
const MOST_TEXT: usize = 16 << 20;

/// Where the pages of a file are.
pub(super) struct Chain {
    form: Form,
    /// The directories of the pages.
    directories: Vec<Brief>,
    /// Directories of smaller images of the pages, which are not read.
    smaller: usize,
    /// The planes behind the directory, if there is only one.
    planes: Planes,
    /// The axes of the pages.
    axes: Vec<(Axis, usize)>,
}

/// What a directory says of its image.
pub(super) struct Brief {
    /// Where it is.
    pub place: u64,
    /// `[width, height]`, 0 where it does not say.
    pub size: [u64; 2],
    /// Whether it is a smaller one of another image.
    pub is_reduced: bool,
    /// Whether its values are those of a camera's sensor.
    pub is_sensor: bool,
}

impl Brief {
    pub fn read(
        directory: &Directory,
        place: u64,
        form: Form,
        input: &Input,
    ) -> Result<Self, FileError> {
        let number = |tag| directory.number(tag, form, input);
        let kind = number(Tag::NewSubfileType)?.unwrap_or(0);
        let photometric = number(Tag::PhotometricInterpretation)?;
        Ok(Self {
            place,
            size: [
                number(Tag::ImageWidth)?.unwrap_or(0),
                number(Tag::ImageLength)?.unwrap_or(0),
            ],
            is_reduced: kind & REDUCED != 0,
            is_sensor: photometric.is_some_and(camera::is_sensor),
        })
    }
}

impl Chain {
    /// Follows the directories from one to the next, once.
    ///
    /// # Errors
    /// When the file is damaged as far as that, has no directory, or is a camera's raw file.
    pub fn read(input: &Input) -> Result<Self, FileError> {
        Self::of_level(input, 0)
    }

    /// As [`read`](Self::read), but with the smaller images of a level of the pyramid as pages.
    ///
    /// # Errors
    /// As there, and when there is no such level.
    pub fn of_level(input: &Input, level: usize) -> Result<Self, FileError> {
        camera::refuse_start(input)?;
        let form = Form::read(input)?;
        let mut first = None;
        let mut directories = Vec::new();
        follow(form, input, |place, directory| {
            directories.push(Brief::read(&directory, place, form, input)?);
            first.get_or_insert(directory);
            Ok(())
        })?;
        let Some(first) = first else {
            return Err(FileError::Empty {
                path: input.path().to_owned(),
            });
        };
        camera::refuse(&directories, &first, form, input)?;
        let description = first.bytes(Tag::ImageDescription, MOST_TEXT, input)?;
        let (planes, smaller) = if level > 0 {
            directories = levels::at(level, directories, form, input)?;
            (Planes::ONE, 0)
        } else {
            let planes = match directories.len() {
                1 => Planes::behind(&first, &description, form, input)?,
                _ => Planes::ONE,
            };
            (planes, levels::leave_out(&mut directories))
        };
        Ok(Self {
            axes: axes::told(&description, directories.len() * planes.len),
            form,
            directories,
            smaller,
            planes,
        })
    }

    /// The form of the file.
    pub fn form(&self) -> Form {
        self.form
    }

    /// The axes of the pages, the slowest first.
    pub fn axes(&self) -> &[(Axis, usize)] {
        &self.axes
    }

    /// Number of pages.
    pub fn len(&self) -> usize {
        self.directories.len() * self.planes.len
    }

    /// The first page of each directory.
    pub fn of_directories(&self) -> impl Iterator<Item = usize> {
        (0..self.len()).step_by(self.planes.len)
    }

    /// The file as if the directory of page `index` were its first one, so that it is reached in one step.
    pub fn page<'a>(&self, input: &'a Input, index: usize) -> InputReader<'a> {
        let directory = &self.directories[index / self.planes.len];
        input.reader(self.form.header(directory.place))
    }

    /// How many bytes the samples of page `index` lie behind those that its directory leads to.
    pub fn behind(&self, index: usize) -> u64 {
        (index % self.planes.len) as u64 * self.planes.bytes
    }

    /// What the file holds besides its pages, in words.
    pub fn unread(&self) -> impl Iterator<Item = String> {
        let (smaller, missing) = (self.smaller, self.planes.missing);
        let smaller =
            (smaller > 0).then(|| format!("the smaller images in {smaller} of its pages"));
        let missing = (missing > 0).then(|| {
            format!("the {missing} planes that its description names and it does not hold")
        });
        smaller.into_iter().chain(missing)
    }
}

/// Calls `act` with each directory, none of them twice and all of them whole.
fn follow(
    form: Form,
    input: &Input,
    mut act: impl FnMut(u64, Directory) -> Result<(), FileError>,
) -> Result<(), FileError> {
    let path = input.path();
    let (mut seen, mut total) = (HashSet::new(), 0_u64);
    let mut offset = form.first(input)?;
    while offset != 0 {
        let page = seen.len();
        if !seen.insert(offset) {
            let found = format!("the directory behind page {page} is that of a page before");
            return Err(malformed(path, found));
        }
        let directory = form.directory(input, offset, &format!("the directory of page {page}"))?;
        // Else a short file could make for many long directories.
        total += directory.len;
        if total > input.len() {
            return Err(malformed(path, "the directories of its pages overlap"));
        }
        let next = directory.next;
        act(offset, directory)?;
        offset = next;
    }
    Ok(())
}
