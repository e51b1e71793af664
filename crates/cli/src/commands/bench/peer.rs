//! Training steps of another engine, in another process.

use std::io::{BufRead, BufReader, Write};
use std::path::Path;
use std::process::{Child, ChildStdin, ChildStdout, Command, Stdio};

use anyhow::Context;
use serde::Deserialize;

use super::layers::{Layer, Passes};

/// A running peer, see `benches/peers/bench.py`.
pub struct Peer {
    /// Its name and version.
    pub version: String,
    /// The ways in which it computes a step, the one to compare with first.
    pub ways: Vec<String>,
    child: Child,
    requests: ChildStdin,
    answers: BufReader<ChildStdout>,
}

#[derive(Deserialize)]
struct Greeting {
    version: String,
    ways: Vec<String>,
}

impl Peer {
    /// Starts `PYTHON SCRIPT`, given as its two words, on the processor or a graphics device.
    pub fn start(
        command: &[std::path::PathBuf],
        threads: usize,
        on_graphics: bool,
    ) -> anyhow::Result<Self> {
        let (program, script) = match command {
            [program, script] => (program.as_path(), script.as_path()),
            _ => anyhow::bail!("--peer: expected a Python program and a script"),
        };
        let name = || format!("{} {}", program.display(), script.display());
        let mut child = spawn(program, script, threads, on_graphics).with_context(name)?;
        let requests = child.stdin.take().context("the peer's standard input")?;
        let answers = child.stdout.take().context("the peer's standard output")?;
        let mut peer = Self {
            version: String::new(),
            ways: vec![],
            child,
            requests,
            answers: BufReader::new(answers),
        };
        let greeting: Greeting = serde_json::from_str(&peer.line().with_context(name)?)?;
        (peer.version, peer.ways) = (greeting.version, greeting.ways);
        Ok(peer)
    }

    /// Returns the mean seconds of each `count` steps in a way, of which the last's loss is read, for about `duration`
    /// seconds.
    pub fn steps(
        &mut self,
        way: usize,
        network: &str,
        batch_size: usize,
        count: usize,
        duration: f64,
    ) -> anyhow::Result<Vec<f64>> {
        let request = serde_json::json!({
            "way": way, "network": network, "batch_size": batch_size, "steps": count, "seconds": duration,
        });
        writeln!(self.requests, "{request}")?;
        Ok(serde_json::from_str(&self.line()?)?)
    }

    /// The passes of a layer.
    pub fn layer(
        &mut self,
        layer: &Layer,
        batch_size: usize,
        duration: f64,
    ) -> anyhow::Result<Passes> {
        let request = serde_json::json!({
            "layer": layer, "batch_size": batch_size, "seconds": duration,
        });
        writeln!(self.requests, "{request}")?;
        Ok(serde_json::from_str(&self.line()?)?)
    }

    fn line(&mut self) -> anyhow::Result<String> {
        let mut line = String::new();
        self.answers.read_line(&mut line)?;
        anyhow::ensure!(!line.is_empty(), "the peer ended; its own words are above");
        Ok(line)
    }
}

fn spawn(
    program: &Path,
    script: &Path,
    threads: usize,
    on_graphics: bool,
) -> std::io::Result<Child> {
    let device = if on_graphics { "cuda" } else { "cpu" };
    Command::new(program)
        .arg(script)
        .args(["--threads", &threads.to_string(), "--device", device])
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .spawn()
}

impl Drop for Peer {
    fn drop(&mut self) {
        // It has nothing to save; one that has ended already is as good.
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}
