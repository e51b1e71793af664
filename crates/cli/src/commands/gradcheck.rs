//! `n2n gradcheck`: values and gradients of the hand-written ops on a device, against oracles.

use std::process::ExitCode;

use clap::Args;
use n2n_scratch::gradcheck::{Row, TOLERANCE, checks};
use serde::Serialize;

use crate::args::DeviceArgs;

/// Arguments of `n2n gradcheck`.
#[derive(Debug, Args)]
pub struct GradcheckArgs {
    /// What to compute on.
    #[command(flatten)]
    pub device: DeviceArgs,

    /// Largest error that passes: max|a - b| / max|b| over a tensor
    #[arg(long, value_name = "ERROR", default_value_t = TOLERANCE)]
    pub tolerance: f64,

    /// Print one line of JSON, and nothing else, to standard output
    #[arg(long)]
    pub json: bool,
}

/// Some error is too large.
const FAILED: u8 = 1;

/// Checks as the arguments say.
///
/// # Errors
/// When the backend cannot be used, or the device fails.
pub fn run(args: &GradcheckArgs) -> anyhow::Result<ExitCode> {
    let selected = args.device.open()?;
    if selected.tunes_kernels {
        eprintln!("compiling kernels for {}: this takes longer", selected.name);
    }
    if !args.json {
        println!("{}", line(&TITLES.map(str::to_owned)));
    }
    let mut report = Report {
        checked: 0,
        failed: 0,
        max_rel_error: 0.0,
        tolerance: args.tolerance,
        backend: selected.backend,
        device: &selected.name,
        rows: Vec::new(),
    };
    for check in checks() {
        let row = check.run(&selected.device);
        report.add(&row);
        if !args.json {
            println!("{}", line(&cells(&row, args.tolerance)));
        }
        report.rows.push(row);
    }
    if args.json {
        println!("{}", serde_json::to_string(&report)?);
    } else {
        println!(
            "{} of {} comparisons above {:e} on {} ({}); largest error {:.1e}",
            report.failed,
            report.checked,
            args.tolerance,
            report.backend,
            report.device,
            report.max_rel_error
        );
    }
    Ok(match report.failed {
        0 => ExitCode::SUCCESS,
        _ => ExitCode::from(FAILED),
    })
}

/// What `--json` prints.
#[derive(Serialize)]
struct Report<'a> {
    checked: usize,
    failed: usize,
    max_rel_error: f64,
    tolerance: f64,
    backend: &'a str,
    device: &'a str,
    rows: Vec<Row>,
}

impl Report<'_> {
    fn add(&mut self, row: &Row) {
        for error in row.errors() {
            self.checked += 1;
            // A NaN is not below the tolerance.
            if error.is_nan() || error > self.tolerance {
                self.failed += 1;
            }
            if error.is_nan() || error > self.max_rel_error {
                self.max_rel_error = error;
            }
        }
    }
}

/// Column titles: the gradients against the definition in f64, then the largest error against each
/// other oracle.
const TITLES: [&str; 9] = [
    "op",
    "geometry",
    "output",
    "d input 1",
    "d input 2",
    "d input 3",
    "Burn's op",
    "differences",
    "adjoint",
];

/// Of the columns of gradients; a network has more inputs, and their largest error stands here.
const LAST_GRADIENT: usize = 2;

const WIDTHS: [usize; TITLES.len()] = [16, 44, 8, 14, 16, 14, 9, 11, 8];

fn cells(row: &Row, tolerance: f64) -> [String; TITLES.len()] {
    let mark = |error: f64| {
        if error <= tolerance {
            format!("{error:.1e}")
        } else {
            format!("{error:.1e}!")
        }
    };
    // f64::max would drop a NaN.
    let worse = |a: f64, b: f64| if a >= b || a.is_nan() { a } else { b };
    let largest = |errors: &[f64]| match errors {
        [] => "-".to_owned(),
        errors => mark(errors.iter().copied().fold(0.0, worse)),
    };
    let gradient = |index: usize| match row.gradients.get(index..) {
        None | Some([]) => String::new(),
        Some([_, .., _]) if index == LAST_GRADIENT => {
            let rest = row.gradients[index..].iter().map(|(_, error)| *error);
            format!("others {}", largest(&rest.collect::<Vec<_>>()))
        }
        Some([(name, error), ..]) => format!("{name} {}", mark(*error)),
    };
    [
        row.op.to_owned(),
        row.geometry.clone(),
        mark(row.output),
        gradient(0),
        gradient(1),
        gradient(2),
        largest(&row.burn),
        largest(&row.central_differences),
        largest(&row.adjoint),
    ]
}

/// Names to the left, numbers to the right.
fn line(cells: &[String; TITLES.len()]) -> String {
    let columns = cells.iter().zip(WIDTHS).enumerate();
    let columns = columns.map(|(index, (cell, width))| match index {
        0 | 1 => format!("{cell:width$}"),
        _ => format!("{cell:>width$}"),
    });
    columns.collect::<Vec<_>>().join(" ")
}
