//! The scenes to evaluate on, and those that are left out.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::sync::{Mutex, PoisonError};

use anyhow::{anyhow, bail};
use n2n_data::noise::{Noise, NoiseConfig};
use n2n_data::quality::Against;
use n2n_data::{EvaluationRequest, EvaluationSet, NoisyPair, Range, RangeConfig};

use n2n_files::SampleKind;
use n2n_train::paint::false_colour;

use super::args::EvaluateArgs;
use crate::progress::StatusLine;

/// Scenes to evaluate on.
pub struct Scenes {
    set: EvaluationSet,
    skipped: Mutex<BTreeMap<usize, String>>,
    /// What they come from, as typed; nothing where the program draws them.
    pub path: Option<PathBuf>,
    /// What they come from: nothing, one path or two.
    given: Vec<PathBuf>,
    /// Noise that is put on them.
    pub noise: Option<NoiseConfig>,
}

impl Scenes {
    /// Opens what the arguments name; `range` are the samples that become 0 and 1 for the models, where
    /// nothing else is said.
    ///
    /// # Errors
    /// When an argument or a file cannot be used.
    pub fn open(args: &EvaluateArgs, range: Option<Range>) -> anyhow::Result<Self> {
        let data = args.data.as_deref();
        let experiment = args.source.resolve(None, data, None, Some(args.seed))?;
        let mut config = experiment.data;
        if let (RangeConfig::Auto, Some(range)) = (&config.range, range) {
            config.range = RangeConfig::Given(range);
        }
        if let Some(path) = &config.validation {
            let path = path.display();
            bail!("data.validation is {path}; to evaluate on that, say --data {path}");
        }
        let status = StatusLine::new();
        let set = EvaluationRequest {
            config: &config,
            noise: experiment.noise.map(Noise::from),
            seed: args.seed,
            second: args.second,
            limit: args.limit,
            progress: &|scenes| {
                status.show_scenes(scenes);
            },
        }
        .open()?;
        let pairs = args.source.pairs.iter().flatten();
        let given: Vec<PathBuf> = args.data.iter().chain(pairs).cloned().collect();
        Ok(Self {
            set,
            skipped: Mutex::default(),
            path: given.first().cloned(),
            given,
            noise: experiment.noise,
        })
    }

    /// What was found, in words.
    pub fn kind(&self) -> &str {
        &self.set.kind
    }

    /// How many there are.
    pub fn len(&self) -> usize {
        self.set.len()
    }

    /// `[channels, height, width]` of a scene's images.
    pub fn shape(&self, scene: usize) -> [usize; 3] {
        self.set.shape(scene)
    }

    /// Pixels of one of a scene's images.
    pub fn pixels(&self, scene: usize) -> usize {
        let [_, height, width] = self.shape(scene);
        height * width
    }

    /// The file that a scene comes from, and the place in it.
    pub fn name(&self, scene: usize) -> String {
        self.set.name(scene)
    }

    /// The files that are read: what was named, and the images in it.
    pub fn files(&self) -> impl Iterator<Item = PathBuf> {
        let images = (0..self.len()).flat_map(|scene| self.set.names(scene));
        self.given.iter().cloned().chain(images.map(PathBuf::from))
    }

    /// The samples that become 0 and 1, between which the peak of PSNR is.
    pub fn range(&self) -> Option<&Range> {
        self.set.range.as_ref()
    }

    /// The kind of the samples.
    pub fn samples(&self) -> SampleKind {
        self.set.samples
    }

    /// How pictures of the first scene show its channels, if that needs to be said.
    pub fn false_colour(&self) -> String {
        let [channels, ..] = self.shape(0);
        false_colour(channels).map_or_else(String::new, |colours| format!(" ({colours})"))
    }

    /// What denoised images are compared with.
    pub fn against(&self) -> Against {
        if self.set.has_clean() {
            Against::Clean
        } else {
            Against::SecondNoisy
        }
    }

    /// A scene's images; nothing where it is left out.
    ///
    /// # Errors
    /// When it cannot be read, and may not be left out.
    pub fn read(&self, scene: usize) -> anyhow::Result<Option<NoisyPair>> {
        match self.set.pair(scene) {
            Ok(pair) => Ok(Some(pair)),
            Err(error) if self.set.may_skip() => {
                let mut skipped = self.skipped.lock().unwrap_or_else(PoisonError::into_inner);
                skipped.insert(scene, error.to_string());
                Ok(None)
            }
            Err(error) => Err(error.into()),
        }
    }

    /// Scenes and files that are left out, each with the reason.
    pub fn skipped(&self) -> Vec<String> {
        let skipped = self.skipped.lock().unwrap_or_else(PoisonError::into_inner);
        let found = self.set.skipped.iter();
        found.chain(skipped.values()).cloned().collect()
    }

    /// The error for scenes of which none can be read.
    pub fn none_readable(&self) -> anyhow::Error {
        let skipped = self.skipped();
        let first = skipped.first().map_or("", String::as_str);
        anyhow!("no image can be read; the first: {first}")
    }

    /// What they come from, short enough for the name of a file.
    pub fn stem(&self) -> String {
        let stem = self.path.as_deref().map(Path::file_stem);
        match stem {
            Some(Some(stem)) => stem.to_string_lossy().into_owned(),
            Some(None) => "data".to_owned(),
            None => "scenes".to_owned(),
        }
    }
}
