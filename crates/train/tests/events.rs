//! Tables and event files of runs, and what they keep when a run goes back.

use std::fs;
use std::path::{Path, PathBuf};

use n2n_train::experiment::OnDead;
use n2n_train::{Event, RunDir, TrainError};

use crate::{experiment, run, trainer};

/// The lines of the metrics of a run.
fn metrics(run: &Path) -> Vec<serde_json::Value> {
    let text = fs::read_to_string(run.join("metrics.jsonl")).unwrap();
    let parse = |line| serde_json::from_str(line).unwrap();
    text.lines().map(parse).collect()
}

/// The table of a run: its header, and its rows.
fn table(run: &Path) -> (Vec<String>, Vec<Vec<String>>) {
    let mut table = csv::Reader::from_path(run.join("metrics.csv")).unwrap();
    let row = |record: &csv::StringRecord| record.iter().map(str::to_owned).collect();
    let header = row(table.headers().unwrap());
    let rows = table.records().map(|record| row(&record.unwrap()));
    (header, rows.collect())
}

/// Checks that the table has the numbers of the metrics, digit by digit.
fn assert_table_follows(run: &Path) {
    let text = fs::read_to_string(run.join("metrics.jsonl")).unwrap();
    let (header, rows) = table(run);
    assert_eq!(text.lines().count(), rows.len());
    for (line, row) in text.lines().zip(&rows) {
        let cells = header.iter().zip(row).filter(|(_, cell)| !cell.is_empty());
        let mut rest = line.to_owned();
        for (key, cell) in cells {
            let number = format!("\"{key}\":{cell}");
            let text = format!("\"{key}\":\"{cell}\"");
            let whole = if rest.contains(&text) { text } else { number };
            assert!(rest.contains(&whole), "{whole} in {line}");
            rest = rest.replacen(&whole, "", 1);
        }
        // Nothing of the line is left but braces and commas.
        assert_eq!(rest.trim_matches(['{', ',', '}']), "", "{line}");
    }
}

/// The only event file of a run.
fn event_file(run: &Path) -> Vec<u8> {
    let files = fs::read_dir(run.join("tensorboard")).unwrap();
    let files: Vec<PathBuf> = files.map(|entry| entry.unwrap().path()).collect();
    assert_eq!(files.len(), 1, "{files:?}");
    fs::read(&files[0]).unwrap()
}

/// How many validations an event file shows: records beside the two at its start.
fn shown(run: &Path) -> usize {
    let bytes = event_file(run);
    let (mut at, mut records) = (0, 0);
    while at < bytes.len() {
        let length = u64::from_le_bytes(bytes[at..at + 8].try_into().unwrap());
        at += length as usize + 16;
        records += 1;
    }
    assert_eq!(at, bytes.len());
    records - 2
}

/// Whether the event file holds a number of the metrics, as a 32-bit float.
fn holds(run: &Path, number: &serde_json::Value) -> bool {
    let bits = (number.as_f64().unwrap() as f32).to_le_bytes();
    event_file(run).windows(4).any(|window| window == bits)
}

#[test]
fn tables_and_events_follow_a_run_that_goes_back() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("run");
    let mut whole = experiment();
    // Steps with a checkpoint are reported.
    whole.train.checkpoint_every = 3;
    let begun = trainer(&whole).run_dir(&path).tensorboard(true);
    // Stopped within the second interval, whose validation does not count.
    let stopped = run(begun, |event, stop| {
        if matches!(event, Event::Step(step) if step.step == 6) {
            stop.stop();
        }
    });
    stopped.unwrap();
    let before = metrics(&path);
    assert_eq!((before.len(), shown(&path)), (2, 2));
    assert!(before[1]["images"].as_u64().unwrap() < 40);
    assert_table_follows(&path);

    let resumed = trainer(&RunDir::experiment(&path).unwrap()).resume(&path);
    let mut at_start = None;
    run(resumed, |event, _| {
        if matches!(event, Event::Start(_)) {
            at_start = Some((table(&path).1.len(), shown(&path)));
        }
    })
    .unwrap();
    assert_eq!(at_start, Some((1, 1)));
    let after = metrics(&path);
    assert_eq!((after.len(), shown(&path)), (4, 4));
    assert_table_follows(&path);
    for line in &after {
        for key in ["train_loss", "val_mse", "lr", "seconds"] {
            assert!(holds(&path, &line[key]), "{key}");
        }
    }
    assert!(!holds(&path, &before[1]["val_mse"]));
    for picture in fs::read_dir(path.join("pictures")).unwrap() {
        let png = fs::read(picture.unwrap().path()).unwrap();
        let events = event_file(&path);
        assert!(events.windows(png.len()).any(|window| window == png));
    }
}

#[test]
fn earlier_runs_get_a_table_and_events_when_asked() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("run");
    let aborted = run(trainer(&experiment()).run_dir(&path), |event, stop| {
        if matches!(event, Event::Step(step) if step.step == 15) {
            stop.abort();
        }
    });
    assert!(matches!(aborted, Err(TrainError::Aborted)));
    fs::remove_file(path.join("metrics.csv")).unwrap();
    assert!(!path.join("tensorboard").exists());
    let resumed = trainer(&experiment()).resume(&path).tensorboard(true);
    run(resumed, |_, _| {}).unwrap();
    assert_table_follows(&path);
    assert_eq!(shown(&path), 4);
}

#[test]
fn restarts_are_in_the_table_and_begin_the_events_anew() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("run");
    let mut dead = experiment();
    // Too little to change a weight by one bit.
    dead.train.lr = 1e-30;
    dead.train.max_images = Some(4 * 120);
    dead.train.validate_every = n2n_train::experiment::Interval::Batches(50);
    dead.train.on_dead = OnDead::Restart;
    let begun = trainer(&dead).run_dir(&path).tensorboard(true);
    let aborted = run(begun, |event, stop| {
        if matches!(event, Event::Restarted(_)) {
            stop.abort();
        }
    });
    assert!(matches!(aborted, Err(TrainError::Aborted)));
    assert_table_follows(&path);
    let (header, rows) = table(&path);
    let restart = header.iter().position(|key| key == "restart").unwrap();
    let last = rows.last().unwrap();
    assert_eq!(
        (last[restart].as_str(), rows[0][restart].as_str()),
        ("1", "")
    );
    assert_eq!(shown(&path), 0);
}
