//! What blocks of the compressions DWAA and DWAB announce, which their decoder takes memory for unseen.

use ::exr::{
    block::chunk::{Chunk, CompressedBlock, CompressedScanLineBlock, CompressedTileBlock},
    error::Error,
    math::Vec2,
    meta::header::Header as Layer,
};

/// Places among the numbers of 64 bits that a block begins with: the bytes of channels that are no colours, those
/// of runs before and after they are unpacked, and how many factors of waves there are, of two kinds.
const ANNOUNCED: [usize; 5] = [1, 6, 7, 8, 9];

/// Refuses a block that announces far more than its pixels can take.
pub(super) fn check(chunk: &Chunk, layer: &Layer) -> Result<(), Error> {
    let place = layer.get_block_data_indices(&chunk.compressed_block)?;
    let size = layer.get_absolute_block_pixel_coordinates(place)?.size;
    let (CompressedBlock::ScanLine(CompressedScanLineBlock {
        compressed_pixels_le: bytes,
        ..
    })
    | CompressedBlock::Tile(CompressedTileBlock {
        compressed_pixels_le: bytes,
        ..
    })) = &chunk.compressed_block
    else {
        return Ok(());
    };
    let pixel = layer.channels.bytes_per_pixel;
    if bytes.len() == size.area() * pixel {
        // Stored as it is.
        return Ok(());
    }
    // Waves are of 8x8 pixels, and runs of numbers that differ take more than these.
    let Vec2(width, height) = size;
    let most = 2 * width.next_multiple_of(8) * height.next_multiple_of(8) * pixel;
    let (numbers, _) = bytes.as_chunks::<8>();
    let announced = ANNOUNCED.iter().filter_map(|&at| numbers.get(at));
    let mut announced = announced.map(|number| u64::from_le_bytes(*number));
    if announced.any(|number| number > most as u64) {
        let found = "a block announces more than its pixels can take";
        return Err(Error::Invalid(found.into()));
    }
    Ok(())
}
