//! The numbers of an array.

use std::path::Path;

use half::f16;

use super::places::Places;
use crate::{FileError, SampleKind, Samples};

/// How one number is stored.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(super) struct Element {
    number: Number,
    big_endian: bool,
}

#[derive(Clone, Copy, Debug, PartialEq)]
enum Number {
    U8,
    U16,
    F16,
    F32,
    F64,
}

impl Element {
    /// From NumPy's description, such as `<f4`.
    pub fn from_description(description: &str, path: &Path) -> Result<Self, FileError> {
        let (order, number) = description.split_at_checked(1).unwrap_or_default();
        let number = match (order, number) {
            ("|" | "<" | ">", "u1") => Number::U8,
            ("<" | ">", "u2") => Number::U16,
            ("<" | ">", "f2") => Number::F16,
            ("<" | ">", "f4") => Number::F32,
            ("<" | ">", "f8") => Number::F64,
            _ => {
                return Err(FileError::ArrayType {
                    path: path.to_owned(),
                    found: description.to_owned(),
                });
            }
        };
        Ok(Self {
            number,
            big_endian: order == ">",
        })
    }

    pub fn bytes(self) -> usize {
        match self.number {
            Number::U8 => 1,
            Number::U16 | Number::F16 => 2,
            Number::F32 => 4,
            Number::F64 => 8,
        }
    }

    pub fn kind(self) -> SampleKind {
        match self.number {
            Number::U8 => SampleKind::U8,
            Number::U16 => SampleKind::U16,
            Number::F16 | Number::F32 | Number::F64 => SampleKind::F32,
        }
    }

    /// Puts the elements that `bytes` hold at the next `places` of `samples`, which are of this
    /// element's kind.
    pub fn scatter(self, bytes: &[u8], samples: &mut Samples, places: &mut Places) {
        match (samples, self.number) {
            (Samples::U8(samples), _) => put(bytes, samples, places, |[byte]| byte),
            (Samples::U16(samples), _) => put(bytes, samples, places, |bytes| self.u16(bytes)),
            (Samples::F32(samples), Number::F16) => {
                put(bytes, samples, places, |bytes| {
                    f16::from_bits(self.u16(bytes)).to_f32()
                });
            }
            (Samples::F32(samples), Number::F64) => {
                put(bytes, samples, places, |bytes| self.f64(bytes) as f32);
            }
            (Samples::F32(samples), _) => put(bytes, samples, places, |bytes| self.f32(bytes)),
        }
    }

    fn u16(self, bytes: [u8; 2]) -> u16 {
        if self.big_endian {
            u16::from_be_bytes(bytes)
        } else {
            u16::from_le_bytes(bytes)
        }
    }

    fn f32(self, bytes: [u8; 4]) -> f32 {
        if self.big_endian {
            f32::from_be_bytes(bytes)
        } else {
            f32::from_le_bytes(bytes)
        }
    }

    fn f64(self, bytes: [u8; 8]) -> f64 {
        if self.big_endian {
            f64::from_be_bytes(bytes)
        } else {
            f64::from_le_bytes(bytes)
        }
    }
}

fn put<T, const N: usize>(
    bytes: &[u8],
    samples: &mut [T],
    places: &mut Places,
    convert: impl Fn([u8; N]) -> T,
) {
    let (elements, _) = bytes.as_chunks::<N>();
    for (&element, place) in elements.iter().zip(places) {
        samples[place] = convert(element);
    }
}
