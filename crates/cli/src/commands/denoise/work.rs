//! One file: read, denoised, written.

use std::fmt;
use std::fs;
use std::io::{BufWriter, Write};
use std::ops::ControlFlow;
use std::path::PathBuf;

use anyhow::Context;
use n2n_denoise::Denoiser;
use n2n_files::{
    Attached, EncodeError, NpyWriter, PictureFormat, Raster, TiffWriter, encode_picture,
    read_attached, read_picture, write_atomically, write_atomically_with,
};

use super::jobs::{Job, Opened, Source, Target};

/// How images are denoised.
pub struct Worker<'a> {
    /// The network.
    pub denoiser: &'a Denoiser,
    /// Samples that are black and white.
    pub range: Option<[f32; 2]>,
    /// Is told how many pixels of the file are done, and may ask for an end.
    pub progress: &'a mut dyn FnMut(usize) -> ControlFlow<()>,
}

/// An output that cannot be written: the next one cannot either.
#[derive(Debug)]
pub struct CannotWrite(PathBuf);

impl fmt::Display for CannotWrite {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(formatter, "cannot write {}", self.0.display())
    }
}

impl Worker<'_> {
    /// Denoises a file; what of its profile and metadata the new one cannot hold.
    ///
    /// # Errors
    /// When it cannot be read, denoised or written ([`CannotWrite`]); nothing is then written.
    pub fn denoise(&mut self, job: &Job, opened: &Opened) -> anyhow::Result<Vec<&'static str>> {
        let cannot_write = || CannotWrite(job.output.clone());
        if let Some(folder) = job.output.parent() {
            fs::create_dir_all(folder).with_context(cannot_write)?;
        }
        let header = &opened.header;
        let attached = match opened.from_array {
            true => Attached::default(),
            false => read_attached(&job.input)?,
        };
        match opened.target {
            Target::Picture(PictureFormat::Tiff) if header.pages > 1 => {
                write_atomically_with(&job.output, |file| {
                    let mut buffer = BufWriter::new(file);
                    let writer = TiffWriter::new(&mut buffer, header, attached.clone());
                    let mut writer = written(writer, job)?;
                    for page in 0..header.pages {
                        written(writer.write(&self.image(job, opened, page)?), job)?;
                    }
                    buffer.flush().with_context(cannot_write)
                })
                .with_context(cannot_write)??;
            }
            Target::Picture(format) => {
                let denoised = self.image(job, opened, 0)?;
                let bytes = encode_picture(&denoised, format, &attached);
                let bytes = bytes.with_context(|| job.input.display().to_string())?;
                write_atomically(&job.output, &bytes).with_context(cannot_write)?;
            }
            Target::Npy(axes) => {
                write_atomically_with(&job.output, |file| {
                    let mut buffer = BufWriter::new(file);
                    let (count, shape) = (header.pages, header.shape());
                    let writer = NpyWriter::new(&mut buffer, axes, count, shape, header.kind);
                    let mut writer = written(writer, job)?;
                    for index in 0..count {
                        let denoised = self.image(job, opened, index)?;
                        written(writer.write(&denoised.samples), job)?;
                    }
                    buffer.flush().with_context(cannot_write)
                })
                .with_context(cannot_write)??;
            }
        }
        Ok(match opened.target {
            Target::Picture(format) => format.leaves_out(&attached, header.channels),
            Target::Npy(_) => vec![],
        })
    }

    /// Reads an image of a file, and denoises it.
    fn image(&mut self, job: &Job, opened: &Opened, index: usize) -> anyhow::Result<Raster> {
        let raster = match &opened.source {
            Source::Picture => read_picture(&job.input)?,
            Source::Stack(stack) => stack.read(index)?,
        };
        let before = index * opened.header.height * opened.header.width;
        let progress = &mut |done| (self.progress)(before + done);
        let denoised = self.denoiser.denoise_raster(&raster, self.range, progress);
        denoised.with_context(|| match opened.header.pages {
            1 => job.input.display().to_string(),
            _ => format!("image {index} of {}", job.input.display()),
        })
    }
}

/// The result of an encoder that writes to disk.
fn written<T>(result: Result<T, EncodeError>, job: &Job) -> anyhow::Result<T> {
    match result {
        Err(EncodeError::Io(error)) => Err(error).with_context(|| CannotWrite(job.output.clone())),
        result => result.with_context(|| job.input.display().to_string()),
    }
}
