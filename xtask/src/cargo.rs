//! Cargo and the other programs of the toolchain, as child processes.
//!
//! They inherit the current directory, so relative paths in arguments stay valid, and the target folder
//! that this program was built in, so that Burn is compiled once.

use std::env;
use std::ffi::OsString;
use std::path::{Path, PathBuf};
use std::process::{Command, ExitCode, Output};

use anyhow::{Context, Result, bail, ensure};

/// Options of every build of the whole workspace.
pub const WORKSPACE: [&str; 3] = ["--release", "--workspace", "--locked"];

/// Root of the workspace.
///
/// `cargo run` passes it. The path at build time may belong to another clone with the same target folder.
pub fn root() -> PathBuf {
    let mut path = env::var_os("CARGO_MANIFEST_DIR")
        .map_or_else(|| env!("CARGO_MANIFEST_DIR").into(), PathBuf::from);
    path.pop();
    path
}

/// `cargo` followed by `subcommand`, on this workspace.
pub fn command<const N: usize>(subcommand: [&str; N]) -> Command {
    let mut command = Command::new(env::var_os("CARGO").unwrap_or_else(|| "cargo".into()));
    // `cargo run` sets these variables for this package. Build scripts that watch them would run again
    // each time that plain Cargo and a task take turns.
    for (key, _) in env::vars_os() {
        let name = key.to_string_lossy();
        if name.starts_with("CARGO_PKG_") || name.starts_with("CARGO_MANIFEST_") {
            command.env_remove(&key);
        }
    }
    command.args(subcommand);
    command
        .arg("--manifest-path")
        .arg(root().join("Cargo.toml"));
    command
}

/// Builds `n2n`, and returns its path.
pub fn program() -> Result<PathBuf> {
    succeed(&mut command([
        "build",
        "--release",
        "--locked",
        "--package",
        "n2n-cli",
    ]))?;
    let name = format!("n2n{}", env::consts::EXE_SUFFIX);
    Ok(env::current_exe()?.with_file_name(name))
}

/// Path of `program` in the active toolchain, without the proxies of rustup.
pub fn toolchain_program(program: &str) -> Result<PathBuf> {
    let sysroot = output(Command::new("rustc").args(["--print", "sysroot"]))?;
    let path = Path::new(sysroot.trim()).join("bin").join(program);
    let path = path.with_extension(env::consts::EXE_EXTENSION);
    ensure!(path.exists(), "{} is missing", path.display());
    Ok(path)
}

/// Runs `command` and fails unless it succeeds.
pub fn succeed(command: &mut Command) -> Result<()> {
    let status = command.status().with_context(|| name(command))?;
    ensure!(status.success(), "{}: {status}", name(command));
    Ok(())
}

/// Runs `command` and returns what it printed on standard output.
pub fn output(command: &mut Command) -> Result<String> {
    let Output {
        status,
        stdout,
        stderr,
    } = command.output().with_context(|| name(command))?;
    if !status.success() {
        bail!(
            "{}: {status}\n{}",
            name(command),
            String::from_utf8_lossy(&stderr)
        );
    }
    Ok(String::from_utf8(stdout)?)
}

/// Replaces this process by `command`, which gets its terminal, signals and exit code.
#[cfg(unix)]
pub fn become_process(command: &mut Command) -> Result<ExitCode> {
    use std::os::unix::process::CommandExt;
    Err(command.exec()).with_context(|| name(command))
}

/// Runs `command` and returns its exit code.
#[cfg(not(unix))]
pub fn become_process(command: &mut Command) -> Result<ExitCode> {
    let status = command.status().with_context(|| name(command))?;
    Ok(if status.success() {
        ExitCode::SUCCESS
    } else {
        ExitCode::from(
            status
                .code()
                .and_then(|code| u8::try_from(code).ok())
                .unwrap_or(1),
        )
    })
}

fn name(command: &Command) -> String {
    let mut words: Vec<OsString> = vec![command.get_program().into()];
    words.extend(command.get_args().map(Into::into));
    words.join(" ".as_ref()).to_string_lossy().into_owned()
}
