//! Files of several chunks: an index says where each of them is.

use std::io::{self, Seek, SeekFrom, Write};

use super::{
    array::number,
    codec::{CHECKSUM, Codec, pack, unpack},
};
use crate::{
    FileError,
    input::{Input, malformed},
};

/// Bytes that an index has for a chunk: its start and its length.
const ENTRY: usize = 16;

/// What start and length of a chunk are that was never written.
const ABSENT: u64 = u64::MAX;

/// How files hold several chunks.
pub(crate) struct Shards {
    /// Whether the index is behind the chunks.
    pub at_end: bool,
    /// Whether a checksum follows it.
    pub checked: bool,
    pub big_endian: bool,
}

/// Where the chunks of a file are.
pub(crate) struct Index {
    /// Start and length of each.
    entries: Vec<[u64; 2]>,
    /// Sizes of the file in chunks.
    sizes: Vec<usize>,
}

impl Shards {
    /// Bytes of an index of `count` chunks.
    pub fn index_len(&self, count: usize) -> usize {
        let checksum = if self.checked { CHECKSUM } else { 0 };
        count.saturating_mul(ENTRY).saturating_add(checksum)
    }

    /// Reads the index of a file of `sizes` chunks.
    pub fn index(&self, file: &Input, sizes: &[usize]) -> Result<Index, FileError> {
        let count: usize = sizes.iter().product();
        let len = self.index_len(count);
        let start = file.len().checked_sub(len as u64);
        let Some(start) = start else {
            let found = format!(
                "{} bytes cannot hold an index of {count} chunks",
                file.len()
            );
            return Err(malformed(file.path(), found));
        };
        let mut bytes = vec![0; len];
        let start = if self.at_end { start } else { 0 };
        file.read_exact_at(start, &mut bytes, "the index of a shard")?;
        let codecs: &[Codec] = if self.checked { &[Codec::Crc32c] } else { &[] };
        let bytes = unpack(codecs, bytes, count * ENTRY);
        let bytes = bytes.map_err(|found| malformed(file.path(), format!("its index: {found}")))?;
        let (numbers, _) = bytes.as_chunks();
        let number = |&bytes: &[u8; 8]| {
            if self.big_endian {
                u64::from_be_bytes(bytes)
            } else {
                u64::from_le_bytes(bytes)
            }
        };
        let numbers: Vec<u64> = numbers.iter().map(number).collect();
        Ok(Index {
            entries: numbers.as_chunks().0.to_vec(),
            sizes: sizes.to_vec(),
        })
    }

    /// Writes a file of packed chunks, one at a time; those that are none were never written.
    pub fn write(
        &self,
        mut file: impl Write + Seek,
        count: usize,
        chunks: impl Iterator<Item = io::Result<Option<Vec<u8>>>>,
    ) -> io::Result<()> {
        let mut at = if self.at_end {
            0
        } else {
            self.index_len(count) as u64
        };
        file.seek(SeekFrom::Start(at))?;
        let mut index = Vec::with_capacity(count * ENTRY);
        for chunk in chunks {
            let entry = match chunk? {
                Some(chunk) => {
                    file.write_all(&chunk)?;
                    let start = at;
                    at += chunk.len() as u64;
                    [start, chunk.len() as u64]
                }
                None => [ABSENT; 2],
            };
            for number in entry {
                index.extend(if self.big_endian {
                    number.to_be_bytes()
                } else {
                    number.to_le_bytes()
                });
            }
        }
        let codecs: &[Codec] = if self.checked { &[Codec::Crc32c] } else { &[] };
        let index = pack(codecs, index)?;
        if !self.at_end {
            file.rewind()?;
        }
        file.write_all(&index)?;
        file.flush()
    }
}

impl Index {
    /// Start and length of a chunk, if it was written.
    pub fn place(&self, chunk: &[usize]) -> Option<(u64, u64)> {
        let [start, len] = self.entries[number(chunk, &self.sizes)];
        ([start, len] != [ABSENT; 2]).then_some((start, len))
    }
}
