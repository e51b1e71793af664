//! The message of an error, and a hint with the flag that helps: libraries know no flags.

use n2n_data::DataError;
use n2n_denoise::Error as DenoiseError;
use n2n_devices::DeviceError;
use n2n_files::FileError;
use n2n_train::{ExperimentError, TrainError};

use crate::commands::denoise::CannotWrite;

/// The message on standard error: the error, its causes, and a hint if there is one.
pub fn message(error: &anyhow::Error) -> String {
    match hint(error) {
        Some(hint) => format!("{}\nhint: {hint}", causes(error)),
        None => causes(error),
    }
}

/// An error and its causes, each once: many messages end with that of their cause.
pub fn causes(error: &anyhow::Error) -> String {
    let causes = error.chain().skip(1).map(ToString::to_string);
    causes.fold(error.to_string(), |message, cause| {
        if message.ends_with(&cause) {
            message
        } else {
            format!("{message}: {cause}")
        }
    })
}

/// How to avoid an error of a library, with the program's own flags.
fn hint(error: &anyhow::Error) -> Option<String> {
    if error.is::<CannotWrite>() {
        return Some("name another place for the results with -o".to_owned());
    }
    error.chain().find_map(|cause| {
        let of_data = cause.downcast_ref().and_then(of_data);
        let of_files = || cause.downcast_ref().and_then(of_files);
        let of_denoising = || cause.downcast_ref().and_then(of_denoising);
        let of_device = || cause.downcast_ref().and_then(of_device);
        let of_training = || cause.downcast_ref().and_then(of_training);
        of_data
            .or_else(of_files)
            .or_else(of_training)
            .or_else(of_denoising)
            .or_else(of_device)
    })
}

fn of_training(error: &TrainError) -> Option<String> {
    Some(match error {
        TrainError::Denoise(error) => return of_denoising(error),
        TrainError::Data(error) | TrainError::Experiment(ExperimentError::Data(error)) => {
            return of_data(error);
        }
        TrainError::HoldsRun { path } => format!(
            "choose another --run-dir, or go on with --resume {}",
            path.display()
        ),
        TrainError::Changed { .. } => {
            "put it back, or start a new run; --accept-changes goes on with the run's statistics and a new \
             best model"
                .to_owned()
        }
        TrainError::Io {
            verb: "create" | "create run directory",
            ..
        } => "name another place for the run with --run-dir".to_owned(),
        TrainError::NoRun { .. } => {
            "give --resume the folder that `n2n train` named when the run started".to_owned()
        }
        _ => return None,
    })
}

fn of_device(error: &DeviceError) -> Option<String> {
    Some(match error {
        DeviceError::OneDevice { index, .. } => format!("leave --device {index} out"),
        DeviceError::NoAdapter { .. } | DeviceError::Open { .. } => {
            "`n2n devices` lists the adapters of this machine, and --backend flex computes on the CPU"
                .to_owned()
        }
        _ => return None,
    })
}

fn of_data(error: &DataError) -> Option<String> {
    Some(match error {
        DataError::MissingTarget { .. } => {
            "set train.target to the other kind, add the images, or train on single noisy images with --set \
             data.pairing=subsample"
                .to_owned()
        }
        DataError::NoisyOrClean { .. } => {
            "for noisy images use --set data.pairing=subsample; for clean ones say which noise to put on them, as \
             with --noise gaussian:25; for shots of the same scenes name their folders with --pairs A B"
                .to_owned()
        }
        DataError::NoData { .. } => "name folders of other names with --pairs A B".to_owned(),
        DataError::PairsOrBursts { .. } => {
            "use --set data.layout=pairs or --set data.layout=bursts".to_owned()
        }
        DataError::PairsAmongOthers { .. } => {
            "use --set data.layout=pairs or --set data.layout=clean".to_owned()
        }
        DataError::UnknownAxes { .. } => {
            "use --set data.axes=TYX, ZYX or CYX; or name two files of the same scenes with --pairs A B"
                .to_owned()
        }
        DataError::PlanesOnly { .. } => {
            "name two volumes with --pairs A B, use --set data.axes=TYX, or train on each plane alone with --set \
             data.pairing=subsample"
                .to_owned()
        }
        DataError::SingleShot { .. } => {
            "add a shot, train on it alone with --set data.pairing=subsample, or for clean images use --set \
             data.layout=clean"
                .to_owned()
        }
        DataError::NothingNoisy { .. } | DataError::NeedsNoise { .. } => {
            "say which noise to put on the images, as with --noise gaussian:25".to_owned()
        }
        DataError::NoCleanToCorrupt { .. } => "leave the noise out, or add clean images".to_owned(),
        _ => return None,
    })
}

fn of_files(error: &FileError) -> Option<String> {
    match error {
        FileError::ArrayShape { .. } => Some(
            "say what its axes are: --axes TZCYX where it is denoised, or --set data.axes=TZCYX"
                .to_owned(),
        ),
        _ => None,
    }
}

fn of_denoising(error: &DenoiseError) -> Option<String> {
    Some(match error {
        DenoiseError::Channels { .. } => {
            "train a model on images with these channels, and name it with --model".to_owned()
        }
        DenoiseError::TooLittleMemory { .. } => {
            "allow more with --max-memory, or crop the image".to_owned()
        }
        DenoiseError::DeviceMemory { .. } => "compute on the CPU with --backend flex".to_owned(),
        _ => return None,
    })
}

#[cfg(test)]
mod tests {
    use anyhow::Context;

    use super::*;

    #[test]
    fn hints_are_found_below_context() {
        let channels = DenoiseError::Channels {
            image: 5,
            network: 3,
        };
        let error = Err::<(), _>(channels).context("a.tif").unwrap_err();
        let message = message(&error);
        assert!(
            message.starts_with("a.tif: the image has 5 channels"),
            "{message}"
        );
        assert!(message.ends_with("and name it with --model"), "{message}");
    }

    #[test]
    fn hints_are_found_in_errors_of_training() {
        let error = TrainError::from(DataError::NothingNoisy {
            name: "the set".to_owned(),
        });
        let message = message(&error.into());
        assert!(
            message.ends_with("as with --noise gaussian:25"),
            "{message}"
        );
    }

    #[test]
    fn causes_are_said_once() {
        let error = anyhow::anyhow!("no such file").context("cannot read a.toml: no such file");
        assert_eq!(message(&error), "cannot read a.toml: no such file");
    }
}
