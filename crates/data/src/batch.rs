//! Batches on a device, in an order that is a pure function of the seed.

use std::sync::Arc;

use burn::data::dataloader::{DataLoader, DataLoaderIterator, Progress};
use burn::data::dataset::DatasetError;
use burn::tensor::{Device, Tensor, TensorData};
use rand::SeedableRng;
use rand::seq::SliceRandom;
use rand_chacha::ChaCha8Rng;
use rayon::prelude::*;

use crate::{DataError, Normalization, PairSource, Slice, Target};

/// Normalized inputs, and the targets in `[0, 1]` that the loss compares the outputs with.
///
/// # Shapes
/// Both are `[batch_size, channels, height, width]`.
#[derive(Clone, Debug)]
pub struct Batch {
    /// What the network sees.
    pub input: Tensor<4>,
    /// What its output is compared with.
    pub target: Tensor<4>,
}

/// Everything needed to make batches but the order.
#[derive(Clone)]
struct Batcher {
    source: Arc<dyn PairSource>,
    normalization: Arc<Normalization>,
    target: Target,
    batch_size: usize,
    device: Device,
}

impl Batcher {
    fn on(&self, device: &Device) -> Self {
        Self {
            device: device.clone(),
            ..self.clone()
        }
    }

    fn slice(&self, start: usize, end: usize) -> Self {
        Self {
            source: Arc::new(Slice::new(self.source.clone(), start..end)),
            ..self.clone()
        }
    }

    /// Reads the examples in parallel and puts them on the device.
    fn batch(&self, indices: &[usize]) -> Result<Batch, DataError> {
        let shape = self.source.shape();
        let size = shape.iter().product::<usize>();
        let mut inputs = vec![0.0; indices.len() * size];
        let mut targets = vec![0.0; indices.len() * size];
        inputs
            .par_chunks_exact_mut(size)
            .zip(targets.par_chunks_exact_mut(size))
            .zip(indices)
            .try_for_each(|((input, target), &index)| {
                let pair = self.source.pair(index)?;
                let wanted = pair
                    .target(self.target)
                    .ok_or_else(|| DataError::MissingTarget {
                        name: format!("example {index}"),
                        target: self.target,
                    })?;
                target.copy_from_slice(wanted);
                input.copy_from_slice(&pair.noisy_input);
                self.normalization.apply(input, shape);
                Ok(())
            })?;
        let [channels, height, width] = shape;
        let tensor = |values| {
            let shape = [indices.len(), channels, height, width];
            Tensor::from_data(TensorData::new(values, shape), &self.device)
        };
        Ok(Batch {
            input: tensor(inputs),
            target: tensor(targets),
        })
    }
}

/// An endless stream of training batches: epoch after epoch, the last batch of each possibly
/// shorter, in file order or in a new random order for each epoch.
#[derive(Clone)]
pub struct TrainStream {
    batcher: Batcher,
    shuffle_seed: Option<u64>,
}

impl TrainStream {
    /// Streams `source` in batches of `batch_size`; without `shuffle_seed`, in file order.
    pub fn new(
        source: Arc<dyn PairSource>,
        normalization: Arc<Normalization>,
        target: Target,
        batch_size: usize,
        shuffle_seed: Option<u64>,
        device: Device,
    ) -> Self {
        Self {
            batcher: Batcher {
                source,
                normalization,
                target,
                batch_size,
                device,
            },
            shuffle_seed,
        }
    }

    /// The order of the examples in an epoch: a pure function of the seed and the epoch.
    fn order(&self, epoch: u64) -> Vec<usize> {
        let mut order: Vec<usize> = (0..self.batcher.source.len()).collect();
        if let Some(seed) = self.shuffle_seed {
            let mut rng = ChaCha8Rng::seed_from_u64(seed);
            rng.set_stream(epoch);
            order.shuffle(&mut rng);
        }
        order
    }
}

impl DataLoader<Batch> for TrainStream {
    fn iter<'a>(&'a self) -> Box<dyn DataLoaderIterator<Batch> + 'a> {
        let orders = (0..).map(|epoch| self.order(epoch));
        let batches = orders.flat_map(|order| chunks(order, self.batcher.batch_size));
        Box::new(Batches {
            batcher: &self.batcher,
            indices: Box::new(batches),
            served: 0,
        })
    }

    fn num_items(&self) -> usize {
        self.batcher.source.len()
    }

    fn to_device(&self, device: &Device) -> Arc<dyn DataLoader<Batch>> {
        Arc::new(Self {
            batcher: self.batcher.on(device),
            ..*self
        })
    }

    fn slice(&self, start: usize, end: usize) -> Arc<dyn DataLoader<Batch>> {
        Arc::new(Self {
            batcher: self.batcher.slice(start, end),
            ..*self
        })
    }
}

/// The validation batches, each example once, in file order, with clean targets.
#[derive(Clone)]
pub struct ValidationSet {
    batcher: Batcher,
}

impl ValidationSet {
    /// Serves `source` in batches of `batch_size`.
    pub fn new(
        source: Arc<dyn PairSource>,
        normalization: Arc<Normalization>,
        batch_size: usize,
        device: Device,
    ) -> Self {
        Self {
            batcher: Batcher {
                source,
                normalization,
                target: Target::Clean,
                batch_size,
                device,
            },
        }
    }
}

impl DataLoader<Batch> for ValidationSet {
    fn iter<'a>(&'a self) -> Box<dyn DataLoaderIterator<Batch> + 'a> {
        let order = (0..self.batcher.source.len()).collect();
        Box::new(Batches {
            batcher: &self.batcher,
            indices: Box::new(chunks(order, self.batcher.batch_size)),
            served: 0,
        })
    }

    fn num_items(&self) -> usize {
        self.batcher.source.len()
    }

    fn to_device(&self, device: &Device) -> Arc<dyn DataLoader<Batch>> {
        Arc::new(Self {
            batcher: self.batcher.on(device),
        })
    }

    fn slice(&self, start: usize, end: usize) -> Arc<dyn DataLoader<Batch>> {
        Arc::new(Self {
            batcher: self.batcher.slice(start, end),
        })
    }
}

fn chunks(order: Vec<usize>, batch_size: usize) -> impl Iterator<Item = Vec<usize>> {
    let batches = order.len().div_ceil(batch_size);
    (0..batches).map(move |batch| {
        let start = batch * batch_size;
        order[start..order.len().min(start + batch_size)].to_vec()
    })
}

struct Batches<'a> {
    batcher: &'a Batcher,
    indices: Box<dyn Iterator<Item = Vec<usize>> + 'a>,
    served: usize,
}

impl Iterator for Batches<'_> {
    type Item = Result<Batch, DatasetError>;

    fn next(&mut self) -> Option<Self::Item> {
        let indices = self.indices.next()?;
        self.served += indices.len();
        Some(self.batcher.batch(&indices).map_err(DatasetError::new))
    }
}

impl DataLoaderIterator<Batch> for Batches<'_> {
    fn progress(&self) -> Progress {
        let unit = Some("images".to_owned());
        Progress::new(self.served, self.batcher.source.len(), unit)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{Scenes, ScenesConfig, Split};

    fn source() -> Arc<dyn PairSource> {
        let config = ScenesConfig {
            train: 5,
            height: 4,
            width: 6,
            oversample: 2,
            ..ScenesConfig::default()
        };
        Arc::new(Scenes::new(&config, 3, Split::Train))
    }

    fn stream(shuffle_seed: Option<u64>) -> TrainStream {
        let normalization = Arc::new(Normalization::None);
        let device = Device::flex();
        TrainStream::new(
            source(),
            normalization,
            Target::Noisy,
            2,
            shuffle_seed,
            device,
        )
    }

    #[test]
    fn batches_follow_the_file_across_epochs_and_the_last_of_each_is_shorter() {
        let stream = stream(None);
        let mut batches = stream.iter();
        for indices in [&[0, 1][..], &[2, 3], &[4], &[0, 1]] {
            let batch = batches.next().unwrap().unwrap();
            assert_eq!(batch.input.dims(), [indices.len(), 3, 4, 6]);
            let pairs = indices.iter().map(|&index| source().pair(index).unwrap());
            let (inputs, targets): (Vec<_>, Vec<_>) = pairs
                .map(|pair| (pair.noisy_input, pair.noisy_target.unwrap()))
                .unzip();
            assert_eq!(
                batch.input.into_data().iter().collect::<Vec<f32>>(),
                inputs.concat()
            );
            assert_eq!(
                batch.target.into_data().iter().collect::<Vec<f32>>(),
                targets.concat()
            );
        }
        assert_eq!(batches.progress().items_processed, 7);
    }

    #[test]
    fn a_shuffled_order_is_a_pure_function_of_seed_and_epoch() {
        let order = |seed, epoch| stream(Some(seed)).order(epoch);
        let mut sorted = order(1, 0);
        sorted.sort_unstable();
        assert_eq!(sorted, [0, 1, 2, 3, 4]);
        assert_eq!(order(1, 7), order(1, 7));
        let orders: std::collections::HashSet<_> = (0..20).map(|epoch| order(1, epoch)).collect();
        assert!(orders.len() > 10, "20 epochs have {} orders", orders.len());
        assert_ne!(
            (0..20).map(|epoch| order(1, epoch)).collect::<Vec<_>>(),
            (0..20).map(|epoch| order(2, epoch)).collect::<Vec<_>>()
        );
    }
}
