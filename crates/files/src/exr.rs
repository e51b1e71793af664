//! OpenEXR: the grey or RGB channels of the first layer that has them, at full resolution.

use std::{
    collections::HashSet,
    io::{Read, Seek},
    path::Path,
};

use ::exr::{
    block::{
        lines::LineRef,
        reader::{ChunksReader, Reader},
    },
    error::Error,
    math::Vec2,
    meta::{
        BlockDescription,
        attribute::{LevelMode, SampleType, Text},
        header::Header as Layer,
    },
};
use half::f16;

use crate::{
    Attached, FileError, Header, MAX_DECODED_BYTES, Own, Raster, SampleKind, Samples,
    attached::ExrAttributes,
    input::{malformed, read_error, truncated, unsupported},
};

/// Copies of a block that decompressing it takes.
const BLOCK_COPIES: u64 = 3;

const WAY_OUT: &str = "save it with the channels R, G and B, or Y alone, of half or float";

pub(crate) fn read_header(input: impl Read + Seek, path: &Path) -> Result<Header, FileError> {
    let reader =
        Reader::read_from_buffered(input, false).map_err(|error| exr_error(error, path))?;
    Ok(select(reader.headers(), path)?.header)
}

/// What stands beside the pixels, and what else the file holds.
pub(crate) fn read_attached(input: impl Read + Seek, path: &Path) -> Result<Attached, FileError> {
    let reader =
        Reader::read_from_buffered(input, false).map_err(|error| exr_error(error, path))?;
    let headers = reader.headers();
    let Selection {
        layer, channels, ..
    } = select(headers, path)?;
    let header = &headers[layer];
    let list = header.channels.list.iter().enumerate();
    let others: Vec<String> = list
        .filter(|(index, _)| !channels.contains(index))
        .map(|(_, channel)| channel.name.to_string())
        .collect();
    let mut unread = Vec::new();
    match &others[..] {
        [] => {}
        [one] => unread.push(format!("its channel {one}")),
        _ => unread.push(format!("its channels {}", others.join(", "))),
    }
    match headers.len() {
        1 => {}
        2 => unread.push("its other layer".to_owned()),
        count => unread.push(format!("its other {} layers", count - 1)),
    }
    if let BlockDescription::Tiles(tiles) = header.blocks
        && tiles.level_mode != LevelMode::Singular
    {
        unread.push("its smaller levels".to_owned());
    }
    Ok(Attached {
        associated_alpha: true,
        own: Some(Own::Exr(Box::new(ExrAttributes {
            image: header.shared_attributes.clone(),
            layer: header.own_attributes.clone(),
            fills_window: header.data_window() == header.shared_attributes.display_window,
        }))),
        unread,
        ..Attached::default()
    })
}

pub(crate) fn read_picture(input: impl Read + Seek, path: &Path) -> Result<Raster, FileError> {
    let reader =
        Reader::read_from_buffered(input, false).map_err(|error| exr_error(error, path))?;
    let Selection {
        layer,
        channels,
        header,
    } = select(reader.headers(), path)?;
    let (width, size) = (header.width, header.width * header.height);
    let mut planes = Samples::zeros(header.kind, channels.len() * size);
    // The same block twice, and another one not at all, would leave a hole.
    let mut seen = HashSet::new();
    let mut pixels = 0;
    let blocks = reader
        .filter_chunks(false, |_, _, block| {
            block.layer == layer && block.level == Vec2(0, 0)
        })
        .map_err(|error| exr_error(error, path))?;
    let decoded = blocks.decompress_sequential(false, |meta, block| {
        let index = block.index;
        if index.layer != layer || index.level != Vec2(0, 0) {
            return Err(Error::Invalid("a block is not where its table says".into()));
        }
        if seen.insert(index.pixel_position) {
            pixels += index.pixel_size.area();
        }
        let list = &meta.headers[layer].channels;
        for line in block.lines(list) {
            let channel = line.location.channel;
            let Some(plane) = channels.iter().position(|&found| found == channel) else {
                continue;
            };
            let Vec2(x, y) = line.location.position;
            let start = plane * size + y * width + x;
            let places = start..start + line.location.sample_count;
            match &mut planes {
                Samples::F16(planes) => line.read_samples_into_slice(&mut planes[places])?,
                Samples::F32(planes) => {
                    read_line(line, list.list[channel].sample_type, &mut planes[places])?;
                }
                _ => {}
            }
        }
        Ok(())
    });
    decoded.map_err(|error| exr_error(error, path))?;
    if pixels != size {
        return Err(truncated(path, "its blocks of pixels"));
    }
    Ok(Raster::from_planes(planes, header.shape(), header.alpha))
}

fn read_line(line: LineRef<'_>, kind: SampleType, row: &mut [f32]) -> Result<(), Error> {
    if kind == SampleType::F32 {
        return line.read_samples_into_slice(row);
    }
    for (sample, value) in row.iter_mut().zip(line.read_samples::<f16>()) {
        *sample = value?.to_f32();
    }
    Ok(())
}

/// What is read of a file.
struct Selection {
    layer: usize,
    /// Positions of the channels among those of the layer: grey or red, green and blue, then alpha.
    channels: Vec<usize>,
    header: Header,
}

fn select(layers: &[Layer], path: &Path) -> Result<Selection, FileError> {
    let selected = layers.iter().enumerate().find_map(|(index, layer)| {
        let find = |name: &&str| layer.channels.find_index_of_channel(&Text::from(*name));
        let colours = [&["R", "G", "B"][..], &["Y"]]
            .iter()
            .find_map(|names| names.iter().map(find).collect::<Option<Vec<_>>>())?;
        // Of luminance and chroma, luminance alone would pass for a grey image.
        let chroma = ["RY", "BY"].iter().any(|name| find(name).is_some());
        (!layer.deep && !chroma).then_some((index, layer, colours, find(&"A")))
    });
    let Some((index, layer, mut channels, alpha)) = selected else {
        return Err(unsupported(path, "no layer of plain colours", WAY_OUT));
    };
    let mut header = Header {
        channels: channels.len(),
        height: layer.layer_size.height(),
        width: layer.layer_size.width(),
        kind: SampleKind::F16,
        alpha: alpha.is_some(),
        pages: 1,
    };
    channels.extend(alpha);
    for &channel in &channels {
        let channel = &layer.channels.list[channel];
        if channel.sample_type == SampleType::U32 {
            return Err(unsupported(path, "32-bit integers", WAY_OUT));
        }
        if channel.sample_type == SampleType::F32 {
            header.kind = SampleKind::F32;
        }
        if channel.sampling != Vec2(1, 1) {
            return Err(unsupported(
                path,
                "channels of several resolutions",
                WAY_OUT,
            ));
        }
    }
    header.check_size(header.kind.bytes(), path)?;
    check_blocks(layer, path)?;
    Ok(Selection {
        layer: index,
        channels,
        header,
    })
}

/// Bytes of memory that the decoder's largest block takes: as it is in the file, on its way, and decoded.
pub(crate) fn block_bytes(input: impl Read + Seek, path: &Path) -> Result<u64, FileError> {
    let reader =
        Reader::read_from_buffered(input, false).map_err(|error| exr_error(error, path))?;
    let layer = select(reader.headers(), path)?.layer;
    Ok(BLOCK_COPIES * check_blocks(&reader.headers()[layer], path)?)
}

/// The bytes of the largest block of a layer. Refuses blocks, which the decoder keeps whole, that take more
/// memory than a picture may.
fn check_blocks(layer: &Layer, path: &Path) -> Result<u64, FileError> {
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

fn exr_error(error: Error, path: &Path) -> FileError {
    match error {
        Error::Io(error) => read_error(error, path, "its pixels"),
        Error::NotSupported(found) => {
            let way_out = "save it with ZIP compression, or none";
            unsupported(path, format!("OpenEXR of a kind ({found})"), way_out)
        }
        other => malformed(path, other.to_string()),
    }
}
