//! What the targets share: how much memory a reader takes.
//!
//! A target reads bytes as a file of one kind. Whatever they are, it ends with a result or an error,
//! and takes at most [`limit`] bytes.

use std::{fs, path::PathBuf, process};

use n2n_files::{
    PageStack, Stack, read_attached, read_header, read_picture, reading_bytes,
};
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

/// Reads bytes as a file of a format that is told by its first bytes: its header, what stands beside its pixels, its
/// picture, and all its images if it has several.
///
/// Until the header is read, nothing but the file counts; then what is said that reading takes.
pub fn read_file(bytes: &[u8], name: &str) {
    let path = file(name);
    fs::write(&path, bytes).expect("a folder for temporary files; TMPDIR names another one");
    let limit = limit(bytes.len());
    let (said, before) = peak(|| {
        let header = read_header(&path).ok()?;
        reading_bytes(&path, &header).ok()
    });
    assert!(before <= limit, "{before} bytes for {}", bytes.len());
    let said = said.unwrap_or_default();
    let ((), peak) = peak(|| {
        let _ = read_attached(&path);
        let _ = read_picture(&path);
        if let Ok(stack) = PageStack::open(&path) {
            read_all(&stack);
        }
    });
    let limit = limit + usize::try_from(said).unwrap_or(usize::MAX - limit);
    assert!(peak <= limit, "{peak} bytes for {} and {said}", bytes.len());
}

/// The file that this process writes.
fn file(name: &str) -> PathBuf {
    std::env::temp_dir().join(format!("n2n-fuzz-{}-{name}", process::id()))
}
