//! The form of a TIFF file: its byte order, the width of its offsets, and its directories.

use ::tiff::tags::Tag;

use crate::{
    FileError,
    input::{Input, malformed, truncated},
};

/// Where the directory of a file of one page is: behind its header.
const SINGLE_PAGE: u64 = 16;

/// Most numbers of a tag that are read here.
const MOST_NUMBERS: u64 = 1 << 20;

/// The two forms of a file, each in two byte orders.
#[derive(Clone, Copy)]
pub(super) struct Form {
    /// Offsets of 64 bits.
    big: bool,
    big_endian: bool,
}

/// A directory, whose values all lie within the file.
pub(super) struct Directory {
    entries: Vec<Entry>,
    /// Bytes up to the offset of the next one.
    pub len: u64,
    /// Where the next one is, 0 behind the last.
    pub next: u64,
}

/// A tag and where its values are.
struct Entry {
    tag: u16,
    /// Bytes of a value.
    size: u64,
    count: u64,
    place: u64,
}

impl Form {
    /// The form that the first bytes of a file tell.
    pub fn read(input: &Input) -> Result<Self, FileError> {
        let path = input.path();
        let mut start = [0; 4];
        input.read_exact_at(0, &mut start, "its header")?;
        let (big_endian, version) = match start {
            [b'I', b'I', low, high] => (false, u16::from_le_bytes([low, high])),
            [b'M', b'M', high, low] => (true, u16::from_be_bytes([high, low])),
            _ => return Err(malformed(path, "it does not begin as a TIFF file does")),
        };
        match version {
            42 | 43 => Ok(Self {
                big: version == 43,
                big_endian,
            }),
            _ => {
                let found = format!("its TIFF version is {version}, neither 42 nor 43");
                Err(malformed(path, found))
            }
        }
    }

    /// Whether the most significant byte of numbers comes first.
    pub fn is_big_endian(self) -> bool {
        self.big_endian
    }

    /// Whether numbers are as this machine writes them.
    pub fn is_native(self) -> bool {
        self.big_endian == cfg!(target_endian = "big")
    }

    /// Where the first directory is.
    pub fn first(self, input: &Input) -> Result<u64, FileError> {
        self.uint(input, self.offset_len() as u64, self.offset_len())
    }

    /// The directory at `offset`. Values that end behind the file are refused: those not read here tell
    /// that it was cut.
    pub fn directory(self, input: &Input, offset: u64, part: &str) -> Result<Directory, FileError> {
        let path = input.path();
        let (count_len, offset_len) = (if self.big { 8 } else { 2 }, self.offset_len());
        let entry_len = if self.big { 20 } else { 12 };
        let entries = self.uint(input, offset, count_len)?;
        let start = offset.saturating_add(count_len as u64);
        // Bytes up to the offset of the next directory, which follows.
        let end = entries
            .checked_mul(entry_len as u64)
            .and_then(|len| len.checked_add(start))
            .filter(|&end| end < input.len())
            .ok_or_else(|| truncated(path, part))?;
        if entries == 0 {
            return Err(malformed(path, format!("{part} is empty")));
        }
        let mut bytes = vec![0; (end - start) as usize];
        input.read_exact_at(start, &mut bytes, part)?;
        let mut found = Vec::new();
        for (at, entry) in (0..).zip(bytes.chunks_exact(entry_len)) {
            // A tag, a type, the number of values and they themselves, or where they are.
            let (name, place) = entry.split_at(entry_len - offset_len);
            let (name, count) = name.split_at(name.len() - offset_len);
            let size = match self.number(&name[2..]) {
                1 | 2 | 6 | 7 => 1,
                3 | 8 => 2,
                4 | 9 | 11 | 13 => 4,
                5 | 10 | 12 | 16..=18 => 8,
                _ => continue,
            };
            let count = self.number(count);
            let len = count.saturating_mul(size);
            let place = if len <= offset_len as u64 {
                start + (at + 1) * entry_len as u64 - offset_len as u64
            } else {
                self.number(place)
            };
            if place.saturating_add(len) > input.len() {
                return Err(truncated(path, part));
            }
            found.push(Entry {
                tag: self.number(&name[..2]) as u16,
                size,
                count,
                place,
            });
        }
        Ok(Directory {
            entries: found,
            len: end - offset,
            next: self.uint(input, end, offset_len)?,
        })
    }

    fn offset_len(self) -> usize {
        if self.big { 8 } else { 4 }
    }

    /// The number of `len` bytes at `offset`.
    fn uint(self, input: &Input, offset: u64, len: usize) -> Result<u64, FileError> {
        let mut bytes = [0; 8];
        input.read_exact_at(offset, &mut bytes[..len], "its directories")?;
        Ok(self.number(&bytes[..len]))
    }

    /// The number of these bytes.
    pub fn number(self, bytes: &[u8]) -> u64 {
        let append = |value, &byte| value << 8 | u64::from(byte);
        if self.big_endian {
            bytes.iter().fold(0, append)
        } else {
            bytes.iter().rev().fold(0, append)
        }
    }

    /// The first bytes of a file whose first directory is at `offset`.
    pub fn header(self, offset: u64) -> Vec<u8> {
        let order = if self.big_endian { b"MM" } else { b"II" };
        if self.big {
            [
                &order[..],
                &self.bytes(43, 2),
                &self.bytes(8, 2),
                &[0, 0],
                &self.bytes(offset, 8),
            ]
            .concat()
        } else {
            [&order[..], &self.bytes(42, 2), &self.bytes(offset, 4)].concat()
        }
    }

    /// A file's header and its one directory, with 64-bit offsets, of these tags and numbers.
    pub fn single_page(self, tags: &[(Tag, u64)]) -> Vec<u8> {
        let form = Self { big: true, ..self };
        let mut file = form.header(SINGLE_PAGE);
        file.extend(form.bytes(tags.len() as u64, 8));
        for &(tag, value) in tags {
            file.extend(form.bytes(tag.to_u16().into(), 2));
            // One LONG8.
            file.extend(form.bytes(16, 2));
            file.extend(form.bytes(1, 8));
            file.extend(form.bytes(value, 8));
        }
        file.extend(form.bytes(0, 8));
        file
    }

    fn bytes(self, number: u64, len: usize) -> Vec<u8> {
        if self.big_endian {
            number.to_be_bytes()[8 - len..].to_vec()
        } else {
            number.to_le_bytes()[..len].to_vec()
        }
    }
}

impl Directory {
    /// Whether there is a tag.
    pub fn has(&self, tag: Tag) -> bool {
        self.entry(tag).is_some()
    }

    /// The first number of a tag, if it is there.
    pub fn number(&self, tag: Tag, form: Form, input: &Input) -> Result<Option<u64>, FileError> {
        match self.entry(tag) {
            Some(entry) if entry.count > 0 => {
                let number = form.uint(input, entry.place, entry.size as usize);
                number.map(Some)
            }
            _ => Ok(None),
        }
    }

    /// The numbers of a tag; none where it is missing, or has more than a million.
    pub fn numbers(&self, tag: Tag, form: Form, input: &Input) -> Result<Vec<u64>, FileError> {
        let Some(entry) = self.entry(tag).filter(|found| found.count <= MOST_NUMBERS) else {
            return Ok(vec![]);
        };
        let bytes = self.bytes(tag, (entry.count * entry.size) as usize, input)?;
        let numbers = bytes.chunks_exact(entry.size as usize);
        Ok(numbers.map(|bytes| form.number(bytes)).collect())
    }

    /// Up to `most` first bytes of a tag.
    pub fn bytes(&self, tag: Tag, most: usize, input: &Input) -> Result<Vec<u8>, FileError> {
        let Some(entry) = self.entry(tag) else {
            return Ok(vec![]);
        };
        let mut bytes = vec![0; (entry.count * entry.size).min(most as u64) as usize];
        input.read_exact_at(entry.place, &mut bytes, "its directories")?;
        Ok(bytes)
    }

    fn entry(&self, tag: Tag) -> Option<&Entry> {
        let tag = tag.to_u16();
        self.entries.iter().find(|entry| entry.tag == tag)
    }
}
