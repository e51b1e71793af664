//! Several sources as one.

use std::sync::Arc;

use n2n_files::{Raster, Region, SampleKind};

use crate::{DataError, SceneInfo, SceneSource, View};

/// The scenes of several sources, one source after the other.
pub(crate) struct Joined {
    sources: Vec<Box<dyn SceneSource>>,
}

impl Joined {
    /// Joins sources whose images have the same channels and are of the same kind.
    ///
    /// # Panics
    /// If `sources` is empty.
    pub fn new(sources: Vec<Box<dyn SceneSource>>) -> Self {
        assert!(!sources.is_empty(), "expected a source");
        Self { sources }
    }

    /// The source of a scene, and its place in it.
    fn of(&self, mut scene: usize) -> (&dyn SceneSource, usize) {
        for source in &self.sources {
            if scene < source.len() {
                return (&**source, scene);
            }
            scene -= source.len();
        }
        panic!("a scene beyond the last of {}", self.len())
    }
}

impl SceneSource for Joined {
    fn len(&self) -> usize {
        self.sources.iter().map(|source| source.len()).sum()
    }

    fn channels(&self) -> usize {
        self.sources[0].channels()
    }

    fn kind(&self) -> SampleKind {
        self.sources[0].kind()
    }

    fn info(&self, scene: usize) -> SceneInfo {
        let (source, scene) = self.of(scene);
        source.info(scene)
    }

    fn name(&self, scene: usize, view: View) -> String {
        let (source, scene) = self.of(scene);
        source.name(scene, view)
    }

    fn read(&self, scene: usize, view: View) -> Result<Arc<Raster>, DataError> {
        let (source, scene) = self.of(scene);
        source.read(scene, view)
    }

    fn read_region(
        &self,
        scene: usize,
        view: View,
        region: Region,
    ) -> Result<Arc<Raster>, DataError> {
        let (source, scene) = self.of(scene);
        source.read_region(scene, view, region)
    }

    fn reads_regions(&self, scene: usize) -> bool {
        let (source, scene) = self.of(scene);
        source.reads_regions(scene)
    }

    fn ordered(&self) -> bool {
        self.sources[0].ordered()
    }

    fn in_time(&self, scene: usize) -> bool {
        let (source, scene) = self.of(scene);
        source.in_time(scene)
    }

    fn in_memory(&self) -> bool {
        self.sources.iter().all(|source| source.in_memory())
    }

    fn may_skip(&self) -> bool {
        self.sources.iter().all(|source| source.may_skip())
    }
}
