//! The layers of an OpenEXR file, and which of them is the picture.
//!
//! A layer of colours is a part of the file, or channels whose names begin alike: `albedo.R`, `albedo.G` and
//! `albedo.B`.

use std::path::Path;

use ::exr::{
    math::Vec2,
    meta::{
        BlockDescription,
        attribute::{Compression, SampleType},
        header::Header as Layer,
    },
};

use super::COMPRESS;
use crate::{
    FileError, Header, MAX_DECODED_BYTES, SampleKind,
    input::{malformed, unsupported},
};

const WAY_OUT: &str = "save it with the channels R, G and B, or Y alone, of half or float";

/// How programs call what others call R, G and B alone: Blender, and most renderers.
const BEAUTY: [&str; 3] = ["Combined", "beauty", "rgba"];

/// Most other layers that are named.
const NAMED: usize = 3;

/// What is read of a file.
pub(crate) struct Colours {
    /// The part of the file.
    pub layer: usize,
    /// Positions of the channels among those of the part: grey or red, green and blue, then alpha.
    pub channels: Vec<usize>,
    pub header: Header,
    /// What was chosen, where there was a choice, in words.
    pub choice: Option<String>,
}

/// Colours that could be the picture.
struct Group {
    layer: usize,
    /// Of the part and of what the names of its channels begin with; nothing for `R`, `G` and `B` alone.
    name: String,
    colours: Vec<usize>,
    alpha: Option<usize>,
}

impl Group {
    /// The lower, the sooner it is the picture.
    fn rank(&self) -> usize {
        let last = self.name.rsplit('.').next().unwrap_or_default();
        if last.is_empty() {
            0
        } else if BEAUTY.iter().any(|name| name.eq_ignore_ascii_case(last)) {
            1
        } else if self.colours.len() == 3 {
            2
        } else {
            3
        }
    }

    fn channels(&self) -> impl Iterator<Item = usize> {
        self.colours.iter().copied().chain(self.alpha)
    }

    fn is_of(&self, kind: SampleType, layers: &[Layer]) -> bool {
        let list = &layers[self.layer].channels.list;
        self.channels()
            .any(|channel| list[channel].sample_type == kind)
    }

    /// In words: a layer by its name, and one without a name by its channels.
    fn words(&self, layers: &[Layer]) -> String {
        if self.name.is_empty() {
            return names(layers, self.layer, &self.colours);
        }
        self.name.clone()
    }
}

/// Chooses the colours that are the picture: those without another name, else those that programs call so,
/// else the first ones.
pub(super) fn choose(layers: &[Layer], path: &Path) -> Result<Colours, FileError> {
    let (integers, mut groups): (Vec<_>, Vec<_>) = groups(layers)
        .into_iter()
        .partition(|group| group.is_of(SampleType::U32, layers));
    let best = (0..groups.len()).min_by_key(|&at| groups[at].rank());
    let Some(chosen) = best.map(|at| groups.remove(at)) else {
        let found = match &integers[..] {
            [] => "no layer of plain colours",
            _ => "32-bit integers",
        };
        return Err(unsupported(path, found, WAY_OUT));
    };
    let layer = &layers[chosen.layer];
    let is_float = chosen.is_of(SampleType::F32, layers);
    let header = Header {
        channels: chosen.colours.len(),
        height: layer.layer_size.height(),
        width: layer.layer_size.width(),
        kind: if is_float {
            SampleKind::F32
        } else {
            SampleKind::F16
        },
        alpha: chosen.alpha.is_some(),
        pages: 1,
    };
    let has_one_size = |sampling| sampling == Vec2(1, 1);
    let mut list = layer.channels.list.iter();
    if !list.all(|channel| has_one_size(channel.sampling)) {
        let found = "channels of several resolutions";
        return Err(unsupported(path, found, WAY_OUT));
    }
    if matches!(
        layer.compression,
        Compression::HTJ2K32 | Compression::HTJ2K256
    ) {
        return Err(unsupported(path, "HTJ2K compression", COMPRESS));
    }
    header.check_size(header.kind.bytes(), path)?;
    check_blocks(layer, path)?;
    Ok(Colours {
        layer: chosen.layer,
        channels: chosen.channels().collect(),
        header,
        choice: choice(&chosen, &groups, layers),
    })
}

/// What is said of a choice.
fn choice(chosen: &Group, others: &[Group], layers: &[Layer]) -> Option<String> {
    let named: Vec<String> = others
        .iter()
        .take(NAMED)
        .map(|group| group.words(layers))
        .collect();
    let mut named = match &named[..] {
        [] => return None,
        named => named.join(", "),
    };
    if others.len() > NAMED {
        named += &format!(" and {} more", others.len() - NAMED);
    }
    let channels = names(layers, chosen.layer, &chosen.colours);
    let of = match &*chosen.name {
        "" => String::new(),
        name => format!(" of {name}"),
    };
    Some(format!(
        "its picture is {channels}{of}; the colours of {named} are no part of it"
    ))
}

/// The names of channels.
fn names(layers: &[Layer], layer: usize, channels: &[usize]) -> String {
    let list = &layers[layer].channels.list;
    let names = channels
        .iter()
        .map(|&channel| list[channel].name.to_string());
    names.collect::<Vec<_>>().join(", ")
}

/// All layers of colours, in the order of the file.
fn groups(layers: &[Layer]) -> Vec<Group> {
    let mut groups = Vec::new();
    for (layer, header) in layers.iter().enumerate() {
        let list = header.channels.list.iter();
        let names: Vec<String> = list.map(|channel| channel.name.to_string()).collect();
        // Where the first part of a name ends, and where its last one begins.
        let parted = |name: &str| name.rfind('.').map_or((0, 0), |dot| (dot, dot + 1));
        let mut prefixes: Vec<&str> = Vec::new();
        for name in &names {
            let prefix = &name[..parted(name).0];
            if !prefixes.contains(&prefix) {
                prefixes.push(prefix);
            }
        }
        let part = header.own_attributes.layer_name.as_ref();
        let part = part.filter(|_| layers.len() > 1);
        let part = part.map_or_else(String::new, ToString::to_string);
        for prefix in prefixes {
            let find = |wanted: &str| {
                names.iter().position(|name| {
                    let (end, start) = parted(name);
                    name[..end] == *prefix && name[start..].eq_ignore_ascii_case(wanted)
                })
            };
            // Of luminance and chroma, luminance alone would pass for a grey image.
            if ["RY", "BY"].iter().any(|name| find(name).is_some()) {
                continue;
            }
            let colours = ["R", "G", "B"].map(find);
            let colours: Option<Vec<usize>> = colours.into_iter().collect();
            // Y may also be that of a vector.
            let grey = || find("Y").filter(|_| find("X").is_none());
            let Some(colours) = colours.or_else(|| grey().map(|grey| vec![grey])) else {
                continue;
            };
            groups.push(Group {
                layer,
                name: full_name(&part, prefix),
                colours,
                alpha: find("A"),
            });
        }
    }
    groups
}

/// The name of a layer in a part. Some programs say the name of the part once more in those of its channels.
fn full_name(part: &str, prefix: &str) -> String {
    let is_said = prefix
        .strip_prefix(part)
        .is_some_and(|rest| rest.is_empty() || rest.starts_with('.'));
    match (part, prefix) {
        ("", name) | (name, "") => name.to_owned(),
        (_, prefix) if is_said => prefix.to_owned(),
        (part, prefix) => format!("{part}.{prefix}"),
    }
}

/// The bytes of the largest block of a layer. Refuses blocks, which the decoder keeps whole, that take more
/// memory than a picture may.
pub(super) fn check_blocks(layer: &Layer, path: &Path) -> Result<u64, FileError> {
    let block = match layer.blocks {
        BlockDescription::Tiles(tiles) => tiles.tile_size,
        BlockDescription::ScanLines => Vec2(
            layer.layer_size.width(),
            layer.compression.scan_lines_per_block(),
        ),
    };
    let bytes = [
        block.width(),
        block.height(),
        layer.channels.bytes_per_pixel,
    ]
    .iter()
    .try_fold(1_u64, |bytes, &size| bytes.checked_mul(size as u64));
    match bytes {
        Some(bytes) if bytes <= MAX_DECODED_BYTES => Ok(bytes),
        _ => {
            let (width, height) = (block.width(), block.height());
            let found = format!("its blocks of pixels are {width}x{height} large");
            Err(malformed(path, found))
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_name_that_is_said_twice_counts_once() {
        for (part, prefix, name) in [
            ("", "", ""),
            ("", "albedo", "albedo"),
            ("albedo", "", "albedo"),
            ("albedo", "albedo", "albedo"),
            ("view", "view.Combined", "view.Combined"),
            ("view", "viewer", "view.viewer"),
        ] {
            assert_eq!(full_name(part, prefix), name);
        }
    }
}
