//! `n2n schema`: what an experiment may contain, for editors.

use std::process::ExitCode;

use n2n_train::experiment::schema;

/// Prints the JSON Schema of an experiment.
///
/// # Errors
/// When it cannot be written as JSON.
pub fn run() -> anyhow::Result<ExitCode> {
    println!("{}", serde_json::to_string_pretty(&schema())?);
    Ok(ExitCode::SUCCESS)
}
