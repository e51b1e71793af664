//! Every op on a device against independent oracles: its definition in f64, Burn's own op, central
//! differences and adjoint identities.
//!
//! ```
//! use burn::tensor::Device;
//! use n2n_scratch::gradcheck::{TOLERANCE, checks};
//!
//! let row = checks().next().expect("a list of checks").run(&Device::flex());
//! assert_eq!(row.op, "conv2d");
//! assert!(row.errors().all(|error| error <= TOLERANCE));
//! ```

mod blocks;
pub(crate) mod case;
mod convolutions;
mod geometries;
mod layers;
mod net;
pub(crate) mod reference;

use burn::tensor::{Device, Gradients, Tensor};
use rand::SeedableRng;
use rand_chacha::ChaCha8Rng;
use serde::Serialize;

use self::case::{Case, Ours, Random};
use crate::fused::in_host_memory;
use crate::{activation, loss};

/// Largest error of a right op in f32: sums of at most a few hundred products, each rounded to
/// 6e-8, and twice that where two f32 results meet.
pub const TOLERANCE: f64 = 1e-5;

/// Step of the central differences. The ops are at most quadratic in an input except for the
/// sigmoid, whose error is `step^2 / 6` of its third derivative; f64 rounding adds `1e-14 / step`. A step this
/// small crosses no kink of an activation or pooling at the fixed values.
const STEP: f64 = 1e-6;

/// One op at one geometry, ready to be checked.
pub struct Check(Case);

/// Every check.
///
/// Activations and the loss declare theirs beside the op; the convolutions share geometries.
pub fn checks() -> impl ExactSizeIterator<Item = Check> {
    let random = &mut Random(ChaCha8Rng::seed_from_u64(0));
    let mut cases = Vec::new();
    for (options, bias) in geometries::convolutions() {
        cases.push(convolutions::conv2d(random, options, bias));
    }
    for (options, output_padding, bias) in geometries::transposed_convolutions() {
        cases.push(convolutions::conv_transpose2d(
            random,
            options,
            output_padding,
            bias,
        ));
    }
    for options in geometries::unfoldings() {
        cases.push(convolutions::unfold(random, &options));
        cases.push(convolutions::fold(random, &options));
    }
    cases.extend(blocks::blocks(random));
    cases.extend(activation::cases(random));
    cases.push(loss::mse_case(random));
    cases.extend(layers::layers(random));
    cases.push(net::net(random));
    cases.into_iter().map(Check)
}

/// Errors of one op at one geometry; an error is `max|a - b| / max|b|` over a tensor.
#[derive(Clone, Debug, Serialize)]
pub struct Row {
    /// Name of the op.
    pub op: &'static str,
    /// Channels, size, kernel, stride, padding, dilation, groups and output padding, in short.
    pub geometry: String,
    /// Of the output against its definition in f64.
    pub output: f64,
    /// Of each gradient against its definition in f64, under the input's name.
    pub gradients: Vec<(&'static str, f64)>,
    /// Of the output and each gradient against Burn's own op, on the CPU.
    pub burn: Vec<f64>,
    /// Of each gradient against central differences of the output's definition in f64.
    pub central_differences: Vec<f64>,
    /// Of `<A x, y> = <x, Aᵀ y>` for each input that the op is linear in, relative to `|A x| |y|`.
    pub adjoint: Vec<f64>,
}

impl Row {
    /// Every error.
    pub fn errors(&self) -> impl Iterator<Item = f64> {
        let gradients = self.gradients.iter().map(|(_, error)| *error);
        let others = [&self.burn, &self.central_differences, &self.adjoint];
        std::iter::once(self.output)
            .chain(gradients)
            .chain(others.into_iter().flatten().copied())
    }
}

impl Check {
    /// Computes the op and its gradients on a device, and compares.
    pub fn run(&self, device: &Device) -> Row {
        let case = &self.0;
        let inputs: Vec<Vec<f64>> = case.inputs.iter().map(|values| widen(values)).collect();
        let output = (case.forward)(&inputs);
        let mut random = Random(ChaCha8Rng::seed_from_u64(output.len() as u64));
        let output_grad = random.values(output.len());
        let grad = widen(&output_grad);
        let gradients = (case.backward)(&inputs, &grad);

        let ours = match &case.ours {
            Ours::ByAutodiff(op) => by_autodiff(case, op, &output_grad, device),
            Ours::ByClosure(op) => {
                let (output, gradients) = op(
                    &tensors(case, device),
                    Tensor::from_data(output_grad.as_slice(), device),
                );
                Evaluated {
                    output: to_f64(output),
                    gradients: gradients.into_iter().map(to_f64).collect(),
                }
            }
        };
        let burns = by_autodiff(case, &case.burns, &output_grad, &beside(device));
        let differences = (0..inputs.len()).map(|input| differences(case, &inputs, input, &grad));
        let pairs = ours.gradients.iter().zip(&gradients);
        Row {
            op: case.op,
            geometry: case.geometry.clone(),
            output: error(&ours.output, &output),
            gradients: case
                .names
                .iter()
                .zip(pairs)
                .map(|(name, (got, expected))| (*name, error(got, expected)))
                .collect(),
            burn: std::iter::once(error(&ours.output, &burns.output))
                .chain(errors(&ours.gradients, &burns.gradients))
                .collect(),
            central_differences: errors(&ours.gradients, &differences.collect::<Vec<_>>())
                .collect(),
            adjoint: adjoint(case, &inputs, &ours, &grad),
        }
    }
}

/// An op's output and gradients, as a device computed them.
struct Evaluated {
    output: Vec<f64>,
    gradients: Vec<Vec<f64>>,
}

/// The device of Burn's own op: the same if it is a CPU backend, else flex, because Burn tunes its kernels for every
/// shape on a graphics device.
fn beside(device: &Device) -> Device {
    if in_host_memory(device) {
        device.clone()
    } else {
        Device::flex()
    }
}

fn tensors(case: &Case, device: &Device) -> Vec<Tensor<1>> {
    let inputs = case.inputs.iter();
    inputs
        .map(|values| Tensor::from_data(values.as_slice(), device))
        .collect()
}

fn by_autodiff(
    case: &Case,
    op: &dyn Fn(&[Tensor<1>]) -> Tensor<1>,
    output_grad: &[f32],
    device: &Device,
) -> Evaluated {
    let device = device.clone().autodiff();
    let inputs: Vec<Tensor<1>> = tensors(case, &device)
        .into_iter()
        .map(Tensor::require_grad)
        .collect();
    let output = op(&inputs);
    let output_grad = Tensor::<1>::from_data(output_grad, &device);
    let gradients: Gradients = (output.clone() * output_grad).sum().backward();
    let gradient = |input: &Tensor<1>| match input.grad(&gradients) {
        Some(gradient) => to_f64(gradient),
        // Reported as an error, not as a panic.
        None => vec![f64::NAN; input.dims()[0]],
    };
    Evaluated {
        output: to_f64(output),
        gradients: inputs.iter().map(gradient).collect(),
    }
}

/// `(L(x + h) - L(x - h)) / 2h` for each element of one input, where `L = <op, grad>`.
fn differences(case: &Case, inputs: &[Vec<f64>], input: usize, grad: &[f64]) -> Vec<f64> {
    let mut moved = inputs.to_vec();
    let elements = inputs[input].iter().enumerate();
    elements
        .map(|(index, value)| {
            let mut loss = |value: f64| {
                moved[input][index] = value;
                dot(&(case.forward)(&moved), grad)
            };
            let difference = (loss(value + STEP) - loss(value - STEP)) / (2.0 * STEP);
            moved[input][index] = *value;
            difference
        })
        .collect()
}

/// For each input `x` that the op is linear in: `<op - bias, y>` against `<x, dx>`.
fn adjoint(case: &Case, inputs: &[Vec<f64>], ours: &Evaluated, grad: &[f64]) -> Vec<f64> {
    let bias = case
        .bias
        .map_or(0.0, |bias| dot(&inputs[bias], &ours.gradients[bias]));
    let forward = dot(&ours.output, grad) - bias;
    let norm = dot(&ours.output, &ours.output).sqrt() * dot(grad, grad).sqrt();
    let backward = |input: &usize| dot(&inputs[*input], &ours.gradients[*input]);
    let inputs = case.linear.iter();
    inputs
        .map(|input| (forward - backward(input)).abs() / norm)
        .collect()
}

fn errors(got: &[Vec<f64>], expected: &[Vec<f64>]) -> impl Iterator<Item = f64> {
    got.iter().zip(expected).map(|(a, b)| error(a, b))
}

/// `max|a - b| / max|b|`; NaN if any value is NaN or the lengths differ.
fn error(got: &[f64], expected: &[f64]) -> f64 {
    if got.len() != expected.len() {
        return f64::NAN;
    }
    let largest = expected.iter().fold(0.0_f64, |a, b| a.max(b.abs()));
    let difference = got.iter().zip(expected).map(|(a, b)| (a - b).abs());
    // f64::max would drop a NaN.
    let difference = difference.fold(0.0, |a, b| if a >= b || a.is_nan() { a } else { b });
    if largest > 0.0 {
        difference / largest
    } else {
        difference
    }
}

fn dot(a: &[f64], b: &[f64]) -> f64 {
    a.iter().zip(b).map(|(a, b)| a * b).sum()
}

fn widen(values: &[f32]) -> Vec<f64> {
    values.iter().map(|value| f64::from(*value)).collect()
}

fn to_f64(tensor: Tensor<1>) -> Vec<f64> {
    tensor.into_data().iter().collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_oracle_detects_a_wrong_gradient() {
        let Some(Check(mut case)) = checks().next() else {
            panic!("no checks");
        };
        // The gradient of x is scaled by 1.01, the value is not.
        let unused = Ours::ByAutodiff(Box::new(|inputs| inputs[0].clone()));
        let Ours::ByAutodiff(right) = std::mem::replace(&mut case.ours, unused) else {
            panic!("the first is differentiated by Burn");
        };
        case.ours = Ours::ByAutodiff(Box::new(move |inputs| {
            let mut inputs = inputs.to_vec();
            let x = inputs[0].clone();
            inputs[0] = x.clone() * 1.01 - x.detach() * 0.01;
            right(&inputs)
        }));
        let row = Check(case).run(&Device::flex());
        assert!(row.output <= TOLERANCE);
        for (oracle, error) in [
            ("definition", row.gradients[0].1),
            ("Burn", row.burn[1]),
            ("central differences", row.central_differences[0]),
            ("adjoint", row.adjoint[0]),
        ] {
            assert!(error > TOLERANCE, "{oracle}: {error:e}");
        }
    }

    #[test]
    fn error_is_relative_to_the_maximum_and_keeps_nan() {
        assert_eq!(error(&[1.0, -2.5], &[1.0, -2.0]), 0.25);
        assert_eq!(error(&[0.0, 0.5], &[0.0, 0.0]), 0.5);
        assert!(error(&[f64::NAN, 1.0], &[1.0, 1.0]).is_nan());
        assert!(error(&[1.0, f64::NAN], &[1.0, 1.0]).is_nan());
        assert!(error(&[1.0], &[1.0, 1.0]).is_nan());
    }
}
