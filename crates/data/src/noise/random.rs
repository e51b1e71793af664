use rand::SeedableRng;
use rand_chacha::ChaCha8Rng;
use rand_distr::{Distribution, StandardNormal};

/// Which noisy image of a pair.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Member {
    /// The input of the network.
    First,
    /// The target.
    Second,
}

/// The generator of one noisy image, a pure function of the four arguments.
///
/// The four are the 256-bit key of the generator, so different arguments never share a stream, and
/// the two members of a pair are independent.
pub fn rng(seed: u64, epoch: u64, index: u64, member: Member) -> ChaCha8Rng {
    let mut key = [0; 32];
    let words = [seed, epoch, index, member as u64];
    for (bytes, word) in key.chunks_exact_mut(8).zip(words) {
        bytes.copy_from_slice(&word.to_le_bytes());
    }
    ChaCha8Rng::from_seed(key)
}

/// A number from the standard normal distribution: the inner loop of most models, so inlined.
#[inline(always)]
pub fn normal(rng: &mut ChaCha8Rng) -> f32 {
    let normal: f64 = StandardNormal.sample(rng);
    normal as f32
}
