//! Messages of devices about too little memory.

/// What drivers, wgpu and CubeCL say when memory, or another resource, does not suffice.
const OUT_OF_MEMORY: [&str; 6] = [
    "out of device memory",
    "out-of-memory",
    "out of memory",
    "can't allocate buffer",
    "too many resources",
    "cube count too big",
];

/// Whether a device's message says that its memory, or another resource, does not suffice.
///
/// ```
/// assert!(n2n_denoise::is_out_of_memory("Out of device memory allocating 8 bytes"));
/// assert!(!n2n_denoise::is_out_of_memory("the device was lost"));
/// ```
pub fn is_out_of_memory(message: &str) -> bool {
    let message = message.to_lowercase();
    OUT_OF_MEMORY.iter().any(|phrase| message.contains(phrase))
}
