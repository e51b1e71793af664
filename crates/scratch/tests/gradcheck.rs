//! Oracles: the definitions in f64, Burn's own ops, central differences and adjoint identities.

use burn::tensor::Device;
use n2n_scratch::gradcheck::{TOLERANCE, checks};
use n2n_testing::{cpu_devices, wgpu};

fn check(device: &Device) {
    for check in checks() {
        let row = check.run(device);
        for error in row.errors() {
            assert!(error <= TOLERANCE, "on {device:?}: {row:?}");
        }
    }
}

#[test]
fn every_op_agrees_with_its_oracles() {
    for device in cpu_devices() {
        check(&device);
    }
}

#[test]
fn every_op_agrees_with_its_oracles_on_wgpu() {
    if let Some(device) = wgpu() {
        check(&device);
    }
}
