//! How much the document library makes of a change, counted without it: it believes every run length.

/// Whether the library can be shown the change without hanging: it believes every run length.
pub(crate) fn expands_modestly(bytes: &[u8]) -> bool {
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
