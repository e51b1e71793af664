//! Peak resident memory of this process, where the system tells.

use std::fs;

/// Forgets the peak so far; whether the system allows that.
pub fn reset_peak() -> bool {
    // 5 resets the high-water mark: proc_pid_clear_refs(5). Only Linux has the file.
    fs::write("/proc/self/clear_refs", "5").is_ok()
}

/// Peak resident memory since the last reset, in MiB.
pub fn peak_mib() -> Option<f64> {
    let status = fs::read_to_string("/proc/self/status").ok()?;
    let line = status
        .lines()
        .find_map(|line| line.strip_prefix("VmHWM:"))?;
    let kib: f64 = line.trim().strip_suffix("kB")?.trim().parse().ok()?;
    Some(kib / 1024.0)
}
