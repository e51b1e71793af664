//! Event files, read as TensorBoard does: record by record, field by field.

use std::collections::BTreeMap;
use std::fs;

use image::{ImageFormat, RgbImage};
use n2n_files::crc32c;
use prost::encoding::{WireType, decode_key, decode_varint};

use super::*;

/// A field of a message: its number, and a number or bytes.
#[derive(Clone, Debug, PartialEq)]
enum Field {
    Number(u64),
    Bytes(Vec<u8>),
}

impl Field {
    fn bytes(&self) -> &[u8] {
        match self {
            Self::Bytes(bytes) => bytes,
            Self::Number(number) => panic!("{number} is no message"),
        }
    }

    fn message(&self) -> Message {
        message(self.bytes())
    }

    fn text(&self) -> String {
        String::from_utf8(self.bytes().to_vec()).unwrap()
    }

    fn number(&self) -> u64 {
        match self {
            Self::Number(number) => *number,
            Self::Bytes(bytes) => panic!("{bytes:?} is no number"),
        }
    }
}

type Message = BTreeMap<u32, Vec<Field>>;

fn message(mut bytes: &[u8]) -> Message {
    let mut fields = Message::new();
    while !bytes.is_empty() {
        let (tag, wire_type) = decode_key(&mut bytes).unwrap();
        let mut take = |count: usize| {
            let (taken, rest) = bytes.split_at(count);
            bytes = rest;
            taken.to_vec()
        };
        let field = match wire_type {
            WireType::Varint => Field::Number(decode_varint(&mut bytes).unwrap()),
            WireType::SixtyFourBit => {
                Field::Number(u64::from_le_bytes(take(8).try_into().unwrap()))
            }
            WireType::ThirtyTwoBit => {
                Field::Number(u32::from_le_bytes(take(4).try_into().unwrap()).into())
            }
            WireType::LengthDelimited => {
                let count = decode_varint(&mut bytes).unwrap() as usize;
                let (taken, rest) = bytes.split_at(count);
                bytes = rest;
                Field::Bytes(taken.to_vec())
            }
            other => panic!("{other:?} is never written"),
        };
        fields.entry(tag).or_default().push(field);
    }
    fields
}

/// The messages of a file, whose checksums must be right.
fn events(path: &Path) -> Vec<Message> {
    let bytes = fs::read(path).unwrap();
    let mut rest = bytes.as_slice();
    let mut found = Vec::new();
    while !rest.is_empty() {
        let (length, after) = rest.split_at(8);
        let count = u64::from_le_bytes(length.try_into().unwrap()) as usize;
        let (sum, after) = after.split_at(4);
        let (data, after) = after.split_at(count);
        let (data_sum, after) = after.split_at(4);
        for (bytes, sum) in [(length, sum), (data, data_sum)] {
            // TensorFlow's way to undo the mask.
            let masked = u32::from_le_bytes(sum.try_into().unwrap());
            let rotated = masked.wrapping_sub(0xa282_ead8);
            assert_eq!(rotated.rotate_left(15), crc32c(bytes));
        }
        found.push(message(data));
        rest = after;
    }
    found
}

/// The only file of a folder.
fn only(folder: &Path) -> PathBuf {
    let all = files(folder).unwrap();
    assert_eq!(all.len(), 1, "{all:?}");
    all[0].clone()
}

fn validation(images: usize, picture: Option<Vec<u8>>) -> Validation {
    let cells = [
        ("images", images.to_string()),
        ("batches", "3".to_owned()),
        ("psnr_db", "23.678901234567891".to_owned()),
        ("ssim", String::new()),
        ("cause", "words".to_owned()),
        ("seconds", "1.5".to_owned()),
    ];
    Validation {
        cells: cells.map(|(key, value)| (key.to_owned(), value)).into(),
        picture,
    }
}

/// Names and numbers of an event, and its pictures.
fn values(event: &Message) -> (Vec<(String, f32)>, Vec<Message>) {
    let (mut scalars, mut pictures) = (Vec::new(), Vec::new());
    for value in &event[&5][0].message()[&1] {
        let value = value.message();
        let name = value[&1][0].text();
        if let Some(number) = value.get(&2) {
            let bits = u32::try_from(number[0].number()).unwrap();
            scalars.push((name, f32::from_bits(bits)));
        } else {
            assert_eq!(name, "pictures");
            pictures.push(value[&4][0].message());
        }
    }
    (scalars, pictures)
}

#[test]
fn events_hold_numbers_and_picture_of_validations() {
    let mut png = std::io::Cursor::new(Vec::new());
    let picture = RgbImage::new(7, 5);
    picture.write_to(&mut png, ImageFormat::Png).unwrap();
    let png = png.into_inner();
    let folder = tempfile::tempdir().unwrap();
    let folder = folder.path().join("tensorboard");
    let before = [Ok(validation(16, None))].into_iter();
    let mut file = EventFile::begin(&folder, 1.5, before).unwrap();
    file.append(&validation(32, Some(png.clone()))).unwrap();

    let events = events(&only(&folder));
    assert_eq!(events.len(), 4);
    assert_eq!(events[0][&3][0].text(), "brain.Event:2");
    assert_eq!(events[1][&7][0].message()[&1][0], Field::Number(1));
    for (event, images) in events[2..].iter().zip([16, 32]) {
        assert_eq!(event[&2][0].number(), images);
        let time = |event: &Message| f64::from_bits(event[&1][0].number());
        // Seconds of training after the start.
        assert_eq!(time(event), time(&events[0]) + 1.5);
        let expected = [("psnr_db", 23.678_902_f32), ("seconds", 1.5)];
        assert_eq!(
            values(event).0,
            expected.map(|(name, number)| (name.to_owned(), number))
        );
    }
    assert_eq!(values(&events[2]).1, []);
    let image = &values(&events[3]).1[0];
    let sizes = [1, 2, 3].map(|tag| image[&tag][0].number());
    assert_eq!(sizes, [5, 7, 3]);
    assert_eq!(image[&4][0].bytes(), png);
}

#[test]
fn file_that_begins_anew_replaces_those_before() {
    let folder = tempfile::tempdir().unwrap();
    let folder = folder.path();
    fs::write(folder.join("notes.txt"), "not ours").unwrap();
    let mut earlier = Vec::new();
    for count in [2, 1] {
        let validations = (0..count).map(|number| Ok(validation(number, None)));
        EventFile::begin(folder, 0.0, validations).unwrap();
        let all = files(folder).unwrap();
        let name = |path: &PathBuf| path.file_name().unwrap().to_str().unwrap().to_owned();
        let names: Vec<_> = all.iter().map(name).collect();
        assert_eq!(names.len(), 2, "{names:?}");
        let found = all.iter().find(|path| number(path).is_some()).unwrap();
        assert_eq!(events(found).len(), 2 + count);
        earlier.push(name(found));
    }
    assert!(earlier[0] < earlier[1], "{earlier:?}");
}
