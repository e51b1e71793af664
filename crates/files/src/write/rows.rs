//! Grey images that follow each other in a file as they are, row by row.

use std::io::Write;

use super::{EncodeError, elements::ToBytes};
use crate::{Samples, with_samples};

/// Samples that become bytes at once.
const AT_ONCE: usize = 1 << 14;

/// Writes samples one after the other.
pub(super) fn write_samples(
    writer: &mut impl Write,
    samples: &Samples,
    big_endian: bool,
) -> Result<(), EncodeError> {
    with_samples!(samples, samples => write_all(writer, samples, big_endian, |sample| sample))
}

/// Writes what becomes of each sample.
pub(super) fn write_all<T: Copy, U: ToBytes>(
    writer: &mut impl Write,
    samples: &[T],
    big_endian: bool,
    convert: impl Fn(T) -> U,
) -> Result<(), EncodeError> {
    let mut bytes = Vec::new();
    for chunk in samples.chunks(AT_ONCE) {
        bytes.clear();
        for &sample in chunk {
            convert(sample).push_to(&mut bytes, big_endian);
        }
        writer.write_all(&bytes)?;
    }
    Ok(())
}
