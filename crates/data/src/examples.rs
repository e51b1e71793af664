//! Examples for a network: windows of scenes, augmented or corrupted, each a pure function of the
//! seed, the epoch and its index.

use std::sync::Arc;

use rand::{RngExt, SeedableRng};
use rand_chacha::ChaCha8Rng;

use crate::augment::{AugmentConfig, Augmentation};
use crate::cut::{Cut, Scale};
use crate::noise::{self, Member, NoiseModel};
use crate::order::Order;
use crate::{DataError, Library, NoisyPair, SceneInfo, Target, View};

/// Most examples that one epoch takes from one scene.
const MOST_PATCHES: usize = 64;

/// Which example, and the how manieth time it is seen.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Visit {
    /// Passes over the set before this one.
    pub epoch: u64,
    /// Index of the example.
    pub index: usize,
}

/// Which part of a scene an example is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Framing {
    /// All of it; in training, every scene is of one size.
    Whole,
    /// A square somewhere, of this side.
    Anywhere(usize),
    /// The middle, its sides multiples of the first number and at most the second.
    Middle { divisor: usize, largest: usize },
}

/// How scenes become examples.
pub(crate) struct Recipe {
    pub framing: Framing,
    pub scale: Scale,
    pub channels: usize,
    pub augment: AugmentConfig,
    /// Makes noisy images out of clean ones.
    pub noise: Option<Arc<dyn NoiseModel>>,
    /// Whether inputs are cut off at 0 and 1.
    pub clip_input: bool,
    /// The target that training needs; validation takes what there is.
    pub target: Option<Target>,
    pub seed: u64,
    /// Bytes of decoded images that stay in memory.
    pub cache_bytes: usize,
}

/// A finite set of examples.
pub struct Examples {
    library: Arc<Library>,
    recipe: Recipe,
    order: Order,
}

impl Examples {
    pub(crate) fn new(library: Arc<Library>, recipe: Recipe) -> Self {
        let source = library.source();
        let infos = || (0..source.len()).map(|scene| source.info(scene));
        let largest = infos().map(|info| library.scene_bytes(info)).max();
        let window = match largest {
            Some(bytes @ 1..) if !source.in_memory() => recipe.cache_bytes / bytes,
            _ => usize::MAX,
        };
        let counts = infos().map(|info| recipe.patches(info));
        let patches = counts.clone().max().unwrap_or(0);
        // A file that is read once in an epoch may as well be read at any time.
        let order = Order::new(counts, if patches > 1 { window } else { usize::MAX });
        Self {
            library,
            recipe,
            order,
        }
    }

    /// Number of examples in an epoch.
    pub fn len(&self) -> usize {
        self.order.len()
    }

    /// Whether there is no example at all.
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// `[channels, height, width]` of one example; in training, of each.
    pub fn shape(&self, index: usize) -> [usize; 3] {
        let source = self.library.source();
        let info = source.info(self.order.scene(index));
        let [height, width] = self.recipe.size(info);
        [self.recipe.channels, height, width]
    }

    /// Side of the squares that examples are cut to, if they are.
    pub fn crop(&self) -> Option<usize> {
        match self.recipe.framing {
            Framing::Anywhere(side) => Some(side),
            Framing::Whole | Framing::Middle { .. } => None,
        }
    }

    /// Whether validation on this set compares with clean images.
    pub fn has_clean(&self) -> bool {
        let source = self.library.source();
        self.recipe.noise.is_some() || (!source.is_empty() && source.info(0).clean)
    }

    /// Files that could not be read so far and were left out, each with the reason.
    pub fn skipped(&self) -> Vec<String> {
        self.library.skipped()
    }

    /// The order in which an epoch visits the examples.
    pub(crate) fn visits(&self, shuffle_seed: Option<u64>, epoch: u64) -> Vec<u32> {
        self.order.visits(shuffle_seed, epoch)
    }

    /// An example, as it is at one visit.
    ///
    /// # Errors
    /// When an image cannot be read and may not be left out.
    ///
    /// # Panics
    /// If the index is not below [`len`](Self::len).
    pub fn pair(&self, visit: Visit) -> Result<NoisyPair, DataError> {
        let Visit { index, .. } = visit;
        assert!(index < self.len(), "index {index} of {}", self.len());
        let size = self.shape(index);
        let read = |scene| self.recipe.example(&self.library, scene, size, visit);
        self.library.read_some(self.order.scene(index), read)
    }

    /// The same, but an error where [`pair`](Self::pair) takes another scene in place of a damaged one.
    ///
    /// # Errors
    /// When an image cannot be read.
    ///
    /// # Panics
    /// If the index is not below [`len`](Self::len).
    pub(crate) fn pair_itself(&self, visit: Visit) -> Result<NoisyPair, DataError> {
        let (scene, size) = (self.order.scene(visit.index), self.shape(visit.index));
        self.recipe.example(&self.library, scene, size, visit)
    }
}

impl Recipe {
    /// Pixels of a clean image that the noise makes one of, along each axis.
    fn reduction(&self) -> usize {
        self.noise.as_ref().map_or(1, |noise| noise.reduction())
    }

    /// Height and width of an example.
    fn size(&self, info: SceneInfo) -> [usize; 2] {
        let sides = [info.height, info.width].map(|side| side / self.reduction());
        match self.framing {
            Framing::Whole => sides,
            Framing::Anywhere(side) => [side, side],
            Framing::Middle { divisor, largest } => {
                sides.map(|side| (side.min(largest) / divisor * divisor).max(divisor))
            }
        }
    }

    /// Examples that an epoch takes from a scene: as many as cover it.
    fn patches(&self, info: SceneInfo) -> usize {
        let Framing::Anywhere(side) = self.framing else {
            return 1;
        };
        let side = side * self.reduction();
        (info.height * info.width / (side * side)).clamp(1, MOST_PATCHES)
    }

    /// The images of an example of `shape`, as it is at one visit.
    fn example(
        &self,
        library: &Library,
        scene: usize,
        shape: [usize; 3],
        visit: Visit,
    ) -> Result<NoisyPair, DataError> {
        let mut pair = self.pair(library, scene, shape, visit)?;
        if self.clip_input {
            for value in &mut pair.noisy_input {
                *value = value.clamp(0.0, 1.0);
            }
        }
        Ok(pair)
    }

    /// The same, with the input as it comes.
    fn pair(
        &self,
        library: &Library,
        scene: usize,
        [_, height, width]: [usize; 3],
        visit: Visit,
    ) -> Result<NoisyPair, DataError> {
        let info = library.source().info(scene);
        let mut rng = rng(self.seed, visit);
        let cut = self.cut(info, [height, width], &mut rng);
        let shape = [self.channels, height, width];
        match &self.noise {
            Some(noise) => {
                let clean = library.read(scene, &[View::Clean])?;
                let clean = cut.apply(&clean[0], self.scale, self.channels);
                let area = cut.height * cut.width;
                // The noise of a grey image is one for all channels.
                let copies = match cut.augmentation.grey {
                    true => self.channels,
                    false => 1,
                };
                let channels = self.channels / copies;
                let clean = &clean[..channels * area];
                let whole = [channels, cut.height, cut.width];
                let pair = self.corrupt(&**noise, clean, whole, shape, visit);
                Ok(pair.repeated(copies))
            }
            None => {
                let views = self.views(info, library.source().ordered(), &mut rng);
                let images = library.read(scene, &views)?;
                let mut pair = NoisyPair {
                    shape,
                    noisy_input: vec![],
                    noisy_target: None,
                    target_mask: None,
                    clean_target: None,
                };
                for (position, (raster, view)) in images.iter().zip(&views).enumerate() {
                    let values = cut.apply(raster, self.scale, self.channels);
                    match view {
                        View::Clean => pair.clean_target = Some(values),
                        View::Shot(_) if position == 0 => pair.noisy_input = values,
                        View::Shot(_) => pair.noisy_target = Some(values),
                    }
                }
                Ok(pair)
            }
        }
    }

    /// Two noisy images of a clean one, drawn anew at each visit.
    fn corrupt(
        &self,
        noise: &dyn NoiseModel,
        clean: &[f32],
        whole: [usize; 3],
        shape: [usize; 3],
        Visit { epoch, index }: Visit,
    ) -> NoisyPair {
        let draw = |member| {
            let mut rng = noise::rng(self.seed, epoch, index as u64, member);
            let corrupted = noise.corrupt(clean, whole, &mut rng);
            corrupted.assert_shape(noise.output_shape(whole));
            corrupted
        };
        let input = draw(Member::First);
        let wanted = |target| self.target.is_none_or(|only| only == target);
        let target = wanted(Target::Noisy).then(|| draw(Member::Second));
        let (noisy_target, target_mask) = match target {
            Some(target) => (Some(target.values), target.mask),
            None => (None, None),
        };
        let clean_target = wanted(Target::Clean).then(|| noise.clean(clean, whole).into_owned());
        if let Some(clean) = &clean_target {
            noise::assert_shape(clean, noise.output_shape(whole));
        }
        NoisyPair {
            shape,
            noisy_input: input.values,
            noisy_target,
            target_mask,
            clean_target,
        }
    }

    /// The images of an example: the input first, then the targets.
    fn views(&self, info: SceneInfo, ordered: bool, rng: &mut ChaCha8Rng) -> Vec<View> {
        let validates = self.target.is_none();
        let (mut first, mut second) = (0, 1);
        if info.shots > 1 && !validates {
            if !ordered {
                first = rng.random_range(0..info.shots);
                second = (first + rng.random_range(1..info.shots)) % info.shots;
            } else if self.augment.swap && rng.random() {
                (first, second) = (second, first);
            }
        }
        let mut views = vec![View::Shot(first)];
        if self.target != Some(Target::Clean) && info.shots > 1 {
            views.push(View::Shot(second));
        }
        if self.target != Some(Target::Noisy) && info.clean {
            views.push(View::Clean);
        }
        views
    }

    /// The window of a scene that becomes an example of this size.
    fn cut(&self, info: SceneInfo, size: [usize; 2], rng: &mut ChaCha8Rng) -> Cut {
        let [height, width] = size.map(|side| side * self.reduction());
        // Half of what is left over; negative where the scene is smaller, and is reflected.
        let middle = |side: usize, part: usize| (side as isize - part as isize).div_euclid(2);
        let anywhere = |side: usize, part: usize, rng: &mut ChaCha8Rng| match side > part {
            true => rng.random_range(0..=side - part) as isize,
            false => middle(side, part),
        };
        let (top, left) = match self.framing {
            Framing::Anywhere(_) => {
                let top = anywhere(info.height, height, rng);
                (top, anywhere(info.width, width, rng))
            }
            Framing::Whole | Framing::Middle { .. } => {
                (middle(info.height, height), middle(info.width, width))
            }
        };
        let augmentation = match self.target {
            Some(_) => self.augment.draw(self.channels, height == width, rng),
            None => Augmentation::default(),
        };
        Cut {
            top,
            left,
            height,
            width,
            augmentation,
        }
    }
}

/// The random numbers of one visit; those of the noise are others.
fn rng(seed: u64, Visit { epoch, index }: Visit) -> ChaCha8Rng {
    let mut key = [0; 32];
    key[..8].copy_from_slice(&seed.to_le_bytes());
    key[8..16].copy_from_slice(&epoch.to_le_bytes());
    key[16..24].copy_from_slice(&(index as u64).to_le_bytes());
    key[24..].copy_from_slice(b"examples");
    ChaCha8Rng::from_seed(key)
}
