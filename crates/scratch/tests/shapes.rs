//! Tensors that do not fit panic with expected and got; geometries that do not are typed errors.

use burn::tensor::{Device, Tensor};
use n2n_scratch::{
    ConvGeometry, GeometryError, conv_transpose2d, conv2d, fold, mse, prelu, unfold,
};

fn image<const D: usize>(shape: [usize; D]) -> Tensor<D> {
    Tensor::zeros(shape, &Device::flex())
}

fn geometry(kernel_size: [usize; 2]) -> ConvGeometry {
    ConvGeometry::new(kernel_size).unwrap()
}

#[test]
#[should_panic(expected = "expected weight [4, 3, 3, 2], got [4, 2, 3, 2]")]
fn convolution_of_other_channels() {
    conv2d(
        image([1, 3, 7, 5]),
        image([4, 2, 3, 2]),
        None,
        &geometry([3, 2]),
    );
}

#[test]
#[should_panic(expected = "expected weight [4, 3, 3, 2], got [4, 3, 2, 3]")]
fn convolution_with_another_kernel() {
    conv2d(
        image([1, 3, 7, 5]),
        image([4, 3, 2, 3]),
        None,
        &geometry([3, 2]),
    );
}

#[test]
#[should_panic(expected = "expected bias [4], got [3]")]
fn convolution_with_another_bias() {
    let bias = Some(image([3]));
    conv2d(
        image([1, 2, 7, 5]),
        image([4, 2, 3, 2]),
        bias,
        &geometry([3, 2]),
    );
}

#[test]
#[should_panic(expected = "expected weight [3, _, 3, 2], got [4, 2, 3, 2]")]
fn transposed_convolution_of_other_channels() {
    let weight = image([4, 2, 3, 2]);
    conv_transpose2d(image([1, 3, 7, 5]), weight, None, &geometry([3, 2]), [0, 0]);
}

#[test]
#[should_panic(expected = "the dilated kernel spans 6 along the width, the padded input only 5")]
fn image_smaller_than_the_kernel() {
    unfold(image([1, 3, 7, 5]), &geometry([3, 6]));
}

#[test]
#[should_panic(expected = "expected 5 x 4 columns for an image of [7, 5], got 21")]
fn columns_of_another_image() {
    fold(image([1, 18, 21]), &geometry([3, 2]), [7, 5]);
}

#[test]
#[should_panic(expected = "expected 1 or 3 slopes, got 2")]
fn slopes_of_other_channels() {
    prelu(image([1, 3, 7, 5]), image([2]));
}

#[test]
#[should_panic(expected = "expected two images of one shape, got [1, 3, 7, 5] and [1, 3, 5, 7]")]
fn loss_of_two_shapes() {
    mse(image([1, 3, 7, 5]), image([1, 3, 5, 7]));
}

#[test]
fn constructors_return_typed_errors_with_both_values() {
    assert_eq!(
        geometry([3, 2]).with_groups(4, 8, 6).unwrap_err(),
        GeometryError::Groups {
            groups: 4,
            channels: 6,
            which: "output"
        }
    );
    assert_eq!(
        geometry([3, 2]).with_stride([0, 2]).unwrap_err(),
        GeometryError::Zero {
            option: "stride",
            value: [0, 2]
        }
    );
    assert_eq!(
        geometry([3, 6]).output_size([9, 5]),
        Err(GeometryError::KernelLargerThanInput {
            axis: "width",
            kernel_extent: 6,
            input_extent: 5
        })
    );
    let padded = geometry([2, 3]).with_padding([[1, 0], [4, 3]]);
    assert_eq!(
        padded.transposed_size([4, 3], [0, 0]),
        Err(GeometryError::NoOutput {
            axis: "width",
            padding: 7,
            extent: 5
        })
    );
}
