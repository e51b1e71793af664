//! MRC and FITS packed by gzip are what they hold; what cannot be unpacked is one error.

use std::{
    fs,
    io::{Cursor, Write},
    path::Path,
    slice::from_ref,
};

use flate2::{Compression, write::GzEncoder};
use n2n_files::{
    Attached, FileError, Header, PageStack, PagesWriter, PictureFormat, Raster, SampleKind,
    Samples, Stack, encode_picture, is_gzip, is_picture, is_stack, read_attached, read_header,
    read_picture, stem,
};
use tempfile::TempDir;

/// A section of noise, which does not become smaller.
fn section(index: usize, [height, width]: [usize; 2]) -> Raster {
    let mut state = index as u32 + 1;
    let mut next = || {
        state = state.wrapping_mul(1_664_525).wrapping_add(1_013_904_223);
        f32::from_bits(0x3f80_0000 | state >> 9)
    };
    Raster {
        channels: 1,
        height,
        width,
        samples: Samples::F32((0..height * width).map(|_| next()).collect()),
        alpha: None,
    }
}

/// A file of sections of this size.
fn sections(format: PictureFormat, pages: usize, size: [usize; 2]) -> Vec<u8> {
    let mut file = Cursor::new(Vec::new());
    let attached = Attached::default();
    let header = Header {
        pages,
        ..section(0, size).header()
    };
    let mut writer = PagesWriter::new(&mut file, format, &header, &attached).unwrap();
    for index in 0..pages {
        writer
            .write(&section(index, size), from_ref(&attached))
            .unwrap();
    }
    file.into_inner()
}

fn packed(bytes: &[u8]) -> Vec<u8> {
    let mut packer = GzEncoder::new(Vec::new(), Compression::fast());
    packer.write_all(bytes).unwrap();
    packer.finish().unwrap()
}

#[test]
fn packed_files_are_what_they_hold() {
    let folder = TempDir::new().unwrap();
    let path = |name: &str| folder.path().join(name);
    // In memory, and above 1 MiB.
    for size in [[7, 9], [300, 400]] {
        for (format, plain, names) in [
            (
                PictureFormat::Mrc,
                "a.mrc",
                ["b.mrc.gz", "c.map.GZ", "d.rec.gz"],
            ),
            (
                PictureFormat::Fits,
                "a.fits",
                ["b.fits.gz", "c.fit.gz", "d.fts.gz"],
            ),
        ] {
            let bytes = sections(format, 4, size);
            fs::write(path(plain), &bytes).unwrap();
            let plain = path(plain);
            // As pigz may: in several members.
            let (first, rest) = bytes.split_at(bytes.len() / 3);
            let members = [packed(first), packed(rest)].concat();
            let packed = packed(&bytes);
            for (name, packed) in names.into_iter().zip([&packed, &members, &packed]) {
                let file = path(name);
                fs::write(&file, packed).unwrap();
                assert!(is_gzip(&file).unwrap() && !is_gzip(&plain).unwrap());
                assert!(is_picture(&file) && is_stack(&file), "{name}");
                assert_eq!(PictureFormat::of_file(&file).unwrap(), format);
                assert_eq!(read_header(&file).unwrap(), read_header(&plain).unwrap());
                assert_eq!(
                    read_attached(&file).unwrap(),
                    read_attached(&plain).unwrap()
                );
                assert_eq!(read_picture(&file).unwrap(), section(0, size));
                let stack = PageStack::open(&file).unwrap();
                assert_eq!(stack.len(), 4);
                for index in [3, 0, 2, 1] {
                    assert_eq!(stack.read(index).unwrap(), section(index, size));
                }
            }
        }
    }
}

#[test]
fn names_of_packed_files_are_of_two_formats() {
    for (name, format, stem_of) in [
        ("a.mrc.gz", Some(PictureFormat::Mrc), "a"),
        ("a.FIT.gz", Some(PictureFormat::Fits), "a"),
        ("a.tif.gz", None, "a"),
        ("a.gz", None, "a"),
        ("a.b.mrc", Some(PictureFormat::Mrc), "a.b"),
    ] {
        assert_eq!(PictureFormat::of_path(Path::new(name)), format, "{name}");
        assert_eq!(stem(Path::new(name)), stem_of, "{name}");
    }
    // The other ending of these is common.
    let folder = TempDir::new().unwrap();
    let path = folder.path().join("source.map.gz");
    fs::write(&path, packed(b"{\"version\":3}")).unwrap();
    assert!(!is_picture(&path));
}

#[test]
fn damaged_packed_files_are_an_error() {
    let folder = TempDir::new().unwrap();
    let path = folder.path().join("a.mrc.gz");
    let bytes = sections(PictureFormat::Mrc, 3, [20, 30]);
    let whole = packed(&bytes);
    let cut = |len: usize| whole[..len].to_vec();
    let mut checksum = whole.clone();
    let at = checksum.len() - 6;
    checksum[at] ^= 1;
    let mut stream = whole.clone();
    stream[whole.len() / 2] ^= 0x55;
    let cases = [
        cut(whole.len() - 1),
        cut(whole.len() / 2),
        cut(20),
        checksum,
        stream,
        // What it announces is not there.
        packed(&bytes[..bytes.len() - 1]),
        packed(&bytes[..500]),
    ];
    for (case, bytes) in cases.into_iter().enumerate() {
        fs::write(&path, bytes).unwrap();
        for error in [
            PageStack::open(&path).err().unwrap(),
            read_header(&path).unwrap_err(),
            read_picture(&path).unwrap_err(),
        ] {
            assert!(
                matches!(
                    error,
                    FileError::Truncated { .. }
                        | FileError::Malformed { .. }
                        | FileError::NotPicture { .. }
                ),
                "{case}: {error}"
            );
            assert!(error.to_string().contains("a.mrc.gz"), "{error}");
        }
    }
}

#[test]
fn what_is_behind_packed_sections_is_told() {
    let folder = TempDir::new().unwrap();
    let path = folder.path().join("a.mrc.gz");
    let mut bytes = sections(PictureFormat::Mrc, 3, [20, 30]);
    bytes.extend([1; 9]);
    fs::write(&path, packed(&bytes)).unwrap();
    let told = read_attached(&path).unwrap().unread;
    assert_eq!(told, ["the bytes behind its sections"]);
}

#[test]
fn what_unpacks_to_far_too_much_is_an_error() {
    let folder = TempDir::new().unwrap();
    let path = folder.path().join("bomb.mrc.gz");
    // As many sections of zeros as take 400 MiB, in 400 KiB.
    let size = [1024, 1024];
    let mut start = sections(PictureFormat::Mrc, 1, size);
    start.truncate(1024);
    start[8..12].copy_from_slice(&100_i32.to_le_bytes());
    let zeros = packed(&vec![0; 1 << 20]);
    fs::write(&path, [packed(&start), zeros.repeat(400)].concat()).unwrap();
    for error in [
        read_header(&path).unwrap_err(),
        PageStack::open(&path).err().unwrap(),
    ] {
        assert!(
            error.to_string().contains("200 times its length"),
            "{error}"
        );
    }
}

#[test]
fn other_formats_are_not_read_packed() {
    let folder = TempDir::new().unwrap();
    let path = folder.path().join("a.mrc.gz");
    let raster = Raster {
        channels: 1,
        height: 4,
        width: 3,
        samples: Samples::zeros(SampleKind::U8, 12),
        alpha: None,
    };
    let png = encode_picture(&raster, PictureFormat::Png, &Attached::default()).unwrap();
    fs::write(&path, packed(&png)).unwrap();
    let error = read_picture(&path).unwrap_err().to_string();
    assert!(
        error.contains("PNG packed by gzip") && error.contains("gunzip"),
        "{error}"
    );
}
