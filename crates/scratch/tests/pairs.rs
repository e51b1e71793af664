//! Pairs cut out of bytes on a device against their definition.

use std::panic::{AssertUnwindSafe, catch_unwind};

use n2n_scratch::{ByteImages, PairPlace};
use n2n_testing::wgpu;

/// Two images of two channels, one of three rows and five columns and one of five of either, and a byte in between.
const OBLONG: [usize; 3] = [2, 3, 5];
const SQUARE: [usize; 3] = [2, 5, 5];

fn bytes() -> Vec<u8> {
    (0..151_usize).map(|at| (at * 89 % 256) as u8).collect()
}

/// A number for each byte, channel and image of a pair, none of them twice.
fn numbers() -> [Vec<f32>; 2] {
    let numbers = |image: usize| (0..512).map(move |at| (1024 * image + at) as f32 / 7.0);
    [0, 1].map(|image| numbers(image).collect())
}

/// The images of a place, pixel by pixel.
fn expected(place: &PairPlace, [channels, height, width]: [usize; 3]) -> [Vec<f32>; 2] {
    let (bytes, numbers) = (bytes(), numbers());
    let mut images = [vec![], vec![]];
    for channel in 0..channels {
        for y in 0..height {
            for x in 0..width {
                let (row, column) = match place.rot90 {
                    0 => (y, x),
                    1 => (x, height - 1 - y),
                    2 => (height - 1 - y, width - 1 - x),
                    _ => (width - 1 - x, y),
                };
                let column = if place.flip {
                    width - 1 - column
                } else {
                    column
                };
                let inner = channel * place.plane + row * place.row + column;
                let mut starts = [place.first, place.second];
                if place
                    .exchanged
                    .as_ref()
                    .is_some_and(|pixels| pixels[y * width + x])
                {
                    starts.swap(0, 1);
                }
                for ((image, start), numbers) in images.iter_mut().zip(starts).zip(&numbers) {
                    image.push(numbers[channel * 256 + usize::from(bytes[start + inner])]);
                }
            }
        }
    }
    images
}

/// Compares the pairs of some places with their definition, to the bit.
fn check(places: &[PairPlace], shape @ [channels, height, width]: [usize; 3]) {
    let Some(device) = wgpu() else {
        return;
    };
    let images = ByteImages::new(bytes(), numbers(), &device);
    let pairs = images.pairs(places, [height, width]);
    for (side, pairs) in pairs.into_iter().enumerate() {
        assert_eq!(pairs.dims(), [places.len(), channels, height, width]);
        let expected = places
            .iter()
            .flat_map(|place| expected(place, shape)[side].clone());
        let pairs = pairs.into_data().try_to_vec::<f32>().unwrap();
        assert_eq!(pairs, expected.collect::<Vec<f32>>(), "side {side}");
    }
}

#[test]
fn pairs_are_crops_of_larger_images() {
    // Of rows of 7 bytes in planes of 35, from odd places on.
    let place = |first, second| PairPlace {
        first,
        second,
        row: 7,
        plane: 35,
        flip: false,
        rot90: 0,
        exchanged: None,
    };
    check(&[place(3, 81), place(81, 0), place(13, 14)], OBLONG);
}

#[test]
fn pairs_have_the_symmetries_of_a_square() {
    let mut places = vec![];
    for flip in [false, true] {
        for rot90 in 0..4 {
            let (first, second) = (1, 60);
            places.push(PairPlace {
                first,
                second,
                row: 5,
                plane: 25,
                flip,
                rot90,
                exchanged: None,
            });
        }
    }
    check(&places, SQUARE);
}

#[test]
fn pairs_exchange_pixels() {
    let exchanged = |step: usize| (0..48).map(|at| at % step == 0).collect();
    let place = |exchanged| PairPlace {
        first: 2,
        second: 50,
        row: 8,
        plane: 0,
        flip: true,
        rot90: 2,
        exchanged,
    };
    // More pixels than bits in a word, and a place of the same batch that exchanges none.
    let places = [Some(exchanged(3)), None, Some(exchanged(5))].map(place);
    check(&places, [2, 6, 8]);
}

#[test]
fn pairs_beyond_the_bytes_are_refused() {
    let Some(device) = wgpu() else {
        return;
    };
    let images = ByteImages::new(bytes(), numbers(), &device);
    let pairs = |second, size: [usize; 2]| {
        let place = PairPlace {
            first: 0,
            second,
            row: 5,
            plane: 25,
            flip: false,
            rot90: size[0] % 2,
            exchanged: None,
        };
        catch_unwind(AssertUnwindSafe(|| images.pairs(&[place], size))).is_ok()
    };
    // The last byte is the last pixel's.
    assert!(pairs(101, [5, 5]));
    assert!(!pairs(102, [5, 5]));
    // Rotated by 90 degrees.
    assert!(!pairs(0, [5, 4]));
}
