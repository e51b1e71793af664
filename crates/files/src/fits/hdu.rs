//! The parts of a FITS file: a header, and data behind it.

use super::card::{self, Card, find, integer, keyword};
use crate::{
    FileError,
    attached::{MAX_BYTES, too_much},
    input::{Input, malformed},
};

/// Bytes of a block; headers and data are padded to whole blocks.
pub(crate) const BLOCK: usize = 2880;

/// Most axes, after the standard.
const MAX_AXES: i64 = 999;

/// One part of a file.
pub(super) struct Hdu {
    /// Without that of the end.
    pub cards: Vec<Card>,
    /// Bits of a number; of floats, below zero.
    pub bits: i64,
    /// Sizes, from the axis along which neighbours lie.
    pub axes: Vec<u64>,
    /// Where its data are.
    pub data: u64,
    pub data_len: u64,
}

impl Hdu {
    /// Reads the header at `start`.
    pub fn read(input: &Input, start: u64) -> Result<Self, FileError> {
        let path = input.path();
        let (mut cards, mut block, mut at) = (Vec::new(), vec![0; BLOCK], start);
        let begins: &[u8] = if start == 0 { b"SIMPLE" } else { b"XTENSION" };
        'blocks: loop {
            input.read_exact_at(at, &mut block, "a header of FITS")?;
            at += BLOCK as u64;
            for bytes in block.chunks_exact(card::LEN) {
                let card: Card = std::array::from_fn(|at| bytes[at]);
                if cards.is_empty() && keyword(&card) != begins {
                    let begins = String::from_utf8_lossy(begins);
                    let found = format!("a part of it does not begin with {begins}");
                    return Err(malformed(path, found));
                }
                if keyword(&card) == b"END" {
                    break 'blocks;
                }
                cards.push(card);
            }
            if cards.len() * card::LEN > MAX_BYTES {
                return Err(too_much(path));
            }
        }
        let number = |wanted: &str, otherwise: Option<i64>| {
            let found = integer(&cards, wanted, path)?;
            found
                .or(otherwise)
                .ok_or_else(|| malformed(path, format!("it has no {wanted}")))
        };
        let bits = number("BITPIX", None)?;
        if ![8, 16, 32, 64, -32, -64].contains(&bits) {
            return Err(malformed(path, format!("its BITPIX is {bits}")));
        }
        let count = number("NAXIS", None)?;
        if !(0..=MAX_AXES).contains(&count) {
            return Err(malformed(path, format!("its NAXIS is {count}")));
        }
        let size = |wanted: &str, otherwise| {
            let size = number(wanted, otherwise)?;
            u64::try_from(size).map_err(|_| malformed(path, format!("its {wanted} is {size}")))
        };
        let axes = (1..=count).map(|axis| size(&format!("NAXIS{axis}"), None));
        let axes = axes.collect::<Result<Vec<u64>, _>>()?;
        let [parameters, groups] = [size("PCOUNT", Some(0))?, size("GCOUNT", Some(1))?];
        // Of random groups, the first axis is of none.
        let is_grouped = axes.first() == Some(&0) && find(&cards, "GROUPS").as_deref() == Some("T");
        let sizes = &axes[usize::from(is_grouped)..];
        let product = sizes
            .iter()
            .try_fold(1_u64, |product, &size| product.checked_mul(size));
        let numbers = product
            .filter(|_| !axes.is_empty())
            .unwrap_or_default()
            .checked_add(parameters)
            .and_then(|numbers| numbers.checked_mul(groups));
        let data_len = numbers.and_then(|numbers| numbers.checked_mul(bits.unsigned_abs() / 8));
        let is_too_long = product.is_none() && !axes.contains(&0);
        let Some(data_len) = data_len.filter(|_| !is_too_long) else {
            return Err(malformed(path, format!("its axes are {axes:?}")));
        };
        Ok(Self {
            cards,
            bits,
            axes,
            data: at,
            data_len,
        })
    }

    /// Whether its data are an image, or several.
    pub fn is_image(&self) -> bool {
        let kind = find(&self.cards, "XTENSION");
        kind.is_none_or(|kind| kind == "IMAGE") && self.axes.len() >= 2 && !self.axes.contains(&0)
    }

    /// Whether its data are an image in the rows of a table.
    pub fn is_compressed_image(&self) -> bool {
        find(&self.cards, "ZIMAGE").as_deref() == Some("T")
    }

    /// Where its last number ends; `None` where no file reaches.
    pub fn end(&self) -> Option<u64> {
        self.data.checked_add(self.data_len)
    }

    /// Where the next part begins, if there is one.
    pub fn next(&self) -> Option<u64> {
        self.end()?.checked_next_multiple_of(BLOCK as u64)
    }
}

/// The header of a first part without data.
pub(crate) fn empty() -> Vec<u8> {
    let cards = [
        card::number("SIMPLE", "T"),
        card::number("BITPIX", 8),
        card::number("NAXIS", 0),
        card::number("EXTEND", "T"),
    ];
    blocks(&cards)
}

/// The bytes of a header.
pub(crate) fn blocks(cards: &[Card]) -> Vec<u8> {
    let mut bytes = cards.concat();
    bytes.extend(card::line("END"));
    let len = bytes.len().next_multiple_of(BLOCK);
    bytes.resize(len, b' ');
    bytes
}
