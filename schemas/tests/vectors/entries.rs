//! Entries: the valid ones, and one for every rule that a core, its signatures or its body can
//! break. What is wrong with the bytes as CBOR stands in `bytes`.

use xw_schemas::cose::{self, CoseSignature, Purpose, SecretKey};
use xw_schemas::entry::{Core, ErasureGround, Opening, Pin, Statement};
use xw_schemas::id::{EntryId, LogId, NetworkId};
use xw_schemas::limits::{SEQUENCE_MAX, TIME_MS_MAX, TIME_MS_MIN};
use xw_schemas::space::{Audience, Space};

use super::case::Case;
use super::world::{
    body, change_core, change_statement, division, erase_core, erased_core, network, node,
    node_core, open_core, opening, other_node, person, pin, pin_by, seal, sealed, sig_structure,
    witness_core,
};

pub(crate) fn cases() -> Vec<Case> {
    [valid(), cores(), openings(), pins(), republications(), erasures(), signers(), bodies()]
        .concat()
}

pub(crate) fn given(case: Case, envelope: Vec<u8>) -> Case {
    case.with("envelope", envelope).with("network", network().0)
}

pub(crate) fn accept(name: &str, envelope: Vec<u8>) -> Case {
    given(Case::valid("entry", name), envelope)
}

pub(crate) fn refuse(name: &str, fault: &str, envelope: Vec<u8>) -> Case {
    given(Case::refused("entry", name, fault), envelope)
}

fn valid() -> Vec<Case> {
    let successor = Opening { successor_of: Some(EntryId([0x77; 32])), ..opening() };
    let succeeding = Core {
        person: Some(person().public()),
        statement: Statement::Open(successor),
        ..open_core()
    };
    let with_body = accept("a change by a person, with its body", sealed(&change_core()));
    let seen = Some(EntryId([0x66; 32]));
    vec![
        accept("an opening", sealed(&open_core())),
        accept("an opening by a person, after an older log", sealed(&succeeding)),
        with_body.with("body", body().bytes()),
        accept("a change by a person, sealed: without its body", sealed(&change_core())),
        accept("a change by the node alone", sealed(&node_core())),
        accept("a change that names the newest witness", sealed(&Core { seen, ..change_core() })),
        accept("a witness of one log", sealed(&witness_core(vec![pin(1)]))),
        accept("a witness of three logs", sealed(&witness_core(vec![pin(1), pin(2), pin(9)]))),
        accept("a change said again in a new incarnation", sealed(&again(change_core()))),
        accept("an erasure because the purpose is reached", sealed(&erase_core(FIRST_GROUND))),
        accept("an erasure because of another law", sealed(&erase_core(LAST_GROUND))),
        accept("an erasure said again", sealed(&again(erase_core(FIRST_GROUND)))),
        accept("a receipt of an erasure", sealed(&erased_core([1, 2]))),
        accept("the earliest time", sealed(&timed(TIME_MS_MIN))),
        accept("the latest time", sealed(&timed(TIME_MS_MAX))),
        accept("the highest number", sealed(&Core { sequence: SEQUENCE_MAX, ..node_core() })),
    ]
}

const FIRST_GROUND: ErasureGround = ErasureGround::PurposeEnded;
const LAST_GROUND: ErasureGround = ErasureGround::OtherLaw;

/// The same, as the republication of an entry of an older log.
fn again(core: Core) -> Core {
    Core { republishes: Some(EntryId([0x55; 32])), ..core }
}

fn timed(claimed_time_ms: u64) -> Core {
    Core { claimed_time_ms, ..node_core() }
}

fn cores() -> Vec<Case> {
    let range = "Cbor(OutOfRange)";
    let typed = |record_type: &str| Core {
        statement: Statement::Change(xw_schemas::entry::ChangeStatement {
            record_type: record_type.to_owned(),
            ..change_statement(&body())
        }),
        ..node_core()
    };
    let long = Core {
        statement: Statement::Change(xw_schemas::entry::ChangeStatement {
            length: (64 << 10) + 1,
            ..change_statement(&body())
        }),
        ..node_core()
    };
    let foreign = Core { network: NetworkId([9; 32]), ..node_core() };
    vec![
        refuse("a time before 2000", range, sealed(&timed(TIME_MS_MIN - 1))),
        refuse("a time after 2200", range, sealed(&timed(TIME_MS_MAX + 1))),
        refuse(
            "a number above 2^32",
            range,
            sealed(&Core { sequence: SEQUENCE_MAX + 1, ..node_core() }),
        ),
        refuse("a change longer than 64 KiB", range, sealed(&long)),
        refuse("an empty record type", range, sealed(&typed(""))),
        refuse("a record type in small letters", range, sealed(&typed("svc"))),
        refuse("a record type with a line end", range, sealed(&typed("SVC\n"))),
        refuse(
            "a record type of 17 letters",
            "Cbor(WrongLength)",
            sealed(&typed("ABCDEFGHIJKLMNOPQ")),
        ),
        refuse("an entry of another network", "OtherNetwork", sealed(&foreign)),
    ]
}

fn openings() -> Vec<Case> {
    let opens = |opening| Core { statement: Statement::Open(opening), ..open_core() };
    let bad = |name: &str, core: Core| refuse(name, "BadOpening", sealed(&core));
    let elsewhere = Space { division: division(130_599_202_000), audience: Audience::Township };
    let at_zero = |core: Core| Core { sequence: 0, ..core };
    vec![
        bad("an opening that is not the first", Core { sequence: 1, ..open_core() }),
        bad(
            "an opening with something before it",
            Core { previous: EntryId([1; 32]), ..open_core() },
        ),
        bad("an opening over a root that is not empty", Core { root: [0; 32], ..open_core() }),
        bad("an opening of another log id", Core { log: LogId([1; 32]), ..open_core() }),
        bad(
            "an opening whose log id is of another space",
            opens(Opening { space: elsewhere, ..opening() }),
        ),
        bad("a change as the first of a log", at_zero(change_core())),
        bad("a witness as the first of a log", at_zero(witness_core(vec![pin(1)]))),
        bad("an erasure as the first of a log", at_zero(erase_core(FIRST_GROUND))),
        bad("a receipt of an erasure as the first of a log", at_zero(erased_core([1, 2]))),
        bad("an opening said again", again(open_core())),
    ]
}

fn pins() -> Vec<Case> {
    let bad = |name: &str, pins: Vec<Pin>| refuse(name, "BadPins", sealed(&witness_core(pins)));
    let forged =
        |name: &str, pin: Pin| refuse(name, "BadSignature", sealed(&witness_core(vec![pin])));
    let foreign = NetworkId([9; 32]);
    vec![
        bad("a witness without pins", vec![]),
        bad("pins out of order", vec![pin(2), pin(1)]),
        bad("one log pinned twice", vec![pin(1), pin(1)]),
        bad("a pin on an empty prefix", vec![Pin { size: 0, ..pin(1) }]),
        forged("a pin with a bigger size than was cosigned", Pin { size: 2, ..pin(1) }),
        forged("a pin with another root than was cosigned", Pin { root: [0; 32], ..pin(1) }),
        forged("a pin with another time than was cosigned", Pin { time_s: 1, ..pin(1) }),
        forged("a pin on another log than was cosigned", Pin { log: LogId([2; 32]), ..pin(1) }),
        forged("a pin cosigned by another witness", pin_by(&other_node(), network(), 1)),
        forged("a pin cosigned in another network", pin_by(&node(), foreign, 1)),
        refuse(
            "a witness with a person",
            "Signers",
            sealed(&Core { person: Some(person().public()), ..witness_core(vec![pin(1)]) }),
        ),
    ]
}

fn republications() -> Vec<Case> {
    let bad = |name: &str, core: Core| refuse(name, "BadRepublication", sealed(&again(core)));
    let by_person = Core { person: Some(person().public()), ..witness_core(vec![pin(1)]) };
    vec![
        bad("a witness said again", witness_core(vec![pin(1)])),
        bad("a change by the node alone, said again", node_core()),
        bad("a receipt of an erasure said again", erased_core([1, 2])),
        refuse("a witness with a person, said again", "Signers", sealed(&again(by_person))),
    ]
}

fn erasures() -> Vec<Case> {
    let range = "Cbor(OutOfRange)";
    // The ground is the last byte of the core.
    let grounded = |number: u8| {
        let mut core = erase_core(FIRST_GROUND).encode();
        *core.last_mut().expect("a core has bytes") = number;
        seal(&core, &node(), Some(&person()))
    };
    let typed = |record_type: &str| Core {
        statement: Statement::Erase(xw_schemas::entry::Erasure {
            record: super::world::record(),
            record_type: record_type.to_owned(),
            ground: FIRST_GROUND,
        }),
        ..erase_core(FIRST_GROUND)
    };
    let signers = |name: &str, core: Core| refuse(name, "Signers", sealed(&core));
    let receipt = |name: &str, because| refuse(name, "BadReceipt", sealed(&erased_core(because)));
    vec![
        refuse("a ground of erasure with number 0", range, grounded(0)),
        refuse("a ground of erasure with number 6", range, grounded(6)),
        refuse("an erasure of a type in small letters", range, sealed(&typed("svc"))),
        refuse("an erasure of no type", range, sealed(&typed(""))),
        signers("an erasure without a person", Core { person: None, ..erase_core(FIRST_GROUND) }),
        signers(
            "a receipt of an erasure with a person",
            Core { person: Some(person().public()), ..erased_core([1, 2]) },
        ),
        receipt("a receipt whose entries do not ascend", [2, 1]),
        receipt("a receipt that names one entry twice", [1, 1]),
    ]
}

fn signers() -> Vec<Case> {
    let payload = change_core().encode();
    let payload = payload.as_slice();
    let make = |key: &SecretKey, purpose, named| CoseSignature::make(key, purpose, payload, named);
    let by_node = make(&node(), Purpose::Node, true);
    let by_person = make(&person(), Purpose::Person, false);
    let with = |signatures: &[CoseSignature]| cose::encode(payload, signatures);
    let alone = node_core().encode();
    let extra = CoseSignature::make(&person(), Purpose::Person, &alone, false);
    let other = CoseSignature::make(&node(), Purpose::Node, b"another core", true);
    let misnamed =
        CoseSignature { key: Some(node().public()), ..make(&other_node(), Purpose::Node, true) };
    let named =
        |name: &str, signatures: &[CoseSignature]| refuse(name, "Signers", with(signatures));
    let forged =
        |name: &str, signatures: &[CoseSignature]| refuse(name, "BadSignature", with(signatures));
    vec![
        named("no signature", &[]),
        named("the person's signature stripped", &[by_node]),
        named("the node's signature stripped", &[by_person]),
        named("one signature too many", &[by_node, by_person, by_person]),
        named("the two signatures in the wrong order", &[by_person, by_node]),
        named(
            "the node's signature without its key",
            &[make(&node(), Purpose::Node, false), by_person],
        ),
        named(
            "the person's signature with a key",
            &[by_node, make(&person(), Purpose::Person, true)],
        ),
        refuse(
            "a person's signature where none is named",
            "Signers",
            cose::encode(
                &alone,
                &[CoseSignature::make(&node(), Purpose::Node, &alone, true), extra],
            ),
        ),
        refuse(
            "an opening signed by another node",
            "Signers",
            seal(&open_core().encode(), &other_node(), None),
        ),
        forged(
            "the person signs for the purpose of a node",
            &[by_node, make(&person(), Purpose::Node, false)],
        ),
        forged(
            "the node signs for the purpose of a person",
            &[make(&node(), Purpose::Person, true), by_person],
        ),
        forged(
            "the node signs for the purpose of root",
            &[make(&node(), Purpose::Root, true), by_person],
        ),
        forged(
            "the node signs for the purpose of a registrar",
            &[make(&node(), Purpose::Registrar, true), by_person],
        ),
        forged(
            "the node signs for the purpose of a newcomer",
            &[make(&node(), Purpose::Joining, true), by_person],
        ),
        forged(
            "the node signs for the purpose of a statement",
            &[make(&node(), Purpose::Statement, true), by_person],
        ),
        forged("another person signs", &[by_node, make(&other_node(), Purpose::Person, false)]),
        forged("the node's signature is of another core", &[other, by_person]),
        forged("another node signs under this node's key", &[misnamed, by_person]),
        forged(
            "a signature without purpose",
            &[
                CoseSignature {
                    signature: node().sign_raw(&sig_structure("", &node().public(), payload)),
                    ..by_node
                },
                by_person,
            ],
        ),
        forged(
            "a signature over the bare core",
            &[CoseSignature { signature: node().sign_raw(payload), ..by_node }, by_person],
        ),
    ]
}

fn bodies() -> Vec<Case> {
    let (bytes, envelope) = (body().bytes().to_vec(), sealed(&change_core()));
    let bad =
        |name: &str, body: Vec<u8>| refuse(name, "BadBody", envelope.clone()).with("body", body);
    let mut flipped = bytes.clone();
    let mut other_salt = bytes.clone();
    *flipped.last_mut().expect("a body has bytes") ^= 1;
    other_salt[0] ^= 1;
    let short = xw_schemas::entry::ChangeStatement { length: 1, ..change_statement(&body()) };
    let short = Core { statement: Statement::Change(short), ..change_core() };
    let wrong_length = refuse("a body of another length than signed", "BadBody", sealed(&short));
    let witness =
        refuse("a body where none belongs", "BadBody", sealed(&witness_core(vec![pin(1)])));
    let erasure = refuse("a body for an erasure", "BadBody", sealed(&erase_core(FIRST_GROUND)));
    let receipt = refuse("a body for a receipt", "BadBody", sealed(&erased_core([1, 2])));
    vec![
        erasure.with("body", bytes.clone()),
        receipt.with("body", bytes.clone()),
        bad("one bit of the body", flipped),
        bad("another salt", other_salt),
        bad("a body cut short", bytes[..bytes.len() - 1].to_vec()),
        bad("a body with a byte too many", [&bytes[..], &[0]].concat()),
        bad("a body shorter than a salt", bytes[..15].to_vec()),
        wrong_length.with("body", bytes.clone()),
        witness.with("body", bytes),
    ]
}
