//! `n2n export`: a model for other programs.

use std::path::{Path, PathBuf};
use std::process::ExitCode;

use anyhow::Context;
use clap::{Args, ValueEnum};
use n2n_data::{Normalization, Range};
use n2n_denoise::{Denoiser, model_file};
use n2n_exchange::{OPSET, onnx};
use n2n_model::write_model_file;
use serde::Serialize;

use super::output::{prepare, print, write};

/// Arguments of `n2n export`.
#[derive(Debug, Args)]
pub struct ExportArgs {
    /// Model: a run directory, whose best model is taken, or a model file
    #[arg(value_name = "MODEL")]
    pub model: PathBuf,

    /// What to write
    #[arg(long, value_enum)]
    pub to: Format,

    /// Where it goes [default: MODEL, ending in .onnx or .safetensors]
    #[arg(short, long, value_name = "FILE")]
    pub output: Option<PathBuf>,

    /// Write over a file that is there already
    #[arg(long)]
    pub overwrite: bool,

    /// Print one line of JSON, and nothing else, to standard output
    #[arg(long)]
    pub json: bool,
}

/// A format of models.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum Format {
    /// Network and normalization as a graph, for ONNX Runtime and others
    Onnx,
    /// Weights under PyTorch's names, for benches/peers/load_n2n.py
    Safetensors,
}

impl Format {
    fn extension(self) -> &'static str {
        match self {
            Self::Onnx => "onnx",
            Self::Safetensors => "safetensors",
        }
    }
}

/// Exports as the arguments say.
///
/// # Errors
/// When the model cannot be used, or the file not be written.
pub fn run(args: &ExportArgs) -> anyhow::Result<ExitCode> {
    let output = match &args.output {
        Some(output) => output.clone(),
        None => default_output(&args.model, args.to)?,
    };
    prepare(&output, &[model_file(&args.model)?], args.overwrite)?;
    let denoiser = Denoiser::load(&args.model)?;
    let (metadata, state) = (denoiser.metadata(), denoiser.state_dict());
    let opset = match args.to {
        Format::Safetensors => {
            write_model_file(&output, &state, metadata)?;
            None
        }
        Format::Onnx => {
            let range = metadata.range.as_ref();
            let bytes = onnx(&metadata.network, &metadata.normalization, range, &state);
            write(&output, &bytes)?;
            Some(OPSET)
        }
    };
    let summary = Summary {
        file: &output,
        format: args.to,
        opset,
        channels: metadata.channels(),
        divisor: metadata.network.divisor(),
        range: metadata.range.as_ref(),
        size: match metadata.normalization {
            Normalization::PerPixel { shape, .. } => Some([shape[1], shape[2]]),
            _ => None,
        },
    };
    print(args.json, &summary, || summary.text())?;
    Ok(ExitCode::SUCCESS)
}

/// The model's path with another ending. A run directory's name may have a dot in it.
fn default_output(model: &Path, format: Format) -> anyhow::Result<PathBuf> {
    let ending = if model.is_dir() {
        model.file_name()
    } else {
        model.file_stem()
    };
    let mut name = ending
        .with_context(|| format!("{} has no name; choose one with -o", model.display()))?
        .to_owned();
    name.push(".");
    name.push(format.extension());
    Ok(model.with_file_name(name))
}

/// What was exported.
#[derive(Serialize)]
struct Summary<'a> {
    file: &'a Path,
    format: Format,
    #[serde(skip_serializing_if = "Option::is_none")]
    opset: Option<i64>,
    channels: usize,
    divisor: usize,
    /// Samples that became 0 and 1 in training.
    #[serde(skip_serializing_if = "Option::is_none")]
    range: Option<&'a Range>,
    /// Height and width of the images, where statistics of each pixel fix them.
    #[serde(skip_serializing_if = "Option::is_none")]
    size: Option<[usize; 2]>,
}

impl Summary<'_> {
    fn text(&self) -> String {
        let format = match self.opset {
            Some(opset) => format!("ONNX, opset {opset}"),
            None => "safetensors".to_owned(),
        };
        let (channels, divisor) = (self.channels, self.divisor);
        let samples = match self.range {
            Some(range) => format!("of samples as in training ({range} and beyond)"),
            None => "in [0, 1]".to_owned(),
        };
        let images = match self.size {
            Some([height, width]) => format!("[N, {channels}, {height}, {width}] {samples}"),
            None => format!("[N, {channels}, H, W] {samples}, sides multiples of {divisor}"),
        };
        format!(
            "{format}: images {images}; written to {}",
            self.file.display()
        )
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_file_is_named_after_its_model() {
        let folder = tempfile::tempdir().unwrap();
        let run = folder.path().join("v1.2-3");
        std::fs::create_dir(&run).unwrap();
        let default = |model: &Path| default_output(model, Format::Onnx).unwrap();
        assert_eq!(default(&run), folder.path().join("v1.2-3.onnx"));
        assert_eq!(default(&run.join("")), folder.path().join("v1.2-3.onnx"));
        assert_eq!(
            default(&run.join("best.safetensors")),
            run.join("best.onnx")
        );
        assert!(default_output(Path::new(".."), Format::Onnx).is_err());
    }
}
