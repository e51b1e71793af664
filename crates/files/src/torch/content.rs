//! What a file is opened for: it sets the bounds, and the words of refusals.

use std::path::Path;

use crate::FileError;

/// What a file should hold.
#[derive(Clone, Copy)]
pub(super) enum Content {
    /// Two or three tensors of images.
    Pairs,
    /// The parameters of a network.
    StateDict,
}

impl Content {
    /// Most instructions of a pickle. The bound also limits the stack, the memo, the values and the
    /// time a hostile file can cost.
    pub fn max_instructions(self) -> usize {
        match self {
            // Three tensors take about 150.
            Self::Pairs => 1024,
            // A tensor takes about 40: 1600 of them, with those of an optimizer, take a quarter. The rest is for
            // records of a training, which take one for each number.
            Self::StateDict => 1 << 18,
        }
    }

    /// Longest pickle, less the bytes of storages in it.
    pub fn max_bytes(self) -> u64 {
        match self {
            // Three tensors take about 300.
            Self::Pairs => 1 << 20,
            // The thousand tensors of a large network take 100,000, the records of a training some megabytes.
            Self::StateDict => 1 << 24,
        }
    }

    /// Most entries of an archive, and most storages within a pickle.
    pub fn max_entries(self) -> u64 {
        match self {
            // Three tensors take about 10.
            Self::Pairs => 1024,
            // One for each tensor.
            Self::StateDict => 2048,
        }
    }

    /// How such a file is made.
    pub fn way_out(self) -> &'static str {
        match self {
            Self::Pairs => "write it with torch.save((noisy, noisy), path)",
            Self::StateDict => "write it with torch.save(network.state_dict(), path)",
        }
    }

    /// The error of a file of another form.
    pub fn not_torch(self, path: &Path) -> FileError {
        FileError::NotTorchSave {
            path: path.to_owned(),
            way_out: self.way_out(),
        }
    }

    /// The error of a file that holds something else.
    pub fn refusal(self, found: String, path: &Path) -> FileError {
        let path = path.to_owned();
        match self {
            Self::Pairs => FileError::NotPairs { path, found },
            Self::StateDict => FileError::NotStateDict { path, found },
        }
    }
}
