//! Unfold and fold as loops over memory.

use std::ops::AddAssign;

use burn::backend::TensorMetadata;
use burn::backend::tensor::FloatTensor;
use burn::tensor::{DType, Element, Shape, TensorData};
use rayon::prelude::*;

use super::{Host, copy};
use crate::ConvGeometry;
use crate::unfold as primitives;

/// See [`primitives::unfold`].
pub(crate) fn unfold<B: Host>(frame: FloatTensor<B>, geometry: ConvGeometry) -> FloatTensor<B> {
    let (shape, device, dtype) = (frame.shape().dims(), frame.device(), frame.dtype());
    if let Some(values) = B::values(&frame) {
        return B::float_from_data(unfold_values(values, shape, &geometry), &device);
    }
    match dtype {
        DType::F32 => {
            let values = copy::<B, f32>(frame);
            B::float_from_data(unfold_values(&values, shape, &geometry), &device)
        }
        DType::F64 => {
            let values = copy::<B, f64>(frame);
            B::float_from_data(unfold_values(&values, shape, &geometry), &device)
        }
        _ => primitives::unfold::<B>(frame, geometry),
    }
}

/// See [`primitives::fold`].
pub(crate) fn fold<B: Host>(
    columns: FloatTensor<B>,
    geometry: ConvGeometry,
    size: [usize; 2],
) -> FloatTensor<B> {
    let (shape, device, dtype) = (columns.shape().dims(), columns.device(), columns.dtype());
    if let Some(values) = B::values(&columns) {
        return B::float_from_data(fold_values(values, shape, &geometry, size), &device);
    }
    match dtype {
        DType::F32 => {
            let values = copy::<B, f32>(columns);
            B::float_from_data(fold_values(&values, shape, &geometry, size), &device)
        }
        DType::F64 => {
            let values = copy::<B, f64>(columns);
            B::float_from_data(fold_values(&values, shape, &geometry, size), &device)
        }
        _ => primitives::fold::<B>(columns, geometry, size),
    }
}

/// A row of columns for each channel and kernel element, filled in parallel.
fn unfold_values<E: Element + Sync>(
    frame: &[E],
    [batch_size, channels, height, width]: [usize; 4],
    geometry: &ConvGeometry,
) -> TensorData {
    let [height_out, width_out] = geometry.positions([height, width]);
    let count = batch_size * height_out * width_out;
    let rows = channels * geometry.kernel_elements();
    let mut columns = vec![E::from_elem(0); rows * count];
    columns
        .par_chunks_exact_mut(count)
        .enumerate()
        .for_each(|(row, column_row)| {
            let tap = Tap::new(geometry, row);
            for (line, target) in column_row.chunks_exact_mut(width_out).enumerate() {
                let (n, y) = (line / height_out, line % height_out);
                let start = tap.start([n, channels, height, width], y);
                match tap.stride {
                    1 => target.copy_from_slice(&frame[start..start + width_out]),
                    stride => {
                        let pixels = frame[start..].iter().step_by(stride);
                        for (target, pixel) in target.iter_mut().zip(pixels) {
                            *target = *pixel;
                        }
                    }
                }
            }
        });
    TensorData::new(columns, Shape::new([rows, count]))
}

/// Each plane of the frame adds its own columns, in parallel.
fn fold_values<E: Element + Sync + AddAssign>(
    columns: &[E],
    [rows, count]: [usize; 2],
    geometry: &ConvGeometry,
    size: [usize; 2],
) -> TensorData {
    let [height, width] = size;
    let [height_out, width_out] = geometry.positions(size);
    let positions = height_out * width_out;
    let (channels, batch_size) = (rows / geometry.kernel_elements(), count / positions);
    let mut frame = vec![E::from_elem(0); batch_size * channels * height * width];
    frame
        .par_chunks_exact_mut(height * width)
        .enumerate()
        .for_each(|(plane, target)| {
            let (n, channel) = (plane / channels, plane % channels);
            for element in 0..geometry.kernel_elements() {
                let row = channel * geometry.kernel_elements() + element;
                let tap = Tap::new(geometry, element);
                let start = row * count + n * positions;
                let lines = columns[start..start + positions].chunks_exact(width_out);
                for (y, line) in lines.enumerate() {
                    let start = tap.start([0, 1, height, width], y);
                    match tap.stride {
                        1 => {
                            let target = &mut target[start..start + width_out];
                            for (target, value) in target.iter_mut().zip(line) {
                                *target += *value;
                            }
                        }
                        stride => {
                            let target = target[start..].iter_mut().step_by(stride);
                            for (target, value) in target.zip(line) {
                                *target += *value;
                            }
                        }
                    }
                }
            }
        });
    TensorData::new(frame, Shape::new([batch_size, channels, height, width]))
}

/// One kernel element of one channel.
struct Tap {
    channel: usize,
    /// `d*i` and `d*j`.
    offset: [usize; 2],
    /// Rows between two positions.
    row_stride: usize,
    /// Pixels between two positions.
    stride: usize,
}

impl Tap {
    /// The tap of row `(c, i, j)` of the columns.
    fn new(geometry: &ConvGeometry, row: usize) -> Self {
        let [_, kernel_width] = geometry.kernel_size();
        let element = row % geometry.kernel_elements();
        let [row_stride, stride] = geometry.stride();
        Self {
            channel: row / geometry.kernel_elements(),
            offset: [
                geometry.dilation()[0] * (element / kernel_width),
                geometry.dilation()[1] * (element % kernel_width),
            ],
            row_stride,
            stride,
        }
    }

    /// Index of the pixel under this tap at the first position of row `y` of sample `n`.
    fn start(&self, [n, channels, height, width]: [usize; 4], y: usize) -> usize {
        let plane = n * channels + self.channel;
        (plane * height + self.row_stride * y + self.offset[0]) * width + self.offset[1]
    }
}

#[cfg(test)]
mod tests {
    use burn::backend::flex::Flex;
    use burn::backend::ops::FloatTensorOps;
    use burn::tensor::{Tolerance, read_sync};

    use super::*;

    /// Integers, so that sums compare by equality in any order.
    fn integers(shape: [usize; 4]) -> FloatTensor<Flex> {
        let values = (0..shape.iter().product()).map(|i: usize| ((i * 7 + 3) % 11) as f32 - 5.0);
        let data = TensorData::new(values.collect::<Vec<_>>(), Shape::new(shape));
        Flex::float_from_data(data, &Default::default())
    }

    fn data(x: FloatTensor<Flex>) -> TensorData {
        read_sync(Flex::float_into_data(x)).expect("flex computes at once")
    }

    #[test]
    fn memory_and_primitives_agree() {
        for (kernel, stride, dilation, positions) in [
            ([3, 2], [1, 1], [1, 1], [4, 5]),
            ([2, 3], [2, 1], [1, 2], [3, 4]),
            ([1, 4], [1, 3], [2, 1], [5, 2]),
            ([3, 3], [3, 2], [2, 3], [2, 3]),
        ] {
            let geometry = ConvGeometry::new(kernel)
                .and_then(|geometry| geometry.with_stride(stride))
                .and_then(|geometry| geometry.with_dilation(dilation))
                .expect("no axis is zero");
            let [height, width] = geometry.extent(positions);
            let frame = integers([2, 3, height, width]);
            let expected = primitives::unfold::<Flex>(frame.clone(), geometry);
            let columns = unfold::<Flex>(frame, geometry);
            data(columns.clone())
                .assert_approx_eq::<f32>(&data(expected), Tolerance::absolute(0.0));
            let expected = primitives::fold::<Flex>(columns.clone(), geometry, [height, width]);
            let folded = fold::<Flex>(columns, geometry, [height, width]);
            data(folded).assert_approx_eq::<f32>(&data(expected), Tolerance::absolute(0.0));
        }
    }
}
