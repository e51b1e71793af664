//! What the targets share: how much memory a reader takes.
//!
//! A target reads bytes as a file of one kind. Whatever they are, it ends with a result or an error,
//! and takes at most [`limit`] bytes.

use std::{
    fs,
    path::{Path, PathBuf},
    process,
};

use n2n_files::{
    PageStack, Region, Stack, ZarrStack, read_attached, read_header, read_picture, reading_bytes,
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

/// What parts the files of [`read_folder`].
const MARK: &[u8] = b"\n%%";

/// Most files of a folder, and images of it that are read.
const MOST_FILES: usize = 16;

/// Largest side in pixels of the part that is read of an image of Zarr.
const SIDE: usize = 64;

/// Writes bytes as a folder of Zarr and reads a part of each image. Each file begins with a line of its name; [`MARK`] stands
/// between two of them.
pub fn read_folder(bytes: &[u8]) {
    let folder = file("a.zarr");
    let _ = fs::remove_dir_all(&folder);
    fs::create_dir_all(&folder).expect("a folder for temporary files; TMPDIR names another one");
    let mut rest = bytes;
    for _ in 0..MOST_FILES {
        let end = rest.windows(MARK.len()).position(|part| part == MARK);
        write_part(&folder, &rest[..end.unwrap_or(rest.len())]);
        let Some(end) = end else { break };
        rest = &rest[end + MARK.len()..];
    }
    let limit = limit(bytes.len());
    let (stack, before) = peak(|| ZarrStack::open(&folder).ok());
    assert!(before <= limit, "{before} bytes for {}", bytes.len());
    let Some(stack) = stack else { return };
    // Chunks that are not there hold the fill value: a short file announces as large an image as it likes.
    let [channels, height, width] = stack.shape();
    let region = Region {
        top: height / 2,
        left: width / 2,
        height: (height - height / 2).min(SIDE),
        width: (width - width / 2).min(SIDE),
    };
    let part = channels * region.height * region.width * stack.kind().bytes();
    let said = stack.chunk_memory().saturating_add(part as u64);
    let ((), peak) = peak(|| {
        for index in 0..stack.len().min(MOST_FILES) {
            let _ = stack.read_region(index, region);
        }
    });
    let limit = limit.saturating_add(usize::try_from(said).unwrap_or(usize::MAX));
    assert!(peak <= limit, "{peak} bytes for {} and {said}", bytes.len());
}

/// Writes a file below `folder`, if its name stays there.
fn write_part(folder: &Path, part: &[u8]) {
    let line = part.iter().position(|byte| *byte == b'\n');
    let (name, content) = part.split_at(line.unwrap_or(part.len()));
    let is_plain = |part: &str| {
        let mut bytes = part.bytes();
        part != ".." && bytes.all(|byte| byte.is_ascii_alphanumeric() || byte == b'.')
    };
    let Ok(name) = str::from_utf8(name) else {
        return;
    };
    if name.len() > 40 || !name.split('/').all(is_plain) {
        return;
    }
    let path = folder.join(name);
    if let Some(parent) = path.parent() {
        let _ = fs::create_dir_all(parent);
    }
    // Two files of one name, or a folder where a file is.
    let _ = fs::write(path, content.get(1..).unwrap_or_default());
}

/// The file that this process writes.
fn file(name: &str) -> PathBuf {
    std::env::temp_dir().join(format!("n2n-fuzz-{}-{name}", process::id()))
}
