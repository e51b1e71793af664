//! Readers held to files that other programs wrote (`data/generate.py`), whole and damaged.

mod expected;
mod hostile;
mod refused;
mod threads;
mod truncated;
mod values;
