//! Examples for a network: crops of scenes, augmented or corrupted, each a pure function of the seed,
//! the epoch and its index.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use n2n_files::with_samples;

use crate::augment::AugmentConfig;
use crate::image_cache::ImageCache;
use crate::order::Order;
use crate::pipeline::{CropPolicy, Pipeline};
use crate::quality::Reference;
use crate::{DataError, Digest, NoisyPair, View, is_constant};

/// One example in one epoch.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct ExampleIndex {
    /// Epoch, from 0.
    pub epoch: u64,
    /// Index of the example in the set.
    pub index: usize,
}

/// A finite set of examples.
pub struct Examples {
    images: ImageCache,
    pipeline: Pipeline,
    order: Order,
    /// Whether no scene may be skipped.
    strict: bool,
    /// Scenes that cannot be read, each with the reason.
    skipped: Arc<Mutex<BTreeMap<usize, String>>>,
}

impl Examples {
    pub(crate) fn new(images: ImageCache, pipeline: Pipeline, strict: bool) -> Self {
        let source = images.source();
        let counts = (0..source.len()).map(|scene| pipeline.crops(source.info(scene)));
        let most = counts.clone().max().unwrap_or(0);
        // A file that is read once in an epoch may as well be read at any time.
        let window = if most > 1 {
            images.capacity_in_scenes()
        } else {
            usize::MAX
        };
        Self {
            order: Order::new(counts, window),
            images,
            pipeline,
            strict,
            skipped: Arc::default(),
        }
    }

    /// The same scenes and crops, with nothing changed at random.
    pub(crate) fn without_augmentation(&self) -> Self {
        let pipeline = Pipeline {
            augment: AugmentConfig::default(),
            ..self.pipeline.clone()
        };
        Self {
            skipped: self.skipped.clone(),
            ..Self::new(self.images.clone(), pipeline, self.strict)
        }
    }

    /// Number of examples in an epoch.
    pub fn len(&self) -> usize {
        self.order.len()
    }

    /// Whether there is no example.
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// `[channels, height, width]` of one example; in training, of each.
    pub fn shape(&self, index: usize) -> [usize; 3] {
        let info = self.images.source().info(self.order.scene(index));
        self.pipeline.shape(info)
    }

    /// Side of the squares that examples are cropped to, if they are cropped at random.
    pub fn crop(&self) -> Option<usize> {
        match self.pipeline.crop {
            CropPolicy::Random(side) => Some(side),
            CropPolicy::Whole | CropPolicy::Center { .. } => None,
        }
    }

    /// What validation on this set compares with.
    pub fn reference(&self) -> Reference {
        let source = self.images.source();
        let has_clean = || !source.is_empty() && source.info(0).clean;
        match self.pipeline.subsample {
            Some(_) => Reference::SubImage,
            None if self.pipeline.noise.is_some() || has_clean() => Reference::Clean,
            None => Reference::SecondNoisy,
        }
    }

    /// Whether validation on this set compares with clean images.
    pub fn has_clean(&self) -> bool {
        self.reference() == Reference::Clean
    }

    /// Checks that there is something to learn: that a noisy image varies, in some channel. Images are read up to
    /// the first one that does; those that cannot be read are left out.
    ///
    /// # Errors
    /// [`DataError::Constant`].
    pub fn check_variation(&self) -> Result<(), DataError> {
        let source = self.images.source();
        if self.pipeline.noise.is_some() {
            return Ok(());
        }
        let shots =
            |scene| (0..source.info(scene).shots).map(move |shot| (scene, View::Shot(shot)));
        let mut first = None;
        for (scene, view) in (0..source.len()).flat_map(shots) {
            let Ok(image) = self.images.look(scene, view) else {
                continue;
            };
            let area = image.height * image.width;
            let varies = with_samples!(&image.samples, samples => {
                samples.chunks_exact(area).any(|plane| !is_constant(plane))
            });
            if varies {
                return Ok(());
            }
            first.get_or_insert_with(|| source.name(scene, view));
        }
        first.map_or(Ok(()), |first| Err(DataError::Constant { first }))
    }

    /// Samples of the images that were read so far that are NaN or infinite: they are masked and filled.
    pub fn holes(&self) -> usize {
        self.images.holes()
    }

    pub(crate) fn images(&self) -> &ImageCache {
        &self.images
    }

    pub(crate) fn pipeline(&self) -> &Pipeline {
        &self.pipeline
    }

    /// The scene that an example is of, if it can be read.
    pub(crate) fn scene(&self, index: usize) -> usize {
        self.order.scene(index)
    }

    /// What the scenes are known by.
    pub fn digest(&self) -> Digest {
        Digest::of(&self.images)
    }

    /// Scenes that could not be read so far and were skipped, each with the reason.
    pub fn skipped(&self) -> Vec<String> {
        self.lock_skipped().values().cloned().collect()
    }

    /// The examples in the order of an epoch.
    pub(crate) fn epoch(&self, shuffle_seed: Option<u64>, epoch: u64) -> Vec<u32> {
        self.order.epoch(shuffle_seed, epoch)
    }

    /// The images of an example. An unreadable scene is replaced by the next one that can be read,
    /// where that is allowed: the replacement depends only on which scenes are damaged.
    ///
    /// # Errors
    /// When an image cannot be read and may not be skipped, or no scene can be read.
    ///
    /// # Panics
    /// If the index is not below [`len`](Self::len).
    pub fn pair(&self, example: ExampleIndex) -> Result<NoisyPair, DataError> {
        let ExampleIndex { index, .. } = example;
        assert!(index < self.len(), "index {index} of {}", self.len());
        let source = self.images.source();
        let (first, shape) = (self.order.scene(index), self.shape(index));
        let mut failure = None;
        for scene in (first..source.len()).chain(0..first) {
            if self.lock_skipped().contains_key(&scene) {
                continue;
            }
            match self.pipeline.pair(&self.images, scene, shape, example) {
                Ok(pair) => return Ok(pair),
                Err(error) if self.strict || !source.may_skip() => return Err(error),
                Err(error) => {
                    self.lock_skipped().insert(scene, error.to_string());
                    failure = Some(error);
                }
            }
        }
        Err(failure.unwrap_or_else(|| DataError::NothingReadable {
            reason: self.skipped().swap_remove(0),
        }))
    }

    /// As [`pair`](Self::pair), but an unreadable scene is always an error.
    ///
    /// # Errors
    /// When an image cannot be read.
    ///
    /// # Panics
    /// If the index is not below [`len`](Self::len).
    pub(crate) fn pair_or_error(&self, example: ExampleIndex) -> Result<NoisyPair, DataError> {
        let (scene, shape) = (self.order.scene(example.index), self.shape(example.index));
        self.pipeline.pair(&self.images, scene, shape, example)
    }

    fn lock_skipped(&self) -> MutexGuard<'_, BTreeMap<usize, String>> {
        self.skipped.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
