//! Limits, samples and errors of the TIFF decoder.

use std::path::Path;

use ::tiff::{
    TiffError,
    decoder::{DecodingResult, Limits},
};

use crate::{
    FileError, MAX_DECODED_BYTES, Samples,
    input::{malformed, read_error, unsupported},
};

pub(super) const WAY_OUT: &str = "save it as grey, RGB or up to 64 bands of integers of 8 to 64 bits or floats of \
                       16 to 64, without compression, or with LZW, Deflate, PackBits, Zstandard, JPEG or WebP";

pub(super) fn limits() -> Limits {
    let mut limits = Limits::default();
    limits.decoding_buffer_size = MAX_DECODED_BYTES as usize;
    limits.intermediate_buffer_size = MAX_DECODED_BYTES as usize;
    limits
}

/// How samples lie in bytes.
#[derive(Clone, Copy)]
pub(super) struct Packing {
    /// Bits of one.
    pub bits: u8,
    /// Whether the first one of a byte takes its lowest bits, and the bits of a sample are turned around.
    pub reversed: bool,
    /// Whether samples are numbers of colours in a palette, which are not scaled.
    pub indexed: bool,
}

impl Packing {
    /// Whether samples of more than a byte do not end where bytes do.
    pub fn crosses_bytes(self) -> bool {
        matches!(self.bits, 9..=15)
    }
}

/// Converts the decoder's numbers to samples of a raster, in which `row` of them lie in a row.
pub(super) fn samples(pixels: DecodingResult, packing: Packing, row: usize) -> Samples {
    let bits = packing.bits;
    match pixels {
        DecodingResult::U8(mut packed) if bits < 8 => {
            if packing.reversed {
                packed
                    .iter_mut()
                    .for_each(|byte| *byte = byte.reverse_bits());
            }
            let scale = if packing.indexed {
                1
            } else {
                u8::MAX / most(bits)
            };
            Samples::U8(unpack(&packed, bits, row, scale))
        }
        DecodingResult::U8(packed) if packing.crosses_bytes() => {
            Samples::U16(unpack_wide(&packed, bits, row))
        }
        DecodingResult::U8(samples) => Samples::U8(samples),
        DecodingResult::I8(samples) => Samples::I8(samples),
        DecodingResult::U16(samples) => Samples::U16(samples),
        DecodingResult::I16(samples) => Samples::I16(samples),
        DecodingResult::U32(samples) => Samples::U32(samples),
        DecodingResult::I32(samples) => Samples::I32(samples),
        DecodingResult::U64(samples) => Samples::U64(samples),
        DecodingResult::I64(samples) => Samples::I64(samples),
        DecodingResult::F16(samples) => Samples::F16(samples),
        DecodingResult::F32(samples) => Samples::F32(samples),
        DecodingResult::F64(samples) => Samples::F64(samples),
    }
}

/// The largest number of fewer than 8 bits.
fn most(bits: u8) -> u8 {
    u8::MAX >> (8 - bits)
}

/// Samples of fewer than 8 bits, where each row begins a byte, times `scale`.
fn unpack(packed: &[u8], bits: u8, width: usize, scale: u8) -> Vec<u8> {
    let row_len = (width * usize::from(bits)).div_ceil(8);
    let per_byte = usize::from(8 / bits);
    let sample = |row: &[u8], column: usize| {
        let shift = 8 - bits * (column % per_byte + 1) as u8;
        (row[column / per_byte] >> shift & most(bits)) * scale
    };
    let rows = packed.chunks_exact(row_len);
    rows.flat_map(|row| (0..width).map(move |column| sample(row, column)))
        .collect()
}

/// Samples of 9 to 15 bits, where each row begins a byte, highest bit first.
fn unpack_wide(packed: &[u8], bits: u8, width: usize) -> Vec<u16> {
    let bits = usize::from(bits);
    let sample = |row: &[u8], column: usize| {
        let first = column * bits;
        // A sample lies in two or three bytes.
        let bytes = (0..3).map(|at| row.get(first / 8 + at).copied().unwrap_or(0));
        let three = bytes.fold(0_u32, |number, byte| number << 8 | u32::from(byte));
        (three >> (24 - first % 8 - bits)) as u16 & (u16::MAX >> (16 - bits))
    };
    let rows = packed.chunks_exact((width * bits).div_ceil(8));
    rows.flat_map(|row| (0..width).map(move |column| sample(row, column)))
        .collect()
}

pub(super) fn tiff_error(error: TiffError, path: &Path) -> FileError {
    match error {
        TiffError::IoError(error) => read_error(error, path, "its pages"),
        TiffError::UnsupportedError(found) => {
            unsupported(path, format!("TIFF of a kind ({found})"), WAY_OUT)
        }
        TiffError::LimitsExceeded => {
            let way_out = "save it in fewer and larger strips or tiles";
            unsupported(path, "a tag of more than 1 MiB", way_out)
        }
        other => malformed(path, other.to_string()),
    }
}
