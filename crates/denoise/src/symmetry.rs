//! The eight flips and turns of an image.

use burn::tensor::Tensor;

/// The mean of a network's outputs for the eight flips and turns of its input, each flipped and turned
/// back.
///
/// `1/8 sum over g of g^-1 f(g x)`, as Timofte et al. do in "Seven ways to improve example-based single
/// image super resolution" (CVPR 2016).
///
/// # Shapes
/// - `x`, output: `[batch_size, channels, height, width]`
pub(crate) fn mean_over_symmetries(
    x: Tensor<4>,
    network: impl Fn(Tensor<4>) -> Tensor<4>,
) -> Tensor<4> {
    let mut sum: Option<Tensor<4>> = None;
    for transposed in [false, true] {
        let x = transpose_if(transposed, x.clone());
        for axes in [&[][..], &[2], &[3], &[2, 3]] {
            let y = transpose_if(transposed, flip(network(flip(x.clone(), axes)), axes));
            sum = Some(match sum {
                Some(sum) => sum + y,
                None => y,
            });
        }
    }
    sum.map_or(x, |sum| sum / 8.0)
}

fn transpose_if(transposed: bool, x: Tensor<4>) -> Tensor<4> {
    if transposed { x.swap_dims(2, 3) } else { x }
}

fn flip(x: Tensor<4>, axes: &[usize]) -> Tensor<4> {
    axes.iter().fold(x, |x, &axis| x.flip([axis]))
}

#[cfg(test)]
mod tests {
    use std::cell::RefCell;

    use burn::tensor::{Device, TensorData};

    use super::*;

    fn image() -> Tensor<4> {
        let values: Vec<f32> = (0..2 * 3 * 5).map(|at| at as f32).collect();
        Tensor::from_data(TensorData::new(values, [1, 2, 3, 5]), &Device::flex())
    }

    #[test]
    fn what_does_nothing_gives_the_image_back() {
        // Integers: the mean is exact.
        let mean = mean_over_symmetries(image(), |x| x);
        assert_eq!(mean.into_data(), image().into_data());
    }

    #[test]
    fn the_network_sees_each_symmetry_once() {
        let seen = RefCell::new(vec![]);
        mean_over_symmetries(image(), |x| {
            let data = x.clone().into_data();
            assert!(!seen.borrow().contains(&data));
            seen.borrow_mut().push(data);
            x
        });
        assert_eq!(seen.borrow().len(), 8);
    }

    #[test]
    fn outputs_are_turned_back_before_they_are_averaged() {
        // Marks the upper left corner of what it sees: over all symmetries, each corner twice.
        let corner = |x: Tensor<4>| {
            let zeros = x.zeros_like();
            let one = Tensor::ones([1, 2, 1, 1], &x.device());
            zeros.slice_assign([0..1, 0..2, 0..1, 0..1], one)
        };
        let mean = mean_over_symmetries(image(), corner).into_data();
        let mean: Vec<f32> = mean.iter().collect();
        for (at, value) in mean.iter().enumerate() {
            let (y, x) = (at % 15 / 5, at % 5);
            let expected = if [0, 2].contains(&y) && [0, 4].contains(&x) {
                0.25
            } else {
                0.0
            };
            assert_eq!(*value, expected, "{y} {x}");
        }
    }
}
