//! One page of a TIFF file.

use std::{io::BufReader, path::Path};

use ::tiff::{
    ColorType,
    decoder::{ChunkType, Decoder, DecodingResult},
    tags::Tag,
};

use super::{
    chain::{Chain, Form},
    decode::{WAY_OUT, limits, samples, tiff_error},
    tiles::Tiles,
};
use crate::{
    FileError, Header, MAX_DECODED_BYTES, Raster, SampleKind,
    input::{Input, InputReader, malformed, truncated, unsupported},
};

/// Values of the tags read here.
const UINT: u64 = 1;
const INT: u64 = 2;
const FLOAT: u64 = 3;
const PLANAR: u16 = 2;
const NO_PREDICTOR: u64 = 1;
const WHITE_IS_ZERO: u64 = 0;
const BLACK_IS_ZERO: u64 = 1;
const UNCOMPRESSED: u16 = 1;
const LZW: u16 = 5;
const DEFLATE: u16 = 8;
const OLD_DEFLATE: u16 = 32946;
const PACK_BITS: u16 = 32773;

/// A page whose directory was read.
pub(super) struct Page<'a> {
    decoder: PageDecoder<'a>,
    input: &'a Input,
    /// The form of the file.
    form: Form,
    header: Header,
    stored: Stored,
}

type PageDecoder<'a> = Decoder<BufReader<InputReader<'a>>>;

/// How the samples are stored.
struct Stored {
    /// Bits of one.
    bits: u8,
    /// The value of its tag.
    compression: u16,
    tiled: bool,
    /// Plane by plane.
    planar: bool,
}

impl<'a> Page<'a> {
    pub fn open(input: &'a Input, chain: &Chain, index: usize) -> Result<Self, FileError> {
        let path = input.path();
        let mut decoder = Decoder::new(BufReader::new(chain.page(input, index)))
            .map_err(|error| tiff_error(error, path))?
            .with_limits(limits());
        let (header, bits) = header(&mut decoder, chain.len(), path)?;
        let compression = tag(&mut decoder, Tag::Compression, path)?.unwrap_or(UNCOMPRESSED);
        if ![UNCOMPRESSED, LZW, DEFLATE, OLD_DEFLATE, PACK_BITS].contains(&compression) {
            let found = format!("the TIFF compression {compression}");
            return Err(unsupported(path, found, WAY_OUT));
        }
        let planar = tag(&mut decoder, Tag::PlanarConfiguration, path)?;
        let stored = Stored {
            bits,
            compression,
            tiled: decoder.get_chunk_type() == ChunkType::Tile,
            planar: planar == Some(PLANAR),
        };
        Ok(Self {
            decoder,
            input,
            form: chain.form(),
            header,
            stored,
        })
    }

    pub fn header(&self) -> Header {
        self.header
    }

    pub fn read(mut self) -> Result<Raster, FileError> {
        let path = self.input.path();
        let Header { width, height, .. } = self.header;
        let chunks = self.check_chunks()?;
        let samples = if self.stored.tiled {
            self.tiles()?.read(&chunks)?
        } else {
            let mut pixels = DecodingResult::U8(Vec::new());
            self.decoder
                .read_image_to_buffer(&mut pixels)
                .map_err(|error| tiff_error(error, path))?;
            samples(pixels, self.stored.bits, width, path)?
        };
        let (found, expected) = (samples.len(), self.planes() * height * width);
        if found != expected {
            let found = format!("{found} of its {expected} samples can be read");
            return Err(malformed(path, found));
        }
        let (shape, alpha) = (self.header.shape(), self.header.alpha);
        Ok(if self.stored.planar {
            Raster::from_planes(samples, shape, alpha)
        } else {
            Raster::from_pixels(samples, shape, alpha)
        })
    }

    fn tiles(&mut self) -> Result<Tiles<'a>, FileError> {
        let path = self.input.path();
        let mut number = |tag_name, default| {
            tag(&mut self.decoder, tag_name, path).map(|found| found.map_or(default, u64::from))
        };
        let predictor = number(Tag::Predictor, NO_PREDICTOR)?;
        let photometric = number(Tag::PhotometricInterpretation, BLACK_IS_ZERO)?;
        let sample_format = match self.header.kind {
            SampleKind::F32 => FLOAT,
            SampleKind::U8 | SampleKind::U16 => UINT,
        };
        let (width, height) = self.decoder.chunk_dimensions();
        let (samples, planes) = if self.stored.planar {
            (1, self.planes())
        } else {
            (self.planes(), 1)
        };
        Ok(Tiles {
            input: self.input,
            form: self.form,
            size: [self.header.height, self.header.width],
            tile: [height as usize, width as usize],
            samples,
            planes,
            bits: self.stored.bits,
            sample_format,
            compression: self.stored.compression.into(),
            predictor,
            // All but inverted grey are numbers like any others here.
            photometric: if photometric == WHITE_IS_ZERO {
                WHITE_IS_ZERO
            } else {
                BLACK_IS_ZERO
            },
        })
    }

    fn planes(&self) -> usize {
        self.header.channels + usize::from(self.header.alpha)
    }

    /// Refuses strips and tiles that the file does not hold, that hold too little, since the
    /// decoder would read on in what follows them, or that are too large for it to keep. Gives their
    /// offsets and lengths.
    fn check_chunks(&mut self) -> Result<Vec<(u64, u64)>, FileError> {
        let path = self.input.path();
        let (offsets, counts) = if self.stored.tiled {
            (Tag::TileOffsets, Tag::TileByteCounts)
        } else {
            (Tag::StripOffsets, Tag::StripByteCounts)
        };
        let offsets = numbers(&mut self.decoder, offsets, path)?;
        let counts = numbers(&mut self.decoder, counts, path)?;
        let chunks: Vec<_> = offsets.into_iter().zip(counts).collect();
        for (chunk, &(offset, count)) in (0..).zip(&chunks) {
            let end = offset.checked_add(count);
            if end.is_none_or(|end| end > self.input.len()) {
                return Err(truncated(path, &format!("its strip or tile {chunk}")));
            }
            let needed = self.stored_bytes(chunk);
            if needed > u128::from(MAX_DECODED_BYTES) {
                let found = format!("its strip or tile {chunk} takes {needed} bytes");
                return Err(malformed(path, found));
            }
            if self.stored.compression == UNCOMPRESSED && u128::from(count) < needed {
                let found = format!(
                    "its strip or tile {chunk} has {count} bytes, and its pixels take {needed}"
                );
                return Err(malformed(path, found));
            }
        }
        Ok(chunks)
    }

    /// Bytes of an uncompressed strip or tile.
    fn stored_bytes(&self, chunk: u32) -> u128 {
        // Tiles are padded to their full size, strips are not.
        let (width, height) = if self.stored.tiled {
            self.decoder.chunk_dimensions()
        } else {
            self.decoder.chunk_data_dimensions(chunk)
        };
        let samples = if self.stored.planar { 1 } else { self.planes() };
        let row_bits = u128::from(width) * samples as u128 * u128::from(self.stored.bits);
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
