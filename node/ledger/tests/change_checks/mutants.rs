//! Honest changes, spoiled: in their bytes, or in their meaning and then written canonically. Our
//! verdict has to be that of re-execution, which costs ten times as much and can panic.

use std::cell::RefCell;
use std::collections::BTreeMap;

use automerge::{Automerge, ReadDoc};
use proptest::prelude::*;
use proptest::strategy::ValueTree;
use proptest::test_runner::{Config, RngSeed, TestRunner};
use xw_ledger::change::{Action, Change, ChangeFault, ChangeHash, Key, ObjId, OpId};
use xw_ledger::document::{Document, Edit, Place};
use xw_ledger::history::History;
use xw_ledger::opset::Unsound;
use xw_schemas::value::Value;

use super::bytes::{body, chunk};
use super::oracle;
use super::world::{actor, empty, play, steps};

/// Mutants per run; `PROPTEST_CASES` asks for more.
const CASES_MIN: u32 = 24_000;

/// A change of a story and all that its author could know.
struct Base {
    bytes: Vec<u8>,
    change: Change,
    history: History,
    past: Automerge,
}

/// One way to spoil a change; the numbers choose the place.
#[derive(Clone, Debug)]
enum Spoil {
    Flip(usize, u8),
    Set(usize, u8),
    Remove(usize),
    Insert(usize, u8),
    Meaning(u8, usize, usize),
}

fn spoil() -> impl Strategy<Value = Spoil> {
    let place = 0..100_000_usize;
    let telling = prop::sample::select(vec![0, 1, 2, 3, 0x7e, 0x7f, 0x80, 0xff]);
    prop_oneof![
        1 => (place.clone(), 0..8_u8).prop_map(|(at, bit)| Spoil::Flip(at, bit)),
        1 => (place.clone(), telling.clone()).prop_map(|(at, byte)| Spoil::Set(at, byte)),
        1 => (place.clone(), any::<u8>()).prop_map(|(at, byte)| Spoil::Set(at, byte)),
        1 => place.clone().prop_map(Spoil::Remove),
        1 => (place.clone(), telling).prop_map(|(at, byte)| Spoil::Insert(at, byte)),
        8 => (0..22_u8, place.clone(), place).prop_map(|(k, a, b)| Spoil::Meaning(k, a, b)),
    ]
}

#[test]
fn spoiled_changes_get_the_verdict_of_re_execution() {
    let bases = bases();
    let counts = RefCell::new(BTreeMap::<String, u32>::new());
    let count = |what: String| *counts.borrow_mut().entry(what).or_default() += 1;
    hush_this_thread();
    let config = Config {
        cases: CASES_MIN.max(Config::default().cases),
        failure_persistence: None,
        ..Config::default()
    };
    let outcome = TestRunner::new(config).run(
        &(0..bases.len(), prop::collection::vec(spoil(), 1..3)),
        |(base, spoils)| {
            let base = &bases[base];
            let bytes = spoiled(base, &spoils);
            if bytes == base.bytes {
                count("the change itself".into());
                return Ok(());
            }
            let ours = Change::decode(&bytes).map_err(Verdict::Fault).and_then(|change| {
                base.history.check(&change).map_err(Verdict::Unsound).map(|()| change)
            });
            let theirs = oracle::accepts(&base.past, &bytes);
            match (&ours, theirs) {
                (Ok(change), true) => {
                    count("both accept".into());
                    prop_assert!(round_trips(base, change, &bytes));
                }
                (Err(Verdict::Fault(_)), false) => count("both refuse, as bytes".into()),
                (Err(Verdict::Unsound(why)), false) => {
                    count(format!("both refuse, {why:?}").split('(').next().unwrap().to_owned())
                }
                (Err(Verdict::Unsound(Unsound::SequenceTaken)), true) => {
                    count("only ours refuses, the author forked".into());
                    prop_assert!(library_cannot_hold(base, &bytes));
                }
                (Err(why), true) if is_our_own_rule(why) => {
                    count(format!("only ours refuses, {why:?}"));
                }
                _ => prop_assert!(false, "ours {:?}, re-execution {theirs}", ours.err()),
            }
            Ok(())
        },
    );
    let counts = counts.into_inner();
    eprintln!("mutants: {counts:#?}");
    outcome.unwrap();
    assert!(counts["both accept"] > 1_000);
    for why in ["Preds", "NoSuchObject", "StartOp", "SequenceGap", "RedundantDep", "Delete"] {
        assert!(counts.contains_key(&format!("both refuse, {why}")), "no mutant met {why}");
    }
}

/// The library panics thousands of times here, and each is caught; other tests stay loud.
fn hush_this_thread() {
    let (here, loud) = (std::thread::current().id(), std::panic::take_hook());
    std::panic::set_hook(Box::new(move |panic| {
        if std::thread::current().id() != here {
            loud(panic);
        }
    }));
}

#[derive(Debug)]
enum Verdict {
    Fault(ChangeFault),
    Unsound(Unsound),
}

/// What a library author may write and a record may not hold: our limits and the record's shape.
/// Everything else must be judged alike.
fn is_our_own_rule(why: &Verdict) -> bool {
    match why {
        Verdict::Fault(why) => matches!(
            why,
            ChangeFault::Key
                | ChangeFault::ValueType
                | ChangeFault::ActionType
                | ChangeFault::Time
                | ChangeFault::TextTooLong
                | ChangeFault::Counter
        ),
        Verdict::Unsound(why) => matches!(
            why,
            Unsound::Shape
                | Unsound::TooDeep
                | Unsound::ListOverHeld
                | Unsound::ValueOverList
                | Unsound::ItemIdMissing
                | Unsound::ItemIdMalformed
                | Unsound::ItemIdRewritten
        ),
    }
}

/// Re-execution sees the causal past alone; beside the author's other change the library refuses.
fn library_cannot_hold(base: &Base, bytes: &[u8]) -> bool {
    let change = automerge::Change::try_from(bytes).unwrap();
    base.past.clone().apply_changes([change]).is_err()
}

/// The library takes the mutant, saves, loads and shows what we show, and the next clerk can go on.
fn round_trips(base: &Base, change: &Change, bytes: &[u8]) -> bool {
    let mut doc = base.past.clone();
    doc.apply_changes([automerge::Change::try_from(bytes).unwrap()]).unwrap();
    let saved = doc.save();
    let loaded = Automerge::load(&saved).unwrap();
    let again = loaded.get_change_by_hash(&automerge::ChangeHash(change.hash.0)).unwrap();
    let mut history = base.history.clone();
    history.push(change.clone());
    let raw: Vec<Vec<u8>> = history.canonical_order().iter().map(|c| c.encode()).collect();
    let mut document = Document::from_changes(actor(5), raw.iter().map(Vec::as_slice)).unwrap();
    let alike = document.content() == history.merged().content()
        && document.conflicts() == history.merged().conflicts();
    let edit = Edit::Put { at: Place::Root, path: "next".into(), value: Value::Null };
    let next = document.edit(&[edit], 1_790_000_000).unwrap();
    alike
        && history.check(&Change::decode(&next).unwrap()) == Ok(())
        && again.raw_bytes() == bytes
        && loaded.save() == saved
        && loaded.get_heads() == doc.get_heads()
}

/// Changes from stories of one to four authors, always the same ones.
fn bases() -> Vec<Base> {
    let config = Config { rng_seed: RngSeed::Fixed(7), ..Config::default() };
    let mut runner = TestRunner::new(config);
    let mut bases = Vec::new();
    for round in 0..60 {
        let authors = 1 + round % 4;
        let steps = steps(authors, 20).new_tree(&mut runner).unwrap().current();
        let mut past = empty(authors);
        let mut history = History::new();
        for theirs in play(authors, &steps).changes {
            let bytes = theirs.raw_bytes().to_vec();
            let change = Change::decode(&bytes).unwrap();
            let base = Base { bytes, change, history: history.clone(), past: past.clone() };
            history.admit(base.change.clone()).unwrap();
            bases.push(base);
            past.apply_changes([theirs]).unwrap();
        }
    }
    bases
}

fn spoiled(base: &Base, spoils: &[Spoil]) -> Vec<u8> {
    let mut change = base.change.clone();
    for spoil in spoils {
        if let Spoil::Meaning(kind, a, b) = spoil {
            spoil_meaning(base, &mut change, *kind, *a, *b);
        }
    }
    let mut body = body(&change.encode());
    for spoil in spoils {
        let length = body.len().max(1);
        match spoil {
            Spoil::Flip(at, bit) => body[at % length] ^= 1 << bit,
            Spoil::Set(at, byte) => body[at % length] = *byte,
            Spoil::Remove(at) => drop(body.remove(at % length)),
            Spoil::Insert(at, byte) => body.insert(at % length, *byte),
            Spoil::Meaning(..) => {}
        }
    }
    chunk(1, &body)
}

fn spoil_meaning(base: &Base, change: &mut Change, kind: u8, a: usize, b: usize) {
    let known: Vec<ChangeHash> = base.history.canonical_order().iter().map(|c| c.hash).collect();
    let mut ids = named_ids(base, change);
    ids.push(OpId { counter: change.start_op + (b % 9) as u64, actor: change.actor });
    let id = ids[b % ids.len()];
    let count = change.ops.len();
    let op = &mut change.ops[a % count];
    match kind {
        0 => op.obj = ObjId::Op(id),
        1 => op.obj = ObjId::Root,
        2 => op.key = Key::After(id),
        3 => op.key = Key::Head,
        4 => op.key = Key::Map(["status", "visits", "id", "栏目0", "新"][b % 5].into()),
        5 => op.pred = Vec::new(),
        6 => op.pred = vec![id],
        7 => {
            op.pred.push(id);
            op.pred.sort_unstable();
        }
        8 => op.pred.truncate(op.pred.len().saturating_sub(1)),
        9 => op.action = Action::Delete,
        10 => op.action = Action::MakeList,
        11 => op.action = Action::MakeMap,
        12 => {
            op.action = Action::Put(
                [Value::Null, Value::Int(1), Value::Text("办理中".into())][b % 3].clone(),
            )
        }
        13 => op.insert = !op.insert,
        14 => change.ops.swap(a % count, b % count),
        15 => drop((count > 1).then(|| change.ops.remove(a % count))),
        16 => {
            let copy = op.clone();
            change.ops.insert(b % (count + 1), copy);
        }
        17 => change.start_op = (change.start_op + b as u64 % 5).saturating_sub(2).max(1),
        18 => change.seq = (change.seq + b as u64 % 3).saturating_sub(1).max(1),
        19 => drop((!change.deps.is_empty()).then(|| change.deps.remove(a % change.deps.len()))),
        20 if !known.is_empty() => {
            change.deps.push(known[b % known.len()]);
            change.deps.sort_unstable();
            change.deps.dedup();
        }
        20 => {}
        _ => change.actor = actor(b % 5),
    }
}

/// Every operation id that anyone has used so far.
fn named_ids(base: &Base, change: &Change) -> Vec<OpId> {
    let held = base.history.canonical_order().into_iter().chain([change]);
    held.flat_map(|change| change.ops_with_ids().map(|(id, _)| id)).collect()
}
