//! The header of a `.npy` file.
//!
//! NumPy's header is a Python literal that its own reader evaluates; this one knows the one form
//! that NumPy writes, so that hostile bytes can neither nest nor ask for memory.

use std::{io::Read, path::Path};

use crate::{
    FileError, SampleKind,
    element::Element,
    input::{malformed, read_error},
};

/// Longest header read. That of four axes takes 128 bytes.
const MAX_LEN: usize = 1 << 16;

/// Most axes read: enough to name the shape of a wrong array.
const MAX_AXES: usize = 32;

/// What every file begins with.
const MAGIC: &[u8; 6] = b"\x93NUMPY";

/// What an array is.
pub(super) struct NpyHeader {
    pub element: Element,
    pub fortran_order: bool,
    pub shape: Vec<u64>,
    /// Bytes before the first element.
    pub len: u64,
    /// Bytes of all elements.
    pub data_len: u64,
}

impl NpyHeader {
    /// Reads the header and leaves `input` at the first element.
    pub fn read(input: &mut impl Read, path: &Path) -> Result<Self, FileError> {
        let mut bytes = |buffer: &mut [u8]| {
            let read = input.read_exact(buffer);
            read.map_err(|error| read_error(error, path, "the header of its array"))
        };
        let mut start = [0; 8];
        bytes(&mut start)?;
        if !start.starts_with(MAGIC) {
            return Err(malformed(path, "it does not begin as a .npy file does"));
        }
        let mut len = [0; 4];
        let len_bytes = match start[6..] {
            [1, 0] => 2,
            [2 | 3, 0] => 4,
            [major, minor] => {
                let found = format!("it is of version {major}.{minor}, not 1.0, 2.0 or 3.0");
                return Err(malformed(path, found));
            }
            _ => return Err(malformed(path, "it has no version")),
        };
        bytes(&mut len[..len_bytes])?;
        let text_len = u32::from_le_bytes(len) as usize;
        if text_len > MAX_LEN {
            let found = format!("its header takes {text_len} bytes, more than {MAX_LEN}");
            return Err(malformed(path, found));
        }
        let mut text = vec![0; text_len];
        bytes(&mut text)?;
        let len = (start.len() + len_bytes + text_len) as u64;
        Self::parse(&text, len, path)
    }

    fn parse(text: &[u8], len: u64, path: &Path) -> Result<Self, FileError> {
        let mut literal = Literal { rest: text };
        let unreadable = || malformed(path, "its header is not the one that NumPy writes");
        let fields = literal.fields().ok_or_else(unreadable)?;
        let description = match fields.description {
            Description::Plain(text) => text,
            Description::Structured => "structured records",
        };
        let element = element_of(description, path)?;
        let size = element.bytes() as u64;
        let data_len = fields
            .shape
            .iter()
            .try_fold(size, |len, &size| len.checked_mul(size))
            .ok_or_else(|| malformed(path, format!("its shape is {:?}", fields.shape)))?;
        Ok(Self {
            element,
            fortran_order: fields.fortran_order,
            shape: fields.shape,
            len,
            data_len,
        })
    }
}

/// NumPy's code of a kind: `u1` for uint8.
pub(crate) fn code(kind: SampleKind) -> String {
    let letter = match kind.bounds() {
        Some([smallest, _]) if smallest < 0.0 => 'i',
        Some(_) => 'u',
        None => 'f',
    };
    format!("{letter}{}", kind.bytes())
}

/// From NumPy's description, such as `<f4`.
fn element_of(description: &str, path: &Path) -> Result<Element, FileError> {
    let (order, number) = description.split_at_checked(1).unwrap_or_default();
    let mut known = SampleKind::ALL.into_iter();
    let known = known.find(|&kind| code(kind) == number);
    let element = known.map(|kind| Element::new(kind, order == ">"));
    element
        .filter(|element| match order {
            "<" | ">" => true,
            // Bytes have no order.
            "|" => element.bytes() == 1,
            _ => false,
        })
        .ok_or_else(|| FileError::ArrayType {
            path: path.to_owned(),
            found: description.to_owned(),
        })
}

struct Fields<'a> {
    description: Description<'a>,
    fortran_order: bool,
    shape: Vec<u64>,
}

enum Description<'a> {
    Plain(&'a str),
    Structured,
}

/// What is left of a header. Every method takes what it names, and gives `None` where something
/// else stands.
struct Literal<'a> {
    rest: &'a [u8],
}

impl<'a> Literal<'a> {
    /// `{'descr': '<f4', 'fortran_order': False, 'shape': (2, 3), }` in any order, and spaces.
    fn fields(&mut self) -> Option<Fields<'a>> {
        let (mut description, mut fortran_order, mut shape) = (None, None, None);
        self.token(b"{")?;
        while self.token(b"}").is_none() {
            let key = self.text()?;
            self.token(b":")?;
            match key {
                "descr" if description.is_none() => {
                    let found = self.description()?;
                    if matches!(found, Description::Structured) {
                        return Some(Fields {
                            description: found,
                            fortran_order: false,
                            shape: Vec::new(),
                        });
                    }
                    description = Some(found);
                }
                "fortran_order" if fortran_order.is_none() => fortran_order = Some(self.flag()?),
                "shape" if shape.is_none() => shape = Some(self.shape()?),
                _ => return None,
            }
            if self.token(b",").is_none() {
                self.token(b"}")?;
                break;
            }
        }
        self.space();
        if !self.rest.is_empty() {
            return None;
        }
        Some(Fields {
            description: description?,
            fortran_order: fortran_order?,
            shape: shape?,
        })
    }

    fn space(&mut self) {
        self.rest = self.rest.trim_ascii_start();
    }

    fn token(&mut self, token: &[u8]) -> Option<()> {
        self.space();
        self.rest = self.rest.strip_prefix(token)?;
        Some(())
    }

    /// A text in either kind of quotes, without escapes.
    fn text(&mut self) -> Option<&'a str> {
        self.space();
        let (&quote, rest) = self.rest.split_first()?;
        if !matches!(quote, b'\'' | b'"') {
            return None;
        }
        let len = rest.iter().position(|&byte| byte == quote)?;
        let (text, rest) = rest.split_at(len);
        self.rest = &rest[1..];
        std::str::from_utf8(text)
            .ok()
            .filter(|text| !text.contains('\\'))
    }

    /// The element type: a text, or the list that stands for records.
    fn description(&mut self) -> Option<Description<'a>> {
        if self.token(b"[").is_some() {
            return Some(Description::Structured);
        }
        self.text().map(Description::Plain)
    }

    fn flag(&mut self) -> Option<bool> {
        if self.token(b"True").is_some() {
            return Some(true);
        }
        self.token(b"False").map(|()| false)
    }

    /// `()`, `(5,)` or `(2, 3)`.
    fn shape(&mut self) -> Option<Vec<u64>> {
        let mut shape = Vec::new();
        self.token(b"(")?;
        while self.token(b")").is_none() {
            shape.push(self.size()?);
            if shape.len() > MAX_AXES {
                return None;
            }
            if self.token(b",").is_none() {
                // `(5)` is a number, not a tuple.
                self.token(b")").filter(|()| shape.len() > 1)?;
                break;
            }
        }
        Some(shape)
    }

    /// Digits; NumPy on Python 2 put an L behind them.
    fn size(&mut self) -> Option<u64> {
        self.space();
        let digits = self.rest.iter().take_while(|byte| byte.is_ascii_digit());
        let (digits, rest) = self.rest.split_at(digits.count());
        self.rest = rest.strip_prefix(b"L").unwrap_or(rest);
        std::str::from_utf8(digits).ok()?.parse().ok()
    }
}
