//! A whole small log with its roots, and the ways in which entries do not follow one another.

use xw_schemas::cose::SecretKey;
use xw_schemas::entry::{ChangeStatement, Core, Statement};
use xw_schemas::id::EntryId;
use xw_schemas::merkle::root_of;

use super::case::Case;
use super::world::{
    body, change, change_statement, network, node, open_core, operation, other_node, person, pin,
    seal, sealed,
};

pub(crate) fn cases() -> Vec<Case> {
    let cores = cores();
    let good: Vec<Vec<u8>> = cores.iter().map(sealed).collect();
    let given = |case: Case, entries: &[Vec<u8>]| {
        case.with("entries", entries).with("network", network().0)
    };
    let refuse = |name: &str, fault: &str, entries: &[Vec<u8>]| {
        given(Case::refused("log", name, fault), entries)
    };
    let replaced = |at: usize, core: Core| {
        let mut entries = good.clone();
        entries[at] = sealed(&core);
        entries
    };
    let mut skipping = good.clone();
    skipping.remove(2);
    let mut swapped = good.clone();
    swapped.swap(2, 3);
    let by_other = |core: &Core, person: Option<&SecretKey>| {
        let mut entries = good.clone();
        entries[2] = seal(&core.encode(), &other_node(), person);
        entries
    };
    vec![
        given(Case::valid("log", "six entries: opening, three changes, two witnesses"), &good),
        given(Case::valid("log", "an opening alone"), &good[..1]),
        refuse("a log without its opening", "UnknownLog", &good[1..]),
        refuse("an entry left out", "MissingPrevious", &skipping),
        refuse("two entries exchanged", "MissingPrevious", &swapped),
        refuse(
            "another entry before",
            "MissingPrevious",
            &replaced(3, Core { previous: EntryId([1; 32]), ..cores[3].clone() }),
        ),
        refuse(
            "the right entry before under a wrong number",
            "MissingPrevious",
            &replaced(3, Core { sequence: 4, ..cores[3].clone() }),
        ),
        refuse(
            "a wrong root",
            "WrongRoot",
            &replaced(5, Core { root: [1; 32], ..cores[5].clone() }),
        ),
        refuse(
            "the root of the prefix one shorter",
            "WrongRoot",
            &replaced(5, Core { root: cores[4].root, ..cores[5].clone() }),
        ),
        refuse(
            "another node's signature over this log's core",
            "OtherNode",
            &by_other(&cores[2], None),
        ),
    ]
}

/// Opening, a change by a person, one by the node, witnesses of one and three logs, a change.
fn cores() -> Vec<Core> {
    let first = body().change().to_vec();
    let second = change(Some(&first), "summary", "已修复");
    let body = xw_schemas::entry::Body::new([0x5b; 16], &second);
    let statement = |body| Statement::Change(change_statement(body));
    let third = ChangeStatement { length: 200, ..change_statement(&body) };
    let steps = [
        (Some(person().public()), statement(&super::world::body())),
        (None, statement(&body)),
        (None, Statement::Witness(vec![pin(1)])),
        (None, Statement::Witness(vec![pin(1), pin(2), pin(9)])),
        (Some(person().public()), Statement::Change(third)),
    ];
    let mut cores = vec![open_core()];
    for (number, (person, statement)) in (1_u8..).zip(steps) {
        let ids: Vec<EntryId> = cores.iter().map(Core::id).collect();
        cores.push(Core {
            sequence: u64::from(number),
            previous: ids[ids.len() - 1],
            root: root_of(&ids),
            seen: (number == 5).then(|| ids[4]),
            operation: operation(number),
            claimed_time_ms: open_core().claimed_time_ms + u64::from(number) * 60_000,
            person,
            statement,
            ..open_core()
        });
    }
    assert_eq!(node().public(), super::world::opening().node, "the township's PC writes this log");
    cores
}
