//! Convolutions by unfolded patches against the definition.

use crate::oracle::{Activation, Batch, Geometry, difference, products, to_f32, wild};
use n2n_kernels::{Epilogue, Images, Saved, direct};

/// f32 sums of up to a few thousand products.
const TOLERANCE: f64 = 2e-6;

struct Case {
    batch_size: usize,
    /// Of the frame.
    size: [usize; 2],
    positions: [usize; 2],
    geometry: Geometry,
    frame_channels: usize,
    position_channels: usize,
}

fn cases() -> Vec<Case> {
    let case =
        |batch_size, size, positions, [frame_channels, position_channels]: [usize; 2], taps| {
            let [kernel, stride, padding, dilation] = taps;
            Case {
                batch_size,
                size,
                positions,
                geometry: Geometry {
                    kernel,
                    stride,
                    padding,
                    dilation,
                },
                frame_channels,
                position_channels,
            }
        };
    vec![
        // Patches that touch but do not overlap: the simple net's.
        case(3, [8, 6], [4, 3], [3, 64], [[2, 2], [2, 2], [0, 0], [1, 1]]),
        case(
            2,
            [16, 18],
            [8, 9],
            [17, 33],
            [[2, 2], [2, 2], [0, 0], [1, 1]],
        ),
        // Overlaps, padding on one side or both, a last row that no position reaches.
        case(2, [6, 7], [5, 7], [5, 4], [[2, 3], [1, 1], [0, 1], [1, 1]]),
        case(1, [9, 5], [4, 3], [2, 3], [[3, 2], [2, 2], [0, 1], [1, 1]]),
        // Dilation; a stride beyond the kernel; padding wider than the kernel.
        case(3, [7, 8], [3, 4], [4, 2], [[3, 2], [1, 1], [0, 0], [2, 3]]),
        case(2, [10, 7], [3, 2], [3, 5], [[2, 1], [4, 5], [1, 0], [1, 1]]),
        case(2, [3, 2], [7, 9], [2, 2], [[2, 2], [1, 1], [3, 4], [1, 1]]),
    ]
}

fn check(case: &Case, transposed: bool) {
    let Case {
        batch_size,
        size: [height, width],
        positions: [rows, columns],
        ..
    } = *case;
    let frame = [batch_size, height, width, case.frame_channels];
    let position = [batch_size, rows, columns, case.position_channels];
    let (input, output) = if transposed {
        (position, frame)
    } else {
        (frame, position)
    };
    let x = Batch::wild(input, 1);
    let taps = case.geometry.kernel.iter().product::<usize>();
    let weight = wild(case.position_channels * case.frame_channels * taps, 11);
    let activation = Activation::new(output);
    let geometry = direct::Geometry {
        frame: Images {
            batch_size,
            height,
            width,
        },
        positions: case.positions,
        kernel: case.geometry.kernel,
        stride: case.geometry.stride,
        dilation: case.geometry.dilation,
        padding: case.geometry.padding,
    };
    // Each product as output, input, weight.
    let each = |visit: &mut dyn FnMut(usize, usize, usize)| {
        let frame = Batch::zeros(frame);
        products(&frame, position, case.geometry, |y, x, w| {
            if transposed {
                visit(x, y, w)
            } else {
                visit(y, x, w)
            }
        });
    };
    let mut linear = Batch::zeros(output).values;
    each(&mut |y, x_at, w| linear[y] += x.values[x_at] * weight[w]);

    let (x32, weight32) = (x.f32(), to_f32(&weight));
    let (bias32, slope32) = (to_f32(&activation.bias), to_f32(&activation.slope));
    let grad32 = activation.grad.f32();
    let ones = vec![1.0; bias32.len()];
    let forward = |slope: &[f32]| {
        let epilogue = Epilogue {
            bias: &bias32,
            slope,
        };
        if transposed {
            direct::conv_transpose2d(geometry, &x32, &weight32, epilogue)
        } else {
            direct::conv2d(geometry, &x32, &weight32, epilogue)
        }
    };
    let z32 = forward(&ones);
    let expected = activation.apply(&linear, &z32);
    let mut x_grad = vec![0.0; x.values.len()];
    let mut weight_grad = vec![0.0; weight.len()];
    each(&mut |y, x_at, w| {
        x_grad[x_at] += expected.z_grad[y] * weight[w];
        weight_grad[w] += expected.z_grad[y] * x.values[x_at];
    });

    let saved = Saved {
        output: &z32,
        inverse: &ones,
        slope: &slope32,
        grad: &grad32,
    };
    let gradients = if transposed {
        direct::conv_transpose2d_backward(geometry, &x32, true, &weight32, saved)
    } else {
        direct::conv2d_backward(geometry, &x32, true, &weight32, saved)
    };
    let got_x_grad = gradients.sources[0].as_ref().expect("wanted");
    for (what, got, expected) in [
        ("output", &forward(&slope32), &expected.y),
        ("x", got_x_grad, &x_grad),
        ("weight", &gradients.weight, &weight_grad),
        ("bias", &gradients.bias, &expected.bias_grad),
        ("slope", &gradients.slope, &expected.slope_grad),
    ] {
        let difference = difference(got, expected);
        assert!(
            difference < TOLERANCE,
            "{what}, {geometry:?}, transposed: {transposed}: {difference:e}"
        );
    }
}

#[test]
fn convolutions_match_the_definition() {
    cases().iter().for_each(|case| check(case, false));
}

#[test]
fn transposed_convolutions_match_the_definition() {
    cases().iter().for_each(|case| check(case, true));
}
