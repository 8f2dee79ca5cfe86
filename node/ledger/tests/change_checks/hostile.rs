//! Hostile changes in good form, each refused for its own reason: what the library would write for
//! a hostile author, and honest changes with one thing altered.

use automerge::transaction::{CommitOptions, Transactable, Transaction};
use automerge::{Automerge, ObjType, ROOT, ReadDoc, ScalarValue};
use xw_ledger::change::{
    Action, COUNTER_MAX, Change, ChangeFault, ChangeHash, Key, ObjId, Op, OpId, TEXT_BYTES_MAX,
};
use xw_ledger::history::History;
use xw_ledger::opset::Unsound;
use xw_schemas::value::Value;

use super::world::{actor, empty};

#[test]
fn numbers_out_of_range_are_refused() {
    let (change, history) = edited();
    let changed = |change_it: &dyn Fn(&mut Change)| {
        let mut change = change.clone();
        change_it(&mut change);
        Change::decode(&change.encode())
    };
    for time_s in [i64::MIN, -1, (1 << 40) + 1, i64::MAX] {
        assert_eq!(changed(&|c| c.time_s = time_s), Err(ChangeFault::Time));
    }
    assert_eq!(changed(&|c| c.seq = 0), Err(ChangeFault::Counter));
    for start_op in [0, COUNTER_MAX, u64::from(u32::MAX) - 1, u64::MAX >> 1] {
        assert_eq!(changed(&|c| c.start_op = start_op), Err(ChangeFault::Counter));
    }
    for start_op in [1, 2, change.start_op - 1, change.start_op + 1, 1_000_000] {
        let moved = changed(&|c| c.start_op = start_op).unwrap();
        assert_eq!(history.check(&moved), Err(Unsound::StartOp));
    }
    assert_eq!(changed(&|c| c.ops.clear()), Err(ChangeFault::NoOps));
    let dep = change.deps[0];
    assert_eq!(changed(&|c| c.deps = vec![dep, dep]), Err(ChangeFault::Deps));
    assert_eq!(changed(&|c| c.deps = many_deps(65)), Err(ChangeFault::Deps));
    assert!(changed(&|c| c.deps = many_deps(64)).is_ok());
}

fn many_deps(count: u8) -> Vec<ChangeHash> {
    (0..count).map(|at| ChangeHash([at; 32])).collect()
}

#[test]
fn what_the_library_can_write_and_a_record_cannot_hold_is_refused() {
    type Write = fn(&mut Transaction<'_>);
    let cases: [(Write, ChangeFault); 12] = [
        (|tx| tx.put(ROOT, "a", ScalarValue::Timestamp(5)).unwrap(), ChangeFault::ValueType),
        (|tx| tx.put(ROOT, "a", ScalarValue::Uint(5)).unwrap(), ChangeFault::ValueType),
        (|tx| tx.put(ROOT, "a", ScalarValue::F64(5.0)).unwrap(), ChangeFault::ValueType),
        (|tx| tx.put(ROOT, "a", ScalarValue::counter(5)).unwrap(), ChangeFault::ValueType),
        (|tx| tx.put(ROOT, "a", vec![5_u8]).unwrap(), ChangeFault::ValueType),
        (|tx| drop(tx.put_object(ROOT, "a", ObjType::Text).unwrap()), ChangeFault::ActionType),
        (|tx| drop(tx.put_object(ROOT, "a", ObjType::Table).unwrap()), ChangeFault::ActionType),
        (|tx| tx.put(ROOT, "", 5).unwrap(), ChangeFault::Key),
        (|tx| tx.put(ROOT, "a".repeat(121), 5).unwrap(), ChangeFault::Key),
        (|tx| tx.put(ROOT, "visits[v1].note", 5).unwrap(), ChangeFault::Key),
        (|tx| tx.put(ROOT, "a\n", 5).unwrap(), ChangeFault::Key),
        (|tx| tx.put(ROOT, "a", "x".repeat(TEXT_BYTES_MAX + 1)).unwrap(), ChangeFault::TextTooLong),
    ];
    for (write, expected) in cases {
        assert_eq!(fault(&written(&mut empty(0), write)), expected);
    }
    let long = "乡".repeat(TEXT_BYTES_MAX / 3);
    assert!(Change::decode(&written(&mut empty(0), |tx| tx.put(ROOT, "a", long).unwrap())).is_ok());

    let mut doc = empty(0);
    let mut tx = doc.transaction();
    tx.put(ROOT, "a", 1).unwrap();
    let _ = tx.commit_with(CommitOptions::default().with_message("hello").with_time(0));
    let message = doc.get_last_local_change().unwrap();
    assert_eq!(fault(message.raw_bytes()), ChangeFault::Message);
    let author = Some(automerge::Author::from(vec![7; 32]));
    let footer = written(&mut empty(0).with_author(author), |tx| tx.put(ROOT, "a", 1).unwrap());
    assert_eq!(fault(&footer), ChangeFault::ExtraBytes);
}

#[test]
fn deep_nesting_is_refused() {
    let mut nested = ROOT;
    let maps = written(&mut empty(0), |tx| {
        for _ in 0..1_300 {
            nested = tx.put_object(&nested, "a", ObjType::Map).unwrap();
        }
    });
    assert_eq!(unsound(&History::new(), &maps), Unsound::Shape);
    let lists = |levels: usize| {
        written(&mut empty(0), |tx| {
            let mut map = ROOT;
            for level in 0..levels {
                let list = tx.put_object(&map, "l", ObjType::List).unwrap();
                map = tx.insert_object(&list, 0, ObjType::Map).unwrap();
                tx.put(&map, "id", format!("{level}")).unwrap();
            }
        })
    };
    assert_eq!(History::new().check(&Change::decode(&lists(2)).unwrap()), Ok(()));
    assert_eq!(unsound(&History::new(), &lists(3)), Unsound::TooDeep);
}

#[test]
fn changes_that_point_nowhere_are_refused() {
    let (change, history) = edited();
    let spoil = |change_it: &dyn Fn(&mut Op)| {
        let mut change = change.clone();
        change_it(&mut change.ops[0]);
        let decoded = Change::decode(&change.encode()).unwrap();
        history.check(&decoded).unwrap_err()
    };
    let id = |counter, author| OpId { counter, actor: actor(author) };
    let created = history.canonical_order()[0];
    let list = created.ops_with_ids().find(|(_, op)| op.action == Action::MakeList).unwrap().0;
    assert_eq!(spoil(&|op| op.obj = ObjId::Op(id(1, 0))), Unsound::NoSuchObject);
    assert_eq!(spoil(&|op| op.obj = ObjId::Op(id(30_000, 0))), Unsound::NoSuchObject);
    assert_eq!(spoil(&|op| op.obj = ObjId::Op(id(3, 4))), Unsound::NoSuchObject);
    assert_eq!(spoil(&|op| op.obj = ObjId::Op(change.op_id(0))), Unsound::NoSuchObject);
    assert_eq!(spoil(&|op| op.obj = ObjId::Op(list)), Unsound::Shape);
    assert_eq!(spoil(&|op| op.pred = vec![id(9_999, 0)]), Unsound::Preds);
    assert_eq!(spoil(&|op| op.pred = vec![]), Unsound::Preds);
    assert_eq!(spoil(&|op| op.action = Action::Delete), Unsound::Delete);
    assert_eq!(spoil(&|op| op.insert = true), Unsound::Shape);
    let insert = |op: &mut Op, after: Key| {
        *op = Op {
            obj: ObjId::Op(list),
            key: after,
            insert: true,
            action: Action::MakeMap,
            pred: vec![],
        };
    };
    assert_eq!(spoil(&|op| insert(op, Key::After(id(1, 0)))), Unsound::NoSuchElement);
    assert_eq!(spoil(&|op| insert(op, Key::After(change.op_id(0)))), Unsound::NoSuchElement);
    assert_eq!(spoil(&|op| insert(op, Key::Head)), Unsound::ItemIdMissing);
    assert_eq!(
        spoil(&|op| {
            insert(op, Key::Head);
            op.action = Action::Put(Value::Int(1));
        }),
        Unsound::Shape
    );
}

#[test]
fn changes_out_of_their_place_are_refused() {
    let (change, history) = edited();
    let spoil = |change_it: &dyn Fn(&mut Change)| {
        let mut change = change.clone();
        change_it(&mut change);
        history.check(&Change::decode(&change.encode()).unwrap())
    };
    assert_eq!(spoil(&|_| ()), Ok(()));
    assert_eq!(spoil(&|c| c.seq = 5), Err(Unsound::SequenceGap));
    assert_eq!(spoil(&|c| c.deps = many_deps(1)), Err(Unsound::MissingDep(ChangeHash([0; 32]))));
    let created = history.canonical_order()[0].clone();
    assert_eq!(history.check(&created), Err(Unsound::AlreadyHeld));
    assert_eq!(spoil(&|c| c.deps.clear()), Err(Unsound::StartOp));
    assert_eq!(
        spoil(&|c| {
            c.deps.clear();
            c.start_op = 1;
        }),
        Err(Unsound::Preds)
    );
    // The author of the record once more with the same number, on the same past.
    assert_eq!(spoil(&|c| c.actor = created.actor), Err(Unsound::SequenceTaken));

    // After the edit: its author must stand on it, and number on from it.
    let mut after = history.clone();
    after.admit(change.clone()).unwrap();
    let mut second = change.clone();
    second.seq = 2;
    let again = |second: &Change| after.check(&Change::decode(&second.encode()).unwrap());
    assert_eq!(again(&second), Err(Unsound::OwnLastNotNamed));
    second.deps = vec![change.hash];
    assert_eq!(again(&second), Err(Unsound::StartOp));
    second.start_op = change.max_op() + 1;
    assert_eq!(again(&second), Err(Unsound::Preds));
    second.ops[0].pred = vec![change.op_id(0)];
    assert_eq!(again(&second), Err(Unsound::NothingChanged));
    second.ops[0].action = Action::Put(Value::Text("已办结".into()));
    assert_eq!(again(&second), Ok(()));
    second.deps = vec![change.hash, created.hash];
    second.deps.sort();
    assert_eq!(again(&second), Err(Unsound::RedundantDep));
}

#[test]
fn an_object_from_outside_the_causal_past_is_refused_in_every_order() {
    let mut base = empty(0);
    let created = written(&mut base, |tx| tx.put(ROOT, "status", "已受理").unwrap());
    let mut maker = base.clone().with_actor((&actor(1)[..]).into());
    let mut list = ROOT;
    let made = written(&mut maker, |tx| {
        list = tx.put_object(ROOT, "visits", ObjType::List).unwrap();
    });
    let hidden_user = written(&mut maker.with_actor((&actor(2)[..]).into()), |tx| {
        let item = tx.insert_object(&list, 0, ObjType::Map).unwrap();
        tx.put(&item, "id", "v1").unwrap();
    });
    let mut hidden = Change::decode(&hidden_user).unwrap();
    let created = Change::decode(&created).unwrap();
    let made = Change::decode(&made).unwrap();
    // It claims not to have seen the change that made the list.
    hidden.deps = vec![created.hash];
    hidden.start_op = made.start_op;
    let hidden = Change::decode(&hidden.encode()).unwrap();
    let mut history = History::new();
    history.admit(created).unwrap();
    assert_eq!(history.check(&hidden), Err(Unsound::NoSuchObject));
    history.admit(made).unwrap();
    assert_eq!(history.check(&hidden), Err(Unsound::NoSuchObject));
}

#[test]
fn lists_values_and_item_ids_keep_their_kind() {
    let mut base = empty(0);
    let mut item = ROOT;
    let created = written(&mut base, |tx| {
        tx.put(ROOT, "status", "已受理").unwrap();
        let list = tx.put_object(ROOT, "visits", ObjType::List).unwrap();
        item = tx.insert_object(&list, 0, ObjType::Map).unwrap();
        tx.put(&item, "id", "v1").unwrap();
    });
    let mut history = History::new();
    history.admit(Change::decode(&created).unwrap()).unwrap();
    let next = |write: &dyn Fn(&mut Transaction<'_>)| {
        let mut other = base.clone().with_actor((&actor(1)[..]).into());
        unsound(&history, &written(&mut other, |tx| write(tx)))
    };
    let list = |tx: &mut Transaction<'_>, map, key: &str| {
        tx.put_object(map, key, ObjType::List).unwrap();
    };
    assert_eq!(next(&|tx| tx.put(ROOT, "visits", 1).unwrap()), Unsound::ValueOverList);
    assert_eq!(next(&|tx| tx.delete(ROOT, "visits").unwrap()), Unsound::ValueOverList);
    assert_eq!(next(&|tx| tx.delete(ROOT, "status").unwrap()), Unsound::Delete);
    assert_eq!(next(&|tx| list(tx, &ROOT, "status")), Unsound::ListOverHeld);
    assert_eq!(next(&|tx| list(tx, &ROOT, "visits")), Unsound::ListOverHeld);
    assert_eq!(next(&|tx| list(tx, &item, "id")), Unsound::ItemIdMalformed);
    assert_eq!(next(&|tx| tx.put(&item, "id", "v2").unwrap()), Unsound::ItemIdRewritten);
    let items = base.get(ROOT, "visits").unwrap().unwrap().1;
    assert_eq!(next(&|tx| tx.delete(&items, 0).unwrap()), Unsound::Shape);
    assert_eq!(next(&|tx| tx.put(&items, 0, 1).unwrap()), Unsound::Shape);
    assert_eq!(next(&|tx| tx.insert(&items, 0, 1).unwrap()), Unsound::Shape);
    let new_item = |tx: &mut Transaction<'_>, id: ScalarValue| {
        let item = tx.insert_object(&items, 1, ObjType::Map).unwrap();
        tx.put(&item, "id", id).unwrap();
        item
    };
    for id in [ScalarValue::Int(1), "".into(), "a]".into(), "x".repeat(65).into()] {
        assert_eq!(next(&|tx| drop(new_item(tx, id.clone()))), Unsound::ItemIdMalformed);
    }
    assert_eq!(
        next(&|tx| {
            let item = new_item(tx, "v2".into());
            tx.put(&item, "id", "v3").unwrap();
        }),
        Unsound::ItemIdRewritten
    );
}

#[test]
fn the_largest_sound_change_is_judged_within_the_limits() {
    // All items at the head of one list: the worst case for list order.
    let bytes = written(&mut empty(0), |tx| {
        let list = tx.put_object(ROOT, "visits", ObjType::List).unwrap();
        for number in 0..2_047 {
            let item = tx.insert_object(&list, 0, ObjType::Map).unwrap();
            tx.put(&item, "id", format!("{number}")).unwrap();
        }
    });
    let change = Change::decode(&bytes).unwrap();
    assert_eq!(change.ops.len(), 4_095);
    let mut history = History::new();
    history.admit(change).unwrap();
    let content = history.merged().content();
    let ids = content.lists["visits"].iter().map(|item| item.id.parse::<i32>().unwrap());
    assert!(ids.eq((0..2_047).rev()));
}

#[test]
fn every_verdict_has_its_own_number_and_words() {
    let unsound = [Unsound::AlreadyHeld, Unsound::Preds, Unsound::ItemIdRewritten];
    assert_eq!(unsound.map(|why| why.code()), [101, 115, 123]);
    assert_eq!(ChangeFault::TooLong.code(), 1);
    assert_eq!(ChangeFault::NotCanonical.code(), 29);
    for why in unsound {
        assert!(!why.zh().is_ascii() && why.en().is_ascii());
    }
}

/// A record of author 0 and an edit of it by author 1 that is not in the history.
fn edited() -> (Change, History) {
    let mut doc = empty(0);
    let created = written(&mut doc, |tx| {
        tx.put(ROOT, "status", "已受理").unwrap();
        let list = tx.put_object(ROOT, "visits", ObjType::List).unwrap();
        let item = tx.insert_object(&list, 0, ObjType::Map).unwrap();
        tx.put(&item, "id", "v1").unwrap();
    });
    let mut other = doc.with_actor((&actor(1)[..]).into());
    let edit = written(&mut other, |tx| tx.put(ROOT, "status", "办理中").unwrap());
    let mut history = History::new();
    history.admit(Change::decode(&created).unwrap()).unwrap();
    (Change::decode(&edit).unwrap(), history)
}

fn unsound(history: &History, bytes: &[u8]) -> Unsound {
    history.check(&Change::decode(bytes).unwrap()).unwrap_err()
}

fn written(doc: &mut Automerge, write: impl FnOnce(&mut Transaction<'_>)) -> Vec<u8> {
    let mut tx = doc.transaction();
    write(&mut tx);
    let _ = tx.commit_with(CommitOptions::default().with_time(1_780_000_000));
    doc.get_last_local_change().unwrap().raw_bytes().to_vec()
}

fn fault(bytes: &[u8]) -> ChangeFault {
    Change::decode(bytes).unwrap_err()
}
