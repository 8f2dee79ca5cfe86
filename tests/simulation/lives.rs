//! Random lives of a county. A failing seed is a bug report: its number is printed, its journal is
//! left in the target folder, and it fails in the same way again.

use std::sync::Mutex;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Instant;

use xw_tests::{Figures, Habits, Life, RANDOM};

use crate::{keep_journal, number};

/// Seeds of one run: what two cores do in under two minutes.
const SEEDS: u64 = 1_000;

#[test]
fn a_county_keeps_every_promise_through_a_thousand_random_lives() {
    if let Some(seed) = number("XW_SEED") {
        let end = RANDOM.run(seed, Habits::default());
        let path = keep_journal(RANDOM, seed, Habits::default());
        assert!(end.is_ok(), "seed {seed}: {end:?}; see {}", path.display());
        println!("seed {seed}: {end:?}; see {}", path.display());
        return;
    }
    live(RANDOM, number("XW_SEEDS").unwrap_or(SEEDS));
}

/// Lives so many seeds on all cores, prints what they came to, and fails when one broke a promise.
pub(crate) fn live(life: Life, seeds: u64) {
    let first = number("XW_FIRST").unwrap_or(0);
    let (started, next) = (Instant::now(), AtomicU64::new(first));
    let ended = Mutex::new((Figures::default(), Vec::new()));
    std::thread::scope(|scope| {
        for _ in 0..std::thread::available_parallelism().map_or(2, usize::from) {
            scope.spawn(|| {
                loop {
                    let seed = next.fetch_add(1, Ordering::Relaxed);
                    if seed >= first + seeds {
                        return;
                    }
                    let end = life.run(seed, Habits::default());
                    let mut ended = ended.lock().expect("no life panics while it holds this");
                    match end {
                        Ok(figures) => ended.0.add(&figures),
                        Err(violation) => ended.1.push((seed, violation)),
                    }
                }
            });
        }
    });
    let (figures, mut broken) = ended.into_inner().expect("no life panics while it holds this");
    broken.sort();
    let seconds = started.elapsed().as_secs_f64();
    let pace = f64::from(u32::try_from(seeds).unwrap_or(u32::MAX)) / seconds;
    println!("{seeds} seeds in {seconds:.1} s ({pace:.1} a second): {figures:?}");
    for (seed, violation) in broken.iter().take(5) {
        let path = keep_journal(life, *seed, Habits::default());
        println!("seed {seed}: {violation}; see {}", path.display());
    }
    assert!(broken.is_empty(), "{} of {seeds} seeds broke a promise", broken.len());
}

#[test]
fn a_seed_lives_the_same_life_every_time() {
    for seed in [3, 5, 8] {
        let journal = || RANDOM.journal(seed, Habits::default());
        assert_eq!(journal(), journal());
    }
}
