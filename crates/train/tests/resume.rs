//! Runs that are interrupted and continue.

use burn::tensor::Device;
use n2n_data::{NoisyPair, Pairing};
use n2n_model::{NetworkConfig, Output, UNetConfig};
use n2n_train::{Event, Experiment, RunDir, TrainError, Trainer};

use crate::{experiment, model, network, pairs, run, trainer};

#[test]
fn aborted_run_resumes_to_the_same_bytes() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("run");
    let mut experiment = experiment();
    experiment.train.checkpoint_every = 3;
    let whole = run(trainer(&experiment), |_, _| {}).unwrap();
    let aborted = run(trainer(&experiment).run_dir(&path), |event, stop| {
        if matches!(event, Event::Step(step) if step.step == 9) {
            stop.abort();
        }
    });
    assert!(matches!(aborted, Err(TrainError::Aborted)));
    let mut start = None;
    let resumed = run(trainer(&experiment).resume(&path), |event, _| {
        if let Event::Start(event) = event {
            start = Some(event.images);
        }
    })
    .unwrap();
    // The checkpoint after the sixth step, since the abort came before the next was saved.
    assert_eq!(start, Some(24));
    assert_eq!(model(&resumed), model(&whole));
}

#[test]
fn run_on_sub_images_resumes_to_the_same_bytes() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("run");
    let mut experiment = experiment();
    experiment.train.checkpoint_every = 3;
    let single = |pair| NoisyPair {
        noisy_target: None,
        ..pair
    };
    let trainer = |experiment: &Experiment| {
        let singles = pairs().into_iter().map(single);
        Trainer::with_pairs(experiment, singles, &Device::flex()).unwrap()
    };
    let first = trainer(&experiment);
    // No image has a partner, so that it is chosen.
    assert_eq!(first.experiment().data.pairing, Pairing::Subsample);
    let whole = run(first, |_, _| {}).unwrap();
    let last = whole.last.psnr;
    assert!(last.sub_images_db.is_some() && last.psnr_est_db.is_none());
    let aborted = run(trainer(&experiment).run_dir(&path), |event, stop| {
        if matches!(event, Event::Step(step) if step.step == 9) {
            stop.abort();
        }
    });
    assert!(matches!(aborted, Err(TrainError::Aborted)));
    let resumed = run(trainer(&experiment).resume(&path), |_, _| {}).unwrap();
    assert_eq!(model(&resumed), model(&whole));
    // The weight of the second term matters.
    experiment.data.subsample_weight = 0.0;
    let plain = run(trainer(&experiment), |_, _| {}).unwrap();
    assert_ne!(model(&plain), model(&whole));
}

#[test]
fn resume_refuses_another_experiment() {
    let folder = tempfile::tempdir().unwrap();
    run(trainer(&experiment()).run_dir(folder.path()), |_, stop| {
        stop.stop();
    })
    .unwrap();
    let mut other_rate = experiment();
    other_rate.train.lr *= 2.0;
    // Its parameters would fit.
    let mut other_network = experiment();
    other_network.model = NetworkConfig::UNet(UNetConfig {
        output: Output::Residual,
        ..network()
    });
    for other in [other_rate, other_network] {
        let refused = run(trainer(&other).resume(folder.path()), |_, _| {});
        assert!(matches!(refused, Err(TrainError::Changed { .. })));
    }
}

#[test]
fn resume_refuses_missing_pairs_in_memory() {
    let folder = tempfile::tempdir().unwrap();
    run(trainer(&experiment()).run_dir(folder.path()), |_, stop| {
        stop.stop();
    })
    .unwrap();
    // The config alone names embedded scenes.
    let experiment = RunDir::experiment(folder.path()).unwrap();
    let trainer = n2n_train::Trainer::new(&experiment, &burn::tensor::Device::flex()).unwrap();
    let refused = run(trainer.resume(folder.path()), |_, _| {});
    assert!(matches!(refused, Err(TrainError::OtherData { .. })));
}

#[test]
fn finished_run_is_over() {
    let folder = tempfile::tempdir().unwrap();
    run(trainer(&experiment()).run_dir(folder.path()), |_, _| {}).unwrap();
    let over = run(trainer(&experiment()).resume(folder.path()), |_, _| {});
    assert!(matches!(over, Err(TrainError::Over { images: 80, .. })));
}

#[test]
fn folder_with_a_run_takes_no_second_one() {
    let folder = tempfile::tempdir().unwrap();
    run(trainer(&experiment()).run_dir(folder.path()), |_, stop| {
        stop.stop();
    })
    .unwrap();
    let second = run(trainer(&experiment()).run_dir(folder.path()), |_, _| {});
    assert!(matches!(second, Err(TrainError::HoldsRun { .. })));
    let empty = tempfile::tempdir().unwrap();
    let nothing = run(trainer(&experiment()).resume(empty.path()), |_, _| {});
    assert!(matches!(nothing, Err(TrainError::NoRun { .. })));
}
