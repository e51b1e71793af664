//! `n2n denoise`: what it writes, what it leaves alone, and what it refuses.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::Output;

use n2n_files::{
    Attached, Axes, NpyStack, NpyWriter, PictureFormat, Raster, Sample, SampleKind, Samples, Stack,
    TiffStack, TiffWriter, encode_picture, read_attached, read_header, read_picture, with_samples,
};

use crate::{n2n, stderr, summary};

/// An image with something in it, of `[channels, height, width]`: pictures of 8 and 16 bits and of floats,
/// counts of other kinds.
fn raster(shape: [usize; 3], kind: SampleKind, alpha: bool) -> Raster {
    let [channels, height, width] = shape;
    let white = match kind {
        SampleKind::U8 | SampleKind::U16 | SampleKind::F16 | SampleKind::F32 => kind.white(),
        _ => 3000.0,
    };
    let samples = |count: usize| {
        let value = |at: usize| white * (0.5 + 0.4 * (at as f64 * 0.13).sin());
        let mut samples = Samples::zeros(kind, count);
        with_samples!(&mut samples, samples => put(samples, value));
        samples
    };
    Raster {
        channels,
        height,
        width,
        samples: samples(channels * height * width),
        alpha: alpha.then(|| samples(height * width)),
    }
}

fn put<T: Sample>(samples: &mut [T], value: impl Fn(usize) -> f64) {
    for (at, sample) in samples.iter_mut().enumerate() {
        *sample = T::from_f64(value(at));
    }
}

fn save(path: &Path, raster: &Raster, attached: &Attached) {
    fs::create_dir_all(path.parent().unwrap()).unwrap();
    let format = PictureFormat::of_path(path).unwrap();
    fs::write(path, encode_picture(raster, format, attached).unwrap()).unwrap();
}

fn save_small(path: &Path) {
    save(
        path,
        &raster([3, 9, 14], SampleKind::U8, false),
        &Attached::default(),
    );
}

/// `n2n denoise` on the CPU, in a folder.
fn denoise(folder: &Path, args: &[&str]) -> Output {
    let mut command = n2n(&["denoise", "--backend", "flex"]);
    command.args(args).current_dir(folder).output().unwrap()
}

/// The error of a command that must fail as bad input does, and leaves no output.
fn refused(folder: &Path, args: &[&str], output: &str) -> String {
    let before = files(folder);
    let result = denoise(folder, args);
    let message = stderr(&result);
    assert_eq!(result.status.code(), Some(2), "{message}");
    assert!(!message.contains("panicked"), "{message}");
    assert_eq!(message.matches("error: ").count(), 1, "{message}");
    assert_eq!(
        files(folder),
        before,
        "{output} or a part of it was written"
    );
    message
}

/// Every file below a folder.
fn files(folder: &Path) -> Vec<PathBuf> {
    let mut found = vec![];
    for entry in fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        if path.is_dir() {
            found.extend(files(&path))
        } else {
            found.push(path)
        }
    }
    found.sort();
    found
}

#[test]
fn each_kind_of_picture_keeps_its_format() {
    let folder = tempfile::tempdir().unwrap();
    let root = folder.path();
    let pictures = [
        ("grey8.png", [1, 31, 33], SampleKind::U8, false),
        ("grey16.png", [1, 17, 40], SampleKind::U16, false),
        ("alpha16.png", [1, 9, 14], SampleKind::U16, true),
        ("rgb16.png", [3, 21, 16], SampleKind::U16, false),
        ("alpha8.png", [3, 12, 35], SampleKind::U8, true),
        ("one.png", [3, 1, 1], SampleKind::U8, false),
        ("photo.jpg", [3, 25, 18], SampleKind::U8, false),
        ("web.webp", [3, 18, 19], SampleKind::U8, true),
        ("bits.bmp", [3, 11, 10], SampleKind::U8, false),
        ("deep/grey.tif", [1, 33, 20], SampleKind::F32, false),
        ("deep/rgb.tiff", [3, 20, 33], SampleKind::U16, false),
        ("deep/er/light.exr", [3, 14, 15], SampleKind::F32, false),
        ("deep/er/half.exr", [3, 16, 13], SampleKind::F16, false),
        ("deep/half.tif", [1, 18, 13], SampleKind::F16, true),
        ("counts/scan.tif", [1, 20, 33], SampleKind::I16, false),
        ("counts/photons.tif", [3, 12, 17], SampleKind::U32, true),
        ("counts/double.tif", [1, 15, 19], SampleKind::F64, false),
    ];
    for (name, shape, kind, alpha) in pictures {
        save(
            &root.join("in").join(name),
            &raster(shape, kind, alpha),
            &Attached::default(),
        );
    }
    let output = denoise(root, &["in", "-o", "out", "--json"]);
    let report = summary(&output);
    assert_eq!(report["files"], pictures.len());
    assert_eq!(report["backend"], "flex");
    assert!(report["megapixels_per_s"].as_f64().unwrap() > 0.0);
    for (name, shape, ..) in pictures {
        let (from, to) = (root.join("in").join(name), root.join("out").join(name));
        assert_eq!(
            read_header(&from).unwrap(),
            read_header(&to).unwrap(),
            "{name}"
        );
        assert_eq!(
            PictureFormat::of_file(&from).unwrap(),
            PictureFormat::of_file(&to).unwrap()
        );
        let (before, after) = (read_picture(&from).unwrap(), read_picture(&to).unwrap());
        assert_eq!(before.alpha, after.alpha, "{name}");
        // Channels of a single pixel have one value, and stay as they are.
        let is_same = before.samples == after.samples;
        assert_eq!(is_same, shape == [3, 1, 1], "{name}");
    }
}

#[test]
fn metadata_is_kept_or_its_loss_reported() {
    let folder = tempfile::tempdir().unwrap();
    let root = folder.path();
    let mut icc = vec![0; 132];
    icc[..4].copy_from_slice(&132_u32.to_be_bytes());
    icc[16..20].copy_from_slice(b"RGB ");
    let exif = b"II*\0\x08\0\0\0\x01\0\x12\x01\x03\0\x01\0\0\0\x06\0\0\0\0\0\0\0".to_vec();
    let attached = Attached {
        icc: Some(icc),
        exif: Some(exif),
        ..Attached::default()
    };
    save(
        &root.join("a.png"),
        &raster([3, 9, 14], SampleKind::U8, false),
        &attached,
    );
    summary(&denoise(root, &["a.png", "-o", "b.png", "--json"]));
    assert_eq!(read_attached(&root.join("b.png")).unwrap(), attached);

    let output = denoise(root, &["a.png", "-o", "b.bmp"]);
    assert!(output.status.success(), "{}", stderr(&output));
    assert!(
        stderr(&output).contains("b.bmp does not keep the ICC profile"),
        "{}",
        stderr(&output)
    );
}

#[test]
fn stacks_are_denoised_image_by_image() {
    let folder = tempfile::tempdir().unwrap();
    let root = folder.path();
    let pages: Vec<Raster> = [[0_u8, 80, 160], [250, 9, 1], [3, 3, 3]]
        .map(|seed| {
            let mut page = raster([1, 10, 12], SampleKind::U8, false);
            if let Samples::U8(samples) = &mut page.samples {
                samples
                    .iter_mut()
                    .enumerate()
                    .for_each(|(at, sample)| *sample ^= seed[at % 3]);
            }
            page
        })
        .to_vec();
    let header = n2n_files::Header {
        pages: 3,
        ..pages[0].header()
    };
    let file = fs::File::create(root.join("stack.tif")).unwrap();
    let mut writer = TiffWriter::new(file, &header, &Attached::default()).unwrap();
    let array = fs::File::create(root.join("stack.npy")).unwrap();
    let [_, height, width] = header.shape();
    let axes = "NYX".parse::<Axes>().unwrap().sized(&[3, height, width]);
    let mut array = NpyWriter::new(array, &axes, header.kind).unwrap();
    for (index, page) in pages.iter().enumerate() {
        writer.write(page, &Attached::default()).unwrap();
        array.write(&page.samples).unwrap();
        save(
            &root.join(format!("{index}.png")),
            page,
            &Attached::default(),
        );
    }
    drop((writer, array));
    let inputs = [
        "stack.tif",
        "stack.npy",
        "0.png",
        "1.png",
        "2.png",
        "-o",
        "out",
        "--json",
    ];
    assert_eq!(summary(&denoise(root, &inputs))["files"], 5);
    let tiff = TiffStack::open(&root.join("out/stack.tif")).unwrap();
    let array = NpyStack::open(&root.join("out/stack.npy")).unwrap();
    assert_eq!([tiff.len(), array.len()], [3, 3]);
    for index in 0..3 {
        let alone = read_picture(&root.join(format!("out/{index}.png"))).unwrap();
        assert_eq!(tiff.read(index).unwrap(), alone);
        assert_eq!(array.read(index).unwrap(), alone);
    }
    let message = refused(root, &["stack.tif", "-o", "one.png"], "one.png");
    assert!(message.contains("holds one image, not 3"), "{message}");
}

#[test]
fn outputs_are_kept_and_bad_files_are_skipped() {
    let folder = tempfile::tempdir().unwrap();
    let root = folder.path();
    for name in ["a.png", "c.png", "d.png"] {
        save_small(&root.join("in").join(name));
    }
    let whole = fs::read(root.join("in/a.png")).unwrap();
    fs::write(root.join("in/b.png"), &whole[..whole.len() / 2]).unwrap();
    fs::create_dir(root.join("out")).unwrap();
    fs::write(root.join("out/c.png"), "done").unwrap();

    let output = denoise(root, &["in", "-o", "out", "--json"]);
    assert_eq!(output.status.code(), Some(2), "{}", stderr(&output));
    let message = stderr(&output);
    assert!(message.contains("error: in/b.png ends early"), "{message}");
    let report: serde_json::Value = serde_json::from_slice(&output.stdout).unwrap();
    assert_eq!([&report["files"], &report["skipped"]], [2, 1]);
    assert_eq!(report["failed"][0]["path"], "in/b.png");
    assert_eq!(fs::read(root.join("out/c.png")).unwrap(), b"done");
    assert!(root.join("out/a.png").exists() && root.join("out/d.png").exists());
    assert!(!root.join("out/b.png").exists());

    let output = denoise(root, &["in", "-o", "out", "--overwrite"]);
    assert_eq!(output.status.code(), Some(2));
    assert_ne!(fs::read(root.join("out/c.png")).unwrap(), b"done");
    let text = String::from_utf8(output.stdout).unwrap();
    assert!(
        text.contains("3 files") && text.contains("1 file not denoised"),
        "{text}"
    );

    let output = denoise(root, &["in", "-o", "strict", "--strict"]);
    assert_eq!(output.status.code(), Some(2));
    assert!(!root.join("strict/d.png").exists());
}

#[test]
fn impossible_outputs_fail_before_computing() {
    let folder = tempfile::tempdir().unwrap();
    let root = folder.path();
    for name in ["a.png", "x/a.png", "y/a.png"] {
        save_small(&root.join(name));
    }
    save(
        &root.join("f.tif"),
        &raster([1, 9, 14], SampleKind::F32, false),
        &Attached::default(),
    );
    for (args, expected) in [
        (&["a.png", "-o", "./a.png"][..], "would overwrite"),
        (&["a.png", "-o", "."], "would overwrite"),
        (&["x/a.png", "y/a.png", "-o", "out"], "would both be"),
        (&["x", "y", "-o", "out"], "would both be"),
        (&["a.png", "x/a.png", "-o", "out.png"], "there are 2 inputs"),
        (&["a.png", "-o", "out.gif"], "this format cannot be written"),
        (
            &["f.tif", "-o", "out.jpg"],
            "cannot hold samples of float32",
        ),
        (&["b.png", "-o", "out"], "b.png does not exist"),
        (&["*.jpg", "-o", "out"], "no file is like *.jpg"),
        (
            &["a.png", "-o", "out", "--model", "none.safetensors"],
            "none.safetensors",
        ),
        (
            &["a.png", "-o", "out", "--model", "x"],
            "x holds no best.safetensors",
        ),
        (
            &["a.png", "-o", "out", "--range", "5,5"],
            "expected two numbers",
        ),
    ] {
        let message = refused(root, args, "out");
        assert!(message.contains(expected), "{args:?}: {message}");
    }
}

#[test]
fn strays_are_told() {
    let folder = tempfile::tempdir().unwrap();
    let root = folder.path();
    let image = raster([1, 30, 41], SampleKind::U16, false);
    save(&root.join("a.tif"), &image, &Attached::default());
    for (range, told) in [("0,1", true), ("0,65535", false)] {
        let args = ["a.tif", "-o", "out.tif", "--overwrite", "--range", range];
        let message = stderr(&denoise(root, &args));
        let expected = "a.tif: much of the result lies far outside";
        assert_eq!(message.contains(expected), told, "{range}: {message}");
    }
}

#[test]
fn holes_and_counts_need_no_flag() {
    let folder = tempfile::tempdir().unwrap();
    let root = folder.path();
    let mut image = raster([1, 9, 14], SampleKind::F32, false);
    let mut save_with = |name: &str, value: f32| {
        if let Samples::F32(samples) = &mut image.samples {
            samples[20] = value;
        }
        save(&root.join(name), &image, &Attached::default());
    };
    save_with("nan.tif", f32::NAN);
    save_with("infinite.tif", f32::INFINITY);
    save_with("counts.tif", 300.0);
    let names = ["nan.tif", "infinite.tif", "counts.tif"];
    let done = denoise(root, &[&names[..], &["-o", "out", "--json"]].concat());
    let message = String::from_utf8_lossy(&done.stderr).into_owned();
    for name in &names[..2] {
        let expected = format!("{name}: 1 samples are NaN or infinite, and stay so");
        assert!(message.contains(&expected), "{message}");
    }
    assert_eq!(summary(&done)["holes"], 2);
    let [nan, infinite, counts] =
        names.map(
            |name| match read_picture(&root.join("out").join(name)).unwrap().samples {
                Samples::F32(samples) => samples,
                other => panic!("floats stay floats, got {}", other.kind()),
            },
        );
    assert!(nan[20].is_nan() && infinite[20] == f32::INFINITY);
    for samples in [&nan, &infinite] {
        let mut others = samples.iter().enumerate().filter(|(at, _)| *at != 20);
        assert!(others.all(|(_, sample)| (0.0..=1.0).contains(sample)));
    }
    // Nothing is cut off at 1.
    assert!(counts[20] > 1.0, "{}", counts[20]);
}

#[test]
fn ctrl_c_exits_130_without_partial_file() {
    use std::process::{Command, Stdio};
    use std::time::{Duration, Instant};

    let folder = tempfile::tempdir().unwrap();
    let root = folder.path();
    // Minutes of work, in tiles of a few seconds.
    save(
        &root.join("in/a.png"),
        &raster([3, 3000, 4000], SampleKind::U8, false),
        &Attached::default(),
    );
    let mut command = n2n(&[
        "denoise",
        "in",
        "-o",
        "out",
        "--self-ensemble",
        "--backend",
        "flex",
    ]);
    let mut child = command
        .args(["--max-memory", "250"])
        .current_dir(root)
        .stdout(Stdio::null())
        .stderr(Stdio::null())
        .spawn()
        .unwrap();
    let start = Instant::now();
    while !root.join("out").exists() {
        assert!(
            start.elapsed() < Duration::from_secs(60),
            "it has not begun"
        );
        std::thread::sleep(Duration::from_millis(20));
    }
    let mut kill = Command::new("kill");
    assert!(
        kill.args(["-INT", &child.id().to_string()])
            .status()
            .unwrap()
            .success()
    );
    assert_eq!(child.wait().unwrap().code(), Some(130));
    assert_eq!(files(&root.join("out")), [""; 0].map(PathBuf::from));
}
