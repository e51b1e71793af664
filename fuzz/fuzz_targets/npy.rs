//! Arrays of NumPy, alone and in archives.
#![no_main]

use std::{io::Cursor, path::Path};

use libfuzzer_sys::fuzz_target;
use n2n_files::{NpyStack, Stack, read_npz};
use n2n_fuzz::{limit, peak, read_all};

/// How many times its size a deflated archive can hold.
const RATIO: usize = 1032;

fuzz_target!(|bytes: &[u8]| {
    if bytes.starts_with(b"PK") {
        npz(bytes);
    } else {
        npy(bytes);
    }
});

fn npy(bytes: &[u8]) {
    let file = Cursor::new(bytes.to_vec());
    let ((), peak) = peak(|| {
        if let Ok(stack) = NpyStack::from_reader(file, Path::new("fuzz.npy")) {
            read_all(&stack);
        }
    });
    assert!(
        peak <= limit(bytes.len()),
        "{peak} bytes for {}",
        bytes.len()
    );
}

/// The arrays of an archive are kept, so what they hold counts as the file does.
fn npz(bytes: &[u8]) {
    let (held, peak) = peak(|| {
        let arrays = read_npz(Cursor::new(bytes), Path::new("fuzz.npz")).ok()?;
        arrays.iter().for_each(|(_, stack)| read_all(stack));
        Some(arrays.iter().map(|(_, stack)| held(stack)).sum::<usize>())
    });
    let held = held.unwrap_or(RATIO * bytes.len());
    assert!(
        peak <= limit(bytes.len() + held),
        "{peak} bytes for {} and {held}",
        bytes.len()
    );
}

/// Bytes of all images, once they are read.
fn held(stack: &NpyStack) -> usize {
    stack.len() * stack.shape().iter().product::<usize>() * stack.kind().bytes()
}
