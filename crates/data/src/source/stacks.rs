//! Stacks of images in files: TIFF pages, NumPy arrays, tensors of PyTorch, CIFAR-10.

use std::sync::Arc;

use n2n_files::{Axis, Raster, Region, SampleKind, Split, Stack};

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

    /// Checks that these go with others, if there are any.
    ///
    /// # Errors
    /// When they differ in channels or type.
    pub fn check(&self, others: Option<&Self>) -> Result<(), DataError> {
        others.map_or(Ok(()), |others| check_alike(&**others.any(), &**self.any()))
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

/// Checks that the images of two stacks have the same channels and type.
fn check_alike(first: &dyn Stack, second: &dyn Stack) -> Result<(), DataError> {
    let holds = |stack: &dyn Stack| format!("{} x {}", stack.shape()[0], stack.kind());
    if holds(first) == holds(second) {
        return Ok(());
    }
    Err(DataError::StacksDiffer {
        first: first.path().to_owned(),
        first_holds: holds(first),
        second: second.path().to_owned(),
        second_holds: holds(second),
    })
}

/// Stacks whose images are shots of one scene; of volumes, the images of each plane.
pub struct BurstStacks {
    bursts: Vec<Burst>,
    /// For each scene, its stack and its place in it.
    scenes: Vec<(u32, u32)>,
}

/// A stack, and the images that are shots of each of its scenes.
pub struct Burst {
    stack: BoxedStack,
    split: Split,
    /// Whether the shots of a scene follow each other in time.
    in_time: bool,
}

impl Burst {
    /// Takes a stack of `least` shots or more of each scene. With `any`, images of which nobody knows what they are are
    /// shots.
    ///
    /// # Errors
    /// When it has fewer.
    pub fn new(stack: BoxedStack, any: bool, least: usize) -> Result<Self, DataError> {
        let axes = stack.image_axes();
        let has = |wanted| axes.iter().any(|&(axis, size)| axis == wanted && size > 1);
        let is_shot = |axis| match axis {
            Axis::Shot | Axis::Time => true,
            Axis::Unknown => any,
            _ => false,
        };
        let split = Split::new(&axes, is_shot);
        // Of shots at each point in time, those that follow each other are close in time too.
        let mut slowest = axes
            .iter()
            .filter(|&&(axis, size)| size > 1 && is_shot(axis));
        let in_time = slowest.next().is_some_and(|(axis, _)| *axis == Axis::Time);
        let path = || stack.path().to_owned();
        let images = stack.len();
        if has(Axis::Unknown) && !any {
            return Err(DataError::UnknownAxes {
                path: path(),
                images,
            });
        }
        match split.sizes() {
            [_, shots] if shots >= least => Ok(Self {
                stack,
                split,
                in_time,
            }),
            [1, _] => Err(DataError::SingleShot { path: path() }),
            [_, _] => Err(DataError::PlanesOnly {
                path: path(),
                images,
            }),
        }
    }
}

impl BurstStacks {
    /// Scenes of two or more shots each.
    ///
    /// # Errors
    /// When stacks differ in channels or type.
    pub fn new(bursts: Vec<Burst>) -> Result<Self, DataError> {
        let mut scenes = Vec::new();
        for (at, burst) in (0..).zip(&bursts) {
            Self::check(burst, Some(&bursts[0]))?;
            let [planes, _] = burst.split.sizes();
            scenes.extend((0..planes as u32).map(|plane| (at, plane)));
        }
        Ok(Self { bursts, scenes })
    }

    /// Checks that a stack goes with the first one.
    ///
    /// # Errors
    /// When it differs in channels or type.
    pub fn check(burst: &Burst, first: Option<&Burst>) -> Result<(), DataError> {
        first.map_or(Ok(()), |first| check_alike(&*first.stack, &*burst.stack))
    }

    /// The first stack.
    pub fn first(&self) -> &dyn Stack {
        &*self.bursts[0].stack
    }

    /// The stack of a scene, and the place of a shot in it.
    fn image(&self, scene: usize, view: View) -> (&dyn Stack, usize) {
        let (burst, plane) = self.scenes[scene];
        let Burst { stack, split, .. } = &self.bursts[burst as usize];
        match view {
            View::Shot(shot) => (&**stack, split.place(plane as usize, shot)),
            View::Clean => panic!("a burst has no clean image"),
        }
    }
}

impl SceneSource for BurstStacks {
    fn len(&self) -> usize {
        self.scenes.len()
    }

    fn channels(&self) -> usize {
        self.first().shape()[0]
    }

    fn kind(&self) -> SampleKind {
        self.first().kind()
    }

    fn info(&self, scene: usize) -> SceneInfo {
        let burst = &self.bursts[self.scenes[scene].0 as usize];
        let [_, height, width] = burst.stack.shape();
        SceneInfo {
            shots: burst.split.sizes()[1],
            clean: false,
            height,
            width,
        }
    }

    fn name(&self, scene: usize, view: View) -> String {
        let (stack, image) = self.image(scene, view);
        format!("image {image} of {}", stack.path().display())
    }

    fn read(&self, scene: usize, view: View) -> Result<Arc<Raster>, DataError> {
        let (stack, image) = self.image(scene, view);
        Ok(Arc::new(stack.read(image)?))
    }

    fn read_region(
        &self,
        scene: usize,
        view: View,
        region: Region,
    ) -> Result<Arc<Raster>, DataError> {
        let (stack, image) = self.image(scene, view);
        Ok(Arc::new(stack.read_region(image, region)?))
    }

    fn reads_regions(&self, scene: usize) -> bool {
        let (burst, _) = self.scenes[scene];
        self.bursts[burst as usize].stack.parts().is_some()
    }

    fn ordered(&self) -> bool {
        false
    }

    fn in_time(&self, scene: usize) -> bool {
        let (burst, _) = self.scenes[scene];
        self.bursts[burst as usize].in_time
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
