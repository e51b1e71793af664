//! What stands beside the pixels of a page.

use std::{io::BufReader, path::Path};

use ::tiff::{
    Directory as Tags,
    decoder::{Decoder, IfdDecoder},
    tags::{IfdPointer, Tag, Type},
};

use super::{
    chain::Chain,
    decode::{limits, tiff_error},
    form::Form,
    tags,
};
use crate::{
    Attached, FileError, Own, Resolution, ResolutionUnit,
    attached::{MAX_BYTES, too_much},
    exif::{self, Directory, Entry, Value},
    input::{Input, InputReader},
};

/// Colours are multiplied by alpha.
const ASSOCIATED_ALPHA: u64 = 1;

/// The file does not say what the sample is.
const UNSPECIFIED: u64 = 0;

/// The colours of red, green and blue.
const RGB: u64 = 2;

pub(crate) fn read_attached(path: &Path) -> Result<Attached, FileError> {
    let input = Input::open(path)?;
    let chain = Chain::read(&input)?;
    of_page(&input, &chain, 0)
}

/// What stands beside the pixels of page `index`.
pub(super) fn of_page(input: &Input, chain: &Chain, index: usize) -> Result<Attached, FileError> {
    let path = input.path();
    let decoder = Decoder::new(BufReader::new(chain.page(input, index)))
        .map_err(|error| tiff_error(error, path))?
        .with_limits(limits());
    let mut page = PageTags {
        decoder,
        form: chain.form(),
        path,
        left: MAX_BYTES,
    };
    let mut attached = Attached {
        icc: page.bytes(Tag::IccProfile, &[Type::UNDEFINED, Type::BYTE])?,
        resolution: page.resolution()?,
        associated_alpha: page.number(Tag::ExtraSamples)? == Some(ASSOCIATED_ALPHA),
        unspecified_alpha: page.number(Tag::ExtraSamples)? == Some(UNSPECIFIED)
            && page.number(Tag::SamplesPerPixel)? == Some(4)
            && page.number(Tag::PhotometricInterpretation)? == Some(RGB),
        ..Attached::default()
    };
    // What a directory of many planes says of them all stays with the first.
    if chain.behind(index) > 0 {
        return Ok(attached);
    }
    let description = page
        .bytes(Tag::ImageDescription, &[Type::ASCII, Type::BYTE])?
        .map(without_zeros);
    attached.description = description.filter(|text| !text.is_empty());
    attached.xmp = page.bytes(tags::XMP, &[Type::BYTE, Type::UNDEFINED])?;
    if index == 0 {
        attached.unread.extend(chain.unread());
    }
    page.others(&mut attached);
    Ok(attached)
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
struct PageTags<'a> {
    decoder: Decoder<BufReader<InputReader<'a>>>,
    form: Form,
    path: &'a Path,
    /// Bytes that values may still take.
    left: usize,
}

impl PageTags<'_> {
    /// The bytes of a value of one of these types.
    fn bytes(&mut self, tag: Tag, types: &[Type]) -> Result<Option<Vec<u8>>, FileError> {
        let mut directory = self.decoder.image_ifd();
        let entry = directory.find_entry(tag);
        if entry.is_none_or(|entry| !types.contains(&entry.field_type())) {
            return Ok(None);
        }
        value(&mut directory, tag, &mut self.left, self.path)
    }

    /// The last of the 16-bit numbers.
    fn number(&mut self, tag: Tag) -> Result<Option<u64>, FileError> {
        let bytes = self.bytes(tag, &[Type::SHORT])?;
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
        let bytes = self.bytes(tag, &[Type::RATIONAL])?;
        let number = |bytes: &[u8]| self.form.number(bytes) as u32;
        Ok(bytes.map(|bytes| [number(&bytes[..4]), number(&bytes[4..8])]))
    }

    /// The tags of EXIF, and those that only TIFF has.
    fn others(&mut self, attached: &mut Attached) {
        let form = self.form;
        let (mut exif, mut own) = (Directory::default(), Directory::default());
        let mut pointers = Vec::new();
        let mut directory = self.decoder.image_ifd();
        let found: Vec<u16> = directory
            .directory()
            .iter()
            .map(|(tag, _)| tag.to_u16())
            .collect();
        for tag in found {
            match tag {
                exif::EXIF | exif::GPS => pointers.push(tag),
                tags::SMALLER => attached
                    .unread
                    .push("the smaller images of the page".to_owned()),
                tags::LAYERS => attached.unread.push("its Photoshop layers".to_owned()),
                // Numbers within the value are in the order of the file, which is another one.
                tags::IMAGEJ_COUNTS | tags::IMAGEJ if !form.is_native() => {
                    attached
                        .unread
                        .push("ImageJ's labels and overlays".to_owned());
                }
                tag if tags::is_structure(tag) => {}
                tag if leads_elsewhere(&directory, tag) => {
                    attached.unread.push(format!("its TIFF tag {tag}"));
                }
                tag => match entry(&mut directory, tag, form, &mut self.left, self.path) {
                    Ok(found) if tags::is_exif(tag) => exif.entries.extend(found),
                    Ok(found) => own.entries.extend(found),
                    // Other programs read the picture, whatever is wrong with what they do not know.
                    Err(_) => attached.unread.push(format!("its TIFF tag {tag}")),
                },
            }
        }
        let upright = Entry::plain(exif::ORIENTATION, 3, vec![1, 0]);
        exif.entries.retain(|entry| *entry != upright);
        for tag in pointers {
            match self.directory_at(Tag::from_u16_exhaustive(tag)) {
                Some(directory) if directory.entries.is_empty() => {}
                Some(directory) => exif.entries.push(Entry {
                    tag,
                    value: Value::Directory(directory),
                }),
                None => attached.unread.push("its damaged EXIF data".to_owned()),
            }
        }
        attached.unread.dedup();
        attached.exif = (!exif.entries.is_empty()).then(|| exif.to_bytes());
        attached.own = (!own.entries.is_empty()).then_some(Own::Tiff(own));
    }

    /// The directory that a tag of the page leads to, and that of interoperability below it. `None` where
    /// it is damaged.
    fn directory_at(&mut self, pointer: Tag) -> Option<Directory> {
        let at = self.decoder.image_ifd().find_tag_unsigned(pointer).ok()??;
        let tags = self.decoder.read_directory(IfdPointer(at)).ok()?;
        let mut directory = self.plain_entries(&tags)?;
        let below = Tag::from_u16_exhaustive(exif::INTEROPERABILITY);
        let mut decoder = self.decoder.read_directory_tags(&tags);
        if let Some(at) = decoder.find_tag_unsigned(below).ok()? {
            let tags = self.decoder.read_directory(IfdPointer(at)).ok()?;
            directory.entries.push(Entry {
                tag: exif::INTEROPERABILITY,
                value: Value::Directory(self.plain_entries(&tags)?),
            });
        }
        Some(directory)
    }

    fn plain_entries(&mut self, tags: &Tags) -> Option<Directory> {
        let mut decoder = self.decoder.read_directory_tags(tags);
        let mut entries = Vec::new();
        for (tag, _) in tags.iter() {
            if tag.to_u16() == exif::INTEROPERABILITY {
                continue;
            }
            let found = entry(
                &mut decoder,
                tag.to_u16(),
                self.form,
                &mut self.left,
                self.path,
            );
            entries.extend(found.ok()?);
        }
        Some(Directory { entries })
    }
}

/// Whether a tag holds the place of a directory in the file.
fn leads_elsewhere(directory: &IfdDecoder<'_>, tag: u16) -> bool {
    let entry = directory.find_entry(Tag::from_u16_exhaustive(tag));
    entry.is_some_and(|entry| [Type::IFD, Type::IFD8].contains(&entry.field_type()))
}

/// The value of a tag, least significant byte first; none of a type that is unknown, or that leads to
/// another place of the file.
fn entry(
    directory: &mut IfdDecoder<'_>,
    tag: u16,
    form: Form,
    left: &mut usize,
    path: &Path,
) -> Result<Option<Entry>, FileError> {
    let name = Tag::from_u16_exhaustive(tag);
    if leads_elsewhere(directory, tag) {
        return Ok(None);
    }
    let Some(kind) = directory.find_entry(name).map(|entry| entry.field_type()) else {
        return Ok(None);
    };
    let bytes = value(directory, name, left, path)?;
    Ok(bytes.map(|mut bytes| {
        if form.is_big_endian() {
            exif::swap(kind.to_u16(), &mut bytes);
        }
        Entry::plain(tag, kind.to_u16(), bytes)
    }))
}

/// The bytes of a value as they stand in the file.
fn value(
    directory: &mut IfdDecoder<'_>,
    tag: Tag,
    left: &mut usize,
    path: &Path,
) -> Result<Option<Vec<u8>>, FileError> {
    let Some(entry) = directory.find_entry(tag) else {
        return Ok(None);
    };
    let Some((_, size)) = exif::sizes(entry.field_type().to_u16()) else {
        return Ok(None);
    };
    let len = entry.count().saturating_mul(size as u64);
    let rest = usize::try_from(len)
        .ok()
        .and_then(|len| left.checked_sub(len));
    *left = rest.ok_or_else(|| too_much(path))?;
    let mut bytes = vec![0; len as usize];
    directory
        .find_tag_bytes(tag, &mut bytes, 0)
        .map_err(|error| tiff_error(error, path))?;
    Ok(Some(bytes).filter(|bytes| !bytes.is_empty()))
}
