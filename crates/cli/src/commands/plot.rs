//! `n2n plot`: curves of runs as a picture.

use std::ffi::OsStr;
use std::path::{Path, PathBuf};
use std::process::ExitCode;

use anyhow::{Context, bail};
use clap::{Args, ValueEnum};
use n2n_runs::plot::{Figure, PlotOptions, Quantity, Reference, Theme, XQuantity, figure};
use n2n_runs::{Run, Table, find};
use n2n_train::paint;
use serde::Serialize;

use super::output;
use crate::args::at_least_one;

/// Sides of a picture in pixels.
const SIDES: std::ops::RangeInclusive<u32> = 200..=6000;

/// Arguments of `n2n plot`.
#[derive(Debug, Args)]
pub struct PlotArgs {
    /// Run directories, or folders of them such as that of a sweep
    #[arg(required = true, value_name = "RUN_OR_SWEEP")]
    pub paths: Vec<PathBuf>,

    /// Where the picture goes, a .svg or a .png
    /// [default: plot.svg in RUN_OR_SWEEP, which is written anew each time; of several,
    /// runs/plot.svg or the next number that is free]
    #[arg(short, long, value_name = "FILE", verbatim_doc_comment)]
    pub output: Option<PathBuf>,

    /// What is shown
    #[arg(long, value_enum, default_value_t)]
    pub y: Y,

    /// Against what
    #[arg(long, value_enum, default_value_t)]
    pub x: X,

    /// Make the x axis logarithmic
    #[arg(long)]
    pub log_x: bool,

    /// Draw moving means over N validations
    #[arg(long, value_name = "N", default_value_t = 1, value_parser = at_least_one)]
    pub smooth: usize,

    /// Leave out validations before N images [default: all are there, but the steep start of the
    /// curves may be below the picture]
    #[arg(long, value_name = "N")]
    pub from_images: Option<usize>,

    /// Curves to draw beside the runs: a file of JSON, its lists of [images, PSNR], or those below keys,
    /// dotted, and in the colour of the run whose label has the same value as their key; may be repeated
    #[arg(long = "reference", value_name = "FILE[#KEY/KEY]")]
    pub references: Vec<String>,

    /// What references are called
    #[arg(long, value_name = "NAME", requires = "references")]
    pub reference_name: Option<String>,

    /// Write what the runs came to as a table, a .md, .csv or .json
    #[arg(long, value_name = "FILE", value_parser = table_path)]
    pub table: Option<PathBuf>,

    /// A line above the picture
    #[arg(long, value_name = "TEXT")]
    pub title: Option<String>,

    /// Width and height in pixels
    #[arg(long, value_name = "WxH", default_value = "900x520", value_parser = size)]
    pub size: [u32; 2],

    /// Write over a file that is there already
    #[arg(long)]
    pub overwrite: bool,

    /// Print one line of JSON with what is drawn, and nothing else, to standard output
    #[arg(long)]
    pub json: bool,
}

/// What is shown.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, ValueEnum)]
pub enum Y {
    /// PSNR, measured or estimated
    #[default]
    Psnr,
    /// PSNR of the mean squared error of all images together
    PooledPsnr,
    /// Training loss
    Loss,
    /// Mean squared error of the validation
    Mse,
    /// Structural similarity
    Ssim,
    /// Learning rate
    Lr,
}

impl From<Y> for Quantity {
    fn from(y: Y) -> Self {
        match y {
            Y::Psnr => Self::Psnr,
            Y::PooledPsnr => Self::PooledPsnr,
            Y::Loss => Self::Loss,
            Y::Mse => Self::Mse,
            Y::Ssim => Self::Ssim,
            Y::Lr => Self::Lr,
        }
    }
}

/// Against what.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, ValueEnum)]
pub enum X {
    /// Training images
    #[default]
    Images,
    /// Time
    Time,
}

impl From<X> for XQuantity {
    fn from(x: X) -> Self {
        match x {
            X::Images => Self::Images,
            X::Time => Self::Time,
        }
    }
}

/// Formats of pictures.
#[derive(Clone, Copy)]
enum Format {
    Svg,
    Png,
}

/// What `--json` prints.
#[derive(Serialize)]
struct Plot<'a> {
    file: &'a Path,
    #[serde(flatten)]
    figure: &'a Figure,
}

/// Plots as the arguments say.
///
/// # Errors
/// When a run or a reference cannot be read, there is nothing to draw, or the picture cannot be written.
pub fn run(args: &PlotArgs) -> anyhow::Result<ExitCode> {
    let (path, format) = args.prepare()?;
    let runs = read(&args.paths)?;
    let name = args.reference_name.as_deref();
    let mut references = Vec::new();
    for place in &args.references {
        references.extend(Reference::read(place, name).context("--reference")?);
    }
    tell_apart(&mut references);
    let options = PlotOptions {
        y: args.y.into(),
        x: args.x.into(),
        log_x: args.log_x,
        smooth: args.smooth,
        from_images: args.from_images,
        title: args.title.clone(),
    };
    let (figure, left_out) = figure(&runs, &references, &options)?;
    for run in left_out {
        eprintln!(
            "warning: {} has nothing to draw and is left out",
            run.path.display()
        );
    }
    let bytes = match format {
        Format::Svg => figure.svg(args.size, Theme::Paper)?.into_bytes(),
        Format::Png => paint::png(&figure.picture(args.size)?)?,
    };
    output::write(&path, &bytes)?;
    if let Some(path) = &args.table {
        write_table(path, &Table::of(&runs))?;
    }
    let plot = Plot {
        file: &path,
        figure: &figure,
    };
    output::print(args.json, &plot, || {
        let curves = figure.curves.len();
        let curves = if curves == 1 {
            "1 curve".to_owned()
        } else {
            format!("{curves} curves")
        };
        format!("picture: {} ({curves})", path.display())
    })?;
    Ok(ExitCode::SUCCESS)
}

impl PlotArgs {
    /// Makes ready for the picture; its path and format.
    fn prepare(&self) -> anyhow::Result<(PathBuf, Format)> {
        let (path, overwrite) = match (&self.output, &self.paths[..]) {
            (Some(path), _) => (path.clone(), self.overwrite),
            (None, [folder]) => {
                // Before a folder is made of a mistaken name.
                find(folder)?;
                (folder.join("plot.svg"), true)
            }
            (None, _) => {
                let base = output::next_free(Path::new("runs"), "plot", &["svg"]);
                (base.with_extension("svg"), false)
            }
        };
        let extension = path.extension().and_then(OsStr::to_str).unwrap_or_default();
        let format = match extension.to_lowercase().as_str() {
            "svg" => Format::Svg,
            "png" => Format::Png,
            _ => bail!(
                "{}: pictures are .svg or .png files; give it one of these extensions",
                path.display()
            ),
        };
        let reads = self.references.iter().map(|place| Reference::path(place));
        let reads: Vec<PathBuf> = reads.collect();
        output::prepare(&path, &reads, overwrite).context("-o")?;
        if let Some(table) = &self.table {
            output::prepare(table, &reads, self.overwrite).context("--table")?;
        }
        Ok((path, format))
    }
}

/// Parses the name of a table's file.
fn table_path(text: &str) -> Result<PathBuf, String> {
    let path = PathBuf::from(text);
    match path.extension().and_then(OsStr::to_str) {
        Some("md" | "csv" | "json") => Ok(path),
        _ => Err("expected a file of the extension .md, .csv or .json".to_owned()),
    }
}

/// Writes a table in the format of its file's extension.
fn write_table(path: &Path, table: &Table) -> anyhow::Result<()> {
    let text = match path.extension().and_then(OsStr::to_str) {
        Some("csv") => table.csv()?,
        Some("json") => table.json()?,
        _ => table.markdown(),
    };
    output::write(path, text.as_bytes())
}

/// Adds its key to the label of each reference that is called like another one.
fn tell_apart(references: &mut [Reference]) {
    let labels: Vec<String> = references.iter().map(|one| one.label.clone()).collect();
    for reference in references {
        if labels
            .iter()
            .filter(|label| **label == reference.label)
            .count()
            > 1
        {
            reference.label = format!("{} {}", reference.label, reference.key);
        }
    }
}

/// Reads the runs that paths stand for, each once; those that cannot be read are told and left out.
fn read(paths: &[PathBuf]) -> anyhow::Result<Vec<Run>> {
    let mut folders: Vec<PathBuf> = Vec::new();
    for path in paths {
        for folder in find(path)? {
            let known = folders
                .iter()
                .any(|known| output::identity(known) == output::identity(&folder));
            if !known {
                folders.push(folder);
            }
        }
    }
    let mut runs = Vec::new();
    let mut failed = Vec::new();
    for folder in &folders {
        match Run::read(folder) {
            Ok(run) => runs.push(run),
            Err(error) => failed.push(anyhow::Error::from(error)),
        }
    }
    if runs.is_empty()
        && let Some(error) = failed.pop()
    {
        return Err(error);
    }
    for error in failed {
        eprintln!("warning: left out: {error:#}");
    }
    Ok(runs)
}

/// Parses `WIDTHxHEIGHT`.
fn size(text: &str) -> Result<[u32; 2], String> {
    let sides = text.split_once(['x', 'X']).and_then(|(width, height)| {
        let [width, height] =
            [width, height].map(|side| side.parse().ok().filter(|side| SIDES.contains(side)));
        Some([width?, height?])
    });
    sides.ok_or_else(|| {
        format!(
            "expected a width and a height of {} to {} pixels, such as 900x520",
            SIDES.start(),
            SIDES.end()
        )
    })
}
