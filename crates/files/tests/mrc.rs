//! MRC: headers made by hand, in both byte orders.

use std::fs::{self, File};
use std::io::BufWriter;
use std::path::Path;

use n2n_files::{
    Attached, Header, PageStack, PagesWriter, PictureFormat, Raster, SampleKind, Samples, Stack,
    is_picture, is_stack, read_attached, read_header, read_picture,
};
use tempfile::TempDir;

/// Sections, rows, columns.
const SIZES: [usize; 3] = [3, 4, 5];

/// Bytes of the extended header.
const EXTENDED: usize = 80;

/// Places of a header, after MRC2014.
const DENSITIES: usize = 76;
const RMS: usize = 216;

fn put(header: &mut [u8], place: usize, number: [u8; 4], big_endian: bool) {
    let mut number = number;
    if big_endian {
        number.reverse();
    }
    header[place..place + 4].copy_from_slice(&number);
}

/// A header of some sections, with a pixel size, an origin, a label and an extended header; numbers are
/// `(place, value)` on top.
fn header(mode: i32, big_endian: bool, numbers: &[(usize, i32)]) -> Vec<u8> {
    let mut header = vec![0; 1024];
    let [sections, rows, columns] = SIZES.map(|size| size as i32);
    let sizes = [columns, rows, sections];
    let known = (0..3).flat_map(|at| {
        [
            (4 * at, sizes[at]),
            (28 + 4 * at, sizes[at]),
            (64 + 4 * at, at as i32 + 1),
        ]
    });
    let own = [(12, mode), (88, 401), (92, EXTENDED as i32), (220, 1)];
    for (place, number) in known.chain(own).chain(numbers.iter().copied()) {
        put(&mut header, place, number.to_le_bytes(), big_endian);
    }
    for (place, number) in [(40, 5.5_f32), (44, 4.4), (48, 3.3), (196, -7.0)] {
        put(&mut header, place, number.to_le_bytes(), big_endian);
    }
    header[104..108].copy_from_slice(b"FEI1");
    header[208..212].copy_from_slice(b"MAP ");
    header[212..214].copy_from_slice(if big_endian { b"\x11\x11" } else { b"\x44\x44" });
    header[224..236].copy_from_slice(b"made by hand");
    header
}

/// Bytes of the sections of a mode, and the numbers of each.
fn sections(mode: i32, big_endian: bool) -> (Vec<u8>, Vec<Samples>) {
    let [sections, rows, columns] = SIZES;
    let (mut bytes, mut images) = (Vec::new(), Vec::new());
    macro_rules! fill {
        ($kind:ident, $number:ty) => {
            for section in 0..sections {
                let number = |at: usize| <$number>::from(((section * 31 + at * 7) % 100) as i8);
                let numbers: Vec<$number> = (0..rows * columns).map(number).collect();
                for number in &numbers {
                    bytes.extend(if big_endian {
                        number.to_be_bytes()
                    } else {
                        number.to_le_bytes()
                    });
                }
                images.push(Samples::$kind(numbers));
            }
        };
    }
    match mode {
        0 => fill!(I8, i8),
        1 => fill!(I16, i16),
        2 => fill!(F32, f32),
        12 => fill!(F16, half::f16),
        _ => {
            // No u16 is made of an i8.
            let (words, numbers) = sections_of_words(big_endian);
            (bytes, images) = (words, numbers);
        }
    }
    (bytes, images)
}

fn sections_of_words(big_endian: bool) -> (Vec<u8>, Vec<Samples>) {
    let [sections, rows, columns] = SIZES;
    let (mut bytes, mut images) = (Vec::new(), Vec::new());
    for section in 0..sections {
        let number = |at: usize| (section * 20_000 + at * 700) as u16;
        let numbers: Vec<u16> = (0..rows * columns).map(number).collect();
        for number in &numbers {
            bytes.extend(if big_endian {
                number.to_be_bytes()
            } else {
                number.to_le_bytes()
            });
        }
        images.push(Samples::U16(numbers));
    }
    (bytes, images)
}

/// Reads a file and writes what was read; returns the bytes.
fn again(path: &Path) -> Vec<u8> {
    let stack = PageStack::open(path).unwrap();
    let header = Header {
        pages: stack.len(),
        ..read_header(path).unwrap()
    };
    let copy = path.with_extension("copy.mrc");
    let file = BufWriter::new(File::create(&copy).unwrap());
    let first = stack.attached(0).unwrap().swap_remove(0);
    let mut writer = PagesWriter::new(file, PictureFormat::Mrc, &header, &first).unwrap();
    for index in 0..stack.len() {
        let attached = stack.attached(index).unwrap();
        writer
            .write(&stack.read(index).unwrap(), &attached)
            .unwrap();
    }
    drop(writer);
    fs::read(copy).unwrap()
}

/// Smallest, largest, mean and deviation of all numbers, as a header has them.
fn statistics(images: &[Samples], big_endian: bool) -> [[u8; 4]; 4] {
    let mut numbers: Vec<f64> = Vec::new();
    for samples in images {
        n2n_files::with_samples!(samples, values => {
            numbers.extend(values.iter().map(|&value| n2n_files::Sample::to_f64(value)));
        });
    }
    let count = numbers.len() as f64;
    let mean = numbers.iter().sum::<f64>() / count;
    let squares: f64 = numbers.iter().map(|number| (number - mean).powi(2)).sum();
    let smallest = numbers.iter().copied().fold(f64::INFINITY, f64::min);
    let largest = numbers.iter().copied().fold(f64::NEG_INFINITY, f64::max);
    [smallest, largest, mean, (squares / count).sqrt()].map(|number| {
        let number = number as f32;
        if big_endian {
            number.to_be_bytes()
        } else {
            number.to_le_bytes()
        }
    })
}

#[test]
fn mrc_comes_back_but_for_its_statistics() {
    let folder = TempDir::new().unwrap();
    let path = folder.path().join("volume.mrc");
    let modes = [
        (0, SampleKind::I8),
        (1, SampleKind::I16),
        (2, SampleKind::F32),
        (6, SampleKind::U16),
        (12, SampleKind::F16),
    ];
    for ((mode, kind), big_endian) in modes
        .into_iter()
        .flat_map(|mode| [(mode, false), (mode, true)])
    {
        let (data, images) = sections(mode, big_endian);
        let extended: Vec<u8> = (0..EXTENDED as u8).collect();
        let mut bytes = [header(mode, big_endian, &[]), extended, data].concat();
        fs::write(&path, &bytes).unwrap();
        let [pages, height, width] = SIZES;
        let expected = Header {
            channels: 1,
            height,
            width,
            kind,
            alpha: false,
            pages,
        };
        assert_eq!(read_header(&path).unwrap(), expected);
        let stack = PageStack::open(&path).unwrap();
        for (index, samples) in images.iter().enumerate() {
            assert_eq!(stack.read(index).unwrap().samples, *samples, "mode {mode}");
        }
        let [smallest, largest, mean, rms] = statistics(&images, big_endian);
        bytes[DENSITIES..DENSITIES + 12].copy_from_slice(&[smallest, largest, mean].concat());
        bytes[RMS..RMS + 4].copy_from_slice(&rms);
        assert!(
            again(&path) == bytes,
            "mode {mode}, big-endian {big_endian}"
        );
    }
}

#[test]
fn bytes_of_imod_have_no_sign_and_keep_none() {
    let folder = TempDir::new().unwrap();
    let path = folder.path().join("tilts.st");
    let imod = i32::from_le_bytes(*b"IMOD");
    for (flags, kind) in [(0, SampleKind::U8), (1, SampleKind::I8)] {
        let header = header(0, false, &[(152, imod), (156, flags), (92, 0)]);
        let data: Vec<u8> = (0..SIZES.iter().product::<usize>())
            .map(|at| at as u8 * 4)
            .collect();
        fs::write(&path, [header, data.clone()].concat()).unwrap();
        assert_eq!(read_header(&path).unwrap().kind, kind);
        let written = again(&path);
        assert_eq!(written[1024..], data);
        assert_eq!(written[12..16], [0; 4], "the mode");
    }
}

#[test]
fn numbers_without_any_have_unknown_statistics() {
    let folder = TempDir::new().unwrap();
    let path = folder.path().join("holes.mrc");
    let raster = Raster {
        channels: 1,
        height: 2,
        width: 1,
        samples: Samples::F32(vec![f32::NAN; 2]),
        alpha: None,
    };
    let bytes = n2n_files::encode_picture(&raster, PictureFormat::Mrc, &Attached::default());
    fs::write(&path, bytes.unwrap()).unwrap();
    let bytes = fs::read(&path).unwrap();
    let number = |place: usize| f32::from_le_bytes(bytes[place..place + 4].try_into().unwrap());
    let [smallest, largest, mean] = [0, 4, 8].map(|at| number(DENSITIES + at));
    assert!(largest < smallest && mean < largest && number(RMS) < 0.0);
}

#[test]
fn wrong_mrc_files_are_errors_that_say_why() {
    let folder = TempDir::new().unwrap();
    let path = folder.path().join("wrong.mrc");
    let fill = vec![0; EXTENDED + 60 * 4];
    for (mode, numbers, expected) in [
        (4, &[][..], "mode 4 (complex numbers)"),
        (101, &[], "mode 101 (4 bits)"),
        (99, &[], "mode 99"),
        (2, &[(64, 3), (68, 2), (72, 1)], "axes [3, 2, 1]"),
        (2, &[(64, 1), (68, 1), (72, 9)], "its axes are [1, 1, 9]"),
        (2, &[(0, -5)], "its size is -5x4x3"),
        (2, &[(8, 0)], "holds no image"),
        (2, &[(8, 4)], "ends early, inside its pixels"),
        (2, &[(92, -1)], "its extended header takes -1 bytes"),
        (2, &[(92, i32::MAX)], "ends early, inside its pixels"),
        (2, &[(0, i32::MAX), (4, i32::MAX)], "more than 2 GiB"),
        (2, &[(8, i32::MAX)], "ends early, inside its pixels"),
    ] {
        fs::write(&path, [header(mode, false, numbers), fill.clone()].concat()).unwrap();
        for error in [
            read_picture(&path).err(),
            read_attached(&path).err(),
            PageStack::open(&path).err(),
        ] {
            let message = error.map(|error| error.to_string()).unwrap_or_default();
            assert!(message.contains(expected), "{expected}: {message}");
            assert!(message.contains("wrong.mrc"), "{message}");
        }
    }
    fs::write(&path, &header(2, false, &[])[..600]).unwrap();
    let message = read_header(&path).unwrap_err().to_string();
    assert!(
        message.contains("ends early, inside its header"),
        "{message}"
    );
}

#[test]
fn damaged_mrc_headers_end_with_a_result() {
    let folder = TempDir::new().unwrap();
    let path = folder.path().join("damaged.mrc");
    let (data, _) = sections(1, false);
    let sound = [header(1, false, &[]), vec![7; EXTENDED], data].concat();
    let mut refused = 0;
    for place in 0..256 {
        for bits in [1, 0x80, 0xff] {
            let mut bytes = sound.clone();
            bytes[place] ^= bits;
            fs::write(&path, bytes).unwrap();
            let read = read_attached(&path).and_then(|_| read_picture(&path));
            refused += usize::from(read.is_err());
        }
    }
    // Every one of size, mode, axes and length of the extended header.
    assert!(refused >= 3 * 4, "{refused} were refused");
}

#[test]
fn names_of_others_are_pictures_if_they_begin_so() {
    let folder = TempDir::new().unwrap();
    for (name, mrc) in [("a.map", true), ("b.rec", true), ("style.css.map", false)] {
        let path = folder.path().join(name);
        let (data, _) = sections(2, false);
        let bytes = if mrc {
            [header(2, false, &[]), vec![0; EXTENDED], data].concat()
        } else {
            b"{\"version\":3,\"mappings\":\"AAAA\"}".repeat(40)
        };
        fs::write(&path, bytes).unwrap();
        assert_eq!((is_picture(&path), is_stack(&path)), (mrc, mrc), "{name}");
    }
    // What cannot be read is not passed over.
    assert!(is_picture(&folder.path().join("none.map")));
}

#[test]
fn bytes_behind_the_sections_are_told() {
    let folder = TempDir::new().unwrap();
    let path = folder.path().join("long.mrc");
    let (data, _) = sections(2, false);
    fs::write(
        &path,
        [header(2, false, &[]), vec![0; EXTENDED], data, vec![1; 9]].concat(),
    )
    .unwrap();
    let attached = read_attached(&path).unwrap();
    assert_eq!(attached.unread, ["the 9 bytes behind its sections"]);
    let told = PictureFormat::Tiff.leaves_out(&attached, 1).join(", ");
    for words in ["pixel size", "origin", "labels", "extended header"] {
        assert!(told.contains(words), "{words}: {told}");
    }
}
