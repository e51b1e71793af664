//! What `n2n denoise` is told.

use std::path::PathBuf;

use clap::Args;
use n2n_data::Range;
use n2n_files::Axes;

use crate::args::DeviceArgs;

/// Memory to take at most, in MiB, where nobody says it.
const MAX_MEMORY: u64 = 1024;

/// Arguments of `n2n denoise`.
#[derive(Debug, Args)]
pub struct DenoiseArgs {
    /// Images, TIFF or NumPy stacks, OME-Zarr, folders of them, or patterns such as 'scans/*.png'
    #[arg(value_name = "INPUT", required = true)]
    pub inputs: Vec<PathBuf>,

    /// Where the result goes: a file for one input, else a folder in which inputs keep their names, and
    /// files of folders their places. The extension of a file chooses its format
    #[arg(short, long, value_name = "OUT")]
    pub output: PathBuf,

    /// Model to denoise with: a run directory, or a model file
    /// [default: the model that comes with n2n, for photographs with noise of many strengths]
    #[arg(long, value_name = "PATH", verbatim_doc_comment)]
    pub model: Option<PathBuf>,

    /// What to compute on.
    #[command(flatten)]
    pub device: DeviceArgs,

    /// Samples that are black and white, such as 0,4095
    /// [default: as the model was trained; else those of the type for 8 and 16 bits and for floats around
    /// [0, 1], and of the image itself for others]
    #[arg(
        long,
        value_name = "LO,HI",
        value_parser = range,
        allow_hyphen_values = true,
        verbatim_doc_comment
    )]
    pub range: Option<Range>,

    /// What the axes of arrays and of pages are: letters such as TZCYX, of frames T, planes Z, images N,
    /// channels C, rows Y and columns X
    /// [default: as the file says, else told by the shape of an array; pages are images]
    #[arg(long, value_name = "AXES", verbatim_doc_comment)]
    pub axes: Option<Axes>,

    /// Level of a pyramid of TIFF to denoise: 0 for its largest images, 1 for the next smaller ones
    #[arg(long, value_name = "N", default_value_t = 0)]
    pub level: usize,

    /// Average over the eight flips and turns of each image: a little better, eight times slower
    #[arg(long)]
    pub self_ensemble: bool,

    /// Memory to take at most, in MiB: larger images are computed in more tiles
    #[arg(long, value_name = "MIB", default_value_t = MAX_MEMORY)]
    pub max_memory: u64,

    /// Denoise again what is there already, instead of leaving it
    #[arg(long)]
    pub overwrite: bool,

    /// Stop at the first file that cannot be denoised, instead of going on with the rest
    #[arg(long)]
    pub strict: bool,

    /// Print one line of JSON at the end, and nothing else, to standard output
    #[arg(long)]
    pub json: bool,
}

impl DenoiseArgs {
    /// What one input and the place of its result leave open, as on the command line.
    pub fn of(input: PathBuf, output: PathBuf, model: PathBuf, device: DeviceArgs) -> Self {
        Self {
            inputs: vec![input],
            output,
            model: Some(model),
            device,
            range: None,
            axes: None,
            level: 0,
            self_ensemble: false,
            max_memory: MAX_MEMORY,
            overwrite: false,
            strict: false,
            json: false,
        }
    }
}

fn range(text: &str) -> Result<Range, String> {
    let numbers = text.split_once(',').and_then(|(low, high)| {
        let number = |text: &str| text.trim().parse::<f64>().ok();
        Some(Range::Shared([number(low)?, number(high)?]))
    });
    match numbers {
        Some(range) if range.validate().is_ok() => Ok(range),
        _ => Err("expected two numbers, the lower first, such as 0,4095".to_owned()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_range_is_two_numbers() {
        assert_eq!(range("0,4095"), Ok(Range::Shared([0.0, 4095.0])));
        assert_eq!(range("-1.5, 2e3"), Ok(Range::Shared([-1.5, 2000.0])));
        for text in ["5", "5,5", "7,1", "0,inf", "0,one", "0,1,2", ""] {
            assert!(range(text).is_err(), "{text}");
        }
    }
}
