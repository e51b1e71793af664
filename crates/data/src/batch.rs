//! Batches on a device, in an order that is a pure function of the seed.

use std::ops::Range;
use std::sync::Arc;

use burn::data::dataloader::{DataLoader, DataLoaderIterator, Progress};
use burn::data::dataset::DatasetError;
use burn::tensor::{Device, Tensor, TensorData};
use rayon::prelude::*;

use crate::prefetch::Prefetcher;
use crate::{DataError, ExampleIndex, Examples, NoisyPair, Normalization, Target};

/// Normalized inputs, and the targets around `[0, 1]` that the loss compares the outputs with.
///
/// # Shapes
/// All are `[batch_size, channels, height, width]`, the mask with one channel.
#[derive(Clone, Debug)]
pub struct Batch {
    /// What the network sees.
    pub input: Tensor<4>,
    /// What its output is compared with.
    pub target: Tensor<4>,
    /// 1 where the target says anything and 0 where it does not, if that is not everywhere.
    pub mask: Option<Tensor<4>>,
    /// Validation without clean images: the pair the other way round, and what it knows of the noise.
    pub reverse: Option<Reverse>,
}

/// A noisy pair the other way round.
#[derive(Clone, Debug)]
pub struct Reverse {
    /// The normalized target.
    pub input: Tensor<4>,
    /// The input as it was, around `[0, 1]`.
    pub target: Tensor<4>,
}

/// A batch in the host's memory.
struct HostBatch {
    shape: [usize; 4],
    input: Vec<f32>,
    target: Vec<f32>,
    mask: Option<Vec<f32>>,
    reverse: Option<(Vec<f32>, Vec<f32>)>,
}

impl HostBatch {
    fn into_batch(self, device: &Device) -> Batch {
        let of_shape = |values, shape| Tensor::from_data(TensorData::new(values, shape), device);
        let tensor = |values| of_shape(values, self.shape);
        let [batch_size, _, height, width] = self.shape;
        Batch {
            input: tensor(self.input),
            target: tensor(self.target),
            mask: self
                .mask
                .map(|mask| of_shape(mask, [batch_size, 1, height, width])),
            reverse: self.reverse.map(|(input, target)| Reverse {
                input: tensor(input),
                target: tensor(target),
            }),
        }
    }
}

/// Stacks the images of a batch; for validation, `target` is `None`.
fn stack(
    examples: &Examples,
    normalization: &Normalization,
    target: Option<Target>,
    batch: &[ExampleIndex],
) -> Result<HostBatch, DataError> {
    let pairs = batch.par_iter().map(|&example| {
        let mut pair = examples.pair(example)?;
        // The input as it was: the target of the reversed pair.
        let reversible = target.is_none() && pair.clean_target.is_none();
        let raw = reversible.then(|| pair.noisy_input.clone());
        normalization.apply(&mut pair.noisy_input, pair.shape);
        Ok((pair, raw))
    });
    let pairs = pairs.collect::<Result<Vec<(NoisyPair, Option<Vec<f32>>)>, DataError>>()?;
    let [channels, height, width] = pairs[0].0.shape;
    let len = pairs.len() * channels * height * width;
    let mut stacked = HostBatch {
        shape: [pairs.len(), channels, height, width],
        input: Vec::with_capacity(len),
        target: Vec::with_capacity(len),
        mask: None,
        reverse: None,
    };
    for (pair, raw) in pairs {
        // Validation compares with clean images where it can.
        let wanted = target.unwrap_or(if raw.is_some() {
            Target::Noisy
        } else {
            Target::Clean
        });
        let image = pair
            .target(wanted)
            .ok_or_else(|| DataError::MissingTarget {
                name: format!("example {}", batch[0].index),
                target: wanted,
            })?;
        stacked.input.extend_from_slice(&pair.noisy_input);
        stacked.target.extend_from_slice(image);
        if let (Target::Noisy, Some(mask)) = (wanted, &pair.target_mask) {
            stacked.mask.get_or_insert_default().extend_from_slice(mask);
        }
        if let Some(raw) = raw {
            let mut reversed = image.to_vec();
            normalization.apply(&mut reversed, pair.shape);
            let (input, target) = stacked.reverse.get_or_insert_default();
            input.extend(reversed);
            target.extend(raw);
        }
    }
    Ok(stacked)
}

/// How training examples become batches.
#[derive(Clone)]
pub struct Batching {
    /// Normalization of the inputs.
    pub normalization: Arc<Normalization>,
    /// The image that the loss compares outputs with.
    pub target: Target,
    /// Images in a batch; the last of an epoch may have fewer.
    pub batch_size: usize,
    /// A new random order in each epoch; without it, file order.
    pub shuffle_seed: Option<u64>,
    /// Threads that make batches ahead of time; with 0 they are made when asked for.
    pub workers: usize,
}

/// An endless stream of training batches, epoch after epoch.
#[derive(Clone)]
pub struct TrainStream {
    examples: Arc<Examples>,
    range: Range<usize>,
    batching: Batching,
    first: u64,
    device: Device,
}

impl TrainStream {
    /// Streams `examples` to a device.
    pub fn new(examples: Arc<Examples>, batching: Batching, device: Device) -> Self {
        Self {
            range: 0..examples.len(),
            examples,
            batching,
            first: 0,
            device,
        }
    }

    /// The same stream without its first `batches`.
    pub fn after(mut self, batches: u64) -> Self {
        self.first = batches;
        self
    }

    /// The examples of batch `number`, counted from the start of the run.
    pub fn examples_of(&self, number: u64) -> Vec<ExampleIndex> {
        self.examples_in_order(&mut None, number)
    }

    /// As [`examples_of`](Self::examples_of); `order` keeps the order of the last epoch.
    fn examples_in_order(
        &self,
        order: &mut Option<(u64, Vec<u32>)>,
        number: u64,
    ) -> Vec<ExampleIndex> {
        let batch_size = self.batching.batch_size;
        let per_epoch = self.range.len().div_ceil(batch_size) as u64;
        let epoch = number / per_epoch;
        let order = match order {
            Some((of, order)) if *of == epoch => order,
            _ => &mut order.insert((epoch, self.order(epoch))).1,
        };
        let start = (number % per_epoch) as usize * batch_size;
        let example = |&index: &u32| ExampleIndex {
            epoch,
            index: index as usize,
        };
        let batch = order.iter().skip(start).take(batch_size);
        batch.map(example).collect()
    }

    fn order(&self, epoch: u64) -> Vec<u32> {
        let mut order = self.examples.epoch(self.batching.shuffle_seed, epoch);
        order.retain(|index| self.range.contains(&(*index as usize)));
        order
    }
}

impl DataLoader<Batch> for TrainStream {
    fn iter<'a>(&'a self) -> Box<dyn DataLoaderIterator<Batch> + 'a> {
        let stream = self.clone();
        let make = move |order: &mut Option<(u64, Vec<u32>)>, number: u64| {
            let batch = stream.examples_in_order(order, number);
            let Batching {
                normalization,
                target,
                ..
            } = &stream.batching;
            stack(&stream.examples, normalization, Some(*target), &batch)
        };
        Box::new(Batches {
            made: Box::new(Prefetcher::new(self.batching.workers, self.first, make)),
            device: &self.device,
            served: 0,
            total: self.num_items(),
        })
    }

    fn num_items(&self) -> usize {
        self.range.len()
    }

    fn to_device(&self, device: &Device) -> Arc<dyn DataLoader<Batch>> {
        let device = device.clone();
        Arc::new(Self {
            device,
            ..self.clone()
        })
    }

    fn slice(&self, start: usize, end: usize) -> Arc<dyn DataLoader<Batch>> {
        let range = self.range.start + start..self.range.start + end;
        Arc::new(Self {
            range,
            ..self.clone()
        })
    }
}

/// The validation batches, each example once, in file order, of images of one size each; with clean
/// targets where there are any.
#[derive(Clone)]
pub struct ValidationSet {
    examples: Arc<Examples>,
    normalization: Arc<Normalization>,
    batch_size: usize,
    batches: Vec<Range<usize>>,
    device: Device,
}

impl ValidationSet {
    /// Serves a range of `examples` in batches of at most `batch_size`.
    pub fn new(
        examples: Arc<Examples>,
        range: Range<usize>,
        normalization: Arc<Normalization>,
        batch_size: usize,
        device: Device,
    ) -> Self {
        let mut batches: Vec<Range<usize>> = Vec::new();
        for index in range {
            match batches.last_mut() {
                Some(batch)
                    if batch.len() < batch_size
                        && examples.shape(batch.start) == examples.shape(index) =>
                {
                    batch.end += 1;
                }
                _ => batches.push(index..index + 1),
            }
        }
        Self {
            examples,
            normalization,
            batch_size,
            batches,
            device,
        }
    }
}

impl DataLoader<Batch> for ValidationSet {
    fn iter<'a>(&'a self) -> Box<dyn DataLoaderIterator<Batch> + 'a> {
        let made = self.batches.iter().map(|batch| {
            let batch = batch.clone().map(|index| ExampleIndex { epoch: 0, index });
            let batch: Vec<_> = batch.collect();
            stack(&self.examples, &self.normalization, None, &batch)
        });
        Box::new(Batches {
            made: Box::new(made),
            device: &self.device,
            served: 0,
            total: self.num_items(),
        })
    }

    fn num_items(&self) -> usize {
        self.batches.iter().map(ExactSizeIterator::len).sum()
    }

    fn to_device(&self, device: &Device) -> Arc<dyn DataLoader<Batch>> {
        let device = device.clone();
        Arc::new(Self {
            device,
            ..self.clone()
        })
    }

    fn slice(&self, start: usize, end: usize) -> Arc<dyn DataLoader<Batch>> {
        let first = self.batches.first().map_or(0, |batch| batch.start);
        Arc::new(Self::new(
            self.examples.clone(),
            first + start..first + end,
            self.normalization.clone(),
            self.batch_size,
            self.device.clone(),
        ))
    }
}

struct Batches<'a> {
    made: Box<dyn Iterator<Item = Result<HostBatch, DataError>> + 'a>,
    device: &'a Device,
    served: usize,
    total: usize,
}

impl Iterator for Batches<'_> {
    type Item = Result<Batch, DatasetError>;

    fn next(&mut self) -> Option<Self::Item> {
        let batch = self.made.next()?;
        Some(match batch {
            Ok(batch) => {
                self.served += batch.shape[0];
                Ok(batch.into_batch(self.device))
            }
            Err(error) => Err(DatasetError::new(error)),
        })
    }
}

impl DataLoaderIterator<Batch> for Batches<'_> {
    fn progress(&self) -> Progress {
        Progress::new(self.served, self.total, Some("images".to_owned()))
    }
}
