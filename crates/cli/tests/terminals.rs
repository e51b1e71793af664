//! Terminals that are closed while the program runs.
#![cfg(target_os = "linux")]

use std::fs::{self, File};
use std::io::Read;
use std::os::unix::process::ExitStatusExt;
use std::path::Path;
use std::process::{Command, ExitStatus, Stdio};
use std::time::{Duration, Instant};

use nix::fcntl::{FcntlArg, FdFlag, OFlag, fcntl};
use nix::pty::{Winsize, openpty};

/// A test that waits longer than this has hung.
const PATIENCE: Duration = Duration::from_secs(60);

/// Exit code of a command that was interrupted.
const INTERRUPTED: i32 = 130;

/// Which of the three streams are files instead of the terminal.
#[derive(Clone, Copy)]
struct Files {
    stdout: bool,
    stderr: bool,
}

const NONE: Files = Files {
    stdout: false,
    stderr: false,
};

/// Sets what hangups do, whatever they do to the tests, and runs a command on its own terminal.
const HANGUPS_END: [&str; 4] = ["env", "--default-signal=HUP", "setsid", "--ctty"];
const HANGUPS_ARE_IGNORED: [&str; 4] = ["env", "--ignore-signal=HUP", "setsid", "--ctty"];

/// Runs the program on its own terminal of 120x40 characters, closes the terminal once `ready` returns true,
/// and returns the exit status.
fn closed_when(folder: &Path, args: &[&str], files: Files, ready: impl Fn() -> bool) -> ExitStatus {
    closed_on(&HANGUPS_END, [120, 40], folder, args, files, ready)
}

/// The same, started by other programs, on a terminal of another size.
fn closed_on(
    [program, starters @ ..]: &[&str; 4],
    [columns, rows]: [u16; 2],
    folder: &Path,
    args: &[&str],
    files: Files,
    ready: impl Fn() -> bool,
) -> ExitStatus {
    let size = Winsize {
        ws_row: rows,
        ws_col: columns,
        ws_xpixel: 0,
        ws_ypixel: 0,
    };
    let terminal = openpty(&size, None).unwrap();
    // The program's copy would keep the terminal open.
    fcntl(&terminal.master, FcntlArg::F_SETFD(FdFlag::FD_CLOEXEC)).unwrap();
    let slave = || Stdio::from(terminal.slave.try_clone().unwrap());
    let stream = |is_file: bool, name: &str| {
        if is_file {
            Stdio::from(File::create(folder.join(name)).unwrap())
        } else {
            slave()
        }
    };
    let mut child = Command::new(program)
        .args(starters)
        .arg(env!("CARGO_BIN_EXE_n2n"))
        .args(args)
        .current_dir(folder)
        .env("TERM", "xterm-256color")
        .stdin(slave())
        .stdout(stream(files.stdout, "stdout"))
        .stderr(stream(files.stderr, "stderr"))
        .spawn()
        .unwrap();
    drop(terminal.slave);
    // What the program draws is read, or it would wait.
    let flags = fcntl(&terminal.master, FcntlArg::F_GETFL).unwrap();
    let flags = OFlag::from_bits_truncate(flags) | OFlag::O_NONBLOCK;
    fcntl(&terminal.master, FcntlArg::F_SETFL(flags)).unwrap();
    let mut master = File::from(terminal.master);
    let mut drawn = [0; 4096];
    let start = Instant::now();
    while !ready() && child.try_wait().unwrap().is_none() {
        assert!(start.elapsed() < PATIENCE, "it does not get ready");
        while master.read(&mut drawn).is_ok_and(|count| count > 0) {}
        std::thread::sleep(Duration::from_millis(1));
    }
    drop(master);
    let closed = Instant::now();
    loop {
        if let Some(status) = child.try_wait().unwrap() {
            return status;
        }
        if closed.elapsed() > PATIENCE {
            child.kill().unwrap();
            panic!("it hangs");
        }
        std::thread::sleep(Duration::from_millis(5));
    }
}

/// Arguments of a long run in `run`.
const TRAIN: [&str; 15] = [
    "train",
    "--backend",
    "flex",
    "--run-dir",
    "run",
    "--set",
    "train.max_images=1000000000",
    "--set",
    "train.checkpoint_every=1000000",
    "--set",
    "train.validate_every=1000000",
    "--set",
    "train.batch_size=4",
    "--set",
    "data.scenes.validation=8",
];

/// Closes the terminal of a run while it trains, and checks that everything is saved.
fn run_is_saved(more: &[&str], files: Files) {
    let folder = tempfile::tempdir().unwrap();
    let run = folder.path().join("run");
    let begun = Instant::now();
    // The first checkpoint is that of the start: some steps follow it.
    let ready = || {
        let started = run.join("checkpoints/00000000.checkpoint").exists();
        started && begun.elapsed() > Duration::from_millis(700)
    };
    let status = closed_when(folder.path(), &[&TRAIN, more].concat(), files, ready);
    assert_eq!(
        status.code(),
        Some(INTERRUPTED),
        "signal {:?}",
        status.signal()
    );
    let mut names = Vec::new();
    for folder in [run.clone(), run.join("checkpoints")] {
        let entries = fs::read_dir(folder).unwrap();
        names.extend(entries.map(|entry| entry.unwrap().file_name().into_string().unwrap()));
    }
    let checkpoints = names.iter().filter(|name| name.ends_with(".checkpoint"));
    assert_eq!(
        checkpoints.count(),
        2,
        "that of the start and that of the end: {names:?}"
    );
    assert!(
        !names.iter().any(|name| name.starts_with(".unfinished")),
        "{names:?}"
    );
}

#[test]
fn dashboard_whose_terminal_closes_saves() {
    run_is_saved(&[], NONE);
}

#[test]
fn dashboard_with_errors_in_a_file_saves() {
    let stderr = true;
    run_is_saved(&[], Files { stderr, ..NONE });
}

#[test]
fn lines_on_a_terminal_that_closes_save() {
    let stdout = true;
    run_is_saved(&[], Files { stdout, ..NONE });
}

#[test]
fn json_on_a_terminal_that_closes_saves() {
    run_is_saved(&["--json"], NONE);
    let stdout = true;
    run_is_saved(&["--json"], Files { stdout, ..NONE });
}

#[test]
fn run_that_ignores_hangups_outlives_its_terminal() {
    // On the smallest terminals too.
    for size in [[120, 40], [20, 6], [1, 1]] {
        let folder = tempfile::tempdir().unwrap();
        let run = folder.path().join("run");
        let begun = || run.join("checkpoints/00000000.checkpoint").exists();
        let settings = [
            "--set",
            "train.max_images=400",
            "--set",
            "data.scenes.train=64",
        ];
        let args = [&TRAIN[..], &settings].concat();
        let status = closed_on(
            &HANGUPS_ARE_IGNORED,
            size,
            folder.path(),
            &args,
            NONE,
            begun,
        );
        assert_eq!(status.code(), Some(0), "signal {:?}", status.signal());
        let metrics = crate::metrics(&run);
        assert_eq!(metrics.last().unwrap()["images"], 400, "{size:?}");
    }
}

#[test]
fn validation_whose_terminal_closes_saves() {
    // Each step is validated on 200 scenes: a stop comes within a validation.
    let settings = [
        "--set",
        "train.validate_every=1",
        "--set",
        "data.scenes.validation=200",
    ];
    let folder = tempfile::tempdir().unwrap();
    let run = folder.path().join("run");
    let ready = || run.join("checkpoints/00000001.checkpoint").exists();
    let status = closed_when(
        folder.path(),
        &[&TRAIN[..], &settings].concat(),
        NONE,
        ready,
    );
    assert_eq!(
        status.code(),
        Some(INTERRUPTED),
        "signal {:?}",
        status.signal()
    );
    assert!(run.join("best.safetensors").exists());
}

#[test]
fn denoising_whose_terminal_closes_leaves_whole_files() {
    let folder = tempfile::tempdir().unwrap();
    fs::create_dir(folder.path().join("in")).unwrap();
    let picture = image::RgbImage::from_fn(300, 200, |x, y| [x as u8, y as u8, 90].into());
    for number in 0..60 {
        let path = folder.path().join(format!("in/{number:02}.png"));
        picture.save(path).unwrap();
    }
    for (json, stderr) in [(false, false), (false, true), (true, false)] {
        let output = format!("out-{json}-{stderr}");
        let mut args = vec!["denoise", "in", "-o", &output, "--backend", "flex"];
        args.extend(json.then_some("--json"));
        let results = || {
            let entries = fs::read_dir(folder.path().join(&output));
            let entries = entries.into_iter().flatten();
            let paths = entries.map(|entry| entry.unwrap().path());
            paths.collect::<Vec<_>>()
        };
        let ready = || results().len() > 2;
        let status = closed_when(folder.path(), &args, Files { stderr, ..NONE }, ready);
        assert_eq!(
            status.code(),
            Some(INTERRUPTED),
            "signal {:?}",
            status.signal()
        );
        assert!(results().len() < 60, "the rest is not denoised");
        for path in results() {
            image::open(&path).unwrap();
        }
    }
}
