//! Results that are written once: their memory is not set to zero first.

#![allow(unsafe_code)] // Vouches for memory that its kernel has written.

use std::mem::MaybeUninit;

/// Floats to be written.
pub(crate) type Unwritten = [MaybeUninit<f32>];

/// Memory for so many floats.
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
    // SAFETY: pointer, length and capacity are a vector's, and all elements were written, by the
    // caller's word; `MaybeUninit<f32>` has the layout of `f32`.
    unsafe { Vec::from_raw_parts(memory.as_mut_ptr().cast(), memory.len(), memory.capacity()) }
}

/// Zeros.
pub(crate) fn zeroed(memory: &mut Unwritten) -> &mut [f32] {
    memory.fill(MaybeUninit::new(0.0));
    // SAFETY: every element was just written.
    unsafe { memory.assume_init_mut() }
}
