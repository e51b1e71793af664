//! What files of one format keep, and no other does.

use std::sync::Arc;

use ::exr::meta::{
    attribute::Text,
    header::{ImageAttributes, LayerAttributes},
};

use super::png::{Chunk, is_colour, is_srgb};
use crate::{Attached, exif::Directory, exr::ExrFile, fits::FitsHeader, mrc::header::MrcHeader};

/// What only files of the same format keep.
#[derive(Clone, Debug, PartialEq)]
pub enum Own {
    /// Chunks of PNG: what its colours mean, texts, and what may be copied to other pixels.
    Png(Vec<Chunk>),
    /// Segments of JPEG: comments, IPTC data and those of programs.
    Jpeg(Vec<Segment>),
    /// Tags of TIFF that are not those of EXIF, such as GeoTIFF's.
    Tiff(Directory),
    /// Attributes of OpenEXR: windows, chromaticities and those of programs; and all other channels and layers.
    Exr(Box<ExrAttributes>),
    /// The header of MRC: pixel size, origin, labels, and what programs keep behind it.
    Mrc(Box<MrcHeader>),
    /// The cards of FITS: where a telescope looked, and how.
    Fits(Box<FitsHeader>),
}

/// A segment of a JPEG: the second byte of its marker, and its bytes, at most 65,533 of them.
pub type Segment = (u8, Vec<u8>);

/// Attributes of a file of OpenEXR and of the layer that is read, and what else the file holds.
#[derive(Clone, Debug, PartialEq)]
pub struct ExrAttributes {
    pub(crate) image: ImageAttributes,
    pub(crate) layer: LayerAttributes,
    /// Whether the layer fills the window that is shown.
    pub(crate) fills_window: bool,
    /// Of the channels that are read: grey or red, green and blue, then alpha.
    pub(crate) names: Vec<Text>,
    /// Which of several pictures was read, in words.
    pub(crate) choice: Option<String>,
    /// The file, where it has other channels or layers.
    pub(crate) rest: Option<Arc<ExrFile>>,
}

/// The marker of comments, and that of IPTC data.
const COMMENT: u8 = 0xfe;
const IPTC: u8 = 0xed;

impl Attached {
    /// Which picture of a file was read, in words, where the file holds several: layers of colours of OpenEXR.
    pub fn choice(&self) -> Option<&str> {
        match &self.own {
            Some(Own::Exr(attributes)) => attributes.choice.as_deref(),
            _ => None,
        }
    }
}

impl Own {
    /// In words, for a file that does not keep them; `profiled` says that it keeps an ICC profile, which
    /// is worth more than other words about colours.
    pub(crate) fn words(&self, profiled: bool) -> Vec<String> {
        match self {
            Self::Png(chunks) => png_words(chunks, profiled),
            Self::Jpeg(segments) => jpeg_words(segments),
            Self::Tiff(tags) => tiff_words(tags),
            Self::Exr(attributes) => attributes.words(),
            Self::Mrc(header) => header.words(),
            Self::Fits(header) => header.words(),
        }
    }

    /// Bytes that it takes in a file, about.
    pub(crate) fn bytes(&self) -> usize {
        match self {
            Self::Png(chunks) => chunks.iter().map(|(_, bytes)| bytes.len()).sum(),
            Self::Jpeg(segments) => segments.iter().map(|(_, bytes)| bytes.len()).sum(),
            Self::Tiff(tags) => tags.bytes(),
            // Written nowhere else, and of one length.
            Self::Exr(_) | Self::Mrc(_) | Self::Fits(_) => 0,
        }
    }
}

/// `what (name, name, ...)`, each name once; nothing without names.
fn named(what: &str, names: impl IntoIterator<Item = String>) -> Option<String> {
    let mut each: Vec<String> = Vec::new();
    for name in names {
        if !each.contains(&name) {
            each.push(name);
        }
    }
    (!each.is_empty()).then(|| format!("{what} ({})", each.join(", ")))
}

fn png_words(chunks: &[Chunk], profiled: bool) -> Vec<String> {
    let name = |(name, _): &Chunk| String::from_utf8_lossy(name).into_owned();
    let of = |wanted: fn(&[u8; 4]) -> bool| {
        let chunks = chunks.iter().filter(move |(name, _)| wanted(name));
        chunks.map(name).collect::<Vec<_>>()
    };
    let colours = if profiled || is_srgb(chunks) {
        vec![]
    } else {
        of(is_colour)
    };
    [
        named("what its colours mean", colours),
        named("its texts", of(is_text)),
        named("its chunks", of(|name| !is_colour(name) && !is_text(name))),
    ]
    .into_iter()
    .flatten()
    .collect()
}

fn is_text(name: &[u8; 4]) -> bool {
    matches!(name, b"tEXt" | b"zTXt" | b"iTXt")
}

fn jpeg_words(segments: &[Segment]) -> Vec<String> {
    let of = |wanted: u8| segments.iter().any(|(marker, _)| *marker == wanted);
    let others = segments
        .iter()
        .filter(|(marker, _)| ![COMMENT, IPTC].contains(marker));
    let others = others.map(|(marker, _)| format!("APP{}", marker & 0xf));
    let comment = of(COMMENT).then(|| "its comment".to_owned());
    let iptc = of(IPTC).then(|| "the IPTC data".to_owned());
    [comment, iptc, named("its segments", others)]
        .into_iter()
        .flatten()
        .collect()
}

fn tiff_words(tags: &Directory) -> Vec<String> {
    let name = |tag: u16| match tag {
        269 => "DocumentName".to_owned(),
        285 => "PageName".to_owned(),
        297 => "PageNumber".to_owned(),
        33550 | 33922 | 34264 | 34735..=34737 => "GeoTIFF".to_owned(),
        33723 => "IPTC".to_owned(),
        34377 => "Photoshop".to_owned(),
        42112 | 42113 => "GDAL".to_owned(),
        50838 | 50839 => "ImageJ".to_owned(),
        tag => tag.to_string(),
    };
    let names = tags.entries.iter().map(|entry| name(entry.tag));
    named("its TIFF tags", names).into_iter().collect()
}

impl ExrAttributes {
    fn words(&self) -> Vec<String> {
        let Self {
            image,
            layer,
            fills_window,
            names: _,
            choice: _,
            rest,
        } = self;
        let plain = LayerAttributes {
            layer_name: layer.layer_name.clone(),
            layer_position: layer.layer_position,
            screen_window_center: layer.screen_window_center,
            screen_window_width: layer.screen_window_width,
            software_name: layer.software_name.clone(),
            ..LayerAttributes::default()
        };
        let has_others = *layer != plain || !image.other.is_empty() || image.time_code.is_some();
        [
            ("its data window", !fills_window),
            ("its chromaticities", image.chromaticities.is_some()),
            ("that its pixels are not square", image.pixel_aspect != 1.0),
            ("its other attributes", has_others),
        ]
        .into_iter()
        .filter(|&(_, is_said)| is_said)
        .map(|(words, _)| words.to_owned())
        .chain(rest.iter().flat_map(|file| file.rest()))
        .collect()
    }
}
