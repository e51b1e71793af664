//! Working memory that is kept from one call to the next.

use std::ops::{Deref, DerefMut};
use std::sync::{Mutex, PoisonError};

/// Alignment of the widest vector, in floats.
const ALIGNMENT: usize = 16;

/// Unused blocks of memory.
static IDLE: Mutex<Vec<Vec<f32>>> = Mutex::new(vec![]);

/// Floats of arbitrary values, aligned for vectors; dropping them returns the memory.
pub(crate) struct Workspace {
    memory: Vec<f32>,
    start: usize,
    length: usize,
}

impl Workspace {
    pub(crate) fn new(length: usize) -> Self {
        let needed = length + ALIGNMENT;
        let mut idle = IDLE.lock().unwrap_or_else(PoisonError::into_inner);
        // The smallest that is large enough, or else the largest, to be grown.
        let fit = (0..idle.len()).min_by_key(|&i| {
            let capacity = idle[i].len();
            (capacity < needed, capacity.abs_diff(needed))
        });
        let mut memory = fit.map(|i| idle.swap_remove(i)).unwrap_or_default();
        drop(idle);
        if memory.len() < needed {
            memory = vec![0.0; needed];
        }
        let start = memory.as_ptr().align_offset(ALIGNMENT * size_of::<f32>());
        Self {
            memory,
            start: start.min(ALIGNMENT),
            length,
        }
    }

    /// Zeros.
    pub(crate) fn zeros(length: usize) -> Self {
        let mut workspace = Self::new(length);
        workspace.fill(0.0);
        workspace
    }
}

impl Deref for Workspace {
    type Target = [f32];

    fn deref(&self) -> &[f32] {
        &self.memory[self.start..self.start + self.length]
    }
}

impl DerefMut for Workspace {
    fn deref_mut(&mut self) -> &mut [f32] {
        &mut self.memory[self.start..self.start + self.length]
    }
}

impl Drop for Workspace {
    fn drop(&mut self) {
        let memory = std::mem::take(&mut self.memory);
        IDLE.lock()
            .unwrap_or_else(PoisonError::into_inner)
            .push(memory);
    }
}
