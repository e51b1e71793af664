//! How close denoised images are to clean ones: measured, or estimated from pairs of noisy ones.

use serde::Serialize;

use super::{Mean, Psnr, Reference, between_mse, masked_mse, noise2noise_mse, psnr_db, ssim};
use crate::{NoisyPair, TargetNoise};

/// Error and similarity of one denoised image.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Score {
    /// Mean squared error against the clean image, or an unbiased estimate of it, which may be negative.
    pub mse: f64,
    /// Structural similarity to the clean image, if there is one and it is large enough.
    pub ssim: Option<f64>,
}

/// The reference of errors.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Against {
    /// Clean images.
    Clean,
    /// A second noisy image of each scene.
    SecondNoisy,
}

impl Score {
    /// Scores the result of a denoiser `f` for a scene.
    ///
    /// Without a clean image, the error is the estimate [`noise2noise_mse`], or [`between_mse`] where the target has
    /// half the noise.
    ///
    /// # Errors
    /// When the denoiser fails.
    ///
    /// # Panics
    /// If the scene has neither a clean image nor a second noisy one.
    pub fn of<E>(
        pair: &NoisyPair,
        denoise: impl Fn(&[f32]) -> Result<Vec<f32>, E>,
    ) -> Result<Self, E> {
        let input = &pair.noisy_input;
        let denoised = denoise(input)?;
        let mse = |a: &[f32], b: &[f32]| masked_mse(a, b, pair.mask.as_deref());
        if let Some(clean) = &pair.clean_target {
            return Ok(Self {
                mse: mse(&denoised, clean),
                // Windows over holes would compare what was filled.
                ssim: match pair.mask {
                    Some(_) => None,
                    None => ssim(&denoised, clean, pair.shape),
                },
            });
        }
        let second = second_noisy(pair);
        let there = mse(&denoised, second);
        if pair.target_noise == TargetNoise::Halved {
            return Ok(Self {
                mse: between_mse(there, mse(input, second)),
                ssim: None,
            });
        }
        let back = mse(&denoise(second)?, input);
        Ok(Self {
            mse: noise2noise_mse(there, back, mse(input, second)),
            ssim: None,
        })
    }
}

/// Returns the second noisy image of a scene without a clean one.
///
/// # Panics
/// If the scene has one image only.
pub fn second_noisy(pair: &NoisyPair) -> &[f32] {
    let Some(second) = &pair.noisy_target else {
        panic!("a scene without a clean image has a second noisy one");
    };
    second
}

/// Mean scores of a method over images.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Summary {
    /// Against clean images.
    Measured {
        /// Mean over images of the PSNR of each, in dB.
        psnr_db: Mean,
        /// PSNR in dB of the mean over images of the mean squared error.
        pooled_psnr_db: Mean,
        /// Mean over images of the structural similarity, of those that are large enough.
        ssim: Option<Mean>,
    },
    /// Without clean images: PSNR in dB of the mean over images of estimated errors; nothing where that
    /// mean cannot be told from zero.
    Estimated(Option<Mean>),
}

impl Summary {
    /// Summarizes the scores of one or more images.
    pub fn of(scores: &[Score], against: Against) -> Self {
        let errors: Vec<f64> = scores.iter().map(|score| score.mse).collect();
        let pooled = match Psnr::of(&errors, Reference::SecondNoisy) {
            Psnr::Estimated {
                db: Some(value),
                standard_error_db: standard_error,
            } => Some(Mean {
                value,
                standard_error,
            }),
            _ => None,
        };
        if against == Against::SecondNoisy {
            return Self::Estimated(pooled);
        }
        let psnrs: Vec<f64> = errors.iter().map(|mse| psnr_db(*mse)).collect();
        let ssims: Vec<f64> = scores.iter().filter_map(|score| score.ssim).collect();
        Self::Measured {
            psnr_db: Mean::of(&psnrs),
            // Perfect images have a PSNR too, as each of them has.
            pooled_psnr_db: pooled.unwrap_or(Mean {
                value: psnr_db(Mean::of(&errors).value),
                standard_error: None,
            }),
            ssim: (!ssims.is_empty()).then(|| Mean::of(&ssims)),
        }
    }
}

/// Flat form of [`Summary`]; absent values are omitted.
#[derive(Debug, Default, PartialEq, Serialize)]
pub struct SummaryKeys {
    #[serde(skip_serializing_if = "Option::is_none")]
    psnr_db: Option<f64>,
    #[serde(skip_serializing_if = "Option::is_none")]
    psnr_se_db: Option<f64>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pooled_psnr_db: Option<f64>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pooled_psnr_se_db: Option<f64>,
    #[serde(skip_serializing_if = "Option::is_none")]
    ssim: Option<f64>,
    #[serde(skip_serializing_if = "Option::is_none")]
    ssim_se: Option<f64>,
    #[serde(skip_serializing_if = "Option::is_none")]
    psnr_est_db: Option<f64>,
    #[serde(skip_serializing_if = "Option::is_none")]
    psnr_est_se_db: Option<f64>,
}

impl From<Summary> for SummaryKeys {
    fn from(summary: Summary) -> Self {
        match summary {
            Summary::Measured {
                psnr_db,
                pooled_psnr_db,
                ssim,
            } => Self {
                psnr_db: Some(psnr_db.value),
                psnr_se_db: psnr_db.standard_error,
                pooled_psnr_db: Some(pooled_psnr_db.value),
                pooled_psnr_se_db: pooled_psnr_db.standard_error,
                ssim: ssim.map(|ssim| ssim.value),
                ssim_se: ssim.and_then(|ssim| ssim.standard_error),
                ..Self::default()
            },
            Summary::Estimated(psnr) => Self {
                psnr_est_db: psnr.map(|psnr| psnr.value),
                psnr_est_se_db: psnr.and_then(|psnr| psnr.standard_error),
                ..Self::default()
            },
        }
    }
}

#[cfg(test)]
mod tests {
    use std::convert::Infallible;

    use super::*;

    /// Sums of a few numbers near 1 in double precision.
    const TOLERANCE: f64 = 1e-12;

    fn scores(errors: &[f64]) -> Vec<Score> {
        let score = |&mse: &f64| Score {
            mse,
            ssim: Some(1.0 - mse),
        };
        errors.iter().map(score).collect()
    }

    #[test]
    fn psnr_definitions_have_standard_errors() {
        let summary = Summary::of(&scores(&[0.1, 0.001]), Against::Clean);
        let Summary::Measured {
            psnr_db,
            pooled_psnr_db,
            ssim: Some(ssim),
        } = summary
        else {
            panic!("{summary:?}");
        };
        // 10 and 30 dB: their deviation is sqrt(200), over sqrt(2).
        assert!((psnr_db.value - 20.0).abs() < TOLERANCE);
        assert!((psnr_db.standard_error.unwrap() - 10.0).abs() < TOLERANCE);
        assert!((pooled_psnr_db.value + 10.0 * 0.0505_f64.log10()).abs() < TOLERANCE);
        // The deviation 0.099/sqrt(2) over sqrt(2), over the mean, is 4.342945 dB each.
        let expected = 10.0 / 10.0_f64.ln() * 0.0495 / 0.0505;
        assert!((pooled_psnr_db.standard_error.unwrap() - expected).abs() < TOLERANCE);
        assert!((ssim.value - 0.9495).abs() < TOLERANCE);
        assert!((ssim.standard_error.unwrap() - 0.0495).abs() < TOLERANCE);
    }

    #[test]
    fn single_image_has_no_standard_error() {
        let alone = |value| Mean {
            value,
            standard_error: None,
        };
        let expected = Summary::Measured {
            psnr_db: alone(100.0),
            pooled_psnr_db: alone(100.0),
            ssim: Some(alone(1.0)),
        };
        assert_eq!(Summary::of(&scores(&[0.0]), Against::Clean), expected);
        let estimate = Summary::of(&scores(&[-0.001, 0.0005]), Against::SecondNoisy);
        assert_eq!(estimate, Summary::Estimated(None), "below zero");
    }

    #[test]
    fn estimate_equals_error_against_clean_image() {
        // All four pairs of signs, so that the noise of the two images is independent.
        let noisy = |signs: [f32; 4]| signs.map(|sign| 0.4 + 0.1 * sign).to_vec();
        let pair = |clean_target| NoisyPair {
            shape: [1, 2, 2],
            noisy_input: noisy([1.0, 1.0, -1.0, -1.0]),
            noisy_target: Some(noisy([1.0, -1.0, 1.0, -1.0])),
            clean_target,
            ..NoisyPair::default()
        };
        for (slope, expected) in [(1.0, 0.01), (0.5, 0.0050), (0.0, 0.01)] {
            let denoise = |image: &[f32]| {
                let denoised = image.iter().map(|value| 0.5 + slope * (value - 0.5));
                Ok::<_, Infallible>(denoised.collect())
            };
            for clean in [Some(vec![0.4; 4]), None] {
                let Ok(Score { mse, .. }) = Score::of(&pair(clean), denoise);
                assert!((mse - expected).abs() < 1e-8, "slope {slope}: {mse}");
            }
        }
    }
}
