//! What the targets share: how much memory a reader takes.
//!
//! A target reads bytes as a file of one kind. Whatever they are, it ends with a result or an error,
//! and takes at most [`limit`] bytes.

use n2n_files::Stack;
use peak_alloc::PeakAlloc;

#[global_allocator]
static ALLOCATOR: PeakAlloc = PeakAlloc;

/// What any file may take besides its own size: a zip directory of 1 MiB and what is kept of it, a
/// pickle of 1 MiB, buffers.
const CONSTANT: usize = 8 << 20;

/// Most memory that a file of `len` bytes may take.
pub fn limit(len: usize) -> usize {
    2 * len + CONSTANT
}

/// Runs `read` and gives what it returns, and how many bytes more than before it took at its peak.
pub fn peak<T>(read: impl FnOnce() -> T) -> (T, usize) {
    let before = ALLOCATOR.current_usage();
    ALLOCATOR.reset_peak_usage();
    let result = read();
    let peak = ALLOCATOR.peak_usage();
    (result, peak.saturating_sub(before))
}

/// Reads all images, one after the other.
pub fn read_all(stack: &impl Stack) {
    for index in 0..stack.len() {
        if let Ok(image) = stack.read(index) {
            assert_eq!(image.shape(), stack.shape());
            assert_eq!(image.samples.kind(), stack.kind());
            assert_eq!(image.samples.len(), stack.shape().iter().product::<usize>());
        }
    }
}
