//! The numbers of an array.

use std::path::Path;

use half::f16;

use super::places::Places;
use crate::{FileError, SampleKind, Samples, with_samples};

/// How one number is stored.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(super) struct Element {
    number: Number,
    big_endian: bool,
}

#[derive(Clone, Copy, Debug, PartialEq)]
enum Number {
    /// 16-bit floats, which become those of 32 bits.
    F16,
    Of(SampleKind),
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
        let known = match number {
            "f2" => Some(Number::F16),
            _ => SampleKind::ALL
                .into_iter()
                .find(|&kind| code(kind) == number)
                .map(Number::Of),
        };
        let element = known.map(|number| Self {
            number,
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
        match self.number {
            Number::F16 => 2,
            Number::Of(kind) => kind.bytes(),
        }
    }

    pub fn kind(self) -> SampleKind {
        match self.number {
            Number::F16 => SampleKind::F32,
            Number::Of(kind) => kind,
        }
    }

    /// Puts the elements that `bytes` hold at the next `places` of `samples`, which are of this
    /// element's kind.
    pub fn scatter(self, bytes: &[u8], samples: &mut Samples, places: &mut Places) {
        match (samples, self.number) {
            (Samples::F32(samples), Number::F16) => {
                self.put(bytes, samples, places, f16::to_f32);
            }
            (samples, _) => {
                with_samples!(samples, samples => self.put(bytes, samples, places, |value| value));
            }
        }
    }

    fn put<F: FromBytes, T>(
        self,
        bytes: &[u8],
        samples: &mut [T],
        places: &mut Places,
        convert: impl Fn(F) -> T,
    ) {
        let elements = bytes.chunks_exact(size_of::<F>());
        for (element, place) in elements.zip(places) {
            samples[place] = convert(F::from_bytes(element, self.big_endian));
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
