//! What data is made of: scenes, each seen in one shot or several, some with a clean image.

use std::sync::Arc;

use n2n_files::{Raster, Region, SampleKind};

use crate::{DataError, sampled};

/// One image of a scene.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum View {
    /// A noisy image, its noise independent of every other shot's.
    Shot(usize),
    /// The image without noise.
    Clean,
}

/// Which images of a scene there are, and how large.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct SceneInfo {
    /// Number of noisy images.
    pub shots: usize,
    /// Whether there is a clean one.
    pub clean: bool,
    /// Height of each in pixels.
    pub height: usize,
    /// Width of each in pixels.
    pub width: usize,
}

/// A finite set of scenes.
///
/// # Panics
/// Methods panic where `scene` is not below [`len`](Self::len), or a view is not one of the scene's.
pub trait SceneSource: Send + Sync {
    /// Number of scenes.
    fn len(&self) -> usize;

    /// Whether there is no scene at all.
    fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// Channels of the images; of grey and colour ones together, 3.
    fn channels(&self) -> usize;

    /// How every image stores its samples.
    fn kind(&self) -> SampleKind;

    /// Which images there are of `scene`.
    fn info(&self, scene: usize) -> SceneInfo;

    /// The file that an image comes from, and the place in it.
    fn name(&self, scene: usize, view: View) -> String;

    /// An image of a scene.
    ///
    /// # Errors
    /// When it cannot be read.
    fn read(&self, scene: usize, view: View) -> Result<Arc<Raster>, DataError>;

    /// A region of an image of a scene.
    ///
    /// # Errors
    /// When it cannot be read.
    ///
    /// # Panics
    /// When it reaches beyond the image.
    fn read_region(
        &self,
        scene: usize,
        view: View,
        region: Region,
    ) -> Result<Arc<Raster>, DataError> {
        Ok(Arc::new(self.read(scene, view)?.cropped(region)))
    }

    /// Whether regions of the images of `scene` are read without the rest.
    fn reads_regions(&self, _scene: usize) -> bool {
        false
    }

    /// What samples to look at of an image of a scene: all of it, or, of a large one that is not read whole,
    /// [squares](sampled) all over it.
    ///
    /// # Errors
    /// When it cannot be read.
    fn look(&self, scene: usize, view: View) -> Result<Arc<Raster>, DataError> {
        if !self.reads_regions(scene) {
            return self.read(scene, view);
        }
        let SceneInfo { height, width, .. } = self.info(scene);
        let shape = [self.channels(), height, width];
        let read = |region| Ok(Arc::unwrap_or_clone(self.read_region(scene, view, region)?));
        sampled(shape, read).map(Arc::new)
    }

    /// Whether shots of a scene come in an order: the first is the input and the second the target.
    /// Otherwise any two of them are a pair.
    fn ordered(&self) -> bool;

    /// Whether the shots of `scene` follow each other in time, as its file says.
    fn in_time(&self, _scene: usize) -> bool {
        false
    }

    /// Whether every image is in memory as it is.
    fn in_memory(&self) -> bool {
        false
    }

    /// Whether each image is a separate file, so that a damaged one among many can be left out.
    fn may_skip(&self) -> bool {
        false
    }
}
