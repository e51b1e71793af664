//! How far the two images of pairs show the same: motion and brightness between them, copies, other scenes.

mod compare;
#[cfg(test)]
mod tests;

use rayon::prelude::*;
use serde::Serialize;

use self::compare::{Comparison, compare};
use crate::image_cache::ImageCache;
use crate::{Chosen, DataError, Pairing, SceneSource, View};

/// Pairs that are compared, spread over the set.
const SAMPLED: usize = 64;

/// Motion in pixels that blurs what is learned.
const LARGEST_SHIFT_PX: f64 = 0.5;

/// The same of neighbours: a frame is between those before and after it, so that half of it cancels out.
const LARGEST_NEIGHBOUR_SHIFT_PX: f64 = 1.5;

/// Motion in pixels that noise hardly feigns.
const SEEN_SHIFT_PX: f64 = 0.25;

/// Change of contrast that makes partners unlike each other.
const LARGEST_GAIN_CHANGE: f64 = 0.05;

/// Change of the mean that does, in deviations of the scene.
const LARGEST_LEVEL_CHANGE: f64 = 0.1;

/// What the two images of pairs have in common, measured on some pairs of a set.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct PartnerReport {
    /// Pairs that were compared.
    pub pairs: usize,
    /// Motion from one image to the other in pixels: three quarters of the parts whose motion can be seen move
    /// less. Absent where it cannot be seen in any.
    pub shift_px: Option<f64>,
    /// Contrast of the second image beside the first: the median. Absent where noise hides it.
    pub gain: Option<f64>,
    /// What the mean of the second image differs by, in deviations of the scene: the median.
    pub level_change: Option<f64>,
    /// Pairs whose images are of different scenes.
    pub unrelated: Option<OddPairs>,
    /// Pairs whose images are equal, or nearly so.
    pub equal: Option<OddPairs>,
    /// How shots become pairs, where they stand for each other.
    pub pairing: Option<Chosen>,
    /// Whether partners are scaled to each other.
    pub match_gain: bool,
}

/// Pairs of a set that are no pairs.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct OddPairs {
    /// How many there are.
    pub count: usize,
    /// The images of the first.
    pub first: [String; 2],
    /// Their difference beside the noise of the first: deviations of both; 1.4 of images with independent noise.
    pub difference: f64,
}

impl PartnerReport {
    /// Compares pairs of the scenes behind a cache; images that cannot be read are left out. `None` where no pair
    /// is left.
    pub(crate) fn of(
        images: &ImageCache,
        pairing: Option<Chosen>,
        match_gain: bool,
    ) -> Option<Self> {
        let source = images.source();
        let found = sampled(source, pairing).into_par_iter();
        let found: Vec<Found> = found
            .filter_map(|(scene, views)| {
                let [first, second] = views.map(|view| images.look(scene, view).ok());
                Some(Found {
                    comparison: compare(&*first?, &*second?)?,
                    names: views.map(|view| source.name(scene, view)),
                })
            })
            .collect();
        if found.is_empty() {
            return None;
        }
        let all = |value: fn(&Comparison) -> Option<f64>| -> Vec<f64> {
            let values = found.iter().filter_map(|pair| value(&pair.comparison));
            values.collect()
        };
        let shifts = found
            .iter()
            .flat_map(|pair| pair.comparison.shifts_px.iter());
        Some(Self {
            pairs: found.len(),
            shift_px: quantile(shifts.copied().collect(), 0.75),
            gain: quantile(all(|pair| pair.gain), 0.5),
            level_change: quantile(all(|pair| pair.level_change), 0.5),
            unrelated: OddPairs::of(&found, |pair| pair.is_unrelated),
            equal: OddPairs::of(&found, |pair| pair.is_equal),
            pairing,
            match_gain,
        })
    }

    /// What was measured, in a line.
    pub fn text(&self) -> String {
        let number = |value: Option<f64>, unit: &str| match value {
            Some(value) => format!("{value:.2}{unit}"),
            None => "not to be seen".to_owned(),
        };
        format!(
            "partners: {} pairs compared: motion {}, contrast of the second beside the first {}",
            self.pairs,
            number(self.shift_px, " pixels"),
            number(self.gain, "")
        )
    }

    /// What a person should know, each in a line: what was found, what becomes of it, and the way out.
    pub fn warnings(&self) -> Vec<String> {
        let neighbours = self.is_of_neighbours();
        let mut warnings = Vec::new();
        if let Some(odd) = &self.equal {
            warnings.push(format!(
                "the images of {} of {} pairs are equal or nearly so, such as {} and {}: there is no noise to learn \
                 from them; give two exposures of each scene, not copies of one",
                odd.count, self.pairs, odd.first[0], odd.first[1]
            ));
        }
        if let Some(odd) = &self.unrelated {
            let way_out = match self.pairing.map(|chosen| chosen.pairing) {
                Some(Pairing::Neighbours) => "leave out frames where the scene changes",
                Some(Pairing::Any) => {
                    "set data.pairing = \"neighbours\" for frames of a series, or data.axes for planes of a volume"
                }
                _ => "see that both are of one scene, in the same order",
            };
            warnings.push(format!(
                "the images of {} of {} pairs show different things, such as {} and {}: only their mean would be \
                 learned; {way_out}",
                odd.count, self.pairs, odd.first[0], odd.first[1]
            ));
        }
        if let Some(shift) = self.shift_px.filter(|_| self.moves()) {
            let way_out = match self.pairing.map(|chosen| chosen.pairing) {
                Some(Pairing::Any) => {
                    "set data.pairing = \"neighbours\" for frames of a series, or align the images"
                }
                Some(Pairing::Neighbours) => "align the frames, or record them faster",
                _ => "align the images",
            };
            let what = if neighbours {
                "scenes move from frame to frame"
            } else {
                "the two images of a pair are shifted"
            };
            warnings.push(format!(
                "{what} by {shift:.1} pixels or more in a quarter of their parts: what is learned is blurred; \
                 {way_out}"
            ));
        }
        if self.fades() && !self.match_gain {
            warnings.push(format!(
                "the second image of a pair {}: what is learned is a mean of both; data.match_gain = true scales \
                 them to each other",
                self.brightness()
            ));
        }
        warnings
    }

    /// What is done about the brightness of partners, in a line, if anything.
    pub fn remark(&self) -> Option<String> {
        self.match_gain.then(|| {
            format!(
                "partners are scaled to each other (data.match_gain): the second image of a pair {}",
                self.brightness()
            )
        })
    }

    /// Checks that most pairs have noise to learn from.
    ///
    /// # Errors
    /// [`DataError::EqualPartners`].
    pub fn check(&self) -> Result<(), DataError> {
        match &self.equal {
            Some(odd) if 2 * odd.count > self.pairs => {
                let [first, second] = odd.first.clone();
                Err(DataError::EqualPartners {
                    count: odd.count,
                    pairs: self.pairs,
                    first,
                    second,
                    percent: 100.0 * odd.difference,
                })
            }
            _ => Ok(()),
        }
    }

    /// Whether the two images of pairs differ in more than noise, if only as neighbouring frames may.
    pub fn differs(&self) -> bool {
        let moves = self.shift_px.is_some_and(|shift| shift > SEEN_SHIFT_PX);
        self.is_of_neighbours() && moves || !self.warnings().is_empty()
    }

    /// Whether neighbouring frames are pairs.
    fn is_of_neighbours(&self) -> bool {
        self.pairing
            .is_some_and(|chosen| chosen.pairing == Pairing::Neighbours)
    }

    fn moves(&self) -> bool {
        let largest = if self.is_of_neighbours() {
            LARGEST_NEIGHBOUR_SHIFT_PX
        } else {
            LARGEST_SHIFT_PX
        };
        self.shift_px.is_some_and(|shift| shift > largest)
    }

    fn fades(&self) -> bool {
        let changes = |value: Option<f64>, largest: f64| {
            value.is_some_and(|value: f64| value.abs() > largest)
        };
        changes(self.gain.map(|gain| gain - 1.0), LARGEST_GAIN_CHANGE)
            || changes(self.level_change, LARGEST_LEVEL_CHANGE)
    }

    /// How the second image follows the first, in words.
    fn brightness(&self) -> String {
        let (gain, change) = (self.gain.unwrap_or(1.0), self.level_change.unwrap_or(0.0));
        format!(
            "has {gain:.2} times the contrast of the first, and its mean lies {:.2} deviations of the scene {}",
            change.abs(),
            if change < 0.0 { "lower" } else { "higher" }
        )
    }
}

/// A pair that was compared.
struct Found {
    comparison: Comparison,
    names: [String; 2],
}

impl OddPairs {
    fn of(found: &[Found], is_odd: impl Fn(&Comparison) -> bool) -> Option<Self> {
        let odd = found.iter().filter(|pair| is_odd(&pair.comparison));
        let odd: Vec<&Found> = odd.collect();
        odd.first().map(|first| Self {
            count: odd.len(),
            first: first.names.clone(),
            difference: first.comparison.difference,
        })
    }
}

/// Pairs of a set as training draws them, spread over it; the earlier shot first.
fn sampled(source: &dyn SceneSource, pairing: Option<Chosen>) -> Vec<(usize, [View; 2])> {
    let stride = source.len().div_ceil(SAMPLED).max(1);
    let each = (SAMPLED / source.len().max(1)).max(1);
    let mut pairs = Vec::new();
    for scene in (0..source.len()).step_by(stride) {
        let shots = source.info(scene).shots;
        if shots < 2 {
            continue;
        }
        // Two of many shots that are drawn at random are a third of them apart.
        let distance = match pairing.map(|chosen| chosen.pairing) {
            Some(Pairing::Any) => (shots / 3).max(1),
            _ => 1,
        };
        let firsts = match pairing {
            Some(_) => shots - distance,
            None => 1,
        };
        let stride = firsts.div_ceil(each);
        let shot = |first| [first, first + distance].map(View::Shot);
        pairs.extend(
            (0..firsts)
                .step_by(stride)
                .map(|first| (scene, shot(first))),
        );
    }
    pairs
}

/// The value that a share of all lies below; `None` of none.
fn quantile(mut values: Vec<f64>, share: f64) -> Option<f64> {
    let last = values.len().checked_sub(1)?;
    let at = (share * last as f64).round() as usize;
    Some(*values.select_nth_unstable_by(at, f64::total_cmp).1)
}
