//! Runs that are killed, stopped, cut off or out of space, and go on as if nothing had happened.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Output, Stdio};
use std::time::{Duration, Instant};

use crate::{error, n2n, stderr, summary};

const CONFIG: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/../../configs/smoke.toml");

/// 60 batches of 4 images: 4 validations, the last in the middle of a stretch.
const SHORT: [&str; 3] = [
    "train.max_images=240",
    "train.validate_every=17",
    "train.checkpoint_every=3",
];

/// With a running mean of the weights.
const ADAM: [&str; 2] = ["train.optimizer.kind=adam", "train.ema=0.9"];
const MOMENTUM: [&str; 3] = [
    "train.optimizer.kind=sgd",
    "train.optimizer.momentum=0.9",
    "train.lr=0.05",
];

/// Everything with a state, or with random draws.
const STATEFUL: [&str; 7] = [
    "model.batch_norm=true",
    "model.dropout=0.2",
    "train.optimizer.kind=rmsprop",
    "train.optimizer.momentum=0.5",
    "train.optimizer.centered=true",
    "train.scheduler.kind=cosine",
    "train.accumulate=2",
];

const GOING_BACK: [&str; 3] = [
    "train.optimizer.kind=sgd",
    "train.lr=1e8",
    "train.on_nan=rollback",
];

/// Files of a run that must be the same to the byte.
const MODELS: [&str; 3] = ["initial", "best", "last"];

/// A test that waits longer than this has hung.
const PATIENCE: Duration = Duration::from_secs(120);

/// Arguments that begin a run in `run` on flex, with settings.
fn begin(run: &Path, settings: &[&str]) -> Vec<String> {
    let mut args: Vec<String> = ["train", CONFIG, "--backend", "flex", "--json", "--run-dir"]
        .map(String::from)
        .into();
    args.push(run.to_str().unwrap().to_owned());
    for setting in settings {
        args.extend(["--set".to_owned(), (*setting).to_owned()]);
    }
    args
}

fn resume(run: &Path) -> Vec<String> {
    let run = run.to_str().unwrap();
    ["train", "--resume", run, "--backend", "flex", "--json"]
        .map(String::from)
        .into()
}

fn command(args: &[String]) -> Command {
    n2n(&args.iter().map(String::as_str).collect::<Vec<_>>())
}

fn output(args: &[String]) -> Output {
    command(args).output().unwrap()
}

fn start(args: &[String]) -> Child {
    let mut command = command(args);
    command.stdout(Stdio::piped()).stderr(Stdio::piped());
    command.spawn().unwrap()
}

/// Waits until `ready`, or the process has ended.
fn wait_for(child: &mut Child, ready: impl Fn() -> bool) {
    let start = Instant::now();
    while !ready() && child.try_wait().unwrap().is_none() {
        assert!(start.elapsed() < PATIENCE, "nothing happens");
        std::thread::sleep(Duration::from_millis(1));
    }
}

fn signal(child: &Child, name: &str) {
    let mut kill = Command::new("kill");
    kill.args([format!("-{name}"), child.id().to_string()]);
    assert!(kill.status().unwrap().success());
}

/// The checkpoints by their batches, the oldest first.
fn checkpoints(run: &Path) -> Vec<(usize, PathBuf)> {
    let Ok(entries) = fs::read_dir(run.join("checkpoints")) else {
        return vec![];
    };
    let mut found: Vec<_> = entries
        .map(|entry| entry.unwrap().path())
        .filter_map(|path| {
            let batches = path.file_stem()?.to_str()?.parse().ok()?;
            Some((batches, path))
        })
        .collect();
    found.sort();
    found
}

fn newest(run: &Path) -> Option<usize> {
    checkpoints(run).last().map(|(batches, _)| *batches)
}

/// The records, without the time they took.
fn metrics(run: &Path) -> Vec<serde_json::Value> {
    let mut records = crate::metrics(run);
    for record in &mut records {
        record.as_object_mut().unwrap().remove("seconds");
    }
    records
}

/// Names of all files of a run; the unfinished ones of a process that was killed would be among
/// them.
fn names(run: &Path) -> Vec<String> {
    let mut names = Vec::new();
    for folder in [
        run.to_owned(),
        run.join("pictures"),
        run.join("checkpoints"),
    ] {
        for entry in fs::read_dir(folder).unwrap() {
            names.push(entry.unwrap().file_name().into_string().unwrap());
        }
    }
    names.sort();
    names
}

fn assert_same(run: &Path, undisturbed: &Path) {
    assert_eq!(metrics(run), metrics(undisturbed));
    let models = MODELS.map(|name| format!("{name}.safetensors"));
    let pictures = names(undisturbed).into_iter();
    let pictures = pictures.filter(|name| name.ends_with(".png"));
    for file in models
        .into_iter()
        .chain(pictures.map(|name| format!("pictures/{name}")))
    {
        let read = |run: &Path| fs::read(run.join(&file)).unwrap();
        assert!(read(run) == read(undisturbed), "{file} differs");
    }
    assert_eq!(names(run), names(undisturbed));
}

/// A run that nothing happens to, and the folder for those that things happen to.
fn undisturbed(settings: &[&str]) -> (tempfile::TempDir, PathBuf) {
    let folder = tempfile::tempdir().unwrap();
    let run = folder.path().join("undisturbed");
    summary(&output(&begin(&run, settings)));
    (folder, run)
}

/// Starts a run, and kills it after each of these batches once their checkpoint is there.
fn killed_after(batches: &[usize], run: &Path, settings: &[&str]) {
    let mut args = begin(run, settings);
    for after in batches {
        let mut child = start(&args);
        wait_for(&mut child, || newest(run) >= Some(*after));
        // At once: another program would send the signal after the run, on a busy machine.
        child.kill().unwrap();
        let output = child.wait_with_output().unwrap();
        assert!(output.status.code().is_none(), "{}", stderr(&output));
        args = resume(run);
    }
}

fn kills_leave_no_trace(optimizer: &[&str]) {
    let settings = [&SHORT, optimizer].concat();
    let (folder, expected) = undisturbed(&settings);
    assert_eq!(metrics(&expected).len(), 4);
    let run = folder.path().join("killed");
    // Before the first validation, at one, and between others.
    killed_after(&[0, 5, 17, 18, 40], &run, &settings);
    summary(&output(&resume(&run)));
    assert_same(&run, &expected);
}

#[test]
fn kills_leave_no_trace_on_adam() {
    kills_leave_no_trace(&ADAM);
}

#[test]
fn kills_leave_no_trace_on_momentum() {
    kills_leave_no_trace(&MOMENTUM);
}

#[test]
fn kills_leave_no_trace_on_what_has_a_state() {
    // Half as many batches, of twice the images.
    let settings = [&SHORT, STATEFUL.as_slice()].concat();
    let (folder, expected) = undisturbed(&settings);
    assert_eq!(metrics(&expected).len(), 2);
    let run = folder.path().join("killed");
    killed_after(&[0, 3, 17, 24], &run, &settings);
    summary(&output(&resume(&run)));
    assert_same(&run, &expected);
}

/// The loss becomes no number, and the learning rate is halved, before and after the kills.
#[test]
fn kills_leave_no_trace_on_a_run_that_goes_back() {
    let settings = [&SHORT, GOING_BACK.as_slice()].concat();
    let (folder, expected) = undisturbed(&settings);
    let run = folder.path().join("killed");
    killed_after(&[0, 3, 18, 40], &run, &settings);
    summary(&output(&resume(&run)));
    assert_same(&run, &expected);
}

/// Between the batches that have a checkpoint, in validations, and while files are written.
#[test]
fn kills_at_any_moment_leave_no_trace() {
    let settings = [&SHORT, ADAM.as_slice()].concat();
    let (folder, expected) = undisturbed(&settings);
    let run = folder.path().join("killed");
    let mut args = begin(&run, &settings);
    // From before there is a config to after the end, at moments that the clock's digits choose.
    for round in 0_u64.. {
        let mut child = start(&args);
        let digits = u64::from(std::time::UNIX_EPOCH.elapsed().unwrap().subsec_nanos());
        let delay = Duration::from_micros(20_000 + 15_000 * round + digits % 50_000);
        let begun = Instant::now();
        wait_for(&mut child, || begun.elapsed() >= delay);
        // It may have ended by itself.
        let _ = child.kill();
        let output = child.wait_with_output().unwrap();
        // The kill before may have come after the last checkpoint.
        if output.status.success() || stderr(&output).contains("is over") {
            break;
        }
        assert!(output.status.code().is_none(), "{}", stderr(&output));
        args = if run.join("config.toml").exists() {
            resume(&run)
        } else {
            begin(&run, &settings)
        };
    }
    assert_same(&run, &expected);
}

#[test]
fn stop_within_an_interval_leaves_no_trace() {
    let settings = [&SHORT, ADAM.as_slice()].concat();
    let (folder, expected) = undisturbed(&settings);
    let run = folder.path().join("stopped");
    let mut args = begin(&run, &settings);
    for after in [3, 21] {
        let mut child = start(&args);
        wait_for(&mut child, || newest(&run) >= Some(after));
        signal(&child, "TERM");
        let output = child.wait_with_output().unwrap();
        assert_eq!(output.status.code(), Some(130), "{}", stderr(&output));
        let message = stderr(&output);
        let way_on = format!("to go on: n2n train --resume {}", run.display());
        assert!(message.contains(&way_on), "{message}");
        // The validation at the stop is there to look at until the run goes on.
        let stopped_at = newest(&run).unwrap();
        assert_eq!(metrics(&run).last().unwrap()["batches"], stopped_at);
        args = resume(&run);
    }
    summary(&output(&args));
    assert_same(&run, &expected);
}

#[test]
fn damaged_checkpoint_falls_back_to_previous() {
    let settings = [&SHORT, ADAM.as_slice()].concat();
    let (folder, expected) = undisturbed(&settings);
    let run = folder.path().join("torn");
    // The newest is a validation's, and the best so far: the best one before it is needed too.
    killed_after(&[34], &run, &settings);
    for tear in [
        |bytes: &mut Vec<u8>| bytes.truncate(bytes.len() / 2),
        |bytes: &mut Vec<u8>| bytes[300] ^= 4,
    ] {
        let (_, path) = checkpoints(&run).pop().unwrap();
        let mut bytes = fs::read(&path).unwrap();
        tear(&mut bytes);
        fs::write(&path, bytes).unwrap();
        let mut child = start(&resume(&run));
        let name = path.file_stem().unwrap().to_str().unwrap().to_owned();
        let torn = name.parse().unwrap();
        wait_for(&mut child, || newest(&run) > Some(torn));
        let _ = child.kill();
        let message = stderr(&child.wait_with_output().unwrap());
        let expected = format!("{name}.checkpoint is damaged");
        assert!(message.contains(&expected), "{message}");
        assert!(message.contains("the checkpoint before it"), "{message}");
    }
    let rest = output(&resume(&run));
    assert!(
        rest.status.success() || stderr(&rest).contains("is over"),
        "{}",
        stderr(&rest)
    );
    assert_same(&run, &expected);
}

/// The error of a command that must fail as bad input does.
fn refused(args: &[String]) -> String {
    error(&output(args))
}

#[test]
fn one_process_at_a_time_trains_in_a_folder() {
    let settings = [&SHORT, ADAM.as_slice()].concat();
    let (folder, expected) = undisturbed(&settings);
    let run = folder.path().join("run");
    let mut child = start(&begin(&run, &settings));
    wait_for(&mut child, || newest(&run) > Some(0));
    // It stands still meanwhile, so that it cannot end before the others ask.
    signal(&child, "STOP");
    for args in [resume(&run), begin(&run, &settings)] {
        let message = refused(&args);
        assert!(message.contains("another process trains in"), "{message}");
    }
    signal(&child, "CONT");
    summary(&child.wait_with_output().unwrap());
    assert_same(&run, &expected);
}

#[test]
fn failed_resume_is_one_error() {
    let (folder, run) = undisturbed(&SHORT);
    let before = names(&run);
    let message = refused(&resume(&run));
    assert!(message.contains("is over, after 240 images"), "{message}");
    assert_eq!(names(&run), before);

    let message = refused(&resume(folder.path()));
    assert!(message.contains("holds no run"), "{message}");
    let message = refused(&resume(&folder.path().join("nowhere")));
    assert!(message.contains("holds no run"), "{message}");
    let message = refused(&begin(&run, &SHORT));
    assert!(message.contains("already holds a run"), "{message}");
    assert!(message.contains("--resume"), "{message}");

    for more in [
        ["--set", "train.lr=0.5"],
        ["--seed", "3"],
        ["--run-dir", "elsewhere"],
        ["--noise", "gaussian:5"],
    ] {
        let more = more.map(String::from);
        let message = refused(&[resume(&run), more.into()].concat());
        assert!(message.contains("cannot be used with"), "{message}");
    }
}

#[test]
fn run_killed_before_its_first_checkpoint_restarts() {
    let (folder, expected) = undisturbed(&SHORT);
    let run = folder.path().join("killed");
    fs::create_dir(&run).unwrap();
    for file in ["config.toml", "run.json"] {
        fs::copy(expected.join(file), run.join(file)).unwrap();
    }
    fs::write(run.join("metrics.jsonl"), "").unwrap();
    summary(&output(&resume(&run)));
    assert_same(&run, &expected);

    // Without a config, the folder is as good as empty.
    let run = folder.path().join("earlier");
    fs::create_dir(&run).unwrap();
    fs::write(run.join("metrics.jsonl"), "").unwrap();
    summary(&output(&begin(&run, &SHORT)));
    assert_same(&run, &expected);
}

#[test]
fn a_disk_that_is_full_costs_no_checkpoint() {
    let settings = [&SHORT, ADAM.as_slice()].concat();
    let (folder, expected) = undisturbed(&settings);
    let run = folder.path().join("full");
    // Adam's two moments, as large as the weights each, come with the first step: the checkpoint
    // before it fits into two thirds of a later one.
    let later = expected.join("checkpoints/00000060.checkpoint");
    let blocks = fs::metadata(later).unwrap().len() * 2 / 3 / 512;
    let mut command = Command::new("sh");
    let limit = format!("trap '' XFSZ; ulimit -f {blocks}; exec \"$0\" \"$@\"");
    command.args(["-c", &limit, env!("CARGO_BIN_EXE_n2n")]);
    let output_of = command.args(begin(&run, &settings)).output().unwrap();
    let message = stderr(&output_of);
    assert_eq!(output_of.status.code(), Some(2), "{message}");
    assert!(
        message.contains("00000003.checkpoint") && message.contains("too large"),
        "{message}"
    );
    assert_eq!(newest(&run), Some(0));
    summary(&output(&resume(&run)));
    assert_same(&run, &expected);
}
