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
                       16 to 64, without compression, or with LZW, Deflate or PackBits";

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
}

/// The decoder's numbers as those of a raster.
pub(super) fn samples(pixels: DecodingResult, packing: Packing, width: usize) -> Samples {
    let bits = packing.bits;
    match pixels {
        DecodingResult::U8(mut packed) if bits < 8 => {
            if packing.reversed {
                packed
                    .iter_mut()
                    .for_each(|byte| *byte = byte.reverse_bits());
            }
            Samples::U8(unpack(&packed, bits, width))
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

/// Samples of fewer than 8 bits, where each row begins a byte, scaled to 0 to 255.
fn unpack(packed: &[u8], bits: u8, width: usize) -> Vec<u8> {
    let row_len = (width * usize::from(bits)).div_ceil(8);
    let most = u8::MAX >> (8 - bits);
    let per_byte = usize::from(8 / bits);
    let sample = |row: &[u8], column: usize| {
        let shift = 8 - bits * (column % per_byte + 1) as u8;
        (row[column / per_byte] >> shift & most) * (u8::MAX / most)
    };
    let rows = packed.chunks_exact(row_len);
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
