//! `n2n import`: a checkpoint of PyTorch becomes a model file.

use std::path::PathBuf;
use std::process::ExitCode;

use anyhow::bail;
use clap::{Args, ValueEnum};
use n2n_data::Normalization;
use n2n_denoise::ModelMetadata;
use n2n_exchange::{Imported, import};
use n2n_model::{NetworkConfig, write_model_file};
use serde::Serialize;

use super::output::{prepare, print};

/// Arguments of `n2n import`.
#[derive(Debug, Args)]
pub struct ImportArgs {
    /// Checkpoint, as torch.save(network.state_dict(), FILE) writes it
    #[arg(value_name = "FILE")]
    pub file: PathBuf,

    /// Where the model file goes [default: FILE, ending in .safetensors]
    #[arg(short, long, value_name = "MODEL")]
    pub output: Option<PathBuf>,

    /// What the network's inputs went through in training; images are in [0, 1] before it
    #[arg(long, value_enum, default_value_t = NormalizationName::None)]
    pub normalization: NormalizationName,

    /// Means that per-channel subtracts, one for each channel
    #[arg(
        long,
        value_name = "M,M",
        value_delimiter = ',',
        allow_hyphen_values = true
    )]
    pub mean: Vec<f32>,

    /// Deviations that per-channel divides by, one for each channel
    #[arg(long, value_name = "S,S", value_delimiter = ',')]
    pub std: Vec<f32>,

    /// The U-Net adds its input to what it says, which a checkpoint does not tell [default: a sigmoid]
    #[arg(long)]
    pub residual: bool,

    /// Write over a file that is there already
    #[arg(long)]
    pub overwrite: bool,

    /// Print one line of JSON, and nothing else, to standard output
    #[arg(long)]
    pub json: bool,
}

/// A normalization that can be said in a few numbers.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub enum NormalizationName {
    /// None
    None,
    /// Each channel of each image by its own mean and deviation
    PerImage,
    /// Each channel by --mean and --std
    PerChannel,
}

/// Imports as the arguments say.
///
/// # Errors
/// When the file cannot be used, or the model file not be written.
pub fn run(args: &ImportArgs) -> anyhow::Result<ExitCode> {
    let normalization = args.normalization()?;
    let default = || args.file.with_extension("safetensors");
    let output = args.output.clone().unwrap_or_else(default);
    prepare(&output, std::slice::from_ref(&args.file), args.overwrite)?;
    let mut imported = import(&args.file)?;
    if args.residual {
        let Some(residual) = imported.network.clone().with_residual() else {
            let network = imported.network.summary();
            bail!("--residual is for the U-Net, but this is a {network}");
        };
        imported.network = residual;
    }
    let metadata = ModelMetadata::new(imported.network.clone(), normalization, None);
    metadata.check(&args.file)?;
    write_model_file(&output, &imported.state, &metadata)?;
    let summary = Summary {
        model: output,
        network: &imported.network,
        values: imported.values,
        dtypes: &imported.dtypes,
        place: imported.place.as_deref(),
        ignored: &imported.ignored,
        normalization: &metadata.normalization,
    };
    print(args.json, &summary, || summary.text(&imported))?;
    Ok(ExitCode::SUCCESS)
}

impl ImportArgs {
    fn normalization(&self) -> anyhow::Result<Normalization> {
        let given = !self.mean.is_empty() || !self.std.is_empty();
        Ok(match self.normalization {
            NormalizationName::PerChannel if self.mean.is_empty() || self.std.is_empty() => {
                bail!(
                    "--normalization per-channel needs --mean and --std, one number for each channel"
                )
            }
            NormalizationName::PerChannel => Normalization::PerChannel {
                mean: self.mean.clone(),
                std: self.std.clone(),
            },
            _ if given => bail!("--mean and --std are those of --normalization per-channel"),
            NormalizationName::None => Normalization::None,
            NormalizationName::PerImage => Normalization::PerImage,
        })
    }
}

/// What was imported.
#[derive(Serialize)]
struct Summary<'a> {
    model: PathBuf,
    network: &'a NetworkConfig,
    values: usize,
    dtypes: &'a [String],
    place: Option<&'a str>,
    ignored: &'a [String],
    normalization: &'a Normalization,
}

impl Summary<'_> {
    fn text(&self, imported: &Imported) -> String {
        let mut text = format!(
            "{}; {} values in {}\n",
            imported.network.summary(),
            self.values,
            self.dtypes.join(", ")
        );
        if let Some(place) = self.place {
            text += &format!("found under {place:?}\n");
        }
        if !self.ignored.is_empty() {
            text += &format!("no tensors, left out: {}\n", self.ignored.join(", "));
        }
        text += &format!("written to {}\n", self.model.display());
        text
    }
}
