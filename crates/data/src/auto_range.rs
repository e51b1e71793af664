//! The range of samples where nobody says it: from the samples themselves.
//!
//! Networks work best on numbers around `[0, 1]`, and sensors, scanners and simulations store anything.

use n2n_files::{Raster, Sample, SampleKind, with_samples};
use serde::de::Error;
use serde::{Deserialize, Deserializer, Serialize, Serializer};

use crate::scale::Range;
use crate::{SceneSource, View};

/// Share of the samples below and above the range: a few hot or dead pixels do not stretch it.
const TAIL: f64 = 0.001;

/// Scenes that are looked at, spread over the set.
const SCENES: usize = 64;

/// Samples that are looked at in a channel of an image, spread over it.
const SAMPLES: usize = 1 << 15;

/// Floats within this distance of `[0, 1]` are on that scale, as those of pictures with noise.
const MARGIN: f64 = 0.25;

/// Floats on the scale of `[0, 1]` extend at least this far.
const LEAST_EXTENT: f64 = 0.25;

/// Which samples become 0 and 1, as an experiment says it.
#[derive(Clone, Debug, Default, PartialEq)]
pub enum RangeConfig {
    /// As the type says for 8-bit pictures, and for floats on the scale of `[0, 1]`; else from the noisy
    /// training images.
    #[default]
    Auto,
    /// 0 and the largest integer of the type, or 1.0 of floats.
    Type,
    /// These.
    Given(Range),
}

/// Notations of [`RangeConfig::Auto`] and [`RangeConfig::Type`].
const AUTO: &str = "auto";
const TYPE: &str = "type";

impl RangeConfig {
    /// The range of a set, whose images are read as far as needed; `None` is that of the type. Images
    /// that cannot be read are left out.
    pub(crate) fn resolve(&self, source: &dyn SceneSource) -> Option<Range> {
        match self {
            Self::Given(range) => Some(range.clone()),
            Self::Type => None,
            Self::Auto => of_source(source),
        }
    }
}

impl From<Option<Range>> for RangeConfig {
    fn from(range: Option<Range>) -> Self {
        range.map_or(Self::Type, Self::Given)
    }
}

impl Serialize for RangeConfig {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        match self {
            Self::Auto => AUTO.serialize(serializer),
            Self::Type => TYPE.serialize(serializer),
            Self::Given(range) => range.serialize(serializer),
        }
    }
}

impl<'de> Deserialize<'de> for RangeConfig {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        #[derive(Deserialize)]
        #[serde(untagged)]
        enum Notation {
            Word(String),
            Range(Range),
        }
        match Notation::deserialize(deserializer) {
            Ok(Notation::Range(range)) => Ok(Self::Given(range)),
            Ok(Notation::Word(word)) if word == AUTO => Ok(Self::Auto),
            Ok(Notation::Word(word)) if word == TYPE => Ok(Self::Type),
            _ => Err(D::Error::custom(
                "expected \"auto\", \"type\", two numbers such as [0, 4095], or two for each channel",
            )),
        }
    }
}

/// The range of an image on its own; `None` is that of its type.
pub fn range_of_image(image: &Raster) -> Option<Range> {
    let mut channels = vec![Vec::new(); image.channels];
    sample(image, &mut channels);
    of_channels(image.samples.kind(), channels)
}

/// The range of the noisy images of a set, or of its clean ones where noise is put on those.
fn of_source(source: &dyn SceneSource) -> Option<Range> {
    if source.is_empty() || source.kind() == SampleKind::U8 {
        return None;
    }
    let mut channels = vec![Vec::new(); source.channels()];
    for scene in (0..source.len()).step_by(source.len().div_ceil(SCENES)) {
        let views = match source.info(scene).shots {
            0 => vec![View::Clean],
            1 => vec![View::Shot(0)],
            _ => vec![View::Shot(0), View::Shot(1)],
        };
        for image in views.into_iter().flat_map(|view| source.look(scene, view)) {
            sample(&image, &mut channels);
        }
    }
    of_channels(source.kind(), channels)
}

/// Adds samples of an image, those of each channel to its own.
fn sample(image: &Raster, channels: &mut [Vec<f64>]) {
    let area = image.height * image.width;
    let stride = area.div_ceil(SAMPLES);
    with_samples!(&image.samples, samples => {
        for (plane, channel) in samples.chunks_exact(area).zip(channels) {
            let samples = plane.iter().step_by(stride).map(|sample| sample.to_f64());
            channel.extend(samples.filter(|sample| sample.is_finite()));
        }
    });
}

/// The range of samples, those of each channel; grey and colour share one, so that colours stay.
fn of_channels(kind: SampleKind, channels: Vec<Vec<f64>>) -> Option<Range> {
    if kind == SampleKind::U8 {
        return None;
    }
    let is_picture = matches!(channels.len(), 1 | 3);
    if kind.is_float() {
        let mut all = channels.concat();
        let [low, high] = robust(&mut all)?;
        if low >= -MARGIN && high <= 1.0 + MARGIN && high - low >= LEAST_EXTENT {
            return None;
        }
        if is_picture {
            return Some(Range::Shared([low, high]));
        }
    }
    if is_picture {
        return robust(&mut channels.concat()).map(Range::Shared);
    }
    let ends = channels.into_iter().map(|mut channel| robust(&mut channel));
    // A channel without any number has nothing to scale.
    let ends = ends.map(|ends| ends.unwrap_or([0.0, 1.0]));
    Some(Range::PerChannel(ends.collect()))
}

/// The samples that all but a share of [`TAIL`] at either end lie between; `None` without samples.
fn robust(samples: &mut [f64]) -> Option<[f64; 2]> {
    let last = samples.len().checked_sub(1)?;
    let tail = (TAIL * last as f64).floor() as usize;
    let mut nth = |at: usize| *samples.select_nth_unstable_by(at, f64::total_cmp).1;
    let (low, high) = (nth(tail), nth(last - tail));
    // Samples that are all alike: any extent will do, at their own magnitude.
    let high = if high > low {
        high
    } else {
        low + low.abs().max(1.0)
    };
    Some([low, high])
}

#[cfg(test)]
mod tests {
    use n2n_files::Samples;

    use super::*;

    fn image(channels: usize, samples: Samples) -> Raster {
        Raster {
            channels,
            height: 1,
            width: samples.len() / channels,
            samples,
            alpha: None,
        }
    }

    fn floats(values: impl Iterator<Item = f32>) -> Option<Range> {
        range_of_image(&image(1, Samples::F32(values.collect())))
    }

    #[test]
    fn counts_have_a_robust_range() {
        // 0 to 9999 and one hot pixel in ten thousand.
        let counts = (0..10_000).map(|at| if at == 17 { 60_000 } else { at });
        let range = range_of_image(&image(1, Samples::U16(counts.collect())));
        assert_eq!(range, Some(Range::Shared([9.0, 9991.0])));
    }

    #[test]
    fn pictures_keep_the_range_of_their_type() {
        assert_eq!(
            range_of_image(&image(3, Samples::U8(vec![0, 7, 200]))),
            None
        );
        assert_eq!(floats((0..50).map(|at| at as f32 / 50.0)), None);
        assert_eq!(floats((0..50).map(|at| at as f32 / 40.0 - 0.1)), None);
    }

    #[test]
    fn floats_of_other_scales_have_their_own_range() {
        let dark = floats((0..50).map(|at| at as f32 / 1000.0));
        assert_eq!(
            dark,
            Some(Range::Shared([0.0, f64::from(49.0_f32 / 1000.0)]))
        );
        let holes = [f32::NAN, -3.0, 40.0, f32::INFINITY].into_iter();
        assert_eq!(floats(holes), Some(Range::Shared([-3.0, 40.0])));
        assert_eq!(
            floats([5.0; 9].into_iter()),
            Some(Range::Shared([5.0, 10.0]))
        );
        assert_eq!(floats([f32::NAN; 9].into_iter()), None);
    }

    #[test]
    fn bands_have_a_range_each() {
        let bands = image(2, Samples::I16(vec![-5, 0, 5, 100, 300, 200]));
        let expected = Range::PerChannel(vec![[-5.0, 5.0], [100.0, 300.0]]);
        assert_eq!(range_of_image(&bands), Some(expected));
    }

    #[test]
    fn configs_read_back() {
        let given = |range| RangeConfig::Given(range);
        for (text, expected) in [
            ("\"auto\"", RangeConfig::Auto),
            ("\"type\"", RangeConfig::Type),
            ("[0, 4095]", given(Range::Shared([0.0, 4095.0]))),
            (
                "[[0, 1], [-1, 0.5]]",
                given(Range::PerChannel(vec![[0.0, 1.0], [-1.0, 0.5]])),
            ),
        ] {
            let config: RangeConfig = serde_json::from_str(text).unwrap();
            assert_eq!(config, expected);
            let again = serde_json::to_string(&config).unwrap();
            assert_eq!(serde_json::from_str::<RangeConfig>(&again).unwrap(), config);
        }
        let error = serde_json::from_str::<RangeConfig>("7").unwrap_err();
        assert!(error.to_string().contains("\"auto\""), "{error}");
    }
}
