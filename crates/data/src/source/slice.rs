//! A run of consecutive examples of another source.

use std::ops::Range;
use std::sync::Arc;

use crate::{DataError, NoisyPair, PairSource, Target};

/// Consecutive examples of another source.
pub struct Slice {
    source: Arc<dyn PairSource>,
    range: Range<usize>,
}

impl Slice {
    /// The examples `range` of `source`.
    ///
    /// # Panics
    /// If the range is not inside the source.
    pub fn new(source: Arc<dyn PairSource>, range: Range<usize>) -> Self {
        let length = source.len();
        assert!(
            range.start <= range.end && range.end <= length,
            "expected a range in 0..{length}, got {range:?}"
        );
        Self { source, range }
    }
}

impl PairSource for Slice {
    fn len(&self) -> usize {
        self.range.len()
    }

    fn shape(&self) -> [usize; 3] {
        self.source.shape()
    }

    fn has(&self, target: Target) -> bool {
        self.source.has(target)
    }

    fn pair(&self, index: usize) -> Result<NoisyPair, DataError> {
        assert!(index < self.len(), "index {index} of {}", self.len());
        self.source.pair(self.range.start + index)
    }
}
