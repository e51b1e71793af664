//! Files of one image, in any format.

use std::{
    fs::File,
    io::{BufRead, BufReader, Read, Seek},
    path::Path,
};

use image::{ColorType, ImageDecoder, ImageError, ImageReader, Limits};

use crate::{
    AxesFrom, FileError, Header, MAX_DECODED_BYTES, PageStack, PictureFormat, Raster, SampleKind,
    Samples, Stack, exr,
    foreign::refusal,
    gzip,
    input::{caught, has_extension, malformed, open_file, read_error, unsupported},
    jpeg,
    memory::share,
    mrc, png, tiff,
    whole::check_whole,
};

/// Most decoded bytes for a byte of a file: Deflate goes to 1032, with pixels that are all the same. Other
/// compressions go farther with such ones only.
const MOST_COMPRESSION: u64 = 2000;

/// How names of pictures end, and those of other files.
const SHARED: [&str; 3] = ["map", "st", "rec"];

/// Decoded bytes that any file may announce.
const UNDOUBTED: u64 = 16 << 20;

/// Whether the name of a file ends as that of a picture: `.png`, `.jpg`, `.jpeg`, `.webp`, `.bmp`,
/// `.tif`, `.tiff`, `.exr`, `.hdr`, `.mrc`, `.mrcs`, `.fits`, `.fit` or `.fts`; or as that of other files too, `.map`, `.st` or
/// `.rec`, and the file begins as one of a picture, or cannot be read. MRC and FITS may have `.gz` behind it.
pub fn is_picture(path: &Path) -> bool {
    let is_picture = || {
        !matches!(
            PictureFormat::of_file(path),
            Err(FileError::NotPicture { .. })
        )
    };
    let unpacked = gzip::unpacked_name(path);
    let is_shared = has_extension(unpacked.as_deref().unwrap_or(path), &SHARED);
    PictureFormat::of_path(path).is_some() && (!is_shared || is_picture())
}

/// What a picture's file says of it; no pixel is decoded.
///
/// The format is told by the first bytes, not by the name.
///
/// # Errors
/// When the file cannot be read, is in no known format, is damaged as far as it was read, holds
/// something else than grey or RGB, or announces more than [`MAX_DECODED_BYTES`].
pub fn read_header(path: &Path) -> Result<Header, FileError> {
    read_header_with(path, &AxesFrom::File)
}

/// As [`read_header`]; a person may say what the axes of the pages are.
///
/// # Errors
/// As there, and when the pages cannot have these axes.
pub fn read_header_with(path: &Path, axes: &AxesFrom) -> Result<Header, FileError> {
    let (input, format) = open(path)?;
    caught(path, || match format {
        PictureFormat::Tiff => tiff::read_header(path, axes),
        PictureFormat::Mrc | PictureFormat::Fits => Ok(PageStack::open_with(path, axes)?.header()),
        PictureFormat::Jpeg => jpeg::read_header(input, path),
        PictureFormat::Exr => exr::read_header(path),
        PictureFormat::Png => png::read_header(input, path),
        _ => header(&decoder(input, format, path)?, path),
    })
}

/// Reads a picture, of several the first. Pages that are channels are one.
///
/// A palette becomes RGB, CMYK of a JPEG too; bits become 0 and 255. An image is not turned as its
/// metadata ask. The format is told by the first bytes, not by the name.
///
/// # Errors
/// As for [`read_header`], and when any part of the picture is missing or damaged.
pub fn read_picture(path: &Path) -> Result<Raster, FileError> {
    read_picture_with(path, &AxesFrom::File)
}

/// As [`read_picture`]; a person may say what the axes of the pages are.
///
/// # Errors
/// As there, and when the pages cannot have these axes.
pub fn read_picture_with(path: &Path, axes: &AxesFrom) -> Result<Raster, FileError> {
    let header = read_header_with(path, axes)?;
    let (mut input, format) = open(path)?;
    check_held(&header, &input, path)?;
    let _share = share(header.decoded_bytes());
    caught(path, || match format {
        PictureFormat::Tiff => tiff::read_picture(path, axes),
        PictureFormat::Mrc | PictureFormat::Fits => PageStack::open_with(path, axes)?.read(0),
        PictureFormat::Jpeg => {
            let mut bytes = Vec::new();
            let read = input.read_to_end(&mut bytes);
            read.map_err(|error| read_error(error, path, "the file"))?;
            jpeg::read_picture(&bytes, path)
        }
        PictureFormat::Exr => exr::read_picture(path),
        PictureFormat::Png => {
            check_whole(&mut input, format, path)?;
            png::read_picture(input, path)
        }
        _ => {
            check_whole(&mut input, format, path)?;
            decode(decoder(input, format, path)?, path)
        }
    })
}

/// Refuses a large picture whose file is too short for it.
fn check_held(header: &Header, input: &BufReader<File>, path: &Path) -> Result<(), FileError> {
    let metadata = input.get_ref().metadata();
    let len = metadata
        .map_err(|error| read_error(error, path, "the file"))?
        .len();
    let most = UNDOUBTED.max(len.saturating_mul(MOST_COMPRESSION));
    if header.decoded_bytes() <= most {
        return Ok(());
    }
    let Header { width, height, .. } = header;
    let found = format!("{len} bytes cannot hold {width}x{height} pixels");
    Err(malformed(path, found))
}

/// Opens a picture, and tells its format by its first bytes.
pub(crate) fn open(path: &Path) -> Result<(BufReader<File>, PictureFormat), FileError> {
    let mut input = BufReader::new(open_file(path)?);
    let mut start = Vec::new();
    let read = input
        .by_ref()
        .take(mrc::header::LEN as u64)
        .read_to_end(&mut start);
    let failed = |error| read_error(error, path, "its first bytes");
    read.and_then(|_| input.rewind()).map_err(failed)?;
    let is_packed = gzip::begins(&start);
    if is_packed {
        start = gzip::first_bytes(&mut input, mrc::header::LEN as u64).map_err(failed)?;
        input.rewind().map_err(failed)?;
    }
    match PictureFormat::of_start(&start) {
        Some(format) if is_packed && !format.may_be_packed() => {
            let found = format!("{format} packed by gzip");
            Err(unsupported(path, found, "unpack it with gunzip"))
        }
        Some(format) => Ok((input, format)),
        None => Err(refusal(path).unwrap_or_else(|| FileError::NotPicture {
            path: path.to_owned(),
        })),
    }
}

fn decoder<'a>(
    input: impl BufRead + Seek + 'a,
    format: PictureFormat,
    path: &Path,
) -> Result<impl ImageDecoder + 'a, FileError> {
    let mut limits = Limits::no_limits();
    limits.max_alloc = Some(MAX_DECODED_BYTES);
    let known = format.image_format().ok_or_else(|| FileError::NotPicture {
        path: path.to_owned(),
    })?;
    let mut reader = ImageReader::with_format(input, known);
    reader.limits(limits);
    reader
        .into_decoder()
        .map_err(|error| image_error(error, path))
}

fn header(decoder: &impl ImageDecoder, path: &Path) -> Result<Header, FileError> {
    let (channels, alpha, kind) = match decoder.color_type() {
        ColorType::L8 => (1, false, SampleKind::U8),
        ColorType::Rgb8 => (3, false, SampleKind::U8),
        ColorType::Rgba8 => (3, true, SampleKind::U8),
        ColorType::Rgb32F => (3, false, SampleKind::F32),
        ColorType::Rgba32F => (3, true, SampleKind::F32),
        other => {
            let way_out = "save it as grey or RGB";
            return Err(unsupported(
                path,
                format!("pixels of the kind {other:?}"),
                way_out,
            ));
        }
    };
    let (width, height) = decoder.dimensions();
    if width == 0 || height == 0 {
        return Err(FileError::Empty {
            path: path.to_owned(),
        });
    }
    let header = Header {
        channels,
        height: height as usize,
        width: width as usize,
        kind,
        alpha,
        pages: 1,
    };
    header.check_size(kind.bytes(), path)?;
    Ok(header)
}

fn decode(decoder: impl ImageDecoder, path: &Path) -> Result<Raster, FileError> {
    let header = header(&decoder, path)?;
    let mut bytes = vec![0; decoder.total_bytes() as usize];
    let decoded = decoder.read_image(&mut bytes);
    decoded.map_err(|error| image_error(error, path))?;
    let (shape, alpha) = (header.shape(), header.alpha);
    Ok(match header.kind {
        SampleKind::U8 => Raster::from_pixels(Samples::U8(bytes), shape, alpha),
        _ => Raster::from_elements(&bytes, shape, alpha, |&bytes| f32::from_ne_bytes(bytes)),
    })
}

pub(crate) fn image_error(error: ImageError, path: &Path) -> FileError {
    match error {
        ImageError::IoError(error) => read_error(error, path, "its pixels"),
        ImageError::Unsupported(error) => {
            let way_out = "save it as an ordinary PNG of 8 or 16 bits";
            unsupported(path, error.to_string(), way_out)
        }
        other => malformed(path, other.to_string()),
    }
}
