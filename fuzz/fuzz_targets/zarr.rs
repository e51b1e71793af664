//! Zarr: metadata of groups and arrays, chunks, shards and their compression.
#![no_main]

use libfuzzer_sys::fuzz_target;
use n2n_fuzz::read_folder;

fuzz_target!(|bytes: &[u8]| read_folder(bytes));
