//! Binary files of CIFAR-10.
#![no_main]

use std::{io::Cursor, path::Path};

use libfuzzer_sys::fuzz_target;
use n2n_files::CifarFile;
use n2n_fuzz::{limit, peak, read_all};

fuzz_target!(|bytes: &[u8]| {
    let file = Cursor::new(bytes.to_vec());
    let ((), peak) = peak(|| {
        if let Ok(stack) = CifarFile::from_reader(file, Path::new("fuzz.bin")) {
            read_all(&stack);
        }
    });
    assert!(
        peak <= limit(bytes.len()),
        "{peak} bytes for {}",
        bytes.len()
    );
});
