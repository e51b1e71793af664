//! Files of `torch.save`.
#![no_main]

use std::{io::Cursor, path::Path};

use libfuzzer_sys::fuzz_target;
use n2n_files::read_torch;
use n2n_fuzz::{limit, peak, read_all};

fuzz_target!(|bytes: &[u8]| {
    let ((), peak) = peak(|| {
        if let Ok(stacks) = read_torch(Cursor::new(bytes), Path::new("fuzz.pkl")) {
            stacks.iter().for_each(read_all);
        }
    });
    assert!(
        peak <= limit(bytes.len()),
        "{peak} bytes for {}",
        bytes.len()
    );
});
