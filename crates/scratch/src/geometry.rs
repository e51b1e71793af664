//! The geometry of a convolution: validated options and output sizes.

use std::ops::Range;

/// Kernel size, stride, padding, dilation and groups of a two-dimensional convolution.
///
/// Axes are ordered `[height, width]`. A geometry that exists is valid: [`ConvGeometry::new`]
/// checks what can be checked without an input, and the size functions check the rest.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct ConvGeometry {
    kernel_size: [usize; 2],
    stride: [usize; 2],
    padding: [[usize; 2]; 2],
    dilation: [usize; 2],
    groups: usize,
}

/// Why a geometry, or an input under it, makes no convolution.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum GeometryError {
    /// An option that counts something is zero.
    #[error("{option} is {value:?}, but must be at least 1 on each axis")]
    Zero {
        /// The option's name.
        option: &'static str,
        /// Its value.
        value: [usize; 2],
    },

    /// The dilated kernel does not fit into the padded input.
    #[error(
        "the dilated kernel spans {kernel_extent} along the {axis}, the padded input only {input_extent}"
    )]
    KernelLargerThanInput {
        /// `height` or `width`.
        axis: &'static str,
        /// `dilation * (kernel_size - 1) + 1`.
        kernel_extent: usize,
        /// Input size plus both paddings.
        input_extent: usize,
    },

    /// A transposed convolution's output padding could be covered by one more input.
    #[error(
        "output_padding along the {axis} is {output_padding}, but must be smaller than the stride {stride} or the dilation {dilation}"
    )]
    OutputPadding {
        /// `height` or `width`.
        axis: &'static str,
        /// The output padding.
        output_padding: usize,
        /// The stride.
        stride: usize,
        /// The dilation.
        dilation: usize,
    },

    /// A transposed convolution's padding crops everything away.
    #[error("the padding along the {axis} removes {padding} of only {extent} output pixels")]
    NoOutput {
        /// `height` or `width`.
        axis: &'static str,
        /// Sum of both paddings.
        padding: usize,
        /// Output size without padding.
        extent: usize,
    },

    /// Groups do not divide a number of channels.
    #[error("{groups} groups do not divide {channels} {which} channels")]
    Groups {
        /// Number of groups.
        groups: usize,
        /// Number of channels.
        channels: usize,
        /// `input` or `output`.
        which: &'static str,
    },

    /// A weight's kernel is not the geometry's.
    #[error("the geometry's kernel is {expected:?}, but the weight's is {got:?}")]
    Kernel {
        /// `[height, width]` in the geometry.
        expected: [usize; 2],
        /// `[height, width]` of the weight.
        got: [usize; 2],
    },

    /// A bias has not one value for each output channel.
    #[error("there are {expected} output channels, but {got} biases")]
    Bias {
        /// Number of output channels.
        expected: usize,
        /// Length of the bias.
        got: usize,
    },
}

const AXES: [&str; 2] = ["height", "width"];

impl ConvGeometry {
    /// A geometry with stride 1, no padding, no dilation and one group.
    ///
    /// # Errors
    /// When an axis of the kernel is zero.
    pub fn new(kernel_size: [usize; 2]) -> Result<Self, GeometryError> {
        at_least_one("kernel_size", kernel_size)?;
        Ok(Self {
            kernel_size,
            stride: [1, 1],
            padding: [[0, 0], [0, 0]],
            dilation: [1, 1],
            groups: 1,
        })
    }

    /// Sets the stride.
    ///
    /// # Errors
    /// When an axis is zero.
    pub fn with_stride(self, stride: [usize; 2]) -> Result<Self, GeometryError> {
        at_least_one("stride", stride)?;
        Ok(Self { stride, ..self })
    }

    /// Sets the zero padding, `[[top, bottom], [left, right]]`.
    pub fn with_padding(self, padding: [[usize; 2]; 2]) -> Self {
        Self { padding, ..self }
    }

    /// Sets the dilation.
    ///
    /// # Errors
    /// When an axis is zero.
    pub fn with_dilation(self, dilation: [usize; 2]) -> Result<Self, GeometryError> {
        at_least_one("dilation", dilation)?;
        Ok(Self { dilation, ..self })
    }

    /// Sets the number of groups for a layer between `channels_in` and `channels_out` channels.
    ///
    /// # Errors
    /// When the groups do not divide both, or are zero.
    pub fn with_groups(
        self,
        groups: usize,
        channels_in: usize,
        channels_out: usize,
    ) -> Result<Self, GeometryError> {
        for (which, channels) in [("input", channels_in), ("output", channels_out)] {
            if groups == 0 || !channels.is_multiple_of(groups) {
                return Err(GeometryError::Groups {
                    groups,
                    channels,
                    which,
                });
            }
        }
        Ok(Self { groups, ..self })
    }

    /// `[height, width]` of the kernel.
    pub fn kernel_size(&self) -> [usize; 2] {
        self.kernel_size
    }

    /// Stride per axis.
    pub fn stride(&self) -> [usize; 2] {
        self.stride
    }

    /// `[[top, bottom], [left, right]]` zero padding.
    pub fn padding(&self) -> [[usize; 2]; 2] {
        self.padding
    }

    /// Dilation per axis.
    pub fn dilation(&self) -> [usize; 2] {
        self.dilation
    }

    /// Number of groups.
    pub fn groups(&self) -> usize {
        self.groups
    }

    /// Size of a convolution's output:
    /// `floor((H + p0 + p1 - d*(h - 1) - 1) / s) + 1` on each axis.
    ///
    /// ```
    /// # fn main() -> Result<(), n2n_scratch::GeometryError> {
    /// let geometry = n2n_scratch::ConvGeometry::new([3, 2])?.with_stride([2, 3])?;
    /// assert_eq!(geometry.output_size([8, 7])?, [3, 2]);
    /// # Ok(())
    /// # }
    /// ```
    ///
    /// # Errors
    /// When the dilated kernel does not fit into the padded input.
    pub fn output_size(&self, input_size: [usize; 2]) -> Result<[usize; 2], GeometryError> {
        let mut output_size = [0; 2];
        for axis in 0..2 {
            let input_extent = input_size[axis] + self.padding[axis].iter().sum::<usize>();
            let kernel_extent = self.dilation[axis] * (self.kernel_size[axis] - 1) + 1;
            if kernel_extent > input_extent {
                return Err(GeometryError::KernelLargerThanInput {
                    axis: AXES[axis],
                    kernel_extent,
                    input_extent,
                });
            }
            output_size[axis] = (input_extent - kernel_extent) / self.stride[axis] + 1;
        }
        Ok(output_size)
    }
}

impl ConvGeometry {
    /// Size of a transposed convolution's output:
    /// `s*(H - 1) + d*(h - 1) + 1 - p0 - p1 + output_padding` on each axis.
    ///
    /// # Errors
    /// When the output padding is not smaller than stride or dilation, or nothing is left.
    pub fn transposed_size(
        &self,
        input_size: [usize; 2],
        output_padding: [usize; 2],
    ) -> Result<[usize; 2], GeometryError> {
        self.check_output_padding(output_padding)?;
        let extent = self.extent(input_size);
        let mut size = [0; 2];
        for axis in 0..2 {
            let padding = self.padding[axis].iter().sum::<usize>();
            let extent = extent[axis] + output_padding[axis];
            if padding >= extent {
                return Err(GeometryError::NoOutput {
                    axis: AXES[axis],
                    padding,
                    extent,
                });
            }
            size[axis] = extent - padding;
        }
        Ok(size)
    }

    /// Whether no output padding is so large that one more input would cover it.
    pub(crate) fn check_output_padding(
        &self,
        output_padding: [usize; 2],
    ) -> Result<(), GeometryError> {
        for axis in 0..2 {
            let (stride, dilation) = (self.stride[axis], self.dilation[axis]);
            if output_padding[axis] >= stride.max(dilation) {
                return Err(GeometryError::OutputPadding {
                    axis: AXES[axis],
                    output_padding: output_padding[axis],
                    stride,
                    dilation,
                });
            }
        }
        Ok(())
    }

    /// Number of elements of the kernel.
    pub(crate) fn kernel_elements(&self) -> usize {
        self.kernel_size.iter().product()
    }

    /// Size of the frame that `positions` of the kernel cover: `s*(n - 1) + d*(k - 1) + 1`.
    pub(crate) fn extent(&self, positions: [usize; 2]) -> [usize; 2] {
        std::array::from_fn(|axis| {
            let kernel_extent = self.dilation[axis] * (self.kernel_size[axis] - 1) + 1;
            self.stride[axis] * (positions[axis] - 1) + kernel_extent
        })
    }

    /// Number of positions of the kernel in a frame: the inverse of [`extent`](Self::extent).
    pub(crate) fn positions(&self, frame_size: [usize; 2]) -> [usize; 2] {
        std::array::from_fn(|axis| {
            let kernel_extent = self.dilation[axis] * (self.kernel_size[axis] - 1) + 1;
            (frame_size[axis] - kernel_extent) / self.stride[axis] + 1
        })
    }

    /// Rows of the frame that these rows of positions cover.
    pub(crate) fn reached_rows(&self, rows: &Range<usize>) -> Range<usize> {
        let start = self.stride[0] * rows.start;
        start..start + self.extent([rows.len(), 1])[0]
    }

    /// How an image of `size` lies in the frame of `positions`, on each axis; nothing where it is
    /// outside.
    pub(crate) fn overlaps(&self, size: [usize; 2], positions: [usize; 2]) -> Option<[Overlap; 2]> {
        let extent = self.extent(positions);
        let overlap = |axis: usize| {
            let before = self.padding[axis][0];
            let length = size[axis].min(extent[axis].checked_sub(before)?);
            (length > 0).then(|| Overlap {
                before,
                length,
                after: extent[axis] - before - length,
            })
        };
        Some([overlap(0)?, overlap(1)?])
    }
}

/// One axis of a frame: padding, then the first `length` pixels of the image, then padding.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Overlap {
    /// Padding before the image.
    pub before: usize,
    /// Pixels of the image that are reached.
    pub length: usize,
    /// Padding after the image.
    pub after: usize,
}

fn at_least_one(option: &'static str, value: [usize; 2]) -> Result<(), GeometryError> {
    if value.contains(&0) {
        return Err(GeometryError::Zero { option, value });
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn output_size_counts_dilated_kernel_positions() {
        for (input, kernel, stride, before, after, dilation) in [
            (9, 3, 1, 1, 1, 1),
            (10, 3, 2, 0, 0, 1),
            (7, 2, 3, 2, 1, 2),
            (3, 5, 2, 2, 4, 1),
        ] {
            let positions = (0..)
                .step_by(stride)
                .take_while(|start| start + dilation * (kernel - 1) < input + before + after)
                .count();
            let geometry = ConvGeometry::new([kernel, 1])
                .and_then(|g| g.with_stride([stride, 1]))
                .and_then(|g| g.with_dilation([dilation, 1]))
                .expect("every option is positive")
                .with_padding([[before, after], [0, 0]]);
            assert_eq!(geometry.output_size([input, 4]), Ok([positions, 4]));
        }
    }

    #[test]
    fn impossible_geometry_names_both_values() {
        let stride = ConvGeometry::new([3, 2]).and_then(|g| g.with_stride([0, 2]));
        assert_eq!(
            stride.expect_err("zero stride").to_string(),
            "stride is [0, 2], but must be at least 1 on each axis"
        );
        let kernel = ConvGeometry::new([3, 6]).and_then(|g| g.output_size([9, 5]));
        assert_eq!(
            kernel.expect_err("kernel too wide").to_string(),
            "the dilated kernel spans 6 along the width, the padded input only 5"
        );
        let groups = ConvGeometry::new([3, 2]).and_then(|g| g.with_groups(4, 8, 6));
        assert_eq!(
            groups.expect_err("4 does not divide 6").to_string(),
            "4 groups do not divide 6 output channels"
        );
    }
}
