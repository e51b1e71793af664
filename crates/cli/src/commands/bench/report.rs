//! The measurements as Markdown.

use std::fmt::Write;
use std::fs;
use std::path::Path;

use anyhow::Context;

use super::Bench;

/// Machine, peer and a table of times.
pub fn markdown(bench: &Bench) -> String {
    let mut text = String::new();
    // Writing to a string cannot fail.
    let _ = writeln!(
        text,
        "{}, {} threads; {} GFLOP/s in a matrix product of f32 (1024 x 1024, Burn's flex); n2n {}{}.\n\
         Milliseconds of a training step (forward, backward, SGD; 32x32 pixels): median of {} alternating \
         rounds, each the median of the steps of {} s; fastest and slowest round; ratio to the peer, round by round.\n",
        bench.machine,
        bench.threads,
        bench.sgemm_gflops.round(),
        env!("CARGO_PKG_VERSION"),
        bench
            .peer
            .as_ref()
            .map(|peer| format!(", {peer}"))
            .unwrap_or_default(),
        bench.rounds,
        bench.seconds,
    );
    let _ = writeln!(
        text,
        "| network | batch | computed by | median | range | ratio |"
    );
    let _ = writeln!(text, "| --- | ---: | --- | ---: | --- | ---: |");
    for times in &bench.times {
        let [fastest, slowest] = times.range_ms;
        let _ = writeln!(
            text,
            "| {} | {} | {} | {:.1} | {fastest:.1} to {slowest:.1} | {} |",
            times.network,
            times.batch_size,
            times.who,
            times.median_ms,
            times
                .ratio
                .map_or_else(String::new, |ratio| format!("{ratio:.2}")),
        );
    }
    text
}

/// Writes the report with the command that makes it.
pub fn write(path: &Path, table: &str) -> anyhow::Result<()> {
    let text = format!(
        "# Training steps, side by side\n\nWritten by `cargo xtask bench --peer torch`.\n\n{table}"
    );
    let temporary = path.with_extension("part");
    fs::write(&temporary, text)
        .and_then(|()| fs::rename(&temporary, path))
        .with_context(|| format!("cannot write {}", path.display()))
}
