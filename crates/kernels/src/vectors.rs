//! Selection of the vector instructions.

use std::sync::LazyLock;

use pulp::{Arch, WithSimd};

/// Environment variable that limits the width of vectors: `avx2` or `scalar`.
const LIMIT: &str = "N2N_VECTORS";

static ARCH: LazyLock<Arch> = LazyLock::new(|| match std::env::var(LIMIT).as_deref() {
    Err(_) => Arch::new(),
    Ok("scalar") => Arch::Scalar,
    #[cfg(any(target_arch = "x86", target_arch = "x86_64"))]
    Ok("avx2") => pulp::x86::V3::try_new().map_or(Arch::Scalar, Arch::V3),
    Ok(other) => panic!("{LIMIT} is {other:?}, but must be avx2 or scalar"),
});

/// Runs a kernel with the widest vectors of the processor.
///
/// # Panics
/// If `N2N_VECTORS` is set to anything but `avx2` or `scalar`.
pub(crate) fn dispatch<K: WithSimd>(kernel: K) -> K::Output {
    ARCH.dispatch(kernel)
}
