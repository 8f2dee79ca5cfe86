//! From a [`Change`] to the bytes that Automerge writes for it; no other spelling is accepted.

use sha2::{Digest, Sha256};
use xw_schemas::value::Value;

use super::column::{write_deltas, write_flags, write_runs};
use super::leb::{signed_len, write_signed, write_text, write_unsigned};
use super::{Action, Actor, Change, Key, ObjId, OpId};

/// How every Automerge chunk begins.
pub(super) const MAGIC: [u8; 4] = [0x85, 0x6f, 0x4a, 0x83];
/// A change that is not compressed.
pub(super) const CHUNK_TYPE_CHANGE: u8 = 1;
/// The hash covers everything behind magic and checksum.
pub(super) const HASHED_FROM: usize = 8;

// A column's number is its group times 16 plus its type, as Automerge's storage format has it.
pub(super) const OBJ_ACTOR: u8 = 0x01;
pub(super) const OBJ_COUNTER: u8 = 0x02;
pub(super) const KEY_ACTOR: u8 = 0x11;
pub(super) const KEY_COUNTER: u8 = 0x13;
pub(super) const KEY_TEXT: u8 = 0x15;
pub(super) const INSERT: u8 = 0x34;
pub(super) const ACTION: u8 = 0x42;
pub(super) const VALUE_META: u8 = 0x56;
pub(super) const VALUE: u8 = 0x57;
pub(super) const PRED_COUNT: u8 = 0x70;
pub(super) const PRED_ACTOR: u8 = 0x71;
pub(super) const PRED_COUNTER: u8 = 0x73;
/// All columns of a change of ours, in their order. The two for rich text marks (0x94, 0xa5) are
/// written only when there are marks, and we have none.
pub(super) const COLUMNS: [u8; 12] = [
    OBJ_ACTOR,
    OBJ_COUNTER,
    KEY_ACTOR,
    KEY_COUNTER,
    KEY_TEXT,
    INSERT,
    ACTION,
    VALUE_META,
    VALUE,
    PRED_COUNT,
    PRED_ACTOR,
    PRED_COUNTER,
];

// The low four bits of a value's description; the rest is its length in bytes.
pub(super) const VALUE_NULL: u64 = 0;
pub(super) const VALUE_FALSE: u64 = 1;
pub(super) const VALUE_TRUE: u64 = 2;
pub(super) const VALUE_INT: u64 = 4;
pub(super) const VALUE_TEXT: u64 = 6;

pub(super) fn encode(change: &Change) -> Vec<u8> {
    let body = body(change);
    let mut out = Vec::with_capacity(body.len() + 14);
    out.extend_from_slice(&MAGIC);
    out.extend_from_slice(&[0; 4]);
    out.push(CHUNK_TYPE_CHANGE);
    write_unsigned(&mut out, body.len() as u64);
    out.extend_from_slice(&body);
    let hash = Sha256::digest(&out[HASHED_FROM..]);
    out[MAGIC.len()..HASHED_FROM].copy_from_slice(&hash[..4]);
    out
}

/// Everything behind the chunk's length.
pub(super) fn body(change: &Change) -> Vec<u8> {
    let others = other_actors(change);
    let mut data = Vec::with_capacity(1024);
    let lengths = columns(change, &others, &mut data);

    let mut out = Vec::with_capacity(data.len() + 128 + 32 * change.deps.len());
    write_unsigned(&mut out, change.deps.len() as u64);
    change.deps.iter().for_each(|dep| out.extend_from_slice(&dep.0));
    write_actor(&mut out, &change.actor);
    write_unsigned(&mut out, change.seq);
    write_unsigned(&mut out, change.start_op);
    write_signed(&mut out, change.time_s);
    write_unsigned(&mut out, 0);
    write_unsigned(&mut out, others.len() as u64);
    others.iter().for_each(|actor| write_actor(&mut out, actor));
    write_unsigned(&mut out, lengths.iter().filter(|length| **length > 0).count() as u64);
    for (spec, length) in COLUMNS.into_iter().zip(lengths).filter(|(_, length)| *length > 0) {
        write_unsigned(&mut out, u64::from(spec));
        write_unsigned(&mut out, length as u64);
    }
    out.extend_from_slice(&data);
    out
}

fn write_actor(out: &mut Vec<u8>, actor: &Actor) {
    write_unsigned(out, actor.len() as u64);
    out.extend_from_slice(actor);
}

/// The actors besides the author whom the operations name, ascending.
fn other_actors(change: &Change) -> Vec<Actor> {
    let mut others = Vec::new();
    // Neighbouring operations mostly name the same actor, so looking at the last one first saves
    // nearly all insertions.
    let mut see = |id: &OpId| {
        if id.actor != change.actor && others.last() != Some(&id.actor) {
            others.push(id.actor);
        }
    };
    for op in &change.ops {
        if let ObjId::Op(id) = &op.obj {
            see(id);
        }
        if let Key::After(id) = &op.key {
            see(id);
        }
        op.pred.iter().for_each(&mut see);
    }
    others.sort_unstable();
    others.dedup();
    others
}

/// Writes all columns behind one another and says how long each is.
fn columns(change: &Change, others: &[Actor], data: &mut Vec<u8>) -> [usize; COLUMNS.len()] {
    let index = |id: &OpId| match others.binary_search(&id.actor) {
        Ok(at) => at as u64 + 1,
        // Whoever is not among the others is the author.
        Err(_) => 0,
    };
    let ops = &change.ops;
    let obj = || ops.iter().map(|op| if let ObjId::Op(id) = &op.obj { Some(id) } else { None });
    let element =
        || ops.iter().map(|op| if let Key::After(id) = &op.key { Some(id) } else { None });
    let preds = || ops.iter().flat_map(|op| &op.pred);

    let mut lengths = [0; COLUMNS.len()];
    let mut start = data.len();
    for (spec, length) in COLUMNS.into_iter().zip(&mut lengths) {
        match spec {
            OBJ_ACTOR => numbers(data, obj().map(|id| id.map(index))),
            OBJ_COUNTER => numbers(data, obj().map(|id| id.map(|id| id.counter))),
            KEY_ACTOR => numbers(data, element().map(|id| id.map(index))),
            KEY_COUNTER => write_deltas(data, &ops.iter().map(key_counter).collect::<Vec<_>>()),
            KEY_TEXT => write_runs(data, &ops.iter().map(key_text).collect::<Vec<_>>(), write_text),
            INSERT => write_flags(data, ops.iter().map(|op| op.insert)),
            ACTION => numbers(data, ops.iter().map(|op| Some(action_code(&op.action)))),
            VALUE_META => numbers(data, ops.iter().map(|op| Some(value_meta(&op.action)))),
            VALUE => ops.iter().for_each(|op| write_value(data, &op.action)),
            PRED_COUNT => numbers(data, ops.iter().map(|op| Some(op.pred.len() as u64))),
            PRED_ACTOR => numbers(data, preds().map(|id| Some(index(id)))),
            _ => write_deltas(data, &preds().map(|id| Some(id.counter)).collect::<Vec<_>>()),
        }
        *length = data.len() - start;
        start = data.len();
    }
    lengths
}

fn numbers(data: &mut Vec<u8>, rows: impl Iterator<Item = Option<u64>>) {
    write_runs(data, &rows.collect::<Vec<_>>(), write_unsigned);
}

fn key_counter(op: &super::Op) -> Option<u64> {
    match &op.key {
        Key::Map(_) => None,
        Key::Head => Some(0),
        Key::After(id) => Some(id.counter),
    }
}

fn key_text(op: &super::Op) -> Option<&str> {
    match &op.key {
        Key::Map(key) => Some(key),
        Key::Head | Key::After(_) => None,
    }
}

fn action_code(action: &Action) -> u64 {
    match action {
        Action::MakeMap => 0,
        Action::Put(_) => 1,
        Action::MakeList => 2,
        Action::Delete => 3,
    }
}

fn value_meta(action: &Action) -> u64 {
    match action {
        Action::Put(Value::Bool(false)) => VALUE_FALSE,
        Action::Put(Value::Bool(true)) => VALUE_TRUE,
        Action::Put(Value::Int(value)) => signed_len(*value) << 4 | VALUE_INT,
        Action::Put(Value::Text(text)) => (text.len() as u64) << 4 | VALUE_TEXT,
        Action::Put(Value::Null) | Action::MakeMap | Action::MakeList | Action::Delete => {
            VALUE_NULL
        }
    }
}

fn write_value(data: &mut Vec<u8>, action: &Action) {
    match action {
        Action::Put(Value::Int(value)) => write_signed(data, *value),
        Action::Put(Value::Text(text)) => data.extend_from_slice(text.as_bytes()),
        _ => {}
    }
}
