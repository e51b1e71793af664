//! Compressions that the TIFF decoder does not have: what a strip or tile holds becomes bytes as they would
//! stand in an uncompressed one.

use std::{
    io::{Cursor, Read},
    path::Path,
};

use image_webp::WebPDecoder;
use ruzstd::decoding::{DEFAULT_MAX_WINDOW_SIZE, StreamingDecoder};

use crate::{
    FileError,
    input::{malformed, truncated},
    jpeg,
};

/// Values of the tag.
pub(super) const JPEG: u16 = 7;
const ZSTD: u16 = 50000;
pub(super) const WEBP: u16 = 50001;

/// What an end within a strip or tile cuts off.
const PIXELS: &str = "the compressed pixels of a strip or tile";

/// How strips and tiles are compressed.
pub(super) struct Packed {
    compression: u16,
    /// What all JPEG streams have in common: a stream of tables.
    tables: Vec<u8>,
    /// Whether the colours of JPEG are YCbCr.
    ycbcr: bool,
}

/// Whether strips and tiles of this compression are unpacked here.
pub(super) fn is_packed(compression: u16) -> bool {
    matches!(compression, JPEG | ZSTD | WEBP)
}

/// The name of a compression that is not read.
pub(super) fn name(compression: u16) -> String {
    let name = match compression {
        2..=4 => "CCITT",
        6 => "the old JPEG",
        JPEG => "JPEG",
        32809 => "ThunderScan",
        33003 | 33004 | 33005 | 34712 => "JPEG 2000",
        34661 => "JBIG",
        34887 => "LERC",
        34925 => "LZMA",
        WEBP => "WebP",
        50002 | 52546 => "JPEG XL",
        other => return format!("the TIFF compression {other}"),
    };
    format!("the TIFF compression {name}")
}

impl Packed {
    /// None where the decoder reads the strips and tiles.
    pub fn new(compression: u16, tables: Vec<u8>, ycbcr: bool) -> Option<Self> {
        is_packed(compression).then_some(Self {
            compression,
            tables,
            ycbcr,
        })
    }

    /// Whether what is unpacked may be differences of samples.
    pub fn keeps_predictor(&self) -> bool {
        self.compression == ZSTD
    }

    /// The `len` bytes of a strip or tile of `[rows, columns, samples]`; a JPEG may have up to `most_rows`.
    pub fn unpack(
        &self,
        bytes: Vec<u8>,
        len: usize,
        shape: [usize; 3],
        most_rows: usize,
        path: &Path,
    ) -> Result<Vec<u8>, FileError> {
        let mut unpacked = match self.compression {
            ZSTD => zstd(&bytes, len, path)?,
            WEBP => webp(bytes, shape, path)?,
            _ => {
                let stream = self.stream(&bytes).ok_or_else(|| truncated(path, PIXELS))?;
                jpeg::read_samples(&stream, self.ycbcr, shape, most_rows, path)?
            }
        };
        if unpacked.len() < len {
            return Err(truncated(path, PIXELS));
        }
        unpacked.truncate(len);
        Ok(unpacked)
    }

    /// A JPEG stream with its tables, each without the marker where it ends or begins.
    fn stream(&self, bytes: &[u8]) -> Option<Vec<u8>> {
        if self.tables.is_empty() {
            return Some(bytes.to_vec());
        }
        let tables = self.tables.get(..self.tables.len().checked_sub(2)?)?;
        Some([tables, bytes.get(2..)?].concat())
    }
}

fn zstd(bytes: &[u8], len: usize, path: &Path) -> Result<Vec<u8>, FileError> {
    let damaged = |error: &dyn std::fmt::Display| malformed(path, format!("{PIXELS}: {error}"));
    // What is unpacked may all be in the window.
    let window = DEFAULT_MAX_WINDOW_SIZE.max(len as u64);
    let decoder = StreamingDecoder::new_with_max_window_size(bytes, window)
        .map_err(|error| damaged(&error))?;
    let mut unpacked = Vec::with_capacity(len);
    decoder
        .take(len as u64)
        .read_to_end(&mut unpacked)
        .map_err(|error| damaged(&error))?;
    Ok(unpacked)
}

fn webp(
    bytes: Vec<u8>,
    [rows, columns, samples]: [usize; 3],
    path: &Path,
) -> Result<Vec<u8>, FileError> {
    let damaged = |error: &dyn std::fmt::Display| malformed(path, format!("{PIXELS}: {error}"));
    let mut decoder = WebPDecoder::new(Cursor::new(bytes)).map_err(|error| damaged(&error))?;
    let (width, height) = decoder.dimensions();
    if [height as usize, width as usize] != [rows, columns] {
        let found = format!("a strip or tile of {columns}x{rows} pixels has {width}x{height}");
        return Err(malformed(path, found));
    }
    let found = if decoder.has_alpha() { 4 } else { 3 };
    let mut pixels = vec![0; rows * columns * found];
    let decoded = decoder.read_image(&mut pixels);
    decoded.map_err(|error| damaged(&error))?;
    // Alpha that is opaque everywhere may be missing; what the file does not speak of is left out.
    if found == samples {
        return Ok(pixels);
    }
    let opaque = [u8::MAX];
    let pixels = pixels.chunks_exact(found);
    Ok(pixels
        .flat_map(|pixel| pixel.iter().chain(&opaque).take(samples))
        .copied()
        .collect())
}
