//! How long `xw-verify` takes and how much memory: a village of 100,000 entries and a single record of
//! it. `cargo bench -p xw-verifier`; a number behind it asks for fewer entries. One JSON line each.

use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::time::{Duration, Instant};

use xw_audit::pack::{Give, Scope};

#[path = "../../audit/tests/packs/world.rs"]
mod world;

use world::{COUNTY, TOWN, VILLAGE, World, division, node, of_records, space};

/// Entries of the village, unless told otherwise.
const ENTRIES: usize = 100_000;

/// Entries of one record: a registration and its steps and corrections.
const ENTRIES_PER_RECORD: usize = 6;

/// Records after which the township and the county witness: a busy hour.
const RECORDS_PER_WITNESS: usize = 12;

/// Runs of the short measurement; the median is printed.
const RUNS: usize = 11;

fn main() {
    let wanted = std::env::args().filter_map(|word| word.parse().ok()).next().unwrap_or(ENTRIES);
    let (world, record) = village(wanted);
    let held = world.holdings.entries().count();
    let network = world.holdings.roster().network().to_string();
    let all = Scope::Division { division: division(VILLAGE) };
    for (name, give) in [("village", Give::All), ("village-sealed", Give::Nothing)] {
        let started = Instant::now();
        let (_, pack) = world.export(all.clone(), give);
        let export_ms = started.elapsed().as_millis();
        let path = kept(&format!("{name}.xwproof.zip"), &pack);
        let (took, spent) = verified(&path, &network);
        println!(
            r#"{{"what":"{name}","entries":{held},"pack_bytes":{},"export_ms":{export_ms},"verify_ms":{},"processor_ms":{},"peak_mib":{}}}"#,
            pack.len(),
            took.as_millis(),
            spent.processor_ms,
            spent.peak_kib / 1_024
        );
    }
    let (_, pack) = world.export(of_records(&[record]), Give::All);
    let path = kept("record.xwproof.zip", &pack);
    let mut runs: Vec<(Duration, Spent)> = (0..RUNS).map(|_| verified(&path, &network)).collect();
    runs.sort_by_key(|(took, _)| *took);
    let (took, spent) = &runs[RUNS / 2];
    println!(
        r#"{{"what":"one record","pack_bytes":{},"verify_ms":{},"peak_mib":{}}}"#,
        pack.len(),
        took.as_millis(),
        spent.peak_kib / 1_024
    );
}

/// What a run cost, where the system tells.
#[derive(Default)]
struct Spent {
    /// Largest memory.
    peak_kib: u64,
    /// Time of all its threads on a processor: what a busy machine does not lengthen.
    processor_ms: u64,
}

/// A village with so many entries, and one of its records.
fn village(entries: usize) -> (World, (xw_schemas::space::Space, xw_schemas::id::RecordId)) {
    let mut world = World::founded();
    let home = space(VILLAGE);
    let mut middle = None;
    let records = entries / ENTRIES_PER_RECORD;
    for number in 0..records {
        let place = world.write(VILLAGE, home, "办理低保申请");
        for edit in 1..ENTRIES_PER_RECORD {
            world.edit(VILLAGE, place, &format!("第{edit}次补充：户口本、身份证复印件、收入证明"));
        }
        if number % RECORDS_PER_WITNESS == 0 || number + 1 == records {
            world.witness(TOWN, home);
            world.witness(COUNTY, home);
        }
        if number == records / 2 {
            middle = Some(place);
        }
    }
    assert_ne!(node(COUNTY).public(), node(VILLAGE).public());
    (world, middle.expect("a village has records"))
}

fn kept(name: &str, bytes: &[u8]) -> PathBuf {
    let path = PathBuf::from(env!("CARGO_TARGET_TMPDIR")).join(name);
    std::fs::write(&path, bytes).expect("the folder for tests can be written");
    path
}

/// Runs the program on a pack, which must be sound; how long it took and what it cost.
fn verified(path: &Path, network: &str) -> (Duration, Spent) {
    let started = Instant::now();
    let mut child = Command::new(env!("CARGO_BIN_EXE_xw-verify"))
        .arg(path)
        .args(["--network", network])
        .stdout(Stdio::null())
        .spawn()
        .expect("the program was built for this benchmark");
    let folder = PathBuf::from(format!("/proc/{}", child.id()));
    let mut spent = Spent::default();
    let (done, ended) = std::sync::mpsc::sync_channel(1);
    let waiting = std::thread::spawn(move || {
        let ended = child.wait();
        done.send(()).expect("the benchmark listens until the end");
        ended.expect("the child is ours")
    });
    // Looked at often enough not to lengthen the shortest run by more than a hundredth.
    while ended.recv_timeout(Duration::from_micros(200)).is_err() {
        let read = |name: &str| std::fs::read_to_string(folder.join(name)).unwrap_or_default();
        let status = read("status");
        let line = status.lines().find_map(|line| line.strip_prefix("VmHWM:"));
        let peak = line.and_then(|line| line.trim().strip_suffix(" kB")?.trim().parse().ok());
        spent.peak_kib = peak.unwrap_or(0).max(spent.peak_kib);
        // Behind the name in brackets: user and system time are the 12th and 13th, in hundredths.
        let stat = read("stat");
        let behind = stat.rsplit(')').next().unwrap_or_default();
        let ticks = behind.split_whitespace().skip(11).take(2);
        let ticks: u64 = ticks.filter_map(|ticks| ticks.parse::<u64>().ok()).sum();
        spent.processor_ms = (ticks * 10).max(spent.processor_ms);
    }
    let ended = waiting.join().expect("the waiting thread does not panic");
    let took = started.elapsed();
    assert!(ended.success(), "the pack is sound");
    (took, spent)
}
