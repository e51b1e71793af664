//! The short form of a noise: `kind:numbers,flag`, where a level may be a range.

use std::fmt;
use std::str::FromStr;

use super::config::{BLUR_PX, FACTOR};
use super::{Level, NoiseConfig, NoiseError};

/// What [`NoiseConfig::from_str`] accepts.
const FORMS: &str = "gaussian:SIGMA_255, poisson:PEAK, poisson_gaussian:PEAK,SIGMA_255, \
    speckle:SIGMA, brown:SIGMA_255 or brown:SIGMA_255,BLUR_PX, these with `,clip` at the end or not; \
    bernoulli:P, impulse:P, salt_pepper:P, text:P or text:P,antialias, points or points:FACTOR. \
    Each number but BLUR_PX and FACTOR may be a range: gaussian:25 or gaussian:5..50";

impl FromStr for NoiseConfig {
    type Err = NoiseError;

    /// Reads a short form and checks its numbers.
    fn from_str(text: &str) -> Result<Self, NoiseError> {
        let config = parse(text.trim()).ok_or_else(|| NoiseError::Form {
            found: text.to_owned(),
            expected: FORMS,
        })?;
        config.validate()?;
        Ok(config)
    }
}

fn parse(text: &str) -> Option<NoiseConfig> {
    let (kind, rest) = text.split_once(':').unwrap_or((text, ""));
    let mut parts: Vec<&str> = rest.split(',').map(str::trim).collect();
    let flag = parts.pop_if(|last| ["clip", "antialias"].contains(last));
    let (clip, antialias) = (flag == Some("clip"), flag == Some("antialias"));
    let level = Level::parse;
    Some(match (kind.trim(), &parts[..], flag) {
        ("gaussian", [sigma_255], None | Some("clip")) => NoiseConfig::Gaussian {
            sigma_255: level(sigma_255)?,
            clip,
        },
        ("poisson", [peak], None | Some("clip")) => NoiseConfig::Poisson {
            peak: level(peak)?,
            clip,
        },
        ("poisson_gaussian", [peak, sigma_255], None | Some("clip")) => {
            NoiseConfig::PoissonGaussian {
                peak: level(peak)?,
                sigma_255: level(sigma_255)?,
                clip,
            }
        }
        ("speckle", [sigma], None | Some("clip")) => NoiseConfig::Speckle {
            sigma: level(sigma)?,
            clip,
        },
        ("brown", [sigma_255, blur_px @ ..], None | Some("clip")) => NoiseConfig::Brown {
            sigma_255: level(sigma_255)?,
            blur_px: match blur_px {
                [] => BLUR_PX,
                [blur_px] => blur_px.parse().ok()?,
                _ => return None,
            },
            clip,
        },
        ("bernoulli", [p], None) => NoiseConfig::Bernoulli { p: level(p)? },
        ("impulse", [p], None) => NoiseConfig::Impulse { p: level(p)? },
        ("salt_pepper", [p], None) => NoiseConfig::SaltPepper { p: level(p)? },
        ("text", [p], None | Some("antialias")) => NoiseConfig::Text {
            p: level(p)?,
            antialias,
        },
        ("points", [""], None) => NoiseConfig::Points { factor: FACTOR },
        ("points", [factor], None) => NoiseConfig::Points {
            factor: factor.parse().ok()?,
        },
        _ => return None,
    })
}

/// The short form that [`NoiseConfig::from_str`] reads back to the same noise.
impl fmt::Display for NoiseConfig {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let flag = match self {
            Self::Gaussian { clip: true, .. }
            | Self::Poisson { clip: true, .. }
            | Self::PoissonGaussian { clip: true, .. }
            | Self::Speckle { clip: true, .. }
            | Self::Brown { clip: true, .. } => ",clip",
            Self::Text {
                antialias: true, ..
            } => ",antialias",
            _ => "",
        };
        match self {
            Self::Gaussian { sigma_255, .. } => write!(f, "gaussian:{sigma_255}{flag}"),
            Self::Poisson { peak, .. } => write!(f, "poisson:{peak}{flag}"),
            Self::PoissonGaussian {
                peak, sigma_255, ..
            } => write!(f, "poisson_gaussian:{peak},{sigma_255}{flag}"),
            Self::Speckle { sigma, .. } => write!(f, "speckle:{sigma}{flag}"),
            Self::Brown {
                sigma_255, blur_px, ..
            } if *blur_px == BLUR_PX => write!(f, "brown:{sigma_255}{flag}"),
            Self::Brown {
                sigma_255, blur_px, ..
            } => write!(f, "brown:{sigma_255},{blur_px}{flag}"),
            Self::Bernoulli { p } => write!(f, "bernoulli:{p}"),
            Self::Impulse { p } => write!(f, "impulse:{p}"),
            Self::SaltPepper { p } => write!(f, "salt_pepper:{p}"),
            Self::Text { p, .. } => write!(f, "text:{p}{flag}"),
            Self::Points { factor } => write!(f, "points:{factor}"),
        }
    }
}
