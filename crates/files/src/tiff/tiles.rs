//! The tiles of a TIFF page.
//!
//! The decoder reads tiles row by row, and fails on sound ones: where LZW has more at hand than a row
//! takes, and at the lower edge of every plane but the first. It reads a strip in one go, so each tile
//! is shown to it as the only strip of a file.

use std::io::BufReader;

use ::tiff::{
    decoder::{Decoder, DecodingResult},
    tags::Tag,
};

use super::{
    chain::Form,
    decode::{limits, samples, tiff_error},
};
use crate::{
    FileError, Samples,
    input::{Input, malformed},
};

/// A page of tiles.
pub(super) struct Tiles<'a> {
    pub input: &'a Input,
    pub form: Form,
    /// `[height, width]` of the image and of each tile.
    pub size: [usize; 2],
    pub tile: [usize; 2],
    /// Samples of a pixel that lie together, and how many planes of them there are.
    pub samples: usize,
    pub planes: usize,
    /// Values of tags.
    pub bits: u8,
    pub sample_format: u64,
    pub compression: u64,
    pub predictor: u64,
    pub photometric: u64,
}

impl Tiles<'_> {
    /// The samples of all tiles, whose offsets and lengths in the file these are: pixel by pixel
    /// where they lie together, else plane by plane.
    pub fn read(&self, places: &[(u64, u64)]) -> Result<Samples, FileError> {
        let path = self.input.path();
        let [height, width] = self.size;
        let grid = [height.div_ceil(self.tile[0]), width.div_ceil(self.tile[1])];
        let mut image = None;
        for (index, &place) in places.iter().enumerate() {
            let tile = self.read_tile(place)?;
            let [row, column] = [index / grid[1], index % grid[1]];
            let [plane, row] = [row / grid[0], row % grid[0]];
            let corner = [row * self.tile[0], column * self.tile[1]];
            let image = image.get_or_insert_with(|| self.blank(&tile));
            match (image, &tile) {
                (Samples::U8(image), Samples::U8(tile)) => self.place(tile, image, plane, corner),
                (Samples::U16(image), Samples::U16(tile)) => self.place(tile, image, plane, corner),
                (Samples::F32(image), Samples::F32(tile)) => self.place(tile, image, plane, corner),
                _ => return Err(malformed(path, "its tiles are of several kinds")),
            }
        }
        image.ok_or_else(|| malformed(path, "it has no tile"))
    }

    fn read_tile(&self, (offset, len): (u64, u64)) -> Result<Samples, FileError> {
        let path = self.input.path();
        let tags = |shift| {
            self.form.single_page(&[
                (Tag::ImageWidth, self.tile[1] as u64),
                (Tag::ImageLength, self.tile[0] as u64),
                (Tag::BitsPerSample, self.bits.into()),
                (Tag::Compression, self.compression),
                (Tag::PhotometricInterpretation, self.photometric),
                (Tag::StripOffsets, offset + shift),
                (Tag::SamplesPerPixel, self.samples as u64),
                (Tag::RowsPerStrip, self.tile[0] as u64),
                (Tag::StripByteCounts, len),
                (Tag::Predictor, self.predictor),
                (Tag::SampleFormat, self.sample_format),
            ])
        };
        let header_len = tags(0).len() as u64;
        let file = self.input.reader_behind(tags(header_len));
        let mut decoder = Decoder::new(BufReader::new(file))
            .map_err(|error| tiff_error(error, path))?
            .with_limits(limits());
        let mut pixels = DecodingResult::U8(Vec::new());
        decoder
            .read_image_to_buffer(&mut pixels)
            .map_err(|error| tiff_error(error, path))?;
        let samples = samples(pixels, self.bits, self.tile[1], path)?;
        let (found, expected) = (samples.len(), self.tile[0] * self.tile[1] * self.samples);
        if found != expected {
            let found = format!("{found} of the {expected} samples of a tile can be read");
            return Err(malformed(path, found));
        }
        Ok(samples)
    }

    fn blank(&self, tile: &Samples) -> Samples {
        let count = self.size[0] * self.size[1] * self.samples * self.planes;
        match tile {
            Samples::U8(_) => Samples::U8(vec![0; count]),
            Samples::U16(_) => Samples::U16(vec![0; count]),
            Samples::F32(_) => Samples::F32(vec![0.0; count]),
        }
    }

    /// Copies what the image has of a tile, whose upper left pixel is at `corner` of a plane.
    fn place<T: Copy>(&self, tile: &[T], image: &mut [T], plane: usize, corner: [usize; 2]) {
        let [height, width] = self.size;
        let len = self.tile[1].min(width - corner[1]) * self.samples;
        let rows = tile.chunks_exact(self.tile[1] * self.samples);
        for (row, samples) in (corner[0]..height).zip(rows) {
            let start = ((plane * height + row) * width + corner[1]) * self.samples;
            image[start..][..len].copy_from_slice(&samples[..len]);
        }
    }
}
