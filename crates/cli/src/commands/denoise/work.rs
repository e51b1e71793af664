//! One file: read, denoised, written.

use std::fmt;
use std::fs::{self, File};
use std::io::{self, BufWriter, ErrorKind, Write};
use std::iter;
use std::ops::ControlFlow;
use std::path::PathBuf;

use anyhow::{Context, ensure};
use n2n_data::Range;
use n2n_denoise::{Denoised, Denoiser};
use n2n_files::{
    Attached, Axis, EncodeError, NpyWriter, PageStack, PagesWriter, Raster, Stack, Turn, ZarrStack,
    ZarrWriter, read_attached, read_picture_with, write_atomically_with, write_gzip_with,
    write_picture,
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
#[derive(Default)]
pub struct Remarks {
    /// What the new file cannot hold, in words.
    pub left_out: Vec<String>,
    /// Which picture of the file was denoised, in words, where it holds several.
    pub choice: Option<String>,
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

/// The images of a file, read one at a time, each with what stands beside each of its pages.
type Images = Box<dyn Iterator<Item = anyhow::Result<(Raster, Vec<Attached>)>>>;

impl CheckedJob {
    /// Image `index` in words.
    fn place(&self, index: usize) -> String {
        match self.header.pages {
            1 => self.input.display().to_string(),
            _ => format!("image {index} of {}", self.input.display()),
        }
    }

    /// What the output does not keep of what is `attached` to an image, in words.
    fn leaves_out(&self, attached: &Attached) -> Vec<String> {
        let channels = match &self.parts {
            Some(parts) => parts.parted(&self.header).channels,
            None => self.header.channels,
        };
        match self.target {
            Target::Picture(format) => format.leaves_out(attached, channels),
            Target::Npy(_) | Target::Zarr => attached.in_words(),
        }
    }
}

impl Worker<'_> {
    /// Denoises a file.
    ///
    /// # Errors
    /// When the file cannot be read, denoised or written ([`CannotWrite`]); then no output is left.
    pub fn denoise(&mut self, job: &CheckedJob) -> anyhow::Result<Remarks> {
        let (header, output) = (&job.header, &job.output);
        let cannot_write = || CannotWrite(output.clone());
        if let Some(folder) = output.parent() {
            let created = fs::create_dir_all(folder);
            let kind = created.as_ref().err().map(io::Error::kind);
            // Other folders of the output are none the worse.
            ensure!(
                !matches!(
                    kind,
                    Some(ErrorKind::NotADirectory | ErrorKind::AlreadyExists)
                ),
                "cannot write {}: a file is where its folder would be; remove it, or choose another -o",
                output.display()
            );
            created.with_context(cannot_write)?;
        }
        if job.target == Target::Zarr {
            return self.in_parts(job);
        }
        let Opened {
            images,
            turn: upright,
            attached: first,
        } = open(job)?;
        let turn = upright.unwrap_or_default();
        let mut remarks = Remarks::default();
        let mut denoised = images.enumerate().map(|(index, image)| {
            let (raster, attached) = image?;
            if let Some(choice) = attached.first().and_then(Attached::choice) {
                remarks.choice = Some(choice.to_owned());
            }
            remarks.holes += raster.samples.non_finite();
            remarks.foreign |= self.range.is_none() && self.denoiser.is_foreign(&raster);
            let denoised = self.image(job, &raster, index)?;
            remarks.stray |= self.denoiser.is_stray(&raster, &denoised, self.range);
            drop(raster);
            let attached: Vec<Attached> = attached
                .into_iter()
                .map(|attached| match upright {
                    Some(_) => attached.upright(),
                    None => attached,
                })
                .collect();
            for words in attached
                .iter()
                .flat_map(|attached| job.leaves_out(attached))
            {
                if !remarks.left_out.contains(&words) {
                    remarks.left_out.push(words);
                }
            }
            anyhow::Ok((denoised.turned(turn), attached))
        });
        let mut shape = header.shape();
        if turn.swaps_sides() {
            shape.swap(1, 2);
        }
        match &job.target {
            Target::Picture(format) if header.pages > 1 || job.parts.is_some() => {
                write_images(job, |buffer| {
                    let writer = match &job.parts {
                        Some(parts) => PagesWriter::parted(buffer, *format, header, parts, &first),
                        None => PagesWriter::new(buffer, *format, header, &first),
                    };
                    let mut writer = written(writer, job)?;
                    denoised.try_for_each(|image| {
                        let (image, mut attached) = image?;
                        if job.parts.is_none() {
                            attached.truncate(1);
                        }
                        written(writer.write(&image, &attached), job)
                    })
                })?;
            }
            Target::Picture(format) => {
                let (denoised, attached) = denoised.next().context("a picture has an image")??;
                let attached = attached.into_iter().next().unwrap_or_default();
                write_images(job, |buffer| {
                    written(write_picture(buffer, denoised, *format, &attached), job)
                })?;
            }
            Target::Npy(axes) => write_images(job, |buffer| {
                let axes: Vec<_> = axes
                    .iter()
                    .map(|&(axis, size)| match axis {
                        Axis::Row => (axis, shape[1]),
                        Axis::Column => (axis, shape[2]),
                        _ => (axis, size),
                    })
                    .collect();
                let mut writer = written(NpyWriter::new(buffer, &axes, header.kind), job)?;
                denoised.try_for_each(|image| written(writer.write(&image?.0.samples), job))
            })?,
            Target::Zarr => unreachable!("it is written in parts"),
        }
        drop(denoised);
        Ok(remarks)
    }

    /// Denoises a folder of Zarr into another one, a part of an image at a time.
    fn in_parts(&mut self, job: &CheckedJob) -> anyhow::Result<Remarks> {
        let stack = ZarrStack::open_with(&job.input, &job.axes_from)?;
        check_same(&stack, job)?;
        let mut writer = written(ZarrWriter::new(&job.output, &stack), job)?;
        let mut remarks = Remarks {
            left_out: writer.left_out().to_vec(),
            ..Remarks::default()
        };
        for index in 0..stack.len() {
            let before = index * job.header.height * job.header.width;
            let denoised = self.denoiser.denoise_parts(
                &stack,
                index,
                self.range,
                job.in_files,
                &mut |region, samples| writer.write(index, region, samples),
                &mut |done| (self.progress)(before + done),
            );
            let Denoised {
                holes,
                foreign,
                stray,
            } = match denoised {
                Err(n2n_denoise::Error::Write(error)) => written(Err(error), job)?,
                denoised => denoised.with_context(|| job.place(index))?,
            };
            remarks.holes += holes;
            remarks.foreign |= foreign;
            remarks.stray |= stray;
        }
        written(writer.finish(), job)?;
        Ok(remarks)
    }

    /// Denoises image `index` of a file.
    fn image(&mut self, job: &CheckedJob, raster: &Raster, index: usize) -> anyhow::Result<Raster> {
        let before = index * job.header.height * job.header.width;
        let progress = &mut |done| (self.progress)(before + done);
        let denoised = self.denoiser.denoise_raster(raster, self.range, progress);
        denoised.with_context(|| job.place(index))
    }
}

/// A file to denoise.
struct Opened {
    images: Images,
    /// How its images are turned, where they are to be upright.
    turn: Option<Turn>,
    /// What stands beside the first of several images.
    attached: Attached,
}

/// Opens a file: its images, and what stands beside them.
///
/// The header was read when all files were checked. Metadata and pixels are two more opens: each decoder
/// reads a file from its start and keeps one of the two only.
fn open(job: &CheckedJob) -> anyhow::Result<Opened> {
    let path = &job.input;
    let carries_fourth = job.carries_fourth;
    let with_fourth = move |raster: Raster| {
        if carries_fourth {
            raster.with_last_as_alpha()
        } else {
            raster
        }
    };
    let turns = job.turns()?;
    let turn = |attached: &Attached| turns.then(|| attached.turn());
    Ok(match job.source {
        Source::Picture => {
            let attached = read_attached(path)?;
            let turn = turn(&attached);
            let picture = with_fourth(read_picture_with(path, &job.axes_from)?);
            Opened {
                images: Box::new(iter::once(Ok((picture, vec![attached])))),
                turn,
                attached: Attached::default(),
            }
        }
        Source::Pages(level) => {
            let stack = PageStack::open_level(path, &job.axes_from, level)?;
            check_same(&stack, job)?;
            let attached = stack.attached(0)?.swap_remove(0);
            let images = (0..stack.len())
                .map(move |index| Ok((with_fourth(stack.read(index)?), stack.attached(index)?)));
            Opened {
                images: Box::new(images),
                turn: turn(&attached),
                attached,
            }
        }
        Source::Zarr => {
            let stack = ZarrStack::open_with(path, &job.axes_from)?;
            check_same(&stack, job)?;
            let metadata = "its metadata of Zarr, such as the size of its pixels".to_owned();
            plain(stack, vec![metadata])
        }
        Source::Npy => {
            let stack = open_array(path, job.header.channels, &job.axes_from)?;
            check_same(&stack, job)?;
            plain(stack, vec![])
        }
    })
}

/// The images of an array, which holds what is `unread` besides.
fn plain(stack: impl Stack + 'static, unread: Vec<String>) -> Opened {
    let attached = Attached {
        unread,
        ..Attached::default()
    };
    let images =
        (0..stack.len()).map(move |index| Ok((stack.read(index)?, vec![attached.clone()])));
    Opened {
        images: Box::new(images),
        turn: None,
        attached: Attached::default(),
    }
}

/// Checks that a file is still what it was when all files were checked.
fn check_same(stack: &impl Stack, job: &CheckedJob) -> anyhow::Result<()> {
    let [channels, height, width] = stack.shape();
    let planes = job.header.channels + usize::from(job.carries_fourth);
    ensure!(
        stack.len() == job.header.pages
            && [channels, height, width] == [planes, job.header.height, job.header.width],
        "{} has changed since its header was read",
        stack.path().display()
    );
    Ok(())
}

/// Writes a file image by image.
fn write_images(
    job: &CheckedJob,
    write: impl FnOnce(&mut BufWriter<&mut File>) -> anyhow::Result<()>,
) -> anyhow::Result<()> {
    let cannot_write = || CannotWrite(job.output.clone());
    let result = write_atomically_with(&job.output, Some(&job.input), |file| {
        let write = |file: &mut File| {
            let mut buffer = BufWriter::new(file);
            write(&mut buffer)?;
            buffer.flush().with_context(cannot_write)
        };
        if job.packs {
            write_gzip_with(file, write).with_context(cannot_write)?
        } else {
            write(file)
        }
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
