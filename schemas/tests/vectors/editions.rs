//! Roster editions: their bytes, and the chain as far as root keys decide it.

use xw_schemas::cose::{self, CoseSignature, Purpose, SecretKey};
use xw_schemas::edition::{Edition, EditionCore, Fact, OfficeId, Scope, SignerKind};
use xw_schemas::id::{EditionId, EntryId, LogId, NetworkId, PublicKey};

use super::case::Case;
use super::craft::Crafted;
use super::world::{
    DAY_MS, division, founding, founding_core, log, network, node, other_node, person, roots,
};

pub(crate) fn cases() -> Vec<Case> {
    [valid(), signatures(), facts(), heads(), chains()].concat()
}

pub(crate) fn accept(name: &str, edition: &[u8]) -> Case {
    Case::valid("edition", name).with("edition", edition)
}

pub(crate) fn refuse(name: &str, fault: &str, edition: Vec<u8>) -> Case {
    Case::refused("edition", name, fault).with("edition", edition)
}

/// Signed in the right way whatever stands in it.
pub(crate) fn sealed(core: &EditionCore, keys: &[SecretKey]) -> Vec<u8> {
    seal(&core.encode(), keys)
}

pub(crate) fn seal(payload: &[u8], keys: &[SecretKey]) -> Vec<u8> {
    let sign = |key| CoseSignature::make(key, Purpose::Root, payload, true);
    cose::encode(payload, &keys.iter().map(sign).collect::<Vec<_>>())
}

/// The second edition: the facts that the founding one does not show.
pub(crate) fn second() -> EditionCore {
    EditionCore {
        scope: Scope::Root,
        network: Some(network()),
        number: 2,
        previous: founding().id(),
        claimed_time_ms: DAY_MS + 1,
        facts: vec![
            Fact::Rules { version: 1 },
            Fact::Place { division: division(130_599_201_203), name: "柳河村".to_owned() },
            Fact::Office {
                office: OfficeId(u32::MAX),
                division: division(130_599_201_203),
                name: "柳河村村民委员会".to_owned(),
            },
            Fact::Cut {
                key: person().public(),
                kept: vec![(log(), 3, EntryId([3; 32])), (LogId([0xff; 32]), 0, EntryId([4; 32]))],
            },
            Fact::Registrar {
                office: OfficeId(1),
                term: 1,
                threshold: 1,
                role: "T_REGISTRAR".to_owned(),
                closes: None,
            },
            Fact::invite(
                &other_node(),
                Scope::Root,
                OfficeId(u32::MAX),
                Some("村委会一号机".to_owned()),
                vec![("王秀兰".to_owned(), vec!["V_CLERK".to_owned()])],
            ),
            Fact::Adjudicate { log: log(), number: 3, entry: EntryId([3; 32]) },
            Fact::Adopt { log: log(), number: 4, entry: EntryId([4; 32]) },
            Fact::Recover { rejected: vec![EditionId([5; 32]), EditionId([6; 32])] },
        ],
    }
}

fn valid() -> Vec<Case> {
    vec![
        accept("the founding edition, signed by two of three", founding().bytes()),
        accept("the founding edition, signed by all", &sealed(&founding_core(), &roots())),
        accept("an edition that one key has signed so far", &sealed(&second(), &roots()[..1])),
        accept("an edition that nobody has signed", &sealed(&second(), &[])),
        accept(
            "a second edition with a cut and all that root alone says",
            &sealed(&second(), &roots()[1..]),
        ),
        accept(
            "a root edition with number 1 that is not the founding one",
            &sealed(&EditionCore { number: 1, ..second() }, &roots()[..2]),
        ),
    ]
}

fn signatures() -> Vec<Case> {
    let payload = second().encode();
    let make = |purpose, named| CoseSignature::make(&roots()[0], purpose, &payload, named);
    let good = make(Purpose::Root, true);
    let small = CoseSignature { key: Some(Crafted::small(0).public), signature: [0; 64] };
    let forged = |name: &str, signatures: &[CoseSignature]| {
        refuse(name, "BadSignature", cose::encode(&payload, signatures))
    };
    let reversed: Vec<SecretKey> = roots().into_iter().rev().collect();
    let mut flipped = good;
    flipped.signature[5] ^= 1;
    vec![
        forged("one root key signs twice", &[good, good]),
        refuse("signatures that do not ascend", "BadSignature", sealed(&second(), &reversed)),
        forged("a signature without its key", &[make(Purpose::Root, false)]),
        forged("a signature for the purpose of a node", &[make(Purpose::Node, true)]),
        forged("a root edition signed as a registrar", &[make(Purpose::Registrar, true)]),
        forged("a root edition signed as a newcomer", &[make(Purpose::Joining, true)]),
        forged("a root edition signed as a statement", &[make(Purpose::Statement, true)]),
        forged("one bit of a signature", &[flipped]),
        forged("a signature of a key of small order", &[small]),
        refuse("17 signatures", "Cbor(WrongLength)", {
            let mut bytes = sealed(&second(), &[]);
            bytes.pop();
            [bytes, vec![0x91]].concat()
        }),
        refuse("a byte behind the edition", "Cbor(Trailing)", [founding().bytes(), &[0]].concat()),
    ]
}

fn facts() -> Vec<Case> {
    let keys: Vec<PublicKey> = roots().iter().map(SecretKey::public).collect();
    let with = |fact| sealed(&EditionCore { facts: vec![fact], ..second() }, &roots()[..2]);
    let root = |threshold, keys: &[PublicKey]| with(Fact::Root { threshold, keys: keys.to_vec() });
    let bad_root = |name: &str, edition| refuse(name, "BadRoot", edition);
    let signer = |key: PublicKey, name: &str, roles: Vec<String>| {
        let kind = SignerKind::Person;
        with(Fact::Signer { key, kind, office: OfficeId(1), name: name.to_owned(), roles })
    };
    let cut = |logs: [u8; 2]| {
        let kept = logs.map(|log| (LogId([log; 32]), 1, EntryId([1; 32]))).to_vec();
        with(Fact::Cut { key: node().public(), kept })
    };
    // The same bytes with one byte exchanged, signed anew: what the types cannot say.
    let spoilt = |fact: Fact, old: &[u8], new: &[u8]| {
        let payload = EditionCore { facts: vec![fact], ..second() }.encode();
        let at = payload.windows(old.len()).rposition(|bytes| bytes == old).expect("it is there");
        seal(&[&payload[..at], new, &payload[at + old.len()..]].concat(), &roots()[..2])
    };
    let place = || Fact::Place { division: division(130_599_201_203), name: "村".to_owned() };
    let office = || Fact::Office {
        office: OfficeId(u32::MAX),
        division: division(130_599_201_203),
        name: "村".to_owned(),
    };
    let person = || Fact::Signer {
        key: person().public(),
        kind: SignerKind::Person,
        office: OfficeId(1),
        name: "李明".to_owned(),
        roles: vec![],
    };
    let (range, size) = ("Cbor(OutOfRange)", "Cbor(WrongLength)");
    let name_head = [&[1, 1][..], &[0x66], "李明".as_bytes()].concat();
    let kind_two = [&[2, 1][..], &[0x66], "李明".as_bytes()].concat();
    vec![
        bad_root("root keys that do not ascend", root(2, &[keys[1], keys[0], keys[2]])),
        bad_root("one root key twice", root(1, &[keys[0], keys[0]])),
        bad_root("no root keys", root(1, &[])),
        bad_root("a threshold of nothing", root(0, &keys)),
        bad_root("a threshold above the keys", root(4, &keys)),
        refuse("a threshold above 16", range, root(17, &keys)),
        refuse("a root key of small order", "WeakKey", root(1, &[Crafted::small(1).public])),
        refuse(
            "a signer's key of small order",
            "WeakKey",
            signer(Crafted::small(0).public, "李明", vec![]),
        ),
        refuse("a name of 121 bytes", size, signer(node().public(), &"a".repeat(121), vec![])),
        refuse("a role of 17 letters", size, signer(node().public(), "李明", vec!["R".repeat(17)])),
        refuse("17 roles", size, signer(node().public(), "李明", vec!["R".to_owned(); 17])),
        bad_root("a cut whose logs do not ascend", cut([2, 1])),
        bad_root("a cut that lists a log twice", cut([1, 1])),
        refuse(
            "a fact of an unknown kind",
            range,
            spoilt(place(), &[0x83, 2, 0x1b], &[0x83, 13, 0x1b]),
        ),
        refuse(
            "a fact with seven items",
            size,
            spoilt(place(), &[0x83, 2, 0x1b], &[0x87, 2, 0x1b]),
        ),
        refuse(
            "a fact with an item too many",
            range,
            spoilt(place(), &[0x83, 2, 0x1b], &[0x84, 2, 0x1b]),
        ),
        refuse(
            "an office number above 32 bits",
            range,
            spoilt(office(), &[0x1a, 255, 255, 255, 255], &[0x1b, 0, 0, 0, 1, 0, 0, 0, 0]),
        ),
        refuse("a signer neither node nor person", range, spoilt(person(), &name_head, &kind_two)),
    ]
}

fn heads() -> Vec<Case> {
    let (range, keys) = ("Cbor(OutOfRange)", roots());
    let bad = |name: &str, core: EditionCore| refuse(name, range, sealed(&core, &keys[..2]));
    let mut version = second().encode();
    version[1] = 2;
    vec![
        refuse("version 2", "UnknownVersion", seal(&version, &keys[..2])),
        bad("an edition with number 0", EditionCore { number: 0, ..second() }),
        bad(
            "a founding edition that names a network",
            EditionCore { network: Some(network()), ..founding_core() },
        ),
        bad("a later edition that names none", EditionCore { network: None, ..second() }),
        bad("a time before 2000", EditionCore { claimed_time_ms: 1, ..second() }),
        bad("a time after 2200", EditionCore { claimed_time_ms: 1 << 43, ..second() }),
    ]
}

fn chains() -> Vec<Case> {
    let first = founding().bytes().to_vec();
    let keys = roots();
    let given = |case: Case, editions: &[Vec<u8>]| case.with("editions", editions);
    let refuse = |name: &str, fault: &str, editions: &[Vec<u8>]| {
        given(Case::refused("chain", name, fault), editions)
    };
    let new_keys: Vec<SecretKey> = [keys[0].clone(), SecretKey::from_seed(&[14; 32])].to_vec();
    let mut sorted = new_keys.clone();
    sorted.sort_by_key(SecretKey::public);
    let root = Fact::Root { threshold: 2, keys: sorted.iter().map(SecretKey::public).collect() };
    let rekeyed = EditionCore { facts: vec![root], ..second() };
    let by = |core: &EditionCore, keys: &[SecretKey]| {
        Edition::sign(core, keys).expect("the edition is sound").bytes().to_vec()
    };
    let both = [&keys[..2], &new_keys[1..]].concat();
    let third = EditionCore { number: 3, previous: EditionId([3; 32]), ..second() };
    let rootless = EditionCore { facts: vec![Fact::Rules { version: 1 }], ..founding_core() };
    let foreign = EditionCore { network: Some(NetworkId([9; 32])), ..second() };
    let elsewhere = EditionCore { previous: EditionId([3; 32]), ..second() };
    let outsider = [keys[0].clone(), node()];
    let named = |name: &str, core: &EditionCore, keys: &[SecretKey], fault: &str| {
        refuse(name, fault, &[first.clone(), by(core, keys)])
    };
    vec![
        given(
            Case::valid("chain", "the founding edition and the next"),
            &[first.clone(), by(&second(), &keys[..2])],
        ),
        given(
            Case::valid("chain", "new root keys, signed by the old and the new"),
            &[first.clone(), by(&rekeyed, &both)],
        ),
        refuse(
            "a founding edition signed by one of two",
            "Threshold",
            &[by(&founding_core(), &keys[..1])],
        ),
        named("an edition signed by one of two", &second(), &keys[..1], "Threshold"),
        named("an edition that nobody signed", &second(), &[], "Threshold"),
        named(
            "a signature of a key that is no root key does not count",
            &second(),
            &outsider,
            "Threshold",
        ),
        named("new root keys that did not sign", &rekeyed, &keys[..2], "Threshold"),
        named("an edition left out", &third, &keys[..2], "Gap"),
        named("another edition before", &elsewhere, &keys[..2], "Gap"),
        named("an edition of another network", &foreign, &keys[..2], "OtherNetwork"),
        refuse("a chain that begins with the second edition", "Gap", &[by(&second(), &keys[..2])]),
        refuse("a founding edition without root keys", "NoRoot", &[by(&rootless, &keys[..2])]),
    ]
}
