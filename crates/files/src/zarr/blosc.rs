//! Blosc, version 1: blocks of shuffled bytes, packed by one of several compressors.
//!
//! A header of 16 bytes names the compressor and the byte order; the reader uses both.

use std::io;

use flate2::{Compression, read::ZlibDecoder};
use ruzstd::encoding::{CompressionLevel, compress_to_vec};

use super::codec::{read, unlz4, unzstd, zlib};

/// Bytes of the header.
const HEADER: usize = 16;

/// The version of the format that is written.
const VERSION: u8 = 2;

/// Bits of the flags.
const SHUFFLED: u8 = 1;
const COPIED: u8 = 1 << 1;
const BITS_SHUFFLED: u8 = 1 << 2;
const NOT_SPLIT: u8 = 1 << 4;

/// Bytes of the blocks that are written.
const BLOCK: usize = 256 << 10;

/// Compressors by their numbers.
const NAMES: [&str; 5] = ["blosclz", "lz4", "snappy", "zlib", "zstd"];

/// How chunks are written.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(crate) struct Settings {
    pub packer: Packer,
    /// Whether the first bytes of all numbers stand together, then their second ones, and so on.
    pub shuffles: bool,
    /// Bytes of a number.
    pub size: usize,
}

/// What blocks are packed by.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(crate) enum Packer {
    Lz4,
    Zlib,
    Zstd,
}

impl Packer {
    /// By the name in metadata. Whatever else is named there is written as LZ4, which every reader of Blosc
    /// knows.
    pub fn named(name: &str) -> Self {
        match name {
            "zlib" => Self::Zlib,
            "zstd" => Self::Zstd,
            _ => Self::Lz4,
        }
    }

    /// The number in the flags.
    fn number(self) -> u8 {
        match self {
            Self::Lz4 => 1,
            Self::Zlib => 3,
            Self::Zstd => 4,
        }
    }

    fn of_number(number: u8) -> Result<Self, String> {
        let packers = [Self::Lz4, Self::Zlib, Self::Zstd];
        let known = packers.into_iter().find(|known| known.number() == number);
        known.ok_or_else(|| {
            let name = NAMES.get(usize::from(number)).unwrap_or(&"unknown to it");
            format!("the compressor {name} of Blosc is not supported; write it with lz4 or zstd")
        })
    }

    /// The `len` bytes that were packed.
    fn unpack(self, packed: &[u8], len: usize) -> Result<Vec<u8>, String> {
        let bytes = match self {
            Self::Lz4 => unlz4(packed, len)?,
            Self::Zlib => read(ZlibDecoder::new(packed), len)?,
            Self::Zstd => unzstd(packed, len)?,
        };
        if bytes.len() == len {
            Ok(bytes)
        } else {
            Err(format!(
                "a block of Blosc holds {} bytes of {len}",
                bytes.len()
            ))
        }
    }

    fn pack(self, bytes: &[u8]) -> io::Result<Vec<u8>> {
        Ok(match self {
            Self::Lz4 => lz4_flex::compress(bytes),
            Self::Zlib => zlib(bytes, Compression::default())?,
            Self::Zstd => compress_to_vec(bytes, CompressionLevel::Fastest),
        })
    }
}

/// The bytes that a chunk of Blosc holds, `most` at most.
pub(super) fn unpack(packed: &[u8], most: usize) -> Result<Vec<u8>, String> {
    let torn = || "its bytes end inside a chunk of Blosc".to_owned();
    let header: &[u8; HEADER] = packed.first_chunk().ok_or_else(torn)?;
    let number = |at: usize| u32::from_le_bytes(std::array::from_fn(|byte| header[at + byte]));
    let (flags, size) = (header[2], usize::from(header[3]).max(1));
    let [len, block] = [4, 8].map(|at| number(at) as usize);
    if len > most {
        return Err(format!(
            "a chunk of Blosc announces {len} bytes, more than {most}"
        ));
    }
    if flags & COPIED != 0 {
        let copied = packed.get(HEADER..HEADER + len).ok_or_else(torn)?;
        return Ok(copied.to_vec());
    }
    if len == 0 {
        return Ok(Vec::new());
    }
    if block == 0 {
        return Err("a chunk of Blosc has blocks of no byte".to_owned());
    }
    let packer = Packer::of_number(flags >> 5)?;
    let mut bytes = Vec::new();
    for index in 0..len.div_ceil(block) {
        let this = block.min(len - index * block);
        let number_at = |at: usize| {
            let number = packed.get(at..).and_then(<[u8]>::first_chunk);
            let number = number.map(|&number| u32::from_le_bytes(number) as usize);
            number.ok_or_else(torn)
        };
        let mut at = number_at(HEADER + 4 * index)?;
        let parts = if flags & NOT_SPLIT == 0 && this == block && this.is_multiple_of(size) {
            size
        } else {
            1
        };
        let part = this / parts;
        let mut shuffled = Vec::new();
        for _ in 0..parts {
            let packed_len = number_at(at)?;
            let stream = packed.get(at + 4..).and_then(|rest| rest.get(..packed_len));
            let stream = stream.ok_or_else(torn)?;
            if packed_len == part {
                shuffled.extend_from_slice(stream);
            } else {
                shuffled.extend(packer.unpack(stream, part)?);
            }
            at += 4 + packed_len;
        }
        if flags & BITS_SHUFFLED != 0 {
            bytes.extend(bits_unshuffled(&shuffled, size));
        } else if flags & SHUFFLED != 0 {
            bytes.extend(unshuffled(&shuffled, size));
        } else {
            bytes.extend(shuffled);
        }
    }
    Ok(bytes)
}

/// A chunk of Blosc.
pub(super) fn pack(bytes: &[u8], settings: &Settings) -> io::Result<Vec<u8>> {
    let Settings {
        packer,
        shuffles,
        size,
    } = *settings;
    let shuffles = shuffles && size > 1;
    let block = BLOCK.min(bytes.len().max(1)).next_multiple_of(size);
    let too_long = |_| io::Error::other("a chunk of Blosc is shorter than 4 GiB");
    let flags = NOT_SPLIT | (u8::from(shuffles) * SHUFFLED) | (packer.number() << 5);
    let mut packed = vec![VERSION, 1, flags, size as u8];
    for number in [bytes.len(), block, 0] {
        packed.extend(u32::try_from(number).map_err(too_long)?.to_le_bytes());
    }
    let blocks = bytes.chunks(block);
    packed.resize(HEADER + 4 * blocks.len(), 0);
    for (index, bytes) in blocks.enumerate() {
        let start = u32::try_from(packed.len()).map_err(too_long)?;
        packed[HEADER + 4 * index..][..4].copy_from_slice(&start.to_le_bytes());
        let bytes = if shuffles {
            shuffled(bytes, size)
        } else {
            bytes.to_vec()
        };
        let stream = packer.pack(&bytes)?;
        let stream = if stream.len() < bytes.len() {
            stream
        } else {
            bytes
        };
        packed.extend((stream.len() as u32).to_le_bytes());
        packed.extend(stream);
    }
    let len = u32::try_from(packed.len()).map_err(too_long)?;
    packed[12..HEADER].copy_from_slice(&len.to_le_bytes());
    Ok(packed)
}

/// The first bytes of all numbers of `size` bytes, then their second ones, and so on; what is behind the
/// last whole number stays there.
fn shuffled(bytes: &[u8], size: usize) -> Vec<u8> {
    let (whole, rest) = bytes.split_at(bytes.len() / size * size);
    let mut shuffled = Vec::with_capacity(bytes.len());
    for place in 0..size {
        shuffled.extend(whole.iter().skip(place).step_by(size));
    }
    shuffled.extend(rest);
    shuffled
}

/// What was [`shuffled`].
fn unshuffled(bytes: &[u8], size: usize) -> Vec<u8> {
    let count = bytes.len() / size;
    let mut whole = vec![0; bytes.len()];
    for place in 0..size {
        let from = &bytes[place * count..][..count];
        let into = whole.iter_mut().skip(place).step_by(size);
        into.zip(from).for_each(|(into, from)| *into = *from);
    }
    whole[count * size..].copy_from_slice(&bytes[count * size..]);
    whole
}

/// The same of single bits: the lowest bits of the first bytes stand together, and so on. Blocks whose
/// numbers are no multiple of eight are not shuffled.
fn bits_unshuffled(bytes: &[u8], size: usize) -> Vec<u8> {
    let count = bytes.len() / size;
    if !count.is_multiple_of(8) {
        return bytes.to_vec();
    }
    let mut whole = vec![0; bytes.len()];
    whole[count * size..].copy_from_slice(&bytes[count * size..]);
    for (row, bits) in bytes[..count * size]
        .chunks_exact((count / 8).max(1))
        .enumerate()
    {
        let (place, bit) = (row / 8, row % 8);
        for (at, eight) in bits.iter().enumerate() {
            for number in 0..8 {
                whole[(8 * at + number) * size + place] |= (eight >> number & 1) << bit;
            }
        }
    }
    whole
}

#[cfg(test)]
mod tests {
    use super::*;

    fn numbers(len: usize) -> Vec<u8> {
        (0..len).map(|at| (at / 7 * at % 251) as u8).collect()
    }

    #[test]
    fn chunks_survive_a_round_trip() {
        for packer in [Packer::Lz4, Packer::Zlib, Packer::Zstd] {
            for (size, len) in [(1, 5), (2, 600_002), (4, 100), (8, 300_001), (2, 0)] {
                let settings = Settings {
                    packer,
                    shuffles: true,
                    size,
                };
                let packed = pack(&numbers(len), &settings).unwrap();
                assert_eq!(unpack(&packed, len).unwrap(), numbers(len), "{settings:?}");
                if len > 0 {
                    assert!(unpack(&packed, len - 1).is_err());
                    for end in (0..packed.len()).step_by(packed.len() / 9 + 1) {
                        assert!(unpack(&packed[..end], len).is_err(), "{end}");
                    }
                }
            }
        }
    }

    #[test]
    fn bits_of_a_number_are_put_together() {
        // Eight numbers of two bytes: 1, 2, 4 to 128, so that the lowest bit of all is that of the first.
        let lowest = (0..8).map(|bit| 1 << bit);
        let bits: Vec<u8> = lowest.chain([0; 8]).collect();
        let expected: Vec<u8> = (0..8).flat_map(|bit| [1 << bit, 0]).collect();
        assert_eq!(bits_unshuffled(&bits, 2), expected);
        assert_eq!(bits_unshuffled(&[1, 2, 3], 1), [1, 2, 3]);
    }
}
