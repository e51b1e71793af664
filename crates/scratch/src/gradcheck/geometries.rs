//! The geometries that are checked. Height and width differ, and no two sizes are equal where they could be
//! mistaken for each other.

use crate::ConvGeometry;

/// Options of a convolution from an image of `size`.
pub struct Options {
    pub channels: [usize; 2],
    pub size: [usize; 2],
    pub kernel_size: [usize; 2],
    pub stride: [usize; 2],
    pub padding: [[usize; 2]; 2],
    pub dilation: [usize; 2],
    pub groups: usize,
}

impl Options {
    /// Stride 1, no padding, no dilation, one group.
    pub fn plain(channels: [usize; 2], size: [usize; 2], kernel_size: [usize; 2]) -> Self {
        Self {
            channels,
            size,
            kernel_size,
            stride: [1, 1],
            padding: [[0, 0], [0, 0]],
            dilation: [1, 1],
            groups: 1,
        }
    }

    /// As the ops take it.
    pub fn geometry(&self) -> ConvGeometry {
        let [channels_in, channels_out] = self.channels;
        ConvGeometry::new(self.kernel_size)
            .and_then(|geometry| geometry.with_stride(self.stride))
            .and_then(|geometry| geometry.with_dilation(self.dilation))
            .and_then(|geometry| geometry.with_groups(self.groups, channels_in, channels_out))
            .unwrap_or_else(|error| unreachable!("the case is written so: {error}"))
            .with_padding(self.padding)
    }

    /// Sizes and options, in short.
    pub fn text(&self) -> String {
        let pair = |[a, b]: [usize; 2]| format!("{a}x{b}");
        let mut text = format!(
            "{}>{} {} k{}",
            self.channels[0],
            self.channels[1],
            pair(self.size),
            pair(self.kernel_size)
        );
        if self.stride != [1, 1] {
            text += &format!(" s{}", pair(self.stride));
        }
        let [[top, bottom], [left, right]] = self.padding;
        if self.padding != [[0, 0], [0, 0]] {
            text += &format!(" p{top},{bottom}x{left},{right}");
        }
        if self.dilation != [1, 1] {
            text += &format!(" d{}", pair(self.dilation));
        }
        if self.groups != 1 {
            text += &format!(" g{}", self.groups);
        }
        text
    }
}

/// Convolutions, with bias or without.
pub fn convolutions() -> Vec<(Options, bool)> {
    let same = [[1, 1], [1, 1]];
    vec![
        // The reference networks' layer.
        (
            Options {
                padding: same,
                ..Options::plain([4, 6], [8, 5], [3, 3])
            },
            true,
        ),
        (Options::plain([2, 3], [7, 9], [1, 4]), false),
        (Options::plain([5, 1], [4, 6], [1, 1]), true),
        // A stride that leaves a rest: the last row and columns touch no pixel.
        (
            Options {
                stride: [2, 3],
                ..Options::plain([3, 2], [10, 12], [3, 2])
            },
            true,
        ),
        (
            Options {
                stride: [3, 2],
                padding: [[2, 0], [1, 3]],
                ..Options::plain([2, 4], [8, 7], [2, 5])
            },
            true,
        ),
        (
            Options {
                dilation: [2, 3],
                padding: [[1, 2], [3, 0]],
                ..Options::plain([3, 4], [9, 10], [3, 2])
            },
            false,
        ),
        (
            Options {
                groups: 2,
                padding: same,
                ..Options::plain([6, 4], [6, 7], [3, 2])
            },
            true,
        ),
        // Depthwise.
        (
            Options {
                groups: 3,
                stride: [1, 2],
                ..Options::plain([3, 6], [5, 8], [2, 3])
            },
            true,
        ),
        // A kernel larger than the unpadded image.
        (
            Options {
                padding: [[2, 1], [2, 2]],
                ..Options::plain([2, 3], [3, 2], [5, 4])
            },
            true,
        ),
        (
            Options {
                stride: [2, 2],
                dilation: [1, 2],
                groups: 2,
                padding: [[0, 1], [2, 1]],
                ..Options::plain([4, 2], [7, 11], [3, 2])
            },
            false,
        ),
    ]
}

/// Transposed convolutions, with output padding, and with bias or without. The size is that of the transposed convolution's
/// own input, and so are the first channels.
pub fn transposed_convolutions() -> Vec<(Options, [usize; 2], bool)> {
    vec![
        (Options::plain([4, 3], [5, 7], [3, 2]), [0, 0], true),
        (
            Options {
                stride: [2, 2],
                ..Options::plain([3, 5], [4, 6], [2, 2])
            },
            [0, 0],
            true,
        ),
        // A stride wider than the kernel: pixels that nothing reaches.
        (
            Options {
                stride: [3, 4],
                ..Options::plain([2, 3], [3, 4], [2, 1])
            },
            [1, 3],
            false,
        ),
        (
            Options {
                stride: [2, 3],
                padding: [[1, 0], [2, 1]],
                ..Options::plain([2, 4], [5, 4], [3, 5])
            },
            [1, 2],
            true,
        ),
        (
            Options {
                dilation: [2, 1],
                padding: [[1, 1], [0, 1]],
                ..Options::plain([3, 2], [4, 5], [2, 3])
            },
            [1, 0],
            true,
        ),
        (
            Options {
                groups: 2,
                stride: [1, 2],
                padding: [[1, 1], [1, 1]],
                ..Options::plain([4, 6], [5, 3], [3, 4])
            },
            [0, 1],
            true,
        ),
    ]
}

/// What is unfolded: with symmetric padding, because Burn's own has no other.
pub fn unfoldings() -> Vec<Options> {
    vec![
        Options::plain([2, 2], [5, 7], [3, 2]),
        Options {
            stride: [2, 3],
            padding: [[1, 1], [2, 2]],
            ..Options::plain([3, 3], [8, 6], [2, 4])
        },
        Options {
            dilation: [2, 3],
            padding: [[2, 2], [0, 0]],
            ..Options::plain([2, 2], [4, 9], [3, 2])
        },
    ]
}
