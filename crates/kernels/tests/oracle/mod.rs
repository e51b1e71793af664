//! Convolution and its gradients by the definition, in f64.

/// A channels-last batch.
#[derive(Clone, Debug)]
pub struct Batch {
    pub size: [usize; 4],
    pub values: Vec<f64>,
}

impl Batch {
    pub fn zeros(size: [usize; 4]) -> Self {
        let values = vec![0.0; size.iter().product()];
        Self { size, values }
    }

    /// Values between -1 and 1 that repeat nowhere near.
    pub fn wild(size: [usize; 4], seed: usize) -> Self {
        let count = size.iter().product();
        Self {
            size,
            values: wild(count, seed),
        }
    }

    pub fn at(&self, [n, y, x, c]: [usize; 4]) -> usize {
        let [_, height, width, channels] = self.size;
        ((n * height + y) * width + x) * channels + c
    }

    pub fn f32(&self) -> Vec<f32> {
        to_f32(&self.values)
    }
}

/// Numbers between -1 and 1 of 12 bits, from a linear congruence.
pub fn wild(count: usize, seed: usize) -> Vec<f64> {
    let mut state = seed as u64 * 7919 + 17;
    (0..count)
        .map(|_| {
            state = state
                .wrapping_mul(6364136223846793005)
                .wrapping_add(1442695040888963407);
            (state >> 52) as f64 / 2048.0 - 1.0
        })
        .collect()
}

pub fn to_f32(values: &[f64]) -> Vec<f32> {
    values.iter().map(|&value| value as f32).collect()
}

/// A kernel's geometry: size, stride, padding before, dilation.
#[derive(Clone, Copy, Debug)]
pub struct Geometry {
    pub kernel: [usize; 2],
    pub stride: [usize; 2],
    pub padding: [usize; 2],
    pub dilation: [usize; 2],
}

/// Every product of the convolution, as indices of output, input and weight (`[D, C, h, w]`).
pub fn products(
    x: &Batch,
    output: [usize; 4],
    geometry: Geometry,
    mut product: impl FnMut(usize, usize, usize),
) {
    let [batch_size, rows, columns, channels_out] = output;
    let [_, height, width, channels_in] = x.size;
    let y = Batch {
        size: output,
        values: vec![],
    };
    let [kernel_height, kernel_width] = geometry.kernel;
    for n in 0..batch_size {
        for row in 0..rows {
            for column in 0..columns {
                for i in 0..kernel_height {
                    for j in 0..kernel_width {
                        let at = |position: usize, tap: usize, axis: usize| {
                            (position * geometry.stride[axis] + tap * geometry.dilation[axis])
                                .checked_sub(geometry.padding[axis])
                        };
                        let (Some(v), Some(u)) = (at(row, i, 0), at(column, j, 1)) else {
                            continue;
                        };
                        if v >= height || u >= width {
                            continue;
                        }
                        for b in 0..channels_out {
                            for a in 0..channels_in {
                                let weight =
                                    ((b * channels_in + a) * kernel_height + i) * kernel_width + j;
                                product(y.at([n, row, column, b]), x.at([n, v, u, a]), weight);
                            }
                        }
                    }
                }
            }
        }
    }
}

/// Largest difference, in units of the largest value.
pub fn difference(got: &[f32], expected: &[f64]) -> f64 {
    assert_eq!(got.len(), expected.len());
    let scale = expected
        .iter()
        .fold(1e-30, |scale: f64, value| scale.max(value.abs()));
    got.iter()
        .zip(expected)
        .map(|(&got, &expected)| {
            let difference = (f64::from(got) - expected).abs() / scale;
            if difference.is_nan() {
                f64::INFINITY
            } else {
                difference
            }
        })
        .fold(0.0, f64::max)
}

/// What follows the linear part: bias and PReLU, and the gradients of `sum(y * grad)`.
pub struct Activation {
    pub bias: Vec<f64>,
    pub slope: Vec<f64>,
    pub grad: Batch,
}

pub struct Activated {
    pub y: Vec<f64>,
    pub z_grad: Vec<f64>,
    pub bias_grad: Vec<f64>,
    pub slope_grad: Vec<f64>,
}

impl Activation {
    pub fn new(output: [usize; 4]) -> Self {
        let channels = output[3];
        Self {
            bias: wild(channels, 12),
            slope: wild(channels, 13),
            grad: Batch::wild(output, 14),
        }
    }

    /// The signs are those of f32, so that both sides pass through the same side of the kink.
    pub fn apply(&self, linear: &[f64], z32: &[f32]) -> Activated {
        let channels = self.bias.len();
        let mut activated = Activated {
            y: vec![],
            z_grad: vec![],
            bias_grad: vec![0.0; channels],
            slope_grad: vec![0.0; channels],
        };
        for (i, (linear, z32)) in linear.iter().zip(z32).enumerate() {
            let (channel, grad) = (i % channels, self.grad.values[i]);
            let z = linear + self.bias[channel];
            let slope = if *z32 > 0.0 { 1.0 } else { self.slope[channel] };
            activated.y.push(slope * z);
            activated.z_grad.push(slope * grad);
            activated.bias_grad[channel] += slope * grad;
            if *z32 <= 0.0 {
                activated.slope_grad[channel] += z * grad;
            }
        }
        activated
    }
}
