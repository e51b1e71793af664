use std::borrow::Cow;

use rand_chacha::ChaCha8Rng;

use super::{Corrupted, NoiseModel};

/// Another model's noisy values, cut off at 0 and 1: `y = min(max(y', 0), 1)`.
///
/// This biases the mean: a black pixel under zero-mean noise can only become brighter. An L2 loss on
/// noisy targets then learns images with less contrast than the clean ones. The clean image and the
/// mask stay as they are.
#[derive(Clone, Debug)]
pub struct Clipped<M> {
    model: M,
}

impl<M: NoiseModel> Clipped<M> {
    /// Cuts off the values of `model`.
    pub fn new(model: M) -> Self {
        Self { model }
    }
}

impl<M: NoiseModel> NoiseModel for Clipped<M> {
    fn reduction(&self) -> usize {
        self.model.reduction()
    }

    fn clean<'a>(&self, image: &'a [f32], shape: [usize; 3]) -> Cow<'a, [f32]> {
        self.model.clean(image, shape)
    }

    fn corrupt(&self, image: &[f32], shape: [usize; 3], rng: &mut ChaCha8Rng) -> Corrupted {
        let mut corrupted = self.model.corrupt(image, shape, rng);
        for value in &mut corrupted.values {
            *value = value.clamp(0.0, 1.0);
        }
        corrupted
    }
}
