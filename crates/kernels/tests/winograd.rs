//! Winograd's algorithm against the definition.

use crate::oracle::{Activation, Batch, Geometry, difference, products, to_f32, wild};
use n2n_kernels::winograd::{self, Source};
use n2n_kernels::{Epilogue, Images, Saved};

/// f32 sums of up to a few thousand products, each transform adding a few roundings.
const TOLERANCE: f64 = 2e-6;

const GEOMETRY: Geometry = Geometry {
    kernel: [3, 3],
    stride: [1, 1],
    padding: [1, 1],
    dilation: [1, 1],
};

struct Case {
    images: Images,
    /// Channels of each source and whether it is upsampled.
    sources: Vec<(usize, bool)>,
    channels_out: usize,
}

fn cases() -> Vec<Case> {
    let case =
        |batch_size, [height, width]: [usize; 2], sources: &[(usize, bool)], channels_out| Case {
            images: Images {
                batch_size,
                height,
                width,
            },
            sources: sources.to_vec(),
            channels_out,
        };
    vec![
        case(2, [6, 8], &[(5, false)], 7),
        case(1, [1, 1], &[(3, false)], 2),
        case(3, [5, 3], &[(16, false)], 33),
        case(5, [2, 2], &[(32, false)], 32),
        case(2, [4, 300], &[(3, false)], 5),
        case(3, [8, 6], &[(20, true)], 17),
        case(3, [4, 6], &[(64, true), (32, false)], 64),
        case(2, [10, 34], &[(9, true), (3, false)], 21),
        case(1, [6, 270], &[(3, false), (2, true), (4, false)], 16),
    ]
}

fn upsample(low: &Batch) -> Batch {
    let [n, height, width, channels] = low.size;
    let mut high = Batch::zeros([n, 2 * height, 2 * width, channels]);
    for n in 0..n {
        for y in 0..2 * height {
            for x in 0..2 * width {
                for c in 0..channels {
                    let at = high.at([n, y, x, c]);
                    high.values[at] = low.values[low.at([n, y / 2, x / 2, c])];
                }
            }
        }
    }
    high
}

#[test]
fn outputs_and_gradients_match_the_definition() {
    for case in cases() {
        let Images {
            batch_size,
            height,
            width,
        } = case.images;
        let stored: Vec<Batch> = case
            .sources
            .iter()
            .enumerate()
            .map(|(i, &(channels, upsampled))| {
                let shrink = if upsampled { 2 } else { 1 };
                Batch::wild(
                    [batch_size, height / shrink, width / shrink, channels],
                    i + 1,
                )
            })
            .collect();
        let values: Vec<Vec<f32>> = stored.iter().map(Batch::f32).collect();
        let sources: Vec<Source> = case
            .sources
            .iter()
            .zip(&values)
            .map(|(&(channels, upsampled), values)| Source {
                values,
                channels,
                upsampled,
            })
            .collect();
        let channels_in: usize = case.sources.iter().map(|source| source.0).sum();
        let mut x = Batch::zeros([batch_size, height, width, channels_in]);
        let mut first = 0;
        for (source, &(channels, upsampled)) in stored.iter().zip(&case.sources) {
            let full = if upsampled {
                upsample(source)
            } else {
                source.clone()
            };
            for pixel in 0..batch_size * height * width {
                let target = pixel * channels_in + first;
                x.values[target..target + channels]
                    .copy_from_slice(&full.values[pixel * channels..(pixel + 1) * channels]);
            }
            first += channels;
        }
        let weight = wild(case.channels_out * channels_in * 9, 11);

        let output = [batch_size, height, width, case.channels_out];
        let activation = Activation::new(output);
        let mut linear = Batch::zeros(output).values;
        products(&x, output, GEOMETRY, |y, x_at, w| {
            linear[y] += x.values[x_at] * weight[w];
        });
        let weight32 = to_f32(&weight);
        let (bias32, slope32) = (to_f32(&activation.bias), to_f32(&activation.slope));
        let ones = vec![1.0; case.channels_out];
        let forward = |slope: &[f32]| {
            let epilogue = Epilogue {
                bias: &bias32,
                slope,
            };
            winograd::forward(case.images, &sources, &weight32, epilogue)
        };
        let z32 = forward(&ones);
        let expected = activation.apply(&linear, &z32);
        let mut x_grad = Batch::zeros(x.size);
        let mut weight_grad = vec![0.0; weight.len()];
        products(&x, output, GEOMETRY, |y, x_at, w| {
            x_grad.values[x_at] += expected.z_grad[y] * weight[w];
            weight_grad[w] += expected.z_grad[y] * x.values[x_at];
        });
        let grad32 = activation.grad.f32();
        let saved = Saved {
            output: &z32,
            inverse: &ones,
            slope: &slope32,
            grad: &grad32,
        };
        let wanted = vec![true; sources.len()];
        let gradients = winograd::backward(case.images, &sources, &wanted, &weight32, saved);
        for (what, got, expected) in [
            ("output", &forward(&slope32), &expected.y),
            ("weight", &gradients.weight, &weight_grad),
            ("bias", &gradients.bias, &expected.bias_grad),
            ("slope", &gradients.slope, &expected.slope_grad),
        ] {
            let difference = difference(got, expected);
            assert!(
                difference < TOLERANCE,
                "{what}, {:?}: {difference:e}",
                case.images
            );
        }
        let mut first = 0;
        for (i, &(channels, upsampled)) in case.sources.iter().enumerate() {
            let mut expected = Batch::zeros(stored[i].size);
            for n in 0..batch_size {
                for row in 0..height {
                    for column in 0..width {
                        for c in 0..channels {
                            let (v, u) = if upsampled {
                                (row / 2, column / 2)
                            } else {
                                (row, column)
                            };
                            let at = expected.at([n, v, u, c]);
                            expected.values[at] +=
                                x_grad.values[x_grad.at([n, row, column, first + c])];
                        }
                    }
                }
            }
            let got = gradients.sources[i].as_ref().expect("wanted");
            assert!(
                difference(got, &expected.values) < TOLERANCE,
                "source {i}, {:?}",
                case.images
            );
            first += channels;
        }
    }
}
