//! FITS: headers made by hand.

use std::fs::{self, File};
use std::io::BufWriter;
use std::path::Path;
use std::slice::from_ref;

use n2n_files::{
    Attached, Header, PageStack, PagesWriter, PictureFormat, Raster, SampleKind, Samples, Stack,
    encode_picture, read_attached, read_header, read_picture,
};
use tempfile::TempDir;

/// Bytes of a block; headers and data are padded to whole blocks.
const BLOCK: usize = 2880;

/// Planes, rows, columns.
const SIZES: [usize; 3] = [2, 3, 4];

/// The header of these cards.
fn header(cards: &[&str]) -> Vec<u8> {
    let mut text: String = cards.iter().map(|card| format!("{card:<80}")).collect();
    text += &format!("{:<80}", "END");
    filled(text.into_bytes(), b' ')
}

/// Bytes up to the end of a block.
fn filled(mut bytes: Vec<u8>, with: u8) -> Vec<u8> {
    bytes.resize(bytes.len().next_multiple_of(BLOCK), with);
    bytes
}

/// The header of a cube, with more cards.
fn cube(bits: i32, more: &[&str]) -> Vec<u8> {
    let bits = format!("BITPIX  = {bits:>20} / bits of a number");
    let form = [
        "SIMPLE  =                    T / by hand",
        &bits,
        "NAXIS   =                    3",
        "NAXIS1  =                    4 / columns",
        "NAXIS2  =                    3",
        "NAXIS3  =                    2",
    ];
    header(&[&form[..], more].concat())
}

/// Numbers of a cube as bytes.
fn data<const N: usize>(number: impl Fn(usize) -> [u8; N]) -> Vec<u8> {
    let count = SIZES.iter().product();
    filled((0..count).flat_map(number).collect(), 0)
}

/// What is written of a file that is read.
fn again(path: &Path) -> Vec<u8> {
    let stack = PageStack::open(path).unwrap();
    let header = read_header(path).unwrap();
    assert_eq!(header.pages, stack.len());
    let copy = path.with_extension("copy.fits");
    let file = BufWriter::new(File::create(&copy).unwrap());
    let first = stack.attached(0).unwrap().swap_remove(0);
    let mut writer = PagesWriter::new(file, PictureFormat::Fits, &header, &first).unwrap();
    for index in 0..stack.len() {
        let image = stack.read(index).unwrap();
        writer.write(&image, from_ref(&first)).unwrap();
    }
    drop(writer);
    fs::read(copy).unwrap()
}

/// Cards of a telescope, of every form there is.
const WORLD: [&str; 8] = [
    "CTYPE1  = 'RA---TAN'           / gnomonic",
    "CRVAL1  =         8.321000D+01",
    "OBJECT  = 'Barnard''s / star'",
    "LONGSTR = 'a text that goes&'",
    "CONTINUE  ' on behind it'",
    "HIERARCH ESO DET CHIP1 ID = 'x'",
    "COMMENT by hand",
    "",
];

#[test]
fn fits_comes_back_to_the_bit() {
    let folder = TempDir::new().unwrap();
    let path = folder.path().join("cube.fits");
    let offset = |text: &str| format!("BZERO   = {text:>20} / offset");
    let number = |at: usize| (at as i64 * 7919 - 9000) << 3;
    let floats = |at: usize| number(at) as f64 / 7.0;
    for (bits, zero, kind, bytes) in [
        (
            8,
            None,
            SampleKind::U8,
            data(|at| (number(at) as u8).to_be_bytes()),
        ),
        (
            8,
            Some("-128"),
            SampleKind::I8,
            data(|at| (number(at) as u8).to_be_bytes()),
        ),
        (
            16,
            None,
            SampleKind::I16,
            data(|at| (number(at) as i16).to_be_bytes()),
        ),
        (
            16,
            Some("32768"),
            SampleKind::U16,
            data(|at| (number(at) as i16).to_be_bytes()),
        ),
        (
            32,
            None,
            SampleKind::I32,
            data(|at| (number(at) as i32).to_be_bytes()),
        ),
        (
            32,
            Some("2147483648"),
            SampleKind::U32,
            data(|at| (number(at) as i32).to_be_bytes()),
        ),
        (
            64,
            None,
            SampleKind::I64,
            data(|at| number(at).to_be_bytes()),
        ),
        (
            64,
            Some("9223372036854775808"),
            SampleKind::U64,
            data(|at| number(at).to_be_bytes()),
        ),
        (
            -32,
            None,
            SampleKind::F32,
            data(|at| (floats(at) as f32).to_be_bytes()),
        ),
        (
            -64,
            None,
            SampleKind::F64,
            data(|at| floats(at).to_be_bytes()),
        ),
    ] {
        let card = zero.map(offset);
        let more: Vec<&str> = card.iter().map(String::as_str).chain(WORLD).collect();
        let file = [cube(bits, &more), bytes].concat();
        fs::write(&path, &file).unwrap();
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
        assert!(read_attached(&path).unwrap().unread.is_empty());
        assert!(again(&path) == file, "{kind}");
    }
}

#[test]
fn integers_of_the_other_sign_have_their_values() {
    let folder = TempDir::new().unwrap();
    let path = folder.path().join("raw.fit");
    let card = "BZERO   =              32768.0";
    let bytes = data(|at| (at as i16 - 5).to_be_bytes());
    fs::write(&path, [cube(16, &[card]), bytes].concat()).unwrap();
    let numbers = (0..12).map(|at| 32768 + at - 5).collect();
    assert_eq!(read_picture(&path).unwrap().samples, Samples::U16(numbers));
    // What other formats hold is written so that it reads the same.
    let samples = Samples::I8(vec![-128, 0, 127, 5]);
    let raster = Raster {
        channels: 1,
        height: 2,
        width: 2,
        samples,
        alpha: None,
    };
    let bytes = encode_picture(&raster, PictureFormat::Fits, &Attached::default()).unwrap();
    assert!(bytes.len() == 2 * BLOCK && bytes[BLOCK..BLOCK + 4] == [0, 128, 255, 133]);
    fs::write(&path, bytes).unwrap();
    assert_eq!(read_picture(&path).unwrap(), raster);
}

#[test]
fn scaled_integers_become_floats_and_are_told() {
    let folder = TempDir::new().unwrap();
    let path = folder.path().join("scaled.fts");
    let scaled = [
        "BSCALE  =               2.5D-1",
        "BZERO   =                -10.0",
    ];
    let blank = ["BLANK   =                    3"];
    for (bits, cards, kind, told) in [
        (16, &scaled[..], SampleKind::F32, "integers of 16 bits"),
        (16, &blank[..], SampleKind::F32, "integers of 16 bits"),
        (32, &scaled[..], SampleKind::F64, "integers of 32 bits"),
        (
            -32,
            &scaled[..],
            SampleKind::F32,
            "BSCALE and BZERO of floats",
        ),
    ] {
        let bytes = match bits {
            16 => data(|at| (at as i16).to_be_bytes()),
            32 => data(|at| (at as i32).to_be_bytes()),
            _ => data(|at| (at as f32).to_be_bytes()),
        };
        let more = [cards, &WORLD].concat();
        fs::write(&path, [cube(bits, &more), bytes].concat()).unwrap();
        let found = read_picture(&path).unwrap();
        assert_eq!(found.samples.kind(), kind);
        let is_scaled = cards.len() == 2;
        n2n_files::with_samples!(&found.samples, values => {
            for (at, &value) in values.iter().enumerate() {
                let value = n2n_files::Sample::to_f64(value);
                match is_scaled {
                    true => assert_eq!(value, at as f64 / 4.0 - 10.0),
                    false if at == 3 => assert!(value.is_nan()),
                    false => assert_eq!(value, at as f64),
                }
            }
        });
        let unread = read_attached(&path).unwrap().unread;
        assert!(unread.len() == 1 && unread[0].contains(told), "{unread:?}");
        // The new file says what its floats are, and nothing of scales.
        fs::write(&path, again(&path)).unwrap();
        assert!(read_attached(&path).unwrap().unread.is_empty());
        let copy = format!("{:?}", read_picture(&path).unwrap().samples);
        assert_eq!(copy, format!("{:?}", found.samples));
        let text = fs::read(&path).unwrap();
        let text = String::from_utf8_lossy(&text[..BLOCK]).into_owned();
        assert!(!text.contains("BSCALE") && !text.contains("BLANK"));
        assert!(text.contains("HIERARCH ESO"), "{text}");
    }
}

#[test]
fn an_image_may_be_an_extension() {
    let folder = TempDir::new().unwrap();
    let path = folder.path().join("extended.fits");
    let first = header(&[
        "SIMPLE  =                    T",
        "BITPIX  =                    8",
        "NAXIS   =                    0",
        "EXTEND  =                    T",
        "TELESCOP= 'mine'",
    ]);
    let table = header(&[
        "XTENSION= 'BINTABLE'",
        "BITPIX  =                    8",
        "NAXIS   =                    2",
        "NAXIS1  =                   10",
        "NAXIS2  =                    5",
        "PCOUNT  =                    0",
        "GCOUNT  =                    1",
    ]);
    let image = header(&[
        "XTENSION= 'IMAGE   '",
        "BITPIX  =                  -32",
        "NAXIS   =                    4",
        "NAXIS1  =                    4",
        "NAXIS2  =                    3",
        "NAXIS3  =                    1",
        "NAXIS4  =                    2",
        "PCOUNT  =                    0",
        "GCOUNT  =                    1",
        "EXTNAME = 'SCI     '",
    ]);
    let sums = [
        "CHECKSUM= 'abcdefghijklmnop'",
        "DATASUM = '123     '",
        "DATAMAX =                 23.0",
    ];
    let floats = data(|at| (at as f32).to_be_bytes());
    let rows = filled(vec![7; 50], 0);
    let alone = [&first[..], &image, &floats].concat();
    fs::write(&path, &alone).unwrap();
    assert_eq!(PageStack::open(&path).unwrap().len(), 2);
    assert!(read_attached(&path).unwrap().unread.is_empty());
    assert!(again(&path) == alone);
    // Others are told, as are sums of the old numbers.
    let others = [&first[..], &table, &rows, &image, &floats, &table, &rows].concat();
    fs::write(&path, others).unwrap();
    assert_eq!(
        read_attached(&path).unwrap().unread,
        ["other parts of its FITS file (2)"]
    );
    assert!(again(&path) == alone);
    let summed = [cube(-32, &sums), floats].concat();
    fs::write(&path, summed).unwrap();
    assert_eq!(
        read_attached(&path).unwrap().unread,
        ["its CHECKSUM, DATASUM, DATAMAX"]
    );
    assert!(!again(&path).windows(7).any(|text| text == b"DATASUM"));
    assert!(
        PictureFormat::Tiff
            .leaves_out(&read_attached(&path).unwrap(), 1)
            .len()
            == 1
    );
}

#[test]
fn wrong_fits_files_are_errors_that_say_why() {
    let folder = TempDir::new().unwrap();
    let path = folder.path().join("wrong.fits");
    let sound = cube(16, &[]);
    let changed = |from: &str, to: &str| {
        let text = String::from_utf8(sound.clone()).unwrap();
        assert!(text.contains(from), "{from}");
        [text.replacen(from, to, 1).into_bytes(), vec![0; BLOCK]].concat()
    };
    let axis = |size: &str| {
        changed(
            "NAXIS1  =                    4",
            &format!("NAXIS1  = {size:>20}"),
        )
    };
    let compressed = [
        header(&[
            "SIMPLE  =                    T",
            "BITPIX  = 8",
            "NAXIS   = 0",
        ]),
        header(&[
            "XTENSION= 'BINTABLE'",
            "BITPIX  = 8",
            "NAXIS   = 2",
            "NAXIS1  = 8",
            "NAXIS2  = 1",
            "ZIMAGE  =                    T",
        ]),
        vec![0; BLOCK],
    ];
    for (bytes, expected) in [
        (
            changed("                  16", "                  12"),
            "its BITPIX is 12",
        ),
        (
            changed("                  16", "                  xy"),
            "its BITPIX is `xy`",
        ),
        (changed("BITPIX  =", "BITPIX   "), "it has no BITPIX"),
        (axis("-4"), "its NAXIS1 is -4"),
        (axis("0")[..BLOCK].to_vec(), "holds no image"),
        (axis("9223372036854775807"), "its axes are ["),
        (axis("4000000000000"), "ends early, inside its pixels"),
        (
            changed(
                "NAXIS   =                    3",
                "NAXIS   =                 1000",
            ),
            "its NAXIS is 1000",
        ),
        (
            changed(
                "NAXIS   =                    3",
                "NAXIS   =                    1",
            ),
            "holds no image",
        ),
        (
            [cube(16, &["BSCALE  = 0"]), vec![0; BLOCK]].concat(),
            "its BSCALE is 0",
        ),
        (
            [cube(16, &["BZERO   = NaN"]), vec![0; BLOCK]].concat(),
            "its BZERO is `NaN`",
        ),
        (
            sound[..2000].to_vec(),
            "ends early, inside a header of FITS",
        ),
        (sound.clone(), "ends early, inside its pixels"),
        (
            b"SIMPLE  =".repeat(BLOCK),
            "ends early, inside a header of FITS",
        ),
        (compressed.concat(), "funpack"),
    ] {
        fs::write(&path, bytes).unwrap();
        for error in [
            read_picture(&path).err(),
            read_attached(&path).err(),
            PageStack::open(&path).err(),
        ] {
            let message = error.map(|error| error.to_string()).unwrap_or_default();
            assert!(message.contains(expected), "{expected}: {message}");
            assert!(message.contains("wrong.fits"), "{message}");
        }
    }
}

#[test]
fn damaged_fits_headers_end_with_a_result() {
    let folder = TempDir::new().unwrap();
    let path = folder.path().join("damaged.fits");
    let sound = [cube(16, &WORLD), data(|at| (at as i16).to_be_bytes())].concat();
    let mut refused = 0;
    for place in 0..16 * 80 {
        for byte in [b' ', b'9', b'-', 0xff] {
            let mut bytes = sound.clone();
            bytes[place] = byte;
            fs::write(&path, bytes).unwrap();
            let read = read_attached(&path).and_then(|_| read_picture(&path));
            refused += usize::from(read.is_err());
        }
    }
    // One at least of each card of the form.
    assert!(refused >= 6, "{refused} were refused");
}
