//! What a training example is: one noisy input and the targets that exist for it.

use serde::{Deserialize, Serialize};

use crate::Whole;

/// Which image of a [`NoisyPair`] the loss compares the network's output with.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Target {
    /// A second, independent noisy image of the same scene: Noise2Noise.
    Noisy,
    /// The clean image: ordinary supervised training.
    Clean,
}

impl std::fmt::Display for Target {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(match self {
            Target::Noisy => "noisy",
            Target::Clean => "clean",
        })
    }
}

/// The noise of a noisy target beside that of the input.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum TargetNoise {
    /// Of equal variance: both are single images.
    #[default]
    Equal,
    /// Of half the variance: the target is the mean of the frames before and after the input, in which steady
    /// motion cancels out.
    Halved,
}

impl TargetNoise {
    /// The share of the target in the mean squared difference of input and target, whose noise is independent.
    pub fn share(self) -> f64 {
        match self {
            Self::Equal => 0.5,
            Self::Halved => 1.0 / 3.0,
        }
    }
}

/// One example: images of one scene, planar `[channels, height, width]`, values around `[0, 1]`.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct NoisyPair {
    /// `[channels, height, width]` of every image.
    pub shape: [usize; 3],
    /// What the network sees.
    pub noisy_input: Vec<f32>,
    /// 1 where every image holds a number, and 0 where one was NaN or infinite and is filled, if that is
    /// not everywhere: `[height, width]`.
    pub mask: Option<Vec<f32>>,
    /// A second noisy image, its noise independent of the first.
    pub noisy_target: Option<Vec<f32>>,
    /// The noise of that image beside the input's.
    pub target_noise: TargetNoise,
    /// 1 where the noisy target says anything and 0 where it does not, if that is not everywhere.
    pub target_mask: Option<Vec<f32>>,
    /// The image without noise.
    pub clean_target: Option<Vec<f32>>,
    /// The patch that input and noisy target are sub-images of, where the loss needs it.
    pub whole: Option<Whole>,
}

impl NoisyPair {
    /// The image that `target` names, if this example has it.
    pub fn target(&self, target: Target) -> Option<&[f32]> {
        match target {
            Target::Noisy => self.noisy_target.as_deref(),
            Target::Clean => self.clean_target.as_deref(),
        }
    }

    /// The same with the channels of its images `copies` times.
    pub(crate) fn repeated(mut self, copies: usize) -> Self {
        if copies > 1 {
            let targets = [&mut self.noisy_target, &mut self.clean_target];
            let images = targets.into_iter().flatten();
            for image in images.chain([&mut self.noisy_input]) {
                *image = image.repeat(copies);
            }
        }
        self
    }
}
