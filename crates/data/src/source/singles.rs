//! Single noisy images.

use std::sync::Arc;

use n2n_files::{Raster, Region, SampleKind};

use crate::{DataError, SceneInfo, SceneSource, View};

/// The scenes of another source, each with a noisy image at least: where a scene has a clean image alone, that one is
/// taken for noisy.
pub(crate) struct Singles {
    source: Arc<dyn SceneSource>,
}

impl Singles {
    /// Takes the images of `source` for noisy.
    pub fn new(source: Arc<dyn SceneSource>) -> Self {
        Self { source }
    }

    fn view(&self, scene: usize, view: View) -> View {
        match self.source.info(scene).shots {
            0 => View::Clean,
            _ => view,
        }
    }
}

impl SceneSource for Singles {
    fn len(&self) -> usize {
        self.source.len()
    }

    fn channels(&self) -> usize {
        self.source.channels()
    }

    fn kind(&self) -> SampleKind {
        self.source.kind()
    }

    fn info(&self, scene: usize) -> SceneInfo {
        let info = self.source.info(scene);
        match info.shots {
            0 => SceneInfo {
                shots: 1,
                clean: false,
                ..info
            },
            _ => info,
        }
    }

    fn name(&self, scene: usize, view: View) -> String {
        self.source.name(scene, self.view(scene, view))
    }

    fn read(&self, scene: usize, view: View) -> Result<Arc<Raster>, DataError> {
        self.source.read(scene, self.view(scene, view))
    }

    fn read_region(
        &self,
        scene: usize,
        view: View,
        region: Region,
    ) -> Result<Arc<Raster>, DataError> {
        let view = self.view(scene, view);
        self.source.read_region(scene, view, region)
    }

    fn reads_regions(&self, scene: usize) -> bool {
        self.source.reads_regions(scene)
    }

    fn ordered(&self) -> bool {
        self.source.ordered()
    }

    fn in_memory(&self) -> bool {
        self.source.in_memory()
    }

    fn may_skip(&self) -> bool {
        self.source.may_skip()
    }
}
