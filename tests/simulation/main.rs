//! Seeds.
use xw_tests::{Habits, journal_of, run_seed};
#[test]
fn seeds_hold() {
    let n: u64 = std::env::var("XW_SEEDS").ok().and_then(|s| s.parse().ok()).unwrap_or(10);
    let t = std::time::Instant::now();
    let mut bad = 0;
    let mut kinds = std::collections::BTreeMap::new();
    for seed in 0..n {
        match run_seed(seed, Habits::default()) {
            Ok(f) => if seed < 5 { println!("{seed} {f:?}") },
            Err(e) => {
                bad += 1;
                let k: String = e.chars().take(60).collect();
                let en = kinds.entry(k.split(' ').next().unwrap_or("").to_owned()).or_insert((0, seed, e.clone()));
                en.0 += 1;
                if en.0 == 1 { std::fs::write(format!("/work/main/target/seed-{seed}.log"), journal_of(seed, Habits::default())).unwrap(); }
            }
        }
    }
    println!("{bad} of {n} bad, {:?}", t.elapsed());
    for (k, v) in kinds { println!("{k}: {v:?}"); }
}
