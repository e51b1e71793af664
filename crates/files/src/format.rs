//! The formats of files of one image.

use std::{fmt, path::Path};

use image::ImageFormat;

use crate::{
    EncodeError, FileError, Header, MAX_CHANNELS, SampleKind, fits, gzip, mrc::header::is_mrc,
    picture, tiff,
};

/// Most pages that a file has room to say.
const MOST_PAGES: usize = i32::MAX as usize;

/// A format that pictures are read from and written in.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum PictureFormat {
    /// PNG: uint8 and uint16, grey or RGB, with or without alpha. Lossless.
    Png,
    /// JPEG: uint8, grey or RGB, at quality 95 and without subsampled colours. Lossy.
    Jpeg,
    /// WebP: uint8, RGB with or without alpha. Lossless as written here.
    WebP,
    /// BMP: uint8, RGB with or without alpha. Lossless.
    Bmp,
    /// TIFF: samples of all kinds, grey, RGB or bands, with or without alpha, one page or many.
    /// Lossless.
    Tiff,
    /// OpenEXR: float16 and float32, grey or RGB, with or without alpha. Lossless.
    Exr,
    /// Radiance HDR: RGB of 8 bits each and a common exponent. Lossy.
    Hdr,
    /// MRC: int8, int16, uint16, float16 and float32, grey, one section or many; uint8 becomes uint16.
    /// Lossless.
    Mrc,
    /// FITS: samples of all kinds but float16, grey, one plane or many. Lossless.
    Fits,
}

impl PictureFormat {
    /// All of them.
    pub const ALL: [Self; 9] = [
        Self::Png,
        Self::Jpeg,
        Self::WebP,
        Self::Bmp,
        Self::Tiff,
        Self::Exr,
        Self::Hdr,
        Self::Mrc,
        Self::Fits,
    ];

    /// The format that a file's name asks for by its ending: also with `.gz` behind it, of those that
    /// [may be packed](Self::may_be_packed).
    pub fn of_path(path: &Path) -> Option<Self> {
        let unpacked = gzip::unpacked_name(path);
        let extension = unpacked.as_deref().unwrap_or(path).extension()?.to_str()?;
        let mut all = Self::ALL.into_iter();
        let named = all.find(|format| {
            let mut known = format.extensions().iter();
            known.any(|known| known.eq_ignore_ascii_case(extension))
        });
        named.filter(|format| unpacked.is_none() || format.may_be_packed())
    }

    /// The format of a file, told by its first bytes.
    ///
    /// # Errors
    /// When the file cannot be read, or begins as none of them does.
    pub fn of_file(path: &Path) -> Result<Self, FileError> {
        Ok(picture::open(path)?.1)
    }

    pub(crate) fn of_start(start: &[u8]) -> Option<Self> {
        // First, for it may begin with any number.
        if is_mrc(start) {
            return Some(Self::Mrc);
        }
        let known = image::guess_format(start).ok();
        let mut all = Self::ALL.into_iter();
        all.find(|format| known.is_some() && known == format.image_format())
            .or_else(|| tiff::is_big(start).then_some(Self::Tiff))
            .or_else(|| start.starts_with(fits::START).then_some(Self::Fits))
    }

    /// Whether a file of this format may have several images of one shape and kind: its pages.
    pub fn has_pages(self) -> bool {
        matches!(self, Self::Tiff | Self::Mrc | Self::Fits)
    }

    /// Whether files of this format are read and written packed by gzip, too.
    pub fn may_be_packed(self) -> bool {
        matches!(self, Self::Mrc | Self::Fits)
    }

    /// How the names of its files end, without the dot.
    pub fn extension(self) -> &'static str {
        self.extensions()[0]
    }

    fn extensions(self) -> &'static [&'static str] {
        match self {
            Self::Png => &["png"],
            Self::Jpeg => &["jpg", "jpeg"],
            Self::WebP => &["webp"],
            Self::Bmp => &["bmp"],
            Self::Tiff => &["tif", "tiff"],
            Self::Exr => &["exr"],
            Self::Hdr => &["hdr"],
            Self::Mrc => &["mrc", "mrcs", "map", "st", "rec"],
            Self::Fits => &["fits", "fit", "fts"],
        }
    }

    /// How `image` calls it, where it knows it.
    pub(crate) fn image_format(self) -> Option<ImageFormat> {
        Some(match self {
            Self::Png => ImageFormat::Png,
            Self::Jpeg => ImageFormat::Jpeg,
            Self::WebP => ImageFormat::WebP,
            Self::Bmp => ImageFormat::Bmp,
            Self::Tiff => ImageFormat::Tiff,
            Self::Exr => ImageFormat::OpenExr,
            Self::Hdr => ImageFormat::Hdr,
            Self::Mrc | Self::Fits => return None,
        })
    }

    /// Whether a file of this format holds such an image.
    ///
    /// WebP, BMP and HDR have no grey: there it becomes RGB of three equal channels.
    ///
    /// # Errors
    /// When it does not, with the formats that do.
    pub fn supports(self, header: &Header) -> Result<(), EncodeError> {
        let format = self;
        let Header {
            channels,
            height,
            width,
            kind,
            alpha,
            pages,
        } = *header;
        let (holds_channels, held) = match self {
            Self::Tiff => ((1..=MAX_CHANNELS).contains(&channels), "1 to 64 channels"),
            Self::Mrc | Self::Fits => (channels == 1, "1 channel"),
            _ => (matches!(channels, 1 | 3), "1 or 3 channels"),
        };
        if !holds_channels {
            return Err(EncodeError::Channels {
                format,
                channels,
                held,
                way_out: match channels {
                    1..=MAX_CHANNELS => "it as .tif or .npy",
                    _ => "1 to 64 of them in each file",
                },
            });
        }
        if width == 0 || height == 0 || pages == 0 {
            return Err(EncodeError::Empty);
        }
        let way_out = match kind {
            SampleKind::U8 | SampleKind::U16 => "PNG or TIFF",
            SampleKind::F16 | SampleKind::F32 => "TIFF or OpenEXR",
            _ => "TIFF (.tif) or a NumPy array (.npy)",
        };
        if !self.kinds().contains(&kind) {
            return Err(EncodeError::Kind {
                format,
                kind,
                way_out,
            });
        }
        if alpha && matches!(self, Self::Jpeg | Self::Hdr | Self::Mrc | Self::Fits) {
            return Err(EncodeError::Alpha { format, way_out });
        }
        if pages > 1 && !self.has_pages() || pages > MOST_PAGES {
            return Err(EncodeError::Pages { format, pages });
        }
        let most = self.longest_side();
        if width.max(height) > most {
            return Err(EncodeError::Size {
                format,
                width,
                height,
                most,
            });
        }
        Ok(())
    }

    fn kinds(self) -> &'static [SampleKind] {
        match self {
            Self::Png => &[SampleKind::U8, SampleKind::U16],
            Self::Jpeg | Self::WebP | Self::Bmp => &[SampleKind::U8],
            Self::Tiff => &SampleKind::ALL,
            Self::Mrc => &[
                SampleKind::U8,
                SampleKind::I8,
                SampleKind::U16,
                SampleKind::I16,
                SampleKind::F16,
                SampleKind::F32,
            ],
            Self::Fits => &[
                SampleKind::U8,
                SampleKind::I8,
                SampleKind::U16,
                SampleKind::I16,
                SampleKind::U32,
                SampleKind::I32,
                SampleKind::U64,
                SampleKind::I64,
                SampleKind::F32,
                SampleKind::F64,
            ],
            Self::Exr | Self::Hdr => &[SampleKind::F16, SampleKind::F32],
        }
    }

    /// Pixels along the longest side that a file has room to say.
    fn longest_side(self) -> usize {
        match self {
            Self::WebP => 1 << 14,
            Self::Jpeg => u16::MAX.into(),
            _ => i32::MAX as usize,
        }
    }
}

impl fmt::Display for PictureFormat {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(match self {
            Self::Png => "PNG",
            Self::Jpeg => "JPEG",
            Self::WebP => "WebP",
            Self::Bmp => "BMP",
            Self::Tiff => "TIFF",
            Self::Exr => "OpenEXR",
            Self::Hdr => "Radiance HDR",
            Self::Mrc => "MRC",
            Self::Fits => "FITS",
        })
    }
}
