//! What was chosen for a person who did not say it: why, and what changes it.

use n2n_data::{Examples, NormalizationKind, Opened, RangeConfig, SceneSource, ValidatesOn, View};
use n2n_train::Experiment;
use serde::Serialize;

/// Scenes held out that are named.
const NAMED: usize = 3;

/// One choice.
#[derive(Serialize)]
pub struct Choice {
    /// What is chosen.
    name: &'static str,
    /// What it is called in a line.
    #[serde(skip)]
    label: String,
    /// What it is.
    value: String,
    /// Arguments that change it.
    change: Vec<String>,
}

impl Choice {
    fn new(name: &'static str, value: String, change: &[&str]) -> Self {
        Self {
            name,
            label: name.to_owned(),
            value,
            change: change.iter().map(|&change| change.to_owned()).collect(),
        }
    }

    /// Two lines.
    pub fn text(&self) -> String {
        format!(
            "{}: {}\n  to change it: {}",
            self.label,
            self.value,
            self.change.join(", or ")
        )
    }
}

/// The choices for `opened`: `asked` is the experiment as a person wrote it, `experiment` as it was resolved.
pub fn choices(asked: &Experiment, experiment: &Experiment, opened: &Opened) -> Vec<Choice> {
    vec![
        pairs(opened),
        range(asked, opened),
        patches(experiment, &opened.train),
        held_out(experiment, opened),
        normalization(experiment),
    ]
}

fn pairs(opened: &Opened) -> Choice {
    let new = |value: &str, change: &[&str]| Choice::new("pairs", value.to_owned(), change);
    if let Some(noise) = &opened.noise {
        return Choice::new(
            "pairs",
            format!("two noisy images of each clean one, drawn anew in each epoch: {noise}"),
            &[
                "--noise KIND:LEVEL",
                "--set data.pairing=subsample if the images are noisy",
            ],
        );
    }
    if opened.subsamples {
        return new(
            "two sub-images of each image, made of neighbouring pixels: other images of a scene are not needed",
            &["--pairs A B", "--noise gaussian:25 if the images are clean"],
        );
    }
    let train = &opened.scenes[0];
    if train.ordered() {
        return new(
            "the first and the second image of each scene",
            &[
                "--pairs A B",
                "--set data.pairing=subsample",
                "--set data.augment.swap=false if they may not change places",
            ],
        );
    }
    let Some(chosen) = opened.pairing else {
        return new("the images of a scene", &["--set data.pairing=subsample"]);
    };
    let [what, why, other] = chosen.words();
    Choice {
        label: format!("pairs ({})", chosen.pairing),
        ..Choice::new(
            "pairs",
            format!("{what}, {why}"),
            &[
                &format!("--set data.pairing={other}"),
                "even_odd",
                "subsample",
            ],
        )
    }
}

fn range(asked: &Experiment, opened: &Opened) -> Choice {
    let kind = opened.scenes[0].kind();
    let why = match (&asked.data.range, &opened.range) {
        (RangeConfig::Given(_), _) => "as data.range says",
        (RangeConfig::Type, _) => "the type's, as data.range says",
        (RangeConfig::Auto, Some(_)) => {
            "0.1 % of the samples of noisy images lie below and above; they are not cut off"
        }
        (RangeConfig::Auto, None) if kind.is_float() => "they already lie around 0 to 1",
        (RangeConfig::Auto, None) => "all that 8 bits can hold",
    };
    let given = "--set data.range=[LOW,HIGH], such as [0,4095]";
    let (ends, change) = match &opened.range {
        Some(range) => (range.to_string(), &["--set data.range=type", given][..]),
        None => (format!("0 to {}", kind.white()), &[given][..]),
    };
    let value = format!("samples from {ends} become 0 to 1: {why}");
    Choice::new("range", value, change)
}

fn patches(experiment: &Experiment, train: &Examples) -> Choice {
    let [_, height, width] = train.shape(0);
    let value = match (train.crop(), experiment.data.patch_size) {
        (None, _) => format!("whole images, {height}x{width}: they are small and of one size"),
        (Some(side), Some(_)) => format!("squares of {side}, as data.patch_size says"),
        (Some(side), None) => format!("squares of {side} at random places"),
    };
    Choice::new("patches", value, &["--set data.patch_size=128"])
}

fn held_out(experiment: &Experiment, opened: &Opened) -> Choice {
    let validation = &opened.scenes[1];
    let split = format!("--set data.split={}", 2.0 * experiment.data.split);
    let value = match opened.validates_on {
        ValidatesOn::Set => "the scenes of a separate set".to_owned(),
        ValidatesOn::Scenes => {
            let names: Vec<String> = (0..validation.len().min(NAMED))
                .map(|scene| name(&**validation, scene))
                .collect();
            let more = if validation.len() > NAMED { " ..." } else { "" };
            format!(
                "{} scenes, by the seed: {}{more}",
                validation.len(),
                names.join(", ")
            )
        }
        ValidatesOn::Regions => {
            "a corner of each scene, with what the network sees around it: there are few scenes"
                .to_owned()
        }
        ValidatesOn::TrainingScene => {
            "nothing: the one scene is too small to hold out a part, and is validated on too"
                .to_owned()
        }
    };
    Choice::new("held out", value, &["--validation PATH", &split])
}

fn name(source: &dyn SceneSource, scene: usize) -> String {
    let view = match source.info(scene).shots {
        0 => View::Clean,
        _ => View::Shot(0),
    };
    source.name(scene, view)
}

fn normalization(experiment: &Experiment) -> Choice {
    let kind = experiment.data.normalize;
    let value = serde_json::to_value(kind).unwrap_or_default();
    let other = match kind {
        NormalizationKind::PerImage => "--set data.normalize=per_channel",
        _ => "--set data.normalize=per_image, where images differ much in brightness",
    };
    let value = value.as_str().unwrap_or_default().to_owned();
    Choice::new("normalization", value, &[other])
}
