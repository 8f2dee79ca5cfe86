//! The second opinion: a change is sound when an honest author, standing where it claims to stand
//! and doing what it says, writes the very same bytes. Automerge panics on hostile changes, so
//! every call is contained.

use std::panic::{AssertUnwindSafe, catch_unwind};

use automerge::legacy::{ElementId, Key, ObjectId, Op, OpType};
use automerge::transaction::{CommitOptions, Transactable, Transaction};
use automerge::{Automerge, Change, ObjId, ObjType, ROOT, ReadDoc, Value};

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

/// Whether the library can be shown the change without hanging: it believes every run length.
fn expands_modestly(bytes: &[u8]) -> bool {
    scan(bytes).is_some_and(|(ops, preds)| ops <= 5_000 && preds <= 5_000)
}

/// Counts operations and predecessors as the library would.
fn scan(bytes: &[u8]) -> Option<(u64, u64)> {
    let mut rest = bytes.get(9..)?;
    unsigned(&mut rest)?;
    let deps = unsigned(&mut rest)?;
    skip(&mut rest, deps.checked_mul(32)?)?;
    prefixed(&mut rest)?;
    (0..3).try_for_each(|_| unsigned(&mut rest).map(drop))?;
    prefixed(&mut rest)?;
    (0..unsigned(&mut rest)?).try_for_each(|_| prefixed(&mut rest))?;
    let mut columns = Vec::new();
    for _ in 0..unsigned(&mut rest)? {
        columns.push((unsigned(&mut rest)?, unsigned(&mut rest)?));
    }
    let (mut ops, mut preds) = (0, 0);
    for (spec, length) in columns {
        let column = skip(&mut rest, length)?;
        match spec {
            0x42 => ops = total(column, |_| 1)?,
            0x70 => preds = total(column, |count| count)?,
            _ => {}
        }
    }
    Some((ops, preds))
}

fn total(mut column: &[u8], weight: fn(u64) -> u64) -> Option<u64> {
    let mut sum = 0_u64;
    while !column.is_empty() {
        let count = signed(&mut column)?;
        match count {
            1.. => {
                let value = unsigned(&mut column)?;
                sum = sum.saturating_add(weight(value).saturating_mul(count as u64));
            }
            0 => sum = sum.saturating_add(unsigned(&mut column)?),
            _ => {
                for _ in 0..count.unsigned_abs() {
                    sum = sum.saturating_add(weight(unsigned(&mut column)?));
                }
            }
        }
    }
    Some(sum)
}

fn unsigned(rest: &mut &[u8]) -> Option<u64> {
    let (value, _) = groups(rest)?;
    Some(value)
}

fn signed(rest: &mut &[u8]) -> Option<i64> {
    let (value, bits) = groups(rest)?;
    let unused = 64_u32.saturating_sub(bits);
    Some((value as i64) << unused >> unused)
}

/// A little-endian number in groups of seven bits, and how many bits it had.
fn groups(rest: &mut &[u8]) -> Option<(u64, u32)> {
    let mut value = 0_u64;
    for bits in (0..70).step_by(7) {
        let (byte, left) = rest.split_first()?;
        *rest = left;
        value |= u64::from(byte & 0x7f).checked_shl(bits).unwrap_or(0);
        if byte & 0x80 == 0 {
            return Some((value, bits + 7));
        }
    }
    None
}

fn prefixed(rest: &mut &[u8]) -> Option<()> {
    let length = unsigned(rest)?;
    skip(rest, length).map(drop)
}

fn skip<'a>(rest: &mut &'a [u8], length: u64) -> Option<&'a [u8]> {
    let (taken, left) = rest.split_at_checked(usize::try_from(length).ok()?)?;
    *rest = left;
    Some(taken)
}
