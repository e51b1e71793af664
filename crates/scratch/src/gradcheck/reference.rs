//! The ops once more, naive and in f64: the definitions as loops over every index.

use crate::ConvGeometry;

/// A convolution's sizes.
///
/// Its output, its input gradient and its weight gradient are the same sum of products, read three
/// ways: `Y += W X`, `dX += W dY`, `dW += X dY`. A transposed convolution exchanges `X` and `Y`.
#[derive(Clone, Copy, Debug)]
pub struct Convolution {
    pub geometry: ConvGeometry,
    pub batch_size: usize,
    /// `[channels_in, channels_out]` of the convolution.
    pub channels: [usize; 2],
    /// `[height, width]` of its input.
    pub size: [usize; 2],
    /// `[height, width]` of its output.
    pub positions: [usize; 2],
}

impl Convolution {
    /// `[batch_size, channels_in, height, width]`
    pub fn x_shape(&self) -> [usize; 4] {
        let [height, width] = self.size;
        [self.batch_size, self.channels[0], height, width]
    }

    /// `[channels_out, channels_in / groups, kernel_height, kernel_width]`
    pub fn weight_shape(&self) -> [usize; 4] {
        let [channels_in, channels_out] = self.channels;
        let [height, width] = self.geometry.kernel_size();
        [
            channels_out,
            channels_in / self.geometry.groups(),
            height,
            width,
        ]
    }

    /// `[batch_size, channels_out, height_out, width_out]`
    pub fn y_shape(&self) -> [usize; 4] {
        let [height, width] = self.positions;
        [self.batch_size, self.channels[1], height, width]
    }

    /// Every product of the sum, as indices into `x`, `weight` and `y`.
    fn products(&self, mut product: impl FnMut(usize, usize, usize)) {
        let [channels_out, channels_in_group, _, _] = self.weight_shape();
        let channels_out_group = channels_out / self.geometry.groups();
        for n in 0..self.batch_size {
            for b in 0..channels_out {
                let group = b / channels_out_group;
                for a in 0..channels_in_group {
                    let channel = group * channels_in_group + a;
                    taps(&self.geometry, self.size, self.positions, |tap| {
                        let [[i, j], [y, x], [u, v]] = tap;
                        product(
                            flat(self.x_shape(), [n, channel, u, v]),
                            flat(self.weight_shape(), [b, a, i, j]),
                            flat(self.y_shape(), [n, b, y, x]),
                        );
                    });
                }
            }
        }
    }

    /// `Y[n, b, y, x] = sum of W[b, a, i, j] * X[n, a, s*y + d*i - p, s*x + d*j - p]`
    pub fn y(&self, x: &[f64], weight: &[f64]) -> Vec<f64> {
        let mut y = vec![0.0; self.y_shape().iter().product()];
        self.products(|px, pw, py| y[py] += weight[pw] * x[px]);
        y
    }

    /// `dX`, from the same products.
    pub fn x(&self, weight: &[f64], y: &[f64]) -> Vec<f64> {
        let mut x = vec![0.0; self.x_shape().iter().product()];
        self.products(|px, pw, py| x[px] += weight[pw] * y[py]);
        x
    }

    /// `dW`, from the same products.
    pub fn weight(&self, x: &[f64], y: &[f64]) -> Vec<f64> {
        let mut weight = vec![0.0; self.weight_shape().iter().product()];
        self.products(|px, pw, py| weight[pw] += x[px] * y[py]);
        weight
    }

    /// `columns[n, (a, i, j), (y, x)] = X[n, a, s*y + d*i - p, s*x + d*j - p]`
    pub fn unfold(&self, x: &[f64]) -> Vec<f64> {
        let mut columns = vec![0.0; self.columns_shape().iter().product()];
        self.copies(|px, pcolumn| columns[pcolumn] = x[px]);
        columns
    }

    /// The adjoint of [`unfold`](Self::unfold).
    pub fn fold(&self, columns: &[f64]) -> Vec<f64> {
        let mut x = vec![0.0; self.x_shape().iter().product()];
        self.copies(|px, pcolumn| x[px] += columns[pcolumn]);
        x
    }

    /// `[batch_size, channels_in * kernel_height * kernel_width, height_out * width_out]`
    pub fn columns_shape(&self) -> [usize; 3] {
        [
            self.batch_size,
            self.channels[0] * self.geometry.kernel_elements(),
            self.positions.iter().product(),
        ]
    }

    /// Every pixel that a column holds, as indices into `x` and the columns.
    fn copies(&self, mut copy: impl FnMut(usize, usize)) {
        let [height, width] = self.geometry.kernel_size();
        let [rows, columns] = self.positions;
        let shape = [
            self.batch_size * self.channels[0],
            height * width,
            rows,
            columns,
        ];
        for plane in 0..shape[0] {
            taps(&self.geometry, self.size, self.positions, |tap| {
                let [[i, j], [y, x], [u, v]] = tap;
                let [height, width] = self.size;
                copy(
                    flat([shape[0], 1, height, width], [plane, 0, u, v]),
                    flat(shape, [plane, i * self.geometry.kernel_size()[1] + j, y, x]),
                );
            });
        }
    }
}

/// Every `[[i, j], [y, x], [u, v]]` with `u = s*y + d*i - p` and `v = s*x + d*j - p` in the image.
fn taps(
    geometry: &ConvGeometry,
    size: [usize; 2],
    positions: [usize; 2],
    mut tap: impl FnMut([[usize; 2]; 3]),
) {
    let pixel = |axis: usize, position: usize, element: usize| {
        let at = geometry.stride()[axis] * position + geometry.dilation()[axis] * element;
        let pixel = at.checked_sub(geometry.padding()[axis][0])?;
        (pixel < size[axis]).then_some(pixel)
    };
    let [height, width] = geometry.kernel_size();
    for i in 0..height {
        for j in 0..width {
            for y in 0..positions[0] {
                for x in 0..positions[1] {
                    if let (Some(u), Some(v)) = (pixel(0, y, i), pixel(1, x, j)) {
                        tap([[i, j], [y, x], [u, v]]);
                    }
                }
            }
        }
    }
}

fn flat(shape: [usize; 4], index: [usize; 4]) -> usize {
    let [_, channels, height, width] = shape;
    let [n, c, y, x] = index;
    ((n * channels + c) * height + y) * width + x
}

/// Adds `bias[c]` to every pixel of channel `c`.
pub fn add_bias(mut y: Vec<f64>, shape: [usize; 4], bias: &[f64]) -> Vec<f64> {
    for (index, value) in y.iter_mut().enumerate() {
        *value += bias[channel(shape, index)];
    }
    y
}

/// `db[c] = sum of dy over every pixel of channel c`
pub fn bias_backward(grad: &[f64], shape: [usize; 4]) -> Vec<f64> {
    let mut bias = vec![0.0; shape[1]];
    for (index, value) in grad.iter().enumerate() {
        bias[channel(shape, index)] += value;
    }
    bias
}

/// The channel that an element of an image batch belongs to.
pub fn channel([_, channels, height, width]: [usize; 4], index: usize) -> usize {
    index / (height * width) % channels
}
