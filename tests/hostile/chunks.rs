//! The document library's storage format, written by hand: changes that no author makes.

use xw_schemas::hash::plain;

/// Columns of a change by their numbers in the library's storage format.
const KEY_TEXT: u8 = 0x15;
const ACTION: u8 = 0x42;
const VALUE_META: u8 = 0x56;
const PRED_COUNT: u8 = 0x70;

/// A chunk of the library's storage format with the right checksum.
pub(crate) fn chunk(kind: u8, body: &[u8]) -> Vec<u8> {
    let mut hashed = vec![kind];
    unsigned(&mut hashed, body.len() as u64);
    hashed.extend(body);
    let checksum = plain(&[&hashed]);
    [&[0x85, 0x6f, 0x4a, 0x83], &checksum[..4], &hashed[..]].concat()
}

/// A change of so many equal operations, told in four runs.
pub(crate) fn runs(actor: &[u8; 16], count: u64) -> Vec<u8> {
    chunk(1, &body(actor, count))
}

/// What such a chunk contains.
pub(crate) fn body(actor: &[u8; 16], count: u64) -> Vec<u8> {
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
