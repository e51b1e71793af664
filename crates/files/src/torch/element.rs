//! The numbers of a storage.

use half::{bf16, f16};

/// How one number is stored, little-endian.
#[derive(Debug)]
pub(super) struct Element {
    /// Name of the storage class in `torch`.
    pub class: &'static str,
    /// Name of the element type.
    pub dtype: &'static str,
    /// Bytes of one element.
    pub bytes: usize,
    /// The value of those bytes, if they are a real number with a fraction.
    pub float: Option<fn(&[u8]) -> f32>,
}

const fn element(
    class: &'static str,
    dtype: &'static str,
    bytes: usize,
    float: Option<fn(&[u8]) -> f32>,
) -> Element {
    Element {
        class,
        dtype,
        bytes,
        float,
    }
}

/// What PyTorch stores.
static ELEMENTS: [Element; 15] = [
    element(
        "DoubleStorage",
        "float64",
        8,
        Some(|b| f64::from_le_bytes(sized(b)) as f32),
    ),
    element(
        "FloatStorage",
        "float32",
        4,
        Some(|b| f32::from_le_bytes(sized(b))),
    ),
    element(
        "HalfStorage",
        "float16",
        2,
        Some(|b| f16::from_le_bytes(sized(b)).to_f32()),
    ),
    element(
        "BFloat16Storage",
        "bfloat16",
        2,
        Some(|b| bf16::from_le_bytes(sized(b)).to_f32()),
    ),
    element("LongStorage", "int64", 8, None),
    element("IntStorage", "int32", 4, None),
    element("ShortStorage", "int16", 2, None),
    element("CharStorage", "int8", 1, None),
    element("ByteStorage", "uint8", 1, None),
    element("BoolStorage", "bool", 1, None),
    element("ComplexFloatStorage", "complex64", 8, None),
    element("ComplexDoubleStorage", "complex128", 16, None),
    element("QInt8Storage", "qint8", 1, None),
    element("QUInt8Storage", "quint8", 1, None),
    element("QInt32Storage", "qint32", 4, None),
];

impl Element {
    /// The element of a storage class.
    pub fn of_class(class: &str) -> Option<&'static Self> {
        ELEMENTS.iter().find(|element| element.class == class)
    }
}

fn sized<const N: usize>(bytes: &[u8]) -> [u8; N] {
    std::array::from_fn(|at| bytes[at])
}
