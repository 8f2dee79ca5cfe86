//! Shares work among the processor's threads; every job is taken once, in order of its number.

use std::sync::atomic::{AtomicUsize, Ordering};

/// Most threads: beyond these one disk and one reader of the directory are the limit.
const THREADS_MAX: usize = 8;

/// Runs a job for every number below `count` and comes back when all are done.
pub(crate) fn all(count: usize, job: &(dyn Fn(usize) + Sync)) {
    let threads = std::thread::available_parallelism().map_or(1, usize::from);
    let threads = threads.min(THREADS_MAX).min(count);
    if threads <= 1 {
        return (0..count).for_each(job);
    }
    let next = AtomicUsize::new(0);
    let work = || {
        loop {
            let at = next.fetch_add(1, Ordering::Relaxed);
            if at >= count {
                return;
            }
            job(at);
        }
    };
    std::thread::scope(|scope| {
        for _ in 1..threads {
            scope.spawn(work);
        }
        work();
    });
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_job_is_done_once() {
        let done: Vec<AtomicUsize> = (0..1_000).map(|_| AtomicUsize::new(0)).collect();
        all(done.len(), &|at| {
            done[at].fetch_add(1, Ordering::Relaxed);
        });
        assert!(done.iter().all(|count| count.load(Ordering::Relaxed) == 1));
    }
}
