//! What a set of scenes holds.

use anyhow::ensure;
use n2n_data::{DataError, Examples, SceneSource, View};
use n2n_files::{Sample, SampleKind, with_samples};
use rayon::prelude::*;
use serde::Serialize;

/// Scenes whose values are looked at, spread over the set.
const SAMPLED: usize = 64;

/// A set of scenes, and the examples made of it.
#[derive(Serialize)]
pub struct Set {
    /// Scenes.
    pub scenes: usize,
    /// Fewest and most shots of a scene.
    pub shots: [usize; 2],
    /// Whether each has a clean image.
    pub clean: bool,
    /// Channels of the images.
    pub channels: usize,
    /// Type of the samples, in words.
    pub dtype: String,
    /// Type of the samples.
    #[serde(skip)]
    pub kind: SampleKind,
    /// Smallest and largest height in pixels.
    pub height: [usize; 2],
    /// Smallest and largest width in pixels.
    pub width: [usize; 2],
    /// Smallest and largest sample as stored, and the mean, of `sampled` scenes; absent where none can be
    /// read.
    pub values: Option<[f64; 3]>,
    /// Shares of those samples that are the smallest and the largest integer of their type, where noise is cut off.
    pub cut_off: [f64; 2],
    /// Scenes whose values were looked at.
    pub sampled: usize,
    /// Why others of the scenes looked at cannot be read.
    #[serde(skip)]
    pub unreadable: Vec<String>,
    /// Images in an epoch.
    pub examples: usize,
    /// `[channels, height, width]` of the first example.
    pub example_shape: [usize; 3],
}

/// Looks at a set.
///
/// # Errors
/// When it has no scene.
pub fn set(source: &dyn SceneSource, examples: &Examples) -> anyhow::Result<Set> {
    ensure!(!source.is_empty(), "a set without scenes");
    let first = source.info(0);
    let (mut shots, mut height, mut width) =
        ([first.shots; 2], [first.height; 2], [first.width; 2]);
    let mut clean = true;
    for info in (0..source.len()).map(|scene| source.info(scene)) {
        widen(&mut shots, info.shots);
        widen(&mut height, info.height);
        widen(&mut width, info.width);
        clean &= info.clean;
    }
    let stride = source.len().div_ceil(SAMPLED);
    let looked_at = (0..source.len()).into_par_iter().step_by(stride);
    let found: Vec<_> = looked_at.map(|scene| values(source, scene)).collect();
    let (mut values, mut unreadable): (Vec<Values>, _) = (Vec::new(), Vec::new());
    for found in found {
        match found {
            Ok(found) => values.extend(found),
            Err(error) => unreadable.push(error.to_string()),
        }
    }
    let mean =
        |of: fn(&Values) -> f64| values.iter().map(of).sum::<f64>() / values.len().max(1) as f64;
    let low = values.iter().map(|of| of.low).reduce(f64::min);
    let high = values.iter().map(|of| of.high).reduce(f64::max);
    Ok(Set {
        scenes: source.len(),
        shots,
        clean,
        channels: source.channels(),
        dtype: source.kind().to_string(),
        kind: source.kind(),
        height,
        width,
        values: low
            .zip(high)
            .map(|(low, high)| [low, high, mean(|of| of.mean)]),
        cut_off: [mean(|of| of.cut_off[0]), mean(|of| of.cut_off[1])],
        sampled: values.len(),
        unreadable,
        examples: examples.len(),
        example_shape: examples.shape(0),
    })
}

fn widen(bounds: &mut [usize; 2], value: usize) {
    *bounds = [bounds[0].min(value), bounds[1].max(value)];
}

/// Samples of an image, those aside that are NaN or infinite.
struct Values {
    low: f64,
    high: f64,
    mean: f64,
    /// Shares of the smallest and the largest integer.
    cut_off: [f64; 2],
}

/// The samples of an image of a scene; `None` where there is no number in it.
fn values(source: &dyn SceneSource, scene: usize) -> Result<Option<Values>, DataError> {
    let view = match source.info(scene).shots {
        0 => View::Clean,
        _ => View::Shot(0),
    };
    let image = source.look(scene, view)?;
    Ok(with_samples!(&image.samples, samples => summary(samples)))
}

fn summary<T: Sample>(samples: &[T]) -> Option<Values> {
    let numbers = samples.iter().map(|sample| sample.to_f64());
    let numbers = numbers.filter(|number| number.is_finite());
    let ends = T::KIND.bounds().unwrap_or([f64::NAN; 2]);
    let (mut low, mut high, mut sum, mut count) = (f64::INFINITY, f64::NEG_INFINITY, 0.0, 0_usize);
    let mut at_ends = [0_usize; 2];
    for number in numbers {
        (low, high) = (low.min(number), high.max(number));
        sum += number;
        count += 1;
        for (at_end, end) in at_ends.iter_mut().zip(ends) {
            *at_end += usize::from(number == end);
        }
    }
    (count > 0).then(|| Values {
        low,
        high,
        mean: sum / count as f64,
        cut_off: at_ends.map(|at_end| at_end as f64 / count as f64),
    })
}
