//! Oracles: the definitions in f64, Burn's own ops, central differences and adjoint identities.

use burn::tensor::Device;
use n2n_scratch::gradcheck::{TOLERANCE, checks};
use n2n_testing::{cpu_devices, wgpu};

/// Step through the checks on wgpu, where every new shape costs time to build kernels.
const WGPU_STEP: usize = 4;

fn check(device: &Device, step: usize) {
    for check in checks().step_by(step) {
        let row = check.run(device);
        for error in row.errors() {
            assert!(error <= TOLERANCE, "on {device:?}: {row:?}");
        }
    }
}

#[test]
fn every_op_agrees_with_its_oracles() {
    for device in cpu_devices() {
        check(&device, 1);
    }
}

#[test]
fn every_op_agrees_with_its_oracles_on_wgpu() {
    if let Some(device) = wgpu() {
        check(&device, WGPU_STEP);
    }
}
