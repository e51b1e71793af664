//! One page of a TIFF file.

use std::{io::BufReader, path::Path};

use ::tiff::{
    decoder::{ChunkType, Decoder, DecodingResult, ifd::Value},
    tags::{PhotometricInterpretation, Tag},
};

use super::{
    chain::Chain,
    chunks::Chunks,
    decode::{Packing, WAY_OUT, limits, samples, tiff_error},
    form::Form,
    palette::Palette,
    unpack::{self, JPEG, Packed, WEBP},
};
use crate::{
    FileError, Header, MAX_CHANNELS, MAX_DECODED_BYTES, Raster, SampleKind,
    input::{Input, InputReader, malformed, truncated, unsupported},
};

/// Values of the tags read here.
const UINT: u64 = 1;
const INT: u64 = 2;
const FLOAT: u64 = 3;
const PLANAR: u16 = 2;
const NO_PREDICTOR: u64 = 1;
/// Extra samples that are alpha: colours are multiplied by it, or not.
const ALPHA: [u64; 2] = [1, 2];
const REVERSED: u16 = 2;
const UNCOMPRESSED: u16 = 1;
const LZW: u16 = 5;
const DEFLATE: u16 = 8;
const OLD_DEFLATE: u16 = 32946;
const PACK_BITS: u16 = 32773;

/// Bytes of a tile that any image may have, however small it is: 4096 x 4096 pixels of 4 bytes.
const TILE_BYTES: u128 = 64 << 20;

/// A page whose directory was read.
pub(super) struct Page<'a> {
    decoder: PageDecoder<'a>,
    input: &'a Input,
    /// The form of the file.
    form: Form,
    /// How many bytes its samples lie behind where its directory says.
    behind: u64,
    header: Header,
    stored: Stored,
}

type PageDecoder<'a> = Decoder<BufReader<InputReader<'a>>>;

/// How the samples are stored.
struct Stored {
    packing: Packing,
    /// Values of their tags.
    format: u64,
    photometric: PhotometricInterpretation,
    compression: u16,
    tiled: bool,
    /// Plane by plane.
    planar: bool,
    /// Of a pixel.
    samples: usize,
    /// The colours that samples are the numbers of.
    palette: Option<Palette>,
    /// Whether colours are YCbCr, which JPEG turns into RGB.
    ycbcr: bool,
}

impl<'a> Page<'a> {
    pub fn open(input: &'a Input, chain: &Chain, index: usize) -> Result<Self, FileError> {
        let path = input.path();
        let mut decoder = Decoder::new(BufReader::new(chain.page(input, index)))
            .map_err(|error| tiff_error(error, path))?
            .with_limits(limits());
        let stored = stored(&mut decoder, path)?;
        let header = header(&mut decoder, &stored, chain.len(), path)?;
        Ok(Self {
            decoder,
            input,
            form: chain.form(),
            behind: chain.behind(index),
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
        let error = |error| tiff_error(error, path);
        let decoded = self
            .decoder
            .colortype()
            .map_or(0, |colours| colours.num_samples());
        let is_decoded = !self.stored.tiled
            && usize::from(decoded) == self.planes()
            && self.behind == 0
            && !self.stored.packing.crosses_bytes()
            && self.stored.palette.is_none()
            && !unpack::is_packed(self.stored.compression);
        let samples = if !is_decoded {
            self.chunks()?.read(&chunks)?
        } else {
            let mut pixels = DecodingResult::U8(Vec::new());
            self.decoder
                .read_image_to_buffer(&mut pixels)
                .map_err(error)?;
            samples(pixels, self.stored.packing, width)
        };
        let (found, expected) = (samples.len(), self.planes() * height * width);
        if found != expected {
            let found = format!("{found} of its {expected} samples can be read");
            return Err(malformed(path, found));
        }
        let (shape, alpha) = (self.header.shape(), self.header.alpha);
        if let Some(palette) = &self.stored.palette {
            return Ok(Raster::from_planes(palette.colours(samples), shape, alpha));
        }
        Ok(if self.stored.planar {
            Raster::from_planes(samples, shape, alpha)
        } else {
            Raster::from_pixels(samples, shape, alpha)
        })
    }

    fn chunks(&mut self) -> Result<Chunks<'a>, FileError> {
        let path = self.input.path();
        let predictor = tag(&mut self.decoder, Tag::Predictor, path)?;
        let packed = Packed::new(
            self.stored.compression,
            bytes(&mut self.decoder, Tag::JPEGTables, path)?,
            self.stored.ycbcr,
        );
        let has_predictor = packed.as_ref().is_none_or(Packed::keeps_predictor);
        let [height, width] = [self.header.height, self.header.width];
        let (chunk_width, chunk_height) = self.decoder.chunk_dimensions();
        let chunk = [chunk_height as usize, chunk_width as usize];
        let (samples, planes) = if self.stored.planar {
            (1, self.planes())
        } else {
            (self.planes(), 1)
        };
        Ok(Chunks {
            input: self.input,
            form: self.form,
            size: [height, width],
            chunk,
            strips: !self.stored.tiled,
            samples,
            planes,
            packing: self.stored.packing,
            sample_format: self.stored.format,
            compression: self.stored.compression.into(),
            packed,
            predictor: predictor
                .filter(|_| has_predictor)
                .map_or(NO_PREDICTOR, u64::from),
            // All but inverted grey are numbers like any others here.
            photometric: match self.stored.photometric {
                inverted @ PhotometricInterpretation::WhiteIsZero => inverted,
                _ => PhotometricInterpretation::BlackIsZero,
            },
        })
    }

    /// Samples of a pixel in the file.
    fn planes(&self) -> usize {
        self.stored.samples
    }

    /// Bytes that the largest strip or tile takes until its samples are in their places, where they are
    /// unpacked first, or may reach beyond the image.
    pub fn unpacking_bytes(mut self) -> Result<u64, FileError> {
        let packed = unpack::is_packed(self.stored.compression);
        if !packed && !self.stored.packing.crosses_bytes() {
            // As it is stored, and as samples.
            let in_samples = 8_u128.div_ceil(self.stored.packing.bits.into());
            let tile = self.stored_bytes(0) * (1 + in_samples);
            return Ok(if self.stored.tiled { tile as u64 } else { 0 });
        }
        let chunks = self.check_chunks()?;
        let longest = chunks.iter().map(|&(_, len)| len).max();
        // Pixels with alpha of WebP, and those of JPEG beside its coefficients.
        Ok(longest.unwrap_or(0) + 4 * self.stored_bytes(0) as u64)
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
        let offsets = offsets.into_iter();
        let offsets = offsets.map(|offset| offset.saturating_add(self.behind));
        let chunks: Vec<_> = offsets.zip(counts).collect();
        // A tile may reach beyond a small image, but not far.
        let planes = if self.stored.planar { 1 } else { self.planes() };
        let Header {
            width,
            height,
            kind,
            ..
        } = self.header;
        let image = (planes * width * height * kind.bytes()) as u128;
        let most = (4 * image + TILE_BYTES).min(MAX_DECODED_BYTES.into());
        for (chunk, &(offset, count)) in (0..).zip(&chunks) {
            let end = offset.checked_add(count);
            if end.is_none_or(|end| end > self.input.len()) {
                return Err(truncated(path, &format!("its strip or tile {chunk}")));
            }
            let needed = self.stored_bytes(chunk);
            if needed > most {
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
        let row_bits = u128::from(width) * samples as u128 * u128::from(self.stored.packing.bits);
        row_bits.div_ceil(8) * u128::from(height)
    }
}

/// How the page's samples are stored, in a way that is read here.
fn stored(decoder: &mut PageDecoder<'_>, path: &Path) -> Result<Stored, FileError> {
    use PhotometricInterpretation::{BlackIsZero, RGB, RGBPalette, WhiteIsZero, YCbCr};
    let compression = tag(decoder, Tag::Compression, path)?.unwrap_or(UNCOMPRESSED);
    let photometric = tag(decoder, Tag::PhotometricInterpretation, path)?;
    let photometric = photometric.and_then(PhotometricInterpretation::from_u16);
    let photometric = match photometric {
        Some(known @ (BlackIsZero | WhiteIsZero | RGB | RGBPalette)) => known,
        Some(YCbCr) if compression == JPEG => YCbCr,
        _ => {
            let colours = photometric.map_or("no".to_owned(), |found| format!("{found:?}"));
            return Err(unsupported(path, format!("{colours} colours"), WAY_OUT));
        }
    };
    let is_decoded = [UNCOMPRESSED, LZW, DEFLATE, OLD_DEFLATE, PACK_BITS].contains(&compression);
    if !is_decoded && !unpack::is_packed(compression) {
        return Err(unsupported(path, unpack::name(compression), WAY_OUT));
    }
    let bits = numbers(decoder, Tag::BitsPerSample, path)?;
    let format = numbers(decoder, Tag::SampleFormat, path)?;
    let planar = tag(decoder, Tag::PlanarConfiguration, path)?;
    let packing = Packing {
        bits: bits.first().map_or(1, |&bits| bits as u8),
        reversed: tag(decoder, Tag::FillOrder, path)? == Some(REVERSED),
        indexed: photometric == RGBPalette,
    };
    let samples = tag(decoder, Tag::SamplesPerPixel, path)?.unwrap_or(1);
    let planar = planar == Some(PLANAR);
    let is_picture = packing.bits == 8
        && match compression {
            JPEG => !(planar && photometric == YCbCr),
            _ => matches!(samples, 3 | 4) && !planar && photometric == RGB,
        };
    if matches!(compression, JPEG | WEBP) && !is_picture {
        let found = format!(
            "{samples} samples per pixel of {} bits in {}",
            packing.bits,
            unpack::name(compression)
        );
        return Err(unsupported(path, found, WAY_OUT));
    }
    let predictor = tag(decoder, Tag::Predictor, path)?;
    if packing.crosses_bytes() && predictor.is_some_and(|found| u64::from(found) != NO_PREDICTOR) {
        let found = format!("differences of {} bits", packing.bits);
        return Err(unsupported(path, found, WAY_OUT));
    }
    let format = format.first().copied().unwrap_or(UINT);
    if packing.indexed && format != UINT {
        return Err(unsupported(path, "a palette for signed numbers", WAY_OUT));
    }
    let palette = if packing.indexed {
        let colours = numbers(decoder, Tag::ColorMap, path)?;
        Some(Palette::new(&colours, packing.bits, path)?)
    } else {
        None
    };
    if packing.reversed && (packing.bits >= 8 || compression != UNCOMPRESSED) {
        return Err(unsupported(
            path,
            "bytes whose bits are turned around",
            WAY_OUT,
        ));
    }
    Ok(Stored {
        packing,
        format,
        photometric: if photometric == YCbCr {
            RGB
        } else {
            photometric
        },
        compression,
        tiled: decoder.get_chunk_type() == ChunkType::Tile,
        planar,
        samples: samples.into(),
        palette,
        ycbcr: photometric == YCbCr,
    })
}

impl Stored {
    /// The kind of samples that these become.
    fn kind(&self, path: &Path) -> Result<SampleKind, FileError> {
        Ok(match (self.format, self.packing.bits) {
            (UINT, 1 | 2 | 4 | 8) => SampleKind::U8,
            (UINT, 9..=16) => SampleKind::U16,
            (UINT, 32) => SampleKind::U32,
            (UINT, 64) => SampleKind::U64,
            (INT, 8) => SampleKind::I8,
            (INT, 16) => SampleKind::I16,
            (INT, 32) => SampleKind::I32,
            (INT, 64) => SampleKind::I64,
            (FLOAT, 16) => SampleKind::F16,
            (FLOAT, 32) => SampleKind::F32,
            (FLOAT, 64) => SampleKind::F64,
            (format, bits) => {
                let name = match format {
                    UINT => "unsigned integers",
                    INT => "signed integers",
                    FLOAT => "floats",
                    _ => "numbers of an unknown kind",
                };
                return Err(unsupported(path, format!("{bits}-bit {name}"), WAY_OUT));
            }
        })
    }
}

/// The page's header.
fn header(
    decoder: &mut PageDecoder<'_>,
    stored: &Stored,
    pages: usize,
    path: &Path,
) -> Result<Header, FileError> {
    use PhotometricInterpretation::{RGB, WhiteIsZero};
    let (width, height) = decoder
        .dimensions()
        .map_err(|error| tiff_error(error, path))?;
    let kind = stored.kind(path)?;
    let samples = stored.samples;
    let extra = numbers(decoder, Tag::ExtraSamples, path)?;
    let alpha = match (stored.photometric, extra.last()) {
        // Some writers leave out what the fourth sample is.
        (RGB, None) => samples == 4,
        (_, last) => samples > 1 && last.is_some_and(|last| ALPHA.contains(last)),
    };
    let channels = samples - usize::from(alpha);
    let least = if stored.photometric == RGB { 3 } else { 1 };
    let is_alone =
        stored.packing.bits < 8 || stored.photometric == WhiteIsZero || stored.palette.is_some();
    if !(least..=MAX_CHANNELS).contains(&channels) || (is_alone && samples > 1) {
        let Stored {
            packing: Packing { bits, .. },
            photometric,
            ..
        } = stored;
        let found =
            format!("{samples} samples per pixel of {bits} bits and {photometric:?} colours");
        return Err(unsupported(path, found, WAY_OUT));
    }
    let header = Header {
        channels: if stored.palette.is_some() {
            3
        } else {
            channels
        },
        height: height as usize,
        width: width as usize,
        kind,
        alpha,
        pages,
    };
    header.check_size(kind.bytes(), path)?;
    Ok(header)
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

/// The bytes of a tag, none if it is not there.
fn bytes(decoder: &mut PageDecoder<'_>, tag: Tag, path: &Path) -> Result<Vec<u8>, FileError> {
    let found = decoder.find_tag(tag);
    let found = found.and_then(|value| value.map(Value::into_u8_vec).transpose());
    Ok(found
        .map_err(|error| tiff_error(error, path))?
        .unwrap_or_default())
}
