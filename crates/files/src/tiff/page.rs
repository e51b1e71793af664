//! One page of a TIFF file.

use std::{io::BufReader, path::Path};

use ::tiff::{
    ColorType, TiffError,
    decoder::{ChunkType, Decoder, DecodingResult, Limits},
    tags::Tag,
};

use super::chain::Chain;
use crate::{
    FileError, Header, MAX_DECODED_BYTES, Raster, SampleKind, Samples,
    input::{Input, InputReader, malformed, read_error, truncated, unsupported},
};

const WAY_OUT: &str = "save it as grey or RGB of uint8, uint16 or float32, without compression, or \
                       with LZW, Deflate or PackBits";

/// Values of the tags read here.
const UINT: u64 = 1;
const INT: u64 = 2;
const FLOAT: u64 = 3;
const PLANAR: u16 = 2;
const UNCOMPRESSED: u16 = 1;
const LZW: u16 = 5;
const DEFLATE: u16 = 8;
const OLD_DEFLATE: u16 = 32946;
const PACK_BITS: u16 = 32773;

/// A page whose directory was read.
pub(super) struct Page<'a> {
    decoder: PageDecoder<'a>,
    path: &'a Path,
    file_len: u64,
    header: Header,
    form: Form,
}

type PageDecoder<'a> = Decoder<BufReader<InputReader<'a>>>;

/// How the samples are stored.
struct Form {
    /// Bits of one.
    bits: u8,
    compressed: bool,
    tiled: bool,
    /// Plane by plane.
    planar: bool,
}

impl<'a> Page<'a> {
    pub fn open(input: &'a Input, chain: &Chain, index: usize) -> Result<Self, FileError> {
        let path = input.path();
        let mut limits = Limits::default();
        limits.decoding_buffer_size = MAX_DECODED_BYTES as usize;
        limits.intermediate_buffer_size = MAX_DECODED_BYTES as usize;
        let mut decoder = Decoder::new(BufReader::new(chain.page(input, index)))
            .map_err(|error| tiff_error(error, path))?
            .with_limits(limits);
        let (header, bits) = header(&mut decoder, chain.len(), path)?;
        let compression = tag(&mut decoder, Tag::Compression, path)?.unwrap_or(UNCOMPRESSED);
        if ![UNCOMPRESSED, LZW, DEFLATE, OLD_DEFLATE, PACK_BITS].contains(&compression) {
            let found = format!("the TIFF compression {compression}");
            return Err(unsupported(path, found, WAY_OUT));
        }
        let planar = tag(&mut decoder, Tag::PlanarConfiguration, path)?;
        let form = Form {
            bits,
            compressed: compression != UNCOMPRESSED,
            tiled: decoder.get_chunk_type() == ChunkType::Tile,
            planar: planar == Some(PLANAR),
        };
        if form.tiled && form.planar {
            // The decoder mistakes the size of such tiles.
            return Err(unsupported(path, "tiles of separate planes", WAY_OUT));
        }
        Ok(Self {
            decoder,
            path,
            file_len: input.len(),
            header,
            form,
        })
    }

    pub fn header(&self) -> Header {
        self.header
    }

    pub fn read(mut self) -> Result<Raster, FileError> {
        let path = self.path;
        self.check_chunks()?;
        let mut pixels = DecodingResult::U8(Vec::new());
        self.decoder
            .read_image_to_buffer(&mut pixels)
            .map_err(|error| tiff_error(error, path))?;
        let Header { width, height, .. } = self.header;
        let samples = match pixels {
            DecodingResult::U8(packed) if self.form.bits < 8 => {
                Samples::U8(unpack(&packed, self.form.bits, width))
            }
            DecodingResult::U8(samples) => Samples::U8(samples),
            DecodingResult::U16(samples) => Samples::U16(samples),
            DecodingResult::F16(samples) => {
                Samples::F32(samples.iter().map(|sample| sample.to_f32()).collect())
            }
            DecodingResult::F32(samples) => Samples::F32(samples),
            DecodingResult::F64(samples) => {
                Samples::F32(samples.iter().map(|&sample| sample as f32).collect())
            }
            _ => return Err(unsupported(path, "its kind of numbers", WAY_OUT)),
        };
        let (found, expected) = (samples.len(), self.planes() * height * width);
        if found != expected {
            let found = format!("{found} of its {expected} samples can be read");
            return Err(malformed(path, found));
        }
        let (shape, alpha) = (self.header.shape(), self.header.alpha);
        Ok(match self.form.planar {
            true => Raster::from_planes(samples, shape, alpha),
            false => Raster::from_pixels(samples, shape, alpha),
        })
    }

    fn planes(&self) -> usize {
        self.header.channels + usize::from(self.header.alpha)
    }

    /// Refuses strips and tiles that the file does not hold, that hold too little, since the
    /// decoder would read on in what follows them, or that are too large for it to keep.
    fn check_chunks(&mut self) -> Result<(), FileError> {
        let path = self.path;
        let (offsets, counts) = match self.form.tiled {
            true => (Tag::TileOffsets, Tag::TileByteCounts),
            false => (Tag::StripOffsets, Tag::StripByteCounts),
        };
        let offsets = numbers(&mut self.decoder, offsets, path)?;
        let counts = numbers(&mut self.decoder, counts, path)?;
        for (chunk, (&offset, &count)) in (0..).zip(offsets.iter().zip(&counts)) {
            let end = offset.checked_add(count);
            if end.is_none_or(|end| end > self.file_len) {
                return Err(truncated(path, &format!("its strip or tile {chunk}")));
            }
            let needed = self.stored_bytes(chunk);
            if needed > u128::from(MAX_DECODED_BYTES) {
                let found = format!("its strip or tile {chunk} takes {needed} bytes");
                return Err(malformed(path, found));
            }
            if !self.form.compressed && u128::from(count) < needed {
                let found = format!(
                    "its strip or tile {chunk} has {count} bytes, and its pixels take {needed}"
                );
                return Err(malformed(path, found));
            }
        }
        Ok(())
    }

    /// Bytes of an uncompressed strip or tile.
    fn stored_bytes(&self, chunk: u32) -> u128 {
        // Tiles are padded to their full size, strips are not.
        let (width, height) = match self.form.tiled {
            true => self.decoder.chunk_dimensions(),
            false => self.decoder.chunk_data_dimensions(chunk),
        };
        let samples = if self.form.planar { 1 } else { self.planes() };
        let row_bits = u128::from(width) * samples as u128 * u128::from(self.form.bits);
        row_bits.div_ceil(8) * u128::from(height)
    }
}

/// The page's header and the bits of its samples.
fn header(
    decoder: &mut PageDecoder<'_>,
    pages: usize,
    path: &Path,
) -> Result<(Header, u8), FileError> {
    let error = |error| tiff_error(error, path);
    let (width, height) = decoder.dimensions().map_err(error)?;
    let colours = decoder.colortype().map_err(error)?;
    let extra = numbers(decoder, Tag::ExtraSamples, path)?;
    let has_alpha = matches!(extra[..], [1 | 2]);
    let (channels, alpha, bits) = match colours {
        ColorType::Gray(bits @ (1 | 2 | 4 | 8 | 16 | 32 | 64)) => (1, false, bits),
        ColorType::Multiband {
            bit_depth: bits @ (8 | 16 | 32 | 64),
            num_samples: 2,
        } if has_alpha => (1, true, bits),
        ColorType::RGB(bits @ (8 | 16 | 32 | 64)) => (3, false, bits),
        ColorType::RGBA(bits @ (8 | 16 | 32 | 64)) => (3, true, bits),
        other => {
            return Err(unsupported(
                path,
                format!("pixels of the kind {other:?}"),
                WAY_OUT,
            ));
        }
    };
    // The decoder would drop further samples, and undo a predictor wrongly while it does.
    let stored = tag(decoder, Tag::SamplesPerPixel, path)?.unwrap_or(1);
    if usize::from(stored) != channels + usize::from(alpha) {
        let found = format!("{stored} samples per pixel");
        return Err(unsupported(path, found, WAY_OUT));
    }
    let format = numbers(decoder, Tag::SampleFormat, path)?;
    let kind = match (format.first().copied().unwrap_or(UINT), bits) {
        (UINT, 1..=8) => SampleKind::U8,
        (UINT, 16) => SampleKind::U16,
        (FLOAT, 16 | 32 | 64) => SampleKind::F32,
        (format, _) => {
            let name = match format {
                UINT => "unsigned integers",
                INT => "signed integers",
                _ => "numbers of an unknown kind",
            };
            return Err(unsupported(path, format!("{bits}-bit {name}"), WAY_OUT));
        }
    };
    let header = Header {
        channels,
        height: height as usize,
        width: width as usize,
        kind,
        alpha,
        pages,
    };
    header.check_size(kind.bytes().max(usize::from(bits / 8)), path)?;
    Ok((header, bits))
}

/// The value of a tag of one number, if it is there.
fn tag(decoder: &mut PageDecoder<'_>, tag: Tag, path: &Path) -> Result<Option<u16>, FileError> {
    let found = decoder.find_tag_unsigned(tag);
    found.map_err(|error| tiff_error(error, path))
}

/// The values of a tag, none if it is not there.
fn numbers(decoder: &mut PageDecoder<'_>, tag: Tag, path: &Path) -> Result<Vec<u64>, FileError> {
    let found = decoder.find_tag_unsigned_vec(tag);
    Ok(found
        .map_err(|error| tiff_error(error, path))?
        .unwrap_or_default())
}

/// Samples of fewer than 8 bits, each row in bytes of its own, spread to 0 to 255.
fn unpack(packed: &[u8], bits: u8, width: usize) -> Vec<u8> {
    let row_len = (width * usize::from(bits)).div_ceil(8);
    let most = u8::MAX >> (8 - bits);
    let per_byte = usize::from(8 / bits);
    let sample = |row: &[u8], column: usize| {
        let shift = 8 - bits * (column % per_byte + 1) as u8;
        (row[column / per_byte] >> shift & most) * (u8::MAX / most)
    };
    let rows = packed.chunks_exact(row_len);
    rows.flat_map(|row| (0..width).map(move |column| sample(row, column)))
        .collect()
}

fn tiff_error(error: TiffError, path: &Path) -> FileError {
    match error {
        TiffError::IoError(error) => read_error(error, path, "its pages"),
        TiffError::UnsupportedError(found) => {
            unsupported(path, format!("TIFF of a kind ({found})"), WAY_OUT)
        }
        other => malformed(path, other.to_string()),
    }
}
