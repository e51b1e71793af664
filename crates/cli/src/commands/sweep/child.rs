//! One run of a sweep as a separate process, so that a run that fails, or that the system kills for its memory, does not
//! stop the others.

use std::fs::{self, File};
use std::io::{Read, Seek, SeekFrom};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, ExitStatus, Stdio};

use anyhow::Context;
use n2n_train::PlannedRun;
use n2n_train::run_dir::Standing;

use crate::args::DeviceArgs;
use crate::commands::output;
use crate::commands::train::images_in;

/// Folder of the configs that processes are given, and that of their messages, beside the runs.
pub const CONFIGS: &str = "configs";
pub const LOGS: &str = "logs";

/// Bytes at the end of a log in which its last line stands.
const END_OF_LOG: u64 = 4096;

/// Most bytes of a log that are searched for warnings.
const MOST_OF_LOG: u64 = 1 << 20;

/// Number of threads of kernels and loaders.
const THREADS: &str = "RAYON_NUM_THREADS";

/// A run that is under way.
pub struct RunProcess {
    process: Child,
    log: PathBuf,
    /// Length of the log before: what earlier processes wrote.
    before: u64,
}

/// The config that the process of a run is given.
pub fn plan(sweep: &Path, run: &PlannedRun) -> PathBuf {
    sweep.join(CONFIGS).join(format!("{}.toml", run.name))
}

/// How the process of a run ended.
pub enum End {
    /// The run is done.
    Done,
    /// It was stopped, and can go on.
    Stopped,
    /// It failed; why.
    Failed(String),
}

impl RunProcess {
    /// Starts a run, or goes on with it.
    ///
    /// # Errors
    /// When a file of the sweep cannot be written, or the program cannot be started.
    pub fn start(
        run: &PlannedRun,
        standing: Standing,
        sweep: &Path,
        device: &DeviceArgs,
        threads: Option<usize>,
    ) -> anyhow::Result<Self> {
        let logs = sweep.join(LOGS);
        fs::create_dir_all(&logs).with_context(|| format!("cannot create {}", logs.display()))?;
        let folder = sweep.join(&run.name);
        let program = std::env::current_exe().context("cannot find this program")?;
        let mut command = Command::new(&program);
        command.arg("train");
        if let Standing::Begun { .. } = standing {
            command.arg("--resume").arg(&folder);
        } else {
            let config = plan(sweep, run);
            output::write(&config, run.experiment.to_toml()?.as_bytes())?;
            command.arg(&config).arg("--run-dir").arg(&folder);
        }
        command
            .args(["--backend", device.backend.name()])
            .args(["--device", &device.index.to_string()]);
        if let Some(threads) = threads {
            command.env(THREADS, threads.to_string());
        }
        let log = logs.join(format!("{}.log", run.name));
        let opened = File::options().create(true).append(true).open(&log);
        let messages = opened.with_context(|| format!("cannot write {}", log.display()))?;
        let before = messages.metadata().map_or(0, |metadata| metadata.len());
        let process = command
            .arg("--json")
            .stdin(Stdio::null())
            .stdout(Stdio::null())
            .stderr(messages)
            .spawn()
            .with_context(|| format!("cannot start {}", program.display()))?;
        Ok(Self {
            process,
            log,
            before,
        })
    }

    /// The share of the run that is done, as far as its messages tell.
    pub fn share(&self) -> f64 {
        let images = images_in(&self.end_of_log(END_OF_LOG));
        images.map_or(0.0, |(done, total)| done as f64 / total.max(1) as f64)
    }

    /// How the process ended, if it has.
    ///
    /// # Errors
    /// When the system does not tell.
    pub fn ended(&mut self) -> anyhow::Result<Option<End>> {
        let status = self.process.try_wait().context("cannot wait for a run")?;
        Ok(status.map(|status| match status.code() {
            Some(0) => End::Done,
            Some(130) => End::Stopped,
            _ => End::Failed(self.failure(status)),
        }))
    }

    /// Asks the process to save and stop; it may know by itself, as a Ctrl-C reaches all processes of a terminal.
    #[cfg(unix)]
    pub fn stop(&self) {
        use nix::sys::signal::{Signal, kill};
        use nix::unistd::Pid;

        if let Ok(id) = i32::try_from(self.process.id()) {
            // One that has ended needs no signal.
            let _ = kill(Pid::from_raw(id), Signal::SIGTERM);
        }
    }

    /// Elsewhere a Ctrl-C reaches all processes of a console.
    #[cfg(not(unix))]
    pub fn stop(&self) {}

    /// Why the process failed: the last error in its messages, else how it ended.
    fn failure(&self, status: ExitStatus) -> String {
        let end = self.end_of_log(END_OF_LOG);
        let mut errors = end.lines().filter_map(|line| line.strip_prefix("error: "));
        match errors.next_back() {
            Some(error) => error.to_owned(),
            None => format!("{status}, see {}", self.log.display()),
        }
    }

    /// The warnings in the messages, each once.
    pub fn warnings(&self) -> Vec<String> {
        let log = self.end_of_log(MOST_OF_LOG);
        let mut found: Vec<String> = Vec::new();
        for line in log.lines().filter(|line| line.starts_with("warning: ")) {
            if !found.iter().any(|other| other == line) {
                found.push(line.to_owned());
            }
        }
        found
    }

    /// The end of what this process wrote.
    fn end_of_log(&self, most: u64) -> String {
        let read = || -> std::io::Result<String> {
            let mut file = File::open(&self.log)?;
            let length = file.metadata()?.len();
            file.seek(SeekFrom::Start(
                self.before.max(length.saturating_sub(most)),
            ))?;
            let mut bytes = Vec::new();
            file.read_to_end(&mut bytes)?;
            Ok(String::from_utf8_lossy(&bytes).into_owned())
        };
        // Progress that cannot be read is shown as none.
        read().unwrap_or_default()
    }
}
