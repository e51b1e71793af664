//! The plan: the output and the format of each file, checked before anything is computed.

use std::collections::HashMap;
use std::path::{Path, PathBuf};

use anyhow::{Context, bail, ensure};
use n2n_files::{
    AxesFrom, Axis, FileError, Header, NpyStack, PageAxes, PageStack, PictureFormat, Stack,
    ZarrStack, is_gzip, is_zarr, read_attached, read_header, reading_bytes,
};

use super::inputs::Input;
use crate::commands::output::identity;

/// One file to denoise.
#[derive(Debug)]
pub struct Job {
    /// The file.
    pub input: PathBuf,
    /// The file of the result.
    pub output: PathBuf,
    /// Whether a person chose the name of the output, and its format with it. Else the format is that of
    /// the input, whatever the input is called.
    pub named: bool,
}

/// A job whose output can hold the images of its input.
pub struct CheckedJob {
    /// The file.
    pub input: PathBuf,
    /// The file of the result.
    pub output: PathBuf,
    /// The format of the input.
    pub source: Source,
    /// The format of the output.
    pub target: Target,
    /// Whether the result is packed by gzip.
    pub packs: bool,
    /// What all images of the file have in common, as they are read.
    pub header: Header,
    /// The axes of the pages that become pages again, where several of them are one image.
    pub parts: Option<PageAxes>,
    /// Who says what the axes of the file are.
    pub axes_from: AxesFrom,
    /// Whether the fourth channel is kept as it is: the file does not say what it is, and the network has
    /// no use for it.
    pub carries_fourth: bool,
    /// What is to be said of an array whose axes could be others.
    pub doubt: Option<String>,
    /// Most bytes of memory that reading or writing an image takes.
    pub in_files: u64,
}

/// The format of a file to read.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Source {
    /// One image.
    Picture,
    /// Images of one shape: pages of TIFF, sections of MRC, planes of FITS; those of a level of a pyramid, 0 for the
    /// largest.
    Pages(usize),
    /// An array; it has no metadata.
    Npy,
    /// A folder of Zarr, of which a part is read without the rest.
    Zarr,
}

/// The format of a file to write.
#[derive(Clone, Debug, PartialEq)]
pub enum Target {
    /// One image, or pages.
    Picture(PictureFormat),
    /// An array of these axes.
    Npy(Vec<(Axis, usize)>),
    /// A folder of Zarr, with the metadata of the one that is read.
    Zarr,
}

/// Assigns an output to each input.
///
/// # Errors
/// When the output is a file for many inputs, would overwrite an input, is the same for two inputs, or
/// has a format that cannot be written.
pub fn plan(given: &[PathBuf], inputs: Vec<Input>, output: &Path) -> anyhow::Result<Vec<Job>> {
    let is_folder = |path: &Path| path.is_dir() && !is_zarr(path);
    let single = inputs.len() == 1 && !given.iter().any(|path| is_folder(path));
    let into_file = !is_folder(output) && !ends_as_folder(output) && output.extension().is_some();
    if into_file {
        ensure!(
            single,
            "-o {} is a file, and there are {} inputs; give a folder",
            output.display(),
            inputs.len()
        );
        ensure!(
            is_npy(output)
                || has_extension(output, "zarr")
                || PictureFormat::of_path(output).is_some(),
            "-o {}: this format cannot be written; expected .png, .jpg, .webp, .bmp, .tif, .exr, \
             .hdr, .mrc, .fits, .zarr or .npy, or a folder",
            output.display()
        );
    } else {
        ensure!(
            !output.exists() || output.is_dir(),
            "-o {} is a file, and a folder is needed",
            output.display()
        );
    }
    let jobs: Vec<Job> = inputs
        .into_iter()
        .map(|input| Job {
            output: if into_file {
                output.to_owned()
            } else {
                output.join(&input.relative)
            },
            input: input.path,
            named: into_file,
        })
        .collect();
    check_apart(&jobs)?;
    Ok(jobs)
}

/// Checks that no output is an input, or the output of two inputs.
fn check_apart(jobs: &[Job]) -> anyhow::Result<()> {
    let inputs = jobs.iter().map(|job| (identity(&job.input), &job.input));
    let inputs: HashMap<PathBuf, &PathBuf> = inputs.collect();
    let mut outputs: HashMap<PathBuf, &PathBuf> = HashMap::new();
    let folders: Vec<_> = inputs.iter().filter(|(input, _)| input.is_dir()).collect();
    for job in jobs {
        let output = identity(&job.output);
        for (folder, input) in &folders {
            ensure!(
                **folder == output || !folder.starts_with(&output) && !output.starts_with(folder),
                "{} and the result {} would be one in the other; choose another -o",
                input.display(),
                job.output.display()
            );
        }
        if let Some(input) = inputs.get(&output) {
            bail!(
                "the result of {} would overwrite {}; choose another -o",
                job.input.display(),
                input.display()
            );
        }
        if let Some(other) = outputs.insert(output, &job.input) {
            bail!(
                "the results of {} and {} would both be {}; denoise them apart, or give the folder \
                 that holds both",
                other.display(),
                job.input.display(),
                job.output.display()
            );
        }
    }
    Ok(())
}

impl Job {
    /// Reads the header of the input, and checks that the output can hold its images.
    ///
    /// All headers are read before the first image is denoised, so that a long run does not fail on what
    /// could be known at its start. No file stays open until its turn: there may be thousands.
    ///
    /// As many grey images in an array as the network has `channels` are the channels of one image, unless
    /// `axes` say otherwise.
    ///
    /// # Errors
    /// When the input cannot be read, has no such level, or the format of the output cannot hold it.
    pub fn check(
        &self,
        channels: usize,
        axes: &AxesFrom,
        level: usize,
    ) -> anyhow::Result<CheckedJob> {
        ensure!(
            !self.output.is_dir() || self.input.is_dir() && is_zarr(&self.output),
            "the result of {} would be {}, which is a folder; remove it, or choose another -o",
            self.input.display(),
            self.output.display()
        );
        let Looked {
            source,
            mut header,
            pages,
            array,
        } = self.look(channels, axes, level)?;
        let are_parts = pages.as_ref().is_some_and(|pages| pages.channels() > 1);
        let carries_fourth = header.channels == 4
            && matches!(channels, 1 | 3)
            && matches!(source, Source::Picture | Source::Pages(_))
            && !are_parts
            && read_attached(&self.input)?.unspecified_alpha;
        if carries_fourth {
            (header.channels, header.alpha) = (3, true);
        }
        let format = match source {
            Source::Npy | Source::Zarr => None,
            _ => Some(PictureFormat::of_file(&self.input)?),
        };
        let target = if is_npy(&self.output) {
            Target::Npy(match &array {
                Some(array) => array.clone(),
                None => axes_for(&header, pages.as_ref()),
            })
        } else if has_extension(&self.output, "zarr") || source == Source::Zarr && !self.named {
            Target::Zarr
        } else {
            Target::Picture(match PictureFormat::of_path(&self.output) {
                Some(named) if self.named => named,
                _ => match format {
                    Some(format) => format,
                    None => PictureFormat::of_file(&self.input)?,
                },
            })
        };
        let is_same =
            |target: &Target| matches!(target, Target::Picture(of) if format == Some(*of));
        let parts = pages.filter(|_| are_parts && is_same(&target));
        let written = match &parts {
            Some(parts) => parts.parted(&header),
            None => header,
        };
        let packs = match target {
            Target::Npy(_) | Target::Zarr => false,
            Target::Picture(_) if self.named => has_extension(&self.output, "gz"),
            Target::Picture(_) => is_gzip(&self.input)?,
        };
        let refused = || {
            format!(
                "{} cannot become {}",
                self.input.display(),
                self.output.display()
            )
        };
        match target {
            Target::Picture(format) => format.supports(&written).with_context(refused)?,
            Target::Npy(_) => ensure!(
                !header.alpha,
                "{}: a .npy file cannot hold alpha; save it as PNG or TIFF",
                refused()
            ),
            Target::Zarr => ensure!(
                source == Source::Zarr,
                "{}: a folder of Zarr is written of one of Zarr only; save it as TIFF or .npy",
                refused()
            ),
        }
        let reading = match source {
            Source::Npy => 0,
            Source::Zarr => ZarrStack::open(&self.input)?.chunk_memory(),
            Source::Picture | Source::Pages(_) => reading_bytes(&self.input, &header)?,
        };
        let writing = match target {
            Target::Npy(_) => 0,
            Target::Zarr => reading,
            Target::Picture(format) => format.writing_bytes(&header),
        };
        let doubt = array
            .filter(|_| *axes == AxesFrom::File)
            .and_then(|array| four_axes(&array));
        Ok(CheckedJob {
            input: self.input.clone(),
            output: self.output.clone(),
            source,
            target,
            packs,
            header,
            parts,
            axes_from: axes.clone(),
            carries_fourth,
            doubt,
            in_files: reading.max(writing),
        })
    }

    fn look(&self, channels: usize, axes: &AxesFrom, level: usize) -> anyhow::Result<Looked> {
        ensure!(
            level == 0 || !self.input.is_dir(),
            "{}: --level is for pyramids of TIFF; give the folder of a level of Zarr, such as {}",
            self.input.display(),
            self.input.join("1").display()
        );
        if level > 0 && is_npy(&self.input) {
            let path = self.input.clone();
            return Err(FileError::Level {
                path,
                level,
                found: 1,
            }
            .into());
        }
        if is_npy(&self.input) {
            let stack = open_array(&self.input, channels, axes)?;
            let [channels, height, width] = stack.shape();
            let header = Header {
                channels,
                height,
                width,
                kind: stack.kind(),
                alpha: false,
                pages: stack.len(),
            };
            return Ok(Looked {
                source: Source::Npy,
                header,
                pages: None,
                array: Some(stack.axes().to_vec()),
            });
        }
        if self.input.is_dir() {
            let stack = ZarrStack::open_with(&self.input, axes)?;
            return Ok(Looked {
                source: Source::Zarr,
                header: stack.header(),
                pages: None,
                array: Some(stack.axes()),
            });
        }
        if level == 0 && !PictureFormat::of_file(&self.input)?.has_pages() {
            return Ok(Looked {
                source: Source::Picture,
                header: read_header(&self.input)?,
                pages: None,
                array: None,
            });
        }
        let stack = PageStack::open_level(&self.input, axes, level)?;
        let pages = stack.page_axes().clone();
        Ok(Looked {
            source: match (pages.pages(), level) {
                (1, 0) => Source::Picture,
                _ => Source::Pages(level),
            },
            header: stack.header(),
            pages: Some(pages),
            array: None,
        })
    }
}

/// What a file says of its images.
struct Looked {
    source: Source,
    header: Header,
    /// The axes of its pages, where its format has some.
    pages: Option<PageAxes>,
    /// The axes of an array.
    array: Option<Vec<(Axis, usize)>>,
}

/// How an array of four axes is read: its planes could as well be those of a volume.
fn four_axes(axes: &[(Axis, usize)]) -> Option<String> {
    let (axis, channels, images) = match *axes {
        [(Axis::Shot, images), (Axis::Channel, channels), _, _] => ("second", channels, images),
        [(Axis::Shot, images), _, _, (Axis::Channel, channels)] => ("last", channels, images),
        _ => return None,
    };
    // A single one says nothing else.
    (channels > 1).then(|| {
        format!(
            "its {axis} axis is taken for {channels} channels of {images} images; --axes says what its axes are"
        )
    })
}

impl CheckedJob {
    /// Whether images are turned as their metadata ask: another format may have no place to ask for it, or
    /// its programs do not look there.
    pub fn turns(&self) -> anyhow::Result<bool> {
        if matches!(self.source, Source::Npy | Source::Zarr) {
            return Ok(false);
        }
        Ok(match self.target {
            Target::Picture(format) => format != PictureFormat::of_file(&self.input)?,
            Target::Npy(_) | Target::Zarr => true,
        })
    }

    /// Pixels of all images.
    pub fn pixels(&self) -> usize {
        self.header.pages * self.header.height * self.header.width
    }
}

/// Opens an array. `[N, height, width]` is one image where N are the channels that are expected and neither
/// those of grey nor of colour, unless `axes` say otherwise.
pub fn open_array(path: &Path, channels: usize, axes: &AxesFrom) -> Result<NpyStack, FileError> {
    let stack = NpyStack::open_with(path, axes)?;
    Ok(match (channels, axes) {
        (1 | 3, _) | (_, AxesFrom::Given(_)) => stack,
        _ => stack.with_channels(channels),
    })
}

/// The axes of an array made of another format: those of its pages, and of each image.
fn axes_for(header: &Header, pages: Option<&PageAxes>) -> Vec<(Axis, usize)> {
    let mut axes = match pages {
        Some(pages) => pages.sizes().to_vec(),
        None if header.pages > 1 => vec![(Axis::Shot, header.pages)],
        None => vec![],
    };
    axes.extend([(Axis::Row, header.height), (Axis::Column, header.width)]);
    let of_pages = pages.map_or(1, PageAxes::channels);
    if header.channels > of_pages {
        axes.retain(|(axis, _)| *axis != Axis::Channel);
        axes.push((Axis::Channel, header.channels));
    }
    axes
}

fn is_npy(path: &Path) -> bool {
    has_extension(path, "npy")
}

fn has_extension(path: &Path, known: &str) -> bool {
    let extension = path.extension().unwrap_or_default();
    extension.eq_ignore_ascii_case(known)
}

/// Whether a path ends with a separator.
fn ends_as_folder(path: &Path) -> bool {
    let text = path.to_string_lossy();
    text.ends_with(std::path::is_separator)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn input(path: &str, relative: &str) -> Input {
        Input {
            path: path.into(),
            relative: relative.into(),
        }
    }

    fn outputs(inputs: Vec<Input>, output: &str) -> anyhow::Result<Vec<String>> {
        let given: Vec<_> = inputs.iter().map(|input| input.path.clone()).collect();
        let jobs = plan(&given, inputs, Path::new(output))?;
        let outputs = jobs.iter().map(|job| job.output.display().to_string());
        Ok(outputs.collect())
    }

    #[test]
    fn one_input_goes_to_a_file_or_below_a_folder() {
        let one = || vec![input("in/a.png", "a.png")];
        assert_eq!(outputs(one(), "b.tif").unwrap(), ["b.tif"]);
        assert_eq!(outputs(one(), "b").unwrap(), ["b/a.png"]);
        assert_eq!(outputs(one(), "b.v2/").unwrap(), ["b.v2/a.png"]);
    }

    #[test]
    fn inputs_keep_their_places_below_a_folder() {
        let many = vec![input("x/a.png", "a.png"), input("in/s/a.png", "s/a.png")];
        assert_eq!(outputs(many, "out").unwrap(), ["out/a.png", "out/s/a.png"]);
    }

    #[test]
    fn results_are_not_put_into_folders_that_are_read() {
        let folder = tempfile::tempdir().unwrap();
        let root = folder.path().join("a.zarr");
        std::fs::create_dir_all(root.join("0")).unwrap();
        for name in [".zgroup", "0/.zarray"] {
            std::fs::write(root.join(name), "{}").unwrap();
        }
        for (read, output) in [("", "b.zarr"), ("0", "")] {
            let read = root.join(read).display().to_string();
            let output = root.join(output).display().to_string();
            let output = output.trim_end_matches('/');
            let error = outputs(vec![input(&read, "a.zarr")], output)
                .unwrap_err()
                .to_string();
            assert!(error.contains("one in the other"), "{error}");
        }
    }

    #[test]
    fn ambiguous_outputs_are_refused() {
        let many = || vec![input("x/a.png", "a.png"), input("y/a.png", "a.png")];
        for (inputs, output, expected) in [
            (many(), "out", "would both be"),
            (many(), "out.png", "there are 2 inputs"),
            (
                vec![input("a.png", "a.png")],
                "a.gif",
                "this format cannot be written",
            ),
            (
                vec![input("Cargo.toml", "a.png")],
                "Cargo.toml",
                "this format cannot be written",
            ),
        ] {
            let error = outputs(inputs, output).unwrap_err().to_string();
            assert!(error.contains(expected), "{error}");
        }
    }

    #[test]
    fn inputs_are_never_overwritten() {
        let folder = tempfile::tempdir().unwrap();
        let root = folder.path();
        std::fs::create_dir(root.join("s")).unwrap();
        for name in ["a.png", "s/b.png"] {
            std::fs::write(root.join(name), "").unwrap();
        }
        let path = |name: &str| root.join(name).display().to_string();
        for (inputs, output) in [
            (vec![input(&path("a.png"), "a.png")], path("s/../a.png")),
            (vec![input(&path("a.png"), "a.png")], path("")),
            (
                vec![
                    input(&path("a.png"), "s/b.png"),
                    input(&path("s/b.png"), "c.png"),
                ],
                path(""),
            ),
        ] {
            let error = outputs(inputs, &output).unwrap_err().to_string();
            assert!(error.contains("would overwrite"), "{error}");
        }
    }
}
