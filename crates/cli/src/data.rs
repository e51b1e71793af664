//! Opening data with a status line, and reports of what is left out.

use n2n_data::{DataError, Opened, PartnerReport, Range, ValidatesOn};
use n2n_files::SampleKind;
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

/// Reports the scenes and files that are left out.
pub fn report_skipped(reasons: &[String]) {
    for warning in skipped_warnings(reasons) {
        eprintln!("warning: {warning}");
    }
}

/// What is to be said of scenes and files that are left out: the first few, and their number.
pub fn skipped_warnings(reasons: &[String]) -> Vec<String> {
    const SHOWN: usize = 3;
    let first = reasons.iter().take(SHOWN);
    let mut warnings: Vec<String> = first.map(|reason| format!("left out: {reason}")).collect();
    if reasons.len() > SHOWN {
        warnings.push(format!(
            "{} scenes or files are left out; --strict stops at the first",
            reasons.len()
        ));
    }
    warnings
}

/// What is to be said of the two images of pairs, and of their noise.
///
/// # Errors
/// When an example cannot be read.
pub fn pair_warnings(opened: &Opened) -> Result<Vec<String>, DataError> {
    let partners = opened.partners();
    let mut warnings = partners.map_or_else(Vec::new, PartnerReport::warnings);
    // What partners differ in is not said again as that of noise.
    if !partners.is_some_and(PartnerReport::differs) {
        let check = opened.noise_check()?;
        warnings.extend(check.and_then(|check| check.warning()));
    }
    Ok(warnings)
}

/// What is to be said of the scenes that a run is validated on.
pub fn held_out(validates_on: ValidatesOn) -> Option<&'static str> {
    match validates_on {
        ValidatesOn::Set | ValidatesOn::Scenes => None,
        ValidatesOn::Regions => {
            Some("a corner of each scene is held out for validation: there are few scenes")
        }
        ValidatesOn::TrainingScene => Some(
            "warning: there is one scene, too small to hold out a part: validation is on what is trained on",
        ),
    }
}

/// The peak of PSNR, in words: the distance of the samples that become 0 and 1.
pub fn peak(range: Option<&Range>, kind: SampleKind) -> String {
    match range {
        None => format!("The peak of PSNR is {}.", kind.white()),
        Some(range) => format!("The peak of PSNR is the range of the samples, {range}."),
    }
}
