//! The example pipeline: images of a scene are cropped, augmented and, if clean, corrupted.

use std::sync::Arc;

use n2n_files::Region;
use rand::{RngExt, SeedableRng};
use rand_chacha::ChaCha8Rng;

use crate::augment::{AugmentConfig, Augmentation};
use crate::crop::{Crop, Part};
use crate::held_out::HeldOut;
use crate::holes::{intersection, reduced};
use crate::image_cache::ImageCache;
use crate::levels::Levels;
use crate::noise::{self, Member, NoiseModel};
use crate::subsample::{self, NEIGHBOURS, Picks};
use crate::swap::{exchange, exchanged_pixels};
use crate::{
    Chosen, DataError, ExampleIndex, NoisyPair, Pairing, Range, SceneInfo, SceneSource, Swap,
    Target, TargetNoise, View,
};

/// Most examples that one epoch takes from one scene.
const MAX_CROPS: usize = 64;

/// Which part of a scene an example is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum CropPolicy {
    /// All of it; in training, every scene is of one size.
    Whole,
    /// A square of this side at a random place.
    Random(usize),
    /// The center, its sides multiples of the first number and at most the second.
    Center { divisor: usize, largest: usize },
}

/// Whether the shots of a scene are frames, of which neighbours are pairs.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Series {
    /// Any two shots are a pair.
    No,
    /// A frame and the one before or after it are.
    Neighbours,
    /// The same; and every scene has three frames, so that validation compares one with the mean of its
    /// neighbours.
    BetweenNeighbours,
}

impl Series {
    /// How shots of a set are paired, as was chosen.
    pub fn of(chosen: Option<Chosen>, source: &dyn SceneSource) -> Self {
        let mut infos = (0..source.len()).map(|scene| source.info(scene));
        match chosen.map(|chosen| chosen.pairing) {
            Some(Pairing::Neighbours) if infos.all(|info| info.shots > 2) => {
                Self::BetweenNeighbours
            }
            Some(Pairing::Neighbours) => Self::Neighbours,
            _ => Self::No,
        }
    }
}

/// How scenes become examples.
#[derive(Clone)]
pub(crate) struct Pipeline {
    pub crop: CropPolicy,
    /// Regions of the scenes that validation sees and training does not, if both see all scenes.
    pub held_out: Option<HeldOut>,
    /// Samples that become 0 and 1.
    pub range: Option<Range>,
    pub channels: usize,
    pub augment: AugmentConfig,
    /// Noise put on clean images.
    pub noise: Option<Arc<dyn NoiseModel>>,
    /// Examples that are sub-images of single noisy ones.
    pub subsample: Option<Subsample>,
    /// Whether neighbours are pairs, in sets whose shots are in no order of input and target.
    pub series: Series,
    /// How bright shots are beside each other, where partners are scaled to each other.
    pub levels: Option<Arc<Levels>>,
    /// Whether inputs are clamped to `[0, 1]`.
    pub clip_input: bool,
    /// The target that training needs; validation takes all that a scene has.
    pub target: Option<Target>,
    pub seed: u64,
}

/// How single noisy images become pairs of sub-images.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(crate) struct Subsample {
    /// Weight of the second term of the loss; without it, examples go without the patch that they are made of.
    pub weight: f32,
}

/// What is drawn for an example.
pub(crate) struct Drawn {
    pub crop: Crop,
    /// The images, the input first; none where noise is put on a clean one.
    pub views: Vec<View>,
    /// A shot whose mean with the target is compared with the input.
    pub opposite: Option<View>,
    /// Shots that are mixed into the input, each with its share.
    pub others: Vec<(View, f32)>,
    /// For what is drawn after it.
    pub rng: ChaCha8Rng,
}

impl Pipeline {
    /// `[channels, height, width]` of an example of a scene.
    pub fn shape(&self, info: SceneInfo) -> [usize; 3] {
        let sides = match self.held_out {
            Some(held_out) if self.validates() => {
                let region = held_out.region(0, info);
                [region.height, region.width]
            }
            _ => [info.height, info.width],
        };
        let sides = sides.map(|side| side / self.reduction());
        let [height, width] = match self.crop {
            CropPolicy::Whole => sides,
            CropPolicy::Random(side) => [side, side],
            CropPolicy::Center { divisor, largest } => {
                sides.map(|side| (side.min(largest) / divisor * divisor).max(divisor))
            }
        };
        [self.channels, height, width]
    }

    /// Examples that an epoch takes from a scene: as many as cover it, and of sub-images as many as there are pairs of
    /// neighbours in a cell for each.
    pub fn crops(&self, info: SceneInfo) -> usize {
        let draws = match self.subsample {
            Some(_) if !self.validates() => NEIGHBOURS.len(),
            _ => 1,
        };
        let CropPolicy::Random(side) = self.crop else {
            return draws;
        };
        let side = side * self.reduction();
        let area = match self.held_out {
            Some(held_out) => held_out.training_area(info),
            None => info.height * info.width,
        };
        (area / (side * side) * draws).clamp(draws, MAX_CROPS)
    }

    /// What is drawn for an example of `shape`, but for noise put on clean images, and exchanged pixels.
    pub fn draw(
        &self,
        source: &dyn SceneSource,
        scene: usize,
        shape: [usize; 3],
        example: ExampleIndex,
    ) -> Drawn {
        let info = source.info(scene);
        let mut rng = rng(self.seed, example);
        let crop = self.crop(scene, info, shape, &mut rng);
        let (mut views, mut opposite, mut others) = (vec![], None, vec![]);
        if self.noise.is_none() {
            views = self.views(info, source.ordered(), &mut rng);
            others = self.mixed_in(info, source.ordered(), &views, &mut rng);
            if self.validates_between(info, source.ordered()) {
                let middle = info.shots / 2;
                views = vec![View::Shot(middle), View::Shot(middle - 1)];
                opposite = Some(View::Shot(middle + 1));
            }
        }
        Drawn {
            crop,
            views,
            opposite,
            others,
            rng,
        }
    }

    /// Whether the pixels of an example may be exchanged.
    pub fn may_exchange(&self, drawn: &Drawn) -> bool {
        self.augment.swap == Swap::Pixels
            && drawn.others.is_empty()
            && !drawn.crop.augmentation.interpolates()
    }

    /// An image of a scene as numbers in a range, NaN and infinite ones included.
    ///
    /// # Errors
    /// When it cannot be read.
    pub fn numbers(
        &self,
        images: &ImageCache,
        scene: usize,
        view: View,
        crop: &Crop,
        range: Option<&Range>,
    ) -> Result<Vec<f32>, DataError> {
        let (raster, region);
        let SceneInfo { height, width, .. } = images.source().info(scene);
        if images.reads_regions(scene) {
            region = crop.bounds([height, width]);
            raster = images.read_region(scene, view, region)?;
        } else {
            raster = images.read(scene, view)?;
            region = Region::all(raster.shape());
        }
        let part = Part {
            raster: &raster,
            origin: [region.top, region.left],
            size: [height, width],
        };
        Ok(crop.apply(part, range, self.channels))
    }

    /// The images of an example of `shape`.
    ///
    /// # Errors
    /// When one cannot be read.
    pub fn pair(
        &self,
        images: &ImageCache,
        scene: usize,
        shape: [usize; 3],
        example: ExampleIndex,
    ) -> Result<NoisyPair, DataError> {
        let mut drawn = self.draw(images.source(), scene, shape, example);
        let mut pair = match &self.noise {
            Some(noise) => {
                let crop = &drawn.crop;
                let range = self.range.as_ref();
                let clean = self.numbers(images, scene, View::Clean, crop, range)?;
                let (clean, mask) = crop.masked(clean);
                let mask = mask.map(|mask| reduced(&mask, crop.width, self.reduction()));
                let pair = self.corrupt(&**noise, &clean, shape, crop, example);
                NoisyPair { mask, ..pair }
            }
            None => match self.subsample {
                Some(subsample) => self.of_one_shot(subsample, images, scene, shape, &mut drawn)?,
                None => self.of_shots(images, scene, shape, &mut drawn)?,
            },
        };
        if self.clip_input {
            let whole = pair.whole.iter_mut().flat_map(|whole| &mut whole.image);
            for value in pair.noisy_input.iter_mut().chain(whole) {
                *value = value.clamp(0.0, 1.0);
            }
        }
        Ok(pair)
    }

    /// The images of an example that is made of a scene's shots.
    fn of_shots(
        &self,
        images: &ImageCache,
        scene: usize,
        shape: [usize; 3],
        drawn: &mut Drawn,
    ) -> Result<NoisyPair, DataError> {
        let input = drawn.views[0];
        let numbers = |view| {
            let matched = match (&self.levels, view) {
                (Some(levels), View::Shot(_)) if view != input => {
                    Some(levels.range(images, scene, [input, view], self.range.as_ref())?)
                }
                _ => None,
            };
            let range = matched.as_ref().or(self.range.as_ref());
            self.numbers(images, scene, view, &drawn.crop, range)
        };
        let mut pair = NoisyPair {
            shape,
            ..NoisyPair::default()
        };
        for (position, &view) in drawn.views.iter().enumerate() {
            let mut values = numbers(view)?;
            if position == 0 {
                let others = &drawn.others;
                let own = 1.0 - others.iter().map(|(_, share)| share).sum::<f32>();
                if !others.is_empty() {
                    values.iter_mut().for_each(|value| *value *= own);
                }
                for &(other, share) in others {
                    let pixels = values.iter_mut().zip(numbers(other)?);
                    pixels.for_each(|(value, other)| *value += share * other);
                }
            }
            if let (1, Some(opposite)) = (position, drawn.opposite) {
                let pixels = values.iter_mut().zip(numbers(opposite)?);
                pixels.for_each(|(value, other)| *value = f32::midpoint(*value, other));
                pair.target_noise = TargetNoise::Halved;
            }
            let (values, mask) = drawn.crop.masked(values);
            pair.mask = intersection(pair.mask, mask);
            match view {
                View::Clean => pair.clean_target = Some(values),
                View::Shot(_) if position == 0 => pair.noisy_input = values,
                View::Shot(_) => pair.noisy_target = Some(values),
            }
        }
        if self.may_exchange(drawn)
            && let Some(target) = &mut pair.noisy_target
            && let Some(exchanged) =
                exchanged_pixels(&pair.noisy_input, target, shape, &mut drawn.rng)
        {
            exchange(&mut pair.noisy_input, target, &exchanged);
        }
        Ok(pair)
    }

    /// Two sub-images of a noisy image.
    fn of_one_shot(
        &self,
        Subsample { weight }: Subsample,
        images: &ImageCache,
        scene: usize,
        shape: [usize; 3],
        drawn: &mut Drawn,
    ) -> Result<NoisyPair, DataError> {
        let range = self.range.as_ref();
        let values = self.numbers(images, scene, drawn.views[0], &drawn.crop, range)?;
        let (values, mask) = drawn.crop.masked(values);
        let picks = Picks::draw(shape, &mut drawn.rng);
        let [input, target] = [0, 1].map(|which| picks.sub_image(&values, which));
        let of_mask = |which| mask.as_ref().map(|mask| picks.sub_image(mask, which));
        Ok(NoisyPair {
            shape,
            noisy_input: input,
            noisy_target: Some(target),
            mask: intersection(of_mask(0), of_mask(1)),
            whole: (weight > 0.0).then(|| picks.whole(values, weight)),
            ..NoisyPair::default()
        })
    }

    /// Whether examples are for validation.
    fn validates(&self) -> bool {
        self.target.is_none()
    }

    /// Pixels of an image that become one pixel of an example, along each axis.
    fn reduction(&self) -> usize {
        match (&self.noise, self.subsample) {
            (Some(noise), _) => noise.reduction(),
            (None, Some(_)) => subsample::CELL,
            (None, None) => 1,
        }
    }

    /// Two noisy images of a clean one, `crop` of a scene, drawn anew in each epoch.
    fn corrupt(
        &self,
        noise: &dyn NoiseModel,
        clean: &[f32],
        shape: [usize; 3],
        crop: &Crop,
        ExampleIndex { epoch, index }: ExampleIndex,
    ) -> NoisyPair {
        // The noise of a grey image is the same in all channels.
        let copies = if crop.augmentation.grey {
            self.channels
        } else {
            1
        };
        let clean_shape = [self.channels / copies, crop.height, crop.width];
        let noisy_shape = noise.output_shape(clean_shape);
        let clean = &clean[..clean_shape.iter().product()];
        let draw = |member| {
            let mut rng = noise::rng(self.seed, epoch, index as u64, member);
            let corrupted = noise.corrupt(clean, clean_shape, &mut rng);
            corrupted.assert_shape(noisy_shape);
            corrupted
        };
        let input = draw(Member::First);
        let wanted = |target| self.target.is_none_or(|only| only == target);
        let target = wanted(Target::Noisy).then(|| draw(Member::Second));
        let (noisy_target, target_mask) = match target {
            Some(target) => (Some(target.values), target.mask),
            None => (None, None),
        };
        let clean_target = wanted(Target::Clean).then(|| {
            let clean = noise.clean(clean, clean_shape).into_owned();
            noise::assert_shape(&clean, noisy_shape);
            clean
        });
        let pair = NoisyPair {
            shape,
            noisy_input: input.values,
            mask: None,
            noisy_target,
            target_noise: TargetNoise::Equal,
            target_mask,
            clean_target,
            whole: None,
        };
        pair.repeated(copies)
    }

    /// The images of an example: the input first, then the targets.
    fn views(&self, info: SceneInfo, ordered: bool, rng: &mut ChaCha8Rng) -> Vec<View> {
        if self.subsample.is_some() {
            let shots = if self.validates() { 1 } else { info.shots };
            return vec![View::Shot(rng.random_range(0..shots))];
        }
        let (mut first, mut second) = (0, 1);
        if info.shots > 1 && !self.validates() {
            if !ordered {
                first = rng.random_range(0..info.shots);
                second = match self.series {
                    Series::No => (first + rng.random_range(1..info.shots)) % info.shots,
                    Series::Neighbours | Series::BetweenNeighbours => {
                        neighbour(first, info.shots, rng)
                    }
                };
            } else if self.augment.swap != Swap::None && rng.random() {
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

    /// Whether an example compares a frame with the mean of its neighbours.
    fn validates_between(&self, info: SceneInfo, ordered: bool) -> bool {
        self.validates() && !ordered && self.series == Series::BetweenNeighbours && !info.clean
    }

    /// The shots of a burst that are mixed into the input, each with its share: all but the input and
    /// the target.
    fn mixed_in(
        &self,
        info: SceneInfo,
        ordered: bool,
        views: &[View],
        rng: &mut ChaCha8Rng,
    ) -> Vec<(View, f32)> {
        let mix = self.augment.mix;
        // Where a scene moves, the mean of its frames shows it as it never was.
        let may_mix = mix > 0.0
            && info.shots > 2
            && !ordered
            && self.series == Series::No
            && !self.validates()
            && self.subsample.is_none();
        if !may_mix || rng.random() {
            return vec![];
        }
        let share = rng.random_range(-mix..mix);
        let others = (0..info.shots).map(View::Shot);
        let others: Vec<View> = others.filter(|view| !views.contains(view)).collect();
        let each = share / others.len() as f32;
        others.into_iter().map(|other| (other, each)).collect()
    }

    /// The crop of a scene that becomes an example of this shape.
    fn crop(
        &self,
        scene: usize,
        info: SceneInfo,
        [_, height, width]: [usize; 3],
        rng: &mut ChaCha8Rng,
    ) -> Crop {
        let [height, width] = [height, width].map(|side| side * self.reduction());
        // Half of the rest; negative where the scene is smaller, and is reflected.
        let center = |side: usize, part: usize| (side as isize - part as isize).div_euclid(2);
        let random = |side: usize, part: usize, rng: &mut ChaCha8Rng| {
            if side > part {
                rng.random_range(0..=side - part) as isize
            } else {
                center(side, part)
            }
        };
        let (top, left) = match (self.crop, self.held_out) {
            (CropPolicy::Random(_), Some(held_out)) => {
                let [top, left] = held_out.place(scene, info, [height, width], rng);
                (top as isize, left as isize)
            }
            (CropPolicy::Random(_), None) => {
                let top = random(info.height, height, rng);
                (top, random(info.width, width, rng))
            }
            (CropPolicy::Center { .. }, Some(held_out)) => {
                let region = held_out.region(scene, info);
                let top = region.top as isize + center(region.height, height);
                (top, region.left as isize + center(region.width, width))
            }
            (CropPolicy::Whole | CropPolicy::Center { .. }, _) => {
                (center(info.height, height), center(info.width, width))
            }
        };
        let mut augmentation = match self.target {
            Some(_) => self.augment.draw(self.channels, height == width, rng),
            None => Augmentation::default(),
        };
        if self.noise.is_some() || self.subsample.is_some() {
            augmentation.zoom = 1.0;
        }
        Crop {
            top,
            left,
            height,
            width,
            augmentation,
        }
    }
}

/// The frame before or after another one of `shots`, drawn evenly where there are both.
fn neighbour(frame: usize, shots: usize, rng: &mut ChaCha8Rng) -> usize {
    match frame {
        0 => 1,
        last if last + 1 == shots => last - 1,
        _ if rng.random() => frame + 1,
        _ => frame - 1,
    }
}

/// The generator of an example; the noise has others.
fn rng(seed: u64, ExampleIndex { epoch, index }: ExampleIndex) -> ChaCha8Rng {
    let mut key = [0; 32];
    key[..8].copy_from_slice(&seed.to_le_bytes());
    key[8..16].copy_from_slice(&epoch.to_le_bytes());
    key[16..24].copy_from_slice(&(index as u64).to_le_bytes());
    key[24..].copy_from_slice(b"examples");
    ChaCha8Rng::from_seed(key)
}
