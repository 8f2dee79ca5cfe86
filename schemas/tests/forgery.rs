//! What was signed once, for one thing, by one key, counts for nothing else: every byte of fifty
//! entries, every key in every other's place, every signature over every other payload, and the
//! signatures that others have collected (threats.md T13, T15).

#![expect(clippy::unwrap_used, reason = "what a test makes itself is there")]

use std::sync::LazyLock;

use proptest::strategy::{Strategy as _, ValueTree as _};
use proptest::test_runner::TestRunner;
use xw_schemas::checkpoint::Checkpoint;
use xw_schemas::cose::{self, CoseSignature, Purpose, SecretKey, SoundKey, verify_raw};
use xw_schemas::edition::{Edition, EditionCore, OfficeId, Scope};
use xw_schemas::entry::{Core, EntryFault, RawEntry, Statement};
use xw_schemas::id::{LogId, NetworkId, PublicKey, unhex};
use xw_schemas::limits::{CORE_BYTES_MAX, EDITION_BYTES_MAX};

#[path = "formats/anything.rs"]
#[expect(dead_code, reason = "made for other tests; some of it serves here")]
mod anything;
#[expect(dead_code, reason = "made for the vectors; some of it serves here")]
#[path = "vectors/world.rs"]
mod world;

/// Entries of which every byte is tried.
const SAMPLES: usize = 50;

const PURPOSES: [Purpose; 6] = [
    Purpose::Node,
    Purpose::Person,
    Purpose::Root,
    Purpose::Registrar,
    Purpose::Joining,
    Purpose::Statement,
];

fn verify(envelope: &[u8]) -> Result<(), EntryFault> {
    // Founding a county takes longer than verifying an entry.
    static NETWORK: LazyLock<NetworkId> = LazyLock::new(world::network);
    RawEntry::decode(envelope.to_vec())?.verify(*NETWORK).map(drop)
}

/// Envelopes of fifty different entries of every kind, soundly signed; always the same ones.
fn samples() -> Vec<Vec<u8>> {
    let mut runner = TestRunner::deterministic();
    let mut samples = Vec::new();
    while samples.len() < SAMPLES {
        let drawn = anything::core().new_tree(&mut runner).unwrap().current();
        let envelope = world::sealed(&at_home(drawn, samples.len()));
        assert_eq!(verify(&envelope), Ok(()));
        samples.push(envelope);
    }
    samples
}

/// The core as the township of the vectors would say it.
fn at_home(mut core: Core, number: usize) -> Core {
    core.network = world::network();
    core.person = core.person.map(|_| world::person().public());
    match &mut core.statement {
        Statement::Open(opening) => {
            opening.node = world::node().public();
            core.log = LogId::of(core.network, opening.node, opening.space, opening.incarnation);
        }
        Statement::Witness(pins) => {
            let number = u8::try_from(number).unwrap();
            *pins = vec![world::pin(number + 1), world::pin(number + 2)];
        }
        Statement::Change(_) | Statement::Erase(_) | Statement::Erased(_) => {}
    }
    core
}

#[test]
fn every_byte_of_fifty_entries_is_signed() {
    let mut tried = 0;
    for envelope in samples() {
        for at in 0..envelope.len() {
            let mut changed = envelope.clone();
            changed[at] ^= 1 << (at % 8);
            assert!(verify(&changed).is_err(), "byte {at} of {}", envelope.len());
            tried += 1;
        }
    }
    println!("{tried} entries with one byte changed, none taken");
}

#[test]
fn a_key_signs_in_no_other_key_s_place() {
    let keys = [
        world::node(),
        world::person(),
        world::other_node(),
        world::invite(),
        world::newcomer(0),
        world::roots().remove(0),
    ];
    let core = world::change_core();
    let payload = core.encode();
    let mut taken = 0;
    for (by_node, as_node) in pairs(&keys) {
        for (by_person, as_person) in pairs(&keys) {
            let node = CoseSignature {
                key: Some(as_node.public()),
                ..CoseSignature::make(by_node, Purpose::Node, &payload, true)
            };
            let named = Core { person: Some(as_person.public()), ..core.clone() };
            let person = CoseSignature::make(by_person, Purpose::Person, &named.encode(), false);
            let node = if named.person == core.person {
                node
            } else {
                CoseSignature {
                    key: node.key,
                    ..CoseSignature::make(by_node, Purpose::Node, &named.encode(), true)
                }
            };
            let envelope = cose::encode(&named.encode(), &[node, person]);
            let sound =
                by_node.public() == as_node.public() && by_person.public() == as_person.public();
            assert_eq!(verify(&envelope).is_ok(), sound);
            taken += usize::from(sound);
        }
    }
    // Who may be whose person is the roster's matter; here every key stands for itself alone.
    assert_eq!(taken, keys.len() * keys.len());
}

fn pairs(keys: &[SecretKey]) -> impl Iterator<Item = (&SecretKey, &SecretKey)> {
    keys.iter().flat_map(move |by| keys.iter().map(move |named| (by, named)))
}

#[test]
fn a_signature_serves_one_purpose() {
    let secret = world::node();
    let key = SoundKey::of(&secret.public()).unwrap();
    for (made, used) in PURPOSES.iter().flat_map(|made| PURPOSES.iter().map(move |u| (*made, *u))) {
        for named in [true, false] {
            let signature = CoseSignature::make(&secret, made, b"payload", named);
            assert_eq!(signature.verifies(&key, used, b"payload"), made == used);
            // The header that says whether the key is named is signed, too.
            let renamed = CoseSignature {
                key: if named { None } else { Some(secret.public()) },
                ..signature
            };
            assert!(!renamed.verifies(&key, used, b"payload"));
        }
    }
}

#[test]
fn the_signatures_of_an_entry_fit_no_other() {
    let samples = samples();
    let parts: Vec<_> =
        samples.iter().map(|bytes| cose::decode(bytes, CORE_BYTES_MAX).unwrap()).collect();
    for (at, (payload, _)) in parts.iter().enumerate() {
        for (other, (_, signatures)) in parts.iter().enumerate() {
            let envelope = cose::encode(payload, signatures);
            assert_eq!(verify(&envelope).is_ok(), at == other, "{other} over {at}");
        }
    }
}

#[test]
fn an_entry_of_another_network_is_refused_there() {
    for envelope in samples() {
        let raw = RawEntry::decode(envelope).unwrap();
        assert_eq!(raw.verify(NetworkId([3; 32])).err(), Some(EntryFault::OtherNetwork));
    }
}

/// Editions that differ in one thing each: none is signed by another's signatures.
#[test]
fn the_signatures_of_an_edition_fit_no_other() {
    let facts = &world::founding_core().facts;
    let first = EditionCore { facts: facts[1..3].to_vec(), ..world::invitation_core() };
    let root = EditionCore { scope: Scope::Root, number: 2, ..first.clone() };
    let term = |office, term| Scope::Registrar { office: OfficeId(office), term };
    let cores = [
        root.clone(),
        EditionCore { number: 3, ..root.clone() },
        EditionCore { previous: world::founding().id(), ..root.clone() },
        EditionCore { claimed_time_ms: world::DAY_MS, ..root.clone() },
        EditionCore { network: Some(NetworkId([3; 32])), ..root.clone() },
        EditionCore { facts: facts[1..2].to_vec(), ..root },
        first.clone(),
        EditionCore { scope: term(2, 1), ..first.clone() },
        EditionCore { scope: term(1, 2), ..first },
    ];
    let editions = cores.map(|core| Edition::sign(&core, &[world::person()]).unwrap());
    for (at, edition) in editions.iter().enumerate() {
        let (payload, _) = cose::decode(edition.bytes(), EDITION_BYTES_MAX).unwrap();
        for (other, donor) in editions.iter().enumerate() {
            let (_, signatures) = cose::decode(donor.bytes(), EDITION_BYTES_MAX).unwrap();
            let moved = Edition::decode(cose::encode(payload, &signatures));
            assert_eq!(moved.is_ok(), at == other, "signatures of {other} over {at}");
        }
    }
}

#[test]
fn a_checkpoint_and_a_pin_hold_for_their_log_witness_and_network_alone() {
    let checkpoint =
        Checkpoint { network: world::network(), log: world::log(), size: 6, root: [5; 32] };
    let note = checkpoint.sign(&world::node());
    for (network, key, sound) in [
        (world::network(), world::node().public(), true),
        (NetworkId([3; 32]), world::node().public(), false),
        (world::network(), world::other_node().public(), false),
    ] {
        assert_eq!(Checkpoint::open(&note, network, &key).is_ok(), sound);
    }
    let pin = world::pin(4);
    let of = |pin| verify(&world::sealed(&world::witness_core(vec![pin])));
    assert_eq!(of(pin.clone()), Ok(()));
    let moved = [
        xw_schemas::entry::Pin { log: LogId([9; 32]), ..pin.clone() },
        xw_schemas::entry::Pin { size: pin.size + 1, ..pin.clone() },
        xw_schemas::entry::Pin { root: [9; 32], ..pin.clone() },
        xw_schemas::entry::Pin { time_s: pin.time_s + 1, ..pin },
        world::pin_by(&world::other_node(), world::network(), 4),
        world::pin_by(&world::node(), NetworkId([3; 32]), 4),
    ];
    for pin in moved {
        assert!(of(pin.clone()).is_err(), "{pin:?}");
    }
}

/// The vectors of Project Wycheproof: edge cases on which libraries have been found wrong.
#[test]
fn the_collected_signatures_of_others_are_judged_as_they_say() {
    let lines =
        include_str!("wycheproof-ed25519.txt").lines().filter(|line| !line.starts_with('#'));
    let bytes = |text: &str| if text == "-" { Vec::new() } else { unhex(text).unwrap() };
    let (mut valid, mut invalid) = (0, 0);
    for line in lines {
        let parts: Vec<&str> = line.split(' ').collect();
        let [_, verdict, key, signature, message] = parts[..] else { panic!("{line}") };
        let key = PublicKey(bytes(key).try_into().unwrap());
        let signature = <[u8; 64]>::try_from(bytes(signature));
        let ours = signature.is_ok_and(|it| verify_raw(&key, &bytes(message), &it));
        assert_eq!(ours, verdict == "valid", "{line}");
        *(if ours { &mut valid } else { &mut invalid }) += 1;
    }
    println!("Wycheproof: {valid} valid and {invalid} invalid signatures judged alike");
    assert!(valid > 50 && invalid > 50);
}
