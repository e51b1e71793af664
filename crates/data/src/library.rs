//! Scenes behind a cache: small sets stay decoded in memory, large ones are read anew.

use std::collections::{BTreeMap, HashMap, VecDeque};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use n2n_files::{Raster, Samples};

use crate::{DataError, SceneInfo, SceneSource, View};

type Key = (usize, View);

/// Scenes, decoded once where they fit into the cache.
///
/// Its floats are finite, and lie in `[0, 1]` unless a range says where they lie.
pub struct Library {
    source: Arc<dyn SceneSource>,
    cache: Mutex<Cache>,
    has_range: bool,
    strict: bool,
    skipped: Mutex<BTreeMap<usize, String>>,
}

impl Library {
    /// Keeps up to `cache_bytes` of decoded images; with `strict`, no damaged file is left out.
    pub fn new(
        source: Arc<dyn SceneSource>,
        cache_bytes: usize,
        has_range: bool,
        strict: bool,
    ) -> Self {
        let capacity = if source.in_memory() { 0 } else { cache_bytes };
        Self {
            source,
            cache: Mutex::new(Cache::new(capacity)),
            has_range,
            strict,
            skipped: Mutex::default(),
        }
    }

    /// The scenes.
    pub fn source(&self) -> &Arc<dyn SceneSource> {
        &self.source
    }

    /// Bytes of the images of one scene, decoded.
    pub fn scene_bytes(&self, info: SceneInfo) -> usize {
        let views = info.shots + usize::from(info.clean);
        let samples = self.source.channels() * info.height * info.width;
        views * samples * self.source.kind().bytes()
    }

    /// Scenes that could not be read and were left out, each with the reason.
    pub fn skipped(&self) -> Vec<String> {
        lock(&self.skipped).values().cloned().collect()
    }

    /// Images of one scene.
    ///
    /// # Errors
    /// When one cannot be read, or holds numbers that are no image.
    pub fn read(&self, scene: usize, views: &[View]) -> Result<Vec<Arc<Raster>>, DataError> {
        let cached: Option<Vec<_>> = {
            let cache = lock(&self.cache);
            let images = views.iter().map(|&view| cache.get((scene, view)));
            images.collect()
        };
        if let Some(images) = cached {
            return Ok(images);
        }
        let images = self.source.read(scene, views)?;
        for (raster, &view) in images.iter().zip(views) {
            self.check(raster, || self.source.name(scene, view))?;
        }
        let mut cache = lock(&self.cache);
        for (raster, &view) in images.iter().zip(views) {
            cache.insert((scene, view), raster.clone());
        }
        Ok(images)
    }

    /// What `read` makes of `scene`, or of the nearest scene after it where that cannot be read.
    ///
    /// Which scene takes another's place depends on nothing but which are damaged.
    ///
    /// # Errors
    /// As `read` where nothing may be left out, or where no scene can be read.
    pub fn read_some<T>(
        &self,
        scene: usize,
        read: impl Fn(usize) -> Result<T, DataError>,
    ) -> Result<T, DataError> {
        let count = self.source.len();
        let mut failure = None;
        for scene in (scene..count).chain(0..scene) {
            if lock(&self.skipped).contains_key(&scene) {
                continue;
            }
            match read(scene) {
                Ok(value) => return Ok(value),
                Err(error) if self.strict || !self.source.may_skip() => return Err(error),
                Err(error) => {
                    lock(&self.skipped).insert(scene, error.to_string());
                    failure = Some(error);
                }
            }
        }
        Err(failure.unwrap_or_else(|| DataError::NothingReadable {
            reason: self.skipped().swap_remove(0),
        }))
    }

    fn check(&self, raster: &Raster, name: impl Fn() -> String) -> Result<(), DataError> {
        let Samples::F32(values) = &raster.samples else {
            return Ok(());
        };
        if let Some(value) = values.iter().find(|value| !value.is_finite()) {
            return Err(DataError::NotFinite {
                name: name(),
                value: *value,
            });
        }
        let outside = |value: &&f32| !(0.0..=1.0).contains(*value);
        match values.iter().find(outside) {
            Some(_) if !self.has_range => {
                let bounds = values.iter().fold([f32::MAX, f32::MIN], |[low, high], &v| {
                    [low.min(v), high.max(v)]
                });
                Err(DataError::OutsideUnitRange {
                    name: name(),
                    low: bounds[0],
                    high: bounds[1],
                })
            }
            _ => Ok(()),
        }
    }
}

fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

/// Decoded images up to a number of bytes; the oldest leave first.
struct Cache {
    capacity: usize,
    used: usize,
    images: HashMap<Key, Arc<Raster>>,
    order: VecDeque<Key>,
}

impl Cache {
    fn new(capacity: usize) -> Self {
        Self {
            capacity,
            used: 0,
            images: HashMap::new(),
            order: VecDeque::new(),
        }
    }

    fn get(&self, key: Key) -> Option<Arc<Raster>> {
        self.images.get(&key).cloned()
    }

    fn insert(&mut self, key: Key, raster: Arc<Raster>) {
        let bytes = raster.samples.bytes();
        if bytes > self.capacity || self.images.contains_key(&key) {
            return;
        }
        self.used += bytes;
        self.images.insert(key, raster);
        self.order.push_back(key);
        while self.used > self.capacity {
            let oldest = self.order.pop_front();
            let oldest = oldest.and_then(|key| self.images.remove(&key));
            self.used -= oldest.map_or(0, |raster| raster.samples.bytes());
        }
    }
}
