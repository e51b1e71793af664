//! Where commands write, and what they never write over.

use std::fs;
use std::path::Path;
use std::process::{Command, Output};
use std::thread;

use crate::{n2n, smoke, stderr, summary};

fn in_folder(folder: &Path, args: &[&str]) -> Output {
    n2n(args).current_dir(folder).output().unwrap()
}

fn evaluate(folder: &Path, args: &[&str]) -> Output {
    let fixed = ["evaluate", "run", "--backend", "flex", "--limit", "2"];
    let args = [&fixed[..], &["--baselines", "none", "--json"], args].concat();
    in_folder(folder, &args)
}

#[cfg(unix)]
#[test]
fn files_that_exist_or_are_read_are_refused() {
    let folder = tempfile::tempdir().unwrap();
    let root = folder.path();
    summary(&smoke(&root.join("run"), &[]));
    fs::write(root.join("old.csv"), "old").unwrap();
    fs::write(root.join("old.png"), "old").unwrap();
    let best = fs::read(root.join("run/best.safetensors")).unwrap();
    std::os::unix::fs::symlink("run/best.safetensors", root.join("link.safetensors")).unwrap();
    let overwrite_best = [
        "export",
        "run",
        "--to",
        "safetensors",
        "--overwrite",
        "-o",
        "link.safetensors",
    ];
    let sheet = ["--sheet", "sheet.png"];
    for (output, expected) in [
        (
            evaluate(root, &["--csv", "old.csv", "--sheet", "sheet.png"]),
            "old.csv is there already",
        ),
        (
            evaluate(root, &["--sheet", "old.csv"]),
            "old.csv is there already",
        ),
        (
            evaluate(
                root,
                &[
                    &sheet[..],
                    &["--overwrite", "--csv", "run/best.safetensors"],
                ]
                .concat(),
            ),
            "is what the command reads",
        ),
        (
            in_folder(root, &overwrite_best),
            "is what the command reads",
        ),
        (
            in_folder(root, &["compare", "--picture", "old", "--steps", "2"]),
            "old.png is there already",
        ),
        (
            in_folder(root, &["bench", "--report", "old.csv"]),
            "old.csv is there already",
        ),
    ] {
        let message = stderr(&output);
        assert_eq!(output.status.code(), Some(2), "{expected}: {message}");
        assert!(message.contains(expected), "{expected}: {message}");
    }
    assert_eq!(fs::read(root.join("old.csv")).unwrap(), b"old");
    assert_eq!(fs::read(root.join("run/best.safetensors")).unwrap(), best);
    assert!(
        !root.join("sheet.png").exists(),
        "refused before it computes"
    );

    let output = evaluate(root, &["--csv", "old.csv", "--overwrite"]);
    summary(&output);
    assert_ne!(fs::read(root.join("old.csv")).unwrap(), b"old");
    // Default names never meet.
    summary(&evaluate(root, &[]));
    for name in ["evaluate-scenes.png", "evaluate-scenes-2.png"] {
        assert!(root.join("runs").join(name).exists(), "{name}");
    }
}

#[cfg(target_os = "linux")]
#[test]
fn results_go_through_pipes_and_devices() {
    use std::os::unix::fs::FileTypeExt;

    let folder = tempfile::tempdir().unwrap();
    let root = folder.path();
    summary(&smoke(&root.join("run"), &[]));
    for name in ["scores.csv", "out.npy"] {
        let made = Command::new("mkfifo")
            .arg(root.join(name))
            .status()
            .unwrap();
        assert!(made.success());
    }
    let read = |name: &str| {
        let path = root.join(name);
        thread::spawn(move || fs::read(path).unwrap())
    };
    let scores = read("scores.csv");
    summary(&evaluate(root, &["--csv", "scores.csv"]));
    let scores = String::from_utf8(scores.join().unwrap()).unwrap();
    assert!(scores.starts_with("image,file,height"), "{scores}");
    summary(&evaluate(
        root,
        &["--csv", "/dev/null", "--sheet", "/dev/null"],
    ));
    let null = fs::metadata("/dev/null").unwrap();
    assert!(null.file_type().is_char_device());

    let picture = image::RgbImage::from_fn(20, 14, |x, y| [x as u8, y as u8, 90].into());
    picture.save(root.join("in.png")).unwrap();
    let array = read("out.npy");
    let args = [
        "denoise",
        "in.png",
        "-o",
        "out.npy",
        "--backend",
        "flex",
        "--json",
    ];
    assert_eq!(summary(&in_folder(root, &args))["files"], 1);
    assert!(array.join().unwrap().starts_with(b"\x93NUMPY"));
    assert!(
        fs::metadata(root.join("out.npy"))
            .unwrap()
            .file_type()
            .is_fifo()
    );
}

#[cfg(unix)]
#[test]
fn denoised_files_are_as_private_as_their_inputs() {
    use std::os::unix::fs::PermissionsExt;

    let folder = tempfile::tempdir().unwrap();
    let root = folder.path();
    let picture = image::RgbImage::from_fn(20, 14, |x, y| [x as u8, y as u8, 90].into());
    picture.save(root.join("in.png")).unwrap();
    fs::set_permissions(root.join("in.png"), fs::Permissions::from_mode(0o600)).unwrap();
    fs::create_dir(root.join("out")).unwrap();
    // Of a command that was killed, and of a disk that was full.
    fs::write(root.join("out/.unfinished-x"), "half").unwrap();
    fs::write(root.join("out/in.png"), "").unwrap();
    let denoise = || {
        let args = [
            "denoise",
            "in.png",
            "-o",
            "out",
            "--backend",
            "flex",
            "--json",
        ];
        summary(&in_folder(root, &args))
    };
    assert_eq!(denoise()["files"], 1);
    assert_eq!(denoise()["skipped"], 1);
    fs::remove_file(root.join("out/in.png")).unwrap();
    denoise();
    let mode = fs::metadata(root.join("out/in.png"))
        .unwrap()
        .permissions()
        .mode();
    assert_eq!(mode & 0o777, 0o600);
    assert!(!root.join("out/.unfinished-x").exists());
}

#[cfg(target_os = "linux")]
#[test]
fn run_directories_that_no_json_can_name_are_refused_at_once() {
    use std::ffi::OsStr;
    use std::os::unix::ffi::OsStrExt;

    let folder = tempfile::tempdir().unwrap();
    let run = folder.path().join(OsStr::from_bytes(b"run\xe9"));
    let output = n2n(&["train", "--backend", "flex", "--json", "--run-dir"])
        .arg(&run)
        .output()
        .unwrap();
    let message = stderr(&output);
    assert_eq!(output.status.code(), Some(2), "{message}");
    assert!(message.contains("must be valid Unicode"), "{message}");
    assert!(!run.exists());
}
