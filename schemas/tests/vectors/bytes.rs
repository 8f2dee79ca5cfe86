//! Entries whose meaning is right and whose bytes are not the one deterministic form.

use super::case::Case;
use super::entries::refuse;
use super::world::{node, node_core, seal, sealed, sig_structure, witness_core};

pub(crate) fn cases() -> Vec<Case> {
    [cores(), envelopes()].concat()
}

/// The core with the bytes at `at` exchanged, signed as it then stands.
fn respelt(at: usize, old: &[u8], new: &[u8]) -> Vec<u8> {
    let core = node_core().encode();
    let rest = core[at..].strip_prefix(old).expect("the old bytes stand there");
    seal(&[&core[..at], new, rest].concat(), &node(), None)
}

fn cores() -> Vec<Case> {
    let core = node_core().encode();
    // 0 head, 1 version, 2 network, 36 suite, 37 log, 71 number, 72 previous, 106 root, 140 seen,
    // 141 time, 150 operation, 167 republished entry, 168 person, 169 statement
    let statement = 169;
    let (long, kind) = ("Cbor(NotShortest)", "Cbor(WrongType)");
    let size = "Cbor(WrongLength)";
    let record_type = core.windows(4).position(|bytes| bytes == b"\x63SVC").expect("it is an SVC");
    let endless = [&[0x9f][..], &core[1..], &[0xff]].concat();
    let mut pins_head = witness_core(vec![]).encode();
    pins_head.pop();
    pins_head.extend([0x99, 0x01, 0x01]);
    let zeros = |count: usize| vec![0; count];
    vec![
        refuse("a version in two bytes", long, respelt(1, &[1], &[0x18, 1])),
        refuse("a length in three bytes", long, respelt(2, &[0x58, 32], &[0x59, 0, 32])),
        refuse("a number in three bytes", long, respelt(71, &[1], &[0x19, 0, 1])),
        refuse("a number in nine bytes", long, respelt(71, &[1], &[0x1b, 0, 0, 0, 0, 0, 0, 0, 1])),
        refuse("an unused form of a number", long, respelt(71, &[1], &[0x1c])),
        refuse("an array without length", long, seal(&endless, &node(), None)),
        refuse("a byte string without length", long, respelt(2, &[0x58, 32], &[0x5f, 0x58, 32])),
        refuse("a negative number", kind, respelt(71, &[1], &[0x20])),
        refuse("a float", kind, respelt(71, &[1], &[0xf9, 0x3c, 0])),
        refuse("a text for bytes", kind, respelt(2, &[0x58, 32], &[0x78, 32])),
        refuse("undefined for null", kind, respelt(140, &[0xf6], &[0xf7])),
        refuse("a tagged number", kind, respelt(141, &[0x1b], &[0xc1, 0x1b])),
        refuse(
            "an id of 31 bytes",
            size,
            respelt(140, &[0xf6], &[&[0x58, 31][..], &zeros(31)].concat()),
        ),
        refuse(
            "an id of 33 bytes",
            size,
            respelt(140, &[0xf6], &[&[0x58, 33][..], &zeros(33)].concat()),
        ),
        refuse("a core of twelve items", size, respelt(0, &[0x8d], &[0x8c])),
        refuse("a core of fourteen items", size, respelt(0, &[0x8d], &[0x8e])),
        refuse("a map for an array", kind, respelt(0, &[0x8d], &[0xad])),
        refuse(
            "a text that is not UTF-8",
            "Cbor(NotUtf8)",
            respelt(record_type, b"\x63SVC", b"\x63SV\xff"),
        ),
        refuse(
            "a byte behind the core",
            "Cbor(Trailing)",
            seal(&[&core[..], &[0]].concat(), &node(), None),
        ),
        refuse("a core cut short", "Cbor(Truncated)", seal(&core[..core.len() - 1], &node(), None)),
        refuse("an empty core", "Cbor(Truncated)", seal(&[], &node(), None)),
        refuse("version 2", "UnknownVersion", respelt(1, &[1], &[2])),
        refuse("suite 2", "UnknownVersion", respelt(36, &[1], &[2])),
        refuse(
            "a statement of kind 5",
            "UnknownStatement",
            respelt(statement, &[0x86, 1], &[0x86, 5]),
        ),
        refuse(
            "an erasure with six items",
            "UnknownStatement",
            respelt(statement, &[0x86, 1], &[0x86, 3]),
        ),
        refuse(
            "a receipt of an erasure with six items",
            "UnknownStatement",
            respelt(statement, &[0x86, 1], &[0x86, 4]),
        ),
        refuse(
            "a republished entry of 16 bytes",
            size,
            respelt(167, &[0xf6], &[&[0x50][..], &zeros(16)].concat()),
        ),
        refuse("undefined for no republished entry", kind, respelt(167, &[0xf6], &[0xf7])),
        refuse(
            "a change with five items",
            "UnknownStatement",
            respelt(statement, &[0x86, 1], &[0x85, 1]),
        ),
        refuse("a statement with seven items", size, respelt(statement, &[0x86, 1], &[0x87, 1])),
        refuse("257 pins", size, seal(&pins_head, &node(), None)),
        refuse("a division of eleven digits", "Cbor(OutOfRange)", opening_with(true, 1)),
        refuse("audience 3", "Cbor(OutOfRange)", opening_with(false, 3)),
    ]
}

/// An opening whose division is ten thousand million, a digit short, or whose audience is another.
fn opening_with(short_division: bool, audience: u8) -> Vec<u8> {
    let mut core = super::world::open_core().encode();
    // 169 head of the statement, 170 kind, 171 node, 205 division, 214 audience
    if short_division {
        core[206..214].copy_from_slice(&10_000_000_000_u64.to_be_bytes());
    }
    core[214] = audience;
    seal(&core, &node(), None)
}

fn envelopes() -> Vec<Case> {
    let good = sealed(&node_core());
    let (kind, size, range) = ("Cbor(WrongType)", "Cbor(WrongLength)", "Cbor(OutOfRange)");
    let payload = node_core().encode();
    let with_heads = |protected: &[u8], unprotected: &[u8]| {
        [&[0x84][..], protected, unprotected, &good[3..]].concat()
    };
    let header = [&[0xa2, 0x01, 0x32, 0x04, 0x58, 0x20][..], &node().public().0].concat();
    // The last item: array of three, header, map, signature.
    let signature = node().sign_raw(&sig_structure("xiangwang/node/1", &node().public(), &payload));
    let tail = 1 + 2 + header.len() + 1 + 2 + 64;
    let front = &good[..good.len() - tail];
    let signed = |header: &[u8], unprotected: &[u8], signature: &[u8]| {
        let length = header.len() as u8;
        let head = if length < 24 { vec![0x40 | length] } else { vec![0x58, length] };
        let signature = [&[0x58, signature.len() as u8][..], signature].concat();
        [front, &[0x83], &head, header, unprotected, &signature].concat()
    };
    assert_eq!(signed(&header, &[0xa0], &signature), good, "the parts make up the envelope");
    let other_order = [&[0xa2, 0x04, 0x58, 0x20][..], &node().public().0, &[0x01, 0x32]].concat();
    let eddsa = [&[0xa2, 0x01, 0x27, 0x04, 0x58, 0x20][..], &node().public().0].concat();
    let longer = [&[0xa2, 0x01, 0x38, 0x12, 0x04, 0x58, 0x20][..], &node().public().0].concat();
    let padded = |name: &str, fault: &str, length: u64| {
        refuse(name, fault, good.clone()).with("padded_to", length)
    };
    vec![
        refuse("a byte behind the envelope", "Cbor(Trailing)", [&good[..], &[0]].concat()),
        refuse("an envelope cut short", "Cbor(Truncated)", good[..good.len() - 1].to_vec()),
        refuse("no bytes at all", "Cbor(Truncated)", vec![]),
        refuse("an envelope with its CBOR tag", kind, [&[0xd8, 98][..], &good].concat()),
        refuse(
            "a COSE_Sign1 of the same core",
            kind,
            [&[0x84, 0x40, 0xa0][..], &good[3..front.len() - 1], &[0x58, 64], &signature].concat(),
        ),
        refuse("a protected header of the body", size, with_heads(&[0x41, 0xa0], &[0xa0])),
        refuse("an unprotected header of the body", size, with_heads(&[0x40], &[0xa1, 1, 2])),
        refuse(
            "an unprotected header of a signature",
            size,
            signed(&header, &[0xa1, 1, 2], &signature),
        ),
        refuse("a signature of 63 bytes", size, signed(&header, &[0xa0], &signature[1..])),
        refuse("the older algorithm number EdDSA", range, signed(&eddsa, &[0xa0], &signature)),
        refuse("a header in another order", range, signed(&other_order, &[0xa0], &signature)),
        refuse("a header with a longer number", size, signed(&longer, &[0xa0], &signature)),
        refuse("an empty header", range, signed(&[], &[0xa0], &signature)),
        padded("an envelope longer than any may be", "TooLong", 66_561),
        padded("an envelope as long as any may be, the rest zeros", "Cbor(Trailing)", 66_560),
        padded("an envelope ten times as long", "TooLong", 665_600),
    ]
}
