//! How numbers stand for those of an image.

use std::path::Path;

use super::{
    card::{Card, integer, real},
    hdu::Hdu,
};
use crate::{FileError, Sample, SampleKind, Samples, input::malformed, with_samples};

/// What stored numbers stand for.
#[derive(Clone, Copy, PartialEq)]
pub(super) enum Stored {
    /// Themselves.
    Plain,
    /// Integers of the other kind, signed or not: their first bit is the other one.
    OtherSign,
    /// `zero + scale * number`, as floats; NaN in place of `blank`.
    Scaled {
        scale: f64,
        zero: f64,
        blank: Option<i64>,
    },
}

/// BZERO of integers of the other kind: unsigned ones of 16 to 64 bits, signed ones of 8.
pub(crate) fn other_sign(bits: i64) -> f64 {
    match bits {
        8 => -128.0,
        bits => 2_f64.powi(bits as i32 - 1),
    }
}

/// BSCALE and BZERO of a header.
pub(crate) fn scaling(cards: &[Card], path: &Path) -> Result<[f64; 2], FileError> {
    let scale = real(cards, "BSCALE", path)?.unwrap_or(1.0);
    Ok([scale, real(cards, "BZERO", path)?.unwrap_or(0.0)])
}

impl Stored {
    /// What the numbers of a part are stored as, what they stand for, and what kind that is.
    pub fn of(hdu: &Hdu, path: &Path) -> Result<(SampleKind, Self, SampleKind), FileError> {
        use SampleKind::{F32, F64, I8, I16, I32, I64, U8, U16, U32, U64};
        let (stored, other, scaled) = match hdu.bits {
            8 => (U8, Some(I8), F32),
            16 => (I16, Some(U16), F32),
            32 => (I32, Some(U32), F64),
            64 => (I64, Some(U64), F64),
            -32 => (F32, None, F32),
            _ => (F64, None, F64),
        };
        let [scale, zero] = scaling(&hdu.cards, path)?;
        if scale == 0.0 {
            return Err(malformed(path, "its BSCALE is 0"));
        }
        let blank = match other {
            Some(_) => integer(&hdu.cards, "BLANK", path)?,
            None => None,
        };
        Ok(match other {
            _ if (scale, zero, blank) == (1.0, 0.0, None) => (stored, Self::Plain, stored),
            Some(other) if scale == 1.0 && zero == other_sign(hdu.bits) && blank.is_none() => {
                (stored, Self::OtherSign, other)
            }
            _ => (stored, Self::Scaled { scale, zero, blank }, scaled),
        })
    }

    /// What stored numbers stand for, which is of `kind`.
    pub fn apply(self, stored: Samples, kind: SampleKind) -> Samples {
        match (self, stored) {
            (Self::Plain, stored) => stored,
            (Self::OtherSign, stored) => with_other_sign(stored),
            (Self::Scaled { scale, zero, blank }, stored) => {
                let blank = blank.map(|blank| blank as f64);
                let value = |number: f64| match blank {
                    Some(blank) if number == blank => f64::NAN,
                    _ => zero + scale * number,
                };
                with_samples!(stored, stored => {
                    let values = stored.into_iter().map(|number| value(number.to_f64()));
                    match kind {
                        SampleKind::F32 => Samples::F32(values.map(|value| value as f32).collect()),
                        _ => Samples::F64(values.collect()),
                    }
                })
            }
        }
    }
}

/// Integers with their first bit turned, as those of the other kind.
pub(crate) fn with_other_sign(samples: Samples) -> Samples {
    macro_rules! turned {
        ($numbers:expr, $kind:ident, $number:ty, $first:expr) => {
            Samples::$kind(
                $numbers
                    .into_iter()
                    .map(|n| (n ^ $first) as $number)
                    .collect(),
            )
        };
    }
    match samples {
        Samples::U8(numbers) => turned!(numbers, I8, i8, 1 << 7),
        Samples::I8(numbers) => turned!(numbers, U8, u8, i8::MIN),
        Samples::I16(numbers) => turned!(numbers, U16, u16, i16::MIN),
        Samples::U16(numbers) => turned!(numbers, I16, i16, 1 << 15),
        Samples::I32(numbers) => turned!(numbers, U32, u32, i32::MIN),
        Samples::U32(numbers) => turned!(numbers, I32, i32, 1 << 31),
        Samples::I64(numbers) => turned!(numbers, U64, u64, i64::MIN),
        Samples::U64(numbers) => turned!(numbers, I64, i64, 1 << 63),
        floats => floats,
    }
}
