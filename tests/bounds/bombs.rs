//! Run counts and packings that stand for far more than they weigh, at every power of two: refused
//! at once, and cheaply (threats.md T33).

use std::time::Duration;

use xw_ledger::change::{Change, OPS_MAX};
use xw_schemas::limits::ENTRIES_UNPACKED_MAX;
use xw_schemas::wire::PackedEntries;

use crate::chunks::runs;
use crate::meter::{Before, alone, time_of};
use crate::packings::exploding;

/// A bomb is refused within this time.
const PROMPT: Duration = Duration::from_millis(1);

/// Memory by which all bombs of a kind may make the process grow.
const GROWTH_KIB_MAX: u64 = 8 << 10;

#[test]
fn operations_by_every_power_of_two() {
    let _alone = alone();
    let (before, mut slowest) = (Before::now(), Duration::ZERO);
    for power in 0..63 {
        for count in [1_u64 << power, (1 << power) + 1, (1 << (power + 1)) - 1] {
            let bytes = runs(&[7; 16], count);
            let sound = Change::decode(&bytes).is_ok();
            assert!(
                !sound || count <= OPS_MAX as u64,
                "{count} operations in {} bytes",
                bytes.len()
            );
            if !sound {
                slowest = slowest.max(time_of(|| drop(Change::decode(&bytes))));
            }
        }
    }
    let grown = before.grown();
    println!("189 run counts up to 2^63: slowest {} µs, +{grown} KiB", slowest.as_micros());
    assert!(slowest <= PROMPT && grown <= GROWTH_KIB_MAX, "{slowest:?}, {grown} KiB");
}

#[test]
fn packings_by_every_power_of_two() {
    let _alone = alone();
    let (before, mut slowest) = (Before::now(), Duration::ZERO);
    // From 128 KiB to 4 GiB, each in blocks of four bytes.
    for power in 0..16 {
        let packed = exploding(1 << power);
        for unpacked in [0, 1, 64 << 10, ENTRIES_UNPACKED_MAX as u64 + 1, 1 << 40, u64::MAX] {
            let bomb = PackedEntries { unpacked, packed: packed.clone() };
            assert!(bomb.unpack().is_err(), "{unpacked} bytes from 2^{power} blocks");
            slowest = slowest.max(time_of(|| drop(bomb.unpack())));
        }
        // As much as is allowed may be unpacked, and no byte more.
        let bomb = PackedEntries { unpacked: ENTRIES_UNPACKED_MAX as u64, packed };
        assert!(bomb.unpack().is_err(), "2^{power} blocks");
    }
    let grown = before.grown();
    println!("96 packings up to 4 GiB: slowest {} µs, +{grown} KiB", slowest.as_micros());
    assert!(slowest <= PROMPT && grown <= GROWTH_KIB_MAX, "{slowest:?}, {grown} KiB");
}
