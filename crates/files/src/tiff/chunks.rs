//! The tiles or strips of a TIFF page, where the decoder would not read all that they hold.
//!
//! It reads tiles row by row, and fails on sound ones: where LZW has more at hand than a row takes, and
//! at the lower edge of every plane but the first. Of pixels with more samples than colours it drops
//! some. It reads a strip of grey or of bands in one go and whole, so each tile or strip is shown to it
//! as the only one of such a file, of bytes where samples end within them, and unpacked where it does not
//! know the compression.

use std::io::{BufReader, Cursor};

use ::tiff::{
    decoder::{Decoder, DecodingResult},
    tags::{PhotometricInterpretation, Tag},
};

use super::{
    decode::{Packing, limits, samples, tiff_error},
    form::Form,
    unpack::Packed,
};
use crate::{
    FileError, Sample, Samples,
    input::{Input, malformed},
    with_samples,
};

/// The value of a tag.
const UNCOMPRESSED: u64 = 1;

/// A page of tiles or strips.
pub(super) struct Chunks<'a> {
    pub input: &'a Input,
    pub form: Form,
    /// `[height, width]` of the image, and of each tile or strip, the last of which may be less high.
    pub size: [usize; 2],
    pub chunk: [usize; 2],
    /// Whether the last strip of each plane ends with the image. Tiles are padded.
    pub strips: bool,
    /// Samples of a pixel that lie together, and how many planes of them there are.
    pub samples: usize,
    pub planes: usize,
    pub packing: Packing,
    /// Values of tags.
    pub sample_format: u64,
    pub compression: u64,
    /// How they are unpacked, where the decoder does not.
    pub packed: Option<Packed>,
    pub predictor: u64,
    pub photometric: PhotometricInterpretation,
}

impl Chunks<'_> {
    /// The samples of all tiles or strips, whose offsets and lengths in the file these are: pixel by
    /// pixel where they lie together, else plane by plane.
    pub fn read(&self, places: &[(u64, u64)]) -> Result<Samples, FileError> {
        let path = self.input.path();
        let [height, width] = self.size;
        let grid = [
            height.div_ceil(self.chunk[0]),
            width.div_ceil(self.chunk[1]),
        ];
        let mut image = None;
        for (index, &place) in places.iter().enumerate() {
            let [row, column] = [index / grid[1], index % grid[1]];
            let [plane, row] = [row / grid[0], row % grid[0]];
            let corner = [row * self.chunk[0], column * self.chunk[1]];
            let rows = if self.strips {
                self.chunk[0].min(height - corner[0])
            } else {
                self.chunk[0]
            };
            let chunk = self.read_chunk(place, rows)?;
            let count = height * width * self.samples * self.planes;
            let image = image.get_or_insert_with(|| Samples::zeros(chunk.kind(), count));
            let placed = with_samples!(image, image => self.place(&chunk, image, plane, corner));
            placed.ok_or_else(|| malformed(path, "its tiles or strips are of several kinds"))?;
        }
        image.ok_or_else(|| malformed(path, "it has no tile or strip"))
    }

    /// A tile or strip of this many rows.
    fn read_chunk(&self, (offset, len): (u64, u64), rows: usize) -> Result<Samples, FileError> {
        let path = self.input.path();
        let row = self.chunk[1] * self.samples;
        let crosses_bytes = self.packing.crosses_bytes();
        let (columns, samples_here, bits) = if crosses_bytes {
            ((row * usize::from(self.packing.bits)).div_ceil(8), 1, 8)
        } else {
            (self.chunk[1], self.samples, self.packing.bits)
        };
        let tags = |compression, place, len| {
            self.form.single_page(&[
                (Tag::ImageWidth, columns as u64),
                (Tag::ImageLength, rows as u64),
                (Tag::BitsPerSample, bits.into()),
                (Tag::Compression, compression),
                (
                    Tag::PhotometricInterpretation,
                    self.photometric.to_u16().into(),
                ),
                (Tag::StripOffsets, place),
                (Tag::SamplesPerPixel, samples_here as u64),
                (Tag::RowsPerStrip, rows as u64),
                (Tag::StripByteCounts, len),
                (Tag::Predictor, self.predictor),
                (Tag::SampleFormat, self.sample_format),
            ])
        };
        let header_len = tags(0, 0, 0).len() as u64;
        let unpacked;
        let file = if let Some(packed) = &self.packed {
            let mut bytes = vec![0; len as usize];
            self.input
                .read_exact_at(offset, &mut bytes, "its strips or tiles")?;
            let whole = (columns * samples_here * usize::from(bits)).div_ceil(8) * rows;
            let shape = [rows, self.chunk[1], self.samples];
            let bytes = packed.unpack(bytes, whole, shape, self.chunk[0], path)?;
            unpacked = Input::new(Cursor::new(bytes), path)?;
            unpacked.reader_behind(tags(UNCOMPRESSED, header_len, whole as u64))
        } else {
            let place = offset + header_len;
            self.input.reader_behind(tags(self.compression, place, len))
        };
        let mut decoder = Decoder::new(BufReader::new(file))
            .map_err(|error| tiff_error(error, path))?
            .with_limits(limits());
        let mut pixels = DecodingResult::U8(Vec::new());
        decoder
            .read_image_to_buffer(&mut pixels)
            .map_err(|error| tiff_error(error, path))?;
        let samples = samples(pixels, self.packing, row);
        let (found, expected) = (samples.len(), rows * row);
        if found != expected {
            let found = format!("{found} of the {expected} samples of a tile or strip can be read");
            return Err(malformed(path, found));
        }
        Ok(samples)
    }

    /// Copies what the image has of a tile or strip, whose upper left pixel is at `corner` of a plane.
    /// `None` where its samples are of another kind.
    fn place<T: Sample>(
        &self,
        chunk: &Samples,
        image: &mut [T],
        plane: usize,
        corner: [usize; 2],
    ) -> Option<()> {
        let [height, width] = self.size;
        let len = self.chunk[1].min(width - corner[1]) * self.samples;
        let rows = T::slice(chunk)?.chunks_exact(self.chunk[1] * self.samples);
        for (row, samples) in (corner[0]..height).zip(rows) {
            let start = ((plane * height + row) * width + corner[1]) * self.samples;
            image[start..][..len].copy_from_slice(&samples[..len]);
        }
        Some(())
    }
}
