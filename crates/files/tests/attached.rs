//! What stands beside the pixels is read as other programs wrote it, and written with others.

use std::{
    fs::{self, File},
    io::BufWriter,
    path::Path,
};

use n2n_files::{
    Attached, FileError, Header, PictureFormat, Raster, Resolution, ResolutionUnit, Samples,
    TiffWriter, encode_picture, read_attached, read_picture,
};
use serde::Deserialize;
use tempfile::TempDir;

use crate::{expected::data, hostile::flip};

#[derive(Deserialize)]
struct Expected {
    file: String,
    icc: Option<String>,
    exif: Option<String>,
    resolution: Option<([u32; 2], [u32; 2], String)>,
    description: Option<String>,
    associated_alpha: bool,
}

/// What `data/generate.py` put beside the pixels of each file.
fn expected() -> Vec<(String, Attached)> {
    let bytes = |hex: String| {
        let (pairs, _) = hex.as_bytes().as_chunks::<2>();
        let byte = |pair: &[u8; 2]| u8::from_str_radix(str::from_utf8(pair).unwrap(), 16).unwrap();
        pairs.iter().map(byte).collect()
    };
    let text = fs::read_to_string(data("attached.json")).unwrap();
    let files: Vec<Expected> = serde_json::from_str(&text).unwrap();
    files
        .into_iter()
        .map(|file| {
            let attached = Attached {
                icc: file.icc.map(bytes),
                exif: file.exif.map(bytes),
                resolution: file.resolution.map(|(x, y, unit)| Resolution {
                    x,
                    y,
                    unit: match &*unit {
                        "none" => ResolutionUnit::None,
                        "inch" => ResolutionUnit::Inch,
                        _ => ResolutionUnit::Centimeter,
                    },
                }),
                description: file.description.map(bytes),
                associated_alpha: file.associated_alpha,
                ..Attached::default()
            };
            (file.file, attached)
        })
        .collect()
}

#[test]
fn metadata_of_other_programs_is_read() {
    let expected = expected();
    assert_eq!(
        expected.len(),
        fs::read_dir(data("attached")).unwrap().count()
    );
    for (file, attached) in expected {
        let found = read_attached(&data(&file)).unwrap();
        assert_eq!(found.unread, [""; 0], "{file}");
        // What these files keep by themselves is looked at elsewhere.
        let found = Attached { own: None, ..found };
        assert_eq!(found, attached, "{file}");
    }
    for bare in [
        "png/rgb8.png",
        "jpeg/rgb.jpg",
        "tiff/grey16.tif",
        "bmp/rgb.bmp",
        "hdr/runs.hdr",
    ] {
        assert_eq!(read_attached(&data(bare)).unwrap().icc, None, "{bare}");
    }
    assert!(
        read_attached(&data("exr/rgb-alpha-half-no.exr"))
            .unwrap()
            .associated_alpha
    );
}

/// What a file of this format keeps of a picture's attachments, by the rules of the formats.
fn kept(attached: &Attached, format: PictureFormat, channels: usize) -> Attached {
    use PictureFormat::{Bmp, Exr, Fits, Hdr, Jpeg, Mrc, Png, Tiff, WebP};
    let mut kept = attached.clone();
    let colours: &[u8] = if channels == 1 { b"GRAY" } else { b"RGB " };
    kept.icc = kept.icc.filter(|icc| &icc[16..20] == colours);
    if format != Tiff {
        kept.description = None;
        kept.associated_alpha = format == Exr;
    }
    let none = |unit| unit == ResolutionUnit::None;
    let with = |[x, y]: [[u32; 2]; 2], unit| Some(Resolution { x, y, unit });
    kept.resolution = match (format, attached.resolution) {
        (Tiff, resolution) => resolution,
        (Png | Jpeg, Some(found)) if none(found.unit) => None,
        // The three of the files, by hand: the unit of PNG is the metre, that of JPEG has 16 bits.
        (Png, Some(Resolution { x: [300, 1], .. })) => {
            with([[11811, 100], [9449, 100]], ResolutionUnit::Centimeter)
        }
        (Png, Some(Resolution { x: [5, 3], .. })) => {
            with([[66, 100], [5624, 100]], ResolutionUnit::Centimeter)
        }
        (Jpeg, Some(Resolution { x: [5, 3], .. })) => {
            with([[2, 1], [143, 1]], ResolutionUnit::Inch)
        }
        (
            Jpeg,
            Some(Resolution {
                x: [11811, 100], ..
            }),
        ) => with([[300, 1], [240, 1]], ResolutionUnit::Inch),
        (Png | Jpeg, resolution) => resolution,
        (Bmp, Some(found)) if !none(found.unit) => {
            // The same as of PNG, by hand.
            let per_metre = |x, y| with([[x, 100], [y, 100]], ResolutionUnit::Centimeter);
            match found.x {
                [300, 1] => per_metre(11811, 9449),
                [5, 3] => per_metre(66, 5624),
                [100, 1] => per_metre(10_000, 20_000),
                _ => Some(found),
            }
        }
        _ => None,
    };
    match format {
        Png | Jpeg => {}
        WebP if channels == 1 => kept.icc = None,
        WebP => {}
        // As tags, the least significant byte first.
        Tiff => {
            kept.exif = kept
                .exif
                .map(|exif| if exif[0] == b'M' { of_camera() } else { exif });
        }
        Bmp | Exr | Hdr | Mrc | Fits => (kept.icc, kept.exif) = (None, None),
    }
    kept
}

/// What the camera of `data/generate.py` says, in the other byte order.
fn of_camera() -> Vec<u8> {
    [
        b"II*\0\x08\0\0\0\x03\0".as_slice(),
        b"\x0f\x01\x02\0\x06\0\0\0\x32\0\0\0",
        b"\x12\x01\x03\0\x01\0\0\0\x06\0\0\0",
        b"\x69\x87\x04\0\x01\0\0\0\x38\0\0\0",
        b"\0\0\0\0Maker\0\x01\0",
        b"\x9a\x82\x03\0\x02\0\0\0\x01\0\xfa\0\0\0\0\0",
    ]
    .concat()
}

/// EXIF data of a camera: how to turn the image, the maker, the time of exposure and where it was.
pub fn exif(orientation: u8) -> Vec<u8> {
    let entry = |tag: u16, kind: u16, count: u32, value: u32| {
        let parts = [
            &tag.to_le_bytes()[..],
            &kind.to_le_bytes(),
            &count.to_le_bytes(),
        ];
        [&parts.concat()[..], &value.to_le_bytes()].concat()
    };
    // Places of directories and values: each directory takes 2 bytes, 12 for an entry, and 4.
    let (maker, camera, time, place) = (62, 68, 86, 94);
    let mut entries = vec![entry(0x10f, 2, 6, maker)];
    if orientation > 1 {
        entries.push(entry(0x112, 3, 1, orientation.into()));
    } else {
        entries.push(entry(0x131, 2, 4, u32::from_le_bytes(*b"one\0")));
    }
    entries.push(entry(0x8769, 4, 1, camera));
    entries.push(entry(0x8825, 4, 1, place));
    entries.sort_by_key(|entry| u16::from_le_bytes([entry[0], entry[1]]));
    let directory = |entries: &[Vec<u8>]| {
        [
            &(entries.len() as u16).to_le_bytes()[..],
            &entries.concat(),
            &[0; 4],
        ]
        .concat()
    };
    [
        b"II*\0\x08\0\0\0".to_vec(),
        directory(&entries),
        b"Maker\0".to_vec(),
        directory(&[entry(0x829a, 5, 1, time)]),
        [1_u32, 60].map(u32::to_le_bytes).concat(),
        directory(&[entry(1, 2, 2, u32::from_le_bytes(*b"N\0\0\0"))]),
    ]
    .concat()
}

/// EXIF data of nothing but the tag that turns an image.
pub fn turn(orientation: u8) -> Vec<u8> {
    let entry = [0x12, 1, 3, 0, 1, 0, 0, 0, orientation, 0, 0, 0];
    [b"II*\0\x08\0\0\0\x01\0", &entry[..], &[0; 4]].concat()
}

#[test]
fn metadata_is_written_with_the_pixels() {
    let folder = TempDir::new().unwrap();
    let mut written = 0;
    for (file, attached) in expected() {
        let raster = read_picture(&data(&file)).unwrap();
        for format in PictureFormat::ALL {
            if format.supports(&raster.header()).is_err() {
                continue;
            }
            written += 1;
            let path = folder
                .path()
                .join("written")
                .with_extension(format.extension());
            let bytes = encode_picture(&raster, format, &attached).unwrap();
            fs::write(&path, bytes).unwrap();
            let (mut found, wanted) = (
                read_attached(&path).unwrap(),
                kept(&attached, format, raster.channels),
            );
            if matches!(
                format,
                PictureFormat::Exr | PictureFormat::Mrc | PictureFormat::Fits
            ) {
                // Their attributes and headers are never missing.
                found.own = None;
            }
            assert_eq!(found, wanted, "{file} as {format}");
            let left_out = format.leaves_out(&attached, raster.channels);
            let lost = [
                attached.icc != wanted.icc,
                attached.exif.is_some() && wanted.exif.is_none(),
                attached.resolution.is_some() && wanted.resolution.is_none(),
                attached.description != wanted.description,
                attached.associated_alpha && !wanted.associated_alpha,
            ];
            let lost = lost.iter().filter(|&&lost| lost).count();
            assert_eq!(left_out.len(), lost, "{file} as {format}: {left_out:?}");
            // The pixels are those of a file without anything beside them.
            let bare = encode_picture(&raster, format, &Attached::default()).unwrap();
            let with = read_picture(&path).unwrap();
            fs::write(&path, bare).unwrap();
            assert_eq!(read_picture(&path).unwrap(), with, "{file} as {format}");
        }
    }
    assert!(written > 40, "{written} files");
}

#[test]
fn orientation_is_kept_and_not_applied() {
    let folder = TempDir::new().unwrap();
    for orientation in 2..=8 {
        let attached = Attached {
            exif: Some(turn(orientation)),
            ..Attached::default()
        };
        let raster = Raster {
            channels: 1,
            height: 2,
            width: 3,
            samples: Samples::U8(vec![0, 50, 100, 150, 200, 250]),
            alpha: None,
        };
        for format in [PictureFormat::Png, PictureFormat::WebP, PictureFormat::Tiff] {
            let path = folder
                .path()
                .join("turned")
                .with_extension(format.extension());
            fs::write(&path, encode_picture(&raster, format, &attached).unwrap()).unwrap();
            assert_eq!(read_attached(&path).unwrap().exif, attached.exif);
            let found = read_picture(&path).unwrap();
            assert_eq!((found.height, found.width), (2, 3));
            let Samples::U8(samples) = found.samples else {
                panic!("the samples are not bytes");
            };
            assert_eq!(samples[..6], [0, 50, 100, 150, 200, 250]);
        }
    }
}

#[test]
fn pages_keep_what_stands_beside_each() {
    let folder = TempDir::new().unwrap();
    let path = folder.path().join("pages.tif");
    let (_, attached) = expected().swap_remove(0);
    let attached = Attached {
        description: Some(b"images=2".to_vec()),
        ..attached
    };
    let raster = read_picture(&data("attached/photo.jpg")).unwrap();
    let header = Header {
        pages: 2,
        ..raster.header()
    };
    let mut file = BufWriter::new(File::create(&path).unwrap());
    let mut writer = TiffWriter::new(&mut file, &header, &attached).unwrap();
    writer.write(&raster, &attached).unwrap();
    let bare = Attached {
        description: None,
        ..attached.clone()
    };
    writer.write(&raster, &bare).unwrap();
    file.into_inner().unwrap();
    let found = read_attached(&path).unwrap();
    assert_eq!(
        (found.icc, found.description),
        (attached.icc.clone(), attached.description)
    );
    let bytes = fs::read(&path).unwrap();
    let count = |part: &[u8]| {
        bytes
            .windows(part.len())
            .filter(|found| *found == part)
            .count()
    };
    assert_eq!(count(b"images=2\0"), 1);
    assert_eq!(count(&attached.icc.unwrap()), 2);
}

/// A profile of RGB of this length.
fn profile(len: usize) -> Vec<u8> {
    let mut icc: Vec<u8> = (0..len).map(|at| (at * at % 251) as u8).collect();
    icc[16..20].copy_from_slice(b"RGB ");
    icc
}

#[test]
fn long_profiles_are_kept_and_too_long_ones_told() {
    let folder = TempDir::new().unwrap();
    let raster = read_picture(&data("attached/photo.jpg")).unwrap();
    let longest = 254 * 65519;
    for (format, len) in [
        // Of several segments, and of as many as there may be.
        (PictureFormat::Jpeg, 65520),
        (PictureFormat::Jpeg, longest),
        (PictureFormat::Png, 3_000_001),
        (PictureFormat::WebP, 3_000_001),
        (PictureFormat::Tiff, 3_000_001),
    ] {
        let attached = Attached {
            icc: Some(profile(len)),
            ..Attached::default()
        };
        let path = folder
            .path()
            .join("long")
            .with_extension(format.extension());
        fs::write(&path, encode_picture(&raster, format, &attached).unwrap()).unwrap();
        assert_eq!(read_attached(&path).unwrap(), attached, "{format}");
        read_picture(&path).unwrap();
    }
    let too_long = Attached {
        icc: Some(profile(longest + 1)),
        exif: Some(vec![0; 65528]),
        ..Attached::default()
    };
    let left_out = PictureFormat::Jpeg.leaves_out(&too_long, 3);
    assert_eq!(left_out, ["the ICC profile", "the EXIF data"]);
    let path = folder.path().join("too-long.jpg");
    let bytes = encode_picture(&raster, PictureFormat::Jpeg, &too_long).unwrap();
    fs::write(&path, bytes).unwrap();
    assert_eq!(read_attached(&path).unwrap(), Attached::default());
    // What just fits.
    let exif = Attached {
        exif: Some(vec![0; 65527]),
        ..Attached::default()
    };
    assert!(PictureFormat::Jpeg.leaves_out(&exif, 3).is_empty());
    let bytes = encode_picture(&raster, PictureFormat::Jpeg, &exif).unwrap();
    fs::write(&path, bytes).unwrap();
    assert_eq!(read_attached(&path).unwrap(), exif);
}

#[test]
fn a_file_cut_anywhere_is_an_error_or_read_as_before() {
    let folder = TempDir::new().unwrap();
    for (file, attached) in expected() {
        let path = folder.path().join(Path::new(&file).file_name().unwrap());
        let len = fs::copy(data(&file), &path).unwrap();
        let writer = File::options().write(true).open(&path).unwrap();
        for len in (0..len).rev() {
            writer.set_len(len).unwrap();
            match read_attached(&path) {
                // The pixels may come last.
                Ok(found) => assert_eq!(found, attached, "{path:?} of {len} bytes"),
                Err(error) => assert!(error.to_string().contains(path.to_str().unwrap())),
            }
        }
    }
}

#[test]
fn no_flipped_byte_panics_or_hangs() {
    let folder = TempDir::new().unwrap();
    for (file, _) in expected() {
        flip(&data(&file), folder.path(), usize::MAX, |path| {
            if let Err(error) = read_attached(path) {
                let message = error.to_string();
                assert!(message.contains(path.to_str().unwrap()), "{message}");
                assert!(!message.contains("gave up"), "a panic: {message}");
            }
        });
    }
}

#[test]
fn false_lengths_fail_before_allocation() {
    let folder = TempDir::new().unwrap();
    // A chunk of 3 GiB in a file of a few hundred bytes.
    let mut webp = fs::read(data("attached/photo.webp")).unwrap();
    let chunk = webp.windows(4).position(|name| name == b"EXIF").unwrap();
    webp[chunk + 4..chunk + 8].copy_from_slice(&(3_u32 << 30).to_le_bytes());
    let path = folder.path().join("announced.webp");
    fs::write(&path, webp).unwrap();
    let error = read_attached(&path).unwrap_err();
    assert!(matches!(error, FileError::Unsupported { .. }), "{error}");
    assert!(error.to_string().contains("more than 64 MiB"), "{error}");

    // A profile of 3 GiB, in a tag.
    let mut tiff = fs::read(data("attached/turned.tif")).unwrap();
    let tag = tiff
        .windows(4)
        .position(|entry| entry == [0x73, 0x87, 7, 0])
        .unwrap();
    tiff[tag + 4..tag + 8].copy_from_slice(&(3_u32 << 30).to_le_bytes());
    let path = folder.path().join("announced.tif");
    fs::write(&path, tiff).unwrap();
    let error = read_attached(&path).unwrap_err();
    assert!(matches!(error, FileError::Truncated { .. }), "{error}");
}
