//! Every limit of the formats at the limit, above it, and at up to a thousand times it. The limits of the ledger and of
//! replication are tested where they apply.

use xw_schemas::cbor::{CborFault, Writer};
use xw_schemas::checkpoint::{Checkpoint, NOTE_BYTES_MAX, NoteFault};
use xw_schemas::cose::SecretKey;
use xw_schemas::edition::{
    Edition, EditionCore, EditionFault, Fact, INVITED_PEOPLE_MAX, OfficeId, Scope,
};
use xw_schemas::entry::{Body, ChangeStatement, Core, EntryFault, Pin, RawEntry, Statement};
use xw_schemas::id::{CopyId, EditionId, EntryId, LogId};
use xw_schemas::limits::{
    BLOB_CHUNK_BYTES, CHANGE_BYTES_MAX, CORE_BYTES_MAX, DIGESTS_MAX, EDITION_BYTES_MAX,
    EDITION_FACTS_MAX, EDITION_INVITES_MAX, ENTRIES_PER_FRAME_MAX, ENTRIES_UNPACKED_MAX,
    ENVELOPE_BYTES_MAX, FRAME_BYTES_MAX, HAVE_TIPS_MAX, ROOT_KEYS_MAX, SALT_BYTES, SEQUENCE_MAX,
    TERM_EDITIONS_MAX, TIME_MS_MAX, TIME_MS_MIN, WITNESS_PINS_MAX,
};
use xw_schemas::wire::{
    BlobChunk, Digests, EDITIONS_LISTED_MAX, Frame, FrameFault, Have, KNOWN_MAX, PackedEntries,
    Parcel,
};

#[expect(dead_code, reason = "made for the vectors; some of it serves here")]
#[path = "vectors/world.rs"]
mod world;

const LENGTH: CborFault = CborFault::WrongLength;
const RANGE: CborFault = CborFault::OutOfRange;

#[test]
fn a_change_has_at_most_64_kib_and_a_salt_has_16_bytes() {
    let body = |change: usize| Body::from_bytes(vec![0; SALT_BYTES + change]);
    assert!(body(0).is_some() && body(CHANGE_BYTES_MAX).is_some());
    assert!(beyond(CHANGE_BYTES_MAX).into_iter().all(|length| body(length).is_none()));
    assert!(Body::from_bytes(vec![0; SALT_BYTES - 1]).is_none());
    let core = |length| Core {
        statement: Statement::Change(ChangeStatement {
            length,
            ..world::change_statement(&world::body())
        }),
        ..world::node_core()
    };
    check_core(core, CHANGE_BYTES_MAX as u64);
}

#[test]
fn a_sequence_number_has_33_bits_at_most() {
    check_core(|sequence| Core { sequence, ..world::node_core() }, SEQUENCE_MAX);
}

#[test]
fn a_claimed_time_lies_between_2000_and_2200() {
    let core = |claimed_time_ms| Core { claimed_time_ms, ..world::node_core() };
    check_core(core, TIME_MS_MAX);
    assert!(Core::decode(&core(TIME_MS_MIN).encode()).is_ok());
    for early in [TIME_MS_MIN - 1, TIME_MS_MIN / 10, 0] {
        assert_eq!(Core::decode(&core(early).encode()), Err(EntryFault::Cbor(RANGE)));
    }
}

#[test]
fn a_witness_pins_at_most_256_logs_and_its_entry_still_fits() {
    let pins = |count: usize| -> Vec<Pin> {
        let log = |number: usize| {
            LogId(std::array::from_fn(|i| if i < 8 { number.to_be_bytes()[i] } else { 1 }))
        };
        let one = |number| {
            let checkpoint = Checkpoint {
                network: world::network(),
                log: log(number),
                size: SEQUENCE_MAX,
                root: [7; 32],
            };
            let time_s = TIME_MS_MAX / 1_000;
            xw_schemas::checkpoint::cosign(&world::node(), &checkpoint, EntryId([8; 32]), time_s)
        };
        (0..count).map(one).collect()
    };
    let full = Core {
        sequence: SEQUENCE_MAX,
        seen: Some(EntryId([9; 32])),
        ..world::witness_core(pins(WITNESS_PINS_MAX))
    };
    assert!(full.encode().len() < CORE_BYTES_MAX);
    let raw = RawEntry::decode(world::sealed(&full)).unwrap();
    assert!(raw.verify(world::network()).is_ok());
    for count in beyond(WITNESS_PINS_MAX) {
        let mut writer = Writer::new();
        let head = world::witness_core(vec![]).encode();
        writer.array(count);
        let core = [&head[..head.len() - 1], &writer.into_bytes()].concat();
        assert_eq!(Core::decode(&core), Err(EntryFault::Cbor(LENGTH)));
    }
}

#[test]
fn cores_and_envelopes_are_measured_before_they_are_read() {
    let core = |length: usize| Core::decode(&vec![0; length]);
    assert_eq!(core(CORE_BYTES_MAX), Err(EntryFault::Cbor(CborFault::WrongType)));
    for length in beyond(CORE_BYTES_MAX) {
        assert_eq!(core(length), Err(EntryFault::TooLong));
    }
    let envelope = |length: usize| RawEntry::decode(vec![0; length]).map(|raw| raw.id());
    assert_eq!(envelope(ENVELOPE_BYTES_MAX), Err(EntryFault::Cbor(CborFault::WrongType)));
    for length in beyond(ENVELOPE_BYTES_MAX) {
        assert_eq!(envelope(length), Err(EntryFault::TooLong));
    }
}

#[test]
fn an_edition_has_at_most_20_000_facts_and_4_mib() {
    let name = "名".repeat(40);
    let edition = |facts: usize| EditionCore {
        facts: vec![
            Fact::Place { division: world::division(130_599_201_203), name: name.clone() };
            facts
        ],
        ..world::founding_core()
    };
    let full = Edition::sign(&edition(EDITION_FACTS_MAX), &world::roots()).unwrap();
    assert_eq!(full.core().facts.len(), EDITION_FACTS_MAX);
    for facts in [EDITION_FACTS_MAX + 1, EDITION_FACTS_MAX * 10] {
        let decoded = EditionCore::decode(&edition(facts).encode());
        assert_eq!(decoded, Err(EditionFault::Cbor(LENGTH)));
    }
    for length in [EDITION_BYTES_MAX + 1, EDITION_BYTES_MAX * 10] {
        assert_eq!(Edition::decode(vec![0; length]), Err(EditionFault::TooLong));
    }
    let at_limit = Edition::decode(vec![0; EDITION_BYTES_MAX]);
    assert_eq!(at_limit, Err(EditionFault::Cbor(CborFault::WrongType)));
    let cut = |logs: u64| {
        let log = |number: u64| {
            LogId(std::array::from_fn(|i| if i < 8 { number.to_be_bytes()[i] } else { 0 }))
        };
        let kept = (0..logs).map(|number| (log(number), 1, EntryId([1; 32]))).collect();
        let facts = vec![Fact::Cut { key: world::node().public(), kept }];
        EditionCore::decode(&EditionCore { facts, ..world::founding_core() }.encode())
    };
    assert!(cut(4_096).is_ok());
    assert_eq!(cut(4_097), Err(EditionFault::Cbor(LENGTH)));
    assert_eq!(cut(40_960), Err(EditionFault::Cbor(LENGTH)));
}

#[test]
fn sixteen_root_keys_and_no_more() {
    let keys = |count: usize| -> Vec<SecretKey> {
        let seed = |number: usize| {
            SecretKey::from_seed(&std::array::from_fn(|i| if i == 0 { number as u8 } else { 9 }))
        };
        let mut keys: Vec<SecretKey> = (0..count).map(seed).collect();
        keys.sort_by_key(SecretKey::public);
        keys
    };
    let edition = |count: usize| {
        let public = keys(count).iter().map(SecretKey::public).collect();
        let facts = vec![Fact::Root { threshold: 1, keys: public }];
        EditionCore { facts, ..world::founding_core() }
    };
    let all = Edition::sign(&edition(ROOT_KEYS_MAX), &keys(ROOT_KEYS_MAX)).unwrap();
    assert_eq!(all.signers().len(), ROOT_KEYS_MAX);
    for count in [ROOT_KEYS_MAX + 1, ROOT_KEYS_MAX * 10] {
        let fault = Err(EditionFault::Cbor(LENGTH));
        assert_eq!(EditionCore::decode(&edition(count).encode()).map(|_| ()), fault);
        let signed = Edition::sign(&edition(1), &keys(count)).map(|_| ());
        assert_eq!(signed, Err(EditionFault::Cbor(LENGTH)));
    }
}

#[test]
fn delegations_count_in_terms_of_33_bits_and_thresholds_of_sixteen() {
    let delegation = |term: u64, threshold: u64, last: u64| {
        let (office, role) = (OfficeId(1), "R".repeat(16));
        let closes = Some((last, EditionId([1; 32])));
        stated(vec![Fact::Registrar { office, term, threshold, role, closes }])
    };
    let threshold = ROOT_KEYS_MAX as u64;
    assert!(delegation(SEQUENCE_MAX, threshold, SEQUENCE_MAX).is_ok());
    for beyond in beyond_number(SEQUENCE_MAX) {
        assert_eq!(delegation(beyond, 1, 1), Err(EditionFault::Cbor(RANGE)));
        assert_eq!(delegation(2, 1, beyond), Err(EditionFault::Cbor(RANGE)));
        let scope = Scope::Registrar { office: OfficeId(1), term: beyond };
        let core = EditionCore { scope, ..world::invitation_core() };
        assert_eq!(EditionCore::decode(&core.encode()), Err(EditionFault::Cbor(RANGE)));
    }
    for beyond in beyond_number(threshold) {
        assert_eq!(delegation(2, beyond, 1), Err(EditionFault::Cbor(RANGE)));
    }
    let role = |letters: usize| {
        let (office, role) = (OfficeId(1), "R".repeat(letters));
        stated(vec![Fact::Registrar { office, term: 1, threshold: 1, role, closes: None }])
    };
    check_facts(role, 16);
}

#[test]
fn eight_people_are_invited_and_no_more_and_all_of_them_can_sign() {
    let person = || ("王秀兰".to_owned(), vec!["R".to_owned()]);
    let invited = |people: Vec<(String, Vec<String>)>| {
        let office = OfficeId(u32::MAX);
        stated(vec![Fact::invite(&world::invite(), Scope::Root, office, None, people)])
    };
    check_facts(|count| invited(vec![person(); count]), INVITED_PEOPLE_MAX);
    check_facts(|count| invited(vec![("王".to_owned(), vec!["R".to_owned(); count])]), 16);
    check_facts(|count| invited(vec![("王".to_owned(), vec!["R".repeat(count)])]), 16);
    check_facts(|count| invited(vec![("a".repeat(count), vec![])]), 120);
    let named = |count: usize| {
        let (key, node) = (world::invite(), Some("a".repeat(count)));
        stated(vec![Fact::invite(&key, Scope::Root, OfficeId(1), node, vec![])])
    };
    check_facts(named, 120);
    let joining = |count: usize| EditionCore {
        facts: vec![Fact::Replace {
            by: None,
            office: OfficeId(1),
            node: Some(world::other_node().public()),
            people: (0..count).map(|at| world::newcomer((at % 200) as u8).public()).collect(),
        }],
        ..world::joining_core()
    };
    check_facts(|count| EditionCore::decode(&joining(count).encode()), INVITED_PEOPLE_MAX);
    let people = (0..INVITED_PEOPLE_MAX as u8).map(world::newcomer);
    let keys: Vec<SecretKey> = people.chain([world::other_node(), world::invite()]).collect();
    let signed = Edition::sign(&joining(INVITED_PEOPLE_MAX), &keys).unwrap();
    assert_eq!(signed.signers().len(), INVITED_PEOPLE_MAX + 2);
}

#[test]
fn an_edition_makes_at_most_1024_invitations() {
    let one = Fact::invite(&world::invite(), Scope::Root, OfficeId(1), Some(String::new()), vec![]);
    check_facts(|count| stated(vec![one.clone(); count]), EDITION_INVITES_MAX);
}

#[test]
fn a_term_of_registrars_has_1024_editions_and_root_has_no_last() {
    let numbered = |scope, number| {
        let previous = EditionId([1; 32]);
        let core = EditionCore { scope, number, previous, ..world::invitation_core() };
        EditionCore::decode(&core.encode()).map(|_| ())
    };
    let term = Scope::Registrar { office: OfficeId(1), term: 1 };
    assert_eq!(numbered(term, TERM_EDITIONS_MAX), Ok(()));
    for beyond in [TERM_EDITIONS_MAX + 1, TERM_EDITIONS_MAX * 10] {
        assert_eq!(numbered(term, beyond), Err(EditionFault::Cbor(RANGE)));
        assert_eq!(numbered(Scope::Root, beyond), Ok(()));
    }
}

#[test]
fn a_recovery_names_at_most_64_rivals() {
    let recovery = |count: usize| {
        let id = |number: usize| {
            EditionId(std::array::from_fn(|i| if i < 8 { number.to_be_bytes()[i] } else { 0 }))
        };
        stated(vec![Fact::Recover { rejected: (0..count).map(id).collect() }])
    };
    check_facts(recovery, 64);
}

#[test]
fn root_decides_for_entries_up_to_the_highest_number() {
    let (log, entry) = (world::log(), EntryId([1; 32]));
    for number in [SEQUENCE_MAX].into_iter().chain(beyond_number(SEQUENCE_MAX)) {
        for fact in [Fact::Adjudicate { log, number, entry }, Fact::Adopt { log, number, entry }] {
            let read = stated(vec![fact]);
            assert_eq!(read.is_ok(), number == SEQUENCE_MAX);
            assert!(read.is_ok() || read == Err(EditionFault::Cbor(RANGE)));
        }
    }
}

#[test]
fn a_frame_is_measured_before_it_is_read() {
    let frame = |length: usize| Frame::decode(&vec![0; length]);
    assert_eq!(frame(FRAME_BYTES_MAX), Err(FrameFault::Cbor(CborFault::WrongType)));
    for length in beyond(FRAME_BYTES_MAX) {
        assert_eq!(frame(length), Err(FrameFault::TooLong));
    }
}

#[test]
fn the_largest_entry_with_its_body_fits_into_a_frame_whatever_it_holds() {
    // Hashes of numbers: nothing that a compressor could shorten.
    let noise = |number: usize| xw_schemas::hash::plain(&[&number.to_be_bytes()]);
    let change: Vec<u8> = (0..CHANGE_BYTES_MAX / 32).flat_map(noise).collect();
    let body = Body::new([1; SALT_BYTES], &change);
    let core = Core {
        sequence: SEQUENCE_MAX,
        seen: Some(EntryId([1; 32])),
        statement: Statement::Change(ChangeStatement {
            record_type: "ABCDEFGHIJKLMNOP".to_owned(),
            ..world::change_statement(&body)
        }),
        ..world::change_core()
    };
    let parcel = Parcel { envelope: world::sealed(&core), body: Some(body.bytes().to_vec()) };
    let frame = Frame::Entries(PackedEntries::pack(&[parcel])).encode();
    assert!(frame.len() <= FRAME_BYTES_MAX, "{} bytes", frame.len());
    let Ok(Frame::Entries(packed)) = Frame::decode(&frame) else { panic!("the frame is read") };
    assert_eq!(packed.unpack().unwrap()[0].1.as_ref(), Some(&body));
}

#[test]
fn packed_entries_are_bounded_in_number_and_in_bytes() {
    let envelope = world::sealed(&world::open_core());
    let unpack = |count: usize| {
        let parcel = Parcel { envelope: envelope.clone(), body: None };
        PackedEntries::pack(&vec![parcel; count]).unpack().map(|entries| entries.len())
    };
    assert_eq!(unpack(ENTRIES_PER_FRAME_MAX), Ok(ENTRIES_PER_FRAME_MAX));
    assert_eq!(unpack(ENTRIES_PER_FRAME_MAX + 1), Err(FrameFault::Cbor(LENGTH)));
    for times in [10, 100] {
        let count = ENTRIES_PER_FRAME_MAX * times;
        assert_eq!(unpack(count), Err(FrameFault::BadPacking), "too many bytes");
    }
    // Zeros are no list, so what is unpacked is refused, and what is too long never gets there.
    let zeros = |length: usize| PackedEntries {
        unpacked: length as u64,
        packed: zstd::bulk::compress(&vec![0; length], 1).unwrap(),
    };
    let at = zeros(ENTRIES_UNPACKED_MAX);
    assert_eq!(at.unpack(), Err(FrameFault::Cbor(CborFault::WrongType)));
    assert!(Frame::decode(&Frame::Entries(at).encode()).is_ok());
    for length in beyond(ENTRIES_UNPACKED_MAX) {
        let beyond = zeros(length);
        assert_eq!(beyond.unpack(), Err(FrameFault::BadPacking));
        let frame = Frame::Entries(beyond).encode();
        assert_eq!(Frame::decode(&frame), Err(FrameFault::Cbor(RANGE)));
    }
}

#[test]
fn lists_in_frames_are_bounded() {
    let division = world::division(130_599_201_203);
    let (log, entry) = (LogId([1; 32]), EntryId([2; 32]));
    let digests = |groups: usize, items: usize| {
        Frame::Digests(Digests {
            groups: vec![division; groups],
            items: vec![(division, [3; 32]); items],
        })
    };
    let have = |divisions: usize, tips: usize| {
        let (divisions, tips) =
            (Some(vec![division; divisions]), vec![(log, SEQUENCE_MAX, entry); tips]);
        Frame::Have(Have { divisions, tips, answer: false })
    };
    check_list(|count| digests(count, DIGESTS_MAX), DIGESTS_MAX);
    check_list(|count| digests(0, count), DIGESTS_MAX);
    check_list(|count| have(count, HAVE_TIPS_MAX), DIGESTS_MAX);
    check_list(|count| have(0, count), HAVE_TIPS_MAX);
    check_list(|count| Frame::Known { log, points: vec![(1, entry); count] }, KNOWN_MAX);
    check_list(|count| Frame::Editions(vec![CopyId([1; 32]); count]), EDITIONS_LISTED_MAX);
    let blob = |count: usize| {
        let total = EDITION_BYTES_MAX as u64;
        Frame::Blob(BlobChunk { hash: [1; 32], offset: 0, total, bytes: vec![0; count] })
    };
    check_list(blob, BLOB_CHUNK_BYTES);
    let bye = |count: usize| Frame::Bye { reason: "a".repeat(count), retry_after_ms: 0 };
    check_list(bye, 200);
}

#[test]
fn numbers_in_frames_are_bounded() {
    for from in [SEQUENCE_MAX, SEQUENCE_MAX + 1, SEQUENCE_MAX * 10, u64::MAX] {
        let fits = Frame::decode(&Frame::WantEditions { from }.encode()).is_ok();
        assert_eq!(fits, from <= SEQUENCE_MAX);
    }
    let whole = EDITION_BYTES_MAX as u64;
    for offset in [whole, whole + 1, whole * 10, u64::MAX] {
        let want = Frame::WantBlob { hash: [1; 32], offset };
        assert_eq!(Frame::decode(&want.encode()).is_ok(), offset <= whole);
        let piece = Frame::Blob(BlobChunk { hash: [1; 32], offset, total: whole, bytes: vec![] });
        assert_eq!(Frame::decode(&piece.encode()).is_ok(), offset <= whole);
    }
}

#[test]
fn a_note_has_at_most_4_kib() {
    let (network, log) = (world::network(), world::log());
    let checkpoint = Checkpoint { network, log, size: 6, root: [5; 32] };
    let note = checkpoint.sign(&world::node());
    let padded = |length: usize| {
        let line = "— example.org/log ";
        let rest = length - note.len() - line.len() - 1;
        assert_eq!(rest % 4, 0, "base64 comes in fours");
        format!("{note}{line}{}\n", "A".repeat(rest))
    };
    let open = |note: &str| Checkpoint::open(note, network, &world::node().public());
    // The longest note whose padding is a multiple of four.
    let at_limit = (NOTE_BYTES_MAX - 3..=NOTE_BYTES_MAX)
        .find(|length| (length - note.len() - "— example.org/log ".len() - 1).is_multiple_of(4))
        .unwrap();
    assert_eq!(open(&padded(at_limit)), Ok(checkpoint));
    assert_eq!(open(&padded(at_limit + 4)), Err(NoteFault::Form));
    assert_eq!(open(&padded(at_limit + 4 * NOTE_BYTES_MAX * 10)), Err(NoteFault::Form));
}

/// Just above a limit, and ten, a hundred and a thousand times it.
fn beyond(max: usize) -> [usize; 4] {
    [max + 1, max * 10, max * 100, max * 1_000]
}

/// The same of a number.
fn beyond_number(max: u64) -> [u64; 4] {
    [max + 1, max * 10, max * 100, max * 1_000]
}

/// A number in a core: taken at the limit, refused above it and up to a thousand times it.
fn check_core(core: impl Fn(u64) -> Core, max: u64) {
    assert!(Core::decode(&core(max).encode()).is_ok());
    for beyond in beyond_number(max) {
        assert_eq!(Core::decode(&core(beyond).encode()), Err(EntryFault::Cbor(RANGE)));
    }
}

/// An edition of root that states these facts.
fn stated(facts: Vec<Fact>) -> Result<EditionCore, EditionFault> {
    EditionCore::decode(&EditionCore { facts, ..world::founding_core() }.encode())
}

/// A list or text in an edition: taken at the limit, refused above it and up to a thousand times it.
fn check_facts(read: impl Fn(usize) -> Result<EditionCore, EditionFault>, max: usize) {
    assert!(read(max).is_ok(), "{max}");
    for beyond in beyond(max) {
        assert_eq!(read(beyond), Err(EditionFault::Cbor(LENGTH)));
    }
}

/// A list in a frame: taken at the limit, refused above it and up to a thousand times it.
fn check_list(frame: impl Fn(usize) -> Frame, max: usize) {
    assert!(Frame::decode(&frame(max).encode()).is_ok(), "{max}");
    assert_eq!(Frame::decode(&frame(max + 1).encode()), Err(FrameFault::Cbor(LENGTH)));
    for count in beyond(max) {
        let far = Frame::decode(&frame(count).encode());
        assert!(matches!(far, Err(FrameFault::Cbor(LENGTH) | FrameFault::TooLong)));
    }
}
