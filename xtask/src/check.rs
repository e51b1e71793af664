//! `cargo xtask check`: every check except the tests, the cheapest first.

use std::io::ErrorKind;
use std::process::Command;
use std::time::Instant;

use anyhow::{Context, Result, bail};

use crate::{cargo, clippy, docs, layering};

type Step = (&'static str, fn() -> Result<()>);

const STEPS: [Step; 5] = [
    ("formatting", formatting),
    ("layering", layering::run),
    ("spelling", spelling),
    ("clippy", clippy::run),
    ("docs", docs::run),
];

pub fn run() -> Result<()> {
    for (name, step) in STEPS {
        eprintln!("== {name}");
        let start = Instant::now();
        step().with_context(|| format!("{name} failed"))?;
        eprintln!("== {name}: {:.1} s", start.elapsed().as_secs_f64());
    }
    Ok(())
}

fn formatting() -> Result<()> {
    cargo::succeed(&mut cargo::command(["fmt", "--all", "--check"]))
}

fn spelling() -> Result<()> {
    match Command::new("typos").current_dir(cargo::root()).status() {
        Ok(status) if status.success() => Ok(()),
        Ok(status) => bail!("typos: {status}"),
        Err(error) if error.kind() == ErrorKind::NotFound => {
            bail!("typos is missing: `cargo install typos-cli --locked` or `pip install typos`")
        }
        Err(error) => Err(error).context("typos"),
    }
}
