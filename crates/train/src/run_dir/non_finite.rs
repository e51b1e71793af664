//! Losses, weights and validation errors that are NaN or infinite, and the batch that led to them.

use std::fmt;
use std::path::{Path, PathBuf};

use burn::data::dataloader::DataLoader;
use n2n_data::TrainStream;
use n2n_model::{StateDict, write_model_file};
use serde::Serialize;

use crate::TrainError;

/// A loss, weight or validation error that is NaN or infinite.
#[derive(Clone, Copy, Debug)]
pub struct NonFinite {
    /// The optimizer step, from 1.
    pub step: usize,
    /// The value.
    pub found: Found,
    /// Learning rate of the last step.
    pub lr: f64,
}

/// A value that is NaN or infinite.
#[derive(Clone, Copy, Debug)]
pub enum Found {
    /// The loss of the step.
    Loss(f64),
    /// A weight after the step, whose own loss was finite.
    Weight,
    /// The error of the validation after the step.
    Validation(f64),
}

impl fmt::Display for NonFinite {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { step, found, lr } = self;
        match found {
            Found::Loss(loss) => write!(f, "the training loss became {loss} at batch {step}")?,
            Found::Weight => write!(f, "a weight became NaN or infinite at batch {step}")?,
            Found::Validation(error) => {
                write!(f, "the validation error became {error} after batch {step}")?;
            }
        }
        write!(f, " (learning rate {lr:e})")
    }
}

/// Metadata of a dump.
#[derive(Serialize)]
struct Description {
    step: usize,
    /// Absent where the loss was finite.
    #[serde(skip_serializing_if = "Option::is_none")]
    loss: Option<String>,
    lr: f64,
    batches: Vec<Indices>,
}

/// Examples of a batch.
#[derive(Serialize)]
struct Indices {
    epoch: u64,
    examples: Vec<usize>,
}

impl NonFinite {
    /// Writes the images of the step into a folder as safetensors, `input.N` and `target.N` of each
    /// batch, with their indices, the loss and the learning rate.
    ///
    /// # Errors
    /// When an image cannot be read, or the file cannot be written.
    pub fn dump(
        &self,
        folder: &Path,
        stream: &TrainStream,
        accumulate: usize,
    ) -> Result<PathBuf, TrainError> {
        let first = ((self.step - 1) * accumulate) as u64;
        let indices = (first..first + accumulate as u64).map(|number| {
            let examples = stream.examples_of(number);
            Indices {
                epoch: examples.first().map_or(0, |example| example.epoch),
                examples: examples.iter().map(|example| example.index).collect(),
            }
        });
        let description = Description {
            step: self.step,
            loss: match self.found {
                Found::Loss(loss) => Some(loss.to_string()),
                Found::Weight | Found::Validation(_) => None,
            },
            lr: self.lr,
            batches: indices.collect(),
        };
        let stream = stream.clone().after(first);
        let mut images = StateDict::new();
        for (number, batch) in stream.iter().take(accumulate).enumerate() {
            let batch = batch?;
            images.insert(format!("input.{number}"), batch.input.into_data());
            images.insert(format!("target.{number}"), batch.target.into_data());
        }
        let path = folder.join(format!("non_finite-{:08}.safetensors", self.step));
        write_model_file(&path, &images, &description)?;
        Ok(path)
    }
}
