//! A cache of decoded images: small sets stay in memory, large ones are decoded again.

use std::collections::{HashMap, HashSet, VecDeque};
use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError};

use n2n_files::{Raster, Region};

use crate::{DataError, SceneInfo, SceneSource, View};

/// A source, a scene, and which of its images.
type Key = (usize, usize, View);

/// Scenes, decoded once where they fit into the cache.
#[derive(Clone)]
pub(crate) struct ImageCache {
    source: Arc<dyn SceneSource>,
    /// The number of the source among those that share the cache.
    number: usize,
    shared: Arc<Shared>,
    /// NaN and infinite samples of each image that was read; integers have none and are not listed.
    holes: Arc<Mutex<HashMap<(usize, View), usize>>>,
}

/// What several sources have in common.
struct Shared {
    cache: Mutex<Cache>,
    /// Images that a thread reads; others that want one wait for it.
    reading: Mutex<HashSet<Key>>,
    was_read: Condvar,
}

impl ImageCache {
    /// Keeps up to `cache_bytes` of decoded images, none of a source that is in memory.
    pub fn new(source: Arc<dyn SceneSource>, cache_bytes: usize) -> Self {
        let shared = Shared {
            cache: Mutex::new(Cache::new(cache_bytes)),
            reading: Mutex::default(),
            was_read: Condvar::new(),
        };
        Self {
            source,
            number: 0,
            shared: Arc::new(shared),
            holes: Arc::default(),
        }
    }

    /// The scenes of another source, in the same memory.
    pub fn beside(&self, source: Arc<dyn SceneSource>) -> Self {
        let is_same = Arc::ptr_eq(&self.source, &source);
        Self {
            source,
            number: self.number + usize::from(!is_same),
            shared: self.shared.clone(),
            holes: if is_same {
                self.holes.clone()
            } else {
                Arc::default()
            },
        }
    }

    /// The scenes.
    pub fn source(&self) -> &dyn SceneSource {
        &*self.source
    }

    /// Whether the images of a scene are read in regions, without the cache: they do not fit into it.
    pub fn reads_regions(&self, scene: usize) -> bool {
        self.source.reads_regions(scene)
            && self.scene_bytes(self.source.info(scene)) > self.cache().capacity
    }

    /// Scenes of the largest size that fit into the cache, of those that are read whole.
    pub fn capacity_in_scenes(&self) -> usize {
        let whole = (0..self.source.len()).filter(|&scene| !self.reads_regions(scene));
        let infos = whole.map(|scene| self.source.info(scene));
        let largest = infos.map(|info| self.scene_bytes(info)).max();
        match largest {
            Some(bytes @ 1..) if !self.source.in_memory() => self.cache().capacity / bytes,
            _ => usize::MAX,
        }
    }

    /// Bytes of the images of one scene, decoded.
    fn scene_bytes(&self, info: SceneInfo) -> usize {
        let views = info.shots + usize::from(info.clean);
        let samples = self.source.channels() * info.height * info.width;
        views * samples * self.source.kind().bytes()
    }

    /// An image of a scene.
    ///
    /// # Errors
    /// When it cannot be read.
    pub fn read(&self, scene: usize, view: View) -> Result<Arc<Raster>, DataError> {
        let key = (self.number, scene, view);
        if self.source.in_memory() {
            return self.read_anew(scene, view);
        }
        if let Some(image) = self.cache().get(key) {
            return Ok(image);
        }
        // Two threads would take the memory of an image twice.
        let _reading = Reading::of(key, &self.shared);
        if let Some(image) = self.cache().get(key) {
            return Ok(image);
        }
        let image = self.read_anew(scene, view)?;
        self.cache().insert(key, image.clone());
        Ok(image)
    }

    /// A region of an image of a scene that is [read in regions](Self::reads_regions).
    ///
    /// # Errors
    /// When it cannot be read.
    pub fn read_region(
        &self,
        scene: usize,
        view: View,
        region: Region,
    ) -> Result<Arc<Raster>, DataError> {
        let image = self.source.read_region(scene, view, region)?;
        self.count_holes(scene, view, &image);
        Ok(image)
    }

    /// What samples to look at of an image of a scene.
    ///
    /// # Errors
    /// When it cannot be read.
    pub fn look(&self, scene: usize, view: View) -> Result<Arc<Raster>, DataError> {
        if self.reads_regions(scene) {
            self.source.look(scene, view)
        } else {
            self.read(scene, view)
        }
    }

    fn read_anew(&self, scene: usize, view: View) -> Result<Arc<Raster>, DataError> {
        let image = self.source.read(scene, view)?;
        self.count_holes(scene, view, &image);
        Ok(image)
    }

    /// Of regions, those of the one with the most count.
    fn count_holes(&self, scene: usize, view: View, image: &Raster) {
        if image.samples.kind().is_float() {
            let count = image.samples.non_finite();
            let mut holes = self.holes.lock().unwrap_or_else(PoisonError::into_inner);
            let most = holes.entry((scene, view)).or_default();
            *most = count.max(*most);
        }
    }

    /// NaN and infinite samples of the images that were read so far.
    pub fn holes(&self) -> usize {
        let holes = self.holes.lock().unwrap_or_else(PoisonError::into_inner);
        holes.values().sum()
    }

    fn cache(&self) -> MutexGuard<'_, Cache> {
        let cache = self.shared.cache.lock();
        cache.unwrap_or_else(PoisonError::into_inner)
    }
}

/// An image that a thread reads.
struct Reading<'a> {
    key: Key,
    shared: &'a Shared,
}

impl<'a> Reading<'a> {
    /// Waits until no other thread reads it.
    fn of(key: Key, shared: &'a Shared) -> Self {
        let reading = shared.reading.lock();
        let reading = reading.unwrap_or_else(PoisonError::into_inner);
        let is_read = |reading: &mut HashSet<Key>| reading.contains(&key);
        let waited = shared.was_read.wait_while(reading, is_read);
        waited.unwrap_or_else(PoisonError::into_inner).insert(key);
        Self { key, shared }
    }
}

impl Drop for Reading<'_> {
    fn drop(&mut self) {
        let reading = self.shared.reading.lock();
        reading
            .unwrap_or_else(PoisonError::into_inner)
            .remove(&self.key);
        self.shared.was_read.notify_all();
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

#[cfg(test)]
mod tests {
    use std::sync::atomic::{AtomicUsize, Ordering};
    use std::{thread, time::Duration};

    use n2n_files::SampleKind;

    use super::*;
    use crate::tests::numbered::Numbered;

    /// Bytes of an image: 4 x 6 samples of 16 bits.
    const IMAGE: usize = 48;

    /// Scenes that take a while to read, and count how often that happens.
    #[derive(Default)]
    struct Slow {
        scenes: Numbered,
        reads: AtomicUsize,
    }

    impl SceneSource for Slow {
        fn len(&self) -> usize {
            self.scenes.len()
        }

        fn channels(&self) -> usize {
            self.scenes.channels()
        }

        fn kind(&self) -> SampleKind {
            self.scenes.kind()
        }

        fn info(&self, scene: usize) -> SceneInfo {
            self.scenes.info(scene)
        }

        fn name(&self, scene: usize, view: View) -> String {
            self.scenes.name(scene, view)
        }

        fn read(&self, scene: usize, view: View) -> Result<Arc<Raster>, DataError> {
            self.reads.fetch_add(1, Ordering::SeqCst);
            thread::sleep(Duration::from_millis(20));
            self.scenes.read(scene, view)
        }

        fn ordered(&self) -> bool {
            self.scenes.ordered()
        }
    }

    #[test]
    fn threads_wait_for_the_image_that_one_reads() {
        let source = Arc::new(Slow::default());
        let cache = ImageCache::new(source.clone(), 10 * IMAGE);
        let first = |scene| cache.read(scene, View::Shot(0)).unwrap();
        thread::scope(|scope| {
            for _ in 0..8 {
                scope.spawn(|| (0..3).for_each(|scene| drop(first(scene))));
            }
        });
        assert_eq!(source.reads.load(Ordering::SeqCst), 3);
    }

    #[test]
    fn an_image_that_cannot_be_read_holds_up_nobody() {
        let scenes = Numbered {
            damaged: vec![1],
            ..Numbered::default()
        };
        let cache = ImageCache::new(Arc::new(scenes), 10 * IMAGE);
        for _ in 0..2 {
            assert!(cache.read(1, View::Clean).is_err());
        }
    }

    #[test]
    fn sources_share_one_memory_and_equal_ones_their_images() {
        let source = Arc::new(Slow::default());
        let other = Arc::new(Slow::default());
        let cache = ImageCache::new(source.clone(), 3 * IMAGE);
        let [same, beside] = [source.clone(), other.clone()].map(|source| cache.beside(source));
        let reads = || [&source, &other].map(|source| source.reads.load(Ordering::SeqCst));
        let read = |cache: &ImageCache, scene| drop(cache.read(scene, View::Clean).unwrap());
        [0, 1, 2].into_iter().for_each(|scene| read(&cache, scene));
        [0, 1, 2].into_iter().for_each(|scene| read(&same, scene));
        assert_eq!(reads(), [3, 0]);
        // The oldest makes room for an image of another source, though it has its number.
        read(&beside, 0);
        read(&beside, 0);
        read(&cache, 2);
        assert_eq!(reads(), [3, 1]);
        read(&cache, 0);
        assert_eq!(reads(), [4, 1]);
        assert_eq!(cache.cache().used, 3 * IMAGE);
    }
}
