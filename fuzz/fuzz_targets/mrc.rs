//! MRC: headers and sections.
#![no_main]

use libfuzzer_sys::fuzz_target;
use n2n_fuzz::read_file;

fuzz_target!(|bytes: &[u8]| read_file(bytes, "a.mrc"));
