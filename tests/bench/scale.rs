//! A whole county in memory: `cargo bench -p xw-tests --bench scale [-- VILLAGES RECORDS]` prints one
//! JSON line per figure. The pure core of every node with real entries and signatures, simulated lines
//! and disks, one thread; what a real store and a real line cost is measured by `--bench county`.

use std::time::Instant;

use serde_json::json;
use xw_ledger::standing::Standing;
use xw_tests::{COUNTY, County, Standings, digests_of};

/// Townships of the county; the largest one we know has eighteen.
const TOWNSHIPS: usize = 20;

/// Nodes in all with the default number of villages: 600.
const VILLAGES: usize = 579;

/// Records of each village.
const RECORDS: usize = 20;

fn main() {
    let mut numbers = std::env::args().skip(1).filter_map(|word| word.parse().ok());
    let (villages, records) =
        (numbers.next().unwrap_or(VILLAGES), numbers.next().unwrap_or(RECORDS));
    let begun = Instant::now();
    let mut county = County::of_size(1, TOWNSHIPS, villages);
    figure("founded", &county, begun, json!({"nodes": county.nodes.len()}));

    // The county's PC is off: townships and villages work on without it.
    county.crash(COUNTY);
    let (begun, from_ms) = (Instant::now(), county.age_ms());
    for _ in 0..records {
        for seat in county.registry.villages() {
            let space = county.registry.offices[seat].own_space();
            county.write(seat, space, "SVC");
        }
        county.run_for(1_000);
    }
    county.run_until_quiet().expect("an honest county comes to rest");
    let held: usize = (1..=TOWNSHIPS).map(|seat| county.nodes[seat].memory.entries.len()).sum();
    let lived_ms = county.age_ms() - from_ms;
    figure("worked", &county, begun, json!({"entries_at_townships": held, "lived_ms": lived_ms}));

    // It is switched on with an empty disk and hears everything at once.
    let (frames, bytes) = (county.frames, county.frame_bytes);
    let (begun, from_ms) = (Instant::now(), county.age_ms());
    county.restart(COUNTY);
    county.run_until_quiet().expect("an honest county comes to rest");
    let lived_ms = county.age_ms() - from_ms;
    let entries = county.nodes[COUNTY].memory.entries.len();
    let pace = entries as f64 / begun.elapsed().as_secs_f64();
    figure(
        "cold join of the county",
        &county,
        begun,
        json!({
            "entries": entries, "lived_ms": lived_ms, "entries_per_second": pace.round(),
            "frames": county.frames - frames, "bytes": county.frame_bytes - bytes,
        }),
    );

    let begun = Instant::now();
    let memory = &county.nodes[COUNTY].memory;
    let standings: Standings = memory.standings();
    let rows = digests_of(memory, &standings).len();
    let all_final = memory.entries.values().filter(|kept| {
        memory.logs.log(&kept.entry.core().log).is_some_and(|log| {
            standings[&log.id].of(kept.entry.core().sequence, &kept.entry.id()) == Standing::Final
        })
    });
    let finals = all_final.count();
    figure("county's whole view", &county, begun, json!({"rows": rows, "finals": finals}));

    // One more record, until the county's word to it is back at the village.
    let begun = Instant::now();
    let from_ms = county.age_ms();
    let seat = county.registry.villages().start;
    let space = county.registry.offices[seat].own_space();
    let record = county.write(seat, space, "SVC").expect("the power lasts");
    let is_final = |county: &County| {
        let memory = &county.nodes[seat].memory;
        memory.judged(&memory.standings(), &(space, record)).standing == Standing::Final
    };
    while !is_final(&county) && county.age_ms() < from_ms + 600_000 {
        county.run_for(100);
    }
    figure("one record more", &county, begun, json!({"final_after_ms": county.age_ms() - from_ms}));
}

fn figure(what: &str, county: &County, begun: Instant, mut figures: serde_json::Value) {
    figures["what"] = json!(what);
    figures["seconds"] = json!((begun.elapsed().as_secs_f64() * 10.0).round() / 10.0);
    figures["frames_in_all"] = json!(county.frames);
    figures["resident_mib"] = json!(resident_mib());
    println!("{figures}");
}

/// Resident memory of this process, where the system tells it.
fn resident_mib() -> Option<u64> {
    let status = std::fs::read_to_string("/proc/self/status").ok()?;
    let line = status.lines().find(|line| line.starts_with("VmRSS:"))?;
    let kib: u64 = line.split_whitespace().nth(1)?.parse().ok()?;
    Some(kib / 1_024)
}
