//! The numbers of an array.

use std::path::Path;

use half::f16;

use super::places::Places;
use crate::{FileError, SampleKind, Samples, with_samples};

/// How one number is stored.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(super) struct Element {
    kind: SampleKind,
    big_endian: bool,
}

/// NumPy's code of a kind: `u1` for uint8.
pub(crate) fn code(kind: SampleKind) -> String {
    let letter = match kind.bounds() {
        Some([smallest, _]) if smallest < 0.0 => 'i',
        Some(_) => 'u',
        None => 'f',
    };
    format!("{letter}{}", kind.bytes())
}

impl Element {
    /// From NumPy's description, such as `<f4`.
    pub fn from_description(description: &str, path: &Path) -> Result<Self, FileError> {
        let (order, number) = description.split_at_checked(1).unwrap_or_default();
        let mut known = SampleKind::ALL.into_iter();
        let known = known.find(|&kind| code(kind) == number);
        let element = known.map(|kind| Self {
            kind,
            big_endian: order == ">",
        });
        element
            .filter(|element| match order {
                "<" | ">" => true,
                // Bytes have no order.
                "|" => element.bytes() == 1,
                _ => false,
            })
            .ok_or_else(|| FileError::ArrayType {
                path: path.to_owned(),
                found: description.to_owned(),
            })
    }

    pub fn bytes(self) -> usize {
        self.kind.bytes()
    }

    pub fn kind(self) -> SampleKind {
        self.kind
    }

    /// Puts the elements that `bytes` hold at the next `places` of `samples`, which are of this
    /// element's kind.
    pub fn scatter(self, bytes: &[u8], samples: &mut Samples, places: &mut Places) {
        with_samples!(samples, samples => self.put(bytes, samples, places));
    }

    fn put<T: FromBytes>(self, bytes: &[u8], samples: &mut [T], places: &mut Places) {
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
