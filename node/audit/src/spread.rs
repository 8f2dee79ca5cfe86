//! Work on many things at once, by whatever hands the caller has: this crate starts no thread.

use std::sync::OnceLock;

/// Runs a job for every number below a count, in any order and on as many threads as it likes, and
/// comes back when all are done.
pub type Spread<'a> = &'a dyn Fn(usize, &(dyn Fn(usize) + Sync));

/// One after another, on the caller's own thread.
pub fn one_by_one(count: usize, job: &(dyn Fn(usize) + Sync)) {
    (0..count).for_each(job);
}

/// What `job` makes of every number below `count`, in order.
pub(crate) fn map<T: Send + Sync>(
    spread: Spread<'_>,
    count: usize,
    job: impl Fn(usize) -> T + Sync,
) -> Vec<T> {
    let slots: Vec<OnceLock<T>> = (0..count).map(|_| OnceLock::new()).collect();
    spread(count, &|at| {
        slots[at].get_or_init(|| job(at));
    });
    // A spread that left a number out has its work done here.
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
}
