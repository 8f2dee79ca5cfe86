//! Between which times an entry was made: whose clock says so, and whose says nothing.

use xw_ledger::draft::{Act, Author, Tail, write_erasure};
use xw_ledger::interval::{Interval, Timeliness, interval};
use xw_ledger::log::Logs;
use xw_schemas::checkpoint::{Checkpoint, cosign};
use xw_schemas::entry::{Erasure, ErasureGround, Statement, VerifiedEntry};
use xw_schemas::id::{EntryId, OperationId};
use xw_schemas::space::Tier;

use crate::case::Case;
use crate::county::{COUNTY, EAST, NOW_MS, TOWN, county};

/// The end of this century, where no honest clock stands.
const FAR_S: u64 = 4_000_000_000;

const NOW_S: u64 = NOW_MS / 1_000;

/// An office pins the village's record at a time, in a log of its own in the village's space.
fn pins(case: &mut Case, office: usize, time_s: u64) -> EntryId {
    let pen = case.world.open_in(office, EAST);
    let (head, network) = (case.world.id(case.first), county().network);
    let target = &case.world.pens[case.east];
    let (size, root) = (target.number(&head) + 1, target.root(&head));
    let checkpoint = Checkpoint { network, log: target.log, size, root };
    let pin = cosign(&county().offices[office].node, &checkpoint, head, time_s);
    let said = case.world.say(pen, None, Statement::Witness(vec![pin]));
    case.world.id(said)
}

fn logs(case: &Case) -> Logs {
    let mut logs = Logs::new();
    for written in &case.world.written {
        logs.place(county().chain().roster(), &written.entry).unwrap();
    }
    logs
}

/// What the village writes next, by the honest hand.
fn next(case: &Case, logs: &Logs) -> VerifiedEntry {
    let tail = Tail::of(logs, case.world.pens[case.east].log).unwrap();
    let office = &county().offices[EAST];
    let author = Author { node: &office.node, person: Some(office.person("VAGT")) };
    let act = Act {
        operation: OperationId([7; 16]),
        time_ms: NOW_MS + 60_000,
        salt: [0; 16],
        republishes: None,
    };
    let (record, record_type) = (case.world.records[0].id, "SVC".to_owned());
    let erasure = Erasure { record, record_type, ground: ErasureGround::ConsentWithdrawn };
    write_erasure(county().chain().roster(), &tail, erasure, author, act).unwrap().entry
}

#[test]
fn what_a_village_says_of_time_binds_nobody() {
    let mut case = Case::new();
    pins(&mut case, EAST, FAR_S);
    let logs = logs(&case);
    assert_eq!(next(&case, &logs).core().seen, None);
    // Neither does it bind whoever names it all the same.
    assert_eq!(logs.witnesses(case.world.pens[case.east].space).count(), 0);
}

#[test]
fn the_newest_word_of_an_office_above_is_named() {
    let mut case = Case::new();
    pins(&mut case, COUNTY, NOW_S + 5);
    let newer = pins(&mut case, TOWN, NOW_S + 9);
    let mut logs = logs(&case);
    let entry = next(&case, &logs);
    assert_eq!(entry.core().seen, Some(newer));
    logs.place(county().chain().roster(), &entry).unwrap();
    let made = interval(county().chain().roster(), &logs, &entry);
    assert_eq!((made.not_before, made.not_after()), (Some(NOW_S + 9), None));
}

#[test]
fn the_county_s_time_goes_before_the_township_s() {
    let mut case = Case::new();
    pins(&mut case, TOWN, 1);
    pins(&mut case, COUNTY, NOW_S + 5);
    let logs = logs(&case);
    let made = interval(county().chain().roster(), &logs, &case.world.written[case.first].entry);
    assert_eq!((made.township, made.not_after()), (Some(1), Some(NOW_S + 5)));
    assert!(made.witnesses_differ());
}

#[test]
fn a_township_that_runs_ahead_of_the_county_makes_nobody_backdate() {
    let ahead = Interval::of(Some(FAR_S), [(Tier::County, NOW_S)]);
    assert_eq!(ahead.not_before, None);
    assert_eq!(ahead.timeliness(NOW_MS, 3), Timeliness::Timely);
    // While the county has said nothing the township's word is all there is.
    let alone = Interval::of(Some(FAR_S), [(Tier::Township, FAR_S + 1)]);
    assert_eq!(alone.timeliness(NOW_MS, 3), Timeliness::Backdated);
    let first = Interval::of(None, [(Tier::County, 9), (Tier::County, 5), (Tier::Village, 1)]);
    assert_eq!((first.county, first.not_after()), (Some(5), Some(5)));
}
