//! Cards: the lines of a FITS header, of 80 bytes each.

use std::path::Path;

use crate::{FileError, input::malformed};

/// Bytes of a card.
pub(crate) const LEN: usize = 80;

/// One line of a header: a keyword, and most often a value and a comment.
pub(crate) type Card = [u8; LEN];

/// The keyword of a card.
pub(crate) fn keyword(card: &Card) -> &[u8] {
    card[..8].trim_ascii_end()
}

/// What a card says, without its comment; texts without their quotes.
fn value(card: &Card) -> Option<String> {
    let rest = card[8..].strip_prefix(b"= ")?.trim_ascii();
    let end = |wanted: u8| move |&byte: &u8| byte == wanted;
    let value = match rest.strip_prefix(b"'") {
        Some(text) => text.split(end(b'\'')).next()?.trim_ascii_end(),
        None => rest.split(end(b'/')).next()?.trim_ascii(),
    };
    Some(String::from_utf8_lossy(value).into_owned())
}

/// The value of the first card with this keyword.
pub(crate) fn find(cards: &[Card], wanted: &str) -> Option<String> {
    let card = cards.iter().find(|card| keyword(card) == wanted.as_bytes());
    card.and_then(value)
}

/// The number that a card says.
pub(crate) fn integer(cards: &[Card], wanted: &str, path: &Path) -> Result<Option<i64>, FileError> {
    let number =
        find(cards, wanted).map(|text| text.parse().map_err(|_| wrong(wanted, &text, path)));
    number.transpose()
}

/// The same for a number with a fraction, whose exponent may be marked by a D.
pub(crate) fn real(cards: &[Card], wanted: &str, path: &Path) -> Result<Option<f64>, FileError> {
    let number = find(cards, wanted).map(|text| {
        let plain = text.replace(['D', 'd'], "E");
        let number = plain.parse::<f64>().ok();
        let number = number.filter(|number| number.is_finite());
        number.ok_or_else(|| wrong(wanted, &text, path))
    });
    number.transpose()
}

fn wrong(keyword: &str, text: &str, path: &Path) -> FileError {
    malformed(path, format!("its {keyword} is `{text}`"))
}

/// A card of a number.
pub(crate) fn number(keyword: &str, number: impl std::fmt::Display) -> Card {
    line(&format!("{keyword:<8}= {number:>20}"))
}

/// A card of any text, which is cut at its end.
pub(crate) fn line(text: &str) -> Card {
    let mut card = [b' '; LEN];
    for (byte, known) in card.iter_mut().zip(text.bytes()) {
        *byte = known;
    }
    card
}
