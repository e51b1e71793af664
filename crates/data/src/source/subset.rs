//! A part of another source.

use std::sync::Arc;

use n2n_files::{Raster, Region, SampleKind};

use crate::{DataError, SceneInfo, SceneSource, View};

/// Some of the scenes of another source, in any order, with or without their clean images.
pub struct Subset {
    source: Arc<dyn SceneSource>,
    scenes: Vec<u32>,
    clean: bool,
}

impl Subset {
    /// The scenes of `source` that `scenes` names.
    pub fn new(source: Arc<dyn SceneSource>, scenes: Vec<u32>) -> Self {
        Self {
            source,
            scenes,
            clean: true,
        }
    }

    /// All of `source` but the clean images.
    pub fn without_clean(source: Arc<dyn SceneSource>) -> Self {
        Self {
            scenes: (0..source.len() as u32).collect(),
            source,
            clean: false,
        }
    }

    fn scene(&self, index: usize) -> usize {
        self.scenes[index] as usize
    }
}

impl SceneSource for Subset {
    fn len(&self) -> usize {
        self.scenes.len()
    }

    fn channels(&self) -> usize {
        self.source.channels()
    }

    fn kind(&self) -> SampleKind {
        self.source.kind()
    }

    fn info(&self, scene: usize) -> SceneInfo {
        let info = self.source.info(self.scene(scene));
        SceneInfo {
            clean: info.clean && self.clean,
            ..info
        }
    }

    fn name(&self, scene: usize, view: View) -> String {
        self.source.name(self.scene(scene), view)
    }

    fn read(&self, scene: usize, view: View) -> Result<Arc<Raster>, DataError> {
        self.source.read(self.scene(scene), view)
    }

    fn read_region(
        &self,
        scene: usize,
        view: View,
        region: Region,
    ) -> Result<Arc<Raster>, DataError> {
        self.source.read_region(self.scene(scene), view, region)
    }

    fn reads_regions(&self, scene: usize) -> bool {
        self.source.reads_regions(self.scene(scene))
    }

    fn ordered(&self) -> bool {
        self.source.ordered()
    }

    fn in_time(&self, scene: usize) -> bool {
        self.source.in_time(self.scene(scene))
    }

    fn in_memory(&self) -> bool {
        self.source.in_memory()
    }

    fn may_skip(&self) -> bool {
        self.source.may_skip()
    }
}
