//! Bytes that are nothing in particular.

use proptest::prelude::*;
use sha2::{Digest, Sha256};
use xw_ledger::change::{Change, ChangeFault};

/// A chunk with the right magic, checksum and length around any body.
pub(crate) fn chunk(kind: u8, body: &[u8]) -> Vec<u8> {
    let mut out = vec![0x85, 0x6f, 0x4a, 0x83, 0, 0, 0, 0, kind];
    unsigned(&mut out, body.len() as u64);
    out.extend_from_slice(body);
    let hash = Sha256::digest(&out[8..]);
    out[4..8].copy_from_slice(&hash[..4]);
    out
}

/// The body of a chunk.
pub(crate) fn body(chunk: &[u8]) -> Vec<u8> {
    let behind = chunk[9..].iter().position(|byte| byte & 0x80 == 0).unwrap();
    chunk[9 + behind + 1..].to_vec()
}

pub(crate) fn unsigned(out: &mut Vec<u8>, mut value: u64) {
    while value >= 0x80 {
        out.push(value as u8 | 0x80);
        value >>= 7;
    }
    out.push(value as u8);
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 20_000, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn arbitrary_bytes_never_panic(bytes in prop::collection::vec(any::<u8>(), 0..400)) {
        prop_assert!(Change::decode(&bytes).is_err());
    }

    #[test]
    fn arbitrary_bodies_never_panic(bytes in prop::collection::vec(any::<u8>(), 0..400)) {
        if let Ok(change) = Change::decode(&chunk(1, &bytes)) {
            prop_assert_eq!(change.encode(), chunk(1, &bytes));
        }
    }

    /// The front is right, so that the columns are reached.
    #[test]
    fn arbitrary_columns_never_panic(columns in prop::collection::vec((0..12_usize, prop::collection::vec(small(), 0..12)), 0..10)) {
        const SPECS: [u8; 12] = [1, 2, 17, 19, 21, 52, 66, 86, 87, 112, 113, 115];
        let mut columns = columns;
        columns.sort_by_key(|(spec, _)| *spec);
        columns.dedup_by_key(|(spec, _)| *spec);
        let mut body = vec![0, 16];
        body.extend([7; 16]);
        body.extend([1, 1, 0, 0, 0, columns.len() as u8]);
        for (spec, data) in &columns {
            unsigned(&mut body, u64::from(SPECS[*spec]));
            unsigned(&mut body, data.len() as u64);
        }
        columns.iter().for_each(|(_, data)| body.extend(data));
        if let Ok(change) = Change::decode(&chunk(1, &body)) {
            prop_assert_eq!(change.encode(), chunk(1, &body));
        }
    }
}

/// Bytes that mean something in columns.
fn small() -> impl Strategy<Value = u8> {
    prop_oneof![
        0..4_u8,
        Just(0x7f),
        Just(0x7e),
        Just(0x80),
        Just(0xff),
        Just(0x16),
        Just(b'a'),
        any::<u8>()
    ]
}

#[test]
fn every_shortening_of_a_change_is_refused() {
    let story = super::world::play(
        1,
        &[super::world::Step::Commit {
            author: 0,
            edits: vec![super::world::Touch::Insert { map: 0, list: 0, at: 0, fields: 5 }],
        }],
    );
    let bytes = story.changes[0].raw_bytes();
    assert!(Change::decode(bytes).is_ok());
    for length in 0..bytes.len() {
        assert!(Change::decode(&bytes[..length]).is_err(), "{length}");
        let shorter = chunk(1, &body(bytes)[..length.min(body(bytes).len() - 1)]);
        assert!(Change::decode(&shorter).is_err(), "{length}");
    }
    let mut longer = bytes.to_vec();
    longer.push(0);
    assert_eq!(Change::decode(&longer), Err(ChangeFault::Length));
}
