//! What is evaluated: models, classical methods at their best, and the noisy input as it is.

use std::path::{Path, PathBuf};

use anyhow::{Context, ensure};
use burn::tensor::Device;
use n2n_data::Range;
use n2n_data::classical::{Best, Classical};
use n2n_denoise::{Denoiser, Image};

/// What stands in the place of the bundled model's path.
const BUNDLED: &str = "bundled model";

/// A way from noisy images to less noisy ones.
pub enum Method {
    /// The noisy images as they are.
    Input,
    /// A classical method.
    Classical {
        /// Which.
        method: Classical,
        /// The strength that is best on the evaluated images.
        best: Best,
    },
    /// A trained network.
    Model {
        /// The path, as typed; [`BUNDLED`] has none.
        path: PathBuf,
        /// The network.
        denoiser: Box<Denoiser>,
    },
}

impl Method {
    /// The denoised image, of the same shape.
    ///
    /// # Errors
    /// When a network fails.
    pub fn denoise(&self, image: &[f32], shape: [usize; 3]) -> anyhow::Result<Vec<f32>> {
        match self {
            Self::Input => Ok(image.to_vec()),
            Self::Classical { method, best } => Ok(method.denoise(image, shape, best.strength)),
            Self::Model { path, denoiser } => {
                let image = Image::new(shape, image.to_vec())?;
                let denoised = denoiser.denoise(&image);
                let denoised = denoised.with_context(|| format!("in {}", path.display()))?;
                Ok(denoised.into_values())
            }
        }
    }

    /// What tables call it.
    pub fn name(&self) -> String {
        match self {
            Self::Input => "noisy input".to_owned(),
            Self::Classical { method, .. } => name(*method).to_owned(),
            Self::Model { path, .. } => path.display().to_string(),
        }
    }

    /// What pictures call it, where there is little room.
    pub fn short_name(&self) -> String {
        match self {
            Self::Model { path, .. } => short(path),
            _ => self.name(),
        }
    }

    /// What it is: `input`, `classical` or `model`.
    pub fn kind(&self) -> &'static str {
        match self {
            Self::Input => "input",
            Self::Classical { .. } => "classical",
            Self::Model { .. } => "model",
        }
    }

    /// The strength of a classical method.
    pub fn best(&self) -> Option<Best> {
        match self {
            Self::Classical { best, .. } => Some(*best),
            _ => None,
        }
    }

    /// Its strength in words.
    pub fn strength(&self) -> String {
        match self {
            Self::Classical { method, best } => strength(*method, best.strength),
            _ => String::new(),
        }
    }
}

/// What a classical method is called.
pub fn name(method: Classical) -> &'static str {
    match method {
        Classical::GaussianBlur => "Gaussian blur",
        Classical::Median => "median",
        Classical::NonLocalMeans => "non-local means",
    }
}

/// The strength of a classical method, with its unit.
pub fn strength(method: Classical, strength: f64) -> String {
    match method {
        Classical::GaussianBlur => format!("sigma {strength:.2} px"),
        Classical::Median => format!("{strength}x{strength} px"),
        Classical::NonLocalMeans => format!("h {strength:.3}"),
    }
}

/// The last part of a path that says which model it is.
fn short(path: &Path) -> String {
    let run = |path: &Path| {
        path.file_name()
            .map(|name| name.to_string_lossy().into_owned())
    };
    let of_run = path.parent().filter(|_| path.ends_with("best.safetensors"));
    let name = of_run.and_then(run).or_else(|| run(path));
    name.unwrap_or_else(|| path.display().to_string())
}

/// Loads models, or the bundled one if there is no path.
///
/// # Errors
/// When one cannot be loaded.
pub fn load(
    paths: &[PathBuf],
    device: &Device,
    self_ensemble: bool,
) -> anyhow::Result<Vec<Method>> {
    let model = |path: &Path, denoiser: Denoiser| Method::Model {
        path: path.to_owned(),
        denoiser: Box::new(denoiser.with_self_ensemble(self_ensemble)),
    };
    if paths.is_empty() {
        let bundled = Denoiser::bundled_on(device);
        return Ok(vec![model(Path::new(BUNDLED), bundled)]);
    }
    let load = |path: &PathBuf| Ok(model(path, Denoiser::load_on(path, device)?));
    paths.iter().map(load).collect()
}

/// The samples that become 0 and 1 for all models, as `n2n denoise` takes them.
///
/// # Errors
/// When models were trained with different ones.
pub fn range(models: &[Method]) -> anyhow::Result<Option<Range>> {
    let ranges = models.iter().filter_map(|model| match model {
        Method::Model { path, denoiser } => Some((path, &denoiser.metadata().range)),
        _ => None,
    });
    let ranges: Vec<_> = ranges.collect();
    let Some((first_path, first)) = ranges.first() else {
        return Ok(None);
    };
    for (path, range) in &ranges {
        ensure!(
            range == first,
            "{} was trained with data.range {}, and {} with {}; say which to evaluate with, as with \
             --set data.range=[0,255]",
            first_path.display(),
            in_words(first.as_ref()),
            path.display(),
            in_words(range.as_ref())
        );
    }
    Ok((*first).clone())
}

fn in_words(range: Option<&Range>) -> String {
    range.map_or("that of the type".to_owned(), ToString::to_string)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn model_short_name_is_distinctive() {
        for (path, expected) in [
            ("runs/own-3", "own-3"),
            ("runs/own-3/", "own-3"),
            ("runs/own-3/best.safetensors", "own-3"),
            ("runs/own-3/last.safetensors", "last.safetensors"),
            ("best.safetensors", "best.safetensors"),
        ] {
            assert_eq!(short(Path::new(path)), expected);
        }
    }
}
