//! Opening data with a status line, and reports of what is left out.

use n2n_data::Opened;
use n2n_train::{Experiment, TrainError, data};

use crate::progress::StatusLine;

/// Opens the data of an experiment, and shows how many scenes were found meanwhile.
///
/// # Errors
/// When a file is missing or damaged, or does not fit the experiment.
pub fn open(experiment: &Experiment) -> Result<(Experiment, Opened), TrainError> {
    let status = StatusLine::new();
    data::open(experiment, &|scenes| status.show_scenes(scenes))
}

/// Reports the scenes and files that are left out: the first few, and their number.
pub fn report_skipped(reasons: &[String]) {
    const SHOWN: usize = 3;
    for reason in reasons.iter().take(SHOWN) {
        eprintln!("warning: left out: {reason}");
    }
    if reasons.len() > SHOWN {
        eprintln!(
            "warning: {} scenes or files are left out; --strict stops at the first",
            reasons.len()
        );
    }
}
