//! State dicts of `torch.save` and `pickle.dump`.
#![no_main]

use std::{io::Cursor, path::Path};

use libfuzzer_sys::fuzz_target;
use n2n_files::read_state_dict;
use n2n_fuzz::{limit, peak};

/// What a pickle of 262144 instructions may take: each makes one value, the largest of them a tensor, or remembers
/// one.
const INSTRUCTIONS: usize = 64 << 20;

fuzz_target!(|bytes: &[u8]| {
    let ((), peak) = peak(|| {
        if let Ok(mut file) = read_state_dict(Cursor::new(bytes), Path::new("fuzz.pth")) {
            for index in 0..file.tensors().len() {
                if let Ok(values) = file.values(index) {
                    let shape = &file.tensors()[index].shape;
                    assert_eq!(values.len(), shape.iter().product::<usize>());
                }
            }
        }
    });
    // Values of 16 bits become twice as long.
    let limit = limit(bytes.len()) + bytes.len() + INSTRUCTIONS;
    assert!(peak <= limit, "{peak} bytes for {}", bytes.len());
});
