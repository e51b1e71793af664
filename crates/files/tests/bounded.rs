//! Files that would take memory or time without end.

use std::{
    fs::{self, File},
    io::{Cursor, Read},
};

use n2n_files::{FileError, NpyStack, read_attached, read_header, read_picture};
use tempfile::TempDir;
use zip::{CompressionMethod, ZipWriter, write::SimpleFileOptions};

use crate::{expected::data, hostile::npy};

/// Peak memory of this process in bytes; each test is one.
#[cfg(target_os = "linux")]
fn peak_memory() -> u64 {
    let status = fs::read_to_string("/proc/self/status").unwrap();
    let line = status
        .lines()
        .find(|line| line.starts_with("VmHWM:"))
        .unwrap();
    let kib: u64 = line.split_whitespace().nth(1).unwrap().parse().unwrap();
    kib << 10
}

/// Zeros of this length in zlib's format.
fn deflated_zeros(len: u64) -> Vec<u8> {
    let mut archive = ZipWriter::new(Cursor::new(Vec::new()));
    let options = SimpleFileOptions::default().compression_method(CompressionMethod::Deflated);
    archive.start_file("z", options).unwrap();
    std::io::copy(&mut std::io::repeat(0).take(len), &mut archive).unwrap();
    let bytes = archive.finish().unwrap().into_inner();
    // The data of the only entry lie between two known headers.
    let start = 30 + 1 + usize::from(u16::from_le_bytes([bytes[28], bytes[29]]));
    let end = bytes
        .windows(4)
        .rposition(|four| four == b"PK\x01\x02")
        .unwrap();
    // Adler-32 of zeros: the low half stays 1, the high half counts bytes.
    let checksum = ((len % 65521) as u32) << 16 | 1;
    [&[0x78, 0x9c], &bytes[start..end], &checksum.to_be_bytes()].concat()
}

#[cfg(target_os = "linux")]
#[test]
fn profiles_that_inflate_without_end_take_no_memory() {
    const INFLATED: u64 = 512 << 20;
    let folder = TempDir::new().unwrap();
    let path = folder.path().join("profile.png");
    let picture = fs::read(data("png/rgb8.png")).unwrap();
    let mut chunk = b"iCCPp\0\0".to_vec();
    chunk.extend(deflated_zeros(INFLATED));
    let length = (chunk.len() - 4) as u32;
    let checksum = crc32(&chunk).to_be_bytes();
    // Behind IHDR, which ends after 33 bytes.
    let (start, rest) = picture.split_at(33);
    let bytes = [start, &length.to_be_bytes(), &chunk, &checksum, rest].concat();
    fs::write(&path, bytes).unwrap();
    let before = peak_memory();
    read_header(&path).unwrap();
    read_picture(&path).unwrap();
    // It is left out, or an error; either way its limit is 64 MiB.
    let _ = read_attached(&path);
    let taken = peak_memory() - before;
    assert!(taken < 160 << 20, "{} MiB", taken >> 20);
}

/// CRC-32 of PNG, bit by bit.
fn crc32(bytes: &[u8]) -> u32 {
    let step = |crc: u32| {
        if crc & 1 == 1 {
            0xedb8_8320 ^ crc >> 1
        } else {
            crc >> 1
        }
    };
    !bytes.iter().fold(!0, |crc, &byte| {
        (0..8).fold(crc ^ u32::from(byte), |crc, _| step(crc))
    })
}

#[test]
fn files_too_short_for_their_pixels_are_refused() {
    let folder = TempDir::new().unwrap();
    // 14 bits each of width and height less 1, behind the signature of lossless WebP.
    let sides: u32 = 16382 | 16382 << 14;
    let body = [
        b"WEBPVP8L\x12\0\0\0\x2f".as_slice(),
        &sides.to_le_bytes(),
        &[0; 13],
    ]
    .concat();
    let webp = [
        b"RIFF".as_slice(),
        &(body.len() as u32).to_le_bytes(),
        &body,
    ]
    .concat();
    // Run lengths of 8 bits, which end the picture at once.
    let mut bmp = b"BM".to_vec();
    for number in [
        1080_u32,
        0,
        1078,
        40,
        26000,
        26000,
        1 | 8 << 16,
        1,
        2,
        0,
        0,
        256,
        0,
    ] {
        bmp.extend(number.to_le_bytes());
    }
    bmp.extend([[9, 9, 9, 0]; 256].concat());
    bmp.extend([0, 1]);
    for (name, bytes) in [("a.webp", webp), ("a.bmp", bmp)] {
        let path = folder.path().join(name);
        fs::write(&path, bytes).unwrap();
        let error = read_picture(&path).unwrap_err().to_string();
        assert!(error.contains("cannot hold"), "{error}");
    }
}

#[test]
fn scans_beyond_a_hundred_are_not_walked() {
    let folder = TempDir::new().unwrap();
    let path = folder.path().join("scans.jpg");
    let picture = fs::read(data("jpeg/rgb-progressive.jpg")).unwrap();
    let scan = picture
        .windows(2)
        .rposition(|pair| pair == [0xff, 0xda])
        .unwrap();
    let (start, last) = picture.split_at(scan);
    let (last, end) = last.split_at(last.len() - 2);
    let mut bytes = start.to_vec();
    bytes.extend(last.repeat(150));
    bytes.extend(end);
    fs::write(&path, bytes).unwrap();
    let error = read_picture(&path).unwrap_err().to_string();
    assert!(error.contains("scans"), "{error}");
}

#[test]
fn arrays_that_would_fill_the_memory_are_refused() {
    let folder = TempDir::new().unwrap();
    let path = folder.path().join("sparse.npy");
    for (order, shape, expected) in [
        ("True", [2, 30_000, 30_000], "images are interleaved"),
        ("False", [2, 200_000, 200_000], "200000"),
    ] {
        let [images, height, width] = shape;
        let header = format!(
            "{{'descr': '|u1', 'fortran_order': {order}, 'shape': ({images}, {height}, {width}), }}"
        );
        let bytes = npy(&header, &[]);
        fs::write(&path, &bytes).unwrap();
        let file = File::options().write(true).open(&path).unwrap();
        file.set_len(bytes.len() as u64 + shape.iter().product::<u64>())
            .unwrap();
        let error = NpyStack::open(&path).err().unwrap().to_string();
        assert!(error.contains(expected), "{error}");
    }
}

#[test]
fn a_tile_far_beyond_its_image_is_refused() {
    let folder = TempDir::new().unwrap();
    let path = folder.path().join("tile.tif");
    let side = 46000;
    let tags = [
        (256, 1),
        (257, 1),
        (258, 8),
        (259, 5),
        (262, 1),
        (277, 1),
        (322, side),
        (323, side),
        (324, 200),
        (325, 16),
    ];
    let mut bytes = b"II*\0\x08\0\0\0".to_vec();
    bytes.extend((tags.len() as u16).to_le_bytes());
    for (tag, value) in tags {
        bytes.extend((tag as u16).to_le_bytes());
        bytes.extend(4_u16.to_le_bytes());
        bytes.extend(1_u32.to_le_bytes());
        bytes.extend((value as u32).to_le_bytes());
    }
    bytes.resize(216, 0);
    fs::write(&path, bytes).unwrap();
    let error = read_picture(&path).unwrap_err();
    assert!(matches!(error, FileError::Malformed { .. }), "{error}");
    assert!(
        error.to_string().contains("takes 2116000000 bytes"),
        "{error}"
    );
}

#[cfg(unix)]
#[test]
fn pipes_are_refused_and_not_waited_for() {
    let folder = TempDir::new().unwrap();
    let path = folder.path().join("pipe.png");
    let made = std::process::Command::new("mkfifo")
        .arg(&path)
        .status()
        .unwrap();
    assert!(made.success());
    for error in [
        read_header(&path).unwrap_err(),
        read_picture(&path).unwrap_err(),
    ] {
        assert!(error.to_string().contains("a pipe"), "{error}");
    }
}
