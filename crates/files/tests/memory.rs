//! The memory of reading and writing, held to what is said of it.

use std::fs::{self, File};
use std::io::BufWriter;

use exr::prelude::{
    AnyChannel, AnyChannels, Compression, Encoding, FlatSamples, Image, Layer, LayerAttributes,
    WritableImage,
};
use n2n_files::{
    Attached, PictureFormat, Raster, Sample, SampleKind, Samples, read_attached, read_header,
    read_picture, reading_bytes, with_samples, write_picture,
};
use ruzstd::encoding::{CompressionLevel, compress_to_vec};
use tempfile::TempDir;

use crate::tiff_file::{BITS, COMPRESSION, Page, file};

/// Rows and columns: up to 120 MB of samples, far more than what is taken besides.
const SIZE: [usize; 2] = [3000, 5000];

/// Buffers, and what an allocator keeps, in bytes.
const BESIDES: u64 = 32 << 20;

/// A line of the system's facts of this process, in bytes; each test is a process.
pub fn memory(line: &str) -> u64 {
    let status = fs::read_to_string("/proc/self/status").unwrap();
    let line = status.lines().find(|found| found.starts_with(line));
    let kib = line.and_then(|line| line.split_whitespace().nth(1));
    kib.unwrap().parse::<u64>().unwrap() << 10
}

/// How much the peak memory rises while `act` runs, in bytes.
fn taken(act: impl FnOnce()) -> u64 {
    // Makes the peak what is resident now.
    fs::write("/proc/self/clear_refs", "5").unwrap();
    let before = memory("VmRSS:");
    act();
    memory("VmHWM:").saturating_sub(before)
}

fn noise(channels: usize, kind: SampleKind, alpha: bool) -> Raster {
    let [height, width] = SIZE;
    let mut state = 1_u32;
    let mut samples = |len| {
        let mut samples = Samples::zeros(kind, len);
        with_samples!(&mut samples, samples => for sample in samples.iter_mut() {
            state = state.wrapping_mul(1_664_525).wrapping_add(1_013_904_223);
            *sample = Sample::from_f64(f64::from(state >> 8) / f64::from(1 << 24) * kind.white());
        });
        samples
    };
    Raster {
        channels,
        height,
        width,
        samples: samples(channels * height * width),
        alpha: alpha.then(|| samples(height * width)),
    }
}

#[test]
fn files_take_no_more_than_is_said() {
    use PictureFormat::{Bmp, Exr, Fits, Hdr, Jpeg, Mrc, Png, Tiff, WebP};
    let folder = TempDir::new().unwrap();
    for (format, channels, kind, alpha) in [
        (Png, 3, SampleKind::U8, false),
        (Png, 1, SampleKind::U16, true),
        (Png, 3, SampleKind::U16, true),
        (Jpeg, 3, SampleKind::U8, false),
        (WebP, 3, SampleKind::U8, false),
        (WebP, 3, SampleKind::U8, true),
        (Bmp, 3, SampleKind::U8, false),
        (Bmp, 1, SampleKind::U8, false),
        (Tiff, 1, SampleKind::U8, false),
        (Tiff, 3, SampleKind::U16, true),
        (Tiff, 3, SampleKind::F16, false),
        (Tiff, 1, SampleKind::F64, false),
        (Tiff, 5, SampleKind::F32, false),
        (Exr, 1, SampleKind::F32, false),
        (Exr, 3, SampleKind::F16, true),
        (Hdr, 3, SampleKind::F32, false),
        (Hdr, 1, SampleKind::F32, false),
        (Mrc, 1, SampleKind::U8, false),
        (Mrc, 1, SampleKind::F32, false),
        (Fits, 1, SampleKind::U16, false),
        (Fits, 1, SampleKind::F64, false),
    ] {
        let path = folder.path().join(format!("a.{}", format.extension()));
        let raster = noise(channels, kind, alpha);
        let header = raster.header();
        let held =
            (raster.samples.bytes() + raster.alpha.as_ref().map_or(0, Samples::bytes)) as u64;
        let file = BufWriter::new(File::create(&path).unwrap());
        let written = taken(|| write_picture(file, raster, format, &Attached::default()).unwrap());
        let said = format.writing_bytes(&header) - held;
        let what = format!("{format} {kind} of {channels} channels, alpha {alpha}");
        assert!(
            written <= said + BESIDES,
            "writing {what} takes {} MiB, {} are said",
            written >> 20,
            said >> 20
        );
        let said = reading_bytes(&path, &read_header(&path).unwrap()).unwrap();
        let read = taken(|| drop(read_picture(&path).unwrap()));
        assert!(
            read <= said + BESIDES,
            "reading {what} takes {} MiB, {} are said",
            read >> 20,
            said >> 20
        );
    }
}

#[test]
fn channels_beside_colours_take_what_is_said() {
    let folder = TempDir::new().unwrap();
    let path = folder.path().join("a.exr");
    let [height, width] = SIZE;
    let channel = |name: &str| {
        let numbers = (0..height * width).map(|at| (at % 1999) as f32 / 3.0);
        AnyChannel::new(name, FlatSamples::F32(numbers.collect()))
    };
    let channels = ["B", "G", "R", "x.Z", "y.Z"].map(channel).to_vec();
    let encoding = Encoding {
        compression: Compression::ZIP16,
        ..Encoding::UNCOMPRESSED
    };
    let layer = Layer::new(
        (width, height),
        LayerAttributes::default(),
        encoding,
        AnyChannels::sort(channels.into()),
    );
    let image = Image::from_layer(layer);
    image.write().non_parallel().to_file(&path).unwrap();
    drop(image);
    let header = read_header(&path).unwrap();
    let said = reading_bytes(&path, &header).unwrap();
    let mut raster = None;
    let read = taken(|| raster = Some(read_picture(&path).unwrap()));
    assert!(read <= said + BESIDES, "reading takes {} MiB", read >> 20);
    let raster = raster.unwrap();
    let said = said.max(PictureFormat::Exr.writing_bytes(&header)) - raster.samples.bytes() as u64;
    let attached = read_attached(&path).unwrap();
    let file = BufWriter::new(File::create(folder.path().join("b.exr")).unwrap());
    let written = taken(|| write_picture(file, raster, PictureFormat::Exr, &attached).unwrap());
    assert!(
        written <= said + BESIDES,
        "writing takes {} MiB",
        written >> 20
    );
}

#[test]
fn strips_unpacked_at_once_take_what_is_said() {
    let folder = TempDir::new().unwrap();
    let path = folder.path().join("a.tif");
    let [height, width] = SIZE;
    let size = [width as u16, height as u16];
    let (zstd, uncompressed) = (50000, 1);
    for (bits, compression) in [(16, zstd), (12, uncompressed), (12, zstd)] {
        let bytes = vec![0x5a; height * width * usize::from(bits) / 8];
        let strip = match compression {
            1 => bytes,
            _ => compress_to_vec(&*bytes, CompressionLevel::Uncompressed),
        };
        let page = Page::new(size, size[1], vec![strip])
            .shorts(BITS, &[bits])
            .shorts(COMPRESSION, &[compression]);
        fs::write(&path, file(&[page], &[])).unwrap();
        let said = reading_bytes(&path, &read_header(&path).unwrap()).unwrap();
        let read = taken(|| drop(read_picture(&path).unwrap()));
        assert!(
            read <= said + BESIDES,
            "reading {bits} bits, compression {compression}, takes {} MiB, {} are said",
            read >> 20,
            said >> 20
        );
    }
}

#[test]
fn tiles_beyond_their_image_take_what_is_said() {
    let folder = TempDir::new().unwrap();
    let path = folder.path().join("a.tif");
    let (size, tile) = ([1000, 9], [1024_u16, 60_000]);
    // Runs of 128 bytes.
    let runs = usize::from(tile[0]) * usize::from(tile[1]) / 128;
    let pack_bits = 32773;
    let page = Page::tiled(size, tile, [0x81, 7].repeat(runs)).shorts(COMPRESSION, &[pack_bits]);
    fs::write(&path, file(&[page], &[])).unwrap();
    let said = reading_bytes(&path, &read_header(&path).unwrap()).unwrap();
    let read = taken(|| drop(read_picture(&path).unwrap()));
    assert!(
        read <= said + BESIDES && read > BESIDES,
        "reading takes {} MiB, {} are said",
        read >> 20,
        said >> 20
    );
}
