//! Entries whose signatures are in order and whose bodies are bombs: changes that would hang or
//! break the document library. They are kept, refused by name, and never reach it.

use xw_ledger::change::{Action, Change, Key, ObjId, Op};
use xw_schemas::id::RecordId;

use crate::chunks::{body, chunk, runs};
use crate::pen::{Pen, parcel};
use crate::scene::{GROWTH_MIB, Stage};
use crate::setup::{COUNTY, EAST};

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
