//! EXIF data as a tree of directories, for files that keep them in one piece and for those that keep
//! their parts.

/// Tags that lead to directories: of EXIF, of the place on Earth, and of interoperability.
pub(crate) const EXIF: u16 = 0x8769;
pub(crate) const GPS: u16 = 0x8825;
pub(crate) const INTEROPERABILITY: u16 = 0xa005;

pub(crate) const ORIENTATION: u16 = 0x112;

/// Types of values.
const SHORT: u16 = 3;
const LONG: u16 = 4;

/// Bytes of an entry: tag, type, count, and the value or its place.
const ENTRY: usize = 12;

/// How many directories there may be below each other.
const DEPTH: usize = 3;

/// A directory: entries in the order of their tags.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Directory {
    pub(crate) entries: Vec<Entry>,
}

/// A tag with its value.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct Entry {
    pub tag: u16,
    pub value: Value,
}

/// The value of a tag.
#[derive(Clone, Debug, PartialEq)]
pub(crate) enum Value {
    /// Numbers or text of a type, least significant byte first.
    Plain { kind: u16, bytes: Vec<u8> },
    /// Another directory.
    Directory(Directory),
}

/// EXIF data, read.
pub(crate) struct Exif {
    pub directory: Directory,
    /// Whether there is a second directory, which is that of a small picture.
    pub has_thumbnail: bool,
}

/// The bytes of a number of this type, and of one value: a fraction is of two numbers. `None` for types
/// that are unknown.
pub(crate) fn sizes(kind: u16) -> Option<(usize, usize)> {
    Some(match kind {
        1 | 2 | 6 | 7 => (1, 1),
        3 | 8 => (2, 2),
        4 | 9 | 11 | 13 => (4, 4),
        5 | 10 => (4, 8),
        12 | 16..=18 => (8, 8),
        _ => return None,
    })
}

/// Turns the bytes of each number around.
pub(crate) fn swap(kind: u16, bytes: &mut [u8]) {
    if let Some((number, _)) = sizes(kind) {
        bytes.chunks_exact_mut(number).for_each(<[u8]>::reverse);
    }
}

impl Entry {
    pub fn plain(tag: u16, kind: u16, bytes: Vec<u8>) -> Self {
        let value = Value::Plain { kind, bytes };
        Self { tag, value }
    }
}

impl Directory {
    /// How to turn the image, in EXIF's numbers, and nothing else.
    pub fn orientation_alone(orientation: u8) -> Self {
        Self {
            entries: vec![Entry::plain(ORIENTATION, SHORT, vec![orientation, 0])],
        }
    }

    /// Whether there is nothing in it but how to turn the image.
    pub fn is_orientation_alone(&self) -> bool {
        self.entries.iter().all(|entry| entry.tag == ORIENTATION)
    }

    /// Bytes that it takes in a file, about.
    pub fn bytes(&self) -> usize {
        let value = |entry: &Entry| match &entry.value {
            Value::Plain { bytes, .. } => bytes.len(),
            Value::Directory(directory) => directory.bytes(),
        };
        self.entries
            .iter()
            .map(|entry| 2 * ENTRY + value(entry))
            .sum()
    }

    /// Reads EXIF data from their byte order on; values that are not whole are left out. `None` if they
    /// do not begin as EXIF data do.
    pub(crate) fn parse(exif: &[u8]) -> Option<Exif> {
        let reader = Reader::new(exif)?;
        let first = reader.number(4, 4)?;
        let mut left = exif.len();
        let (directory, next) = reader.directory(first, DEPTH, &mut left)?;
        Some(Exif {
            directory,
            has_thumbnail: next.is_some_and(|next| next != 0),
        })
    }

    /// EXIF data, least significant byte first.
    pub fn to_bytes(&self) -> Vec<u8> {
        let mut exif = b"II*\0\x08\0\0\0".to_vec();
        self.write(&mut exif);
        exif
    }

    fn write(&self, exif: &mut Vec<u8>) {
        exif.extend((self.entries.len() as u16).to_le_bytes());
        let start = exif.len();
        // An offset of 0 says that no directory follows.
        exif.resize(start + ENTRY * self.entries.len() + 4, 0);
        for (index, entry) in self.entries.iter().enumerate() {
            let at = start + ENTRY * index;
            let (kind, count) = match &entry.value {
                Value::Directory(_) => (LONG, 1),
                Value::Plain { kind, bytes } => {
                    let size = sizes(*kind).map_or(1, |(_, size)| size);
                    (*kind, bytes.len() / size)
                }
            };
            exif[at..at + 2].copy_from_slice(&entry.tag.to_le_bytes());
            exif[at + 2..at + 4].copy_from_slice(&kind.to_le_bytes());
            exif[at + 4..at + 8].copy_from_slice(&(count as u32).to_le_bytes());
            match &entry.value {
                Value::Plain { bytes, .. } if bytes.len() <= 4 => {
                    exif[at + 8..at + 8 + bytes.len()].copy_from_slice(bytes);
                }
                value => {
                    let place = exif.len().next_multiple_of(2);
                    exif.resize(place, 0);
                    exif[at + 8..at + 12].copy_from_slice(&(place as u32).to_le_bytes());
                    match value {
                        Value::Plain { bytes, .. } => exif.extend(bytes),
                        Value::Directory(directory) => directory.write(exif),
                    }
                }
            }
        }
    }
}

/// EXIF data, and the order of their bytes.
struct Reader<'a> {
    exif: &'a [u8],
    big_endian: bool,
}

impl<'a> Reader<'a> {
    fn new(exif: &'a [u8]) -> Option<Self> {
        let big_endian = match exif.get(..4)? {
            b"II*\0" => false,
            b"MM\0*" => true,
            _ => return None,
        };
        Some(Self { exif, big_endian })
    }

    fn number(&self, at: usize, len: usize) -> Option<usize> {
        let bytes = self.exif.get(at..at.checked_add(len)?)?;
        let append = |number, &byte| number << 8 | usize::from(byte);
        Some(if self.big_endian {
            bytes.iter().fold(0, append)
        } else {
            bytes.iter().rev().fold(0, append)
        })
    }

    /// A directory, and the place of the next. `left` is how many bytes values may still take: short data
    /// could name the same bytes many times.
    fn directory(
        &self,
        at: usize,
        depth: usize,
        left: &mut usize,
    ) -> Option<(Directory, Option<usize>)> {
        let count = self.number(at, 2)?;
        let mut entries: Vec<_> = (0..count)
            .map_while(|index| at.checked_add(2 + ENTRY * index))
            .filter_map(|at| self.entry(at, depth, left))
            .collect();
        entries.sort_by_key(|entry| entry.tag);
        entries.dedup_by_key(|entry| entry.tag);
        let next = self.number(at + 2 + ENTRY * count, 4);
        Some((Directory { entries }, next))
    }

    fn entry(&self, at: usize, depth: usize, left: &mut usize) -> Option<Entry> {
        let tag = self.number(at, 2)? as u16;
        let kind = self.number(at + 2, 2)? as u16;
        let count = self.number(at + 4, 4)?;
        let place = self.number(at + 8, 4)?;
        if [EXIF, GPS, INTEROPERABILITY].contains(&tag) {
            let (directory, _) = self.directory(place, depth.checked_sub(1)?, left)?;
            let value = Value::Directory(directory);
            return Some(Entry { tag, value });
        }
        let (_, size) = sizes(kind)?;
        let len = count.checked_mul(size)?;
        let start = if len <= 4 { at + 8 } else { place };
        let mut bytes = self.exif.get(start..start.checked_add(len)?)?.to_vec();
        *left = left.checked_sub(len)?;
        if self.big_endian {
            swap(kind, &mut bytes);
        }
        Some(Entry::plain(tag, kind, bytes))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn tree() -> Directory {
        let exif = Directory {
            entries: vec![
                Entry::plain(0x829a, 5, [1_u32, 60].map(u32::to_le_bytes).concat()),
                Entry {
                    tag: INTEROPERABILITY,
                    value: Value::Directory(Directory {
                        entries: vec![Entry::plain(1, 2, b"R98\0".to_vec())],
                    }),
                },
            ],
        };
        Directory {
            entries: vec![
                Entry::plain(0x10f, 2, b"Maker\0".to_vec()),
                Entry::plain(ORIENTATION, SHORT, vec![6, 0]),
                Entry {
                    tag: EXIF,
                    value: Value::Directory(exif),
                },
            ],
        }
    }

    #[test]
    fn directories_are_read_as_they_were_written() {
        let read = Directory::parse(&tree().to_bytes()).unwrap();
        assert_eq!(read.directory, tree());
        assert!(!read.has_thumbnail);
    }

    #[test]
    fn damaged_data_neither_panic_nor_grow() {
        let whole = tree().to_bytes();
        for len in 0..whole.len() {
            let _ = Directory::parse(&whole[..len]);
        }
        for at in 0..whole.len() {
            for byte in [0, 1, 0x7f, 0xff] {
                let mut damaged = whole.clone();
                damaged[at] = byte;
                if let Some(read) = Directory::parse(&damaged) {
                    assert!(read.directory.bytes() < 10 * whole.len());
                }
            }
        }
    }
}
