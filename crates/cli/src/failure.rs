//! A device that fails, as one error with the way out.
//!
//! Graphics drivers report through threads of their own, where Burn panics: a lost device, memory
//! that is not there. [`guard`] turns that into an error, and leaves mistakes of the program as loud
//! as they were.

use std::any::Any;
use std::panic::{self, AssertUnwindSafe, PanicHookInfo};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use anyhow::anyhow;
use burn::tensor::ExecutionError;
use n2n_denoise::is_out_of_memory;

/// The names of CubeCL's device threads begin with one of these.
const DEVICE_THREADS: [&str; 2] = ["DSU-", "DSD-"];

/// What drivers, wgpu and CubeCL say when the device is gone. wgpu then makes invalid resources without a word, and
/// reports their use.
const LOST: [&str; 6] = [
    "device is poisoned",
    "device was poisoned",
    "device is lost",
    "device was lost",
    "device runner channel disconnected",
    "label is invalid",
];

/// How Burn's errors of execution begin.
const EXECUTION: &str = "an error happened during execution";

/// What panics on device threads said. A kernel that fails while kernels are tried out says
/// something too, and no harm is done: only when the command fails is this its cause.
static REPORTS: Mutex<Vec<String>> = Mutex::new(Vec::new());

/// Runs a command; a failing device ends it with an error instead of a panic.
///
/// # Errors
/// The command's own, or what the device reported.
pub fn guard<T>(command: impl FnOnce() -> anyhow::Result<T>) -> anyhow::Result<T> {
    let usual = Arc::new(panic::take_hook());
    panic::set_hook(Box::new({
        let usual = usual.clone();
        move |panic| {
            if !note(panic) {
                usual(panic);
            }
        }
    }));
    let result = panic::catch_unwind(AssertUnwindSafe(command));
    panic::set_hook(Box::new(move |panic| usual(panic)));
    match result {
        Ok(Err(error)) => {
            let message = format!("{error:#}");
            // burn-train passes errors on as text.
            let by_device = error.is::<ExecutionError>() || says(&message, &[EXECUTION]);
            Err(if by_device { explain(&message) } else { error })
        }
        Ok(done) => done,
        Err(payload) => match of_device(&text(&*payload)) {
            Some(message) => Err(explain(&message)),
            None => panic::resume_unwind(payload),
        },
    }
}

/// Remembers a device's panic; whether it was one.
fn note(panic: &PanicHookInfo<'_>) -> bool {
    let message = text(panic.payload());
    let thread = std::thread::current();
    let name = thread.name().unwrap_or_default();
    let on_device = DEVICE_THREADS.iter().any(|start| name.starts_with(start));
    if on_device {
        reports().push(message.clone());
    }
    on_device || of_device(&message).is_some()
}

/// What to tell about a panic, if a device is its cause.
fn of_device(message: &str) -> Option<String> {
    let by_device = is_out_of_memory(message) || says(message, &LOST);
    (by_device || !reports().is_empty()).then(|| message.to_owned())
}

/// The error for a device's failure: what happened, and the way out.
fn explain(message: &str) -> anyhow::Error {
    // The error that ends a command may only say that others came before it.
    let mut said = vec![message.to_owned()];
    said.extend(reports().iter().rev().cloned());
    let mut lines = said.iter().flat_map(|message| message.lines());
    let of_memory = lines.clone().find(|line| is_out_of_memory(line));
    let of_loss = lines.find(|line| says(line, &LOST));
    let (what, cause, way_out) = if let Some(cause) = of_memory {
        (
            "the device has not enough memory for this",
            cause,
            "lower train.batch_size or model.features, or compute on the CPU with --backend flex",
        )
    } else if let Some(cause) = of_loss {
        (
            "the device was lost",
            cause,
            "a training goes on from its last checkpoint with `n2n train --resume RUN`, on the CPU too, \
             with --backend flex",
        )
    } else {
        (
            "the device failed",
            said[said.len() - 1].as_str(),
            "try another of `n2n devices`, or --backend flex",
        )
    };
    anyhow!("{what} ({}); {way_out}", cause.trim())
}

/// What device threads said so far.
fn reports() -> MutexGuard<'static, Vec<String>> {
    REPORTS.lock().unwrap_or_else(PoisonError::into_inner)
}

fn says(message: &str, phrases: &[&str]) -> bool {
    let message = message.to_lowercase();
    phrases.iter().any(|phrase| message.contains(phrase))
}

/// What a panic said.
fn text(payload: &(dyn Any + Send)) -> String {
    let owned = payload.downcast_ref::<String>().cloned();
    let text = || {
        payload
            .downcast_ref::<&str>()
            .map(|text| (*text).to_owned())
    };
    owned.or_else(text).unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use burn::tensor::Tensor;

    use super::*;

    #[test]
    fn device_report_becomes_one_line_with_hint() {
        for (report, expected) in [
            (
                "An error happened during execution\nCaused by:\n  out of device memory allocating 8 bytes\nBacktrace:\n  0: main",
                "the device has not enough memory for this (out of device memory allocating 8 bytes); lower train.batch_size or model.features, \
                 or compute on the CPU with --backend flex",
            ),
            (
                "The device is poisoned\nCaused by:\n  Unknown: driver reset",
                "the device was lost (The device is poisoned); a training goes on from its last checkpoint \
                 with `n2n train --resume RUN`, on the CPU too, with --backend flex",
            ),
            (
                "shader compiler says no",
                "the device failed (shader compiler says no); try another of `n2n devices`, or --backend flex",
            ),
        ] {
            assert_eq!(explain(report).to_string(), expected);
        }
    }

    #[test]
    fn a_mistake_of_the_program_stays_a_panic() {
        let result = panic::catch_unwind(|| guard::<()>(|| panic!("expected 3 channels, got 4")));
        assert_eq!(
            text(&*result.expect_err("the panic goes on")),
            "expected 3 channels, got 4"
        );
    }

    #[test]
    fn a_lost_device_is_one_error() {
        let Some((device, setup)) = n2n_testing::wgpu_with_setup() else {
            return;
        };
        let failed = guard(|| {
            let x = Tensor::<1>::ones([6], &device);
            setup.device.destroy();
            for _ in 0..100 {
                (x.clone() + 1.0).try_into_data()?;
            }
            Ok(())
        });
        let message = failed.expect_err("nothing can be read").to_string();
        assert!(message.contains("the device was lost"), "{message}");
        assert!(message.contains("--backend flex"), "{message}");
    }

    #[test]
    fn missing_device_memory_is_one_error() {
        let Some(device) = n2n_testing::wgpu() else {
            return;
        };
        let failed = guard(|| {
            // Four terabytes.
            let x = Tensor::<1>::zeros([1_usize << 40], &device);
            x.slice(0..1).try_into_data()?;
            Ok(())
        });
        let message = failed.expect_err("no adapter has as much").to_string();
        assert!(message.contains("not enough memory"), "{message}");
        assert!(message.contains("train.batch_size"), "{message}");
    }
}
