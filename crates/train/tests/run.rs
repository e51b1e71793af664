//! Runs from start to end.

use burn::tensor::Device;
use n2n_data::{DataError, NoisyPair};
use n2n_denoise::Image;
use n2n_train::experiment::{Interval, OnNan};
use n2n_train::run_dir::End;
use n2n_train::{Event, TrainError, Trainer};

use crate::{SHAPE, experiment, model, pairs, run, trainer};

#[test]
fn run_in_memory_equals_run_in_folder() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("run");
    let in_memory = run(trainer(&experiment()), |_, _| {}).unwrap();
    let in_folder = run(trainer(&experiment()).run_dir(&path), |_, _| {}).unwrap();
    assert_eq!(model(&in_memory), model(&in_folder));
    assert_eq!(
        model(&in_memory),
        std::fs::read(path.join("best.safetensors")).unwrap()
    );
    assert_eq!(in_memory.run_dir, None);
    assert_eq!(in_folder.run_dir, Some(path));
}

#[test]
fn outcome_denoises() {
    let outcome = run(trainer(&experiment()), |_, _| {}).unwrap();
    let noisy = Image::new(SHAPE, pairs()[0].noisy_input.clone()).unwrap();
    let denoised = outcome.denoiser().unwrap().denoise(&noisy).unwrap();
    assert_eq!(denoised.shape(), SHAPE);
}

#[test]
fn events_come_in_order() {
    let mut names = vec![];
    let outcome = run(trainer(&experiment()), |event, _| {
        names.push(match event {
            Event::Start(start) => format!("start {} of {}", start.images, start.max_images),
            Event::Step(step) if step.step % 5 == 0 => format!("step {}", step.step),
            Event::ValidationBatch(batch) if batch.batch == 1 => "batch".to_owned(),
            Event::Validation(record) => format!("validation {}", record.batches),
            _ => return,
        });
    });
    let mut expected = vec!["start 0 of 80".to_owned()];
    for step in [5, 10, 15, 20] {
        expected.push(format!("step {step}"));
        expected.push("batch".to_owned());
        expected.push(format!("validation {step}"));
    }
    assert_eq!(names, expected);
    assert_eq!(outcome.unwrap().end, End::Done);
}

#[test]
fn stop_validates_what_was_trained() {
    let outcome = run(trainer(&experiment()), |event, stop| {
        if matches!(event, Event::Step(_)) {
            stop.stop();
        }
    })
    .unwrap();
    assert_eq!(outcome.end, End::Stopped);
    // The first step is reported, and the one after it sees the stop.
    assert_eq!(outcome.last.batches, 2);
}

#[test]
fn early_stop_ends_without_improvement() {
    let mut experiment = experiment();
    experiment.train.early_stop = Some(1);
    experiment.train.validate_every = Interval::Batches(1);
    // Too small to change a weight by one bit, so that no validation is better than the first.
    experiment.train.lr = 1e-30;
    let outcome = run(trainer(&experiment), |_, _| {}).unwrap();
    assert_eq!(outcome.end, End::NoImprovement);
    assert_eq!((outcome.last.batches, outcome.best.batches), (2, 1));
}

#[test]
fn rollback_in_memory_halves_the_rate() {
    let mut experiment = experiment();
    experiment.train.on_nan = OnNan::Rollback;
    experiment.train.lr = 1e38;
    let mut rollbacks = 0;
    let result = run(trainer(&experiment), |event, _| {
        rollbacks += usize::from(matches!(event, Event::RolledBack(_)));
    });
    let message = result.err().expect("the rate stays too large").to_string();
    assert_eq!(rollbacks, 10);
    // 1e38 / 2^10
    assert!(message.contains("(learning rate 9.76"), "{message}");
    assert!(message.contains("lower train.lr"), "{message}");
}

/// Pairs of images with one value each, which may be another for each.
fn blank(value: impl Fn(usize, usize) -> f32) -> Vec<NoisyPair> {
    let image = |scene: usize, shot: usize| vec![value(scene, shot); SHAPE.iter().product()];
    let pair = |scene| NoisyPair {
        shape: SHAPE,
        noisy_input: image(scene, 0),
        noisy_target: Some(image(scene, 1)),
        ..NoisyPair::default()
    };
    (0..22).map(pair).collect()
}

#[test]
fn blank_training_set_is_refused() {
    let open = |pairs| Trainer::with_pairs(&experiment(), pairs, &Device::flex());
    for pairs in [
        blank(|_, _| 0.0),
        blank(|_, _| 1.0),
        blank(|_, _| f32::NAN),
        blank(|scene, shot| (scene + shot) as f32 / 30.0),
    ] {
        let error = open(pairs).err().expect("there is nothing to learn");
        assert!(
            matches!(error, TrainError::Data(DataError::Constant { .. })),
            "{error}"
        );
        assert!(error.to_string().contains("is blank"), "{error}");
    }
    // A few that vary are enough, and blank ones are trained on beside them.
    let mut pairs = blank(|scene, _| scene as f32 / 30.0);
    for at in [3, 7, 11, 20] {
        pairs[at] = crate::pairs().swap_remove(at);
    }
    let outcome = run(open(pairs).unwrap(), |_, _| {}).unwrap();
    assert!(outcome.last.train_loss.is_finite() && outcome.last.val_mse.is_finite());
}
