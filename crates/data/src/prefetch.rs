//! Work done ahead of time by threads, with results in order.

use std::sync::Arc;
use std::sync::mpsc::{Receiver, sync_channel};
use std::thread::JoinHandle;

/// Results of one thread that wait to be taken.
const QUEUE: usize = 2;

/// Iterator over the results of `make(memory, number)`, from `first` on; each thread has its memory.
///
/// Thread `t` of `n` makes every `n`-th result from the `t`-th on, so that the thread of a result
/// does not depend on time. Results are the same for any number of threads, also for 0.
pub(crate) struct Prefetcher<M, T, F> {
    make: Arc<F>,
    memory: M,
    next: u64,
    first: u64,
    threads: Vec<(Option<Receiver<T>>, JoinHandle<()>)>,
}

impl<M, T, F> Prefetcher<M, T, F>
where
    M: Default,
    T: Send + 'static,
    F: Fn(&mut M, u64) -> T + Send + Sync + 'static,
{
    /// Starts the threads; with 0 the results are made when asked for.
    pub fn new(threads: usize, first: u64, make: F) -> Self {
        let make = Arc::new(make);
        let start = |thread: usize| {
            let (sender, receiver) = sync_channel(QUEUE);
            let make = make.clone();
            let work = move || {
                let mut memory = M::default();
                let numbers = (first + thread as u64..).step_by(threads);
                for number in numbers {
                    // The prefetcher was dropped.
                    if sender.send(make(&mut memory, number)).is_err() {
                        return;
                    }
                }
            };
            (Some(receiver), std::thread::spawn(work))
        };
        Self {
            threads: (0..threads).map(start).collect(),
            make,
            memory: M::default(),
            next: first,
            first,
        }
    }
}

impl<M, T, F: Fn(&mut M, u64) -> T> Iterator for Prefetcher<M, T, F> {
    type Item = T;

    fn next(&mut self) -> Option<T> {
        let number = self.next;
        self.next += 1;
        if self.threads.is_empty() {
            return Some((self.make)(&mut self.memory, number));
        }
        let thread = (number - self.first) as usize % self.threads.len();
        // A thread ends early only by a panic, which has been reported; so does the stream.
        self.threads[thread].0.as_ref()?.recv().ok()
    }
}

impl<M, T, F> Drop for Prefetcher<M, T, F> {
    fn drop(&mut self) {
        for (receiver, _) in &mut self.threads {
            receiver.take();
        }
        for (_, thread) in self.threads.drain(..) {
            // Its panic, if any, has been reported.
            let _ = thread.join();
        }
    }
}

#[cfg(test)]
mod tests {
    use std::sync::atomic::{AtomicUsize, Ordering};

    use super::*;

    #[test]
    fn results_are_in_order_for_any_thread_count() {
        for threads in [0, 1, 4] {
            let results = Prefetcher::new(threads, 7, |calls: &mut u64, number| {
                *calls += 1;
                number * 10
            });
            let results: Vec<_> = results.take(9).collect();
            assert_eq!(results, [70, 80, 90, 100, 110, 120, 130, 140, 150]);
        }
    }

    #[test]
    fn threads_wait_at_a_full_queue_and_end_on_drop() {
        static MADE: AtomicUsize = AtomicUsize::new(0);
        let mut prefetcher =
            Prefetcher::new(2, 0, |(): &mut (), _| MADE.fetch_add(1, Ordering::SeqCst));
        prefetcher.next();
        std::thread::sleep(std::time::Duration::from_millis(50));
        drop(prefetcher);
        let made = MADE.load(Ordering::SeqCst);
        // Each thread holds one result more than fits into its channel.
        assert!(made <= 1 + 2 * (QUEUE + 1), "{made}");
    }
}
