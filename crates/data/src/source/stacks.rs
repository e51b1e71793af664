//! Stacks of images in files: TIFF pages, NumPy arrays, tensors of PyTorch, CIFAR-10.

use std::sync::Arc;

use n2n_files::{Raster, Region, SampleKind, Stack};

use crate::{DataError, SceneInfo, SceneSource, View};

type BoxedStack = Box<dyn Stack>;

/// Stacks whose images at one index show one scene: each stack holds a shot of every scene.
pub struct PairedStacks {
    shots: Vec<BoxedStack>,
    clean: Option<BoxedStack>,
    in_memory: bool,
}

impl PairedStacks {
    /// Pairs stacks image by image; `in_memory` says that they are.
    ///
    /// # Errors
    /// When they differ in length, shape or type, or hold nothing.
    ///
    /// # Panics
    /// If there is no stack.
    pub fn new(
        shots: Vec<BoxedStack>,
        clean: Option<BoxedStack>,
        in_memory: bool,
    ) -> Result<Self, DataError> {
        let mut all = shots.iter().chain(&clean);
        let first = all.next().expect("at least one stack");
        if first.is_empty() {
            return Err(DataError::Empty {
                name: first.path().display().to_string(),
            });
        }
        for stack in all {
            let describe = |stack: &BoxedStack| {
                let [channels, height, width] = stack.shape();
                format!(
                    "{} images of {channels}x{height}x{width} {}",
                    stack.len(),
                    stack.kind()
                )
            };
            if describe(first) != describe(stack) {
                return Err(DataError::StacksDiffer {
                    first: first.path().to_owned(),
                    first_holds: describe(first),
                    second: stack.path().to_owned(),
                    second_holds: describe(stack),
                });
            }
        }
        Ok(Self {
            shots,
            clean,
            in_memory,
        })
    }

    fn stack(&self, view: View) -> &BoxedStack {
        match (view, &self.clean) {
            (View::Shot(shot), _) => &self.shots[shot],
            (View::Clean, Some(clean)) => clean,
            (View::Clean, None) => panic!("these stacks have no clean images"),
        }
    }

    fn any(&self) -> &BoxedStack {
        let view = if self.shots.is_empty() {
            View::Clean
        } else {
            View::Shot(0)
        };
        self.stack(view)
    }
}

impl SceneSource for PairedStacks {
    fn len(&self) -> usize {
        self.any().len()
    }

    fn channels(&self) -> usize {
        self.any().shape()[0]
    }

    fn kind(&self) -> SampleKind {
        self.any().kind()
    }

    fn info(&self, _scene: usize) -> SceneInfo {
        let [_, height, width] = self.any().shape();
        SceneInfo {
            shots: self.shots.len(),
            clean: self.clean.is_some(),
            height,
            width,
        }
    }

    fn name(&self, scene: usize, view: View) -> String {
        format!("image {scene} of {}", self.stack(view).path().display())
    }

    fn read(&self, scene: usize, view: View) -> Result<Arc<Raster>, DataError> {
        Ok(Arc::new(self.stack(view).read(scene)?))
    }

    fn read_region(
        &self,
        scene: usize,
        view: View,
        region: Region,
    ) -> Result<Arc<Raster>, DataError> {
        Ok(Arc::new(self.stack(view).read_region(scene, region)?))
    }

    fn reads_regions(&self, _scene: usize) -> bool {
        let mut stacks = self.shots.iter().chain(&self.clean);
        stacks.all(|stack| stack.parts().is_some())
    }

    fn ordered(&self) -> bool {
        true
    }

    fn in_memory(&self) -> bool {
        self.in_memory
    }
}

/// Stacks that are one scene each: every image is a shot of it.
pub struct BurstStacks {
    bursts: Vec<BoxedStack>,
}

impl BurstStacks {
    /// Scenes of two or more shots each.
    ///
    /// # Errors
    /// When a stack has a single image, or they differ in channels or type.
    pub fn new(bursts: Vec<BoxedStack>) -> Result<Self, DataError> {
        for burst in &bursts {
            Self::check(&**burst, Some(&*bursts[0]))?;
        }
        Ok(Self { bursts })
    }

    /// Checks that a stack is a scene of two shots or more, and goes with the first one.
    ///
    /// # Errors
    /// When it has a single image, or differs in channels or type.
    pub fn check(burst: &dyn Stack, first: Option<&dyn Stack>) -> Result<(), DataError> {
        let path = || burst.path().to_owned();
        if burst.len() < 2 {
            return Err(DataError::SingleShot { path: path() });
        }
        let holds = |stack: &dyn Stack| format!("{} x {}", stack.shape()[0], stack.kind());
        match first {
            Some(first) if holds(burst) != holds(first) => Err(DataError::StacksDiffer {
                first: first.path().to_owned(),
                first_holds: holds(first),
                second: path(),
                second_holds: holds(burst),
            }),
            _ => Ok(()),
        }
    }
}

impl SceneSource for BurstStacks {
    fn len(&self) -> usize {
        self.bursts.len()
    }

    fn channels(&self) -> usize {
        self.bursts[0].shape()[0]
    }

    fn kind(&self) -> SampleKind {
        self.bursts[0].kind()
    }

    fn info(&self, scene: usize) -> SceneInfo {
        let burst = &self.bursts[scene];
        let [_, height, width] = burst.shape();
        SceneInfo {
            shots: burst.len(),
            clean: false,
            height,
            width,
        }
    }

    fn name(&self, scene: usize, view: View) -> String {
        let path = self.bursts[scene].path().display();
        match view {
            View::Shot(shot) => format!("image {shot} of {path}"),
            View::Clean => panic!("a burst has no clean image"),
        }
    }

    fn read(&self, scene: usize, view: View) -> Result<Arc<Raster>, DataError> {
        match view {
            View::Shot(shot) => Ok(Arc::new(self.bursts[scene].read(shot)?)),
            View::Clean => panic!("a burst has no clean image"),
        }
    }

    fn read_region(
        &self,
        scene: usize,
        view: View,
        region: Region,
    ) -> Result<Arc<Raster>, DataError> {
        match view {
            View::Shot(shot) => {
                let read = self.bursts[scene].read_region(shot, region);
                Ok(Arc::new(read?))
            }
            View::Clean => panic!("a burst has no clean image"),
        }
    }

    fn reads_regions(&self, scene: usize) -> bool {
        self.bursts[scene].parts().is_some()
    }

    fn ordered(&self) -> bool {
        false
    }
}

/// Several files one after the other, as one stack.
pub struct Chain {
    stacks: Vec<BoxedStack>,
}

impl Chain {
    /// Joins stacks of one shape and type.
    ///
    /// # Panics
    /// If `stacks` is empty.
    pub fn new(stacks: Vec<BoxedStack>) -> Self {
        assert!(!stacks.is_empty(), "expected a stack");
        Self { stacks }
    }
}

impl Stack for Chain {
    fn path(&self) -> &std::path::Path {
        self.stacks[0].path()
    }

    fn len(&self) -> usize {
        self.stacks.iter().map(|stack| stack.len()).sum()
    }

    fn shape(&self) -> [usize; 3] {
        self.stacks[0].shape()
    }

    fn kind(&self) -> SampleKind {
        self.stacks[0].kind()
    }

    fn read(&self, mut index: usize) -> Result<Raster, n2n_files::FileError> {
        for stack in &self.stacks {
            if index < stack.len() {
                return stack.read(index);
            }
            index -= stack.len();
        }
        panic!("index {index} beyond the last of {} images", self.len())
    }
}
