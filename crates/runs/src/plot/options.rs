//! What is drawn against what.

use n2n_data::quality::Psnr;
use n2n_train::Record;

/// What a figure shows of each validation.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Quantity {
    /// PSNR, measured or estimated, or what stands for it with sub-images.
    #[default]
    Psnr,
    /// PSNR of the mean squared error of all images together, lower than the mean over images of their PSNR.
    PooledPsnr,
    /// Mean training loss since the validation before.
    Loss,
    /// Mean squared error of the validation, measured or estimated, or of sub-images.
    Mse,
    /// Structural similarity.
    Ssim,
    /// Learning rate.
    Lr,
}

impl Quantity {
    /// The value of a validation, if it has one.
    pub(super) fn of(self, record: &Record) -> Option<f64> {
        match self {
            Self::Psnr => Psnr::from(record.psnr).db(),
            Self::PooledPsnr => Some(-10.0 * record.val_mse.log10()),
            Self::Loss => Some(record.train_loss),
            Self::Mse => Some(record.val_mse),
            Self::Ssim => record.ssim,
            Self::Lr => Some(record.lr),
        }
        .filter(|value| value.is_finite())
    }

    /// The standard error of the same, if it is an estimate that has one.
    pub(super) fn standard_error(self, record: &Record) -> Option<f64> {
        match (self, Psnr::from(record.psnr)) {
            (
                Self::Psnr,
                Psnr::Estimated {
                    standard_error_db, ..
                },
            ) => standard_error_db,
            _ => None,
        }
    }

    /// Whether what is good is above.
    pub(super) fn rises(self) -> bool {
        matches!(self, Self::Psnr | Self::PooledPsnr | Self::Ssim)
    }

    /// Whether its value depends on how the PSNR is known.
    pub(super) fn has_kinds(self) -> bool {
        matches!(self, Self::Psnr | Self::PooledPsnr | Self::Mse)
    }

    /// The title of the axis, where the PSNR of all curves is known as `kind` says.
    pub(super) fn title(self, kind: Option<Kind>) -> String {
        let name = match self {
            Self::Psnr => match kind {
                Some(Kind::Measured) | None => "PSNR [dB]",
                Some(Kind::Estimated) => "estimated PSNR [dB]",
                Some(Kind::SubImages) => "agreement of sub-images [dB]",
            },
            Self::PooledPsnr => match kind {
                Some(Kind::Measured) | None => "PSNR of the pooled error [dB]",
                Some(Kind::Estimated) => "estimated PSNR of the pooled error [dB]",
                Some(Kind::SubImages) => "agreement of sub-images, pooled [dB]",
            },
            Self::Loss => "training loss",
            Self::Mse => match kind {
                Some(Kind::Measured) | None => "mean squared error",
                Some(Kind::Estimated) => "estimated mean squared error",
                Some(Kind::SubImages) => "mean squared error of sub-images",
            },
            Self::Ssim => "structural similarity (SSIM)",
            Self::Lr => "learning rate",
        };
        name.to_owned()
    }
}

/// What a figure shows it against.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum XQuantity {
    /// Training images.
    #[default]
    Images,
    /// Seconds since the start of training.
    Time,
}

impl XQuantity {
    pub(super) fn of(self, record: &Record) -> f64 {
        match self {
            Self::Images => record.images as f64,
            Self::Time => record.seconds,
        }
    }
}

/// How the PSNR of a run is known.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Kind {
    Measured,
    Estimated,
    SubImages,
}

impl Kind {
    pub fn of(psnr: Psnr) -> Self {
        match psnr {
            Psnr::Measured(_) => Self::Measured,
            Psnr::Estimated { .. } => Self::Estimated,
            Psnr::SubImages(_) => Self::SubImages,
        }
    }

    /// What it is called beside a label.
    pub fn name(self) -> &'static str {
        match self {
            Self::Measured => "measured",
            Self::Estimated => "estimated",
            Self::SubImages => "sub-images",
        }
    }
}

/// What is drawn of runs.
#[derive(Clone, Debug, PartialEq)]
pub struct PlotOptions {
    /// What is shown.
    pub y: Quantity,
    /// Against what.
    pub x: XQuantity,
    /// Whether `x` has a logarithmic scale.
    pub log_x: bool,
    /// Validations in a moving mean; 1 for none. The mean at a validation is that of it and those before.
    pub smooth: usize,
    /// Validations before this number of images are left out; `None` shows all, but leaves the steep start of the
    /// curves below the figure.
    pub from_images: Option<usize>,
    /// A line above the figure.
    pub title: Option<String>,
}

impl Default for PlotOptions {
    fn default() -> Self {
        Self {
            y: Quantity::default(),
            x: XQuantity::default(),
            log_x: false,
            smooth: 1,
            from_images: None,
            title: None,
        }
    }
}
