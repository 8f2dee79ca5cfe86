//! Sound bytes, spoilt: what nobody meant and what somebody may send.

use xw_tests::Dice;

/// Bytes that lead decoders astray more often than others.
const TELLING: [u8; 12] = [0, 1, 0x17, 0x18, 0x1b, 0x3b, 0x5b, 0x7f, 0x80, 0x9b, 0xbf, 0xff];

/// Of so many inputs one is noise from end to end.
const NOISE_EVERY: u64 = 16;

/// Longest noise.
const NOISE_BYTES_MAX: u64 = 600;

/// One input: noise, a spoilt sample, or the head of one and the tail of another.
pub(crate) fn spoilt(samples: &[Vec<u8>], dice: &mut Dice) -> Vec<u8> {
    if dice.below(NOISE_EVERY) == 0 {
        let length = dice.below(NOISE_BYTES_MAX);
        return (0..length).map(|_| byte(dice)).collect();
    }
    let mut bytes = dice.pick(samples).expect("there are samples").clone();
    if dice.chance(10) {
        let other = dice.pick(samples).expect("there are samples");
        bytes.truncate(place(&bytes, dice));
        bytes.extend(&other[place(other, dice)..]);
    }
    for _ in 0..1 + dice.below(4) {
        spoil(&mut bytes, dice);
    }
    bytes
}

fn spoil(bytes: &mut Vec<u8>, dice: &mut Dice) {
    if bytes.is_empty() {
        return;
    }
    let at = place(bytes, dice).min(bytes.len() - 1);
    match dice.below(7) {
        0 => bytes[at] ^= 1 << dice.below(8),
        1 => bytes[at] = byte(dice),
        2 => bytes[at] = *dice.pick(&TELLING).expect("there are some"),
        3 => bytes.insert(at, byte(dice)),
        4 => drop(bytes.remove(at)),
        5 => bytes.truncate(at),
        _ => {
            let end = (at + usize::try_from(dice.below(64)).expect("small")).min(bytes.len());
            let piece = bytes[at..end].to_vec();
            bytes.splice(at..at, piece);
        }
    }
}

fn place(bytes: &[u8], dice: &mut Dice) -> usize {
    usize::try_from(dice.below(bytes.len() as u64 + 1)).expect("a place in a short text")
}

fn byte(dice: &mut Dice) -> u8 {
    dice.bits().to_le_bytes()[0]
}
