//! What is left of a run whose loss became no number.

use std::fmt;
use std::path::PathBuf;

use anyhow::Context;
use burn::data::dataloader::DataLoader;
use n2n_data::TrainStream;
use n2n_model::{StateDict, write_model_file};
use serde::Serialize;

use super::run_dir::RunDir;
use super::step;

/// A number of training that is none.
#[derive(Clone, Copy, Debug)]
pub struct NonFinite {
    /// The step, from 1.
    pub step: usize,
    /// What was found.
    pub found: Found,
    /// Learning rate of the last step.
    pub lr: f64,
}

/// What is no finite number.
#[derive(Clone, Copy, Debug)]
pub enum Found {
    /// The loss of the step.
    Loss(f64),
    /// A weight after the step, whose own loss was a number.
    Weight,
    /// The error of the validation after the step.
    Validation(f64),
}

impl fmt::Display for NonFinite {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { step, found, lr } = self;
        match found {
            Found::Loss(loss) => write!(f, "the training loss became {loss} at batch {step}")?,
            Found::Weight => write!(f, "a weight became no number at batch {step}")?,
            Found::Validation(error) => {
                write!(f, "the validation error became {error} after batch {step}")?;
            }
        }
        write!(f, " (learning rate {lr:e})")
    }
}

impl std::error::Error for NonFinite {}

/// What a dump says beside its images.
#[derive(Serialize)]
struct Description {
    step: usize,
    /// Absent where the loss was a number.
    #[serde(skip_serializing_if = "Option::is_none")]
    loss: Option<String>,
    lr: f64,
    batches: Vec<Indices>,
}

/// What a batch is made of.
#[derive(Serialize)]
struct Indices {
    epoch: u64,
    examples: Vec<usize>,
}

impl NonFinite {
    /// Writes the images of the step into the run directory, with their indices, the loss and the
    /// learning rate, as safetensors: `input.N`, `target.N` of each batch.
    ///
    /// # Errors
    /// When an image cannot be read any more, or the file cannot be written.
    pub fn dump(
        &self,
        run_dir: &RunDir,
        stream: &TrainStream,
        accumulate: usize,
    ) -> anyhow::Result<PathBuf> {
        let first = ((self.step - 1) * accumulate) as u64;
        let indices = (first..first + accumulate as u64).map(|number| {
            let visits = stream.visits(number);
            Indices {
                epoch: visits.first().map_or(0, |visit| visit.epoch),
                examples: visits.iter().map(|visit| visit.index).collect(),
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
        for (number, batch) in step::next(&mut *stream.iter(), accumulate)?
            .into_iter()
            .enumerate()
        {
            images.insert(format!("input.{number}"), batch.input.into_data());
            images.insert(format!("target.{number}"), batch.target.into_data());
        }
        let path = run_dir
            .path()
            .join(format!("non_finite-{:08}.safetensors", self.step));
        write_model_file(&path, &images, &description)
            .context("cannot keep the images of the batch")?;
        Ok(path)
    }
}
