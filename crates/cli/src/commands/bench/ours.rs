//! Training steps of a network on one batch, timed.

use std::convert::Infallible;
use std::time::Instant;

use burn::tensor::{Device, Distribution, Tensor};
use n2n_data::Batch;
use n2n_devices::SelectedDevice;
use n2n_model::NetworkConfig;
use n2n_train::Learner;
use n2n_train::experiment::{OptimizerConfig, SchedulerConfig, TrainConfig};

/// Values of a measurement, however long they take.
pub const LEAST: usize = 3;

/// The reference's image size.
pub const SIZE: usize = 32;

/// A learner and the batch that it sees in each step.
pub struct Training {
    learner: Learner,
    batch: Batch,
}

impl Training {
    /// The protocol of the reference: SGD without momentum.
    pub fn new(config: &NetworkConfig, selected: &SelectedDevice, batch_size: usize) -> Self {
        let train = TrainConfig {
            lr: 1e-3,
            optimizer: OptimizerConfig::PLAIN_SGD,
            scheduler: SchedulerConfig::Constant {},
            ..TrainConfig::default()
        };
        let learner = Learner::new(config, &train, usize::MAX, &selected.device);
        let device = learner.device().clone();
        let images = || {
            let shape = [batch_size, 3, SIZE, SIZE];
            Tensor::<4>::random(shape, Distribution::Uniform(0.0, 1.0), &device)
        };
        let batch = Batch::of_pairs(images(), images());
        Self { learner, batch }
    }

    /// One step, to the loss on the host.
    pub fn step(&mut self) -> anyhow::Result<()> {
        self.steps(1)
    }

    /// Steps, to the last one's loss on the host.
    fn steps(&mut self, count: usize) -> anyhow::Result<()> {
        let mut last = None;
        for _ in 0..count {
            let Ok((loss, _)) = self.learner.step([Ok::<_, Infallible>(self.batch.clone())]);
            last = Some(loss);
        }
        if let Some(loss) = last {
            loss.try_into_data()?;
        }
        Ok(())
    }

    /// Returns the mean seconds of each `count` steps, to the last one's loss on the host, for about `duration`
    /// seconds.
    pub fn seconds(&mut self, count: usize, duration: f64) -> anyhow::Result<Vec<f64>> {
        let mut seconds = vec![];
        let begin = Instant::now();
        while seconds.len() < LEAST || begin.elapsed().as_secs_f64() < duration {
            let start = Instant::now();
            self.steps(count)?;
            seconds.push(start.elapsed().as_secs_f64() / count as f64);
        }
        Ok(seconds)
    }
}

/// GFLOP/s of the fastest of some matrix products.
pub fn sgemm_gflops() -> f64 {
    const SIDE: usize = 1024;
    let device = Device::flex();
    let matrix = || Tensor::<2>::random([SIDE, SIDE], Distribution::Default, &device);
    let (a, b) = (matrix(), matrix());
    let fastest = (0..20).map(|_| {
        let start = Instant::now();
        std::hint::black_box(a.clone().matmul(b.clone()));
        start.elapsed().as_secs_f64()
    });
    let seconds = fastest.min_by(f64::total_cmp).unwrap_or(f64::NAN);
    2.0 * (SIDE * SIDE * SIDE) as f64 / seconds / 1e9
}
