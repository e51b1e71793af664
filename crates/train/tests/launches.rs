//! Runs on any adapter of the machine, a software one included.

use burn::tensor::Device;
use n2n_devices::{Launches, count_launches};
use n2n_train::Trainer;

use crate::{experiment, model, pairs, run};

/// The best model of a run of twenty steps and four validations, and the launches of all of it.
fn model_and_launches(device: &Device) -> (Vec<u8>, Launches) {
    let trainer = Trainer::with_pairs(&experiment(), pairs(), device).unwrap();
    let (outcome, launches) = count_launches(device, || run(trainer, |_, _| {}).unwrap()).unwrap();
    (model(&outcome), launches)
}

#[test]
fn runs_repeat_to_the_bit_and_search_for_no_kernels() {
    let Some(device) = n2n_testing::wgpu() else {
        return;
    };
    let (first_model, first) = model_and_launches(&device);
    let (second_model, second) = model_and_launches(&device);
    assert_eq!(first_model, second_model);
    // What is searched for is searched for once.
    assert_eq!(first, second);
    for kernel in ["LaunchOverhead", "MemoryDirectThroughput"] {
        assert!(!first.contains_key(kernel), "{first:?}");
    }
}
