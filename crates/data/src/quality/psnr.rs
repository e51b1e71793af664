use serde::{Deserialize, Serialize};

use super::Mean;

/// Smallest mean squared error, that of 100 dB: a mean over images with perfect ones stays finite.
const MIN_MSE: f64 = 1e-10;

/// Mean squared error of two images: `mean((a - b)²)` over all pixels and channels.
///
/// # Panics
/// If the images differ in length or are empty.
pub fn mse(a: &[f32], b: &[f32]) -> f64 {
    assert_eq!(a.len(), b.len(), "number of values of two images");
    assert!(!a.is_empty(), "MSE of empty images");
    let squares = a
        .iter()
        .zip(b)
        .map(|(&a, &b)| (f64::from(a) - f64::from(b)).powi(2));
    squares.sum::<f64>() / a.len() as f64
}

/// The same over the pixels where a mask is not 0; all of them without a mask. 0 where no pixel is left.
///
/// # Shapes
/// - `a`, `b`: `[channels, pixels]`
/// - `mask`: `[pixels]`
///
/// # Panics
/// As for [`mse`], and if the mask does not fit.
pub fn masked_mse(a: &[f32], b: &[f32], mask: Option<&[f32]>) -> f64 {
    let Some(mask) = mask else {
        return mse(a, b);
    };
    assert!(
        a.len() == b.len() && a.len().is_multiple_of(mask.len()),
        "values of two images and a mask"
    );
    let kept = |values: &[f32]| -> Vec<f32> {
        let values = values.iter().zip(mask.iter().cycle());
        values
            .filter(|(_, mask)| **mask != 0.0)
            .map(|(value, _)| *value)
            .collect()
    };
    let (a, b) = (kept(a), kept(b));
    if a.is_empty() { 0.0 } else { mse(&a, &b) }
}

/// Peak signal-to-noise ratio of one image in dB: `-10·log10(mse)` for values in `[0, 1]`.
///
/// Errors below 1e-10 count as 1e-10, so it is never above 100 dB. NaN stays NaN: the output of a
/// network that diverged is not a perfect one.
pub fn psnr_db(mse: f64) -> f64 {
    // `f64::max` would take the number and drop the NaN.
    let mse = if mse < MIN_MSE { MIN_MSE } else { mse };
    -10.0 * mse.log10()
}

/// Mean over images of the [`psnr_db`] of each.
///
/// # Panics
/// If there is no image.
pub fn mean_psnr_db(mse_per_image: &[f64]) -> f64 {
    let psnrs: Vec<f64> = mse_per_image.iter().map(|&mse| psnr_db(mse)).collect();
    Mean::of(&psnrs).value
}

/// What denoised images are compared with.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Reference {
    /// Clean images.
    Clean,
    /// A second noisy image of each scene, from which the error is estimated.
    SecondNoisy,
    /// The other sub-image of a single noisy image. Its noise is part of the error, and does not depend on the
    /// network: of two networks, the one with the smaller error is closer to the scene.
    SubImage,
}

/// Peak signal-to-noise ratio of a set of images, in dB, or what stands for it.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Psnr {
    /// Against clean images: [`mean_psnr_db`].
    Measured(f64),
    /// Without clean images: of the mean over images of [`noise2noise_mse`](super::noise2noise_mse).
    Estimated {
        /// `-10·log10(mean)`; `None` where the mean is not positive, so not distinguishable from 0.
        db: Option<f64>,
        /// Standard error of `db`, by the delta method.
        standard_error_db: Option<f64>,
    },
    /// Of single noisy images, `-10·log10` of the mean squared error between a denoised sub-image and the other,
    /// noisy one. It is no PSNR: the noise of the other is in it.
    SubImages(f64),
}

impl Psnr {
    /// From the error of each image: mean squared errors against clean images or other sub-images, or estimates of
    /// the former.
    ///
    /// # Panics
    /// If there is no image.
    pub fn of(errors: &[f64], reference: Reference) -> Self {
        if reference == Reference::Clean {
            return Self::Measured(mean_psnr_db(errors));
        }
        let mean = Mean::of(errors);
        if reference == Reference::SubImage {
            return Self::SubImages(psnr_db(mean.value));
        }
        if mean.value <= 0.0 {
            return Self::Estimated {
                db: None,
                standard_error_db: None,
            };
        }
        // d(-10 log10(m)) = -10 / ln(10) dm / m
        let in_db = |error| 10.0 / 10.0_f64.ln() * error / mean.value;
        let standard_error_db = mean.standard_error.map(in_db);
        Self::Estimated {
            db: Some(-10.0 * mean.value.log10()),
            standard_error_db: standard_error_db.filter(|error| error.is_finite()),
        }
    }

    /// The number, measured or estimated, if there is one.
    pub fn db(self) -> Option<f64> {
        match self {
            Self::Measured(db) | Self::SubImages(db) => Some(db),
            Self::Estimated { db, .. } => db,
        }
    }

    /// What the number is, before it in a line.
    pub fn name(self) -> &'static str {
        match self {
            Self::Measured(_) | Self::Estimated { .. } => "PSNR",
            Self::SubImages(_) => "agreement of sub-images",
        }
    }

    /// That of the noisy input, in words.
    pub fn of_noisy(self) -> String {
        match self {
            Self::Measured(_) | Self::Estimated { .. } => format!("noisy input {self}"),
            Self::SubImages(_) => format!("noisy sub-images agree to {self}"),
        }
    }

    /// Whether it is that of images, and not of sub-images, in which the noise of the other is counted.
    pub fn is_of_images(self) -> bool {
        !matches!(self, Self::SubImages(_))
    }
}

impl std::fmt::Display for Psnr {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match *self {
            Self::Measured(db) | Self::SubImages(db) => write!(f, "{db:.2} dB"),
            Self::Estimated { db: None, .. } => f.write_str("not estimable"),
            Self::Estimated {
                db: Some(db),
                standard_error_db,
            } => {
                write!(f, "{db:.2}")?;
                if let Some(error) = standard_error_db {
                    write!(f, " +- {error:.2}")?;
                }
                f.write_str(" dB (estimated)")
            }
        }
    }
}

/// A [`Psnr`] as keys of a record.
#[derive(Clone, Copy, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct PsnrKeys {
    /// Measured against clean images.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub psnr_db: Option<f64>,
    /// Estimated without clean images.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub psnr_est_db: Option<f64>,
    /// Standard error of the estimate.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub psnr_est_se_db: Option<f64>,
    /// Not a PSNR: that of sub-images of single noisy images, see [`Psnr::SubImages`].
    #[serde(skip_serializing_if = "Option::is_none")]
    pub sub_images_db: Option<f64>,
}

impl From<PsnrKeys> for Psnr {
    fn from(keys: PsnrKeys) -> Self {
        match (keys.psnr_db, keys.sub_images_db) {
            (Some(db), _) => Self::Measured(db),
            (None, Some(db)) => Self::SubImages(db),
            (None, None) => Self::Estimated {
                db: keys.psnr_est_db,
                standard_error_db: keys.psnr_est_se_db,
            },
        }
    }
}

impl From<Psnr> for PsnrKeys {
    fn from(psnr: Psnr) -> Self {
        match psnr {
            Psnr::Measured(db) => Self {
                psnr_db: Some(db),
                ..Self::default()
            },
            Psnr::Estimated {
                db,
                standard_error_db,
            } => Self {
                psnr_est_db: db,
                psnr_est_se_db: standard_error_db,
                ..Self::default()
            },
            Psnr::SubImages(db) => Self {
                sub_images_db: Some(db),
                ..Self::default()
            },
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn psnr_is_averaged_over_images() {
        assert_eq!(mean_psnr_db(&[0.1, 0.001]), 20.0);
        assert_eq!(mean_psnr_db(&[0.0]), 100.0);
    }

    #[test]
    fn masked_pixels_do_not_count() {
        let (a, b) = ([1.0, 5.0, 1.0, 1.0, 5.0, 3.0], [0.0; 6]);
        let mask = [1.0, 0.0, 1.0];
        assert_eq!(masked_mse(&a, &b, Some(&mask)), 3.0);
        assert_eq!(masked_mse(&a, &b, None), 62.0 / 6.0);
        assert_eq!(masked_mse(&a, &b, Some(&[0.0; 3])), 0.0);
    }

    #[test]
    fn estimate_is_pooled_with_its_standard_error() {
        let Psnr::Estimated {
            db: Some(db),
            standard_error_db: Some(error),
        } = Psnr::of(&[0.02, -0.002, 0.012], Reference::SecondNoisy)
        else {
            panic!("a mean of 0.01 is estimable");
        };
        assert!((db - 20.0).abs() < 1e-12, "{db}");
        // The deviation is 0.0111355; over sqrt(3) it is 0.642910 of the mean, and 4.342945 dB each.
        assert!((error - 2.792124).abs() < 1e-5, "{error}");
        let nothing = Psnr::of(&[0.01, -0.02], Reference::SecondNoisy);
        assert_eq!(nothing.to_string(), "not estimable");
    }

    #[test]
    fn errors_of_sub_images_are_no_psnr() {
        let found = Psnr::of(&[0.02, 0.0], Reference::SubImage);
        assert_eq!(found, Psnr::SubImages(20.0));
        let keys = PsnrKeys::from(found);
        assert_eq!(
            serde_json::to_value(keys).unwrap(),
            serde_json::json!({"sub_images_db": 20.0})
        );
        assert_eq!(Psnr::from(keys), found);
        assert!(!found.is_of_images() && found.name() != "PSNR");
    }
}
