//! Which file goes where, and in which format: settled before anything is computed.

use std::collections::HashMap;
use std::path::{Path, PathBuf};

use anyhow::{Context, bail, ensure};
use n2n_files::{Header, NpyAxes, NpyStack, PictureFormat, Stack, TiffStack, read_header};

use super::inputs::{Input, identity};

/// One file to denoise.
#[derive(Debug)]
pub struct Job {
    /// Where it is.
    pub input: PathBuf,
    /// Where the result goes.
    pub output: PathBuf,
}

/// What a job reads and writes.
pub struct Opened {
    /// What is read.
    pub source: Source,
    /// What is written.
    pub target: Target,
    /// What all images of the file have in common.
    pub header: Header,
    /// Whether the file is an array, beside which nothing stands.
    pub from_array: bool,
}

/// A file of images.
pub enum Source {
    /// One image.
    Picture,
    /// Several images of one shape.
    Stack(Box<dyn Stack>),
}

/// A file of images to be made.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Target {
    /// One image, or the pages of a TIFF file.
    Picture(PictureFormat),
    /// An array.
    Npy(NpyAxes),
}

/// Where the result of each input goes.
///
/// # Errors
/// When the output is a file for many inputs, would overwrite an input, two inputs have one output, or
/// the format of the output is none that is written.
pub fn plan(given: &[PathBuf], inputs: Vec<Input>, output: &Path) -> anyhow::Result<Vec<Job>> {
    let single = inputs.len() == 1 && !given.iter().any(|path| path.is_dir());
    let into_file = !output.is_dir() && !ends_as_folder(output) && output.extension().is_some();
    if into_file {
        ensure!(
            single,
            "-o {} is a file, and there are {} inputs; give a folder",
            output.display(),
            inputs.len()
        );
        ensure!(
            is_npy(output) || PictureFormat::of_path(output).is_some(),
            "-o {}: no such format is written; expected .png, .jpg, .webp, .bmp, .tif, .exr, .hdr \
             or .npy, or a folder",
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
            output: match into_file {
                true => output.to_owned(),
                false => output.join(&input.relative),
            },
            input: input.path,
        })
        .collect();
    check_apart(&jobs)?;
    Ok(jobs)
}

/// Whether no output is an input, or the output of two.
fn check_apart(jobs: &[Job]) -> anyhow::Result<()> {
    let inputs = jobs.iter().map(|job| (identity(&job.input), &job.input));
    let inputs: HashMap<PathBuf, &PathBuf> = inputs.collect();
    let mut outputs: HashMap<PathBuf, &PathBuf> = HashMap::new();
    for job in jobs {
        let output = identity(&job.output);
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
    /// Opens the input, and checks that the output can hold what is in it.
    ///
    /// # Errors
    /// When the input cannot be read, or the format of the output has no place for it.
    pub fn open(&self) -> anyhow::Result<Opened> {
        let (source, header, axes) = self.source()?;
        let target = match is_npy(&self.output) {
            true => Target::Npy(axes.unwrap_or(axes_for(&header))),
            false => Target::Picture(match PictureFormat::of_path(&self.output) {
                Some(format) => format,
                None => PictureFormat::of_file(&self.input)?,
            }),
        };
        let refused = || {
            format!(
                "{} cannot become {}",
                self.input.display(),
                self.output.display()
            )
        };
        match target {
            Target::Picture(format) => format.supports(&header).with_context(refused)?,
            Target::Npy(_) => ensure!(
                !header.alpha,
                "{}: a .npy file cannot hold alpha; save it as PNG or TIFF",
                refused()
            ),
        }
        Ok(Opened {
            source,
            target,
            header,
            from_array: axes.is_some(),
        })
    }

    fn source(&self) -> anyhow::Result<(Source, Header, Option<NpyAxes>)> {
        if is_npy(&self.input) {
            let stack = NpyStack::open(&self.input)?;
            let [channels, height, width] = stack.shape();
            let header = Header {
                channels,
                height,
                width,
                kind: stack.kind(),
                alpha: false,
                pages: stack.len(),
            };
            let axes = stack.axes();
            return Ok((Source::Stack(Box::new(stack)), header, Some(axes)));
        }
        let header = read_header(&self.input)?;
        let source = match header.pages {
            1 => Source::Picture,
            _ => Source::Stack(Box::new(TiffStack::open(&self.input)?)),
        };
        Ok((source, header, None))
    }
}

/// How images are laid out in an array that was none before.
fn axes_for(header: &Header) -> NpyAxes {
    match (header.pages, header.channels) {
        (1, 1) => NpyAxes::Grey,
        (1, _) => NpyAxes::ChannelsLast,
        (_, 1) => NpyAxes::ImagesGrey,
        (_, _) => NpyAxes::ImagesChannelsLast,
    }
}

fn is_npy(path: &Path) -> bool {
    let extension = path.extension().unwrap_or_default();
    extension.eq_ignore_ascii_case("npy")
}

/// Whether a path is written as a folder's.
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
    fn many_inputs_keep_their_places_below_a_folder() {
        let many = vec![input("x/a.png", "a.png"), input("in/s/a.png", "s/a.png")];
        assert_eq!(outputs(many, "out").unwrap(), ["out/a.png", "out/s/a.png"]);
    }

    #[test]
    fn outputs_that_cannot_be_are_refused() {
        let many = || vec![input("x/a.png", "a.png"), input("y/a.png", "a.png")];
        for (inputs, output, expected) in [
            (many(), "out", "would both be"),
            (many(), "out.png", "there are 2 inputs"),
            (
                vec![input("a.png", "a.png")],
                "a.gif",
                "no such format is written",
            ),
            (
                vec![input("Cargo.toml", "a.png")],
                "Cargo.toml",
                "no such format is written",
            ),
        ] {
            let error = outputs(inputs, output).unwrap_err().to_string();
            assert!(error.contains(expected), "{error}");
        }
    }

    #[test]
    fn no_input_is_overwritten_however_it_is_reached() {
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
