//! What is written is read again: to the bit, but for the two formats that round.

use std::{
    fs::{self, File},
    io::{BufWriter, Cursor},
    path::Path,
};

use half::f16;
use n2n_files::{
    Attached, AxesFrom, EncodeError, Header, MAX_CHANNELS, NpyStack, NpyWriter, PictureFormat,
    Raster, Sample, SampleKind, Samples, Stack, TiffStack, TiffWriter, encode_picture,
    read_attached, read_header, read_picture, with_samples,
};
use tempfile::TempDir;

use crate::axes::axes;
use crate::expected::numbers;

/// `[height, width]`: the least there is, odd ones, one above a block of OpenEXR's 16 rows and
/// JPEG's 8 columns, and one above a strip of TIFF, which are of 1 MB.
const SIZES: [[usize; 2]; 6] = [[1, 1], [1, 7], [5, 7], [31, 33], [17, 9], [401, 1009]];

/// What rounding or an exchange of bytes would not leave as it is; integers have their bounds here.
const EXTREMES: [f64; 7] = [
    f64::INFINITY,
    f64::NEG_INFINITY,
    -0.0,
    1e-310,
    (f32::MIN_POSITIVE / 8.0) as f64,
    -1e30,
    f64::MAX,
];

/// A sample of as many of 64 bits as it has, or a fraction of them.
trait FromBits {
    fn from_bits(bits: u64) -> Self;
}

macro_rules! from_bits {
    ($($number:ty: $bits:ident => $value:expr;)*) => {
        $(impl FromBits for $number {
            fn from_bits($bits: u64) -> Self {
                $value
            }
        })*
    };
}

from_bits! {
    u8: bits => bits as Self;
    i8: bits => bits as Self;
    u16: bits => bits as Self;
    i16: bits => bits as Self;
    u32: bits => bits as Self;
    i32: bits => bits as Self;
    u64: bits => bits;
    i64: bits => bits as Self;
    f16: bits => Self::from_f64(FromBits::from_bits(bits));
    f32: bits => <f64 as FromBits>::from_bits(bits) as Self;
    f64: bits => bits as Self / u64::MAX as Self - 0.25;
}

/// An image like no other of its size: neighbours are related, and every bit is used.
fn raster(channels: usize, [height, width]: [usize; 2], kind: SampleKind, alpha: bool) -> Raster {
    let mut state = 0x9e37_79b9_7f4a_7c15_u64;
    let mut number = |index: usize| {
        state = state
            .wrapping_mul(6_364_136_223_846_793_005)
            .wrapping_add(1_442_695_040_888_963_407);
        (index as u64 % 251).wrapping_mul(0x0101_0101_0101_0100) ^ (state >> 54)
    };
    let mut samples = |len: usize| {
        let mut samples = Samples::zeros(kind, len);
        with_samples!(&mut samples, values => {
            for (index, value) in values.iter_mut().enumerate() {
                let number = number(index);
                *value = match EXTREMES.get(index) {
                    Some(&extreme) if len > 100 => Sample::from_f64(extreme),
                    _ => FromBits::from_bits(number),
                };
            }
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

/// Every image that a test writes.
fn rasters() -> impl Iterator<Item = Raster> {
    let forms = SampleKind::ALL.into_iter().flat_map(|kind| {
        [(1, false), (1, true), (3, false), (3, true)]
            .map(|(channels, alpha)| (kind, channels, alpha))
    });
    forms.flat_map(|(kind, channels, alpha)| SIZES.map(|size| raster(channels, size, kind, alpha)))
}

/// Grey as three equal channels, as formats without grey hold it.
fn in_rgb(mut raster: Raster) -> Raster {
    if raster.channels == 1 {
        raster.channels = 3;
        raster.samples =
            with_samples!(raster.samples, grey => Sample::into_samples(grey.repeat(3)));
    }
    raster
}

/// Floats as those of 32 bits, as formats with none of 16 are read.
fn in_singles(mut raster: Raster) -> Raster {
    raster.samples = with_samples!(raster.samples, samples => {
        Samples::F32(samples.into_iter().map(|sample| sample.to_f64() as f32).collect())
    });
    raster
}

/// Bytes as 16 bits, as formats hold them whose bytes are signed.
fn in_words(mut raster: Raster) -> Raster {
    if let Samples::U8(bytes) = &raster.samples {
        raster.samples = Samples::U16(bytes.iter().copied().map(u16::from).collect());
    }
    raster
}

#[test]
fn pictures_come_back() {
    let folder = TempDir::new().unwrap();
    let (mut written, mut failures) = (0, Vec::new());
    for format in PictureFormat::ALL {
        let path = folder
            .path()
            .join("picture")
            .with_extension(format.extension());
        for raster in rasters() {
            let header = raster.header();
            if format.supports(&header).is_err() {
                continue;
            }
            written += 1;
            let file = encode_picture(&raster, format, &Attached::default()).unwrap();
            fs::write(&path, file).unwrap();
            assert_eq!(PictureFormat::of_file(&path).unwrap(), format);
            let wanted = match format {
                PictureFormat::WebP | PictureFormat::Bmp => in_rgb(raster),
                PictureFormat::Hdr => in_singles(in_rgb(raster)),
                PictureFormat::Mrc => in_words(raster),
                _ => raster,
            };
            let found = read_picture(&path).unwrap();
            assert_eq!(
                read_header(&path).unwrap(),
                wanted.header(),
                "{format} {header:?}"
            );
            let same = match format {
                PictureFormat::Jpeg | PictureFormat::Hdr => found.header() == wanted.header(),
                _ => found == wanted,
            };
            if !same {
                failures.push(format!("{format} {header:?}"));
            }
        }
    }
    assert!(failures.is_empty(), "{}", failures.join("\n"));
    // Forms of PNG, JPEG, WebP, BMP, TIFF, OpenEXR, HDR, MRC and FITS.
    assert_eq!(written, (8 + 2 + 4 + 4 + 44 + 8 + 4 + 6 + 10) * SIZES.len());
}

/// A picture of `[channels, 23, 37]` that changes slowly.
fn smooth(channels: usize) -> Vec<f32> {
    let plane = |channel: usize| {
        (0..23 * 37).map(move |at| {
            let (y, x) = ((at / 37) as f32, (at % 37) as f32);
            0.5 + 0.4 * (x / 9.0 + channel as f32).sin() * (y / 7.0).cos()
        })
    };
    (0..channels).flat_map(plane).collect()
}

/// Most that a sample of 0 to 255 may change in a JPEG of smooth colours: steps at quality 95 are of
/// 1 to 10, an error is half of one, and a sample sums those of three channels.
const JPEG_ERROR: f64 = 4.0;

#[test]
fn jpegs_come_near() {
    let folder = TempDir::new().unwrap();
    let path = folder.path().join("smooth.jpg");
    for channels in [1, 3] {
        let samples = smooth(channels)
            .iter()
            .map(|value| (value * 255.0) as u8)
            .collect();
        let raster = Raster {
            channels,
            height: 23,
            width: 37,
            samples: Samples::U8(samples),
            alpha: None,
        };
        let file = encode_picture(&raster, PictureFormat::Jpeg, &Attached::default()).unwrap();
        fs::write(&path, file).unwrap();
        let found = numbers(&read_picture(&path).unwrap().samples);
        let wanted = numbers(&raster.samples);
        let errors = found
            .iter()
            .zip(&wanted)
            .map(|(found, wanted)| (found - wanted).abs());
        let most = errors.fold(0.0, f64::max);
        assert!(most <= JPEG_ERROR, "{most} with {channels} channels");
        assert!(most > 0.0, "nothing is rounded");
    }
}

/// Relative to the largest of the three channels, of which 8 bits are kept.
const HDR_ERROR: f64 = 1.0 / 128.0;

#[test]
fn hdrs_come_near() {
    let folder = TempDir::new().unwrap();
    let path = folder.path().join("smooth.hdr");
    let scaled = smooth(3).into_iter().map(|value| value * 1000.0).collect();
    let raster = Raster {
        channels: 3,
        height: 23,
        width: 37,
        samples: Samples::F32(scaled),
        alpha: None,
    };
    let file = encode_picture(&raster, PictureFormat::Hdr, &Attached::default()).unwrap();
    fs::write(&path, file).unwrap();
    let found = numbers(&read_picture(&path).unwrap().samples);
    let wanted = numbers(&raster.samples);
    let size = 23 * 37;
    for (at, (found, value)) in found.iter().zip(&wanted).enumerate() {
        let pixel = (0..3).map(|channel| wanted[channel * size + at % size]);
        let largest = pixel.fold(0.0, f64::max);
        assert!(
            (found - value).abs() <= HDR_ERROR * largest,
            "{found}, not {value}"
        );
    }
    // What was rounded is kept.
    let again = read_picture(&path).unwrap();
    let file = encode_picture(&again, PictureFormat::Hdr, &Attached::default()).unwrap();
    fs::write(&path, file).unwrap();
    assert_eq!(read_picture(&path).unwrap(), again);
}

#[test]
fn stacks_of_pages_come_back() {
    let folder = TempDir::new().unwrap();
    let path = folder.path().join("pages.tif");
    for kind in SampleKind::ALL {
        for (channels, alpha) in [(1, false), (1, true), (3, false), (3, true)] {
            let whole = raster(channels, [5 * 9, 13], kind, alpha);
            let pages: Vec<_> = (0..5).map(|page| rows(&whole, page * 9, 9)).collect();
            let header = Header {
                pages: 5,
                ..pages[0].header()
            };
            let mut file = BufWriter::new(File::create(&path).unwrap());
            let mut writer = TiffWriter::new(&mut file, &header, &Attached::default()).unwrap();
            for page in &pages {
                writer.write(page, &Attached::default()).unwrap();
            }
            file.into_inner().unwrap();
            assert_eq!(read_header(&path).unwrap(), header);
            let stack = TiffStack::open(&path).unwrap();
            assert_eq!(stack.len(), 5);
            for (index, page) in pages.iter().enumerate().rev() {
                assert_eq!(
                    &stack.read(index).unwrap(),
                    page,
                    "{kind} {channels} {alpha}"
                );
            }
        }
    }
}

/// Rows of an image.
fn rows(raster: &Raster, start: usize, height: usize) -> Raster {
    let width = raster.width;
    let part = |samples: &Samples| {
        fn of<T: Copy>(plane: &[T], size: usize, start: usize, len: usize) -> Vec<T> {
            let planes = plane.chunks_exact(size);
            planes
                .flat_map(|plane| plane[start..][..len].to_vec())
                .collect()
        }
        let (size, start, len) = (raster.height * width, start * width, height * width);
        with_samples!(samples, samples => Sample::into_samples(of(samples, size, start, len)))
    };
    Raster {
        channels: raster.channels,
        height,
        width,
        samples: part(&raster.samples),
        alpha: raster.alpha.as_ref().map(part),
    }
}

#[test]
fn tiffs_of_bands_come_back() {
    let folder = TempDir::new().unwrap();
    let path = folder.path().join("bands.tif");
    for kind in SampleKind::ALL {
        for (channels, alpha, size) in [
            (2, false, [5, 7]),
            (2, true, [5, 7]),
            (4, false, [5, 7]),
            (5, true, [31, 33]),
            // More than one strip.
            (7, false, [401, 1009]),
            (64, false, [7, 5]),
            (64, true, [5, 7]),
        ] {
            let raster = raster(channels, size, kind, alpha);
            let attached = Attached {
                associated_alpha: alpha,
                ..Attached::default()
            };
            let file = encode_picture(&raster, PictureFormat::Tiff, &attached).unwrap();
            fs::write(&path, file).unwrap();
            let name = format!("{kind} {channels} {alpha}");
            assert_eq!(read_header(&path).unwrap(), raster.header(), "{name}");
            assert!(read_picture(&path).unwrap() == raster, "{name}");
            assert_eq!(read_attached(&path).unwrap(), attached, "{name}");
        }
    }
}

#[test]
fn samples_without_a_meaning_are_bands() {
    let folder = TempDir::new().unwrap();
    let path = folder.path().join("without.tif");
    for (channels, alpha, wanted) in [
        (1, true, (2, false)),
        (2, false, (2, false)),
        (2, true, (3, false)),
        (5, false, (5, false)),
        // As writers of RGB with alpha leave it out.
        (3, true, (3, true)),
    ] {
        let raster = raster(channels, [5, 7], SampleKind::I16, alpha);
        let mut file = encode_picture(&raster, PictureFormat::Tiff, &Attached::default()).unwrap();
        // The tag of extra samples, which are of 16 bits.
        let tag = [338_u16, 3].map(u16::to_ne_bytes).concat();
        let place = file.windows(4).rposition(|bytes| bytes == tag).unwrap();
        file[place..place + 2].copy_from_slice(&65000_u16.to_ne_bytes());
        fs::write(&path, file).unwrap();
        let found = read_picture(&path).unwrap();
        assert_eq!((found.channels, found.alpha.is_some()), wanted);
        let planes = |raster: &Raster| {
            let alpha = raster.alpha.iter().flat_map(numbers);
            let colours = numbers(&raster.samples).into_iter();
            colours.chain(alpha).collect::<Vec<_>>()
        };
        assert_eq!(planes(&found), planes(&raster));
    }
}

/// Numbers whose every bit counts: bounds of integers, and floats that equal nothing.
fn extremes() -> [Samples; 11] {
    let halves = [
        f16::NAN,
        -f16::NAN,
        f16::INFINITY,
        f16::MIN,
        f16::NEG_ZERO,
        f16::from_bits(1),
    ];
    let singles = [f32::NAN, -f32::NAN, f32::INFINITY, f32::MIN, -0.0, 1e-45];
    let doubles = [f64::NAN, -f64::NAN, f64::INFINITY, f64::MIN, -0.0, 5e-324];
    [
        Samples::U8(vec![0, u8::MAX, 1, 2, 0, u8::MAX]),
        Samples::I8(vec![i8::MIN, i8::MAX, -1, 0, i8::MIN, 1]),
        Samples::U16(vec![0, u16::MAX, 1, 256, 0, u16::MAX]),
        Samples::I16(vec![i16::MIN, i16::MAX, -1, 0, i16::MIN, 256]),
        Samples::U32(vec![0, u32::MAX, 1, 1 << 24, 0, u32::MAX]),
        Samples::I32(vec![i32::MIN, i32::MAX, -1, 0, i32::MIN, 1 << 24]),
        Samples::U64(vec![0, u64::MAX, 1, (1 << 53) + 1, 0, u64::MAX - 1]),
        Samples::I64(vec![i64::MIN, i64::MAX, -1, 0, i64::MIN, (1 << 53) + 1]),
        Samples::F16(halves.to_vec()),
        Samples::F32(singles.to_vec()),
        Samples::F64(doubles.to_vec()),
    ]
}

/// The bytes in memory, where NaN equals itself.
fn bytes(samples: &Samples) -> Vec<u8> {
    with_samples!(samples, values => values.iter().flat_map(|value| value.to_ne_bytes()).collect())
}

#[test]
fn extreme_values_survive_exactly() {
    let folder = TempDir::new().unwrap();
    let [picture, array] = ["a.tif", "a.npy"].map(|name| folder.path().join(name));
    for (samples, kind) in extremes().into_iter().zip(SampleKind::ALL) {
        let raster = Raster {
            channels: 1,
            height: 2,
            width: 3,
            samples,
            alpha: None,
        };
        assert_eq!(raster.samples.kind(), kind);
        let file = encode_picture(&raster, PictureFormat::Tiff, &Attached::default()).unwrap();
        fs::write(&picture, file).unwrap();
        let found = read_picture(&picture).unwrap();
        assert_eq!(bytes(&found.samples), bytes(&raster.samples), "{kind}");

        let file = File::create(&array).unwrap();
        let mut writer = NpyWriter::new(file, &axes("YX", &raster.shape()[1..]), kind).unwrap();
        writer.write(&raster.samples).unwrap();
        writer.finish().unwrap();
        let found = NpyStack::open(&array).unwrap().read(0).unwrap();
        assert_eq!(bytes(&found.samples), bytes(&raster.samples), "{kind}");
    }
}

#[test]
fn long_tiffs_have_long_offsets() {
    let page = raster(3, [5, 7], SampleKind::U16, false);
    for (pages, version) in [(1, 42), (100, 42), (1_000_000, 43)] {
        let header = Header {
            pages,
            ..page.header()
        };
        let mut file = Cursor::new(Vec::new());
        let mut writer = TiffWriter::new(&mut file, &header, &Attached::default()).unwrap();
        writer.write(&page, &Attached::default()).unwrap();
        writer.write(&page, &Attached::default()).unwrap();
        let bytes = file.into_inner();
        assert_eq!(
            u16::from_ne_bytes([bytes[2], bytes[3]]),
            version,
            "{pages} pages"
        );
        let folder = TempDir::new().unwrap();
        let path = folder.path().join("long.tif");
        fs::write(&path, bytes).unwrap();
        let stack = TiffStack::open(&path).unwrap();
        assert_eq!(stack.len(), 2);
        assert_eq!(stack.read(1).unwrap(), page);
    }
}

#[test]
fn arrays_come_back_in_every_form() {
    let folder = TempDir::new().unwrap();
    let path = folder.path().join("array.npy");
    for kind in SampleKind::ALL {
        for (letters, sizes) in [
            ("YX", &[5, 7][..]),
            ("YXC", &[5, 7, 1]),
            ("YXC", &[5, 7, 3]),
            ("NYX", &[1, 5, 7]),
            ("NYX", &[4, 5, 7]),
            ("NCYX", &[4, 1, 5, 7]),
            ("NCYX", &[4, 3, 5, 7]),
            ("NYXC", &[4, 5, 7, 1]),
            ("NYXC", &[4, 5, 7, 3]),
            ("NCYX", &[4, 2, 5, 7]),
            ("NCYX", &[1, 4, 5, 7]),
            ("NYXC", &[4, 5, 7, 2]),
            ("NYXC", &[1, 5, 7, 4]),
            ("CYX", &[2, 5, 7]),
            ("CYX", &[3, 5, 7]),
            ("CYX", &[64, 5, 7]),
            ("TZCYX", &[3, 2, 4, 5, 7]),
            ("TCZYX", &[3, 4, 2, 5, 7]),
            ("CTYX", &[3, 2, 5, 7]),
            ("CYXZ", &[2, 5, 7, 3]),
            ("YZXT", &[5, 2, 7, 3]),
        ] {
            let axes = axes(letters, sizes);
            let size = |wanted| {
                let mut found = axes.iter().filter(|(axis, _)| axis.letter() == wanted);
                found.next().map_or(1, |(_, size)| *size)
            };
            let (images, channels) = (size('N') * size('T') * size('Z'), size('C'));
            let all: Vec<_> = (0..images)
                .map(|image| raster(channels, [5 + image, 7], kind, false))
                .map(|image| rows(&image, image.height - 5, 5))
                .collect();
            let file = BufWriter::new(File::create(&path).unwrap());
            let mut writer = NpyWriter::new(file, &axes, kind).unwrap();
            for image in &all {
                writer.write(&image.samples).unwrap();
            }
            writer.finish().unwrap();
            let given = AxesFrom::Given(letters.parse().unwrap());
            let stack = NpyStack::open_with(&path, &given).unwrap();
            let found = (stack.axes(), stack.len(), stack.kind());
            assert_eq!(found, (&axes[..], images, kind));
            for (index, image) in all.iter().enumerate() {
                let found = &stack.read(index).unwrap();
                assert_eq!(found, image, "{letters} {kind}");
            }
        }
    }
}

#[test]
fn unsupported_images_are_errors_with_a_remedy() {
    let sound = raster(1, [5, 7], SampleKind::U8, false).header();
    let refused = |format: PictureFormat, header| format.supports(&header).unwrap_err().to_string();
    for format in PictureFormat::ALL {
        let forms = SampleKind::ALL
            .into_iter()
            .flat_map(|kind| [(kind, false), (kind, true)]);
        for (kind, alpha) in forms {
            use PictureFormat::{Bmp, Exr, Hdr, Jpeg, Png, Tiff, WebP};
            let held = match (format, kind) {
                (Png, SampleKind::U8 | SampleKind::U16) => true,
                (WebP | Bmp, SampleKind::U8) => true,
                (Jpeg, SampleKind::U8) | (Hdr, SampleKind::F16 | SampleKind::F32) => !alpha,
                (Tiff, _) | (Exr, SampleKind::F16 | SampleKind::F32) => true,
                _ => false,
            };
            let raster = raster(3, [5, 7], kind, alpha);
            let encoded = encode_picture(&raster, format, &Attached::default());
            assert_eq!(encoded.is_ok(), held, "{format} {kind} {alpha}");
            assert_eq!(format.supports(&raster.header()).is_ok(), held);
        }
        for channels in [0, 2, 4, MAX_CHANNELS, MAX_CHANNELS + 1] {
            let bands = Header { channels, ..sound };
            let held = format == PictureFormat::Tiff && (1..=64).contains(&channels);
            assert_eq!(format.supports(&bands).is_ok(), held, "{format} {channels}");
        }
        for wrong in [
            Header { width: 0, ..sound },
            Header { height: 0, ..sound },
            Header { pages: 0, ..sound },
        ] {
            assert!(format.supports(&wrong).is_err(), "{format} {wrong:?}");
        }
        let pages = Header {
            pages: 3,
            kind: SampleKind::U8,
            ..sound
        };
        assert_eq!(
            format.supports(&pages).is_ok(),
            format.has_pages(),
            "{format}"
        );
    }
    assert_eq!(
        refused(
            PictureFormat::Jpeg,
            Header {
                kind: SampleKind::U16,
                ..sound
            }
        ),
        "a JPEG file cannot hold samples of uint16; save them as PNG or TIFF"
    );
    assert_eq!(
        refused(
            PictureFormat::Png,
            Header {
                kind: SampleKind::F32,
                ..sound
            }
        ),
        "a PNG file cannot hold samples of float32; save them as TIFF or OpenEXR"
    );
    assert_eq!(
        refused(
            PictureFormat::Exr,
            Header {
                kind: SampleKind::F64,
                ..sound
            }
        ),
        "a OpenEXR file cannot hold samples of float64; save them as TIFF (.tif) or a NumPy array \
         (.npy)"
    );
    assert_eq!(
        refused(
            PictureFormat::WebP,
            Header {
                channels: 4,
                ..sound
            }
        ),
        "a WebP file holds images of 1 or 3 channels, not 4; save it as .tif or .npy"
    );
    assert_eq!(
        refused(
            PictureFormat::Tiff,
            Header {
                channels: 65,
                ..sound
            }
        ),
        "a TIFF file holds images of 1 to 64 channels, not 65; save 1 to 64 of them in each file"
    );
    assert_eq!(
        refused(
            PictureFormat::Jpeg,
            Header {
                alpha: true,
                ..sound
            }
        ),
        "a JPEG file cannot hold alpha; save the image as PNG or TIFF"
    );
    assert_eq!(
        refused(PictureFormat::Png, Header { pages: 3, ..sound }),
        "a PNG file holds one image, not 3; save them as TIFF, or one file for each"
    );
    for (format, most) in [(PictureFormat::Jpeg, 65535), (PictureFormat::WebP, 16384)] {
        let within = Header {
            width: most,
            ..sound
        };
        format.supports(&within).unwrap();
        let error = format
            .supports(&Header {
                width: most + 1,
                ..sound
            })
            .unwrap_err();
        assert!(matches!(error, EncodeError::Size { width, .. } if width == most + 1));
        // What it promises, it holds.
        let raster = raster(1, [1, most], SampleKind::U8, false);
        encode_picture(&raster, format, &Attached::default()).unwrap();
    }
}

#[test]
fn a_writer_that_fails_is_an_error_of_the_system() {
    let page = raster(3, [31, 33], SampleKind::U16, true);
    let len = encode_picture(&page, PictureFormat::Tiff, &Attached::default())
        .unwrap()
        .len();
    for room in [0, 4, 100, len / 2, len - 1] {
        let mut file = vec![0; room];
        let mut disk = Cursor::new(&mut file[..]);
        let writer = TiffWriter::new(&mut disk, &page.header(), &Attached::default());
        let error = writer
            .and_then(|mut writer| writer.write(&page, &Attached::default()))
            .unwrap_err();
        assert!(matches!(error, EncodeError::Io(_)), "{room} bytes: {error}");
    }
    for room in [0, 70, 200] {
        let mut file = vec![0; room];
        let [channels, height, width] = page.shape();
        let axes = axes("NCYX", &[1, channels, height, width]);
        let mut disk = Cursor::new(&mut file[..]);
        let writer = NpyWriter::new(&mut disk, &axes, SampleKind::U16);
        let error = writer
            .and_then(|mut writer| writer.write(&page.samples))
            .unwrap_err();
        assert!(matches!(error, EncodeError::Io(_)), "{room} bytes: {error}");
    }
}

#[test]
#[should_panic(expected = "more images than announced")]
fn more_images_than_the_axes_have_panic() {
    let axes = axes("YX", &[5, 7]);
    let mut writer = NpyWriter::new(Cursor::new(vec![]), &axes, SampleKind::U8).unwrap();
    for _ in 0..2 {
        let _ = writer.write(&Samples::U8(vec![0; 35]));
    }
}

#[test]
fn names_tell_formats() {
    for (name, format) in [
        ("a.PNG", Some(PictureFormat::Png)),
        ("a.jpeg", Some(PictureFormat::Jpeg)),
        ("a.JPG", Some(PictureFormat::Jpeg)),
        ("a.webp", Some(PictureFormat::WebP)),
        ("a.bmp", Some(PictureFormat::Bmp)),
        ("a.tif", Some(PictureFormat::Tiff)),
        ("a.TIFF", Some(PictureFormat::Tiff)),
        ("a.exr", Some(PictureFormat::Exr)),
        ("a.hdr", Some(PictureFormat::Hdr)),
        ("a.gif", None),
        ("png", None),
        ("a.png.txt", None),
    ] {
        assert_eq!(PictureFormat::of_path(Path::new(name)), format, "{name}");
    }
}

#[test]
#[should_panic(expected = "alpha is of uint16, expected uint8 as the colours are")]
fn alpha_of_another_kind_panics() {
    let mut mixed = raster(3, [5, 7], SampleKind::U8, true);
    mixed.alpha = raster(1, [5, 7], SampleKind::U16, true).alpha;
    let _ = encode_picture(&mixed, PictureFormat::Png, &Attached::default());
}
