//! Developer tasks: `cargo xtask <train|bench|dataset|check|test|kill-test|layering>`.

mod bench;
mod cargo;
mod check;
mod clippy;
mod dataset;
mod docs;
mod kill_test;
mod layering;
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
    /// Time training steps beside another engine's; writes benches/RESULTS.md where there is one
    Bench {
        /// The other engine; installed into benches/peers/.venv the first time
        #[arg(long)]
        peer: Option<bench::PeerName>,
        /// Arguments of `n2n bench`
        #[arg(trailing_var_arg = true, allow_hyphen_values = true)]
        args: Vec<OsString>,
    },
    /// Download an image set, check it and unpack it; without a name, list the sets
    Dataset {
        /// The set
        name: Option<String>,
        /// Folder that holds the sets, each under its name [default: the workspace's `datasets`]
        #[arg(long)]
        dir: Option<PathBuf>,
    },
    /// Formatting, layering, spelling, lints and documentation, the cheapest first
    Check,
    /// Every test and doctest
    Test {
        /// Arguments of the test runner; with any, doctests are left out
        #[arg(trailing_var_arg = true, allow_hyphen_values = true)]
        args: Vec<OsString>,
    },
    /// Kill training at random moments, and compare its end with an undisturbed run's
    KillTest {
        /// Kills for each optimizer
        #[arg(long, value_name = "N", default_value_t = 20)]
        kills: u32,
        /// Chooses the moments
        #[arg(long, value_name = "N", default_value_t = 0)]
        seed: u64,
    },
    /// Which crate may depend on which
    Layering,
}

fn main() -> ExitCode {
    run().unwrap_or_else(|error| {
        eprintln!("xtask: {error:#}");
        ExitCode::FAILURE
    })
}

fn run() -> anyhow::Result<ExitCode> {
    // Two steps of `check` have Cargo call this program in place of a compiler.
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
        Task::Layering => layering::run()?,
    }
    Ok(ExitCode::SUCCESS)
}
