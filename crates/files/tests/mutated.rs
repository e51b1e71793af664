//! Damaged files without end: each reader gives a result or an error, soon and in little memory.

use std::{
    env, fs,
    path::{Path, PathBuf},
    time::{Duration, Instant},
};

use n2n_files::{
    CifarFile, Stack, TiffStack, open_npz, open_state_dict, open_torch, read_attached, read_header,
    read_picture,
};
use tempfile::TempDir;

use crate::expected::data;

/// Files that are tried where `N2N_MUTATIONS` says no other number; `N2N_SEED` makes others.
const MUTATIONS: u64 = 3000;

/// Longest time that a file of a few kilobytes may take.
const PATIENCE: Duration = Duration::from_secs(20);

/// Most memory of all.
#[cfg(target_os = "linux")]
const MEMORY: u64 = 1 << 30;

/// Numbers that lengths and offsets go wrong at.
const EXTREMES: [u32; 6] = [0, 1, 0x7fff_ffff, 0x8000_0000, 0xffff_fff0, u32::MAX];

fn number(name: &str, default: u64) -> u64 {
    env::var(name).map_or(default, |value| value.parse().unwrap())
}

/// Random numbers (SplitMix64).
struct Random(u64);

impl Random {
    fn below(&mut self, end: usize) -> usize {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut bits = self.0;
        bits = (bits ^ bits >> 30).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        bits = (bits ^ bits >> 27).wrapping_mul(0x94d0_49bb_1331_11eb);
        ((bits ^ bits >> 31) % end.max(1) as u64) as usize
    }

    /// Damages a file in one to four places, most often near its start, where the headers are.
    fn damage(&mut self, bytes: &mut Vec<u8>, other: &[u8]) {
        for _ in 0..=self.below(4) {
            let len = match self.below(2) {
                0 => bytes.len().min(256),
                _ => bytes.len(),
            };
            let at = self.below(len);
            match self.below(7) {
                0 => bytes
                    .iter_mut()
                    .skip(at)
                    .take(1)
                    .for_each(|byte| *byte ^= 1 << (at % 8)),
                1 => {
                    let byte = self.below(256) as u8;
                    bytes
                        .iter_mut()
                        .skip(at)
                        .take(1)
                        .for_each(|old| *old = byte);
                }
                2 => {
                    let extreme = EXTREMES[self.below(EXTREMES.len())];
                    let extreme = match self.below(2) {
                        0 => extreme.to_le_bytes(),
                        _ => extreme.to_be_bytes(),
                    };
                    bytes
                        .iter_mut()
                        .skip(at)
                        .zip(extreme)
                        .for_each(|(old, new)| *old = new);
                }
                3 => bytes.truncate(at),
                4 => {
                    let end = (at + self.below(64)).min(bytes.len());
                    drop(bytes.drain(at.min(end)..end));
                }
                5 => {
                    let end = (at + self.below(64)).min(bytes.len());
                    bytes.extend_from_within(at.min(end)..end);
                }
                _ => {
                    let from = self.below(other.len());
                    let piece = &other[from..(from + self.below(64)).min(other.len())];
                    bytes.splice(
                        at.min(bytes.len())..at.min(bytes.len()),
                        piece.iter().copied(),
                    );
                }
            }
        }
    }
}

/// Every file that other programs wrote, but for large ones.
fn files(folder: &Path) -> Vec<PathBuf> {
    let mut found = Vec::new();
    for entry in fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        let is_data = !path
            .extension()
            .is_some_and(|end| end == "json" || end == "py" || end == "txt");
        if path.is_dir() {
            found.extend(files(&path));
        } else if is_data && path.metadata().unwrap().len() < 1 << 16 {
            found.push(path);
        }
    }
    found.sort();
    found
}

/// All that reads such a file.
fn read(path: &Path) {
    let end = path.extension().and_then(|end| end.to_str());
    match end.unwrap_or_default() {
        "npy" => {
            if let Ok(stack) = n2n_files::NpyStack::open(path) {
                let _ = stack.read(stack.len() - 1);
            }
        }
        "npz" => drop(open_npz(path)),
        "bin" => {
            if let Ok(stack) = CifarFile::open(path) {
                let _ = stack.read(stack.len() - 1);
            }
        }
        "pkl" | "pth" | "pt" => {
            for stack in open_torch(path).into_iter().flatten() {
                let _ = stack.read(0);
            }
            drop(open_state_dict(path));
        }
        _ => {
            let _ = read_header(path);
            let _ = read_picture(path);
            let _ = read_attached(path);
            if let Ok(stack) = TiffStack::open(path) {
                let _ = stack.read(stack.len() - 1);
            }
        }
    }
}

#[test]
fn damaged_files_end_soon_and_take_little() {
    let files = files(&data(""));
    assert!(files.len() > 200, "{} files", files.len());
    let folder = TempDir::new().unwrap();
    let mut random = Random(number("N2N_SEED", 1));
    for mutation in 0..number("N2N_MUTATIONS", MUTATIONS) {
        let file = &files[random.below(files.len())];
        let other = fs::read(&files[random.below(files.len())]).unwrap();
        let mut bytes = fs::read(file).unwrap();
        random.damage(&mut bytes, &other);
        let path = folder.path().join(file.file_name().unwrap());
        fs::write(&path, bytes).unwrap();
        let start = Instant::now();
        read(&path);
        let seconds = start.elapsed();
        assert!(
            seconds < PATIENCE,
            "mutation {mutation}, of {file:?}: {seconds:?}"
        );
        #[cfg(target_os = "linux")]
        {
            let peak = crate::memory::memory("VmHWM:");
            assert!(
                peak < MEMORY,
                "mutation {mutation}, of {file:?}: {} MiB",
                peak >> 20
            );
        }
        fs::remove_file(path).unwrap();
    }
}
