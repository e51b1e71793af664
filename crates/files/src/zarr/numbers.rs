//! The numbers of an array, and their order in a chunk.

use serde_json::Value;

use super::json::{Json, shown};
use crate::{FileError, Sample, SampleKind, Samples, element::Element, with_samples};

/// How one number is stored.
#[derive(Clone, Copy)]
pub(super) struct Numbers {
    kind: SampleKind,
    big_endian: bool,
}

impl Numbers {
    /// By the name of the kind, as version 3 has it.
    pub fn named(name: &str) -> Option<Self> {
        let mut kinds = SampleKind::ALL.into_iter();
        let kind = kinds.find(|kind| kind.to_string() == name)?;
        Some(Self {
            kind,
            big_endian: false,
        })
    }

    /// By NumPy's code, as version 2 has it: `<u2`.
    pub fn of_numpy(code: &str) -> Option<Self> {
        let order = code.chars().next()?;
        let mut kinds = SampleKind::ALL.into_iter();
        let kind = kinds.find(|kind| code.get(1..) == Some(&*crate::npy::code(*kind)))?;
        matches!(order, '<' | '>' | '|').then_some(Self {
            kind,
            big_endian: order == '>',
        })
    }

    /// The same in this order of bytes.
    pub fn in_order(self, big_endian: bool) -> Self {
        Self { big_endian, ..self }
    }

    pub fn element(self) -> Element {
        Element::new(self.kind, self.big_endian)
    }

    /// The bytes of an element that was never written.
    pub fn fill(self, value: Option<&Value>, json: &Json) -> Result<Vec<u8>, FileError> {
        let mut one = Samples::zeros(self.kind, 1);
        if let Some(value) = value.filter(|value| !value.is_null()) {
            let put = match &mut one {
                Samples::U64(one) => value.as_u64().map(|value| one[0] = value),
                Samples::I64(one) => value.as_i64().map(|value| one[0] = value),
                one => number(value, self.kind).map(|value| {
                    with_samples!(one, one => one[0] = Sample::from_f64(value));
                }),
            };
            if put.is_none() {
                let found = format!(
                    "its fill value {} is not a number of the kind {}",
                    shown(value),
                    self.kind
                );
                return Err(json.malformed(found));
            }
        }
        let mut bytes = Vec::new();
        self.element().push_to(&one, 0..1, &mut bytes);
        Ok(bytes)
    }
}

/// A number of a kind; of floats also those that JSON does not have.
fn number(value: &Value, kind: SampleKind) -> Option<f64> {
    let number = match value.as_str() {
        Some("NaN") => f64::NAN,
        Some("Infinity") => f64::INFINITY,
        Some("-Infinity") => f64::NEG_INFINITY,
        Some(bits) => of_bits(bits, kind)?,
        None => value.as_f64()?,
    };
    match kind.bounds() {
        Some([low, high]) => (low..=high).contains(&number) && number.fract() == 0.0,
        None => true,
    }
    .then_some(number)
}

/// A float by its bits: `0x7fc00000`.
fn of_bits(bits: &str, kind: SampleKind) -> Option<f64> {
    let bits = u64::from_str_radix(bits.strip_prefix("0x")?, 16).ok()?;
    Some(match kind {
        SampleKind::F16 => half::f16::from_bits(u16::try_from(bits).ok()?).into(),
        SampleKind::F32 => f32::from_bits(u32::try_from(bits).ok()?).into(),
        SampleKind::F64 => f64::from_bits(bits),
        _ => return None,
    })
}

/// How far apart neighbours along each axis are, in a chunk of these sizes whose axes are stored in the
/// order `axes`, the last one closest. Sizes that overflow are refused elsewhere.
pub(super) fn strides(chunk: &[usize], axes: &[usize]) -> Vec<usize> {
    let mut strides = vec![0; chunk.len()];
    let mut stride = 1_usize;
    for &axis in axes.iter().rev() {
        strides[axis] = stride;
        stride = stride.saturating_mul(chunk[axis]);
    }
    strides
}
