//! Which runs of a sweep are to be done, are under way, here or elsewhere, and have ended.

use std::path::PathBuf;

use n2n_train::PlannedRun;
use n2n_train::run_dir::Standing;

use super::child::{End, RunProcess};
use crate::args::DeviceArgs;

/// The runs of a sweep.
pub struct Queue<'a> {
    /// The runs.
    pub runs: Vec<Entry<'a>>,
    sweep: PathBuf,
    device: &'a DeviceArgs,
    jobs: usize,
    /// Threads of each run.
    threads: Option<usize>,
}

/// One run.
pub struct Entry<'a> {
    /// What it is.
    pub run: &'a PlannedRun,
    /// Where it is.
    pub state: State,
}

/// Where a run is.
pub enum State {
    /// It is to be started.
    Waiting,
    /// A process of this program trains it.
    Here(RunProcess),
    /// Another process trains it.
    Elsewhere,
    /// It has come to its end.
    Done,
    /// It failed.
    Failed,
    /// It was stopped.
    Stopped,
}

/// What happened to a run.
pub enum Change {
    /// It was started, or goes on.
    Started {
        /// Whether it was there before.
        goes_on: bool,
    },
    /// It has come to its end, with these warnings.
    Done(Vec<String>),
    /// Another process trains it.
    Elsewhere,
    /// It failed; why.
    Failed(String),
    /// It was stopped.
    Stopped,
}

impl<'a> Queue<'a> {
    /// Makes a queue of runs in the folder `sweep`, of which `jobs` are under way at a time.
    pub fn new(
        runs: Vec<&'a PlannedRun>,
        sweep: PathBuf,
        device: &'a DeviceArgs,
        jobs: usize,
    ) -> Self {
        let entry = |run| Entry {
            run,
            state: State::Waiting,
        };
        let threads = std::thread::available_parallelism().map_or(1, usize::from);
        Self {
            runs: runs.into_iter().map(entry).collect(),
            sweep,
            device,
            jobs,
            threads: (jobs > 1).then(|| (threads / jobs).max(1)),
        }
    }

    /// Looks at all runs once, and starts what can be started; tells what has changed. `is_stopping` starts no more.
    ///
    /// # Errors
    /// When a file of the sweep cannot be written. A run that cannot be read has failed, which is no error.
    pub fn step(&mut self, is_stopping: bool) -> anyhow::Result<Vec<(&'a PlannedRun, Change)>> {
        let mut changes = Vec::new();
        for index in 0..self.runs.len() {
            let change = match &mut self.runs[index].state {
                State::Here(process) => match process.ended()? {
                    Some(end) => {
                        let warnings = process.warnings();
                        Some(self.end(index, end, warnings))
                    }
                    None => None,
                },
                State::Waiting | State::Elsewhere if !is_stopping => self.start(index)?,
                _ => None,
            };
            let run = self.runs[index].run;
            changes.extend(change.map(|change| (run, change)));
        }
        Ok(changes)
    }

    /// Starts a run, unless enough others are under way or somebody else trains it.
    fn start(&mut self, index: usize) -> anyhow::Result<Option<Change>> {
        let is_here = |entry: &&Entry<'_>| matches!(entry.state, State::Here(_));
        let is_full = self.runs.iter().filter(is_here).count() >= self.jobs;
        let was_elsewhere = matches!(self.runs[index].state, State::Elsewhere);
        if is_full && !was_elsewhere {
            return Ok(None);
        }
        let run = self.runs[index].run;
        let (state, change) = match self.standing(run) {
            Ok(Standing::Over { .. }) => (State::Done, Some(Change::Done(Vec::new()))),
            Ok(Standing::UnderWay) => (
                State::Elsewhere,
                (!was_elsewhere).then_some(Change::Elsewhere),
            ),
            // Its process has gone, and another run has its place.
            Ok(_) if is_full => (State::Waiting, None),
            Ok(standing) => {
                let process =
                    RunProcess::start(run, standing, &self.sweep, self.device, self.threads)?;
                let goes_on = matches!(standing, Standing::Begun { .. });
                (State::Here(process), Some(Change::Started { goes_on }))
            }
            Err(why) => (State::Failed, Some(Change::Failed(why))),
        };
        self.runs[index].state = state;
        Ok(change)
    }

    /// Takes note of the end of a process. One that found another process at its run has not failed.
    fn end(&mut self, index: usize, end: End, warnings: Vec<String>) -> Change {
        let run = self.runs[index].run;
        let (state, change) = match (end, self.standing(run)) {
            (End::Done, _) | (End::Failed(_), Ok(Standing::Over { .. })) => {
                (State::Done, Change::Done(warnings))
            }
            (End::Stopped, _) => (State::Stopped, Change::Stopped),
            (End::Failed(_), Ok(Standing::UnderWay)) => (State::Elsewhere, Change::Elsewhere),
            (End::Failed(why), _) => (State::Failed, Change::Failed(why)),
        };
        self.runs[index].state = state;
        change
    }

    fn standing(&self, run: &PlannedRun) -> Result<Standing, String> {
        Standing::of(&self.sweep.join(&run.name)).map_err(|error| error.to_string())
    }

    /// Whether anything is left to be done or waited for.
    pub fn is_over(&self, is_stopping: bool) -> bool {
        self.runs.iter().all(|entry| match entry.state {
            State::Here(_) => false,
            State::Waiting | State::Elsewhere => is_stopping,
            State::Done | State::Failed | State::Stopped => true,
        })
    }

    /// The names of the runs that failed, or were stopped by somebody else.
    pub fn unfinished(&self) -> Vec<&'a str> {
        let is_unfinished =
            |entry: &&Entry<'_>| matches!(entry.state, State::Failed | State::Stopped);
        let entries = self.runs.iter().filter(is_unfinished);
        entries.map(|entry| entry.run.name.as_str()).collect()
    }

    /// Asks all processes to save and stop.
    pub fn stop(&self) {
        for entry in &self.runs {
            if let State::Here(process) = &entry.state {
                process.stop();
            }
        }
    }

    /// How much of all runs is done, in runs.
    pub fn progress(&self) -> f64 {
        let shares = self.runs.iter().map(|entry| match &entry.state {
            State::Here(process) => process.share(),
            State::Done | State::Failed => 1.0,
            State::Waiting | State::Elsewhere | State::Stopped => 0.0,
        });
        shares.sum()
    }
}
