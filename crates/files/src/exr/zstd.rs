//! Zstandard in OpenEXR, which its decoder does not know: there, such layers pass for those of another
//! compression whose blocks are as large, and their blocks for some that did not become smaller.
//!
//! A block is stored as it is, or begins with a name, a version, flags and the length of a Zstandard frame. In
//! the frame stand all rows of the 16-bit channels, then those of the 32-bit ones, each of the two behind their
//! length: row by row and channel by channel, the first bytes of all numbers, then all second ones. With a
//! flag, a number is the difference from the one to its left.

use std::io::{self, BufRead, BufReader, ErrorKind, Read};

use ::exr::{
    block::chunk::{Chunk, CompressedBlock, CompressedScanLineBlock, CompressedTileBlock},
    error::Error,
    math::Vec2,
    meta::header::Header as Layer,
};
use ruzstd::decoding::{DEFAULT_MAX_WINDOW_SIZE, StreamingDecoder};

use crate::{attached::MAX_BYTES, input::Input};

/// Values of the attribute: Zstandard, and ZIP of single lines, whose blocks are as large.
const ZSTD: u8 = 13;
const STAND_IN: u8 = 2;

/// The bit of the second byte of the version that says that there are several parts.
const SEVERAL: u8 = 0x10;

/// How a compressed block begins, and the length of all before its frame.
const NAME: &[u8] = b"zstd-exr";
const PREFIX: usize = 24;

/// The flag of differences, of version 2.
const DIFFERENCES: u32 = 1;

/// The headers of a file, where Zstandard stands in them.
#[derive(Default)]
pub(super) struct Start {
    /// The first bytes as the decoder is to see them; none where they stay.
    pub bytes: Vec<u8>,
    /// Which parts are compressed by Zstandard.
    pub zstd: Vec<bool>,
}

impl Start {
    /// Looks through the headers; what is wrong with them is for the decoder to say.
    pub fn read(input: &Input) -> Self {
        let found = Self::scan(BufReader::new(input.reader(Vec::new()))).unwrap_or_default();
        if found.zstd.contains(&true) {
            found
        } else {
            Self::default()
        }
    }

    fn scan(mut reader: impl BufRead) -> io::Result<Self> {
        let mut start = Self::default();
        // A number that all files begin with, and the version.
        start.take(&mut reader, 8)?;
        let has_several = start.bytes[5] & SEVERAL != 0;
        loop {
            let (mut is_empty, mut is_zstd) = (true, false);
            loop {
                let name = start.text(&mut reader)?;
                if name.is_empty() {
                    break;
                }
                is_empty = false;
                let is_compression = name == *b"compression";
                start.text(&mut reader)?;
                let len = start.take(&mut reader, 4)?;
                let len = len.first_chunk().map_or(0, |len| u32::from_le_bytes(*len));
                let value = start.take(&mut reader, len as usize)?;
                if is_compression && *value == [ZSTD] {
                    value[0] = STAND_IN;
                    is_zstd = true;
                }
            }
            if !is_empty {
                start.zstd.push(is_zstd);
            }
            if is_empty || !has_several {
                return Ok(start);
            }
        }
    }

    /// The next `len` bytes.
    fn take(&mut self, reader: &mut impl BufRead, len: usize) -> io::Result<&mut [u8]> {
        let start = self.bytes.len();
        if start + len > MAX_BYTES {
            return Err(ErrorKind::FileTooLarge.into());
        }
        reader.take(len as u64).read_to_end(&mut self.bytes)?;
        if self.bytes.len() < start + len {
            return Err(ErrorKind::UnexpectedEof.into());
        }
        Ok(&mut self.bytes[start..])
    }

    /// The next text, without the zero at its end.
    fn text(&mut self, reader: &mut impl BufRead) -> io::Result<Vec<u8>> {
        let start = self.bytes.len();
        let most = (MAX_BYTES - start.min(MAX_BYTES)) as u64;
        reader.take(most).read_until(0, &mut self.bytes)?;
        match self.bytes[start..].split_last() {
            Some((0, text)) => Ok(text.to_vec()),
            _ => Err(ErrorKind::UnexpectedEof.into()),
        }
    }
}

/// Puts the bytes of a block as it would stand uncompressed in place of a compressed one.
pub(super) fn unpack(chunk: &mut Chunk, layer: &Layer) -> Result<(), Error> {
    let place = layer.get_block_data_indices(&chunk.compressed_block)?;
    let size = layer.get_absolute_block_pixel_coordinates(place)?.size;
    let (CompressedBlock::ScanLine(CompressedScanLineBlock {
        compressed_pixels_le: bytes,
        ..
    })
    | CompressedBlock::Tile(CompressedTileBlock {
        compressed_pixels_le: bytes,
        ..
    })) = &mut chunk.compressed_block
    else {
        return Ok(());
    };
    if bytes.starts_with(NAME) {
        *bytes = pixels(bytes, size, layer).ok_or_else(damaged)??;
    }
    Ok(())
}

fn damaged() -> Error {
    Error::Invalid("a block compressed by Zstandard".into())
}

/// The pixels of a compressed block: row by row and channel by channel. `None` where they are not as they are to be.
fn pixels(bytes: &[u8], size: Vec2<usize>, layer: &Layer) -> Option<Result<Vec<u8>, Error>> {
    let number = |at: usize| Some(u32::from_le_bytes(*bytes.get(at..)?.first_chunk()?));
    let (version, flags) = (number(8)?, number(12)?);
    let has_differences = match (version, flags) {
        (1 | 2, 0) => false,
        (2, DIFFERENCES) => true,
        _ => {
            let found = format!("version {version} of Zstandard with flags {flags}");
            return Some(Err(Error::NotSupported(found.into())));
        }
    };
    let Vec2(width, height) = size;
    let list = &layer.channels.list;
    let of_bytes = |bytes: usize| {
        let channels = list.iter();
        channels.filter(move |channel| channel.sample_type.bytes_per_sample() == bytes)
    };
    let lengths = [2, 4].map(|bytes| width * height * bytes * of_bytes(bytes).count());
    let len: usize = lengths.iter().sum();
    let parts = lengths.iter().filter(|&&len| len > 0).count();
    let frame = unpacked(bytes.get(PREFIX..)?, len + 8 * parts)?;
    let row_bytes = width * layer.channels.bytes_per_pixel;
    let (mut rest, mut pixels) = (&frame[..], vec![0; len]);
    for (bytes, len) in [2, 4].into_iter().zip(lengths) {
        if len == 0 {
            continue;
        }
        let (said, behind) = rest.split_first_chunk()?;
        if u64::from_le_bytes(*said) != len as u64 {
            return None;
        }
        let (part, behind) = behind.split_at_checked(len)?;
        rest = behind;
        let (count, mut at) = (len / bytes, 0);
        for row in 0..height {
            let mut place = row * row_bytes;
            for channel in list {
                let found = channel.sample_type.bytes_per_sample();
                if found == bytes {
                    let numbers = pixels[place..place + width * bytes].chunks_exact_mut(bytes);
                    let mut before = 0_u32;
                    for number in numbers {
                        let byte = |byte: usize| u32::from(part[byte * count + at]) << (8 * byte);
                        let value = (0..bytes).map(byte).sum();
                        before = if has_differences {
                            before.wrapping_add(value)
                        } else {
                            value
                        };
                        number.copy_from_slice(&before.to_le_bytes()[..bytes]);
                        at += 1;
                    }
                }
                place += width * found;
            }
        }
    }
    Some(Ok(pixels))
}

/// What a frame holds, if it is `len` bytes.
fn unpacked(frame: &[u8], len: usize) -> Option<Vec<u8>> {
    // What is unpacked may all be in the window.
    let window = DEFAULT_MAX_WINDOW_SIZE.max(len as u64);
    let decoder = StreamingDecoder::new_with_max_window_size(frame, window).ok()?;
    let mut unpacked = Vec::new();
    let read = decoder.take(len as u64 + 1).read_to_end(&mut unpacked);
    (read.is_ok() && unpacked.len() == len).then_some(unpacked)
}
