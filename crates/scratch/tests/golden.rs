//! Oracle: PyTorch's values and gradients, from data/golden.safetensors (data/generate.py).
//!
//! Cases of small integers have no rounding and compare by equality.

use std::collections::HashMap;

use burn::tensor::{Device, Tensor, TensorData};
use n2n_scratch::{
    ConvGeometry, conv_transpose2d, conv2d, fold, mse, prelu, relu, sigmoid, unfold,
};
use n2n_testing::{cpu_devices, error, wgpu};
use safetensors::SafeTensors;
use serde::Deserialize;

/// Largest error over largest value, per tensor. PyTorch's values are f64 results rounded to f32
/// (6e-8); ours are f32 sums of at most a few hundred terms.
const TOLERANCE: f64 = 1e-6;

/// Step through the cases on wgpu, where every new shape costs time to build kernels.
const WGPU_STEP: usize = 16;

#[derive(Deserialize)]
struct Case {
    name: String,
    op: String,
    exact: bool,
    #[serde(default)]
    kernel_size: [usize; 2],
    #[serde(default)]
    stride: [usize; 2],
    #[serde(default)]
    padding: [[usize; 2]; 2],
    #[serde(default)]
    dilation: [usize; 2],
    #[serde(default)]
    groups: usize,
    #[serde(default)]
    output_padding: [usize; 2],
    #[serde(default)]
    output_size: [usize; 2],
}

impl Case {
    fn geometry(&self, channels: [usize; 2]) -> ConvGeometry {
        ConvGeometry::new(self.kernel_size)
            .and_then(|geometry| geometry.with_stride(self.stride))
            .and_then(|geometry| geometry.with_dilation(self.dilation))
            .and_then(|geometry| geometry.with_groups(self.groups, channels[0], channels[1]))
            .unwrap()
            .with_padding(self.padding)
    }
}

struct Golden {
    cases: Vec<Case>,
    tensors: HashMap<String, TensorData>,
}

fn golden() -> Golden {
    let bytes = include_bytes!("data/golden.safetensors");
    let (_, header) = SafeTensors::read_metadata(bytes).unwrap();
    let cases = &header.metadata().as_ref().unwrap()["cases"];
    Golden {
        cases: serde_json::from_str(cases).unwrap(),
        tensors: n2n_testing::golden(bytes),
    }
}

/// One case on one device.
struct Check<'a> {
    golden: &'a Golden,
    case: &'a Case,
    device: Device,
    failures: Vec<String>,
}

impl Check<'_> {
    fn data(&self, part: &str) -> Option<&TensorData> {
        self.golden
            .tensors
            .get(&format!("{}.{part}", self.case.name))
    }

    fn input<const D: usize>(&self, part: &str) -> Tensor<D> {
        let data = self
            .data(part)
            .unwrap_or_else(|| panic!("{} has {part}", self.case.name));
        Tensor::from_data(data.clone(), &self.device).require_grad()
    }

    fn compare(&mut self, part: &str, got: TensorData) {
        let error = error(&got, self.data(part).unwrap());
        let limit = if self.case.exact { 0.0 } else { TOLERANCE };
        if error.is_nan() || error > limit {
            let (name, device) = (&self.case.name, &self.device);
            self.failures
                .push(format!("{name}.{part} on {device:?}: {error:e}"));
        }
    }

    /// Output and gradients of an op on named inputs.
    fn op<const D: usize>(&mut self, output: Tensor<D>, inputs: &[(&str, Input)]) {
        let output_grad =
            Tensor::from_data(self.data("output_grad").unwrap().clone(), &self.device);
        let gradients = (output.clone() * output_grad).sum().backward();
        self.compare("output", output.into_data());
        for (name, input) in inputs {
            let gradient = match input {
                Input::One(x) => x.grad(&gradients).unwrap().into_data(),
                Input::Three(x) => x.grad(&gradients).unwrap().into_data(),
                Input::Four(x) => x.grad(&gradients).unwrap().into_data(),
            };
            self.compare(&format!("{name}_grad"), gradient);
        }
    }

    fn run(&mut self) {
        let case = self.case;
        match case.op.as_str() {
            "conv2d" | "conv_transpose2d" => {
                let (x, weight) = (self.input::<4>("x"), self.input::<4>("weight"));
                let bias = self.data("bias").is_some().then(|| self.input::<1>("bias"));
                let channels_in = x.dims()[1];
                let output = if case.op == "conv2d" {
                    let geometry = case.geometry([channels_in, weight.dims()[0]]);
                    conv2d(x.clone(), weight.clone(), bias.clone(), &geometry)
                } else {
                    let channels_out = weight.dims()[1] * case.groups;
                    let geometry = case.geometry([channels_in, channels_out]);
                    let padding = case.output_padding;
                    conv_transpose2d(x.clone(), weight.clone(), bias.clone(), &geometry, padding)
                };
                let mut inputs = vec![("x", Input::Four(x)), ("weight", Input::Four(weight))];
                inputs.extend(bias.map(|bias| ("bias", Input::One(bias))));
                self.op(output, &inputs);
            }
            "unfold" => {
                let x = self.input::<4>("x");
                let output = unfold(x.clone(), &case.geometry([1, 1]));
                self.op(output, &[("x", Input::Four(x))]);
            }
            "fold" => {
                let x = self.input::<3>("x");
                let output = fold(x.clone(), &case.geometry([1, 1]), case.output_size);
                self.op(output, &[("x", Input::Three(x))]);
            }
            "relu" | "sigmoid" => {
                let x = self.input::<4>("x");
                let op = if case.op == "relu" { relu } else { sigmoid };
                self.op(op(x.clone()), &[("x", Input::Four(x))]);
            }
            "prelu" => {
                let (x, alpha) = (self.input::<4>("x"), self.input::<1>("alpha"));
                let output = prelu(x.clone(), alpha.clone());
                self.op(
                    output,
                    &[("x", Input::Four(x)), ("alpha", Input::One(alpha))],
                );
            }
            "mse" => {
                let (x, y) = (self.input::<4>("x"), self.input::<4>("y"));
                let output = mse(x.clone(), y.clone());
                self.op(output, &[("x", Input::Four(x)), ("y", Input::Four(y))]);
            }
            op => panic!("unknown op {op}"),
        }
    }
}

enum Input {
    One(Tensor<1>),
    Three(Tensor<3>),
    Four(Tensor<4>),
}

/// Checks every `step`-th case.
fn check(golden: &Golden, device: &Device, step: usize) {
    let mut failures = Vec::new();
    for case in golden.cases.iter().step_by(step) {
        let mut check = Check {
            golden,
            case,
            device: device.clone().autodiff(),
            failures: Vec::new(),
        };
        check.run();
        failures.extend(check.failures);
    }
    assert!(failures.is_empty(), "{}", failures.join("\n"));
}

#[test]
fn values_and_gradients_match_pytorch() {
    let golden = golden();
    let geometries = golden.cases.iter().filter(|case| case.groups > 0).count();
    assert!(geometries >= 40, "{geometries} geometries");
    for device in cpu_devices() {
        check(&golden, &device, 1);
    }
}

#[test]
fn values_and_gradients_match_pytorch_on_wgpu() {
    if let Some(device) = wgpu() {
        check(&golden(), &device, WGPU_STEP);
    }
}
