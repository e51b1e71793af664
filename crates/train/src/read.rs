//! Reads from the device. Each waits for all that was asked of the device before, so that several values are read at
//! once, and seldom.

use burn::tensor::{Tensor, TensorData, Transaction};

use crate::TrainError;
use crate::step::ValidationOutput;

/// Bytes of validation outputs that may wait on the device.
const MOST_BYTES: usize = 64 << 20;

/// Number of reads of a run that waited for the device.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Waits {
    /// For losses of training steps.
    pub losses: usize,
    /// For errors and images of validations; several for one that is longer than a second or larger than 64 MiB.
    pub validations: usize,
}

/// Reads vectors of losses or errors one after another.
pub(crate) fn read_vectors(vectors: Vec<Tensor<1>>) -> Result<Vec<f64>, TrainError> {
    let read = vectors
        .into_iter()
        .fold(Transaction::default(), Transaction::register);
    let read = read.try_execute()?;
    Ok(read.iter().flat_map(TensorData::iter::<f64>).collect())
}

/// Results of validation batches that are still on the device.
#[derive(Default)]
pub(crate) struct Unread {
    outputs: Vec<ValidationOutput>,
    /// Clean images, where they are compared.
    clean: Vec<Option<Tensor<4>>>,
    bytes: usize,
}

/// A validation batch in the host's memory.
pub(crate) struct ReadBatch {
    /// Mean squared error of each image, or its estimate.
    pub errors: Vec<f64>,
    /// `[channels, height, width]` of each image.
    pub shape: [usize; 3],
    /// The denoised images.
    pub denoised: Vec<f32>,
    /// The clean ones, if they are compared.
    pub clean: Option<Vec<f32>>,
}

impl Unread {
    /// Adds the result of a batch, and the clean images if they are compared with it.
    pub fn push(&mut self, output: ValidationOutput, clean: Option<Tensor<4>>) {
        let images = 1 + usize::from(clean.is_some());
        self.bytes += images * output.denoised.shape().num_elements() * size_of::<f32>();
        self.outputs.push(output);
        self.clean.push(clean);
    }

    /// Whether no more should wait.
    pub fn is_full(&self) -> bool {
        self.bytes >= MOST_BYTES
    }

    /// Whether nothing waits.
    pub fn is_empty(&self) -> bool {
        self.outputs.is_empty()
    }

    /// Reads all that waits, batch by batch.
    pub fn read(&mut self) -> Result<Vec<ReadBatch>, TrainError> {
        let Self { outputs, clean, .. } = std::mem::take(self);
        let shape = |output: &ValidationOutput| {
            let [_, channels, height, width] = output.denoised.dims();
            [channels, height, width]
        };
        let shapes: Vec<_> = outputs.iter().map(shape).collect();
        let compared: Vec<_> = clean.iter().map(Option::is_some).collect();
        let mut transaction = Transaction::default();
        for (output, clean) in outputs.into_iter().zip(clean) {
            let ValidationOutput { errors, denoised } = output;
            transaction = transaction.register(errors).register(denoised);
            if let Some(clean) = clean {
                transaction = transaction.register(clean);
            }
        }
        let mut read = transaction.try_execute()?.into_iter();
        let mut next = || {
            read.next()
                .unwrap_or_else(|| unreachable!("it was registered"))
        };
        let batches = shapes.into_iter().zip(compared);
        let batches = batches.map(|(shape, is_compared)| ReadBatch {
            errors: next().iter().collect(),
            shape,
            denoised: next().iter().collect(),
            clean: is_compared.then(|| next().iter().collect()),
        });
        Ok(batches.collect())
    }
}
