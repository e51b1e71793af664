//! The geometry of a convolution: validated options and output sizes.

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
    fn output_size_counts_the_positions_of_the_dilated_kernel() {
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
