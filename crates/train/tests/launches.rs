//! Kernel launches of runs on any adapter of the machine, a software one included.

use n2n_devices::{Launches, count_launches};
use n2n_train::Trainer;

use crate::{experiment, pairs, run};

/// Launches of a whole run of twenty steps and four validations.
fn launches(device: &burn::tensor::Device) -> Launches {
    let trainer = Trainer::with_pairs(&experiment(), pairs(), device).unwrap();
    count_launches(device, || run(trainer, |_, _| {}).unwrap())
        .unwrap()
        .1
}

#[test]
fn runs_search_for_no_kernels() {
    let Some(device) = n2n_testing::wgpu() else {
        return;
    };
    let first = launches(&device);
    // What is searched for is searched for once.
    assert_eq!(first, launches(&device));
    let measured = ["LaunchOverhead", "MemoryDirectThroughput"];
    for kernel in measured {
        assert!(!first.contains_key(kernel), "{first:?}");
    }
}
