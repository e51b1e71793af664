//! Results that are written once, in memory that is not zeroed first.

#![allow(unsafe_code)] // Asserts that kernels initialized the memory.

use std::mem::MaybeUninit;

/// Uninitialized floats.
pub(crate) type Unwritten = [MaybeUninit<f32>];

/// Uninitialized memory for `count` floats.
pub(crate) fn unwritten(length: usize) -> Vec<MaybeUninit<f32>> {
    let mut memory = Vec::with_capacity(length);
    memory.resize_with(length, MaybeUninit::uninit);
    memory
}

/// The same memory as floats.
///
/// # Safety
/// Every element was written.
pub(crate) unsafe fn written(memory: Vec<MaybeUninit<f32>>) -> Vec<f32> {
    let mut memory = std::mem::ManuallyDrop::new(memory);
    // SAFETY: pointer, length and capacity are a vector's, and the caller guarantees that all
    // elements were written; `MaybeUninit<f32>` has the layout of `f32`.
    unsafe { Vec::from_raw_parts(memory.as_mut_ptr().cast(), memory.len(), memory.capacity()) }
}

/// The same memory, filled with zeros.
pub(crate) fn zeroed(memory: &mut Unwritten) -> &mut [f32] {
    memory.fill(MaybeUninit::new(0.0));
    // SAFETY: every element was just written.
    unsafe { memory.assume_init_mut() }
}
