//! Training images that lie on a graphics device as bytes, so that a step cuts its pairs out there and no pixel is
//! sent to it.

use burn::backend::tensor::{FloatTensor, IntTensor};
use burn::backend::wgpu::{CubeBackend, CubeTensor};
use burn::backend::{Backend, Dispatch, DispatchDevice, backend_extension};
use burn::tensor::{Device, Int, Tensor, TensorData};
use n2n_gpu::pairs::{BYTE_VALUES, PLACE_WORDS};

use crate::gpu::specs;

/// Images as bytes, one channel after another, and the numbers that the bytes stand for.
#[derive(Clone, Debug)]
pub struct ByteImages {
    bytes: Tensor<1, Int>,
    len: usize,
    numbers: Tensor<3>,
}

/// A pair of images among the bytes.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct PairPlace {
    /// Byte of the first image's first pixel in the first channel.
    pub first: usize,
    /// The same of the second image.
    pub second: usize,
    /// Bytes from one row to the next.
    pub row: usize,
    /// Bytes from one channel to the next.
    pub plane: usize,
    /// Whether both are mirrored left to right.
    pub flip: bool,
    /// By how many times 90 degrees both are then rotated counterclockwise, 0 to 3; of images that are not square 0
    /// or 2.
    pub rot90: usize,
    /// Where the images exchange their pixels, row by row of the result.
    pub exchanged: Option<Vec<bool>>,
}

impl ByteImages {
    /// Most bytes that can lie on a device, if it is a graphics device.
    pub fn most(device: &Device) -> Option<u64> {
        match device.clone().inner().as_dispatch() {
            DispatchDevice::Cube(device) => Some(device.client().properties().memory.max_page_size),
            _ => None,
        }
    }

    /// Sends bytes to a graphics device. `first` and `second` are the numbers that they stand for in the first image
    /// of a pair and in the second, 256 for each channel.
    ///
    /// # Panics
    /// If there are other numbers, or no bytes.
    pub fn new(mut bytes: Vec<u8>, [first, second]: [Vec<f32>; 2], device: &Device) -> Self {
        let channels = first.len() / BYTE_VALUES;
        assert!(!bytes.is_empty(), "expected bytes");
        assert_eq!(
            [first.len(), second.len()],
            [channels * BYTE_VALUES; 2],
            "expected 256 numbers for each channel of both images"
        );
        let device = &device.clone().inner();
        let len = bytes.len();
        bytes.resize(len.next_multiple_of(size_of::<i32>()), 0);
        let words = bytes
            .as_chunks()
            .0
            .iter()
            .map(|&word| i32::from_le_bytes(word));
        let words: Vec<i32> = words.collect();
        let shape = [words.len()];
        Self {
            bytes: Tensor::from_data(TensorData::new(words, shape), device),
            len,
            numbers: Tensor::from_data(
                TensorData::new([first, second].concat(), [2, channels, BYTE_VALUES]),
                device,
            ),
        }
    }

    /// The first images of pairs, and the second ones.
    ///
    /// # Shapes
    /// - both outputs: `[places, channels, height, width]`
    ///
    /// # Panics
    /// If a place is not among the bytes, exchanges other pixels, or rotates images that are not square.
    pub fn pairs(&self, places: &[PairPlace], [height, width]: [usize; 2]) -> [Tensor<4>; 2] {
        let [_, channels, _] = self.numbers.dims();
        let area = height * width;
        let exchanges = places.iter().any(|place| place.exchanged.is_some());
        let record = PLACE_WORDS + if exchanges { area.div_ceil(32) } else { 0 };
        let mut words: Vec<i32> = Vec::with_capacity(places.len() * record);
        for place in places {
            let end = place.end([channels, height, width]);
            assert!(
                end <= self.len,
                "expected {} bytes, got a pair to {end}",
                self.len
            );
            assert!(
                place.rot90.is_multiple_of(2) || height == width,
                "expected square images, got {height}x{width}"
            );
            words.extend(place.numbers().map(|number| number as i32));
            if exchanges {
                let none = vec![];
                let exchanged = place.exchanged.as_ref().unwrap_or(&none);
                assert!(
                    [0, area].contains(&exchanged.len()),
                    "expected {area} pixels"
                );
                words.extend(exchanged.chunks(32).map(bits));
            }
            words.resize(words.len().next_multiple_of(record), 0);
        }
        let places = TensorData::new(words, [places.len(), record]);
        let places = Tensor::<2, Int>::from_data(places, &self.bytes.device());
        let (first, second) = <Dispatch as PairOps>::byte_pairs(
            self.bytes.clone().into_dispatch(),
            places.into_dispatch(),
            self.numbers.clone().into_dispatch(),
            [height, width],
        );
        [first, second].map(Tensor::from_dispatch)
    }
}

impl PairPlace {
    /// The words before the bits, in the kernel's order.
    fn numbers(&self) -> [usize; PLACE_WORDS] {
        let flip = usize::from(self.flip);
        [
            self.first,
            self.second,
            self.row,
            self.plane,
            flip,
            self.rot90,
        ]
    }

    /// The byte after its last one.
    fn end(&self, [channels, height, width]: [usize; 3]) -> usize {
        let last = (channels - 1) * self.plane + (height - 1) * self.row + width - 1;
        self.first.max(self.second) + last + 1
    }
}

/// The bits of a word, the first in the lowest.
fn bits(set: &[bool]) -> i32 {
    let bits = set.iter().enumerate();
    bits.fold(0, |word, (at, &set)| word | i32::from(set) << at)
}

/// The op, on graphics devices only.
#[backend_extension(Cube, Fusion)]
pub trait PairOps: Backend {
    /// See [`n2n_gpu::pairs::pairs`].
    #[fusion(meta = specs::byte_pairs)]
    fn byte_pairs(
        bytes: IntTensor<Self>,
        places: IntTensor<Self>,
        numbers: FloatTensor<Self>,
        size: [usize; 2],
    ) -> (FloatTensor<Self>, FloatTensor<Self>);
}

impl PairOps for CubeBackend {
    fn byte_pairs(
        bytes: CubeTensor,
        places: CubeTensor,
        numbers: CubeTensor,
        size: [usize; 2],
    ) -> (CubeTensor, CubeTensor) {
        n2n_gpu::pairs::pairs(bytes, places, numbers, size)
    }
}
