//! Pairs of images cut out of a set that lies on the device as bytes.

use burn::backend::TensorMetadata;
use burn::backend::cubecl::dtype_to_storage_type;
use burn::backend::wgpu::CubeTensor;
use burn_cubecl::cubecl::{self, calculate_cube_count_elemwise, prelude::*};

use crate::tensors::empty_images;

/// Words of a place before the bits of its exchanged pixels: where the first byte of the first image lies, and of the
/// second; bytes from one row to the next, and from one channel to the next; whether the images are mirrored left to
/// right, and then rotated counterclockwise by how many times 90 degrees.
pub const PLACE_WORDS: usize = 6;

/// Numbers that a byte can stand for.
pub const BYTE_VALUES: usize = 256;

/// The images of each place, and what their bytes stand for.
///
/// # Shapes
/// - `bytes`: any, four in a word, the first in the lowest bits
/// - `places`: `[batch_size, words]`, [`PLACE_WORDS`] and maybe a bit for each pixel of the result, row by row, the
///   first in the lowest: 1 where the two images are exchanged
/// - `numbers`: `[2, channels, 256]`, of the first image and of the second
/// - both outputs: `[batch_size, channels, height, width]`
pub fn pairs(
    bytes: CubeTensor,
    places: CubeTensor,
    numbers: CubeTensor,
    [height, width]: [usize; 2],
) -> (CubeTensor, CubeTensor) {
    let [batch_size, record] = places.shape().dims();
    let channels = numbers.shape()[1];
    let images = || empty_images(&numbers, [batch_size, channels, height, width]);
    let (first, second) = (images(), images());
    let pixels = batch_size * height * width;
    let words = bytes.shape().num_elements();
    let (client, dtype) = (numbers.client.clone(), dtype_to_storage_type(numbers.dtype));
    let dim = CubeDim::new(&client, pixels);
    // SAFETY: a unit below `pixels` writes the channels of one pixel of both results, which hold that many; it reads
    // the words of its place, of which there are `record` and at least six, bytes before the end of `bytes`, beyond
    // which it does not go, and of `numbers` one of 256 for each of its channels.
    unsafe {
        cut_pairs::launch_unchecked(
            &client,
            calculate_cube_count_elemwise(&client, pixels, dim),
            dim,
            bytes.into_buffer_arg(),
            places.into_buffer_arg(),
            numbers.into_buffer_arg(),
            first.clone().into_buffer_arg(),
            second.clone().into_buffer_arg(),
            pixels as u32,
            words as u32,
            record as u32,
            height as u32,
            width as u32,
            channels as u32,
            dtype,
        );
    }
    (first, second)
}

#[cube(launch_unchecked)]
fn cut_pairs<F: Float>(
    bytes: &[u32],
    places: &[u32],
    numbers: &[F],
    first: &mut [F],
    second: &mut [F],
    pixels: u32,
    words: u32,
    record: u32,
    height: u32,
    width: u32,
    channels: u32,
    #[define(F)] _dtype: ElemType,
) {
    if ABSOLUTE_POS >= pixels as usize {
        terminate!();
    }
    let (record, words) = (record as usize, words as usize);
    let (height, width) = (height as usize, width as usize);
    let channels = channels as usize;
    let at = ABSOLUTE_POS % (height * width);
    let place = ABSOLUTE_POS / (height * width) * record;
    let (rotations, mirrored) = (places[place + 5], places[place + 4] == 1);
    let (row, mut column) = before_rotation(at / width, at % width, height, width, rotations);
    if mirrored {
        column = width - 1 - column;
    }
    let inner = row * places[place + 2] as usize + column;
    let mut exchanged = false.runtime();
    if record > PLACE_WORDS {
        let bits = places[place + PLACE_WORDS + at / 32];
        exchanged = (bits >> (at % 32) as u32) & 1 == 1;
    }
    for channel in 0..channels {
        let from = inner + channel * places[place + 3] as usize;
        let a = byte(bytes, words, places[place] as usize + from);
        let b = byte(bytes, words, places[place + 1] as usize + from);
        let to = ABSOLUTE_POS * channels + channel;
        let others = (channels + channel) * BYTE_VALUES;
        first[to] = numbers[channel * BYTE_VALUES + select(exchanged, b, a)];
        second[to] = numbers[others + select(exchanged, a, b)];
    }
}

/// Where a pixel stood before counterclockwise rotations by 90 degrees.
#[cube]
fn before_rotation(
    row: usize,
    column: usize,
    height: usize,
    width: usize,
    rotations: u32,
) -> (usize, usize) {
    let (mut y, mut x) = (row, column);
    if rotations == 1 {
        y = column;
        x = height - 1 - row;
    } else if rotations == 2 {
        y = height - 1 - row;
        x = width - 1 - column;
    } else if rotations == 3 {
        y = width - 1 - column;
        x = row;
    }
    (y, x)
}

/// A byte of the words; the last word's, beyond the end.
#[cube]
fn byte(bytes: &[u32], words: usize, at: usize) -> usize {
    let word = bytes[select(at / 4 < words, at / 4, words - 1)];
    ((word >> (8 * (at % 4) as u32)) & 255) as usize
}
