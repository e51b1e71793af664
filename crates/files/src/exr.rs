//! OpenEXR: the grey or RGB channels of one layer, at full resolution.

use std::{collections::HashSet, path::Path, sync::Arc};

use ::exr::{
    block::{UncompressedBlock, lines::LineRef},
    error::Error,
    math::Vec2,
    meta::{
        BlockDescription,
        attribute::{LevelMode, SampleType},
    },
};
use half::f16;

use crate::{
    Attached, FileError, Header, Own, Raster, Samples,
    attached::ExrAttributes,
    input::{malformed, read_error, truncated, unsupported},
};

pub(crate) use self::file::ExrFile;

mod dwa;
mod file;
mod layers;
mod zstd;

/// Copies of a block that decompressing it takes: as it is in the file, on its way, and decoded.
const BLOCK_COPIES: u64 = 3;

/// The same where it is compressed again, because other channels stand in it.
const COPIES_BOTH_WAYS: u64 = 5;

/// The way out of compressions that are not read.
const COMPRESS: &str = "save it with ZIP compression, or none";

pub(crate) fn read_header(path: &Path) -> Result<Header, FileError> {
    Ok(ExrFile::open(path)?.colours().header)
}

/// What stands beside the pixels: also all other channels and layers.
pub(crate) fn read_attached(path: &Path) -> Result<Attached, FileError> {
    let file = ExrFile::open(path)?;
    let colours = file.colours();
    let header = &file.layers()[colours.layer];
    let mut unread = Vec::new();
    if let BlockDescription::Tiles(tiles) = header.blocks
        && tiles.level_mode != LevelMode::Singular
    {
        unread.push("its smaller levels".to_owned());
    }
    let name = |&channel: &usize| header.channels.list[channel].name.clone();
    let attributes = ExrAttributes {
        image: header.shared_attributes.clone(),
        layer: header.own_attributes.clone(),
        fills_window: header.data_window() == header.shared_attributes.display_window,
        names: colours.channels.iter().map(name).collect(),
        choice: colours.choice.clone(),
        rest: None,
    };
    let rest = (!file.rest().is_empty()).then(|| Arc::new(file));
    Ok(Attached {
        associated_alpha: true,
        own: Some(Own::Exr(Box::new(ExrAttributes { rest, ..attributes }))),
        unread,
        ..Attached::default()
    })
}

pub(crate) fn read_picture(path: &Path) -> Result<Raster, FileError> {
    let file = ExrFile::open(path)?;
    let colours = file.colours();
    let (layer, header) = (colours.layer, colours.header);
    let (width, size) = (header.width, header.width * header.height);
    let mut planes = Samples::zeros(header.kind, colours.channels.len() * size);
    // The same block twice, and another one not at all, would leave a hole.
    let mut seen = HashSet::new();
    let mut pixels = 0;
    let mut read = || {
        for chunk in file.chunks(|of, level| of == layer && level == Vec2(0, 0))? {
            let block = UncompressedBlock::decompress_chunk(chunk?, file.meta(), false)?;
            let index = block.index;
            if index.layer != layer || index.level != Vec2(0, 0) {
                return Err(Error::Invalid("a block is not where its table says".into()));
            }
            if seen.insert(index.pixel_position) {
                pixels += index.pixel_size.area();
            }
            let list = &file.layers()[layer].channels;
            for line in block.lines(list) {
                let channel = line.location.channel;
                let Some(plane) = colours.channels.iter().position(|&found| found == channel)
                else {
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
        }
        Ok(())
    };
    read().map_err(|error| exr_error(error, path))?;
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

/// Bytes of memory that the largest block takes beside the samples, while it is read or written.
pub(crate) fn block_bytes(path: &Path) -> Result<u64, FileError> {
    let file = ExrFile::open(path)?;
    if file.rest().is_empty() {
        let layer = &file.layers()[file.colours().layer];
        return Ok(BLOCK_COPIES * layers::check_blocks(layer, path)?);
    }
    let blocks = file.layers().iter();
    let blocks = blocks.map(|layer| layers::check_blocks(layer, path));
    let largest = blocks.collect::<Result<Vec<u64>, _>>()?.into_iter().max();
    Ok(COPIES_BOTH_WAYS * largest.unwrap_or(0))
}

fn exr_error(error: Error, path: &Path) -> FileError {
    match error {
        Error::Io(error) => read_error(error, path, "its pixels"),
        Error::NotSupported(found) => {
            unsupported(path, format!("OpenEXR of a kind ({found})"), COMPRESS)
        }
        other => malformed(path, other.to_string()),
    }
}
