//! One file: read, denoised, written.

use std::fmt;
use std::fs::{self, File};
use std::io::{BufWriter, Write};
use std::iter;
use std::ops::ControlFlow;
use std::path::PathBuf;

use anyhow::{Context, ensure};
use n2n_data::Range;
use n2n_denoise::Denoiser;
use n2n_files::{
    Attached, EncodeError, NpyWriter, PictureFormat, Raster, Stack, TiffStack, TiffWriter,
    read_attached, read_picture, write_atomically_with, write_picture,
};

use super::jobs::{CheckedJob, Source, Target, open_array};

/// Denoises files.
pub struct Worker<'a> {
    /// The model.
    pub denoiser: &'a Denoiser,
    /// Samples that are black and white.
    pub range: Option<&'a Range>,
    /// Receives the number of finished pixels of the file; `Break` stops the work.
    pub progress: &'a mut dyn FnMut(usize) -> ControlFlow<()>,
}

/// What is to be said of a file that was denoised.
pub struct Remarks {
    /// Kinds of metadata that the new file cannot hold.
    pub left_out: Vec<&'static str>,
    /// Samples that are NaN or infinite, and stay so.
    pub holes: usize,
    /// Whether its samples are hardly in the units of the training, and nobody said what they are.
    pub foreign: bool,
    /// Whether the result is hardly one of a model that fits.
    pub stray: bool,
}

/// Error of an output that cannot be written: the next output would fail as well.
#[derive(Debug)]
pub struct CannotWrite(PathBuf);

impl fmt::Display for CannotWrite {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(formatter, "cannot write {}", self.0.display())
    }
}

/// The images of a file, read one at a time.
type Images = Box<dyn Iterator<Item = anyhow::Result<Raster>>>;

impl Worker<'_> {
    /// Denoises a file.
    ///
    /// # Errors
    /// When the file cannot be read, denoised or written ([`CannotWrite`]); then no output is left.
    pub fn denoise(&mut self, job: &CheckedJob) -> anyhow::Result<Remarks> {
        let (header, output) = (&job.header, &job.output);
        let cannot_write = || CannotWrite(output.clone());
        if let Some(folder) = output.parent() {
            fs::create_dir_all(folder).with_context(cannot_write)?;
        }
        let (images, metadata) = open(job)?;
        let (mut holes, mut foreign, mut stray) = (0, false, false);
        let mut denoised = images.enumerate().map(|(index, raster)| {
            let raster = raster?;
            holes += raster.samples.non_finite();
            foreign |= self.range.is_none() && self.denoiser.is_foreign(&raster);
            let denoised = self.image(job, &raster, index)?;
            stray |= self.denoiser.is_stray(&raster, &denoised, self.range);
            anyhow::Ok(denoised)
        });
        match job.target {
            Target::Picture(PictureFormat::Tiff) if header.pages > 1 => {
                write_images(job, |buffer| {
                    let writer = TiffWriter::new(buffer, header, metadata.clone());
                    let mut writer = written(writer, job)?;
                    denoised.try_for_each(|page| written(writer.write(&page?), job))
                })?;
            }
            Target::Picture(format) => {
                let denoised = denoised.next().context("a picture has an image")??;
                write_images(job, |buffer| {
                    written(write_picture(buffer, denoised, format, &metadata), job)
                })?;
            }
            Target::Npy(axes) => write_images(job, |buffer| {
                let (count, shape) = (header.pages, header.shape());
                let writer = NpyWriter::new(buffer, axes, count, shape, header.kind);
                let mut writer = written(writer, job)?;
                denoised.try_for_each(|image| written(writer.write(&image?.samples), job))
            })?,
        }
        drop(denoised);
        let left_out = match job.target {
            Target::Picture(format) => format.leaves_out(&metadata, header.channels),
            Target::Npy(_) => vec![],
        };
        Ok(Remarks {
            left_out,
            holes,
            foreign,
            stray,
        })
    }

    /// Denoises image `index` of a file.
    fn image(&mut self, job: &CheckedJob, raster: &Raster, index: usize) -> anyhow::Result<Raster> {
        let before = index * job.header.height * job.header.width;
        let progress = &mut |done| (self.progress)(before + done);
        let denoised = self.denoiser.denoise_raster(raster, self.range, progress);
        denoised.with_context(|| match job.header.pages {
            1 => job.input.display().to_string(),
            _ => format!("image {index} of {}", job.input.display()),
        })
    }
}

/// Opens a file: its images, and its metadata.
///
/// The header was read when all files were checked. Metadata and pixels are two more opens: each decoder
/// reads a file from its start and keeps one of the two only.
fn open(job: &CheckedJob) -> anyhow::Result<(Images, Attached)> {
    let path = &job.input;
    let (stack, metadata): (Box<dyn Stack>, _) = match job.source {
        Source::Picture => {
            let metadata = read_attached(path)?;
            let picture = read_picture(path)?;
            return Ok((Box::new(iter::once(Ok(picture))), metadata));
        }
        Source::TiffStack => (Box::new(TiffStack::open(path)?), read_attached(path)?),
        Source::Npy => {
            let stack = open_array(path, job.header.channels)?;
            (Box::new(stack), Attached::default())
        }
    };
    ensure!(
        stack.len() == job.header.pages && stack.shape() == job.header.shape(),
        "{} has changed since its header was read",
        path.display()
    );
    let images = (0..stack.len()).map(move |index| Ok(stack.read(index)?));
    Ok((Box::new(images), metadata))
}

/// Writes a file image by image.
fn write_images(
    job: &CheckedJob,
    write: impl FnOnce(&mut BufWriter<&mut File>) -> anyhow::Result<()>,
) -> anyhow::Result<()> {
    let cannot_write = || CannotWrite(job.output.clone());
    let result = write_atomically_with(&job.output, Some(&job.input), |file| {
        let mut buffer = BufWriter::new(file);
        write(&mut buffer)?;
        buffer.flush().with_context(cannot_write)
    });
    result.with_context(cannot_write)?
}

/// Adds the path to the result of an encoder that writes to disk.
fn written<T>(result: Result<T, EncodeError>, job: &CheckedJob) -> anyhow::Result<T> {
    match result {
        Err(EncodeError::Io(error)) => Err(error).with_context(|| CannotWrite(job.output.clone())),
        result => result.with_context(|| job.input.display().to_string()),
    }
}
