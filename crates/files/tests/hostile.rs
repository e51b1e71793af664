//! Files that lie: every one of them ends in an error, and takes little to say so.

use std::{
    fs::{self, File},
    io::{Cursor, Seek, SeekFrom, Write},
    path::Path,
    time::{Duration, Instant},
};

use n2n_files::{
    CifarFile, FileError, NpyStack, Samples, Stack, TiffStack, read_attached, read_header,
    read_npz, read_picture,
};
use tempfile::TempDir;
use zip::{CompressionMethod, ZipWriter, write::SimpleFileOptions};

use crate::expected::{data, expected, open_stacks};

#[test]
fn oversized_pictures_fail_before_decoding() {
    let start = Instant::now();
    for entry in fs::read_dir(data("bombs")).unwrap() {
        let path = entry.unwrap().path();
        let name = path.file_name().unwrap().to_str().unwrap();
        let error = read_picture(&path).unwrap_err();
        assert!(error.to_string().contains(name), "{error}");
        if name.starts_with("tile") {
            // The image is small, and the block that holds it is not.
            assert!(matches!(error, FileError::Malformed { .. }), "{error}");
            continue;
        }
        for error in [error, read_header(&path).unwrap_err()] {
            assert!(
                matches!(
                    error,
                    FileError::TooLarge {
                        width: 60000 | 65000,
                        ..
                    }
                ),
                "{error}"
            );
        }
    }
    assert!(start.elapsed() < Duration::from_secs(10));
}

#[test]
fn jpegs_whose_pixels_end_early_are_not_made_up() {
    let folder = TempDir::new().unwrap();
    let path = folder.path().join("cut.jpg");
    for entry in fs::read_dir(data("jpeg")).unwrap() {
        let whole = fs::read(entry.unwrap().path()).unwrap();
        let scan = whole
            .windows(2)
            .position(|pair| pair == [0xff, 0xda])
            .unwrap()
            + 14;
        for tenths in 0..9 {
            // The end marker is there, so that only the decoder can tell.
            let cut = scan + (whole.len() - scan) * tenths / 10;
            fs::write(&path, [&whole[..cut], &[0xff, 0xd9]].concat()).unwrap();
            let result = read_picture(&path);
            assert!(result.is_err(), "{tenths} tenths of {} bytes", whole.len());
        }
    }
}

#[test]
fn pages_that_go_round_in_circles_are_an_error() {
    let folder = TempDir::new().unwrap();
    let path = folder.path().join("loop.tif");
    for (file, big) in [
        ("tiff/pages-grey16.tif", false),
        ("tiff/pages-greyf32-bigtiff.tif", true),
    ] {
        let bytes = fs::read(data(file)).unwrap();
        let pages = directories(&bytes, big);
        assert_eq!(pages.len(), 4);
        for (from, to) in [(3, 0), (3, 3), (0, 0), (2, 1)] {
            let mut bytes = bytes.clone();
            let (_, next) = pages[from];
            let target = (pages[to].0 as u64).to_le_bytes();
            let len = if big { 8 } else { 4 };
            bytes[next..next + len].copy_from_slice(&target[..len]);
            fs::write(&path, bytes).unwrap();
            for error in [
                TiffStack::open(&path).err().unwrap(),
                read_header(&path).unwrap_err(),
                read_picture(&path).unwrap_err(),
            ] {
                assert!(matches!(error, FileError::Malformed { .. }), "{error}");
            }
        }
    }
}

/// Where each directory of a little-endian TIFF file is, and where the offset of the next one.
fn directories(bytes: &[u8], big: bool) -> Vec<(usize, usize)> {
    let number = |at: usize, len: usize| {
        let bytes = bytes[at..at + len].iter().rev();
        bytes.fold(0, |value, &byte| value << 8 | usize::from(byte))
    };
    let (count_len, entry_len, len) = if big { (8, 20, 8) } else { (2, 12, 4) };
    let mut found = Vec::new();
    let mut offset = number(len, len);
    while offset != 0 {
        let next = offset + count_len + number(offset, count_len) * entry_len;
        found.push((offset, next));
        offset = number(next, len);
    }
    found
}

#[test]
fn directories_that_overlap_are_an_error() {
    // A page at every second byte: its entries reach far into those of the next.
    let mut bytes = b"II*\0\x08\0\0\0".to_vec();
    bytes.resize(60_000, 0);
    for offset in (8..20_000).step_by(2) {
        bytes[offset..offset + 2].copy_from_slice(&[2, 0]);
    }
    let folder = TempDir::new().unwrap();
    let path = folder.path().join("overlap.tif");
    fs::write(&path, bytes).unwrap();
    assert!(read_header(&path).is_err());
}

#[test]
fn strips_shorter_than_their_pixels_are_an_error() {
    let folder = TempDir::new().unwrap();
    let path = folder.path().join("short.tif");
    let mut bytes = fs::read(data("tiff/grey8.tif")).unwrap();
    // The tag of the strips' lengths, a SHORT or LONG, and one value.
    let tag = bytes
        .windows(2)
        .position(|pair| pair == [0x17, 0x01])
        .unwrap();
    assert_eq!(bytes[tag + 8], 35);
    bytes[tag + 8] = 34;
    fs::write(&path, bytes).unwrap();
    let error = read_picture(&path).unwrap_err();
    assert!(
        error
            .to_string()
            .contains("34 bytes, and its pixels take 35"),
        "{error}"
    );
}

/// A `.npy` file of version 1.0 with this header and these bytes behind it.
pub fn npy(header: &str, elements: &[u8]) -> Vec<u8> {
    let len = u16::try_from(header.len()).unwrap().to_le_bytes();
    [&b"\x93NUMPY\x01\x00"[..], &len, header.as_bytes(), elements].concat()
}

fn open_npy(bytes: Vec<u8>) -> Result<NpyStack, FileError> {
    NpyStack::from_reader(Cursor::new(bytes), Path::new("made-up.npy"))
}

#[test]
fn array_headers_of_another_form_are_an_error() {
    let good = "{'descr': '|u1', 'fortran_order': False, 'shape': (2, 3), }";
    let stack = open_npy(npy(good, &[0; 6])).unwrap();
    assert_eq!(stack.shape(), [1, 2, 3]);
    // What else Python reads as the same: other quotes, spaces, order, and the long numbers of
    // Python 2.
    for header in [
        "{\"descr\": \"|u1\", 'fortran_order': False, 'shape': (2, 3)}",
        " { 'shape' : ( 2L , 3L, ) ,'fortran_order':False,'descr':'|u1' , } \n",
    ] {
        assert!(open_npy(npy(header, &[0; 6])).is_ok(), "{header}");
    }
    let nested = format!(
        "{{'descr': '|u1', 'fortran_order': False, 'shape': {}",
        "(".repeat(60_000)
    );
    for header in [
        "",
        "{",
        "}",
        "{}",
        "{'descr': '|u1', 'fortran_order': False}",
        "{'descr': '|u1', 'fortran_order': False, 'shape': (2, 3), } or 1",
        "{'descr': '|u1', 'fortran_order': False, 'shape': (2, 3), 'more': 1}",
        "{'descr': '|u1', 'descr': '|u1', 'fortran_order': False, 'shape': (2, 3)}",
        "{'descr': '|u1', 'fortran_order': 0, 'shape': (2, 3), }",
        "{'descr': '|u1', 'fortran_order': False, 'shape': [2, 3], }",
        "{'descr': '|u1', 'fortran_order': False, 'shape': (-2, -3), }",
        "{'descr': '|u1', 'fortran_order': False, 'shape': (2, , 3), }",
        "{'descr': '|u1', 'fortran_order': False, 'shape': (6), }",
        "{'descr': '|u1', 'fortran_order': False, 'shape': (2, 99999999999999999999), }",
        "{'descr': '|u1', 'fortran_order': False, 'shape': (4294967296, 4294967296, 4294967296), }",
        "{'descr': '\\x7cu1', 'fortran_order': False, 'shape': (2, 3), }",
        "{'descr': '|u1, 'fortran_order': False, 'shape': (2, 3), }",
        &nested,
    ] {
        let error = open_npy(npy(header, &[0; 6])).err().unwrap();
        assert!(
            matches!(error, FileError::Malformed { .. }),
            "{header}: {error}"
        );
    }
}

#[test]
fn arrays_of_a_length_unlike_their_header_are_errors() {
    let header = "{'descr': '<f8', 'fortran_order': False, 'shape': (5, 7), }";
    let error = open_npy(npy(header, &[0; 8 * 35 - 1])).err().unwrap();
    assert!(matches!(error, FileError::Truncated { .. }), "{error}");
    let error = open_npy(npy(header, &[0; 8 * 35 + 1])).err().unwrap();
    assert!(
        error
            .to_string()
            .contains("takes 280 bytes, and 281 follow"),
        "{error}"
    );
    let huge = "{'descr': '<f8', 'fortran_order': True, 'shape': (1000000, 1000000), }";
    let error = open_npy(npy(huge, &[0; 8])).err().unwrap();
    assert!(matches!(error, FileError::Truncated { .. }), "{error}");
}

#[test]
fn array_headers_of_other_versions_are_errors() {
    for (start, found) in [
        (&b"\x93NUMPY\x04\x00"[..], "version 4.0"),
        (b"\x93NUMPY\x01\x01", "version 1.1"),
        (b"\x93NUMPX\x01\x00", "does not begin as a .npy file"),
        (b"\x93NUMPY\x02\x00\xff\xff\xff\xff", "4294967295 bytes"),
    ] {
        let bytes = [start, &[b' '; 100]].concat();
        let error = open_npy(bytes).err().unwrap();
        assert!(error.to_string().contains(found), "{error}");
    }
}

/// An archive of entries with these names and bytes.
pub fn npz(method: CompressionMethod, entries: &[(&str, &[u8])]) -> Vec<u8> {
    let mut writer = ZipWriter::new(Cursor::new(Vec::new()));
    let options = SimpleFileOptions::default().compression_method(method);
    for (name, bytes) in entries {
        writer.start_file(*name, options).unwrap();
        writer.write_all(bytes).unwrap();
    }
    writer.finish().unwrap().into_inner()
}

fn refused_npz(bytes: &[u8]) -> FileError {
    let path = Path::new("made-up.npz");
    let error = read_npz(Cursor::new(bytes), path).err().unwrap();
    assert!(error.to_string().contains("made-up.npz"), "{error}");
    error
}

fn replaced(bytes: &[u8], from: &[u8], to: &[u8]) -> Vec<u8> {
    assert_eq!(from.len(), to.len());
    let mut bytes = bytes.to_vec();
    for at in 0..=bytes.len() - from.len() {
        if bytes[at..].starts_with(from) {
            bytes[at..at + to.len()].copy_from_slice(to);
        }
    }
    bytes
}

const IMAGE: &str = "{'descr': '|u1', 'fortran_order': False, 'shape': (2, 3), }";

#[test]
fn archive_entries_outside_the_archive_are_errors() {
    let array = npy(IMAGE, &[0; 6]);
    let archive = npz(CompressionMethod::Stored, &[("ab-cde/f.npy", &array)]);
    assert!(read_npz(Cursor::new(&archive), Path::new("made-up.npz")).is_ok());
    for name in [
        "/b-cde/f.npy",
        "../cde/f.npy",
        "ab/../cd.npy",
        "C:\\cde/f.npy",
        "..\\cd/ef.npy",
    ] {
        let error = refused_npz(&replaced(&archive, b"ab-cde/f.npy", name.as_bytes()));
        assert!(
            matches!(&error, FileError::EntryPath { entry, .. } if entry == name),
            "{error}"
        );
    }
    let error = refused_npz(&replaced(&archive, b"ab-cde/f.npy", b"ab-cde/f.txt"));
    assert!(
        error.to_string().contains("the entry ab-cde/f.txt"),
        "{error}"
    );
}

#[test]
fn archives_with_repeated_or_many_names_are_errors() {
    let array = npy(IMAGE, &[0; 6]);
    let archive = npz(
        CompressionMethod::Deflated,
        &[("a.npy", &array), ("b.npy", &array)],
    );
    let error = refused_npz(&replaced(&archive, b"b.npy", b"a.npy"));
    assert!(
        matches!(&error, FileError::DuplicateEntry { entry, .. } if entry == "a.npy"),
        "{error}"
    );
    let names: Vec<_> = (0..1001).map(|index| format!("{index}.npy")).collect();
    let entries: Vec<_> = names.iter().map(|name| (&**name, &array[..])).collect();
    let error = refused_npz(&npz(CompressionMethod::Stored, &entries));
    assert!(
        matches!(error, FileError::TooManyEntries { found: 1001, .. }),
        "{error}"
    );
    let most = npz(CompressionMethod::Stored, &entries[..1000]);
    assert_eq!(
        read_npz(Cursor::new(&most), Path::new("made-up.npz"))
            .unwrap()
            .len(),
        1000
    );
    assert!(matches!(
        refused_npz(&npz(CompressionMethod::Stored, &[])),
        FileError::Empty { .. }
    ));
}

/// The archive with its directory announced by 64-bit records, which say `entries`.
fn with_64_bits(archive: &[u8], entries: u64) -> Vec<u8> {
    let (rest, end) = archive.split_at(archive.len() - 22);
    let number = |at: usize| u64::from(u32::from_le_bytes(*end[at..].first_chunk().unwrap()));
    let place = rest.len() as u64;
    let mut record = [
        &b"PK\x06\x06"[..],
        &44_u64.to_le_bytes(),
        &[45, 0, 45, 0],
        &[0; 8],
    ]
    .concat();
    for number in [entries, entries, number(12), number(16)] {
        record.extend(number.to_le_bytes());
    }
    let locator = [
        &b"PK\x06\x07"[..],
        &[0; 4],
        &place.to_le_bytes(),
        &[1, 0, 0, 0],
    ]
    .concat();
    let end = [&b"PK\x05\x06\0\0\0\0"[..], &[0xff; 12], &[0, 0]].concat();
    [rest, &record, &locator, &end].concat()
}

#[test]
fn archives_with_64_bit_records_are_read_as_others() {
    let array = npy(IMAGE, &[0, 1, 2, 3, 4, 5]);
    let archive = npz(CompressionMethod::Stored, &[("a.npy", &array)]);
    let path = Path::new("made-up.npz");
    let arrays = read_npz(Cursor::new(with_64_bits(&archive, 1)), path).unwrap();
    let image = arrays[0].1.read(0).unwrap();
    assert_eq!(image.samples, Samples::U8(vec![0, 1, 2, 3, 4, 5]));

    let error = refused_npz(&with_64_bits(&archive, u64::MAX));
    assert!(
        matches!(
            error,
            FileError::TooManyEntries {
                found: u64::MAX,
                ..
            }
        ),
        "{error}"
    );
    let error = refused_npz(&with_64_bits(&archive, 2));
    assert!(matches!(error, FileError::Truncated { .. }), "{error}");
    // Bytes between the directory and its record, and behind the record.
    let end = archive.len() - 22;
    let apart = [&archive[..end], b"more", &archive[end..]].concat();
    let behind = [&archive[..], b"more"].concat();
    for bytes in [apart, behind] {
        let error = refused_npz(&bytes);
        assert!(
            error.to_string().contains("not where it should be"),
            "{error}"
        );
    }
}

#[test]
fn archives_unlike_their_arrays_are_errors() {
    for method in [CompressionMethod::Stored, CompressionMethod::Deflated] {
        for elements in [&[0; 5][..], &[0; 7], &[0; 1_000_000]] {
            let array = npy(IMAGE, elements);
            let error = refused_npz(&npz(method, &[("a.npy", &array)]));
            assert!(error.to_string().contains("made-up.npz/a.npy"), "{error}");
            assert!(
                error.to_string().contains("takes 6 behind a header"),
                "{error}"
            );
        }
    }
}

#[test]
fn oversized_archives_fail_before_inflating() {
    let header = "{'descr': '|u1', 'fortran_order': False, 'shape': (1024, 1024, 2048), }";
    let array = npy(header, &[0; 1000]);
    let names = ["a.npy", "b.npy", "c.npy"];
    let mut archive = npz(
        CompressionMethod::Deflated,
        &names.map(|name| (name, &array[..])),
    );
    let announced = (array.len() - 1000 + (1 << 31)) as u32;
    // The uncompressed length is at byte 24 of an entry in the directory.
    for at in 0..archive.len() - 28 {
        if archive[at..].starts_with(b"PK\x01\x02") {
            archive[at + 24..at + 28].copy_from_slice(&announced.to_le_bytes());
        }
    }
    let error = refused_npz(&archive);
    assert!(
        matches!(&error, FileError::ArchiveTooLarge { entry, .. } if entry == "b.npy"),
        "{error}"
    );
}

#[test]
fn cifar_of_another_length_or_label_is_an_error() {
    let open =
        |bytes: Vec<u8>| CifarFile::from_reader(Cursor::new(bytes), Path::new("made-up.bin"));
    assert!(matches!(open(Vec::new()), Err(FileError::Empty { .. })));
    assert!(matches!(
        open(vec![0; 3074]),
        Err(FileError::NotCifar { found: 3074, .. })
    ));
    let mut bytes = vec![0; 2 * 3073];
    bytes[3073] = 10;
    let file = open(bytes).unwrap();
    assert!(file.read(0).is_ok());
    let error = file.read(1).unwrap_err();
    assert!(
        error.to_string().contains("record 1 has the label 10"),
        "{error}"
    );
}

#[test]
fn no_flipped_byte_panics_or_hangs() {
    let folder = TempDir::new().unwrap();
    let expected = expected();
    for picture in &expected.pictures {
        flip(&data(&picture.file), folder.path(), 60, |path| {
            let _ = (read_header(path), read_picture(path), read_attached(path));
        });
    }
    for stack in &expected.stacks {
        flip(&data(&stack.file), folder.path(), 60, |path| {
            for (_, stack) in open_stacks(path).into_iter().flatten() {
                (0..stack.len()).for_each(|index| drop(stack.read(index)));
            }
        });
    }
}

/// Calls `read` with copies of a file in which one byte differs, in turn at up to about as many
/// places.
pub fn flip(file: &Path, folder: &Path, places: usize, read: impl Fn(&Path)) {
    let path = folder.join(file.file_name().unwrap());
    let bytes = fs::read(file).unwrap();
    fs::write(&path, &bytes).unwrap();
    let mut writer = File::options().write(true).open(&path).unwrap();
    let mut write = |at: usize, byte: u8| {
        writer.seek(SeekFrom::Start(at as u64)).unwrap();
        writer.write_all(&[byte]).unwrap();
    };
    for at in (0..bytes.len()).step_by(bytes.len() / places + 1) {
        for flip in [0x01, 0x80, 0xff] {
            write(at, bytes[at] ^ flip);
            read(&path);
        }
        write(at, bytes[at]);
    }
}
