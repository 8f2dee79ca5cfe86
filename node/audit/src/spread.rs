//! Work on many things at once, by whatever hands the caller has: this crate starts no thread.

use std::sync::{Mutex, OnceLock, PoisonError};

/// Runs a job for every number below a count, in any order and on as many threads as it likes, and
/// comes back when all are done.
pub type Spread<'a> = &'a dyn Fn(usize, &(dyn Fn(usize) + Sync));

/// One after another, on the caller's own thread.
pub fn one_by_one(count: usize, job: &(dyn Fn(usize) + Sync)) {
    (0..count).for_each(job);
}

/// Work that cannot be shared, for one hand while others do something else.
pub(crate) type Alone<'a> = Box<dyn FnOnce() + Send + 'a>;

/// What `job` makes of every number below `count`, in order.
pub(crate) fn map<T: Send + Sync>(
    spread: Spread<'_>,
    count: usize,
    job: impl Fn(usize) -> T + Sync,
) -> Vec<T> {
    map_beside(spread, Vec::new(), count, job)
}

/// The same, while each of `alone` is done once. It comes first, being what nobody can help with.
pub(crate) fn map_beside<T: Send + Sync>(
    spread: Spread<'_>,
    alone: Vec<Alone<'_>>,
    count: usize,
    job: impl Fn(usize) -> T + Sync,
) -> Vec<T> {
    let alone: Vec<Mutex<Option<Alone<'_>>>> =
        alone.into_iter().map(|work| Mutex::new(Some(work))).collect();
    let once = |work: &Mutex<Option<Alone<'_>>>| {
        let work = work.lock().unwrap_or_else(PoisonError::into_inner).take();
        if let Some(work) = work {
            work();
        }
    };
    let slots: Vec<OnceLock<T>> = (0..count).map(|_| OnceLock::new()).collect();
    spread(alone.len() + count, &|at| match at.checked_sub(alone.len()) {
        None => once(&alone[at]),
        Some(at) => {
            slots[at].get_or_init(|| job(at));
        }
    });
    // A spread that left a number out has its work done here.
    alone.iter().for_each(once);
    let filled = slots.into_iter().enumerate();
    filled.map(|(at, slot)| slot.into_inner().unwrap_or_else(|| job(at))).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_number_is_worked_on_once_and_in_its_place() {
        assert_eq!(map(&one_by_one, 4, |at| at * at), [0, 1, 4, 9]);
        let lazy = |_: usize, _: &(dyn Fn(usize) + Sync)| {};
        assert_eq!(map(&lazy, 3, |at| at), [0, 1, 2]);
    }

    #[test]
    fn what_stands_alone_is_done_once_beside_the_rest() {
        let lazy = |_: usize, _: &(dyn Fn(usize) + Sync)| {};
        let twice = |count: usize, job: &(dyn Fn(usize) + Sync)| {
            one_by_one(count, job);
            one_by_one(count, job);
        };
        let spreads: [Spread<'_>; 3] = [&one_by_one, &lazy, &twice];
        for spread in spreads {
            let (mut first, mut second) = (0, 0);
            let alone: Vec<Alone<'_>> = vec![Box::new(|| first += 1), Box::new(|| second += 1)];
            assert_eq!(map_beside(spread, alone, 3, |at| at), [0, 1, 2]);
            assert_eq!((first, second), (1, 1));
        }
    }
}
