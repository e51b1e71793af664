//! One file for each command but `train`, which has a folder of its own.

pub mod bench;
pub mod compare;
pub mod devices;
pub mod evaluate;
pub mod gradcheck;
pub mod inspect;
