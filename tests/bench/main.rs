//! The benchmark: `cargo bench -p xw-tests [-- <records> ...]` prints one JSON line per figure, next
//! to the floor of the same run. Real processes, real files, loopback; nothing here is a test.

mod county;
mod floor;
mod line;
mod material;
mod sync;

#[path = "../nodes/nodes.rs"]
#[expect(dead_code, reason = "the journeys use more of it")]
mod nodes;

use serde_json::Value as Json;

fn main() {
    let counts: Vec<usize> =
        std::env::args().skip(1).filter_map(|argument| argument.parse().ok()).collect();
    let counts = if counts.is_empty() { vec![10_000, 50_000] } else { counts };
    let program = county::build();
    let mut floors = None;
    for count in counts {
        let village = material::village(count);
        let floor = floors.get_or_insert_with(|| floor::measure(&village));
        sync::measure(&program, village, floor);
    }
    questions();
}

/// Questions over 200,000 rows, by the store's own example, in the same run.
fn questions() {
    let status = std::process::Command::new(env!("CARGO"))
        .args([
            "run",
            "--release",
            "--locked",
            "--quiet",
            "-p",
            "xw-store",
            "--example",
            "query_speed",
        ])
        .status()
        .expect("cargo runs");
    assert!(status.success(), "the questions were not measured");
}

/// Prints one figure.
pub(crate) fn figure(json: &Json) {
    println!("{json}");
}

/// A percentile of sorted values, in percent.
pub(crate) fn percentile(sorted: &[f64], percent: usize) -> f64 {
    sorted
        .get((sorted.len() * percent / 100).min(sorted.len().saturating_sub(1)))
        .copied()
        .unwrap_or(0.0)
}

/// Milliseconds with three digits.
pub(crate) fn ms(duration: std::time::Duration) -> f64 {
    (duration.as_secs_f64() * 1e6).round() / 1e3
}
