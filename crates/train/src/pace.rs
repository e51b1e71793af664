//! The length of a run in images that a number of minutes allows: measured in a few steps that are not
//! kept.

use std::time::{Duration, Instant};

use burn::data::dataloader::DataLoader;
use burn::tensor::Device;
use n2n_data::{TrainStream, ValidationSet};
use n2n_model::NetworkConfig;

use crate::experiment::{Interval, TrainConfig};
use crate::{Learner, Stop, TrainError};

/// Steps that are not timed: a device compiles and tunes its kernels in them.
const WARM_UP: usize = 3;

/// Timed steps, and the longest time that they take.
const STEPS: usize = 200;
const LONGEST: Duration = Duration::from_secs(6);

/// Least part of the time that is for training, however long validations take.
const LEAST_TRAINING: f64 = 0.5;

/// Speed of a run.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Pace {
    /// Seconds of an optimizer step.
    pub step_seconds: f64,
    /// Seconds of a validation.
    pub validation_seconds: f64,
}

impl Pace {
    /// Measures the speed of training and validation.
    ///
    /// # Errors
    /// When an image cannot be read, or the device fails.
    pub fn measure(
        network: &NetworkConfig,
        config: &TrainConfig,
        stream: &TrainStream,
        validation: &ValidationSet,
        device: &Device,
        stop: &Stop,
    ) -> Result<Self, TrainError> {
        let mut learner = Learner::new(network, config, usize::MAX, device);
        let mut batches = stream.iter();
        let mut step = || {
            let (loss, _) = learner.step(batches.by_ref().take(config.accumulate))?;
            loss.try_into_data().map_err(TrainError::from)
        };
        for _ in 0..WARM_UP {
            step()?;
        }
        let (start, mut steps) = (Instant::now(), 0);
        while steps == 0 || steps < STEPS && start.elapsed() < LONGEST && !stop.is_stopped() {
            // Waits for the device.
            step()?;
            steps += 1;
        }
        let step_seconds = start.elapsed().as_secs_f64() / steps as f64;
        let model = learner.evaluation_model();
        let (start, mut validated) = (Instant::now(), 0);
        for batch in validation.iter() {
            let batch = batch?;
            validated += batch.input.dims()[0];
            model.validate(batch).errors.try_into_data()?;
            if start.elapsed() > LONGEST || stop.is_stopped() {
                break;
            }
        }
        let share = validation.num_items() as f64 / validated as f64;
        Ok(Self {
            step_seconds,
            validation_seconds: share * start.elapsed().as_secs_f64(),
        })
    }

    /// Returns the images of a run of `seconds`, in whole steps and at least one.
    pub fn images(
        &self,
        seconds: f64,
        interval: Interval,
        epoch: usize,
        images_per_step: usize,
    ) -> usize {
        let (step, validation) = (self.step_seconds, self.validation_seconds);
        let steps = match interval {
            Interval::Percent(percent) => (seconds - validation * (100.0 / percent).ceil()) / step,
            Interval::Batches(batches) => seconds / (step + validation / batches as f64),
            Interval::Epoch => {
                let batches = epoch.div_ceil(images_per_step);
                seconds / (step + validation / batches as f64)
            }
        };
        let steps = steps.max(LEAST_TRAINING * seconds / step).floor().max(1.0);
        steps as usize * images_per_step
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const PACE: Pace = Pace {
        step_seconds: 0.25,
        validation_seconds: 3.0,
    };

    #[test]
    fn minutes_are_for_steps_and_validations() {
        let images = |interval| PACE.images(600.0, interval, 320, 16);
        // 20 validations of 3 s leave 540 s.
        assert_eq!(images(Interval::Percent(5.0)), 16 * 540 * 4);
        // 100 steps and a validation take 28 s.
        assert_eq!(images(Interval::Batches(100)), 16 * 2142);
        // 20 steps and a validation would take 8 s: 1500 steps.
        assert_eq!(images(Interval::Epoch), 16 * 1500);
        // Validations alone would take 600 s.
        assert_eq!(images(Interval::Percent(0.5)), 16 * 1200);
        assert_eq!(PACE.images(0.001, Interval::Percent(5.0), 320, 16), 16);
    }
}
