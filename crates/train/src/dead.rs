//! Networks that are dead or diverged though every number is finite.
//!
//! A network can die in its first steps: its output is then the same for every image, its loss is
//! finite, and nothing else would tell before the end.

use std::fmt;

use n2n_data::quality::psnr_db;
use serde::{Deserialize, Serialize};

use crate::run_dir::Record;

/// Validations after which a network must have learned something.
const PATIENCE: usize = 2;

/// Outputs that vary by less than this share of what their inputs do are constant.
const CONSTANT: f32 = 0.01;

/// Optimizer steps before that a network may be anything.
const LEAST_STEPS: usize = 100;

/// A network whose training loss falls below this share of that of the interval before learns something,
/// though its validation error may rise for a while, as with plain SGD at a high rate.
const LEARNS: f64 = 0.95;

/// Errors of a validation, and of the training before it.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
pub struct Errors {
    /// Mean squared error of the validation.
    pub mse: f64,
    /// Mean training loss since the validation before.
    pub train_loss: f64,
}

/// Restarts of a run before it ends with an error.
pub const MAX_RESTARTS: u32 = 2;

/// Why a network is taken for dead.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Symptom {
    /// Its output is the same everywhere.
    ConstantOutput,
    /// It is no better than its noisy input, and does not get better.
    NoGain {
        /// Mean squared error of its output.
        mse: f64,
        /// That of the noisy input.
        noisy_mse: f64,
    },
}

impl fmt::Display for Symptom {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::ConstantOutput => f.write_str("the network is dead: its output is constant"),
            Self::NoGain { mse, noisy_mse } => write!(
                f,
                "the network learns nothing: its output has {:.2} dB, its noisy input {:.2} dB, and it does \
                 not get better",
                psnr_db(*mse),
                psnr_db(*noisy_mse)
            ),
        }
    }
}

/// Looks at validation `number` of a run, counted from 1, after `steps` optimizer steps.
///
/// `before` are the errors of the validation before, `best` is the smallest so far, and `is_constant` says
/// that outputs are [`constant`](is_constant).
pub fn symptom(
    [number, steps]: [usize; 2],
    now: Errors,
    before: Option<Errors>,
    best: f64,
    noisy_mse: f64,
    is_constant: bool,
) -> Option<Symptom> {
    // A network that was good once is kept, whatever comes after.
    if number < PATIENCE || steps < LEAST_STEPS || best < noisy_mse {
        return None;
    }
    if is_constant {
        return Some(Symptom::ConstantOutput);
    }
    let gets_better = before
        .is_none_or(|before| now.mse < before.mse || now.train_loss < LEARNS * before.train_loss);
    (!gets_better).then_some(Symptom::NoGain {
        mse: now.mse,
        noisy_mse,
    })
}

/// Whether outputs are constant where their inputs are not; constant inputs say nothing.
pub fn is_constant<'a>(images: impl IntoIterator<Item = (&'a [f32], &'a [f32])>) -> bool {
    let extent = |image: &[f32]| {
        let ends = image
            .iter()
            .fold((f32::INFINITY, f32::NEG_INFINITY), |(low, high), &value| {
                (low.min(value), high.max(value))
            });
        ends.1 - ends.0
    };
    let images = images.into_iter();
    let mut varied = images.filter(|(input, _)| extent(input) > 0.0).peekable();
    varied.peek().is_some()
        && varied.all(|(input, output)| extent(output) < CONSTANT * extent(input))
}

/// A new start of a run, as a line of `metrics.jsonl`.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Restart {
    /// Restarts so far, this one included.
    pub restart: u32,
    /// Why the network before was given up.
    pub cause: String,
    /// Images that it had seen.
    pub images: usize,
    /// Seed of the new weights.
    pub seed: u64,
    /// Learning rate at the start.
    pub lr: f64,
}

impl fmt::Display for Restart {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self {
            restart,
            cause,
            images,
            seed,
            lr,
        } = self;
        write!(
            f,
            "{cause} (after {images} images): start {} of at most {}, from seed {seed} at learning rate {lr:e}",
            restart + 1,
            MAX_RESTARTS + 1
        )
    }
}

/// The last validation in the lines of `metrics.jsonl` that belongs to the present start of a run.
///
/// # Errors
/// When a line is neither a validation nor a restart.
pub fn last_record(metrics: &str) -> serde_json::Result<Option<Record>> {
    let Some(line) = metrics.lines().last() else {
        return Ok(None);
    };
    if serde_json::from_str::<Restart>(line).is_ok() {
        return Ok(None);
    }
    serde_json::from_str(line).map(Some)
}

/// The lines of `metrics.jsonl` that belong to the present start of a run.
pub fn present_start(metrics: &str) -> impl Iterator<Item = &str> {
    let is_restart = |line: &&str| serde_json::from_str::<Restart>(line).is_ok();
    let lines: Vec<&str> = metrics.lines().collect();
    let given_up = lines.iter().rposition(is_restart);
    lines.into_iter().skip(given_up.map_or(0, |at| at + 1))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn slow_networks_are_not_dead() {
        let noisy_mse = 0.01;
        let errors = |mse, train_loss| Errors { mse, train_loss };
        let of = |place, now: Errors, before, best| {
            let before = Some(before);
            symptom(place, now, before, best, noisy_mse, false)
        };
        let (stuck, place) = (errors(0.1, 0.2), [2, 100]);
        let expected = Some(Symptom::NoGain {
            mse: 0.1,
            noisy_mse,
        });
        assert_eq!(of(place, stuck, stuck, 0.1), expected);
        // Too early, getting better, learning, or once good.
        assert_eq!(of([1, 100], stuck, stuck, 0.1), None);
        assert_eq!(of([2, 99], stuck, stuck, 0.1), None);
        assert_eq!(of(place, errors(0.0999, 0.2), stuck, 0.1), None);
        assert_eq!(of(place, errors(0.12, 0.18), stuck, 0.1), None);
        assert_eq!(of([9, 900], stuck, stuck, 0.009), None);
        let constant = symptom(place, errors(0.1, 0.1), Some(stuck), 0.1, noisy_mse, true);
        assert_eq!(constant, Some(Symptom::ConstantOutput));
    }

    #[test]
    fn flat_outputs_of_flat_inputs_are_no_symptom() {
        let (noisy, flat) = ([0.0, 0.5, 1.0], [0.3, 0.301, 0.3]);
        assert!(is_constant([(&noisy[..], &flat[..])]));
        assert!(!is_constant([
            (&noisy[..], &flat[..]),
            (&noisy[..], &noisy[..])
        ]));
        let blank = (&[0.3; 3][..], &[0.3; 3][..]);
        assert!(!is_constant([blank]));
        // A blank image among others hides nothing.
        assert!(is_constant([blank, (&noisy[..], &flat[..])]));
        assert!(!is_constant([blank, (&noisy[..], &noisy[..])]));
    }

    #[test]
    fn lines_of_restarts_read_back() {
        let restart = Restart {
            restart: 1,
            cause: Symptom::ConstantOutput.to_string(),
            images: 4800,
            seed: 1,
            lr: 5e-4,
        };
        let line = serde_json::to_string(&restart).unwrap();
        assert_eq!(serde_json::from_str::<Restart>(&line).unwrap(), restart);
        assert_eq!(last_record(&line).unwrap(), None);
        assert!(last_record("{}").is_err());
        assert_eq!(last_record("").unwrap(), None);
        let metrics = format!("a\n{line}\nb\n{line}\nc\nd\n");
        assert_eq!(present_start(&metrics).collect::<Vec<_>>(), ["c", "d"]);
        assert_eq!(present_start("a\nb").count(), 2);
        assert!(
            restart
                .to_string()
                .ends_with("start 2 of at most 3, from seed 1 at learning rate 5e-4")
        );
    }
}
