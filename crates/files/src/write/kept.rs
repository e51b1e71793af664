//! Metadata that a format can store.

use crate::{
    Attached, Own, PictureFormat, Resolution,
    attached::{JPEG_XMP, pixel_density, pixel_dimensions, pixels_per_metre},
    exif::{Directory, Exif},
};

/// Longest EXIF data of a JPEG: one segment, without its length and its name.
const JPEG_EXIF: usize = 0xffff - 2 - 6;

/// Longest ICC profile of a JPEG: 254 segments, which is as many as readers take.
const JPEG_ICC: usize = 254 * (0xffff - 2 - 14);

/// Longest XMP data of a JPEG: one segment.
const LONGEST_JPEG_XMP: usize = 0xffff - 2 - JPEG_XMP.len();

/// Metadata that one file stores.
#[derive(Clone, Copy, Default)]
pub(super) struct Kept<'a> {
    pub icc: Option<&'a [u8]>,
    pub exif: Option<&'a [u8]>,
    pub xmp: Option<&'a [u8]>,
    pub resolution: Option<Resolution>,
    pub description: Option<&'a [u8]>,
    /// What this format alone keeps.
    pub own: Option<&'a Own>,
    /// Whether colours are multiplied by alpha, where the format has a choice.
    pub associated_alpha: bool,
    /// Whether alpha is a sample of which nobody says what it is, where the format has a choice.
    pub unspecified_alpha: bool,
}

impl<'a> Kept<'a> {
    /// For a picture of `channels` channels.
    pub fn new(attached: &'a Attached, format: PictureFormat, channels: usize) -> Self {
        use PictureFormat::{Bmp, Exr, Fits, Hdr, Jpeg, Mrc, Png, Tiff, WebP};
        let icc = attached.icc.as_deref().filter(|icc| match format {
            Png | Tiff => is_of(icc, channels),
            Jpeg => is_of(icc, channels) && icc.len() <= JPEG_ICC,
            // Grey has become RGB there.
            WebP => is_of(icc, channels) && channels == 3,
            Bmp | Exr | Hdr | Mrc | Fits => false,
        });
        let exif = attached.exif.as_deref().filter(|exif| match format {
            Png | WebP => true,
            Jpeg => exif.len() <= JPEG_EXIF,
            Tiff => Directory::parse(exif).is_some(),
            Bmp | Exr | Hdr | Mrc | Fits => false,
        });
        let xmp = attached.xmp.as_deref().filter(|xmp| match format {
            Png | WebP | Tiff => true,
            Jpeg => xmp.len() <= LONGEST_JPEG_XMP,
            Bmp | Exr | Hdr | Mrc | Fits => false,
        });
        let resolution = attached.resolution.filter(|&found| match format {
            Png => pixel_dimensions(found).is_some(),
            Jpeg => pixel_density(found).is_some(),
            Tiff => true,
            Bmp => pixels_per_metre(found).is_some(),
            WebP | Exr | Hdr | Mrc | Fits => false,
        });
        let own = attached.own.as_ref().filter(|own| {
            matches!(
                (own, format),
                (Own::Png(_), Png)
                    | (Own::Jpeg(_), Jpeg)
                    | (Own::Tiff(_), Tiff)
                    | (Own::Exr(_), Exr)
                    | (Own::Mrc(_), Mrc)
                    | (Own::Fits(_), Fits)
            )
        });
        let is_tiff = format == Tiff;
        Self {
            icc,
            exif,
            xmp,
            resolution,
            description: attached.description.as_deref().filter(|_| is_tiff),
            own,
            associated_alpha: is_tiff && attached.associated_alpha,
            unspecified_alpha: is_tiff && attached.unspecified_alpha,
        }
    }

    /// In words, what is left out of all that is `attached`.
    pub fn left_out(&self, attached: &Attached) -> Vec<String> {
        let Attached {
            icc,
            exif,
            xmp,
            resolution,
            description,
            associated_alpha: _,
            unspecified_alpha: _,
            own,
            unread,
        } = attached;
        let lost = |words: &str, lost: bool| lost.then(|| words.to_owned());
        let named = [
            lost("the ICC profile", icc.is_some() && self.icc.is_none()),
            lost("the EXIF data", exif.is_some() && self.exif.is_none()),
            lost("the XMP data", xmp.is_some() && self.xmp.is_none()),
            lost(
                "the resolution",
                resolution.is_some() && self.resolution.is_none(),
            ),
            lost(
                "the description",
                description.is_some() && self.description.is_none(),
            ),
        ];
        let own = own.as_ref().filter(|_| self.own.is_none());
        let own = own.map(|own| own.words(self.icc.is_some()));
        let named = named.into_iter().flatten().chain(own.into_iter().flatten());
        named.chain(unread.iter().cloned()).collect()
    }
}

impl Attached {
    /// What a file of an array leaves out, in words: all of it.
    pub fn in_words(&self) -> Vec<String> {
        Kept::default().left_out(self)
    }
}

impl PictureFormat {
    /// What [`encode_picture`](crate::encode_picture) leaves out of all that is `attached` to a
    /// picture of `channels` channels, because this format has no place for it or it does not fit.
    pub fn leaves_out(self, attached: &Attached, channels: usize) -> Vec<String> {
        let kept = Kept::new(attached, self, channels);
        let mut left_out = kept.left_out(attached);
        if attached.associated_alpha && !matches!(self, Self::Tiff | Self::Exr) {
            left_out.push("that alpha has multiplied the colours".to_owned());
        }
        let exif = kept.exif.filter(|_| self == Self::Tiff);
        if exif
            .and_then(Directory::parse)
            .is_some_and(|exif: Exif| exif.has_thumbnail)
        {
            left_out.push("the small picture in the EXIF data".to_owned());
        }
        left_out
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
