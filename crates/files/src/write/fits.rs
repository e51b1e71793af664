//! FITS: one plane or many.

use std::io::Write;

use super::{EncodeError, kept::Kept, rows::write_samples};
use crate::{
    Attached, Header, Own, PictureFormat, SampleKind, Samples,
    fits::{
        FitsHeader,
        card::{Card, find, keyword, line, number},
        hdu::{BLOCK, blocks},
        stored::{other_sign, with_other_sign},
    },
};

/// Writes the planes of an image of FITS, one at a time. Integers of kinds that FITS does not have are those of
/// the other sign, with a BZERO.
pub(super) struct FitsWriter<W: Write> {
    writer: W,
    header: Header,
    /// Planes still to come.
    missing: usize,
}

impl<W: Write> FitsWriter<W> {
    /// Begins a file of `header.pages` planes; `attached` may hold the header of another one.
    pub fn new(mut writer: W, header: &Header, attached: &Attached) -> Result<Self, EncodeError> {
        PictureFormat::Fits.supports(header)?;
        let own = match Kept::new(attached, PictureFormat::Fits, header.channels).own {
            Some(Own::Fits(own)) => Some(&**own),
            _ => None,
        };
        if let Some(primary) = own.and_then(|own| own.primary.as_ref()) {
            writer.write_all(primary)?;
        }
        writer.write_all(&blocks(&cards(header, own)))?;
        Ok(Self {
            writer,
            header: *header,
            missing: header.pages,
        })
    }

    /// Writes the next plane.
    ///
    /// # Panics
    /// When it is not of the kind announced, or all planes are written.
    pub fn write(&mut self, samples: &Samples) -> Result<(), EncodeError> {
        let kind = samples.kind();
        assert_eq!(kind, self.header.kind, "kind of a plane, and announced");
        assert!(self.missing > 0, "more planes than announced");
        if has_other_sign(kind) {
            let stored = with_other_sign(samples.clone());
            write_samples(&mut self.writer, &stored, true)?;
        } else {
            write_samples(&mut self.writer, samples, true)?;
        }
        self.missing -= 1;
        if self.missing == 0 {
            let len = self.header.pages as u64 * self.header.decoded_bytes();
            let fill = len.next_multiple_of(BLOCK as u64) - len;
            self.writer.write_all(&vec![0; fill as usize])?;
        }
        Ok(())
    }
}

/// Whether FITS has no such integers, but those of the other sign.
fn has_other_sign(kind: SampleKind) -> bool {
    use SampleKind::{I8, U16, U32, U64};
    matches!(kind, I8 | U16 | U32 | U64)
}

/// The cards of an image: those of its form, and all others of `own`.
fn cards(header: &Header, own: Option<&FitsHeader>) -> Vec<Card> {
    let old = own.map_or(&[][..], |own| &own.cards);
    let bits = header.kind.bytes() as i64 * 8;
    let signed_bits = if header.kind.is_float() { -bits } else { bits };
    let axes = axes(header, old);
    let form = [
        ("BITPIX".to_owned(), signed_bits),
        ("NAXIS".to_owned(), axes.len() as i64),
    ];
    let sizes = axes.iter().enumerate();
    let sizes = sizes.map(|(axis, &size)| (format!("NAXIS{}", axis + 1), size as i64));
    let first = old.first().copied();
    let mut cards = vec![first.unwrap_or_else(|| number("SIMPLE", "T"))];
    for (name, value) in form.into_iter().chain(sizes) {
        let same = |card: &&Card| find(&[**card], &name) == Some(value.to_string());
        let same = old.iter().find(same).copied();
        cards.push(same.unwrap_or_else(|| number(&name, value)));
    }
    let zero = if has_other_sign(header.kind) {
        other_sign(bits)
    } else {
        0.0
    };
    let said = |name: &str, otherwise: f64| {
        let text = find(old, name);
        text.map_or(Some(otherwise), |text| {
            text.replace(['D', 'd'], "E").parse().ok()
        })
    };
    let is_scaled_so = said("BSCALE", 1.0) == Some(1.0)
        && said("BZERO", 0.0) == Some(zero)
        && (find(old, "BLANK").is_none() || find(old, "BITPIX") == Some(signed_bits.to_string()));
    let stays = |card: &&Card| match keyword(card) {
        b"BITPIX" => false,
        b"BSCALE" | b"BZERO" | b"BLANK" => is_scaled_so,
        // Not NAXIS1A or whatever a program may add.
        name => name
            .strip_prefix(b"NAXIS")
            .is_none_or(|rest| !rest.iter().all(u8::is_ascii_digit)),
    };
    cards.extend(old.iter().skip(1).filter(stays));
    if zero != 0.0 && (!is_scaled_so || find(old, "BZERO").is_none()) {
        cards.push(number("BSCALE", 1));
        cards.push(line(&format!("{:<8}= {zero:>20.0}", "BZERO")));
    }
    cards
}

/// The sizes of the axes: those of the old header, where they hold as many planes of this size.
fn axes(header: &Header, old: &[Card]) -> Vec<usize> {
    let size = |name: &str| find(old, name)?.parse::<usize>().ok();
    let count = size("NAXIS").unwrap_or(0);
    let sizes = (1..=count).map(|axis| size(&format!("NAXIS{axis}")));
    match sizes.collect::<Option<Vec<usize>>>() {
        Some(sizes)
            if sizes.len() >= 2
                && sizes[..2] == [header.width, header.height]
                && sizes[2..].iter().product::<usize>() == header.pages =>
        {
            sizes
        }
        _ if header.pages == 1 => vec![header.width, header.height],
        _ => vec![header.width, header.height, header.pages],
    }
}
