//! One budget for the pictures that all threads decode at once.

use std::sync::{Condvar, Mutex, PoisonError};

/// Bytes of decoded pixels that threads work on at once; one picture alone may have more. Decoders hold
/// up to four times as many: their own, those in planes, the compressed file.
const BUDGET: u64 = 192 << 20;

static USED: Mutex<u64> = Mutex::new(0);
static GIVEN_BACK: Condvar = Condvar::new();

/// A part of the budget, given back when it is dropped.
pub(crate) struct Share(u64);

/// Waits until `bytes` more fit into the budget, or no other picture is being decoded.
pub(crate) fn share(bytes: u64) -> Share {
    let used = USED.lock().unwrap_or_else(PoisonError::into_inner);
    let fits = |used: &mut u64| *used == 0 || *used + bytes <= BUDGET;
    let waited = GIVEN_BACK.wait_while(used, |used| !fits(used));
    *waited.unwrap_or_else(PoisonError::into_inner) += bytes;
    Share(bytes)
}

impl Drop for Share {
    fn drop(&mut self) {
        *USED.lock().unwrap_or_else(PoisonError::into_inner) -= self.0;
        GIVEN_BACK.notify_all();
    }
}

#[cfg(test)]
mod tests {
    use std::sync::atomic::{AtomicU64, Ordering};
    use std::thread;

    use super::*;

    #[test]
    fn shares_at_once_stay_within_the_budget() {
        let (at_once, most) = (AtomicU64::new(0), AtomicU64::new(0));
        let work = |bytes: u64| {
            let _share = share(bytes);
            let now = at_once.fetch_add(bytes, Ordering::SeqCst) + bytes;
            most.fetch_max(now, Ordering::SeqCst);
            thread::yield_now();
            at_once.fetch_sub(bytes, Ordering::SeqCst);
        };
        thread::scope(|scope| {
            for number in 1..=16 {
                scope.spawn(move || (0..50).for_each(|_| work(number * BUDGET / 20)));
            }
        });
        assert!(most.into_inner() <= BUDGET);
        // Alone, a larger one is let through.
        let _share = share(3 * BUDGET);
    }
}
