//! Numbers as files of arrays store them, in either byte order.

use half::f16;

use crate::Sample;

/// A number that is written as its bytes.
pub(crate) trait ToBytes: Sample {
    fn push_to(self, bytes: &mut Vec<u8>, big_endian: bool);
}

macro_rules! to_bytes {
    ($($number:ty)*) => {
        $(impl ToBytes for $number {
            fn push_to(self, bytes: &mut Vec<u8>, big_endian: bool) {
                bytes.extend(if big_endian {
                    self.to_be_bytes()
                } else {
                    self.to_le_bytes()
                });
            }
        })*
    };
}

to_bytes!(u8 i8 u16 i16 u32 i32 u64 i64 f16 f32 f64);
