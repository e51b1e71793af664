//! Numbers as files of arrays store them, in either byte order.

use std::ops::Range;

use half::f16;

use crate::{SampleKind, Samples, with_samples, write::ToBytes};

/// How one number is stored.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(crate) struct Element {
    kind: SampleKind,
    big_endian: bool,
}

impl Element {
    pub fn new(kind: SampleKind, big_endian: bool) -> Self {
        Self { kind, big_endian }
    }

    pub fn bytes(self) -> usize {
        self.kind.bytes()
    }

    pub fn kind(self) -> SampleKind {
        self.kind
    }

    /// Puts the elements that `bytes` hold at the next `places` of `samples`, which are of this
    /// element's kind.
    pub fn scatter(
        self,
        bytes: &[u8],
        samples: &mut Samples,
        places: &mut impl Iterator<Item = usize>,
    ) {
        with_samples!(samples, samples => self.put(bytes, samples, places));
    }

    /// Adds some of `samples`, which are of this element's kind, as the bytes that store them.
    pub fn push_to(self, samples: &Samples, some: Range<usize>, bytes: &mut Vec<u8>) {
        with_samples!(samples, samples => {
            let some = samples[some].iter();
            some.for_each(|sample| sample.push_to(bytes, self.big_endian));
        });
    }

    fn put<T: FromBytes>(
        self,
        bytes: &[u8],
        samples: &mut [T],
        places: &mut impl Iterator<Item = usize>,
    ) {
        let elements = bytes.chunks_exact(size_of::<T>());
        for (element, place) in elements.zip(places) {
            samples[place] = T::from_bytes(element, self.big_endian);
        }
    }
}

/// A number made of as many bytes as it takes in memory.
trait FromBytes {
    fn from_bytes(bytes: &[u8], big_endian: bool) -> Self;
}

macro_rules! from_bytes {
    ($($number:ty)*) => {
        $(impl FromBytes for $number {
            fn from_bytes(bytes: &[u8], big_endian: bool) -> Self {
                let bytes = std::array::from_fn(|at| bytes[at]);
                if big_endian {
                    Self::from_be_bytes(bytes)
                } else {
                    Self::from_le_bytes(bytes)
                }
            }
        })*
    };
}

from_bytes!(u8 i8 u16 i16 u32 i32 u64 i64 f16 f32 f64);
