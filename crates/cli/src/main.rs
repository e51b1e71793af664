//! `n2n`: image restoration without clean data.

#![recursion_limit = "256"]

#[macro_use]
mod say;

mod args;
mod backend;
mod cli;
mod commands;
mod data;
mod digits;
mod failure;
mod hints;
mod middle;
mod progress;
mod sheet;
mod signals;
mod table;

use std::process::ExitCode;

use clap::Parser;

use crate::cli::{Cli, Command, DataCommand};

/// Keeps the memory of one step's tensors for the next one's: the system's allocator gives large blocks
/// back each time, and on the CPU a step then spends a third of its time on fresh pages.
#[global_allocator]
static ALLOCATOR: mimalloc::MiMalloc = mimalloc::MiMalloc;

/// Something the person gave cannot be used, or what was printed is lost; clap exits with the same code.
const BAD_INPUT: u8 = 2;

fn main() -> ExitCode {
    signals::hold_back();
    let command = Cli::parse().command;
    let result = failure::guard(|| match command {
        Command::Train(args) => commands::train::run(&args),
        Command::Sweep(args) => commands::sweep::run(&args),
        Command::Denoise(args) => commands::denoise::run(&args),
        Command::Evaluate(args) => commands::evaluate::run(&args),
        Command::Plot(args) => commands::plot::run(&args),
        Command::Import(args) => commands::import::run(&args),
        Command::Export(args) => commands::export::run(&args),
        Command::Compare(args) => commands::compare::run(&args),
        Command::Bench(args) => commands::bench::run(&args),
        Command::Gradcheck(args) => commands::gradcheck::run(&args),
        Command::Devices(args) => commands::devices::run(&args),
        Command::Report(args) => commands::report::run(&args),
        Command::Schema => commands::schema::run(),
        Command::Data(DataCommand::Inspect(args)) => commands::inspect::run(&args),
    });
    let code = result.unwrap_or_else(|error| {
        eprintln!("error: {}", hints::message(&error));
        ExitCode::from(BAD_INPUT)
    });
    match say::lost() {
        Some(error) => {
            eprintln!("error: what was to be printed is lost: {error}");
            ExitCode::from(BAD_INPUT)
        }
        None => code,
    }
}
