//! Hostile bytes, each refused for its own reason. None of them costs more than reading its bytes
//! and, at most, 4,096 operations: the limits are asserted, not the time.

use xw_ledger::change::{CHANGE_BYTES_MAX, Change, ChangeFault, OPS_MAX, PREDS_MAX};

use super::bytes::{body, chunk, unsigned};
use super::world::actor;

/// A change in numbers: fixed front, any columns.
fn with_columns(columns: &[(u64, Vec<u8>)]) -> Vec<u8> {
    let mut body = vec![0, 16];
    body.extend(actor(0));
    body.extend([1, 1, 0, 0, 0, columns.len() as u8]);
    for (spec, data) in columns {
        unsigned(&mut body, *spec);
        unsigned(&mut body, data.len() as u64);
    }
    columns.iter().for_each(|(_, data)| body.extend(data));
    chunk(1, &body)
}

/// One operation: `a` = null.
fn one_put() -> Vec<(u64, Vec<u8>)> {
    vec![
        (0x15, vec![0x7f, 1, b'a']),
        (0x34, vec![1]),
        (0x42, vec![0x7f, 1]),
        (0x56, vec![0x7f, 0]),
        (0x70, vec![0x7f, 0]),
    ]
}

/// The same operation claimed `count` times.
fn bomb(count: i64) -> Vec<u8> {
    let run = |value: &[u8]| {
        let mut run = Vec::new();
        signed(&mut run, count);
        run.extend(value);
        run
    };
    let mut flags = Vec::new();
    unsigned(&mut flags, count as u64);
    with_columns(&[
        (0x15, run(&[1, b'a'])),
        (0x34, flags),
        (0x42, run(&[1])),
        (0x56, run(&[0])),
        (0x70, run(&[0])),
    ])
}

fn signed(out: &mut Vec<u8>, mut value: i64) {
    loop {
        let byte = value as u8 & 0x7f;
        value >>= 7;
        if (value == 0 && byte & 0x40 == 0) || (value == -1 && byte & 0x40 != 0) {
            out.push(byte);
            return;
        }
        out.push(byte | 0x80);
    }
}

fn fault(bytes: &[u8]) -> ChangeFault {
    Change::decode(bytes).unwrap_err()
}

#[test]
fn the_plain_template_is_a_change() {
    let change = Change::decode(&with_columns(&one_put())).unwrap();
    assert_eq!(change.ops.len(), 1);
    assert_eq!(change.encode(), with_columns(&one_put()));
}

#[test]
fn runs_that_claim_millions_of_operations_are_refused() {
    for count in [1 << 20, 20_000_000, 1 << 40, i64::MAX] {
        let bytes = bomb(count);
        assert!(bytes.len() < 131);
        assert_eq!(fault(&bytes), ChangeFault::TooManyOps, "{count}");
    }
    let most = OPS_MAX as i64;
    assert_eq!(Change::decode(&bomb(most)).unwrap().ops.len(), OPS_MAX);
    assert_eq!(fault(&bomb(most + 1)), ChangeFault::TooManyOps);
}

#[test]
fn runs_in_any_other_column_are_refused() {
    for (at, spec) in [0x15, 0x34, 0x42, 0x56, 0x70].into_iter().enumerate().filter(|at| at.0 != 2)
    {
        let mut columns = one_put();
        let mut run = Vec::new();
        signed(&mut run, 1 << 40);
        run.extend_from_slice(if spec == 0x15 { &[1, b'a'] } else { &[0] });
        if spec == 0x34 {
            run.clear();
            unsigned(&mut run, 1 << 40);
        }
        columns[at].1 = run;
        assert_eq!(fault(&with_columns(&columns)), ChangeFault::Rows, "{spec:#x}");
    }
    // Predecessors are bounded before room is made for them.
    for count in [PREDS_MAX as u64 + 1, 1 << 40, u64::MAX] {
        let mut columns = one_put();
        let mut counts = vec![0x7f];
        unsigned(&mut counts, count);
        columns[4].1 = counts;
        assert_eq!(fault(&with_columns(&columns)), ChangeFault::TooManyPreds, "{count}");
    }
    // Empty runs without end are read once and lead nowhere.
    let mut columns = one_put();
    columns[2].1 = [0, 0].repeat(20_000);
    assert_eq!(fault(&with_columns(&columns)), ChangeFault::Rows);
}

#[test]
fn chunks_that_are_not_plain_changes_are_refused() {
    let plain = with_columns(&one_put());
    for kind in [0, 2, 3, 255] {
        assert_eq!(fault(&chunk(kind, &body(&plain))), ChangeFault::ChunkType);
    }
    let mut bytes = plain.clone();
    bytes[5] ^= 1;
    assert_eq!(fault(&bytes), ChangeFault::Checksum);
    let mut bytes = plain.clone();
    bytes[0] ^= 1;
    assert_eq!(fault(&bytes), ChangeFault::Magic);
    assert_eq!(fault(&vec![0; CHANGE_BYTES_MAX + 1]), ChangeFault::TooLong);
    assert_eq!(fault(&[]), ChangeFault::CutShort);
    let mut extra = body(&plain);
    extra.push(9);
    assert_eq!(fault(&chunk(1, &extra)), ChangeFault::ExtraBytes);
}

#[test]
fn second_spellings_are_refused() {
    let plain = body(&with_columns(&one_put()));
    // The sequence number in two bytes.
    let mut long = plain;
    long.splice(18..19, [0x81, 0x00]);
    assert_eq!(fault(&chunk(1, &long)), ChangeFault::Number);
    // A run of one instead of a literal of one.
    let mut columns = one_put();
    columns[2].1 = vec![1, 1];
    assert_eq!(fault(&with_columns(&columns)), ChangeFault::NotCanonical);
    // An object column that says nothing.
    let mut columns = one_put();
    columns.insert(0, (0x01, vec![0, 1]));
    columns.insert(1, (0x02, vec![0, 1]));
    assert_eq!(fault(&with_columns(&columns)), ChangeFault::NotCanonical);
    // An empty column.
    let mut columns = one_put();
    columns.insert(4, (0x57, vec![]));
    assert_eq!(fault(&with_columns(&columns)), ChangeFault::NotCanonical);
    // Flags that begin with a run of no trues.
    let mut columns = one_put();
    columns[1].1 = vec![0, 0, 1];
    assert_eq!(fault(&with_columns(&columns)), ChangeFault::NotCanonical);
}

#[test]
fn unknown_columns_and_columns_out_of_order_are_refused() {
    for spec in [0x03, 0x50, 0x94, 0xa5, 0x192, 0x42 | 8] {
        let mut columns = one_put();
        columns.push((spec, vec![0x7f, 5]));
        columns.sort_by_key(|(spec, _)| *spec);
        assert_eq!(fault(&with_columns(&columns)), ChangeFault::Column, "{spec:#x}");
    }
    let mut columns = one_put();
    columns.swap(0, 1);
    assert_eq!(fault(&with_columns(&columns)), ChangeFault::Column);
    let mut columns = one_put();
    columns.insert(1, columns[0].clone());
    assert_eq!(fault(&with_columns(&columns)), ChangeFault::Column);
}

#[test]
fn actors_that_are_wrong_are_refused() {
    let plain = body(&with_columns(&one_put()));
    let with_others = |others: &[&[u8]]| {
        let mut body = plain.clone();
        let mut listed = vec![others.len() as u8];
        others.iter().for_each(|other| {
            listed.push(other.len() as u8);
            listed.extend_from_slice(other);
        });
        body.splice(22..23, listed);
        fault(&chunk(1, &body))
    };
    assert_eq!(with_others(&[&[1; 16]]), ChangeFault::UnusedActor);
    assert_eq!(with_others(&[&[2; 16], &[1; 16]]), ChangeFault::OtherActors);
    assert_eq!(with_others(&[&actor(0)]), ChangeFault::OtherActors);
    assert_eq!(with_others(&[&[1; 15]]), ChangeFault::ActorLength);
    assert_eq!(with_others(&[&[1; 16][..]; 65]), ChangeFault::OtherActors);
    let mut short = plain.clone();
    short.splice(1..18, [3, 1, 2, 3]);
    assert_eq!(fault(&chunk(1, &short)), ChangeFault::ActorLength);
    // The library panics on this one.
    let mut columns = one_put();
    columns[4].1 = vec![0x7f, 1];
    columns.push((0x71, vec![0x7f, 9]));
    columns.push((0x73, vec![0x7f, 1]));
    assert_eq!(fault(&with_columns(&columns)), ChangeFault::ActorIndex);
}
