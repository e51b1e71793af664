//! The numbers of an array.

use std::path::Path;

use super::layout::Places;
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
                put(bytes, samples, places, |bytes| f16_to_f32(self.u16(bytes)));
            }
            (Samples::F32(samples), Number::F64) => {
                put(bytes, samples, places, |bytes| self.f64(bytes) as f32);
            }
            (Samples::F32(samples), _) => put(bytes, samples, places, |bytes| self.f32(bytes)),
        }
    }

    fn u16(self, bytes: [u8; 2]) -> u16 {
        match self.big_endian {
            true => u16::from_be_bytes(bytes),
            false => u16::from_le_bytes(bytes),
        }
    }

    fn f32(self, bytes: [u8; 4]) -> f32 {
        match self.big_endian {
            true => f32::from_be_bytes(bytes),
            false => f32::from_le_bytes(bytes),
        }
    }

    fn f64(self, bytes: [u8; 8]) -> f64 {
        match self.big_endian {
            true => f64::from_be_bytes(bytes),
            false => f64::from_le_bytes(bytes),
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

/// The value of the 16-bit float with these bits: a sign, 5 bits of exponent, 10 of fraction.
fn f16_to_f32(bits: u16) -> f32 {
    let (exponent, fraction) = (bits >> 10 & 0x1f, bits & 0x3ff);
    let magnitude = match exponent {
        // 2^-24 is the smallest step; the product is exact.
        0 => f32::from(fraction) * 2.0_f32.powi(-24),
        0x1f => f32::from_bits(0xff << 23 | u32::from(fraction) << 13),
        _ => f32::from_bits((u32::from(exponent) + 127 - 15) << 23 | u32::from(fraction) << 13),
    };
    f32::from_bits(magnitude.to_bits() | u32::from(bits & 0x8000) << 16)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn half_floats_have_the_values_of_ieee_754() {
        for (bits, value) in [
            (0x0000, 0.0),
            (0x0001, 5.960_464_5e-8),
            (0x03ff, 6.097_555e-5),
            (0x0400, 6.103_515_6e-5),
            (0x3555, 0.333_251_95),
            (0x3c00, 1.0),
            (0x7bff, 65504.0),
            (0x7c00, f32::INFINITY),
            (0xc000, -2.0),
        ] {
            assert_eq!(f16_to_f32(bits), value, "{bits:#06x}");
        }
        assert!(f16_to_f32(0x7e00).is_nan());
        assert!(f16_to_f32(0x8000).is_sign_negative());
    }
}
