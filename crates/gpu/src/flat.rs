//! Gradients of the parameters of many convolutions, which lie one after another in one vector: their parts stay
//! until many are there, and one kernel adds them up.

use burn::backend::TensorMetadata;
use burn::backend::cubecl::dtype_to_storage_type;
use burn::backend::wgpu::CubeTensor;
use burn::tensor::{DType, Shape};
use burn_cubecl::cubecl::{self, calculate_cube_count_elemwise, prelude::*};

use crate::conv3x3::{self, Inputs};
use crate::tensors::{ALIGNMENT, empty, view};
use crate::{Parameters, direct};

/// Most parts that stay, of convolutions that take no more than this each: 29 MB, those of three wide ones.
const MOST_PARTS: usize = 7_200_000;

/// Numbers in a line of the table: see [`Line`].
const LINE: usize = 6;

/// Where the parameters of a convolution start in the vector of all.
#[derive(Clone, Copy, Debug)]
pub struct Starts {
    /// Of the weight.
    pub weight: usize,
    /// Of the bias.
    pub bias: usize,
    /// Of the slopes, if they are learned.
    pub slope: Option<usize>,
}

/// A convolution whose gradients are wanted.
#[derive(Clone, Debug)]
#[allow(clippy::large_enum_variant)] // There are as many as convolutions.
pub enum Convolved {
    /// See [`conv3x3`](conv3x3::conv3x3).
    Tiled {
        /// What it read.
        inputs: Inputs,
        /// Whether pooling followed.
        pooled: bool,
    },
    /// See [`direct`](direct::convolution).
    Direct {
        /// What it read.
        x: CubeTensor,
        /// What it does to the pixels.
        geometry: direct::Geometry,
    },
}

impl Convolved {
    /// The output, and what its gradients need, stored as `dtype`.
    pub fn forward(&self, parameters: Parameters, dtype: DType) -> (CubeTensor, CubeTensor) {
        let (y, kept) = match self.clone() {
            Self::Tiled { inputs, pooled } => {
                conv3x3::conv3x3(inputs, parameters, pooled, true, dtype)
            }
            Self::Direct { x, geometry } => {
                direct::convolution(x, parameters, geometry, true, dtype)
            }
        };
        (y, kept.unwrap_or_else(|| unreachable!("it was to be kept")))
    }

    /// The gradients by what it read, `x` and the skip, given what it kept and the gradient of its output.
    pub fn input_gradient(
        &self,
        parameters: &Parameters,
        (kept, grad): (CubeTensor, CubeTensor),
    ) -> [Option<CubeTensor>; 2] {
        match self {
            Self::Tiled { inputs, pooled } => {
                let (x, skip) = conv3x3::input_gradient(inputs, parameters, kept, grad, *pooled);
                [Some(x), skip]
            }
            Self::Direct { x, geometry } => {
                let x = direct::input_gradient(x, parameters, kept, grad, *geometry);
                [Some(x), None]
            }
        }
    }

    fn parts_shape(&self, weight: [usize; 4], channels_out: usize) -> [usize; 2] {
        match self {
            Self::Tiled { inputs, .. } => conv3x3::parts_shape(inputs, weight),
            Self::Direct { x, geometry } => direct::parts_shape(x, weight, channels_out, *geometry),
        }
    }
}

/// Gradients by the parameters of convolutions.
pub struct FlatGradients {
    parts: CubeTensor,
    /// Values of `parts` that are taken.
    taken: usize,
    table: Vec<Line>,
    gradient: CubeTensor,
    /// Whether the gradient has values already.
    has_values: bool,
}

/// Elements `start..start + count` of the gradient get the sums of `splits` rows of `columns` parts, from `first` on;
/// `copies` neighbouring ones belong to one element.
struct Line {
    start: usize,
    count: usize,
    first: usize,
    columns: usize,
    splits: usize,
    copies: usize,
}

impl FlatGradients {
    /// No gradients yet, for convolutions with kernels of these shapes and these channels of the output; of as many
    /// elements as `parameters` has.
    pub fn new<'a>(
        convolutions: impl Iterator<Item = (&'a Convolved, [usize; 4], usize)>,
        parameters: &CubeTensor,
    ) -> Self {
        let values = convolutions.map(|(convolved, weight, channels_out)| {
            let [splits, columns] = convolved.parts_shape(weight, channels_out);
            (splits * columns).next_multiple_of(ALIGNMENT)
        });
        let (all, largest) = values.fold((0, 0), |(all, largest), values| {
            (all + values, values.max(largest))
        });
        Self {
            parts: empty(parameters, Shape::new([all.min(MOST_PARTS).max(largest)])),
            taken: 0,
            table: Vec::new(),
            gradient: empty(parameters, parameters.shape()),
            has_values: false,
        }
    }

    /// Adds those of a convolution, given what it kept and the gradient of its output. Where parameters were added
    /// before, the sum is the gradient.
    ///
    /// # Panics
    /// If the convolution is not among those that this was made for.
    pub fn add(
        &mut self,
        convolved: Convolved,
        parameters: &Parameters,
        kept: (CubeTensor, CubeTensor),
        starts: Starts,
    ) {
        let weights = parameters.weight.shape().num_elements();
        let channels_out = parameters.bias.shape()[0];
        let shape = convolved.parts_shape(parameters.weight.shape().dims(), channels_out);
        if self.taken + shape[0] * shape[1] > self.parts.shape()[0] {
            self.sum();
        }
        let first = self.taken;
        let parts = self.take(shape);
        match convolved {
            Convolved::Tiled { inputs, pooled } => {
                conv3x3::parameter_parts(inputs, parameters, kept, pooled, parts);
            }
            Convolved::Direct { x, geometry } => {
                direct::parameter_parts(x, parameters, kept, geometry, parts);
            }
        }
        let [splits, columns] = shape;
        let line = |start, count, offset, copies| Line {
            start,
            count,
            first: first + offset,
            columns,
            splits,
            copies,
        };
        self.table.push(line(starts.weight, weights, 0, 1));
        self.table.push(line(starts.bias, channels_out, weights, 1));
        if let Some(start) = starts.slope {
            let slopes = parameters.slope.shape()[0];
            let offset = weights + channels_out;
            self.table
                .push(line(start, slopes, offset, channels_out / slopes));
        }
    }

    /// The next parts.
    fn take(&mut self, shape: [usize; 2]) -> CubeTensor {
        let start = self.taken;
        self.taken = (start + shape[0] * shape[1]).next_multiple_of(ALIGNMENT);
        view(&self.parts, start, Shape::new(shape))
    }

    /// The gradient; zeros where no parameter lies.
    pub fn summed(mut self) -> CubeTensor {
        self.sum();
        self.gradient
    }

    /// Adds the parts that are there to the gradient.
    fn sum(&mut self) {
        let elements = self.gradient.shape()[0];
        let client = self.parts.client.clone();
        let lines = self.table.len();
        let numbers = self.table.drain(..).flat_map(|line| {
            let Line {
                start,
                count,
                first,
                columns,
                splits,
                copies,
            } = line;
            [start, count, first, columns, splits, copies].map(|number| number as u32)
        });
        let table: Vec<u8> = numbers.flat_map(u32::to_ne_bytes).collect();
        let table = CubeTensor::new_contiguous(
            client.clone(),
            self.parts.device.clone(),
            Shape::new([lines * LINE]),
            client.create_from_slice(&table),
            DType::U32,
        );
        let dim = CubeDim::new(&client, elements);
        // SAFETY: a unit writes one element of the gradient, or none, from parts that the table's lines lie in.
        unsafe {
            sum_lines::launch_unchecked(
                &client,
                calculate_cube_count_elemwise(&client, elements, dim),
                dim,
                self.parts.clone().into_buffer_arg(),
                table.into_buffer_arg(),
                self.gradient.clone().into_buffer_arg(),
                elements as u32,
                lines as u32,
                u32::from(self.has_values),
                dtype_to_storage_type(self.parts.dtype),
            );
        }
        self.taken = 0;
        self.has_values = true;
    }
}

/// Adds the parts in their order, line by line.
#[cube(launch_unchecked)]
fn sum_lines<F: Float>(
    parts: &[F],
    table: &[u32],
    gradient: &mut [F],
    elements: u32,
    lines: u32,
    has_values: u32,
    #[define(F)] _dtype: ElemType,
) {
    let at = ABSOLUTE_POS;
    if at < elements as usize {
        let mut total = F::new(0.0);
        if has_values == 1 {
            total = gradient[at];
        }
        for line in 0..lines as usize {
            let start = table[line * LINE] as usize;
            let count = table[line * LINE + 1] as usize;
            if at >= start && at < start + count {
                let columns = table[line * LINE + 3] as usize;
                let splits = table[line * LINE + 4] as usize;
                let copies = table[line * LINE + 5] as usize;
                let first = table[line * LINE + 2] as usize + (at - start) * copies;
                for copy in 0..copies {
                    let mut sum = F::new(0.0);
                    for part in 0..splits {
                        sum += parts[first + copy + part * columns];
                    }
                    total += sum;
                }
            }
        }
        gradient[at] = total;
    }
}
