//! What stands beside the pixels of the first page.

use std::{io::BufReader, path::Path};

use ::tiff::{
    decoder::{Decoder, IfdDecoder},
    tags::{Tag, Type},
};

use super::{
    chain::{Chain, Form},
    decode::{limits, tiff_error},
};
use crate::{
    Attached, FileError, Resolution, ResolutionUnit,
    attached::{MAX_BYTES, orientation_alone, too_much},
    input::Input,
};

/// Colours are multiplied by alpha.
const ASSOCIATED_ALPHA: u64 = 1;

pub(crate) fn read_attached(path: &Path) -> Result<Attached, FileError> {
    let input = Input::open(path)?;
    let chain = Chain::read(&input)?;
    let mut decoder = Decoder::new(BufReader::new(chain.page(&input, 0)))
        .map_err(|error| tiff_error(error, path))?
        .with_limits(limits());
    let mut tags = Tags {
        directory: decoder.image_ifd(),
        form: chain.form(),
        path,
    };
    let turn = tags.number(Tag::Orientation)?;
    let turn = turn.and_then(|turn| u8::try_from(turn).ok());
    Ok(Attached {
        icc: tags.bytes(Tag::IccProfile, &[Type::UNDEFINED, Type::BYTE], 1)?,
        exif: turn
            .filter(|turn| matches!(turn, 2..=8))
            .map(orientation_alone),
        resolution: tags.resolution()?,
        description: tags
            .bytes(Tag::ImageDescription, &[Type::ASCII, Type::BYTE], 1)?
            .map(without_zeros)
            .filter(|text| !text.is_empty()),
        associated_alpha: tags.number(Tag::ExtraSamples)? == Some(ASSOCIATED_ALPHA),
    })
}

fn without_zeros(mut text: Vec<u8>) -> Vec<u8> {
    let len = text
        .iter()
        .rposition(|&byte| byte != 0)
        .map_or(0, |last| last + 1);
    text.truncate(len);
    text
}

/// The tags of a page. Those of other types than they should be count as missing.
struct Tags<'a> {
    directory: IfdDecoder<'a>,
    form: Form,
    path: &'a Path,
}

impl Tags<'_> {
    /// The bytes of a value of one of these types, whose elements take `size` bytes.
    fn bytes(&mut self, tag: Tag, types: &[Type], size: u64) -> Result<Option<Vec<u8>>, FileError> {
        let entry = self.directory.find_entry(tag);
        let Some(entry) = entry.filter(|entry| types.contains(&entry.field_type())) else {
            return Ok(None);
        };
        let len = entry.count().saturating_mul(size);
        if len > MAX_BYTES as u64 {
            return Err(too_much(self.path));
        }
        let mut bytes = vec![0; len as usize];
        self.directory
            .find_tag_bytes(tag, &mut bytes, 0)
            .map_err(|error| tiff_error(error, self.path))?;
        Ok(Some(bytes).filter(|bytes| !bytes.is_empty()))
    }

    /// The last of the 16-bit numbers.
    fn number(&mut self, tag: Tag) -> Result<Option<u64>, FileError> {
        let bytes = self.bytes(tag, &[Type::SHORT], 2)?;
        Ok(bytes.map(|bytes| self.form.number(&bytes[bytes.len() - 2..])))
    }

    fn resolution(&mut self) -> Result<Option<Resolution>, FileError> {
        let unit = match self.number(Tag::ResolutionUnit)? {
            Some(1) => ResolutionUnit::None,
            Some(2) | None => ResolutionUnit::Inch,
            Some(3) => ResolutionUnit::Centimeter,
            Some(_) => return Ok(None),
        };
        let (x, y) = (
            self.fraction(Tag::XResolution)?,
            self.fraction(Tag::YResolution)?,
        );
        Ok(x.zip(y).and_then(|(x, y)| Resolution::new(x, y, unit)))
    }

    fn fraction(&mut self, tag: Tag) -> Result<Option<[u32; 2]>, FileError> {
        let bytes = self.bytes(tag, &[Type::RATIONAL], 8)?;
        let number = |bytes: &[u8]| self.form.number(bytes) as u32;
        Ok(bytes.map(|bytes| [number(&bytes[..4]), number(&bytes[4..8])]))
    }
}
