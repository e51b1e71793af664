//! Networks that learn nothing, and runs whose length is in minutes.

use n2n_train::experiment::{Interval, OnDead};
use n2n_train::{Event, Experiment, RunDir, Stop, TrainError};

use crate::{experiment, model, run, trainer};

/// A network that stays as it is: its learning rate is too small to change a weight by one bit.
fn stuck() -> Experiment {
    let mut experiment = experiment();
    experiment.train.lr = 1e-30;
    experiment.train.max_images = Some(4 * 150);
    experiment.train.validate_every = Interval::Batches(50);
    experiment
}

/// The error of a run, and how often it began anew.
fn failure(experiment: &Experiment) -> (TrainError, usize) {
    let mut restarts = 0;
    let result = run(trainer(experiment), |event, _| {
        restarts += usize::from(matches!(event, Event::Restarted(_)));
    });
    (result.err().expect("the network learns nothing"), restarts)
}

#[test]
fn dead_network_is_given_up_after_two_restarts() {
    let (error, restarts) = failure(&stuck());
    assert_eq!(restarts, 2);
    let message = error.to_string();
    assert!(
        message.contains("after 3 starts from other weights; lower train.lr"),
        "{message}"
    );
}

#[test]
fn dead_network_stops_the_run_or_is_ignored() {
    let mut experiment = stuck();
    experiment.train.on_dead = OnDead::Stop;
    let (error, restarts) = failure(&experiment);
    assert_eq!(restarts, 0);
    let message = error.to_string();
    assert!(
        message.contains("at the first start; set train.on_dead"),
        "{message}"
    );
    experiment.train.on_dead = OnDead::Ignore;
    let outcome = run(trainer(&experiment), |_, _| {}).unwrap();
    assert_eq!(outcome.last.batches, 150);
    assert!(outcome.gain_db().unwrap() < 0.0);
}

#[test]
fn killed_run_goes_on_with_the_new_weights() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("run");
    let aborted = run(trainer(&stuck()).run_dir(&path), |event, stop| {
        if matches!(event, Event::Restarted(_)) {
            stop.abort();
        }
    });
    assert!(matches!(aborted, Err(TrainError::Aborted)));
    let metrics = || std::fs::read_to_string(path.join("metrics.jsonl")).unwrap();
    let restarts = || metrics().matches("\"restart\":").count();
    assert_eq!(restarts(), 1);
    assert!(
        metrics().contains("\"seed\":1,\"lr\":5e-31"),
        "{}",
        metrics()
    );

    let resumed = trainer(&RunDir::experiment(&path).unwrap()).resume(&path);
    let mut seen = 0;
    let result = resumed.run(&Stop::new(), |event| {
        seen += usize::from(matches!(event, Event::Restarted(_)));
    });
    let message = result.err().expect("it stays dead").to_string();
    assert!(message.contains("after 3 starts"), "{message}");
    assert_eq!((seen, restarts()), (1, 2));
}

#[test]
fn minutes_fix_a_length_that_repeats() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("run");
    let mut timed = experiment();
    timed.train.max_images = None;
    timed.train.minutes = Some(0.01);
    timed.train.validate_every = Interval::Percent(25.0);
    let mut measured = None;
    let outcome = run(trainer(&timed).run_dir(&path), |event, _| {
        if let Event::Measured { max_images, .. } = event {
            measured = Some(*max_images);
        }
    });
    let outcome = outcome.unwrap();
    let fixed = RunDir::experiment(&path).unwrap();
    assert_eq!(fixed.train.max_images, measured);
    assert_eq!(Some(outcome.last.images), measured);
    let again = run(trainer(&fixed), |event, _| {
        assert!(
            !matches!(event, Event::Measuring { .. }),
            "the length is known"
        );
    });
    assert_eq!(model(&again.unwrap()), model(&outcome));
}
