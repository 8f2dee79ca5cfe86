//! The second opinion: a change is sound when an honest author, standing where it claims to stand
//! and doing what it says, writes the very same bytes. Automerge panics on hostile changes, so
//! every call is contained.

use std::panic::{AssertUnwindSafe, catch_unwind};

use automerge::legacy::{ElementId, Key, ObjectId, Op, OpType};
use automerge::transaction::{CommitOptions, Transactable, Transaction};
use automerge::{Automerge, Change, ObjId, ObjType, ROOT, ReadDoc, Value};

use super::expanding::expands_modestly;

/// Whether re-execution on top of `past` gives `bytes`. `past` holds at least the causal past.
pub(crate) fn accepts(past: &Automerge, bytes: &[u8]) -> bool {
    expands_modestly(bytes)
        && catch_unwind(AssertUnwindSafe(|| re_execute(past, bytes))).unwrap_or(None).is_some()
}

fn re_execute(past: &Automerge, bytes: &[u8]) -> Option<()> {
    // The library does not look at the checksum.
    let hash = <sha2::Sha256 as sha2::Digest>::digest(bytes.get(8..)?);
    if bytes[8] != 1 || hash[..4] != bytes[4..8] {
        return None;
    }
    let change = Change::try_from(bytes).ok()?;
    if change.actor_id().to_bytes().len() != 16 {
        return None;
    }
    let wanted = change.decode();
    if change.deps().iter().any(|dep| past.get_change_by_hash(dep).is_none()) {
        return None;
    }
    let mut author = past.fork_at(change.deps()).ok()?;
    author.set_actor(change.actor_id().clone());
    let mut tx = author.transaction();
    wanted.operations.iter().try_for_each(|op| redo(&mut tx, op))?;
    let options = CommitOptions { message: None, time: Some(change.timestamp()) };
    let hash = tx.commit_with(options).0?;
    let mine = author.get_change_by_hash(&hash)?;
    (mine.raw_bytes() == bytes).then_some(())
}

fn redo(tx: &mut Transaction<'_>, op: &Op) -> Option<()> {
    let object = match &op.obj {
        ObjectId::Root => ROOT,
        ObjectId::Id(id) => ObjId::Id(id.0, id.1.clone(), 0),
    };
    let kind = tx.object_type(&object).ok()?;
    match (&op.key, op.insert, &op.action, kind) {
        (Key::Map(key), false, OpType::Put(value), ObjType::Map) => {
            tx.put(&object, key.to_string(), value.clone()).ok()
        }
        (Key::Map(key), false, OpType::Make(made), ObjType::Map) => {
            tx.put_object(&object, key.to_string(), *made).ok().map(drop)
        }
        // An author who writes the winner of a conflict once more deletes the losers.
        (Key::Map(key), false, OpType::Delete, ObjType::Map) => {
            let (winner, _) = tx.get(&object, key.to_string()).ok()??;
            let Value::Scalar(winner) = winner else {
                return None;
            };
            let winner = winner.into_owned();
            tx.put(&object, key.to_string(), winner).ok()
        }
        (Key::Seq(element), true, OpType::Make(made), ObjType::List) => {
            let at = place(tx, &object, element)?;
            tx.insert_object(&object, at, *made).ok().map(drop)
        }
        (Key::Seq(element), true, OpType::Put(value), ObjType::List) => {
            let at = place(tx, &object, element)?;
            tx.insert(&object, at, value.clone()).ok()
        }
        _ => None,
    }
}

fn place(tx: &Transaction<'_>, list: &ObjId, element: &ElementId) -> Option<usize> {
    let ElementId::Id(wanted) = element else {
        return Some(0);
    };
    let is_wanted = |id: ObjId| {
        matches!(id, ObjId::Id(counter, actor, _)
        if counter == wanted.0 && actor == wanted.1)
    };
    tx.list_range(list, ..).position(|item| is_wanted(item.id())).map(|at| at + 1)
}
