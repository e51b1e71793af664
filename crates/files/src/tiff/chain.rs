//! The chain of a TIFF file's pages.

use std::collections::HashSet;

use ::tiff::tags::Tag;

use crate::{
    FileError,
    input::{Input, InputReader, malformed, truncated},
};

/// Where the directory of a file of one page is: behind its header.
const SINGLE_PAGE: u64 = 16;

/// Where the pages of a file are.
pub(super) struct Chain {
    form: Form,
    /// Offsets of their directories.
    pages: Vec<u64>,
}

/// The two forms of a file, each in two byte orders.
#[derive(Clone, Copy)]
pub(super) struct Form {
    /// Offsets of 64 bits.
    big: bool,
    big_endian: bool,
}

impl Chain {
    /// Follows the directories from one to the next, once.
    pub fn read(input: &Input) -> Result<Self, FileError> {
        let path = input.path();
        let mut start = [0; 4];
        input.read_exact_at(0, &mut start, "its header")?;
        let (big_endian, version) = match start {
            [b'I', b'I', low, high] => (false, u16::from_le_bytes([low, high])),
            [b'M', b'M', high, low] => (true, u16::from_be_bytes([high, low])),
            _ => return Err(malformed(path, "it does not begin as a TIFF file does")),
        };
        let form = match version {
            42 => Form {
                big: false,
                big_endian,
            },
            43 => Form {
                big: true,
                big_endian,
            },
            _ => {
                let found = format!("its TIFF version is {version}, neither 42 nor 43");
                return Err(malformed(path, found));
            }
        };
        let pages = form.follow(input)?;
        if pages.is_empty() {
            return Err(FileError::Empty {
                path: path.to_owned(),
            });
        }
        Ok(Self { form, pages })
    }

    /// The form of the file.
    pub fn form(&self) -> Form {
        self.form
    }

    /// Number of pages.
    pub fn len(&self) -> usize {
        self.pages.len()
    }

    /// The file as if page `index` were its first one, so that it is reached in one step.
    pub fn page<'a>(&self, input: &'a Input, index: usize) -> InputReader<'a> {
        input.reader(self.form.header(self.pages[index]))
    }
}

impl Form {
    /// Whether the most significant byte of numbers comes first.
    pub fn is_big_endian(self) -> bool {
        self.big_endian
    }

    /// Whether numbers are as this machine writes them.
    pub fn is_native(self) -> bool {
        self.big_endian == cfg!(target_endian = "big")
    }

    /// Offsets of the directories, none of them twice and all of them whole.
    fn follow(self, input: &Input) -> Result<Vec<u64>, FileError> {
        let path = input.path();
        let (count_len, offset_len) = if self.big { (8, 8) } else { (2, 4) };
        let (mut pages, mut seen, mut total) = (Vec::new(), HashSet::new(), 0_u64);
        let mut offset = self.uint(input, offset_len as u64, offset_len)?;
        while offset != 0 {
            let page = pages.len();
            if !seen.insert(offset) {
                let found = format!("the directory behind page {page} is that of a page before");
                return Err(malformed(path, found));
            }
            pages.push(offset);
            let part = format!("the directory of page {page}");
            let entries = self.uint(input, offset, count_len)?;
            let len = entries.checked_mul(self.entry_len() as u64);
            // Bytes up to the offset of the next directory, which follows.
            let end = len
                .and_then(|len| len.checked_add(offset)?.checked_add(count_len as u64))
                .filter(|&end| end < input.len())
                .ok_or_else(|| truncated(path, &part))?;
            if entries == 0 {
                return Err(malformed(path, format!("{part} is empty")));
            }
            // Else a short file could make for many long directories.
            total += end - offset;
            if total > input.len() {
                return Err(malformed(path, "the directories of its pages overlap"));
            }
            self.check_values(input, offset + count_len as u64, entries, &part)?;
            offset = self.uint(input, end, offset_len)?;
        }
        Ok(pages)
    }

    /// Refuses values that end behind the file: those not read here tell that it was cut.
    fn check_values(
        self,
        input: &Input,
        start: u64,
        entries: u64,
        part: &str,
    ) -> Result<(), FileError> {
        let offset_len = if self.big { 8 } else { 4 };
        let mut bytes = vec![0; entries as usize * self.entry_len()];
        input.read_exact_at(start, &mut bytes, part)?;
        for entry in bytes.chunks_exact(self.entry_len()) {
            // A tag, a type, the number of values and they themselves, or where they are.
            let (start, place) = entry.split_at(entry.len() - offset_len);
            let (start, count) = start.split_at(start.len() - offset_len);
            let size = match self.number(&start[2..]) {
                1 | 2 | 6 | 7 => 1,
                3 | 8 => 2,
                4 | 9 | 11 | 13 => 4,
                5 | 10 | 12 | 16..=18 => 8,
                _ => continue,
            };
            let len = self.number(count).saturating_mul(size);
            let end = self.number(place).saturating_add(len);
            if len > offset_len as u64 && end > input.len() {
                return Err(truncated(input.path(), part));
            }
        }
        Ok(())
    }

    fn entry_len(self) -> usize {
        if self.big { 20 } else { 12 }
    }

    /// The number of `len` bytes at `offset`.
    fn uint(self, input: &Input, offset: u64, len: usize) -> Result<u64, FileError> {
        let mut bytes = [0; 8];
        input.read_exact_at(offset, &mut bytes[..len], "its directories")?;
        Ok(self.number(&bytes[..len]))
    }

    pub fn number(self, bytes: &[u8]) -> u64 {
        let append = |value, &byte| value << 8 | u64::from(byte);
        if self.big_endian {
            bytes.iter().fold(0, append)
        } else {
            bytes.iter().rev().fold(0, append)
        }
    }

    /// The first bytes of a file whose first directory is at `offset`.
    fn header(self, offset: u64) -> Vec<u8> {
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
