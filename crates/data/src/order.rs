//! The order of the examples in an epoch.

use rand::SeedableRng;
use rand::seq::SliceRandom;
use rand_chacha::ChaCha8Rng;

/// The examples of some scenes: scene `s` has those from `ends[s - 1]` to `ends[s]`.
#[derive(Clone, Debug)]
pub(crate) struct Order {
    ends: Vec<u32>,
    /// Number of scenes whose examples mix: those that fit into the cache.
    window: usize,
}

impl Order {
    /// An order over scenes with `counts` examples.
    pub fn new(counts: impl Iterator<Item = usize>, window: usize) -> Self {
        let ends = counts.scan(0, |end, count| {
            *end += count as u32;
            Some(*end)
        });
        Self {
            ends: ends.collect(),
            window: window.max(1),
        }
    }

    /// Number of examples.
    pub fn len(&self) -> usize {
        self.ends.last().map_or(0, |end| *end as usize)
    }

    /// The scene of an example.
    pub fn scene(&self, example: usize) -> usize {
        self.ends.partition_point(|end| *end as usize <= example)
    }

    /// The examples of `epoch` in order: a pure function of the seed and the epoch; without a seed,
    /// sorted.
    pub fn epoch(&self, shuffle_seed: Option<u64>, epoch: u64) -> Vec<u32> {
        let Some(seed) = shuffle_seed else {
            return (0..self.len() as u32).collect();
        };
        let mut rng = ChaCha8Rng::seed_from_u64(seed);
        rng.set_stream(epoch);
        if self.window >= self.ends.len() {
            let mut examples: Vec<u32> = (0..self.len() as u32).collect();
            examples.shuffle(&mut rng);
            return examples;
        }
        let mut scenes: Vec<usize> = (0..self.ends.len()).collect();
        scenes.shuffle(&mut rng);
        let mut examples = Vec::with_capacity(self.len());
        for window in scenes.chunks(self.window) {
            let start = examples.len();
            for &scene in window {
                let first = scene.checked_sub(1).map_or(0, |before| self.ends[before]);
                examples.extend(first..self.ends[scene]);
            }
            examples[start..].shuffle(&mut rng);
        }
        examples
    }
}

#[cfg(test)]
mod tests {
    use std::collections::HashSet;

    use super::*;

    fn order(window: usize) -> Order {
        Order::new([2, 1, 3, 1].into_iter(), window)
    }

    #[test]
    fn examples_are_counted_by_scene() {
        let order = order(9);
        assert_eq!(order.len(), 7);
        let scenes: Vec<_> = (0..7).map(|example| order.scene(example)).collect();
        assert_eq!(scenes, [0, 0, 1, 2, 2, 2, 3]);
        assert_eq!(order.epoch(None, 5), [0, 1, 2, 3, 4, 5, 6]);
    }

    #[test]
    fn order_is_a_function_of_seed_and_epoch() {
        for window in [1, 2, 9] {
            let examples = |seed, epoch| order(window).epoch(Some(seed), epoch);
            let mut sorted = examples(1, 0);
            sorted.sort_unstable();
            assert_eq!(sorted, [0, 1, 2, 3, 4, 5, 6]);
            assert_eq!(examples(1, 7), examples(1, 7));
            let epochs = |seed| {
                (0..20)
                    .map(|epoch| examples(seed, epoch))
                    .collect::<Vec<_>>()
            };
            let orders: HashSet<_> = epochs(1).into_iter().collect();
            assert!(orders.len() > 10, "20 epochs have {} orders", orders.len());
            assert_ne!(epochs(1), epochs(2));
        }
    }

    #[test]
    fn only_scenes_of_one_window_mix() {
        let order = order(2);
        for epoch in 0..20 {
            let examples = order.epoch(Some(4), epoch);
            let scenes = |examples: &[u32]| -> HashSet<usize> {
                examples
                    .iter()
                    .map(|&at| order.scene(at as usize))
                    .collect()
            };
            let split =
                (1..7).find(|&at| scenes(&examples[..at]).is_disjoint(&scenes(&examples[at..])));
            let split = split.expect("two windows of two scenes each");
            assert!(scenes(&examples[..split]).len() <= 2);
        }
    }
}
