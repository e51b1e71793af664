//! How the bytes of a chunk are packed.

use std::{
    fmt::Display,
    io::{Read, Write},
};

use flate2::{
    Compression,
    read::{GzDecoder, ZlibDecoder},
    write::{GzEncoder, ZlibEncoder},
};
use ruzstd::{
    decoding::{DEFAULT_MAX_WINDOW_SIZE, StreamingDecoder},
    encoding::{CompressionLevel, compress_to_vec},
};

use super::blosc;
use crate::crc32c::crc32c;

/// A way of packing bytes.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(crate) enum Codec {
    Gzip(Compression),
    Zlib(Compression),
    Zstd,
    /// Blocks of LZ4 behind their length.
    Lz4,
    Blosc(blosc::Settings),
    /// A checksum behind the bytes.
    Crc32c,
}

/// Bytes of a checksum.
pub(super) const CHECKSUM: usize = 4;

/// How many times as long as a block of LZ4 its contents are at most.
const MOST_OF_LZ4: usize = 255;

/// Most bytes that packing `len` bytes makes of them.
pub(super) fn most_packed(len: usize) -> usize {
    len.saturating_add(len / 8).saturating_add(1 << 16)
}

/// The `len` bytes that were packed by `codecs`, one after the other.
pub(super) fn unpack(codecs: &[Codec], mut bytes: Vec<u8>, len: usize) -> Result<Vec<u8>, String> {
    for (at, codec) in codecs.iter().enumerate().rev() {
        let most = if at == 0 { len } else { most_packed(len) };
        bytes = codec.unpack(&bytes, most)?;
    }
    if bytes.len() == len {
        Ok(bytes)
    } else {
        Err(format!("it holds {} bytes of {len}", bytes.len()))
    }
}

/// Packs bytes by `codecs`, one after the other.
pub(crate) fn pack(codecs: &[Codec], bytes: Vec<u8>) -> std::io::Result<Vec<u8>> {
    codecs
        .iter()
        .try_fold(bytes, |bytes, codec| codec.pack(bytes))
}

impl Codec {
    fn unpack(&self, bytes: &[u8], most: usize) -> Result<Vec<u8>, String> {
        match self {
            Self::Gzip(_) => read(GzDecoder::new(bytes), most),
            Self::Zlib(_) => read(ZlibDecoder::new(bytes), most),
            Self::Zstd => unzstd(bytes, most),
            Self::Lz4 => {
                let (len, block) = bytes.split_first_chunk().ok_or("it has no length")?;
                match u32::from_le_bytes(*len) as usize {
                    len if len <= most => unlz4(block, len),
                    len => Err(format!("it announces {len} bytes")),
                }
            }
            Self::Blosc(_) => blosc::unpack(bytes, most),
            Self::Crc32c => {
                let end = bytes
                    .len()
                    .checked_sub(CHECKSUM)
                    .ok_or("it has no checksum")?;
                let (bytes, checksum) = bytes.split_at(end);
                if crc32c(bytes).to_le_bytes() == checksum {
                    Ok(bytes.to_vec())
                } else {
                    Err("its checksum is that of other bytes".to_owned())
                }
            }
        }
    }

    fn pack(&self, mut bytes: Vec<u8>) -> std::io::Result<Vec<u8>> {
        Ok(match self {
            Self::Gzip(level) => {
                let mut encoder = GzEncoder::new(Vec::new(), *level);
                encoder.write_all(&bytes)?;
                encoder.finish()?
            }
            Self::Zlib(level) => zlib(&bytes, *level)?,
            Self::Zstd => compress_to_vec(&*bytes, CompressionLevel::Fastest),
            Self::Lz4 => lz4_flex::compress_prepend_size(&bytes),
            Self::Blosc(settings) => blosc::pack(&bytes, settings)?,
            Self::Crc32c => {
                let checksum = crc32c(&bytes);
                bytes.extend(checksum.to_le_bytes());
                bytes
            }
        })
    }
}

/// Bytes as a zlib stream.
pub(super) fn zlib(bytes: &[u8], level: Compression) -> std::io::Result<Vec<u8>> {
    let mut encoder = ZlibEncoder::new(Vec::new(), level);
    encoder.write_all(bytes)?;
    encoder.finish()
}

/// What a decoder gives, of `most` bytes at most.
pub(super) fn read(decoder: impl Read, most: usize) -> Result<Vec<u8>, String> {
    let mut bytes = Vec::new();
    let limited = &mut decoder.take(most as u64 + 1);
    limited
        .read_to_end(&mut bytes)
        .map_err(|error| said(&error))?;
    if bytes.len() > most {
        return Err(format!("it unpacks to more than {most} bytes"));
    }
    Ok(bytes)
}

/// What a zstd frame holds, of `most` bytes at most.
pub(super) fn unzstd(bytes: &[u8], most: usize) -> Result<Vec<u8>, String> {
    // What is unpacked may all be in the window.
    let window = DEFAULT_MAX_WINDOW_SIZE.max(most as u64);
    let decoder = StreamingDecoder::new_with_max_window_size(bytes, window);
    read(decoder.map_err(|error| said(&error))?, most)
}

/// What a block of LZ4 holds, of `len` bytes at most.
pub(super) fn unlz4(block: &[u8], len: usize) -> Result<Vec<u8>, String> {
    if len / MOST_OF_LZ4 > block.len() {
        return Err(format!("{} bytes of LZ4 cannot hold {len}", block.len()));
    }
    lz4_flex::decompress(block, len).map_err(|error| said(&error))
}

fn said(error: &dyn Display) -> String {
    format!("its bytes cannot be unpacked: {error}")
}
