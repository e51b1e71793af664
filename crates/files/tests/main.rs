//! Readers held to files that other programs wrote (`data/generate.py`), whole and damaged, and
//! writers held to the readers.

// A helper's failure is the test's.
#![allow(clippy::unwrap_used)]

mod atomic;
mod attached;
mod axes;
mod bilevel;
mod bounded;
mod cameras;
mod compressions;
mod expected;
mod fits;
mod formats;
mod gzip;
mod hostile;
mod layers;
mod layouts;
#[cfg(target_os = "linux")]
mod memory;
mod mrc;
mod mutated;
mod packed;
mod pickles;
mod planes;
mod pyramids;
mod read_as;
mod refused;
mod texts;
mod threads;
mod tiff_file;
mod truncated;
mod values;
mod written;
mod zarr;

#[global_allocator]
static ALLOCATOR: mimalloc::MiMalloc = mimalloc::MiMalloc;
