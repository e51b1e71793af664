//! TIFF: one page or many.

use std::{
    io::{Seek, Write},
    marker::PhantomData,
};

use ::tiff::{
    Directory, TiffError, TiffResult,
    encoder::{
        Compression, DeflateLevel, DirectoryEncoder, Predictor, Rational, TiffEncoder, TiffKind,
        TiffKindBig, TiffKindStandard, TiffValue, colortype::ColorType,
    },
    tags::{ExtraSamples, PhotometricInterpretation, SampleFormat, Tag, Type},
};

use half::f16;

use super::{EncodeError, kept::Kept, planes::Picture};
use crate::{
    Attached, Header, Own, PictureFormat, Raster, ResolutionUnit, Sample, SampleKind,
    exif::{Directory as Exif, Entry, Value, swap},
    tiff::{XMP, is_structure},
    with_samples,
};

/// Bytes of a strip before it is compressed, which end with a row.
const STRIP_BYTES: usize = 1_000_000;

/// Bytes of a page beside its pixels and what is attached: tags, and places of strips of 1 MB.
const PAGE_BYTES: u64 = 1 << 16;

/// Tags of EXIF's main directory that are kept where nothing else says the same.
const DESCRIPTION: u16 = 270;
const RESOLUTION: [u16; 3] = [282, 283, 296];

/// Writes the pages of a TIFF file, one at a time. After each one the file is whole.
///
/// Samples are compressed by Deflate, integers behind a horizontal predictor. Offsets are of 64 bits
/// (BigTIFF) only where the pages might take more than 4 GiB.
pub struct TiffWriter<W: Write + Seek> {
    encoder: Form<W>,
    kind: SampleKind,
}

enum Form<W: Write + Seek> {
    Standard(TiffEncoder<W, TiffKindStandard>),
    Big(TiffEncoder<W, TiffKindBig>),
}

impl<W: Write + Seek> TiffWriter<W> {
    /// Begins a file of up to `header.pages` images like `header` at the first byte of `writer`,
    /// which should be buffered, with metadata like `attached` beside each. `&mut writer` is a writer too,
    /// and leaves it to be flushed.
    ///
    /// # Errors
    /// When TIFF does not hold such images, or the first bytes cannot be written.
    pub fn new(writer: W, header: &Header, attached: &Attached) -> Result<Self, EncodeError> {
        PictureFormat::Tiff.supports(header)?;
        let encoder = if most_bytes(header, attached) > u32::MAX.into() {
            TiffEncoder::new_big(writer).map(|encoder| Form::Big(compressed(encoder)))
        } else {
            TiffEncoder::new(writer).map(|encoder| Form::Standard(compressed(encoder)))
        };
        Ok(Self {
            encoder: encoder.map_err(tiff_error)?,
            kind: header.kind,
        })
    }

    /// Writes the next page, and what is attached to it.
    ///
    /// # Errors
    /// When it cannot be written, or there are more or larger pages than announced and the file
    /// grows longer than its offsets reach.
    ///
    /// # Panics
    /// When the raster's samples are not as many as its shape says, or not of the kind announced,
    /// or its alpha is of another kind.
    pub fn write(&mut self, raster: &Raster, attached: &Attached) -> Result<(), EncodeError> {
        PictureFormat::Tiff.supports(&raster.header())?;
        assert_eq!(
            raster.samples.kind(),
            self.kind,
            "kind of a page, and announced"
        );
        let kept = Kept::new(attached, PictureFormat::Tiff, raster.channels);
        let written = with_samples!(&raster.samples, colours => {
            let picture = Picture::of(colours, raster);
            match &mut self.encoder {
                Form::Standard(encoder) => write_page(encoder, &picture, &kept),
                Form::Big(encoder) => write_page(encoder, &picture, &kept),
            }
        });
        written.map_err(tiff_error)
    }
}

/// Most bytes that the file may take. What does not shrink, Deflate stores in blocks with a header.
fn most_bytes(header: &Header, attached: &Attached) -> u64 {
    let planes = header.channels + usize::from(header.alpha);
    let pixels = [planes, header.height, header.width, header.kind.bytes()]
        .iter()
        .fold(1_u64, |bytes, &size| bytes.saturating_mul(size as u64));
    let Attached {
        icc,
        exif,
        xmp,
        description,
        own,
        ..
    } = attached;
    let attached = [icc, exif, xmp, description].into_iter().flatten();
    let attached: usize =
        attached.map(Vec::len).sum::<usize>() + own.as_ref().map_or(0, Own::bytes);
    let page = pixels
        .saturating_add(pixels / 256)
        .saturating_add(PAGE_BYTES + attached as u64);
    page.saturating_mul(header.pages as u64)
}

fn compressed<W: Write + Seek, K: TiffKind>(encoder: TiffEncoder<W, K>) -> TiffEncoder<W, K> {
    // Higher levels take several times as long, and gain next to nothing on photographs.
    encoder.with_compression(Compression::Deflate(DeflateLevel::Fast))
}

fn write_page<T: Number, W: Write + Seek, K: TiffKind>(
    encoder: &mut TiffEncoder<W, K>,
    picture: &Picture<'_, T>,
    kept: &Kept<'_>,
) -> TiffResult<()>
where
    [T::Stored]: TiffValue,
{
    match picture.planes.len() - usize::from(picture.alpha) {
        3 => write_pixels::<T, 3, _, _>(encoder, picture, kept),
        _ => write_pixels::<T, 1, _, _>(encoder, picture, kept),
    }
}

/// Writes a page of `N` colours; what more planes it has are bands, or alpha.
fn write_pixels<T: Number, const N: usize, W: Write + Seek, K: TiffKind>(
    encoder: &mut TiffEncoder<W, K>,
    picture: &Picture<'_, T>,
    kept: &Kept<'_>,
) -> TiffResult<()>
where
    [T::Stored]: TiffValue,
{
    let (width, height) = (picture.width as u32, picture.height as u32);
    let exif = kept.exif.and_then(Exif::parse).map(|exif| exif.directory);
    let below = match &exif {
        Some(exif) => write_directories(encoder, exif)?,
        None => vec![],
    };
    let mut page = encoder.new_image::<Pixel<T, N>>(width, height)?;
    let mut extra = vec![ExtraSamples::Unspecified; picture.planes.len() - N];
    if let Some(last) = extra.last_mut().filter(|_| picture.alpha) {
        *last = if kept.unspecified_alpha {
            ExtraSamples::Unspecified
        } else if kept.associated_alpha {
            ExtraSamples::AssociatedAlpha
        } else {
            ExtraSamples::UnassociatedAlpha
        };
    }
    if !extra.is_empty() {
        page.extra_samples(&extra)?;
    }
    let row = picture.width * picture.planes.len();
    page.rows_per_strip(STRIP_BYTES.div_ceil(row * size_of::<T>()) as u32)?;
    let directory = page.encoder();
    for (tag, offset) in below {
        directory.write_tag(Tag::from_u16_exhaustive(tag), offset)?;
    }
    let own = match kept.own {
        Some(Own::Tiff(own)) => Some(own),
        _ => None,
    };
    for entry in own.into_iter().chain(&exif).flat_map(|tags| &tags.entries) {
        let tag = entry.tag;
        if !is_structure(tag)
            || tag == DESCRIPTION && kept.description.is_none()
            || RESOLUTION.contains(&tag) && kept.resolution.is_none()
        {
            write_plain(directory, entry)?;
        }
    }
    if let Some(resolution) = kept.resolution {
        let unit = match resolution.unit {
            ResolutionUnit::None => 1_u16,
            ResolutionUnit::Inch => 2,
            ResolutionUnit::Centimeter => 3,
        };
        directory.write_tag(Tag::ResolutionUnit, unit)?;
        for (tag, [n, d]) in [
            (Tag::XResolution, resolution.x),
            (Tag::YResolution, resolution.y),
        ] {
            directory.write_tag(tag, Rational { n, d })?;
        }
    }
    let description = kept.description.map(|text| [text, b"\0"].concat());
    for (tag, kind, bytes) in [
        (Tag::ImageDescription, Type::ASCII, description.as_deref()),
        (Tag::IccProfile, Type::UNDEFINED, kept.icc),
        (XMP, Type::BYTE, kept.xmp),
    ] {
        if let Some(bytes) = bytes {
            write_bytes(directory, tag, kind, bytes)?;
        }
    }
    let samples = picture.pixels().samples.into_iter();
    let mut pixels: Vec<T::Stored> = samples.map(T::stored).collect();
    if let Some(difference) = T::DIFFERENCE {
        directory.write_tag(Tag::Predictor, Predictor::Horizontal)?;
        let per_pixel = picture.planes.len();
        for row in pixels.chunks_exact_mut(row) {
            for at in (per_pixel..row.len()).rev() {
                row[at] = difference(row[at], row[at - per_pixel]);
            }
        }
    }
    page.write_data(&pixels)
}

/// Writes the directories below one of EXIF; gives the tags that lead to them, and their places.
fn write_directories<W: Write + Seek, K: TiffKind>(
    encoder: &mut TiffEncoder<W, K>,
    exif: &Exif,
) -> TiffResult<Vec<(u16, K::OffsetType)>> {
    let mut places = Vec::new();
    for entry in &exif.entries {
        let Value::Directory(below) = &entry.value else {
            continue;
        };
        if below.entries.is_empty() {
            continue;
        }
        let deeper = write_directories(encoder, below)?;
        let mut directory = encoder.extra_directory()?;
        for (tag, place) in deeper {
            directory.write_tag(Tag::from_u16_exhaustive(tag), place)?;
        }
        for entry in &below.entries {
            write_plain(&mut directory, entry)?;
        }
        places.push((entry.tag, directory.finish_with_offsets()?.offset));
    }
    Ok(places)
}

/// Writes a tag, unless it leads to a directory.
fn write_plain<W: Write + Seek, K: TiffKind>(
    directory: &mut DirectoryEncoder<'_, W, K>,
    entry: &Entry,
) -> TiffResult<()> {
    let Value::Plain { kind, bytes } = &entry.value else {
        return Ok(());
    };
    let Some(known) = Type::from_u16(*kind).filter(|_| !bytes.is_empty()) else {
        return Ok(());
    };
    let mut bytes = bytes.clone();
    if cfg!(target_endian = "big") {
        swap(*kind, &mut bytes);
    }
    let tag = Tag::from_u16_exhaustive(entry.tag);
    write_bytes(directory, tag, known, &bytes)
}

/// Writes a tag of bytes in the order of this machine.
fn write_bytes<W: Write + Seek, K: TiffKind>(
    directory: &mut DirectoryEncoder<'_, W, K>,
    tag: Tag,
    kind: Type,
    bytes: &[u8],
) -> TiffResult<()> {
    let entry = directory.write_entry_bytes(kind, bytes)?;
    directory.extend_from(&Directory::from_iter([(tag, entry)]));
    Ok(())
}

/// The colours of a pixel: one of grey, or three.
struct Pixel<T, const N: usize>(PhantomData<T>);

impl<T: Number, const N: usize> ColorType for Pixel<T, N> {
    type Inner = T::Stored;
    const TIFF_VALUE: PhotometricInterpretation = match N {
        1 => PhotometricInterpretation::BlackIsZero,
        _ => PhotometricInterpretation::RGB,
    };
    const BITS_PER_SAMPLE: &'static [u16] = &[8 * T::KIND.bytes() as u16; N];
    const SAMPLE_FORMAT: &'static [SampleFormat] = &[T::FORMAT; N];

    fn horizontal_predict(_: &[T::Stored], _: &mut Vec<T::Stored>) {
        unreachable!("rows are differences before the encoder has them");
    }
}

type Difference<T> = fn(T, T) -> T;

/// A sample.
trait Number: Sample {
    const FORMAT: SampleFormat;

    /// The difference from the sample before, where a predictor takes it.
    const DIFFERENCE: Option<Difference<Self::Stored>>;

    /// A number of as many bits that the encoder knows.
    type Stored: TiffValue + Copy;

    /// The number with the bits of a sample.
    fn stored(self) -> Self::Stored;
}

macro_rules! numbers {
    ($format:ident, $difference:expr, $($number:ty)*) => {
        $(impl Number for $number {
            const FORMAT: SampleFormat = SampleFormat::$format;
            const DIFFERENCE: Option<Difference<Self>> = $difference;

            type Stored = Self;

            fn stored(self) -> Self {
                self
            }
        })*
    };
}

numbers!(Uint, Some(Self::wrapping_sub), u8 u16 u32 u64);
numbers!(Int, Some(Self::wrapping_sub), i8 i16 i32 i64);
numbers!(IEEEFP, None, f32 f64);

impl Number for f16 {
    const FORMAT: SampleFormat = SampleFormat::IEEEFP;
    const DIFFERENCE: Option<Difference<u16>> = None;

    type Stored = u16;

    fn stored(self) -> u16 {
        self.to_bits()
    }
}

fn tiff_error(error: TiffError) -> EncodeError {
    let format = PictureFormat::Tiff;
    match error {
        TiffError::IoError(error) => error.into(),
        TiffError::IntSizeError => EncodeError::TooLong { format },
        other => EncodeError::Encoder {
            format,
            source: other.into(),
        },
    }
}
