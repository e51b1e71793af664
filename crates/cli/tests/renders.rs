//! `n2n denoise`: pictures of renderers, with other channels beside the colours.

use std::fs;

use n2n_files::{PictureFormat, read_attached, read_header};

use crate::{n2n, stderr};

/// Columns and rows.
const SIZE: [i32; 2] = [17, 9];

/// The channels, in the order of an OpenEXR file.
const CHANNELS: [&str; 7] = [
    "View.Albedo.B",
    "View.Albedo.G",
    "View.Albedo.R",
    "View.Combined.B",
    "View.Combined.G",
    "View.Combined.R",
    "View.Depth.Z",
];

/// A row of floats of a channel, which stand nowhere else.
fn row(channel: usize, y: i32) -> Vec<u8> {
    let number = |x: i32| 0.5 + 0.4 * ((channel as i32 * 999 + y * 50 + x) as f32 * 0.3).sin();
    (0..SIZE[0]).flat_map(|x| number(x).to_le_bytes()).collect()
}

/// An uncompressed OpenEXR file, as Blender names its channels.
fn render() -> Vec<u8> {
    let [width, height] = SIZE;
    let mut list = Vec::new();
    for name in CHANNELS {
        list.extend([name.as_bytes(), &[0]].concat());
        // Float, and one sample per pixel.
        list.extend(
            [2, 0, 1, 1]
                .iter()
                .flat_map(|number: &i32| number.to_le_bytes()),
        );
    }
    list.push(0);
    let numbers = |numbers: &[i32]| -> Vec<u8> {
        numbers
            .iter()
            .flat_map(|number| number.to_le_bytes())
            .collect()
    };
    let window = numbers(&[0, 0, width - 1, height - 1]);
    let one = 1_f32.to_le_bytes().to_vec();
    let mut file = numbers(&[20_000_630, 2]);
    for (name, kind, value) in [
        ("channels", "chlist", list),
        ("compression", "compression", vec![0]),
        ("dataWindow", "box2i", window.clone()),
        ("displayWindow", "box2i", window),
        ("lineOrder", "lineOrder", vec![0]),
        ("pixelAspectRatio", "float", one.clone()),
        ("screenWindowCenter", "v2f", vec![0; 8]),
        ("screenWindowWidth", "float", one),
    ] {
        file.extend([name.as_bytes(), &[0], kind.as_bytes(), &[0]].concat());
        file.extend(numbers(&[value.len() as i32]));
        file.extend(value);
    }
    file.push(0);
    let row_bytes = CHANNELS.len() * width as usize * 4;
    let start = file.len() + 8 * height as usize;
    for y in 0..height as usize {
        file.extend((start as u64 + (y * (8 + row_bytes)) as u64).to_le_bytes());
    }
    for y in 0..height {
        file.extend(numbers(&[y, row_bytes as i32]));
        (0..CHANNELS.len()).for_each(|channel| file.extend(row(channel, y)));
    }
    file
}

#[test]
fn a_render_keeps_its_other_channels() {
    let folder = tempfile::tempdir().unwrap();
    let root = folder.path();
    fs::write(root.join("render.exr"), render()).unwrap();
    let denoise = |output: &str| {
        let args = ["denoise", "--backend", "flex", "render.exr", "-o", output];
        let done = n2n(&args).current_dir(root).output().unwrap();
        assert!(done.status.success(), "{}", stderr(&done));
        stderr(&done)
    };
    let message = denoise("clean.exr");
    let choice =
        "its picture is View.Combined.R, View.Combined.G, View.Combined.B of View.Combined";
    assert!(message.contains(choice), "{message}");
    assert!(!message.contains("does not keep"), "{message}");
    let bytes = fs::read(root.join("clean.exr")).unwrap();
    let has = |row: &[u8]| bytes.windows(row.len()).any(|found| found == row);
    for (channel, name) in CHANNELS.iter().enumerate() {
        for y in 0..SIZE[1] {
            assert_eq!(has(&row(channel, y)), !name.contains("Combined"), "{name}");
        }
    }
    let attached = read_attached(&root.join("clean.exr")).unwrap();
    assert!(attached.choice().unwrap().contains("View.Combined.R"));

    let message = denoise("clean.tif");
    let told =
        "does not keep its channels View.Albedo.B, View.Albedo.G, View.Albedo.R, View.Depth.Z";
    assert!(message.contains(told), "{message}");
    let format = PictureFormat::of_file(&root.join("clean.tif")).unwrap();
    assert_eq!(format, PictureFormat::Tiff);
    assert_eq!(read_header(&root.join("clean.tif")).unwrap().channels, 3);
}
