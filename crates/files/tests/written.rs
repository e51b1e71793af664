//! What is written is read again: to the bit, but for the two formats that round.

use std::{
    fs::{self, File},
    io::{BufWriter, Cursor},
    path::Path,
};

use n2n_files::{
    Attached, EncodeError, Header, NpyAxes, NpyStack, NpyWriter, PictureFormat, Raster, SampleKind,
    Samples, Stack, TiffStack, TiffWriter, encode_picture, read_header, read_picture,
};
use tempfile::TempDir;

use crate::expected::numbers;

const KINDS: [SampleKind; 3] = [SampleKind::U8, SampleKind::U16, SampleKind::F32];

/// `[height, width]`: the least there is, odd ones, one above a block of OpenEXR's 16 rows and
/// JPEG's 8 columns, and one above a strip of TIFF, which are of 1 MB.
const SIZES: [[usize; 2]; 6] = [[1, 1], [1, 7], [5, 7], [31, 33], [17, 9], [401, 1009]];

/// An image like no other of its size: neighbours are related, and every bit is used.
fn raster(channels: usize, [height, width]: [usize; 2], kind: SampleKind, alpha: bool) -> Raster {
    let mut state = 0x9e37_79b9_u32;
    let mut number = |index: usize| {
        state = state.wrapping_mul(1_664_525).wrapping_add(1_013_904_223);
        (index as u32 % 251).wrapping_mul(0x0101_0100) ^ (state >> 22)
    };
    let mut samples = |len: usize| match kind {
        SampleKind::U8 => Samples::U8((0..len).map(|index| number(index) as u8).collect()),
        SampleKind::U16 => Samples::U16((0..len).map(|index| number(index) as u16).collect()),
        SampleKind::F32 => {
            let special = [
                f32::INFINITY,
                -0.0,
                f32::MIN_POSITIVE / 8.0,
                -1e30,
                f32::MAX,
            ];
            let special = special.into_iter().map(Some).chain(std::iter::repeat(None));
            let value = |(index, special): (usize, Option<f32>)| {
                let value = number(index) as f32 / u32::MAX as f32 - 0.25;
                special.filter(|_| len > 100).unwrap_or(value)
            };
            Samples::F32((0..len).zip(special).map(value).collect())
        }
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
    let forms = KINDS.into_iter().flat_map(|kind| {
        [(1, false), (1, true), (3, false), (3, true)]
            .map(|(channels, alpha)| (kind, channels, alpha))
    });
    forms.flat_map(|(kind, channels, alpha)| SIZES.map(|size| raster(channels, size, kind, alpha)))
}

/// Grey as three equal channels, as formats without grey hold it.
fn in_rgb(mut raster: Raster) -> Raster {
    fn tripled<T: Copy>(grey: &[T]) -> Vec<T> {
        grey.repeat(3)
    }
    if raster.channels == 1 {
        raster.channels = 3;
        raster.samples = match &raster.samples {
            Samples::U8(grey) => Samples::U8(tripled(grey)),
            Samples::U16(grey) => Samples::U16(tripled(grey)),
            Samples::F32(grey) => Samples::F32(tripled(grey)),
        };
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
                PictureFormat::WebP | PictureFormat::Bmp | PictureFormat::Hdr => in_rgb(raster),
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
    // Forms of PNG, JPEG, WebP, BMP, TIFF, OpenEXR and HDR.
    assert_eq!(written, (8 + 2 + 4 + 4 + 12 + 4 + 2) * SIZES.len());
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
    for kind in KINDS {
        for (channels, alpha) in [(1, false), (1, true), (3, false), (3, true)] {
            let whole = raster(channels, [5 * 9, 13], kind, alpha);
            let pages: Vec<_> = (0..5).map(|page| rows(&whole, page * 9, 9)).collect();
            let header = Header {
                pages: 5,
                ..pages[0].header()
            };
            let mut file = BufWriter::new(File::create(&path).unwrap());
            let mut writer = TiffWriter::new(&mut file, &header, Attached::default()).unwrap();
            for page in &pages {
                writer.write(page).unwrap();
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
        match samples {
            Samples::U8(samples) => Samples::U8(of(samples, size, start, len)),
            Samples::U16(samples) => Samples::U16(of(samples, size, start, len)),
            Samples::F32(samples) => Samples::F32(of(samples, size, start, len)),
        }
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
fn long_tiffs_have_long_offsets() {
    let page = raster(3, [5, 7], SampleKind::U16, false);
    for (pages, version) in [(1, 42), (100, 42), (1_000_000, 43)] {
        let header = Header {
            pages,
            ..page.header()
        };
        let mut file = Cursor::new(Vec::new());
        let mut writer = TiffWriter::new(&mut file, &header, Attached::default()).unwrap();
        writer.write(&page).unwrap();
        writer.write(&page).unwrap();
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
    for kind in KINDS {
        for (axes, images, channels) in [
            (NpyAxes::Grey, 1, 1),
            (NpyAxes::ChannelsLast, 1, 1),
            (NpyAxes::ChannelsLast, 1, 3),
            (NpyAxes::ImagesGrey, 1, 1),
            (NpyAxes::ImagesGrey, 4, 1),
            (NpyAxes::ImagesChannelsFirst, 4, 1),
            (NpyAxes::ImagesChannelsFirst, 4, 3),
            (NpyAxes::ImagesChannelsLast, 4, 1),
            (NpyAxes::ImagesChannelsLast, 4, 3),
        ] {
            let all: Vec<_> = (0..images)
                .map(|image| raster(channels, [5 + image, 7], kind, false))
                .map(|image| rows(&image, image.height - 5, 5))
                .collect();
            let file = BufWriter::new(File::create(&path).unwrap());
            let mut writer = NpyWriter::new(file, axes, images, [channels, 5, 7], kind).unwrap();
            for image in &all {
                writer.write(&image.samples).unwrap();
            }
            writer.finish().unwrap();
            let stack = NpyStack::open(&path).unwrap();
            assert_eq!(
                (stack.axes(), stack.len(), stack.kind()),
                (axes, images, kind)
            );
            for (index, image) in all.iter().enumerate() {
                assert_eq!(
                    &stack.read(index).unwrap(),
                    image,
                    "{axes:?} {kind} {channels}"
                );
            }
        }
    }
}

#[test]
fn unsupported_images_are_errors_with_a_remedy() {
    let sound = raster(1, [5, 7], SampleKind::U8, false).header();
    let refused = |format: PictureFormat, header| format.supports(&header).unwrap_err().to_string();
    for format in PictureFormat::ALL {
        let forms = KINDS
            .into_iter()
            .flat_map(|kind| [(kind, false), (kind, true)]);
        for (kind, alpha) in forms {
            use PictureFormat::{Bmp, Exr, Hdr, Jpeg, Png, Tiff, WebP};
            let held = match (format, kind) {
                (Png, SampleKind::U8 | SampleKind::U16) => true,
                (WebP | Bmp, SampleKind::U8) => true,
                (Jpeg, SampleKind::U8) | (Hdr, SampleKind::F32) => !alpha,
                (Tiff, _) | (Exr, SampleKind::F32) => true,
                _ => false,
            };
            let raster = raster(3, [5, 7], kind, alpha);
            let encoded = encode_picture(&raster, format, &Attached::default());
            assert_eq!(encoded.is_ok(), held, "{format} {kind} {alpha}");
            assert_eq!(format.supports(&raster.header()).is_ok(), held);
        }
        for wrong in [
            Header {
                channels: 2,
                ..sound
            },
            Header {
                channels: 4,
                ..sound
            },
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
            format == PictureFormat::Tiff
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
        let writer = TiffWriter::new(&mut disk, &page.header(), Attached::default());
        let error = writer
            .and_then(|mut writer| writer.write(&page))
            .unwrap_err();
        assert!(matches!(error, EncodeError::Io(_)), "{room} bytes: {error}");
    }
    for room in [0, 70, 200] {
        let mut file = vec![0; room];
        let shape = page.shape();
        let writer = NpyWriter::new(
            &mut file[..],
            NpyAxes::ImagesChannelsFirst,
            1,
            shape,
            SampleKind::U16,
        );
        let error = writer
            .and_then(|mut writer| writer.write(&page.samples))
            .unwrap_err();
        assert!(matches!(error, EncodeError::Io(_)), "{room} bytes: {error}");
    }
}

#[test]
#[should_panic(expected = "elements of the axes Grey, and of 2 images")]
fn axes_without_room_for_the_images_panic() {
    let _ = NpyWriter::new(Vec::new(), NpyAxes::Grey, 2, [1, 5, 7], SampleKind::U8);
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
