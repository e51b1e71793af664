//! The measurements as Markdown.

use std::fmt::Write;
use std::path::Path;

use super::Bench;
use super::layers::Passes;
use crate::commands::bench::BenchArgs;
use crate::commands::output;

/// Machine, peer and a table of times.
pub fn markdown(bench: &Bench) -> String {
    let mut text = String::new();
    // Writing to a string cannot fail.
    let _ = writeln!(
        text,
        "{}; {}, {} threads{}; {} GFLOP/s in a matrix product of f32 (1024 x 1024, Burn's flex); n2n {}{}.\n\
         Milliseconds of a training step (forward, backward, SGD; 32x32 pixels): median of {} alternating \
         rounds, each the median of the steps of {} s{}; fastest and slowest round; ratio to the peer, round by \
         round.\n",
        bench.date,
        bench.processor,
        bench.threads,
        bench
            .graphics
            .as_ref()
            .map(|name| format!("; {name}"))
            .unwrap_or_default(),
        bench.sgemm_gflops.round(),
        env!("CARGO_PKG_VERSION"),
        bench
            .peer
            .as_ref()
            .map(|peer| format!(", {peer}"))
            .unwrap_or_default(),
        bench.rounds,
        bench.seconds,
        match bench.steps_per_read {
            1 => String::new(),
            steps => format!(", of which the loss of every {steps}th is read"),
        },
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
    if !bench.layers.is_empty() {
        layers(&mut text, bench);
    }
    text
}

/// Each convolution, and what share of a step they are.
fn layers(text: &mut String, bench: &Bench) {
    let peer = bench.peer.as_deref().unwrap_or("no peer");
    let batch_size = bench.times.first().map_or(0, |times| times.batch_size);
    let _ = writeln!(
        text,
        "\nConvolutions of the U-Net, each with its PReLU and what is doubled or joined before it; batches of \
         {batch_size}. Milliseconds: output / gradients by parameters / gradients by parameters and inputs. \
         Ratio: output and all gradients, scratch to {peer}. Share of the peak: multiplications and \
         additions by the definition over the matrix product's; Winograd's algorithm takes fewer.\n",
    );
    let _ = writeln!(
        text,
        "| layer | pixels | channels | scratch | Burn | {peer} | ratio | share |"
    );
    let _ = writeln!(
        text,
        "| --- | ---: | --- | ---: | ---: | ---: | ---: | ---: |"
    );
    let cell = |passes: &Passes| {
        let Passes {
            forward,
            parameters,
            all,
        } = passes;
        format!("{forward:.2} / {parameters:.2} / {all:.2}")
    };
    let (mut forward, mut backward) = (0.0, 0.0);
    for times in &bench.layers {
        let layer = &times.layer;
        // Output, weight gradient and input gradient.
        let operations = (3 * 2 * batch_size * layer.products()) as f64;
        let share = operations / (1e6 * times.scratch.total()) / bench.sgemm_gflops;
        forward += times.scratch.forward;
        backward += times.scratch.all;
        let theirs = times.peer.as_ref();
        let ratio = theirs.map(|peer| format!("{:.2}", times.scratch.total() / peer.total()));
        let _ = writeln!(
            text,
            "| {} | {side}x{side} | {} | {} | {} | {} | {} | {:.0} % |",
            layer.name,
            layer.channels(),
            cell(&times.scratch),
            cell(&times.burn),
            theirs.map(cell).unwrap_or_default(),
            ratio.unwrap_or_default(),
            100.0 * share,
            side = layer.side,
        );
    }
    let step = bench.times.iter().find(|times| {
        times.network == "unet" && times.batch_size == batch_size && times.who.ends_with("scratch")
    });
    if let Some(step) = step {
        let _ = writeln!(
            text,
            "\nOf a step of {:.1} ms, the convolutions take {forward:.1} ms forward and {backward:.1} ms \
             backward; {:.1} ms are left for pooling, loss, autodiff and SGD.",
            step.median_ms,
            (step.median_ms - forward - backward).max(0.0),
        );
    }
}

/// Writes the report with the command that makes it.
pub fn write(path: &Path, args: &BenchArgs, table: &str) -> anyhow::Result<()> {
    let backends: Vec<String> = args.backend.iter().map(ToString::to_string).collect();
    let batches: Vec<String> = args.batch.iter().map(ToString::to_string).collect();
    let text = format!(
        "# Training steps, side by side\n\nWritten by `cargo xtask bench --peer torch --backend {} \
         --network {} --implementation {} --batch {}`.\n\n{table}",
        backends.join(","),
        args.network.join(","),
        args.implementation.join(","),
        batches.join(","),
    );
    output::write(path, text.as_bytes())
}
