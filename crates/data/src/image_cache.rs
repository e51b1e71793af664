//! A cache of decoded images: small sets stay in memory, large ones are decoded again.

use std::collections::{HashMap, VecDeque};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use n2n_files::Raster;

use crate::{DataError, SceneInfo, SceneSource, View};

type Key = (usize, View);

/// Scenes, decoded once where they fit into the cache.
pub(crate) struct ImageCache {
    source: Arc<dyn SceneSource>,
    cache: Mutex<Cache>,
    /// NaN and infinite samples of each image that was read; integers have none and are not listed.
    holes: Mutex<HashMap<Key, usize>>,
}

impl ImageCache {
    /// Keeps up to `cache_bytes` of decoded images, none of a source that is in memory.
    pub fn new(source: Arc<dyn SceneSource>, cache_bytes: usize) -> Self {
        let capacity = if source.in_memory() { 0 } else { cache_bytes };
        Self {
            source,
            cache: Mutex::new(Cache::new(capacity)),
            holes: Mutex::default(),
        }
    }

    /// The scenes.
    pub fn source(&self) -> &dyn SceneSource {
        &*self.source
    }

    /// Scenes of the largest size that fit into the cache.
    pub fn capacity_in_scenes(&self) -> usize {
        let infos = (0..self.source.len()).map(|scene| self.source.info(scene));
        let largest = infos.map(|info| self.scene_bytes(info)).max();
        match largest {
            Some(bytes @ 1..) if !self.source.in_memory() => self.lock().capacity / bytes,
            _ => usize::MAX,
        }
    }

    /// Bytes of the images of one scene, decoded.
    fn scene_bytes(&self, info: SceneInfo) -> usize {
        let views = info.shots + usize::from(info.clean);
        let samples = self.source.channels() * info.height * info.width;
        views * samples * self.source.kind().bytes()
    }

    /// Images of one scene.
    ///
    /// # Errors
    /// When one cannot be read.
    pub fn read(&self, scene: usize, views: &[View]) -> Result<Vec<Arc<Raster>>, DataError> {
        let cached: Option<Vec<_>> = {
            let cache = self.lock();
            let images = views.iter().map(|&view| cache.get((scene, view)));
            images.collect()
        };
        if let Some(images) = cached {
            return Ok(images);
        }
        let images = self.source.read(scene, views)?;
        self.count_holes(scene, views, &images);
        let mut cache = self.lock();
        for (raster, &view) in images.iter().zip(views) {
            cache.insert((scene, view), raster.clone());
        }
        Ok(images)
    }

    /// NaN and infinite samples of the images that were read so far.
    pub fn holes(&self) -> usize {
        let holes = self.holes.lock().unwrap_or_else(PoisonError::into_inner);
        holes.values().sum()
    }

    /// Counts the holes of images that are read for the first time.
    fn count_holes(&self, scene: usize, views: &[View], images: &[Arc<Raster>]) {
        let mut holes = self.holes.lock().unwrap_or_else(PoisonError::into_inner);
        for (raster, &view) in images.iter().zip(views) {
            if raster.samples.kind().is_float() {
                let count = || raster.samples.non_finite();
                holes.entry((scene, view)).or_insert_with(count);
            }
        }
    }

    fn lock(&self) -> MutexGuard<'_, Cache> {
        self.cache.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// Decoded images up to a number of bytes, first in first out.
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
