//! MRC and FITS packed by gzip: streams as they are, and sound ones of other bytes.
#![no_main]

use std::{
    fs::{self, File},
    io::Write,
    process,
};

use libfuzzer_sys::fuzz_target;
use n2n_files::write_gzip_with;
use n2n_fuzz::read_file;

/// How a stream of gzip begins.
const GZIP: [u8; 2] = [0x1f, 0x8b];

fuzz_target!(|bytes: &[u8]| {
    if bytes.starts_with(&GZIP) {
        read_file(bytes, "a.mrc.gz");
    } else {
        read_file(&packed(bytes), "a.mrc.gz");
    }
});

fn packed(bytes: &[u8]) -> Vec<u8> {
    let path = std::env::temp_dir().join(format!("n2n-fuzz-{}.gz", process::id()));
    let mut file = File::create(&path).expect("a folder for temporary files");
    let written = write_gzip_with(&mut file, |plain| plain.write_all(bytes));
    written.expect("room for a temporary file").expect("room for it");
    fs::read(&path).expect("the file that was written")
}
