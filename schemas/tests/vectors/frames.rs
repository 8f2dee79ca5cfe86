//! Frames: one of every kind, and what makes a receiver hang up.

use xw_schemas::cbor::Writer;
use xw_schemas::id::{CopyId, EntryId, LogId};
use xw_schemas::limits::{BLOB_CHUNK_BYTES, EDITION_BYTES_MAX, FRAME_BYTES_MAX, SEQUENCE_MAX};
use xw_schemas::wire::{BlobChunk, Digests, Frame, Have, Hello, PackedEntries};

use super::case::Case;
use super::world::{
    body, change_core, division, founding, network, open_core, pin, sealed, witness_core,
};

pub(crate) fn cases() -> Vec<Case> {
    [valid(), refused(), packings()].concat()
}

fn accept(name: &str, frame: &Frame) -> Case {
    Case::valid("frame", name).with("frame", frame.encode())
}

fn refuse(name: &str, fault: &str, bytes: impl Into<Vec<u8>>) -> Case {
    Case::refused("frame", name, fault).with("frame", bytes.into())
}

fn hello() -> Frame {
    Frame::Hello(Hello {
        network: network(),
        roster_number: 1,
        roster: founding().id(),
        editions: 1,
        digest: [8; 32],
    })
}

fn blob(offset: u64, total: u64, bytes: &[u8]) -> Frame {
    Frame::Blob(BlobChunk { hash: [1; 32], offset, total, bytes: bytes.to_vec() })
}

fn valid() -> Vec<Case> {
    let (town, village) = (division(130_599_201_000), division(130_599_201_203));
    let (log, entry) = (LogId([1; 32]), EntryId([2; 32]));
    let have =
        |divisions, answer| Frame::Have(Have { divisions, tips: vec![(log, 5, entry)], answer });
    let digests = Digests { groups: vec![town], items: vec![(village, [3; 32])] };
    let bye = Frame::Bye { reason: "restarting".to_owned(), retry_after_ms: 5_000 };
    vec![
        accept("hello", &hello()),
        accept("want editions from a place on", &Frame::WantEditions { from: 3 }),
        accept("want blob", &Frame::WantBlob { hash: [1; 32], offset: 100 }),
        accept("blob", &blob(2, 5, &[1, 2, 3])),
        accept("digests", &Frame::Digests(digests)),
        accept("have of one division, with the wish for an answer", &have(Some(vec![town]), true)),
        accept("have of everything, without", &have(None, false)),
        accept("locate", &Frame::Locate { log }),
        accept("known", &Frame::Known { log, points: vec![(9, entry), (4, entry)] }),
        accept("ack", &Frame::Ack { bytes: 70_000 }),
        accept("bye", &bye),
        accept("editions", &Frame::Editions(vec![founding().copy_id(), CopyId([2; 32])])),
    ]
}

fn refused() -> Vec<Case> {
    let hello = hello().encode();
    let mut version = hello.clone();
    version[2] = 2;
    let padded = |name: &str, fault: &str, length: u64| {
        refuse(name, fault, hello.clone()).with("padded_to", length)
    };
    let (range, size) = ("Cbor(OutOfRange)", "Cbor(WrongLength)");
    let list = |kind: u64, count: usize, rest: &[u8]| {
        let mut w = Writer::new();
        w.array(2).uint(kind).array(count);
        [w.into_bytes(), rest.to_vec()].concat()
    };
    let above = SEQUENCE_MAX + 1;
    let whole = EDITION_BYTES_MAX as u64;
    let too_long = Frame::Bye { reason: "a".repeat(201), retry_after_ms: 0 };
    let mut answer = Frame::Have(Have { divisions: None, tips: vec![], answer: true }).encode();
    *answer.last_mut().expect("a frame has bytes") = 2;
    let mut groups = Writer::new();
    groups.array(3).uint(4).array(1_025);
    vec![
        refuse("no bytes at all", "Cbor(Truncated)", []),
        refuse("another version", "UnknownVersion", version),
        refuse("an unknown kind", "UnknownKind", [0x82, 12, 0]),
        refuse("a known kind with another number of items", "UnknownKind", [0x83, 9, 0, 0]),
        refuse("eight items", size, [0x88, 0]),
        refuse("a byte behind the frame", "Cbor(Trailing)", [&hello[..], &[0]].concat()),
        refuse("a kind in two bytes", "Cbor(NotShortest)", [0x82, 0x18, 9, 0]),
        padded("a frame longer than any may be", "TooLong", FRAME_BYTES_MAX as u64 + 1),
        padded(
            "a frame as long as any may be, the rest zeros",
            "Cbor(Trailing)",
            FRAME_BYTES_MAX as u64,
        ),
        refuse(
            "editions from beyond the highest place",
            range,
            Frame::WantEditions { from: above }.encode(),
        ),
        refuse("a piece that ends behind the whole", range, blob(3, 5, &[1, 2, 3]).encode()),
        refuse("a whole larger than any may be", range, blob(0, whole + 1, &[1]).encode()),
        refuse("a piece at the end of all numbers", range, blob(u64::MAX, whole, &[1]).encode()),
        refuse("a piece too large", size, blob(0, whole, &vec![0; BLOB_CHUNK_BYTES + 1]).encode()),
        refuse("257 editions", size, list(11, 257, &[])),
        refuse("1,025 groups", size, groups.into_bytes()),
        refuse(
            "a count of 2^64 - 1",
            size,
            [0x82, 11, 0x9b, 255, 255, 255, 255, 255, 255, 255, 255],
        ),
        refuse(
            "more editions claimed than sent",
            "Cbor(Truncated)",
            list(11, 2, &[&[0x58, 32][..], &[0; 32]].concat()),
        ),
        refuse("a wish that is neither yes nor no", range, answer),
        refuse("a farewell of 201 bytes", size, too_long.encode()),
    ]
}

/// A zstd frame of one raw block, written by hand: the bytes of a compressor change with its
/// version, these never do.
fn stored(plain: &[u8]) -> Vec<u8> {
    let length = u32::try_from(plain.len()).expect("the lists of the vectors are short");
    let magic = [0x28, 0xb5, 0x2f, 0xfd];
    let block = (length << 3 | 1).to_le_bytes();
    // Single segment, content size in four bytes, no checksum, no dictionary.
    [&magic[..], &[0xa0], &length.to_le_bytes(), &block[..3], plain].concat()
}

fn packings() -> Vec<Case> {
    let (open, change) = (sealed(&open_core()), sealed(&change_core()));
    let body = body().bytes().to_vec();
    let list = |parcels: &[(&[u8], Option<&[u8]>)]| {
        let mut w = Writer::new();
        w.array(parcels.len());
        for (envelope, body) in parcels {
            w.array(2).bytes(envelope).optional(*body);
        }
        w.into_bytes()
    };
    let frame = |unpacked: usize, packed: Vec<u8>| {
        Frame::Entries(PackedEntries { unpacked: unpacked as u64, packed })
    };
    let stored_list = |plain: &[u8]| frame(plain.len(), stored(plain));
    let good = list(&[(&open, None), (&change, Some(&body))]);
    let mut flipped = body.clone();
    flipped[20] ^= 1;
    let mut head = Writer::new();
    head.array(513);
    let witness = sealed(&witness_core(vec![pin(1)]));
    let bad = |name: &str, fault: &str, frame: &Frame| refuse(name, fault, frame.encode());
    vec![
        accept("entries: an opening, and a change with its body", &stored_list(&good)),
        accept("entries: a change without its body", &stored_list(&list(&[(&change, None)]))),
        accept("entries: none", &stored_list(&list(&[]))),
        bad(
            "a list that is longer than announced",
            "BadPacking",
            &frame(good.len() - 1, stored(&good)),
        ),
        bad(
            "a list that is shorter than announced",
            "BadPacking",
            &frame(good.len() + 1, stored(&good)),
        ),
        bad("a list that is not packed", "BadPacking", &frame(good.len(), good.clone())),
        bad(
            "a list announced above its limit",
            "Cbor(OutOfRange)",
            &frame((512 << 10) + 1, stored(&good)),
        ),
        bad("513 entries", "Cbor(WrongLength)", &stored_list(&head.into_bytes())),
        bad("a byte behind the list", "Cbor(Trailing)", &stored_list(&[&good[..], &[0]].concat())),
        bad(
            "an entry cut short",
            "Entry(Cbor(Truncated))",
            &stored_list(&list(&[(&open[..open.len() - 1], None)])),
        ),
        bad(
            "one bit of a body",
            "Entry(BadBody)",
            &stored_list(&list(&[(&change, Some(&flipped))])),
        ),
        bad(
            "a body shorter than a salt",
            "Entry(BadBody)",
            &stored_list(&list(&[(&change, Some(&body[..15]))])),
        ),
        bad(
            "a body for a witness",
            "Entry(BadBody)",
            &stored_list(&list(&[(&witness, Some(&body))])),
        ),
    ]
}
