//! Whole networks in f64: a separate program, because a process has one element type for a device.

#![allow(clippy::unwrap_used)]

mod derivatives;
mod gradients;
mod implementations;

use implementations::{Steps, implementations_agree};
use n2n_model::SimpleNetConfig;
use n2n_testing::cpu_devices_in_f64;

/// In f64, because at the reference's size and learning rate training amplifies rounding: in f32,
/// Burn's own modules on flex and on ndarray differ by 1e-7 at first and by half a loss after fifty
/// steps.
#[test]
fn implementations_agree_over_fifty_steps_in_f64() {
    for device in cpu_devices_in_f64() {
        let steps = Steps {
            count: 50,
            features: SimpleNetConfig::default().features,
            shape: [8, 3, 16, 20],
        };
        implementations_agree(&steps, &device);
    }
}
