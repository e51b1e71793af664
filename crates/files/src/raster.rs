//! Images in memory.

use std::{fmt, path::Path};

use crate::FileError;

/// Most bytes that one picture may decode to: a header of a few bytes can announce any size.
pub const MAX_DECODED_BYTES: u64 = 2 << 30;

/// One image, planar `[channels, height, width]`, with samples as the file stores them.
#[derive(Clone, Debug, PartialEq)]
pub struct Raster {
    /// 1 for grey, 3 for red, green and blue.
    pub channels: usize,
    /// Rows.
    pub height: usize,
    /// Columns.
    pub width: usize,
    /// `[channels, height, width]` in C order.
    pub samples: Samples,
    /// `[height, width]`: opacity, where the file has it. The colours are not multiplied or divided
    /// by it.
    pub alpha: Option<Samples>,
}

impl Raster {
    /// `[channels, height, width]`.
    pub fn shape(&self) -> [usize; 3] {
        [self.channels, self.height, self.width]
    }

    /// What a file of this image alone says of it.
    pub fn header(&self) -> Header {
        Header {
            channels: self.channels,
            height: self.height,
            width: self.width,
            kind: self.samples.kind(),
            alpha: self.alpha.is_some(),
            pages: 1,
        }
    }

    /// From samples stored pixel by pixel; the last of each pixel is alpha if there is any.
    pub(crate) fn from_pixels(pixels: Samples, shape: [usize; 3], alpha: bool) -> Self {
        let per_pixel = shape[0] + usize::from(alpha);
        let planes = match pixels {
            Samples::U8(pixels) => Samples::U8(planes(pixels, per_pixel)),
            Samples::U16(pixels) => Samples::U16(planes(pixels, per_pixel)),
            Samples::F32(pixels) => Samples::F32(planes(pixels, per_pixel)),
        };
        Self::from_planes(planes, shape, alpha)
    }

    /// From samples stored plane by plane; the last plane is alpha if there is any.
    pub(crate) fn from_planes(mut planes: Samples, shape: [usize; 3], alpha: bool) -> Self {
        let [channels, height, width] = shape;
        let alpha = alpha.then(|| planes.split_off(channels * height * width));
        Self {
            channels,
            height,
            width,
            samples: planes,
            alpha,
        }
    }
}

fn planes<T: Copy>(pixels: Vec<T>, per_pixel: usize) -> Vec<T> {
    match per_pixel {
        1 => pixels,
        2 => planes_of::<T, 2>(&pixels),
        3 => planes_of::<T, 3>(&pixels),
        _ => planes_of::<T, 4>(&pixels),
    }
}

fn planes_of<T: Copy, const N: usize>(pixels: &[T]) -> Vec<T> {
    let mut planes = Vec::with_capacity(pixels.len());
    let (pixels, _) = pixels.as_chunks::<N>();
    for channel in 0..N {
        planes.extend(pixels.iter().map(|pixel| pixel[channel]));
    }
    planes
}

/// Numbers of one kind.
#[derive(Clone, Debug, PartialEq)]
pub enum Samples {
    /// 0 to 255.
    U8(Vec<u8>),
    /// 0 to 65535.
    U16(Vec<u16>),
    /// Any number, infinite ones and NaN included. Files of 16- and 64-bit floats give these too.
    F32(Vec<f32>),
}

impl Samples {
    /// How many there are.
    pub fn len(&self) -> usize {
        match self {
            Samples::U8(samples) => samples.len(),
            Samples::U16(samples) => samples.len(),
            Samples::F32(samples) => samples.len(),
        }
    }

    /// Whether there are none.
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// Their kind.
    pub fn kind(&self) -> SampleKind {
        match self {
            Samples::U8(_) => SampleKind::U8,
            Samples::U16(_) => SampleKind::U16,
            Samples::F32(_) => SampleKind::F32,
        }
    }

    /// Bytes that all of them take in memory.
    pub fn bytes(&self) -> usize {
        self.len() * self.kind().bytes()
    }

    fn split_off(&mut self, at: usize) -> Self {
        match self {
            Samples::U8(samples) => Samples::U8(samples.split_off(at)),
            Samples::U16(samples) => Samples::U16(samples.split_off(at)),
            Samples::F32(samples) => Samples::F32(samples.split_off(at)),
        }
    }
}

/// A kind of number.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum SampleKind {
    /// 8-bit unsigned integers.
    U8,
    /// 16-bit unsigned integers.
    U16,
    /// 32-bit floats.
    F32,
}

impl SampleKind {
    /// Bytes that one sample takes in memory.
    pub fn bytes(self) -> usize {
        match self {
            SampleKind::U8 => 1,
            SampleKind::U16 => 2,
            SampleKind::F32 => 4,
        }
    }

    /// The sample that stands for white where nothing else is said; 0 is black.
    pub fn white(self) -> f32 {
        match self {
            SampleKind::U8 => 255.0,
            SampleKind::U16 => 65535.0,
            SampleKind::F32 => 1.0,
        }
    }
}

impl fmt::Display for SampleKind {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(match self {
            SampleKind::U8 => "uint8",
            SampleKind::U16 => "uint16",
            SampleKind::F32 => "float32",
        })
    }
}

/// What a file says of an image before its pixels are decoded.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Header {
    /// 1 for grey, 3 for red, green and blue.
    pub channels: usize,
    /// Rows.
    pub height: usize,
    /// Columns.
    pub width: usize,
    /// The kind of [`Raster::samples`].
    pub kind: SampleKind,
    /// Whether there is a [`Raster::alpha`].
    pub alpha: bool,
    /// Pages of a TIFF file, 1 for every other format.
    pub pages: usize,
}

impl Header {
    /// `[channels, height, width]`.
    pub fn shape(&self) -> [usize; 3] {
        [self.channels, self.height, self.width]
    }

    /// Refuses an image whose pixels take more than [`MAX_DECODED_BYTES`], where a sample takes
    /// `sample_bytes` while it is decoded.
    pub(crate) fn check_size(&self, sample_bytes: usize, path: &Path) -> Result<(), FileError> {
        let planes = self.channels + usize::from(self.alpha);
        let bytes = [planes, self.height, self.width, sample_bytes]
            .iter()
            .try_fold(1_u64, |bytes, &size| bytes.checked_mul(size as u64));
        match bytes {
            Some(bytes) if bytes <= MAX_DECODED_BYTES => Ok(()),
            _ => Err(FileError::TooLarge {
                path: path.to_owned(),
                width: self.width,
                height: self.height,
                kind: self.kind,
            }),
        }
    }
}
