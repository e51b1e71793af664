//! A file of OpenEXR with other colours: all its other channels and layers stay as they are.
//!
//! Blocks of other layers are copied. Those of the layer of the colours are unpacked and packed again, in the same
//! way if that loses nothing.

use std::{
    collections::HashMap,
    io::{Seek, Write},
};

use ::exr::{
    block::{
        BlockIndex, UncompressedBlock,
        chunk::{Chunk, TileCoordinates},
        lines::LineIndex,
        writer::ChunksWriter,
    },
    compression::Compression,
    error::Error,
    math::Vec2,
    meta::{
        BlockDescription,
        attribute::{LevelMode, LineOrder, SampleType, TileDescription},
        header::Header as Layer,
    },
};
use half::f16;

use crate::{EncodeError, Raster, Sample, exr::ExrFile, with_samples};

/// Checks that `raster` has the size and the channels of the colours of `source`.
pub(super) fn check(raster: &Raster, source: &ExrFile) -> Result<(), EncodeError> {
    let (found, expected) = (raster.header(), source.colours().header);
    if (found.shape(), found.alpha) == (expected.shape(), expected.alpha) {
        return Ok(());
    }
    Err(EncodeError::Layers {
        path: source.path().to_owned(),
        found: found.shape(),
        expected: expected.shape(),
    })
}

/// Writes `source` with the colours and the alpha of `raster`.
pub(super) fn write(
    file: impl Write + Seek,
    raster: &Raster,
    source: &ExrFile,
) -> Result<(), Error> {
    let colours = source.colours().layer;
    let mut layers = source.meta().headers.clone();
    layers[colours] = packed_without_loss(layers[colours].clone());
    let places = |layer: &Layer| {
        let blocks = layer.blocks_increasing_y_order().enumerate();
        blocks
            .map(|(place, block)| (block.location, place))
            .collect()
    };
    let places: Vec<HashMap<TileCoordinates, usize>> = layers.iter().map(places).collect();
    let chunks = source.chunks(|layer, level| layer != colours || level == Vec2(0, 0))?;
    ::exr::block::write(file, layers, false, |meta, writer| {
        for chunk in chunks {
            let chunk = chunk?;
            let layer = chunk.layer_index;
            let header = &meta.headers[layer];
            let chunks = if layer == colours {
                let mut block = UncompressedBlock::decompress_chunk(chunk, source.meta(), false)?;
                paint(&mut block, header, raster, source);
                let mut blocks = parts(block, header);
                if header.line_order == LineOrder::Decreasing {
                    blocks.reverse();
                }
                let chunks = blocks.into_iter();
                chunks
                    .map(|block| block.compress_to_chunk(&meta.headers))
                    .collect::<Result<Vec<Chunk>, _>>()?
            } else if source.is_unpacked(layer) {
                let block = UncompressedBlock::decompress_chunk(chunk, source.meta(), false)?;
                vec![block.compress_to_chunk(&meta.headers)?]
            } else {
                vec![chunk]
            };
            for chunk in chunks {
                let location = header.get_block_data_indices(&chunk.compressed_block)?;
                let place = places[layer].get(&location);
                let place = place.ok_or_else(|| Error::Invalid("a block has no place".into()))?;
                writer.write_chunk(*place, chunk)?;
            }
        }
        Ok(())
    })
}

/// The layer as it is written: in one level, and by a compression that loses nothing.
fn packed_without_loss(layer: Layer) -> Layer {
    use Compression::{PIZ, PXR24, RLE, Uncompressed, ZIP1, ZIP16};
    let compression = match layer.compression {
        kept @ (Uncompressed | RLE | ZIP1 | ZIP16 | PIZ) => kept,
        // Its blocks are as large.
        PXR24 => ZIP16,
        _ => PIZ,
    };
    let blocks = match layer.blocks {
        BlockDescription::Tiles(tiles) => BlockDescription::Tiles(TileDescription {
            level_mode: LevelMode::Singular,
            ..tiles
        }),
        lines @ BlockDescription::ScanLines => lines,
    };
    let line_order = layer.line_order;
    layer.with_encoding(compression, blocks, line_order)
}

/// Puts the colours of `raster` into a block.
fn paint(block: &mut UncompressedBlock, header: &Layer, raster: &Raster, source: &ExrFile) {
    let channels = &source.colours().channels;
    for (bytes, line) in LineIndex::lines_in_block(block.index, &header.channels) {
        let Some(plane) = channels.iter().position(|&found| found == line.channel) else {
            continue;
        };
        let (samples, plane) = match &raster.alpha {
            Some(alpha) if plane == raster.channels => (alpha, 0),
            _ => (&raster.samples, plane),
        };
        let Vec2(x, y) = line.position;
        let start = (plane * raster.height + y) * raster.width + x;
        let bytes = &mut block.data[bytes];
        let kind = header.channels.list[line.channel].sample_type;
        with_samples!(samples, samples => {
            put(&samples[start..start + line.sample_count], kind, bytes);
        });
    }
}

/// Puts samples into a line, as the kind that stands there.
fn put<T: Sample>(samples: &[T], kind: SampleType, bytes: &mut [u8]) {
    let numbers = samples.iter().map(|sample| sample.to_f64());
    match kind {
        SampleType::F16 => {
            let places = bytes.chunks_exact_mut(2);
            for (place, number) in places.zip(numbers) {
                place.copy_from_slice(&<f16 as Sample>::from_f64(number).to_ne_bytes());
            }
        }
        SampleType::F32 | SampleType::U32 => {
            let places = bytes.chunks_exact_mut(4);
            for (place, number) in places.zip(numbers) {
                place.copy_from_slice(&(number as f32).to_ne_bytes());
            }
        }
    }
}

/// A block as the blocks of the layer that is written, which may be lower.
fn parts(block: UncompressedBlock, header: &Layer) -> Vec<UncompressedBlock> {
    let UncompressedBlock { index, data } = block;
    let lines = match header.blocks {
        BlockDescription::ScanLines => header.compression.scan_lines_per_block(),
        BlockDescription::Tiles(_) => index.pixel_size.height(),
    };
    let row = data.len() / index.pixel_size.height();
    let Vec2(x, top) = index.pixel_position;
    let parts = data.chunks(lines * row).enumerate();
    parts
        .map(|(part, data)| UncompressedBlock {
            index: BlockIndex {
                pixel_position: Vec2(x, top + part * lines),
                pixel_size: Vec2(index.pixel_size.width(), data.len() / row),
                ..index
            },
            data: data.to_vec(),
        })
        .collect()
}
