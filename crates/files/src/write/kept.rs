//! Metadata that a format can store.

use image::metadata::Orientation;

use crate::{
    Attached, PictureFormat, Resolution,
    attached::{orientation_alone, pixel_density, pixel_dimensions},
};

/// Longest EXIF data of a JPEG: one segment, without its length and its name.
const JPEG_EXIF: usize = 0xffff - 2 - 6;

/// Longest ICC profile of a JPEG: 254 segments, which is as many as readers take.
const JPEG_ICC: usize = 254 * (0xffff - 2 - 14);

/// Metadata that one file stores.
#[derive(Clone, Copy, Default)]
pub(super) struct Kept<'a> {
    pub icc: Option<&'a [u8]>,
    pub exif: Option<&'a [u8]>,
    /// The turn that EXIF data ask for, in EXIF's numbers, where the data themselves are left out.
    pub orientation: Option<u8>,
    pub resolution: Option<Resolution>,
    pub description: Option<&'a [u8]>,
    /// Whether colours are multiplied by alpha, where the format has a choice.
    pub associated_alpha: bool,
}

impl<'a> Kept<'a> {
    /// For a picture of `channels` channels.
    pub fn new(attached: &'a Attached, format: PictureFormat, channels: usize) -> Self {
        use PictureFormat::{Jpeg, Png, Tiff, WebP};
        let icc = attached.icc.as_deref().filter(|icc| match format {
            Png | Tiff => is_of(icc, channels),
            Jpeg => is_of(icc, channels) && icc.len() <= JPEG_ICC,
            // Grey has become RGB there.
            WebP => is_of(icc, channels) && channels == 3,
            _ => false,
        });
        let exif = attached.exif.as_deref();
        let resolution = attached.resolution;
        match format {
            Png => Self {
                icc,
                exif,
                resolution: resolution.filter(|&found| pixel_dimensions(found).is_some()),
                ..Self::default()
            },
            Jpeg => Self {
                icc,
                exif: exif.filter(|exif| exif.len() <= JPEG_EXIF),
                resolution: resolution.filter(|&found| pixel_density(found).is_some()),
                ..Self::default()
            },
            WebP => Self {
                icc,
                exif,
                ..Self::default()
            },
            Tiff => Self {
                icc,
                exif: None,
                orientation: exif
                    .and_then(Orientation::from_exif_chunk)
                    .map(Orientation::to_exif),
                resolution,
                description: attached.description.as_deref(),
                associated_alpha: attached.associated_alpha,
            },
            _ => Self::default(),
        }
    }
}

impl PictureFormat {
    /// What [`encode_picture`](crate::encode_picture) leaves out of all that is `attached` to a
    /// picture of `channels` channels, because this format has no place for it or it does not fit.
    pub fn leaves_out(self, attached: &Attached, channels: usize) -> Vec<&'static str> {
        let kept = Kept::new(attached, self, channels);
        let Attached {
            icc,
            exif,
            resolution,
            description,
            associated_alpha,
        } = attached;
        let whole_exif = kept.exif.is_some()
            || kept.orientation.map(orientation_alone).as_ref() == exif.as_ref();
        let has_meaning = matches!(self, Self::Tiff | Self::Exr);
        [
            ("the ICC profile", icc.is_some() && kept.icc.is_none()),
            ("the EXIF data", exif.is_some() && !whole_exif),
            (
                "the resolution",
                resolution.is_some() && kept.resolution.is_none(),
            ),
            (
                "the description",
                description.is_some() && kept.description.is_none(),
            ),
            (
                "that alpha has multiplied the colours",
                *associated_alpha && !has_meaning,
            ),
        ]
        .into_iter()
        .filter_map(|(name, left_out)| left_out.then_some(name))
        .collect()
    }
}

/// Whether a profile is one of grey or of RGB, as the picture is; bands have none. That of a JPEG in CMYK is read as RGB, and its
/// profile speaks of other colours.
fn is_of(icc: &[u8], channels: usize) -> bool {
    let colours = match channels {
        1 => b"GRAY",
        3 => b"RGB ",
        _ => return false,
    };
    icc.get(16..20) == Some(colours)
}
