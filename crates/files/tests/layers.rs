//! What stands beside the colours of an OpenEXR file stays: channels, layers, names and compressions.

use std::{fs, io::Cursor, path::Path};

use exr::{
    block::{
        self, BlockIndex, UncompressedBlock,
        chunk::{Chunk, CompressedBlock, CompressedScanLineBlock, CompressedTileBlock},
        writer::ChunksWriter,
    },
    math::RoundingMode,
    meta::{
        BlockDescription,
        attribute::{ChannelDescription, LevelMode, LineOrder, SampleType, TileDescription},
        header::Header,
    },
    prelude::{
        AnyChannel, AnyChannels, Blocks, Compression, Encoding, FlatImage, FlatSamples, Image,
        ImageAttributes, IntegerBounds, Layer, LayerAttributes, Text, Vec2, WritableImage, f16,
        read_all_flat_layers_from_file,
    },
};
use n2n_files::{
    Attached, EncodeError, FileError, PictureFormat, Raster, Samples, encode_picture,
    read_attached, read_header, read_picture,
};
use ruzstd::encoding::{CompressionLevel, compress_to_vec};
use tempfile::TempDir;

/// Columns and rows: more than a block of any compression, but for the 256 rows of one, and no multiple.
const SIZE: (usize, usize) = (37, 301);

/// A channel of numbers that differ from those of any other.
fn channel(name: &str, seed: usize) -> AnyChannel<FlatSamples> {
    let numbers = (0..SIZE.0 * SIZE.1).map(|at| (at * 7 + seed * 131) % 1999);
    AnyChannel::new(
        name,
        match name.rsplit('.').next() {
            Some("Z") => FlatSamples::F32(numbers.map(|number| number as f32 / 3.0).collect()),
            Some("id") => {
                FlatSamples::U32(numbers.map(|number| number as u32 * 1_000_003).collect())
            }
            _ => FlatSamples::F16(
                numbers
                    .map(|number| f16::from_f32(number as f32 / 64.0))
                    .collect(),
            ),
        },
    )
}

fn layer(name: &str, channels: &[&str], encoding: Encoding) -> Layer<AnyChannels<FlatSamples>> {
    let channels = channels.iter().enumerate();
    let channels = channels.map(|(seed, name)| channel(name, seed + name.len()));
    let attributes = LayerAttributes {
        layer_position: Vec2(-3, 5),
        owner: Some(Text::from(name)),
        ..LayerAttributes::named(name)
    };
    Layer::new(
        SIZE,
        attributes,
        encoding,
        AnyChannels::sort(channels.collect()),
    )
}

fn write(path: &Path, layers: Vec<Layer<AnyChannels<FlatSamples>>>) {
    let window = ImageAttributes::new(IntegerBounds::from_dimensions((50, 400)));
    let mut file = Cursor::new(Vec::new());
    let image = Image::from_layers(window, layers);
    image.write().non_parallel().to_buffered(&mut file).unwrap();
    fs::write(path, file.into_inner()).unwrap();
}

/// Half of each number.
fn halved(raster: &Raster) -> Raster {
    let samples = match &raster.samples {
        Samples::F16(samples) => {
            let half = |sample: &f16| f16::from_f32(sample.to_f32() / 2.0);
            Samples::F16(samples.iter().map(half).collect())
        }
        Samples::F32(samples) => Samples::F32(samples.iter().map(|sample| sample / 2.0).collect()),
        other => panic!("{} of OpenEXR", other.kind()),
    };
    Raster {
        samples,
        ..raster.clone()
    }
}

/// Writes the halved picture of a file with all that stands beside it, and gives all layers before and after.
fn written_again(path: &Path) -> (FlatImage, FlatImage) {
    let raster = halved(&read_picture(path).unwrap());
    let attached = read_attached(path).unwrap();
    let format = PictureFormat::Exr;
    assert!(format.leaves_out(&attached, raster.channels).is_empty());
    let after = path.with_file_name("after.exr");
    fs::write(&after, encode_picture(&raster, format, &attached).unwrap()).unwrap();
    assert_eq!(read_picture(&after).unwrap(), raster);
    assert_eq!(read_attached(&after).unwrap().choice(), attached.choice());
    let read = |path: &Path| read_all_flat_layers_from_file(path).unwrap();
    (read(path), read(&after))
}

/// Checks that two files differ in the numbers of these channels of a layer alone.
fn assert_only(colours: &[&str], of: usize, (before, after): &(FlatImage, FlatImage), what: &str) {
    assert_eq!(before.attributes, after.attributes, "{what}");
    assert_eq!(before.layer_data.len(), after.layer_data.len(), "{what}");
    for (at, (before, after)) in before.layer_data.iter().zip(&after.layer_data).enumerate() {
        assert_eq!(before.attributes, after.attributes, "{what}");
        assert_eq!(before.size, after.size, "{what}");
        let lists = [before, after].map(|layer| &layer.channel_data.list);
        assert_eq!(lists[0].len(), lists[1].len(), "{what}");
        for (before, after) in lists[0].iter().zip(lists[1]) {
            let is_colour = at == of && colours.iter().any(|name| before.name == **name);
            let same = |value: &FlatSamples, other: &FlatSamples| {
                let kind = std::mem::discriminant(value);
                kind == std::mem::discriminant(other)
            };
            assert_eq!(before.name, after.name, "{what}");
            assert!(same(&before.sample_data, &after.sample_data), "{what}");
            let name = &before.name;
            assert_eq!(before != after, is_colour, "{what}: {name} of layer {at}");
        }
    }
}

/// Ways in which a layer is stored.
fn encodings() -> Vec<Encoding> {
    use Compression::{B44, DWAA, DWAB, PIZ, PXR24, RLE, Uncompressed, ZIP1, ZIP16};
    let compressions = [
        Uncompressed,
        RLE,
        ZIP1,
        ZIP16,
        PIZ,
        PXR24,
        B44,
        DWAA(None),
        DWAB(None),
    ];
    let lines = [LineOrder::Increasing, LineOrder::Decreasing];
    let mut all = Vec::new();
    for compression in compressions {
        for line_order in lines {
            for blocks in [Blocks::ScanLines, Blocks::Tiles(Vec2(16, 24))] {
                all.push(Encoding {
                    compression,
                    blocks,
                    line_order,
                });
            }
        }
    }
    all
}

#[test]
fn other_channels_stay_to_the_bit() {
    let folder = TempDir::new().unwrap();
    let path = folder.path().join("before.exr");
    let names = [
        "A",
        "B",
        "G",
        "R",
        "Z",
        "albedo.B",
        "albedo.G",
        "albedo.R",
        "normal.X",
        "normal.Y",
        "normal.Z",
        "object.id",
    ];
    for encoding in encodings() {
        write(&path, vec![layer("all", &names, encoding)]);
        let what = format!("{encoding:?}");
        assert_only(&["B", "G", "R"], 0, &written_again(&path), &what);
    }
}

#[test]
fn other_layers_stay_to_the_bit() {
    let folder = TempDir::new().unwrap();
    let path = folder.path().join("before.exr");
    let encodings = encodings();
    for (at, &encoding) in encodings.iter().enumerate() {
        let other = encodings[(at + 5) % encodings.len()];
        let layers = vec![
            layer("depth", &["Z"], other),
            layer("beauty", &["A", "B", "G", "R", "id"], encoding),
            layer("albedo", &["B", "G", "R"], other),
        ];
        write(&path, layers);
        let what = format!("{encoding:?} and {other:?}");
        assert_only(&["B", "G", "R"], 1, &written_again(&path), &what);
    }
}

#[test]
fn colours_keep_their_own_kinds() {
    let folder = TempDir::new().unwrap();
    let path = folder.path().join("before.exr");
    let mut mixed = layer("mixed", &["B", "G", "R", "id"], Encoding::FAST_LOSSLESS);
    let green = &mut mixed.channel_data.list[1];
    green.sample_data = FlatSamples::F32(vec![0.1; SIZE.0 * SIZE.1]);
    write(&path, vec![mixed]);
    assert_only(&["B", "G", "R"], 0, &written_again(&path), "mixed");
}

#[test]
fn the_picture_is_the_one_that_programs_mean() {
    let folder = TempDir::new().unwrap();
    let path = folder.path().join("before.exr");
    let rgb = |name: &str| ["R", "G", "B"].map(|channel| format!("{name}{channel}"));
    // The names of the channels of each layer, the layer and the first channel of the picture, and how many others
    // are told.
    let cases: Vec<(Vec<Vec<String>>, usize, &str, usize)> = vec![
        (vec![[rgb(""), rgb("albedo.")].concat()], 0, "R", 1),
        (
            vec![[rgb("ViewLayer.Combined."), rgb("ViewLayer.Albedo.")].concat()],
            0,
            "ViewLayer.Combined.R",
            1,
        ),
        (vec![rgb("Combined.").to_vec()], 0, "Combined.R", 0),
        (vec![rgb("diffuse.").to_vec()], 0, "diffuse.R", 0),
        (
            vec![vec!["N.X".into(), "N.Y".into(), "N.Z".into(), "Y".into()]],
            0,
            "Y",
            0,
        ),
        (
            vec![vec!["r".into(), "g".into(), "b".into(), "id".into()]],
            0,
            "r",
            0,
        ),
        (
            vec![rgb("").to_vec(), rgb("").to_vec(), rgb("rgba.").to_vec()],
            2,
            "rgba.R",
            2,
        ),
    ];
    for (layers, of, first, others) in cases {
        let stored = layers.iter().enumerate().map(|(at, names)| {
            let names: Vec<&str> = names.iter().map(String::as_str).collect();
            layer(&format!("part{at}"), &names, Encoding::UNCOMPRESSED)
        });
        let stored: Vec<_> = stored.collect();
        let list = &stored[of].channel_data.list;
        let wanted = list.iter().find(|channel| channel.name == *first).unwrap();
        let FlatSamples::F16(wanted) = wanted.sample_data.clone() else {
            panic!("{first} is of half");
        };
        write(&path, stored);
        let Samples::F16(found) = read_picture(&path).unwrap().samples else {
            panic!("{layers:?} is read as half");
        };
        assert_eq!(found[..wanted.len()], wanted, "{layers:?}");
        let attached = read_attached(&path).unwrap();
        let choice = attached.choice().unwrap_or_default();
        assert_eq!(choice.contains(first), others > 0, "{choice}");
        assert_eq!(
            choice.matches(", ").count(),
            2 * others.min(1) + others.saturating_sub(1)
        );
        written_again(&path);
    }
}

#[test]
fn an_image_of_another_size_is_no_part_of_a_file() {
    let folder = TempDir::new().unwrap();
    let path = folder.path().join("before.exr");
    write(
        &path,
        vec![layer("all", &["B", "G", "R", "Z"], Encoding::UNCOMPRESSED)],
    );
    let attached = read_attached(&path).unwrap();
    let other = Raster {
        channels: 1,
        height: 2,
        width: 1,
        samples: Samples::F32(vec![1.0, 2.0]),
        alpha: None,
    };
    let error = encode_picture(&other, PictureFormat::Exr, &attached).unwrap_err();
    assert!(matches!(error, EncodeError::Layers { .. }), "{error}");
    assert!(encode_picture(&other, PictureFormat::Exr, &Attached::default()).is_ok());
}

/// A block as OpenEXR compresses it by Zstandard.
fn by_zstd(block: &UncompressedBlock, list: &[ChannelDescription], version: u32) -> Vec<u8> {
    let [width, height] = [block.index.pixel_size.0, block.index.pixel_size.1];
    let mut frame = Vec::new();
    for bytes in [2, 4] {
        let (mut at, mut numbers) = (0, Vec::new());
        for _ in 0..height {
            for channel in list {
                let found = channel.sample_type.bytes_per_sample();
                let row = &block.data[at..at + width * found];
                at += row.len();
                let mut before = 0_u32;
                for number in row.chunks(bytes).filter(|_| found == bytes) {
                    let number = number.iter().rev();
                    let number = number.fold(0, |value, &byte| value << 8 | u32::from(byte));
                    let left = if version == 2 { before } else { 0 };
                    numbers.push(number.wrapping_sub(left).to_le_bytes());
                    before = number;
                }
            }
        }
        if numbers.is_empty() {
            continue;
        }
        frame.extend(((numbers.len() * bytes) as u64).to_le_bytes());
        for byte in 0..bytes {
            frame.extend(numbers.iter().map(|number| number[byte]));
        }
    }
    let frame = compress_to_vec(&*frame, CompressionLevel::Fastest);
    let mut packed = b"zstd-exr".to_vec();
    packed.extend(version.to_le_bytes());
    packed.extend((version - 1).to_le_bytes());
    packed.extend((frame.len() as u64).to_le_bytes());
    packed.extend(frame);
    packed
}

/// A file of layers of these channels, all compressed by Zstandard.
fn zstd_file(names: &[&str], layers: usize, blocks: BlockDescription, version: u32) -> Vec<u8> {
    let channels: Vec<AnyChannel<FlatSamples>> = names
        .iter()
        .enumerate()
        .map(|(seed, name)| channel(name, seed))
        .collect();
    let list: Vec<ChannelDescription> = channels
        .iter()
        .map(|channel| {
            let kind = match channel.sample_data {
                FlatSamples::F16(_) => SampleType::F16,
                FlatSamples::F32(_) => SampleType::F32,
                FlatSamples::U32(_) => SampleType::U32,
            };
            ChannelDescription::named(channel.name.clone(), kind)
        })
        .collect();
    let header = |layer: usize| {
        let name = Text::from(&*format!("part{layer}"));
        let header = Header::new(name, SIZE, list.iter().cloned().collect());
        header.with_encoding(Compression::ZIP1, blocks, LineOrder::Increasing)
    };
    let mut file = Cursor::new(Vec::new());
    block::write(
        &mut file,
        (0..layers).map(header).collect(),
        true,
        |meta, writer| {
            for (place, index) in block::enumerate_ordered_header_block_indices(&meta.headers) {
                let header = &meta.headers[index.layer];
                let BlockIndex {
                    pixel_position: Vec2(left, top),
                    pixel_size: Vec2(width, height),
                    ..
                } = index;
                let mut data = Vec::new();
                for y in top..top + height {
                    for channel in &channels {
                        let at = y * SIZE.0 + left..y * SIZE.0 + left + width;
                        match &channel.sample_data {
                            FlatSamples::F16(values) => {
                                data.extend(
                                    values[at].iter().flat_map(|value| value.to_le_bytes()),
                                );
                            }
                            FlatSamples::F32(values) => {
                                data.extend(
                                    values[at].iter().flat_map(|value| value.to_le_bytes()),
                                );
                            }
                            FlatSamples::U32(values) => {
                                data.extend(
                                    values[at].iter().flat_map(|value| value.to_le_bytes()),
                                );
                            }
                        }
                    }
                }
                let block = UncompressedBlock { index, data };
                let packed = by_zstd(&block, &header.channels.list, version);
                let Chunk {
                    layer_index,
                    mut compressed_block,
                } = block.clone().compress_to_chunk(&meta.headers)?;
                // Blocks that do not become smaller are stored as they are.
                if let CompressedBlock::ScanLine(CompressedScanLineBlock {
                    compressed_pixels_le,
                    ..
                })
                | CompressedBlock::Tile(CompressedTileBlock {
                    compressed_pixels_le,
                    ..
                }) = &mut compressed_block
                {
                    let is_smaller = packed.len() < block.data.len();
                    *compressed_pixels_le = if is_smaller { packed } else { block.data };
                }
                let chunk = Chunk {
                    layer_index,
                    compressed_block,
                };
                writer.write_chunk(place, chunk)?;
            }
            Ok(())
        },
    )
    .unwrap();
    // Its number, for that of the compression that it was written with.
    let mut bytes = file.into_inner();
    let kind = b"compression\0compression\0\x01\0\0\0";
    for at in 0..bytes.len() - kind.len() {
        if bytes[at..].starts_with(kind) {
            bytes[at + kind.len()] = 13;
        }
    }
    bytes
}

#[test]
fn zstandard_is_read_and_what_is_beside_stays() {
    let folder = TempDir::new().unwrap();
    let path = folder.path().join("zstd.exr");
    let tiles = BlockDescription::Tiles(TileDescription {
        tile_size: Vec2(16, 24),
        level_mode: LevelMode::Singular,
        rounding_mode: RoundingMode::Down,
    });
    for names in [&["B", "G", "R"][..], &["B", "G", "R", "Z", "id"]] {
        for blocks in [BlockDescription::ScanLines, tiles] {
            for (layers, version) in [(1, 1), (1, 2), (2, 2)] {
                fs::write(&path, zstd_file(names, layers, blocks, version)).unwrap();
                let raster = read_picture(&path).unwrap();
                let wanted = [2, 1, 0].map(|seed| match channel("R", seed).sample_data {
                    FlatSamples::F16(values) => values,
                    _ => Vec::new(),
                });
                assert_eq!(raster.samples, Samples::F16(wanted.concat()));
                let attached = read_attached(&path).unwrap();
                let after = folder.path().join("after.exr");
                let written = encode_picture(&raster, PictureFormat::Exr, &attached).unwrap();
                fs::write(&after, written).unwrap();
                let after = read_all_flat_layers_from_file(&after).unwrap();
                assert_eq!(after.layer_data.len(), layers);
                for layer in &after.layer_data {
                    for (seed, found) in layer.channel_data.list.iter().enumerate() {
                        assert_eq!(found.sample_data, channel(names[seed], seed).sample_data);
                    }
                }
            }
        }
    }
}

#[test]
fn damaged_zstandard_is_an_error() {
    let folder = TempDir::new().unwrap();
    let path = folder.path().join("zstd.exr");
    let whole = zstd_file(&["B", "G", "R"], 1, BlockDescription::ScanLines, 2);
    let starts: Vec<usize> = (0..whole.len() - 8)
        .filter(|&at| whole[at..].starts_with(b"zstd-exr"))
        .collect();
    assert!(starts.len() > 10);
    // Its version, its flags, the frame, and what stands in it.
    for at in [8, 12, 24, 27] {
        let mut bytes = whole.clone();
        bytes[starts[3] + at] ^= 0x5a;
        fs::write(&path, bytes).unwrap();
        read_header(&path).unwrap();
        let error = read_picture(&path).unwrap_err();
        assert!(error.to_string().contains("Zstandard"), "{at}: {error}");
    }
}

#[test]
fn blocks_that_announce_too_much_are_an_error() {
    let folder = TempDir::new().unwrap();
    let path = folder.path().join("before.exr");
    let encoding = Encoding {
        compression: Compression::DWAA(None),
        ..Encoding::UNCOMPRESSED
    };
    write(&path, vec![layer("all", &["A", "B", "G", "R"], encoding)]);
    read_picture(&path).unwrap();
    let whole = fs::read(&path).unwrap();
    // The first block begins behind the table of its places, which begins with that of the first block: a row, a
    // length, and numbers of 64 bits.
    let first = (0..whole.len() - 8).find(|&at| {
        let place = u64::from_le_bytes(*whole[at..].first_chunk().unwrap());
        place == (at + 8 * SIZE.1.div_ceil(32)) as u64
    });
    let block = first.unwrap() + 8 * SIZE.1.div_ceil(32) + 8;
    for number in [1, 6, 7, 8, 9] {
        let mut bytes = whole.clone();
        bytes[block + 8 * number + 5] = 0xff;
        fs::write(&path, bytes).unwrap();
        let error = read_picture(&path).unwrap_err();
        assert!(
            matches!(error, FileError::Malformed { .. }),
            "{number}: {error}"
        );
    }
}

#[test]
fn htj2k_is_refused_by_its_name() {
    let folder = TempDir::new().unwrap();
    let path = folder.path().join("before.exr");
    write(
        &path,
        vec![layer("all", &["B", "G", "R"], Encoding::FAST_LOSSLESS)],
    );
    let mut bytes = fs::read(&path).unwrap();
    let kind = b"compression\0compression\0\x01\0\0\0";
    let at = bytes.windows(kind.len()).position(|found| found == kind);
    // The number of HTJ2K with blocks of 32 rows.
    bytes[at.unwrap() + kind.len()] = 11;
    fs::write(&path, bytes).unwrap();
    let error = read_header(&path).unwrap_err();
    assert!(
        matches!(&error, FileError::Unsupported { found, .. } if found.contains("HTJ2K")),
        "{error}"
    );
}
