//! What surrounds a process: signals that are ignored, pipes that nobody reads, disks without room.
#![cfg(target_os = "linux")]

use std::fs;
use std::path::Path;
use std::process::{Command, Output, Stdio};
use std::time::{Duration, Instant};

use crate::stderr;

/// A test that waits longer than this has hung.
const PATIENCE: Duration = Duration::from_secs(60);

/// A short run in `run`.
const TRAIN: [&str; 13] = [
    "train",
    "--backend",
    "flex",
    "--run-dir",
    "run",
    "--set",
    "model.features=4",
    "--set",
    "train.max_images=800",
    "--set",
    "train.validate_every=50",
    "--set",
    "data.scenes.validation=8",
];

const DENOISE: [&str; 6] = ["denoise", "in", "-o", "out", "--backend", "flex"];

/// A look at the same pictures, which are clean.
const INSPECT: [&str; 5] = ["data", "inspect", "in", "--noise", "gaussian:25"];

/// Runs a script of the shell in a folder; `n2n` with arguments is `"$@"`.
fn script(folder: &Path, script: &str, args: &[&str]) -> Command {
    let mut command = Command::new("sh");
    command
        .args([
            "-c",
            script,
            env!("CARGO_BIN_EXE_n2n"),
            env!("CARGO_BIN_EXE_n2n"),
        ])
        .args(args)
        .current_dir(folder)
        .stdin(Stdio::null());
    command
}

/// A folder with pictures in `in`.
fn pictures(count: usize) -> tempfile::TempDir {
    let folder = tempfile::tempdir().unwrap();
    fs::create_dir(folder.path().join("in")).unwrap();
    let picture = image::RgbImage::from_fn(300, 200, |x, y| [x as u8, y as u8, 90].into());
    for number in 0..count {
        let path = folder.path().join(format!("in/{number:02}.png"));
        picture.save(path).unwrap();
    }
    folder
}

fn results(folder: &Path) -> usize {
    let entries = fs::read_dir(folder.join("out")).into_iter().flatten();
    entries.count()
}

/// Starts a command for which hangups are ignored, hangs up once `ready` returns true, and returns its output.
fn hung_up(folder: &Path, args: &[&str], ready: impl Fn() -> bool) -> Output {
    let mut command = script(folder, "trap '' HUP; exec \"$@\"", args);
    command.stdout(Stdio::piped()).stderr(Stdio::piped());
    let mut child = command.spawn().unwrap();
    let start = Instant::now();
    while !ready() {
        assert_eq!(child.try_wait().unwrap(), None, "it ended before");
        assert!(start.elapsed() < PATIENCE, "it does not get ready");
        std::thread::sleep(Duration::from_millis(1));
    }
    let kill = Command::new("kill")
        .args(["-HUP", &child.id().to_string()])
        .status();
    assert!(kill.unwrap().success());
    child.wait_with_output().unwrap()
}

#[test]
fn ignored_hangups_stop_no_training() {
    let folder = tempfile::tempdir().unwrap();
    let run = folder.path().join("run");
    let begun = || run.join("checkpoints/00000000.checkpoint").exists();
    let output = hung_up(folder.path(), &TRAIN, begun);
    assert_eq!(output.status.code(), Some(0), "{}", stderr(&output));
    assert_eq!(crate::metrics(&run).last().unwrap()["images"], 800);
}

#[test]
fn ignored_hangups_stop_no_denoising() {
    let folder = pictures(20);
    let begun = || results(folder.path()) > 2;
    let output = hung_up(folder.path(), &DENOISE, begun);
    assert_eq!(output.status.code(), Some(0), "{}", stderr(&output));
    assert_eq!(results(folder.path()), 20);
}

/// Whether a run came to its end, with all its files.
fn is_whole(run: &Path) -> bool {
    run.join("best.safetensors").exists() && crate::metrics(run).last().unwrap()["images"] == 800
}

#[test]
fn output_that_nobody_reads_ends_nothing() {
    for redirection in [
        "\"$@\" 2>&1 | true",
        "\"$@\" 2>&1 | head -n 1 > /dev/null",
        "\"$@\" 2> /dev/full",
        "\"$@\" >&- 2>&- <&-",
    ] {
        let folder = pictures(3);
        // The code of the program, not that of the pipe's reader.
        let coded = redirection.replacen("\"$@\"", "{ \"$@\"; echo $? > code; }", 1);
        for args in [&TRAIN[..], &DENOISE, &["devices", "--json"], &INSPECT] {
            script(folder.path(), &coded, args).output().unwrap();
            let code = fs::read_to_string(folder.path().join("code")).unwrap();
            assert_eq!(code.trim(), "0", "{redirection}: {args:?}");
        }
        assert!(is_whole(&folder.path().join("run")), "{redirection}");
        assert_eq!(results(folder.path()), 3, "{redirection}");
        let missing = ["denoise", "none.png", "-o", "out.png"];
        script(folder.path(), &coded, &missing).output().unwrap();
        let code = fs::read_to_string(folder.path().join("code")).unwrap();
        assert_eq!(code.trim(), "2", "{redirection}");
    }
}

#[test]
fn output_without_room_is_told_at_the_end() {
    let folder = pictures(3);
    for args in [&TRAIN[..], &DENOISE, &["devices", "--json"], &INSPECT] {
        let output = script(folder.path(), "\"$@\" > /dev/full", args).output();
        let output = output.unwrap();
        let message = stderr(&output);
        assert_eq!(output.status.code(), Some(2), "{args:?}: {message}");
        assert!(
            message.contains("what was to be printed is lost"),
            "{message}"
        );
        assert!(message.contains("No space left"), "{message}");
    }
    assert!(is_whole(&folder.path().join("run")));
    assert_eq!(results(folder.path()), 3);
}

#[test]
fn files_beyond_their_limit_are_one_error() {
    let folder = pictures(3);
    // Blocks of 512 bytes.
    for args in [&TRAIN[..], &DENOISE] {
        let output = script(folder.path(), "ulimit -f 8; exec \"$@\"", args).output();
        let output = output.unwrap();
        let message = stderr(&output);
        assert_eq!(
            output.status.code(),
            Some(2),
            "{args:?}: {:?} {message}",
            output.status
        );
        assert!(message.contains("File too large"), "{message}");
        assert_eq!(message.matches("error: ").count(), 1, "{message}");
    }
    assert_eq!(results(folder.path()), 0, "nothing half written stays");
}

#[test]
fn missing_environment_variables_change_nothing() {
    for remove in ["HOME", "PATH", "TERM"] {
        let folder = tempfile::tempdir().unwrap();
        let mut command = Command::new(env!("CARGO_BIN_EXE_n2n"));
        let output = command
            .args(TRAIN)
            .current_dir(folder.path())
            .env_remove(remove)
            .output();
        let output = output.unwrap();
        assert!(output.status.success(), "{remove}: {}", stderr(&output));
        assert!(is_whole(&folder.path().join("run")), "{remove}");
    }
}
