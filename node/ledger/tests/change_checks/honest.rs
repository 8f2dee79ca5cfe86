//! What the library writes, we read, accept, write the same way and understand the same way.

use std::cell::Cell;

use automerge::{Automerge, legacy};
use proptest::test_runner::{Config, TestRunner};
use xw_ledger::change::{Action, Change, Key, ObjId, Op, OpId};
use xw_ledger::document::Document;
use xw_ledger::history::History;
use xw_schemas::value::Value;

use super::oracle;
use super::world::{Story, actor, empty, play, steps};

#[test]
fn honest_histories_are_read_accepted_and_understood() {
    let (changes, ops, concurrent, conflicts) =
        (Cell::new(0), Cell::new(0), Cell::new(0), Cell::new(0));
    for authors in 1..=4 {
        let config = Config { cases: 100, failure_persistence: None, ..Config::default() };
        TestRunner::new(config)
            .run(&steps(authors, 24), |steps| {
                let story = play(authors, &steps);
                let history = check_story(&story, authors);
                changes.set(changes.get() + history.len());
                ops.set(
                    ops.get() + story.changes.iter().map(automerge::Change::len).sum::<usize>(),
                );
                concurrent.set(concurrent.get() + usize::from(history.heads().count() > 1));
                conflicts.set(conflicts.get() + history.merged().conflicts().len());
                Ok(())
            })
            .unwrap();
    }
    let (changes, ops) = (changes.get(), ops.get());
    let (concurrent, conflicts) = (concurrent.get(), conflicts.get());
    eprintln!(
        "honest: {changes} changes, {ops} operations in 400 histories, {concurrent} of them with \
         several heads, {conflicts} conflicts at their ends; all accepted here and by re-execution"
    );
    assert!(changes > 2_000 && concurrent > 100 && conflicts > 100);
}

/// Reads, judges and compares a whole story; gives our history of it.
pub(crate) fn check_story(story: &Story, authors: usize) -> History {
    let mut all = empty(authors);
    let mut history = History::new();
    for theirs in &story.changes {
        let bytes = theirs.raw_bytes();
        let change = Change::decode(bytes).unwrap();
        assert_eq!(change.encode(), bytes);
        check_same_change(&change, theirs);
        assert!(oracle::accepts(&all, bytes), "re-execution refuses what the library wrote");
        all.apply_changes([theirs.clone()]).unwrap();
        check_same_past(&history, &change, &all);
        history.admit(change).unwrap();
        check_same_state(&history);
    }
    check_order_of_arrival(&history);
    check_authors(&history, &all);
    history
}

fn check_same_change(ours: &Change, theirs: &automerge::Change) {
    let expanded = theirs.decode();
    assert_eq!(ours.hash.0, theirs.hash().0);
    assert_eq!(ours.actor, theirs.actor_id().to_bytes());
    assert_eq!(ours.seq, theirs.seq());
    assert_eq!(ours.start_op, theirs.start_op().get());
    assert_eq!(ours.max_op(), theirs.max_op());
    assert_eq!(ours.time_s, theirs.timestamp());
    assert!(ours.deps.iter().map(|dep| dep.0).eq(theirs.deps().iter().map(|dep| dep.0)));
    let expected: Vec<Op> = expanded.operations.iter().map(translated).collect();
    assert_eq!(ours.ops, expected);
}

fn translated(op: &legacy::Op) -> Op {
    let id = |id: &legacy::OpId| OpId { counter: id.0, actor: id.1.to_bytes().try_into().unwrap() };
    Op {
        obj: match &op.obj {
            legacy::ObjectId::Root => ObjId::Root,
            legacy::ObjectId::Id(object) => ObjId::Op(id(object)),
        },
        key: match &op.key {
            legacy::Key::Map(key) => Key::Map(key.to_string()),
            legacy::Key::Seq(legacy::ElementId::Head) => Key::Head,
            legacy::Key::Seq(legacy::ElementId::Id(element)) => Key::After(id(element)),
        },
        insert: op.insert,
        action: match &op.action {
            legacy::OpType::Make(automerge::ObjType::Map) => Action::MakeMap,
            legacy::OpType::Make(automerge::ObjType::List) => Action::MakeList,
            legacy::OpType::Delete => Action::Delete,
            legacy::OpType::Put(automerge::ScalarValue::Null) => Action::Put(Value::Null),
            legacy::OpType::Put(automerge::ScalarValue::Int(n)) => Action::Put(Value::Int(*n)),
            legacy::OpType::Put(automerge::ScalarValue::Boolean(b)) => Action::Put(Value::Bool(*b)),
            legacy::OpType::Put(automerge::ScalarValue::Str(s)) => {
                Action::Put(Value::Text(s.to_string()))
            }
            other => panic!("{other:?} is not part of a story"),
        },
        pred: op.pred.iter().map(id).collect(),
    }
}

/// What we take for the causal past of a change is what the library shows at its dependencies.
fn check_same_past(history: &History, change: &Change, all: &Automerge) {
    let deps: Vec<_> = change.deps.iter().map(|dep| automerge::ChangeHash(dep.0)).collect();
    let raw: Vec<Vec<u8>> = all
        .fork_at(&deps)
        .unwrap()
        .get_changes(&[])
        .iter()
        .map(|change| change.raw_bytes().to_vec())
        .collect();
    let document = Document::from_changes(actor(5), raw.iter().map(Vec::as_slice)).unwrap();
    let past = history.past(&change.deps);
    // `content` is compared field by field, because its own Debug shows no values.
    assert!(past.content() == document.content());
    assert_eq!(past.conflicts(), document.conflicts());
}

pub(crate) fn check_same_state(history: &History) {
    let raw: Vec<Vec<u8>> = history.canonical_order().iter().map(|c| c.encode()).collect();
    let document = Document::from_changes(actor(5), raw.iter().map(Vec::as_slice)).unwrap();
    assert!(history.merged().content() == document.content());
    assert_eq!(history.merged().conflicts(), document.conflicts());
}

fn check_order_of_arrival(history: &History) {
    let mut again = History::new();
    for change in history.canonical_order() {
        again.admit(change.clone()).unwrap();
    }
    assert!(again.merged().content() == history.merged().content());
    assert_eq!(again.merged().conflicts(), history.merged().conflicts());
    assert_eq!(again.merged().marks(), history.merged().marks());
    assert!(again.heads().eq(history.heads()));
}

/// Every mark leads to the change that the library names, and each change touched its own marks.
fn check_authors(history: &History, all: &Automerge) {
    for mark in history.merged().marks() {
        let id = automerge::ObjId::Id(mark.op.counter, (&mark.op.actor[..]).into(), 0);
        let theirs = all.hash_for_opid(&id).unwrap();
        assert_eq!(history.author_of(mark.op).unwrap().0, theirs.0);
        let change = history.change(&history.author_of(mark.op).unwrap()).unwrap();
        assert!(history.merged().touched(change).contains(&mark));
    }
    for change in history.canonical_order() {
        assert_eq!(history.merged().touched(change).len(), change.ops.len());
    }
}
