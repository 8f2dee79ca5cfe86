//! A report says what was found, and nothing of how the work was shared.
#![allow(clippy::unwrap_used, reason = "a test that cannot go on says where")]

use std::io::Cursor;

use xw_audit::judge::{Checking, Report, judge_pack};
use xw_audit::pack::{FileName, GROUP_RECORDS_MAX, Give, Scope};
use xw_audit::spread::{Spread, one_by_one};

#[path = "packs/forger.rs"]
mod forger;
#[path = "packs/world.rs"]
mod world;

use forger::forged;
use world::{COUNTY, TOWN, VILLAGE, World, division, node, space};

/// Entries of a record: with two groups of records there are three files of entries.
const ENTRIES_PER_RECORD: usize = 9;

fn village() -> World {
    let mut world = World::founded();
    let home = space(VILLAGE);
    for _ in 0..GROUP_RECORDS_MAX + 10 {
        let place = world.write(VILLAGE, home, "办理低保申请");
        for edit in 1..ENTRIES_PER_RECORD {
            world.edit(VILLAGE, place, &format!("第{edit}次补充"));
        }
    }
    world.witness(TOWN, home);
    world.witness(COUNTY, home);
    world
}

/// The last number first.
fn backwards(count: usize, job: &(dyn Fn(usize) + Sync)) {
    (0..count).rev().for_each(job);
}

/// Three threads that go at their own pace.
fn side_by_side(count: usize, job: &(dyn Fn(usize) + Sync)) {
    std::thread::scope(|scope| {
        for first in 0..3 {
            scope.spawn(move || (first..count).step_by(3).for_each(job));
        }
    });
}

#[test]
fn a_report_does_not_tell_how_the_work_was_shared() {
    let world = village();
    let (_, pack) = world.export(Scope::Division { division: division(VILLAGE) }, Give::All);
    let (mut chunks, mut groups) = (0, 0);
    let bend = |name: FileName, mut bytes: Vec<u8>| {
        let last = bytes.len() - 1;
        match name {
            // The last signature of the third file; what lies behind it has no place.
            FileName::Entries(_, 3) => bytes[last] ^= 1,
            // The last body of each group.
            FileName::Bodies(_) => bytes[last] ^= 1,
            FileName::Records(1) => bytes[last - 1] = b' ',
            FileName::Records(_) => {
                let at = bytes.windows(11).position(|at| at == br#""changes":9"#).unwrap();
                bytes[at + 10] = b'8';
            }
            _ => {}
        }
        chunks += u32::from(matches!(name, FileName::Entries(..)));
        groups += u32::from(matches!(name, FileName::Records(_)));
        Some(bytes)
    };
    let bent = forged(&pack, &node(COUNTY), bend, |_| {});
    assert!(chunks >= 5 && groups >= 2, "{chunks} files of entries, {groups} groups");
    for pack in [pack, bent] {
        let report = |spread: Spread<'_>| -> Report {
            let checking = Checking {
                network: Some(world.holdings.roster().network()),
                roster: None,
                bodies: Vec::new(),
                receipts: Vec::new(),
                statements: Vec::new(),
                entries: Vec::new(),
                spread,
            };
            judge_pack(Cursor::new(&pack), &checking).unwrap()
        };
        let alone = report(&one_by_one);
        assert_eq!(alone.json(), report(&backwards).json());
        assert_eq!(alone.json(), report(&side_by_side).json());
        let found: Vec<&str> = alone.findings.iter().map(|finding| finding.code).collect();
        if alone.is_sound() {
            assert_eq!(found, [""; 0]);
            continue;
        }
        // In the order of the files, whichever was worked on first.
        let named = ["entry-forged", "body-mismatch", "records-unreadable", "record-differs"];
        let mut order: Vec<&str> =
            found.iter().copied().filter(|code| named.contains(code)).collect();
        order.dedup();
        let [forged, body, unreadable, differs] = named;
        assert_eq!(order, [forged, body, unreadable, body, differs]);
    }
}
