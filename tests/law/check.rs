//! One function for every invariant of the one law. Each panics with what it found.

use std::collections::BTreeMap;

use xw_ledger::judge::Judged;
use xw_ledger::log::{Logs, Restood};
use xw_ledger::roster::Roster;
use xw_ledger::standing::Standing;
use xw_schemas::id::{EntryId, LogId};

/// Where an entry stands: log, number, id.
pub(crate) type Spot = (LogId, u64, EntryId);

/// How every entry held stands.
pub(crate) type Standings = BTreeMap<Spot, Standing>;

/// Asks the logs how every entry of a list stands.
pub(crate) fn standings<'a>(
    logs: &Logs,
    roster: &Roster,
    held: impl IntoIterator<Item = &'a Spot>,
) -> Standings {
    let mut assessed = BTreeMap::new();
    held.into_iter()
        .map(|spot| {
            let (log, number, id) = spot;
            let log = assessed.entry(*log).or_insert_with(|| logs.assess(roster, log).unwrap());
            (*spot, log.of(*number, id))
        })
        .collect()
}

/// ANNOUNCED: whatever changed its standing, beside the entry that came, was announced with its log
/// and a number not above its own. The store rewrites nothing else.
pub(crate) fn check_every_change_of_standing_is_announced(
    before: &Standings,
    after: &Standings,
    restood: &Restood,
) {
    for (spot, was) in before {
        let is = after[spot];
        let announced = restood.logs.get(&spot.0).is_some_and(|from| *from <= spot.1);
        assert!(*was == is || announced, "{spot:?} went from {was:?} to {is:?} unannounced");
    }
}

/// SCRATCH: what the logs worked out entry by entry is what they work out from nothing.
pub(crate) fn check_incremental_equals_from_scratch(
    logs: &Logs,
    roster: &Roster,
    incremental: &Standings,
) {
    let mut scratch = logs.clone();
    scratch.reassess(roster, &mut Restood::default());
    let scratch = standings(&scratch, roster, incremental.keys());
    check_same_standings(incremental, &scratch, "incrementally and from scratch");
}

/// ORDER: the same entries stand alike. Of a slot with more variants than are kept, different ones
/// may be held; those are disputed on every node and nothing else may differ.
pub(crate) fn check_same_standings(one: &Standings, other: &Standings, how: &str) {
    let spots = one.keys().chain(other.keys());
    for spot in spots {
        match (one.get(spot), other.get(spot)) {
            (Some(a), Some(b)) => assert_eq!(a, b, "{spot:?} stands differently {how}"),
            (Some(lone), None) | (None, Some(lone)) => assert!(
                matches!(lone, Standing::Disputed | Standing::Void | Standing::Pending),
                "{spot:?} is held once and stands {lone:?}, {how}"
            ),
            (None, None) => {}
        }
    }
}

/// VIEW: verdicts, rows and their digests are the same to the byte.
pub(crate) fn check_same_judgement(one: &Judged, other: &Judged, how: &str) {
    for (id, verdict) in &one.verdicts {
        if let Some(held) = other.verdicts.get(id) {
            assert_eq!(verdict, held, "{id:?} is judged differently {how}");
        }
    }
    let row = |judged: &Judged| judged.view.as_ref().map(xw_ledger::view::View::bytes);
    let text = |row: Option<Vec<u8>>| row.map(|row| String::from_utf8(row).unwrap());
    assert_eq!(text(row(one)), text(row(other)), "the view differs {how}");
    assert_eq!(one.standing, other.standing, "the record stands differently {how}");
    let digest = |judged: &Judged| judged.view.as_ref().map(|view| view.digest(judged.standing));
    assert_eq!(digest(one), digest(other), "the digest differs {how}");
}
