//! Entries whose signatures are in order and whose bodies are bombs: changes that would hang or
//! break the document library. They are kept, refused by name, and never reach it.

use xw_ledger::change::{Action, Change, Key, ObjId, Op};
use xw_schemas::hash::plain;
use xw_schemas::id::RecordId;

use crate::pen::{Pen, parcel};
use crate::scene::{GROWTH_MIB, Stage};
use crate::setup::{COUNTY, EAST};

/// Columns of a change by their numbers in the library's storage format.
const KEY_TEXT: u8 = 0x15;
const ACTION: u8 = 0x42;
const VALUE_META: u8 = 0x56;
const PRED_COUNT: u8 = 0x70;

pub(crate) async fn all(stage: &mut Stage) {
    let mut foothold = stage.foothold().await;
    let scene = stage.scene("bombs as bodies");
    let mut tried = Vec::new();
    for (what, make) in BOMBS {
        // A record of its own for each: what follows a refused change would be refused for that.
        let (record, created) = foothold.pen.create();
        let bomb = make(&foothold.pen, record);
        let bytes = bomb.len();
        let signed = foothold.pen.body(record, &bomb);
        let taken = foothold.line.hand_over(&[parcel(&created), parcel(&signed)]).await;
        assert!(taken, "{what}: the door judges no bodies");
        tried.push((what, bytes, record, signed.entry.id().to_string()));
    }
    for seat in [EAST, COUNTY] {
        for (what, bytes, record, entry) in &tried {
            stage.until_final(seat, *record).await;
            let verdicts = stage.verdicts(seat, &record.to_string()).await;
            let said = verdicts.get(entry).unwrap_or_else(|| panic!("{what}: not kept"));
            assert_eq!(said.verdict, "refused", "{what} ({bytes} bytes): {said:?}");
            let named = said.reason.contains("格式不正确") || said.reason.contains("依据不符");
            assert!(named, "{what}: {said:?}");
            assert_eq!(stage.shown(seat, *record).await["changes"], 1, "{what}");
        }
    }
    let smallest = tried.iter().map(|(_, bytes, ..)| bytes).min().copied().unwrap_or_default();
    let said =
        format!("{} bombs from {smallest} bytes: kept, refused by name, not run", tried.len());
    scene.end(&said, GROWTH_MIB).await;
}

type Bomb = fn(&Pen, RecordId) -> Vec<u8>;

const BOMBS: [(&str, Bomb); 12] = [
    ("2^40 operations in one run", |pen, record| runs(&actor(pen, record), 1 << 40)),
    ("2^62 operations in one run", |pen, record| runs(&actor(pen, record), 1 << 62)),
    ("five million operations in one run", |pen, record| runs(&actor(pen, record), 5_000_000)),
    ("a compressed chunk", |pen, record| chunk(2, &body(&actor(pen, record), 1))),
    ("a whole document", |pen, record| chunk(0, &body(&actor(pen, record), 1))),
    ("a wrong checksum", |pen, record| {
        let mut bytes = runs(&actor(pen, record), 1);
        bytes[4] ^= 1;
        bytes
    }),
    ("five thousand nested maps", |pen, record| nested(pen, record, 4_000)),
    ("a counter at its end", |pen, record| {
        bent(pen, record, |c| c.start_op = u64::from(u32::MAX) - 1)
    }),
    ("a counter far ahead", |pen, record| bent(pen, record, |c| c.start_op = 1_000_000)),
    ("a gap in the author's numbers", |pen, record| bent(pen, record, |c| c.seq = 5)),
    ("an object that nobody made", |pen, record| {
        bent(pen, record, |c| {
            let ghost = c.op_id(77);
            c.ops[0].obj = ObjId::Op(ghost);
        })
    }),
    ("bytes that are no change", |_, _| vec![0x55; 64 << 10]),
];

fn actor(pen: &Pen, record: RecordId) -> [u8; 16] {
    pen.log.actor(record)
}

/// A chunk of the library's storage format with the right checksum.
fn chunk(kind: u8, body: &[u8]) -> Vec<u8> {
    let mut hashed = vec![kind];
    unsigned(&mut hashed, body.len() as u64);
    hashed.extend(body);
    let checksum = plain(&[&hashed]);
    [&[0x85, 0x6f, 0x4a, 0x83], &checksum[..4], &hashed[..]].concat()
}

/// A change of so many equal operations, told in four runs.
fn runs(actor: &[u8; 16], count: u64) -> Vec<u8> {
    chunk(1, &body(actor, count))
}

fn body(actor: &[u8; 16], count: u64) -> Vec<u8> {
    let mut body = vec![0, 16];
    body.extend(actor);
    // Second change of its author, after some operations, at 2026-11-18, without a message or
    // other authors.
    body.extend([2, 40]);
    signed(&mut body, 1_795_000_000);
    body.extend([0, 0]);
    let run = |value: &[u8]| {
        let mut column = Vec::new();
        signed(&mut column, i64::try_from(count).unwrap_or(i64::MAX));
        column.extend(value);
        column
    };
    let columns = [
        (KEY_TEXT, run(&[1, b'a'])),
        (ACTION, run(&[1])),
        (VALUE_META, run(&[0])),
        (PRED_COUNT, run(&[0])),
    ];
    body.push(columns.len() as u8);
    for (spec, data) in &columns {
        unsigned(&mut body, u64::from(*spec));
        unsigned(&mut body, data.len() as u64);
    }
    columns.iter().for_each(|(_, data)| body.extend(data));
    body
}

/// An honest change of the record, bent in one place.
fn bent(pen: &Pen, record: RecordId, bend: fn(&mut Change)) -> Vec<u8> {
    let honest = pen.clone().edit(record, "诚实");
    let body = honest.body.expect("a change has a body");
    let mut change = Change::decode(body.change()).expect("our own change");
    bend(&mut change);
    change.encode()
}

/// Maps in maps, each made inside the one before.
fn nested(pen: &Pen, record: RecordId, levels: usize) -> Vec<u8> {
    let honest = pen.clone().edit(record, "诚实");
    let body = honest.body.expect("a change has a body");
    let mut change = Change::decode(body.change()).expect("our own change");
    let inside = |at: usize, change: &Change| match at.checked_sub(1) {
        None => ObjId::Root,
        Some(above) => ObjId::Op(change.op_id(above)),
    };
    change.ops = (0..levels)
        .map(|at| Op {
            obj: inside(at, &change),
            key: Key::Map("a".to_owned()),
            insert: false,
            action: Action::MakeMap,
            pred: Vec::new(),
        })
        .collect();
    change.encode()
}

/// LEB128, unsigned.
fn unsigned(out: &mut Vec<u8>, mut value: u64) {
    while value >= 0x80 {
        out.push(value as u8 | 0x80);
        value >>= 7;
    }
    out.push(value as u8);
}

/// LEB128, signed; only for values that are not negative.
fn signed(out: &mut Vec<u8>, value: i64) {
    let mut value = value.unsigned_abs();
    while value >= 0x40 {
        out.push(value as u8 | 0x80);
        value >>= 7;
    }
    out.push(value as u8);
}
