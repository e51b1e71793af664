//! Developer tasks: `cargo xtask <train|bench|dataset|check|test|kill-test|recipe|figures|layering>`.

mod bench;
mod cargo;
mod check;
mod clippy;
mod dataset;
mod docs;
mod figures;
mod kill_test;
mod layering;
mod random;
mod recipe;
mod test;
mod train;

use std::{env, ffi::OsString, path::PathBuf, process::ExitCode};

use clap::Parser;

#[derive(Parser)]
#[command(bin_name = "cargo xtask", about = "Developer tasks")]
enum Task {
    /// Build `n2n` and run `n2n train` with the arguments given here
    #[command(disable_help_flag = true)]
    Train {
        /// Arguments of `n2n train`; paths are relative to the current directory
        #[arg(trailing_var_arg = true, allow_hyphen_values = true)]
        args: Vec<OsString>,
    },
    /// Time training steps; with `--peer`, beside another engine, and write benches/RESULTS.md or RESULTS-GPU.md
    Bench {
        /// Engine to compare with; installed into benches/peers/.venv the first time
        #[arg(long)]
        peer: Option<bench::PeerName>,
        /// Arguments of `n2n bench`
        #[arg(trailing_var_arg = true, allow_hyphen_values = true)]
        args: Vec<OsString>,
    },
    /// Download an image set, check it and unpack it; without a name, list the sets
    Dataset {
        /// Name of the set
        name: Option<String>,
        /// Folder that holds the sets, each under its name [default: the workspace's `datasets`]
        #[arg(long)]
        dir: Option<PathBuf>,
    },
    /// Formatting, layering, spelling, lints and documentation, the cheapest first
    Check,
    /// Every test, doctest and example
    Test {
        /// Arguments of the test runner; with any, doctests and examples are left out
        #[arg(trailing_var_arg = true, allow_hyphen_values = true)]
        args: Vec<OsString>,
    },
    /// Kill and resume training at random moments, and compare with an undisturbed run
    KillTest {
        /// Kills for each optimizer
        #[arg(long, value_name = "N", default_value_t = 20)]
        kills: u32,
        /// Seed of the moments
        #[arg(long, value_name = "N", default_value_t = 0)]
        seed: u64,
    },
    /// Compare the settings for own data with others on several image sets, and print a table; goes on
    /// from the results in benches/recipe.jsonl
    Recipe {
        /// Folder that holds the sets `ee559-like`, `fmd` and `cbsd68`; missing ones are left out
        data: PathBuf,
        /// Folder for the runs
        #[arg(long, default_value = "runs/recipe")]
        out: PathBuf,
        /// Minutes of each run
        #[arg(long, default_value_t = 2.0)]
        minutes: f64,
        /// Only these settings, by their names in the table
        #[arg(long, value_delimiter = ',')]
        only: Vec<String>,
    },
    /// Make the figures of the reference: hours of training, which go on from what is there
    Figures(figures::FigureArgs),
    /// Check which crate depends on which
    Layering,
}

fn main() -> ExitCode {
    run().unwrap_or_else(|error| {
        eprintln!("xtask: {error:#}");
        ExitCode::FAILURE
    })
}

fn run() -> anyhow::Result<ExitCode> {
    // In two steps of `check`, Cargo calls this program in place of a compiler.
    if let Some(driver) = env::var_os(clippy::DRIVER) {
        return clippy::stand_in_for_rustc(driver);
    }
    if let Some(rustdoc) = env::var_os(docs::RUSTDOC) {
        return docs::stand_in_for_rustdoc(rustdoc);
    }
    match Task::parse() {
        Task::Train { args } => return train::run(&args),
        Task::Bench { peer, args } => return bench::run(peer, &args),
        Task::Dataset { name, dir } => dataset::run(name.as_deref(), dir)?,
        Task::Check => check::run()?,
        Task::Test { args } => test::run(&args)?,
        Task::KillTest { kills, seed } => kill_test::run(kills, seed)?,
        Task::Recipe {
            data,
            out,
            minutes,
            only,
        } => recipe::run(&data, &out, minutes, &only)?,
        Task::Figures(args) => figures::run(&args)?,
        Task::Layering => layering::run()?,
    }
    Ok(ExitCode::SUCCESS)
}
