//! `n2n denoise`: formats of microscopes and telescopes.

use std::fs::{self, File};
use std::io::{Cursor, Write};
use std::path::Path;
use std::process::Output;
use std::slice::from_ref;

use n2n_files::{
    Attached, Header, PageStack, PagesWriter, PictureFormat, Raster, Samples, Stack, is_gzip,
    write_gzip_with,
};

use crate::{n2n, stderr};

/// Images, rows, columns.
const SIZES: [usize; 3] = [3, 10, 12];

/// Bytes of a header of FITS.
const FITS_HEADER: usize = 2880;

/// Bytes of a header of MRC; those of its statistics: DMIN to DMEAN, and RMS.
const MRC_HEADER: usize = 1024;
const MRC_STATISTICS: [std::ops::Range<usize>; 2] = [76..88, 216..220];

/// A file of waves around a half.
fn waves(format: PictureFormat) -> Vec<u8> {
    let [pages, height, width] = SIZES;
    let page = |page: usize| {
        let value = |at: usize| 0.5 + 0.4 * ((page * 50 + at) as f32 * 0.3).sin();
        Raster {
            channels: 1,
            height,
            width,
            samples: Samples::F32((0..height * width).map(value).collect()),
            alpha: None,
        }
    };
    let header = Header {
        pages,
        ..page(0).header()
    };
    let mut file = Cursor::new(Vec::new());
    let attached = Attached::default();
    let mut writer = PagesWriter::new(&mut file, format, &header, &attached).unwrap();
    for index in 0..pages {
        writer.write(&page(index), from_ref(&attached)).unwrap();
    }
    file.into_inner()
}

fn denoise(folder: &Path, args: &[&str]) -> Output {
    let mut command = n2n(&["denoise", "--backend", "flex"]);
    command.args(args).current_dir(folder).output().unwrap()
}

#[test]
fn a_volume_of_mrc_keeps_its_header() {
    let folder = tempfile::tempdir().unwrap();
    let root = folder.path();
    let mut bytes = waves(PictureFormat::Mrc);
    // An origin, and a label.
    bytes[196..200].copy_from_slice(&(-7_f32).to_le_bytes());
    bytes[220] = 1;
    bytes[224..232].copy_from_slice(b"a sample");
    fs::write(root.join("volume.mrc"), &bytes).unwrap();
    let done = denoise(root, &["volume.mrc", "-o", "out"]);
    let message = stderr(&done);
    assert!(done.status.success(), "{message}");
    assert!(!message.contains("warning"), "{message}");
    let mut found = fs::read(root.join("out/volume.mrc")).unwrap();
    assert_eq!(found.len(), bytes.len());
    for range in MRC_STATISTICS {
        assert_ne!(found[range.clone()], bytes[range.clone()], "{range:?}");
        found[range.clone()].copy_from_slice(&bytes[range]);
    }
    assert!(found[..MRC_HEADER] == bytes[..MRC_HEADER], "the header");
    assert!(found[MRC_HEADER..] != bytes[MRC_HEADER..], "the sections");

    let done = denoise(root, &["volume.mrc", "-o", "volume.tif"]);
    let expected = "volume.tif does not keep its origin of MRC, its labels of MRC";
    assert!(stderr(&done).contains(expected), "{}", stderr(&done));
    let tiff = PageStack::open(&root.join("volume.tif")).unwrap();
    let mrc = PageStack::open(&root.join("out/volume.mrc")).unwrap();
    assert_eq!(tiff.len(), SIZES[0]);
    for index in 0..SIZES[0] {
        assert_eq!(tiff.read(index).unwrap(), mrc.read(index).unwrap());
    }
}

/// Checks that two files hold the same images and headers, and the second one packed.
fn assert_packed(plain: &Path, packed: &Path) {
    assert!(!is_gzip(plain).unwrap() && is_gzip(packed).unwrap());
    let [plain, packed] = [plain, packed].map(|path| PageStack::open(path).unwrap());
    assert_eq!((plain.len(), packed.len()), (SIZES[0], SIZES[0]));
    for index in 0..SIZES[0] {
        assert_eq!(plain.read(index).unwrap(), packed.read(index).unwrap());
        assert_eq!(
            plain.attached(index).unwrap(),
            packed.attached(index).unwrap()
        );
    }
}

#[test]
fn packed_files_come_back_packed() {
    let folder = tempfile::tempdir().unwrap();
    let root = folder.path();
    for (format, plain, packed) in [
        (PictureFormat::Mrc, "a.mrc", "a.mrc.gz"),
        (PictureFormat::Fits, "a.fit", "a.fit.gz"),
    ] {
        let bytes = waves(format);
        fs::write(root.join(plain), &bytes).unwrap();
        let mut file = File::create(root.join(packed)).unwrap();
        let written = write_gzip_with(&mut file, |file| file.write_all(&bytes));
        written.unwrap().unwrap();
        let done = denoise(root, &[plain, packed, "-o", "out"]);
        let message = stderr(&done);
        assert!(done.status.success(), "{message}");
        assert!(!message.contains("warning"), "{message}");
        assert_packed(
            &root.join("out").join(plain),
            &root.join("out").join(packed),
        );
        // The name of the output says whether it is packed.
        for (input, output) in [(packed, "b.fits"), (plain, "b.fits.gz")] {
            let done = denoise(root, &[input, "-o", output, "--overwrite"]);
            assert!(done.status.success(), "{}", stderr(&done));
        }
        assert_packed(&root.join("b.fits"), &root.join("b.fits.gz"));
    }
}

#[test]
fn a_cube_of_fits_keeps_its_header() {
    let folder = tempfile::tempdir().unwrap();
    let root = folder.path();
    let mut bytes = waves(PictureFormat::Fits);
    let end = bytes.windows(4).position(|text| text == b"END ").unwrap();
    let cards = ["CRVAL1  =                83.21", "OBJECT  = 'M 31'", "END"];
    let cards: String = cards.iter().map(|card| format!("{card:<80}")).collect();
    bytes[end..end + cards.len()].copy_from_slice(cards.as_bytes());
    fs::write(root.join("cube.fits"), &bytes).unwrap();
    let done = denoise(root, &["cube.fits", "-o", "out"]);
    let message = stderr(&done);
    assert!(done.status.success(), "{message}");
    assert!(!message.contains("warning"), "{message}");
    let found = fs::read(root.join("out/cube.fits")).unwrap();
    assert_eq!(found.len(), bytes.len());
    assert!(found[..FITS_HEADER] == bytes[..FITS_HEADER], "the header");
    assert!(found[FITS_HEADER..] != bytes[FITS_HEADER..], "the planes");
    assert_eq!(
        PageStack::open(&root.join("out/cube.fits")).unwrap().len(),
        SIZES[0]
    );

    let done = denoise(root, &["cube.fits", "-o", "cube.npy"]);
    let expected = "cube.npy does not keep the cards of its FITS header";
    assert!(stderr(&done).contains(expected), "{}", stderr(&done));
}
