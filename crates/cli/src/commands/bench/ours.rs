//! Training steps of a network on one batch, timed.

use std::time::Instant;

use burn::lr_scheduler::module_lr_scheduler::ModuleLrScheduler;
use burn::tensor::{Device, Distribution, Tensor};
use burn::train::Learner;
use n2n_data::Batch;
use n2n_model::NetworkConfig;

use crate::backend::Selected;
use crate::experiment::{OptimizerConfig, TrainConfig};
use crate::train::denoiser::Denoiser;
use crate::train::optimizer;

/// Steps of a measurement, however long they take.
pub const LEAST_STEPS: usize = 3;

/// The reference's image size.
const SIZE: usize = 32;

/// Of no influence on the time of a step.
const LEARNING_RATE: f64 = 1e-3;

/// A network, its update rule and a batch.
pub struct Training {
    learner: Learner<Denoiser>,
    batch: Batch,
}

impl Training {
    /// The protocol of the reference: SGD without momentum.
    pub fn new(config: &NetworkConfig, selected: &Selected, batch_size: usize) -> Self {
        let device = selected.device.clone().autodiff();
        let network = config.init(0, &device);
        let mut learner = Learner::new(
            Denoiser::new(network, &TrainConfig::default()),
            optimizer::optimizer(&OptimizerConfig::PLAIN_SGD, &device),
            ModuleLrScheduler::from(LEARNING_RATE),
        );
        learner.fork(&device);
        let images = || {
            let shape = [batch_size, 3, SIZE, SIZE];
            Tensor::<4>::random(shape, Distribution::Uniform(0.0, 1.0), &device)
        };
        let batch = Batch {
            input: images(),
            target: images(),
            mask: None,
            reverse: None,
        };
        Self { learner, batch }
    }

    /// Seconds of each step, to the loss on the host, of about so many seconds.
    pub fn steps(&mut self, duration: f64) -> anyhow::Result<Vec<f64>> {
        let mut seconds = vec![];
        let begin = Instant::now();
        while seconds.len() < LEAST_STEPS || begin.elapsed().as_secs_f64() < duration {
            let start = Instant::now();
            let output = self.learner.train_step(self.batch.clone());
            self.learner.lr_step();
            self.learner.optimizer_step(output.grads);
            output.item.mse.try_into_data()?;
            seconds.push(start.elapsed().as_secs_f64());
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
