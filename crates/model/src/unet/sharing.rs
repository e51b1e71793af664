//! Blocks of the U-Net that several levels share.

/// Assignment of stored blocks to levels.
///
/// With shared weights, one encoder block serves all levels, and one decoder block all middle levels.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Sharing {
    /// Number of levels.
    pub depth: usize,
    /// Whether levels share blocks.
    pub shared: bool,
}

impl Sharing {
    /// Index of the stored encoder block that serves a level.
    pub fn encoder_block(&self, level: usize) -> usize {
        if self.shared { 0 } else { level }
    }

    /// Index of the stored decoder block that serves a level; level 0 is the deepest.
    pub fn decoder_block(&self, level: usize) -> usize {
        if !self.shared || level == 0 {
            level
        } else if level + 1 == self.depth {
            self.depth.min(3) - 1
        } else {
            1
        }
    }

    /// The levels that each stored encoder block serves.
    pub fn encoder_levels(&self) -> Vec<Vec<usize>> {
        self.levels(Self::encoder_block)
    }

    /// The levels that each stored decoder block serves.
    pub fn decoder_levels(&self) -> Vec<Vec<usize>> {
        self.levels(Self::decoder_block)
    }

    fn levels(&self, block: impl Fn(&Self, usize) -> usize) -> Vec<Vec<usize>> {
        let mut levels: Vec<Vec<usize>> = vec![];
        for level in 0..self.depth {
            match levels.get_mut(block(self, level)) {
                Some(served) => served.push(level),
                None => levels.push(vec![level]),
            }
        }
        levels
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn middle_decoder_levels_share_a_block() {
        let levels = |depth, shared| Sharing { depth, shared }.decoder_levels();
        assert_eq!(levels(2, true), [[0], [1]]);
        assert_eq!(levels(3, true), [[0], [1], [2]]);
        assert_eq!(levels(5, true), [vec![0], vec![1, 2, 3], vec![4]]);
        assert_eq!(levels(4, false), [[0], [1], [2], [3]]);
    }

    #[test]
    fn encoder_levels_share_one_block() {
        let levels = |depth, shared| Sharing { depth, shared }.encoder_levels();
        assert_eq!(levels(3, true), [[0, 1, 2]]);
        assert_eq!(levels(3, false), [[0], [1], [2]]);
    }
}
