//! Planes behind one directory: ImageJ writes a stack of more than 4 GB as one page, with the number of
//! its planes in the description.

use ::tiff::tags::Tag;

use super::{
    axes::imagej_number,
    form::{Directory, Form},
};
use crate::{
    FileError,
    input::{Input, truncated},
};

const UNCOMPRESSED: u64 = 1;

/// Planes that follow each other.
pub(super) struct Planes {
    /// How many, at least 1.
    pub len: usize,
    /// Bytes of one.
    pub bytes: u64,
    /// How many are announced and not there.
    pub missing: usize,
}

impl Planes {
    /// A page as any other.
    pub const ONE: Self = Self {
        len: 1,
        bytes: 0,
        missing: 0,
    };

    /// Those of the one directory of a file.
    ///
    /// A page with none of the others behind it may have been taken from a stack with its description.
    ///
    /// # Errors
    /// When some are there, and the file ends before the last one.
    pub fn behind(
        first: &Directory,
        description: &[u8],
        form: Form,
        input: &Input,
    ) -> Result<Self, FileError> {
        let text = String::from_utf8_lossy(description);
        let images = imagej_number(&text, "images").filter(|&images| images > 1);
        let Some(announced) = images else {
            return Ok(Self::ONE);
        };
        // ImageJ compresses none.
        let Some((start, bytes)) = samples(first, form, input)? else {
            return Ok(Self::ONE);
        };
        let held = input.len().saturating_sub(start) / bytes;
        if held < 2 {
            return Ok(Self {
                missing: announced - 1,
                ..Self::ONE
            });
        }
        if held < announced as u64 {
            return Err(truncated(
                input.path(),
                &format!("plane {} of {announced}", held + 1),
            ));
        }
        Ok(Self {
            len: announced,
            bytes,
            missing: 0,
        })
    }
}

/// Where the samples of a directory begin, and how many bytes they take, if they lie together as they are.
fn samples(
    directory: &Directory,
    form: Form,
    input: &Input,
) -> Result<Option<(u64, u64)>, FileError> {
    let number = |tag| directory.number(tag, form, input);
    let numbers = |tag| directory.numbers(tag, form, input);
    let compression = number(Tag::Compression)?.unwrap_or(UNCOMPRESSED);
    let (Some(width), Some(height)) = (number(Tag::ImageWidth)?, number(Tag::ImageLength)?) else {
        return Ok(None);
    };
    let bits = number(Tag::BitsPerSample)?.unwrap_or(1);
    let samples = number(Tag::SamplesPerPixel)?.unwrap_or(1);
    let row = [bits, samples]
        .iter()
        .try_fold(width, |product, &factor| product.checked_mul(factor));
    let expected = row.and_then(|bits| bits.div_ceil(8).checked_mul(height));
    let (places, lens) = (numbers(Tag::StripOffsets)?, numbers(Tag::StripByteCounts)?);
    let (Some(&start), Some(expected)) = (places.first(), expected.filter(|&bytes| bytes > 0))
    else {
        return Ok(None);
    };
    let mut end = start;
    for (&place, &len) in places.iter().zip(&lens) {
        if place != end {
            return Ok(None);
        }
        end = end.saturating_add(len);
    }
    let is_plain = compression == UNCOMPRESSED && end - start == expected;
    Ok((is_plain && places.len() == lens.len()).then_some((start, expected)))
}
