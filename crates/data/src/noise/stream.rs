use rand::SeedableRng;
use rand_chacha::ChaCha8Rng;

/// Which noisy image of a pair.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Member {
    /// What the network sees.
    First,
    /// What its output is compared with.
    Second,
}

/// The random numbers of one noisy image, a pure function of the four arguments.
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
