//! Every decoder of foreign bytes against bytes that nobody meant: no panic, no second spelling of
//! one meaning, no memory that the bytes did not pay for.
//!
//! The dice are fixed. `XW_FUZZ_CASES=1000000 cargo test -p xw-schemas --test fuzz_formats` throws
//! them more often.

use proptest::prelude::*;
use proptest::test_runner::RngSeed;
use xw_schemas::cbor::{Reader, Writer};
use xw_schemas::checkpoint::{Checkpoint, NoteFault};
use xw_schemas::cose;
use xw_schemas::edition::{Edition, EditionCore, EditionFault};
use xw_schemas::entry::{Body, Core, EntryFault, ErasureGround, RawEntry, VerifiedEntry};
use xw_schemas::id::{PublicKey, RecordId};
use xw_schemas::limits::{CORE_BYTES_MAX, EDITION_BYTES_MAX, ENTRIES_UNPACKED_MAX};
use xw_schemas::space::Division;
use xw_schemas::wire::{Frame, FrameFault, PackedEntries, Parcel};

#[path = "formats/anything.rs"]
mod anything;
#[expect(dead_code, reason = "made for the vectors; some of it serves here")]
#[path = "vectors/world.rs"]
mod world;

/// Memory that a decoder may cost beyond what the test itself holds.
const RSS_GROWTH_KIB_MAX: u64 = 64 << 10;

fn dice() -> ProptestConfig {
    let cases = std::env::var("XW_FUZZ_CASES").ok().and_then(|text| text.parse().ok());
    ProptestConfig {
        cases: cases.unwrap_or(2_000),
        failure_persistence: None,
        rng_seed: RngSeed::Fixed(0x7869_616e_6777_616e),
        ..ProptestConfig::default()
    }
}

proptest! {
    #![proptest_config(dice())]

    #[test]
    fn arbitrary_bytes_are_refused_without_panic(bytes in prop::collection::vec(any::<u8>(), 0..600)) {
        every_decoder(&bytes);
    }

    /// Nearly right bytes reach the deep parts.
    #[test]
    fn spoilt_bytes_are_refused_or_have_one_spelling(
        at in any::<prop::sample::Index>(),
        spoil in prop::collection::vec(anything::spoil(), 1..5),
    ) {
        let samples = samples();
        let mut bytes = at.get(&samples).clone();
        spoil.iter().for_each(|spoil| spoil.apply(&mut bytes));
        every_decoder(&bytes);
    }

    #[test]
    fn a_core_survives_its_bytes(core in anything::core()) {
        prop_assert_eq!(Core::decode(&core.encode()), Ok(core));
    }

    #[test]
    fn an_edition_survives_its_bytes(core in anything::edition_core()) {
        prop_assert_eq!(EditionCore::decode(&core.encode()), Ok(core));
    }

    #[test]
    fn a_frame_survives_its_bytes(frame in anything::frame()) {
        prop_assert_eq!(Frame::decode(&frame.encode()), Ok(frame));
    }

    #[test]
    fn a_checkpoint_survives_its_note(size in any::<u64>(), root in any::<[u8; 32]>()) {
        let (network, log) = (world::network(), world::log());
        let checkpoint = Checkpoint { network, log, size, root };
        let note = checkpoint.sign(&world::node());
        prop_assert_eq!(Checkpoint::open(&note, network, &world::node().public()), Ok(checkpoint));
    }

    #[test]
    fn numbers_and_strings_survive_their_bytes(number in any::<u64>(), bytes in any::<Vec<u8>>(), text in ".*") {
        let mut writer = Writer::new();
        writer.uint(number).negative(number).bytes(&bytes).text(&text).null();
        let written = writer.into_bytes();
        let mut reader = Reader::new(&written);
        prop_assert_eq!(reader.uint(), Ok(number));
        prop_assert_eq!(reader.negative(), Ok(number));
        prop_assert_eq!(reader.bytes(bytes.len()), Ok(&bytes[..]));
        prop_assert_eq!(reader.text(text.len()), Ok(&text[..]));
        prop_assert_eq!((reader.null(), reader.end()), (Ok(()), Ok(())));
    }

    #[test]
    fn texts_of_ids_have_one_meaning(text in "\\PC*|[0-9]{10,14}|[0-9A-Za-z]{26}", id in any::<[u8; 16]>()) {
        if let Some(division) = Division::parse(&text) {
            prop_assert_eq!(division.to_string(), text.clone());
        }
        if let Some(record) = RecordId::parse(&text) {
            prop_assert_eq!(record.to_string(), text.to_uppercase());
        }
        prop_assert_eq!(RecordId::parse(&RecordId(id).to_string()), Some(RecordId(id)));
        if let Some(key) = PublicKey::from_hex(&text) {
            prop_assert_eq!(key.to_string(), text.to_lowercase());
        }
    }
}

#[test]
fn every_changed_bit_and_byte_of_an_envelope_is_refused() {
    let witness = world::witness_core(vec![world::pin(1)]);
    let erase = world::erase_core(ErasureGround::Unlawful);
    let (open, by_node, change) = (world::open_core(), world::node_core(), world::change_core());
    for core in [open, by_node, change, witness, erase, world::erased_core([1, 2])] {
        let envelope = world::sealed(&core);
        let verify = |bytes| RawEntry::decode(bytes)?.verify(world::network());
        assert!(verify(envelope.clone()).is_ok());
        for changed in neighbours(&envelope) {
            assert!(verify(changed).is_err());
        }
    }
}

#[test]
fn every_changed_bit_and_byte_of_an_edition_is_refused() {
    for edition in [world::founding(), world::invitation(), world::joining()] {
        assert!(Edition::decode(edition.bytes().to_vec()).is_ok());
        for changed in neighbours(edition.bytes()) {
            assert!(Edition::decode(changed).is_err());
        }
    }
}

#[test]
fn every_changed_bit_and_byte_of_a_note_is_refused() {
    let root = [5; 32];
    let (network, log) = (world::network(), world::log());
    let note = Checkpoint { network, log, size: 6, root }.sign(&world::node()).into_bytes();
    let open = |note: &str| Checkpoint::open(note, network, &world::node().public());
    for changed in neighbours(&note) {
        let opened = String::from_utf8(changed).map_or(Err(NoteFault::Form), |note| open(&note));
        assert!(opened.is_err());
    }
}

#[test]
fn every_changed_bit_and_byte_of_a_body_is_noticed() {
    let raw = RawEntry::decode(world::sealed(&world::change_core())).unwrap();
    let body = world::body();
    assert!(raw.binds(&body));
    for changed in neighbours(body.bytes()) {
        assert!(!Body::from_bytes(changed).is_some_and(|body| raw.binds(&body)));
    }
}

#[test]
fn lengths_that_are_only_claimed_cost_no_memory() {
    let before = peak_rss_kib();
    let huge = [0xff; 8];
    for major in [0x40, 0x60, 0x80, 0xa0_u8] {
        for head in
            [&[major | 27][..], &[0x84, 0x40, 0xa0, major | 27], &[0x87, 1, 0xf6, major | 27]]
        {
            every_decoder(&[head, &huge].concat());
        }
    }
    // As many items as are allowed, none of them there: in an edition, a cut, every frame.
    let core = world::founding_core().encode();
    let facts = core.windows(2).position(|bytes| bytes == [0x87, 0x83]).unwrap();
    for promised in [&[0x99, 0x4e, 0x20][..], &[0x99, 0xff, 0xff], &[0x9a, 0xff, 0xff, 0xff, 0xff]]
    {
        assert!(EditionCore::decode(&[&core[..facts], promised].concat()).is_err());
        for kind in 0..12 {
            for items in 2..8 {
                let log = [&[0x58, 32][..], &[0; 32]].concat();
                every_decoder(&[&[0x80 | items, kind][..], promised].concat());
                every_decoder(&[&[0x80 | items, kind][..], &log, promised].concat());
                every_decoder(&[&[0x80 | items, kind, 0x80][..], promised].concat());
            }
        }
    }
    check_rss_growth(before);
}

#[test]
fn a_packed_bomb_is_refused_in_little_memory() {
    let mut bomb = zstd::stream::write::Encoder::new(Vec::new(), 19).unwrap();
    for _ in 0..256 {
        std::io::Write::write_all(&mut bomb, &vec![0; 1 << 20]).unwrap();
    }
    let packed = bomb.finish().unwrap();
    assert!(packed.len() < 64 << 10, "256 MiB of zeros fit into one frame: {} bytes", packed.len());
    let before = peak_rss_kib();
    for unpacked in [0, 1, ENTRIES_UNPACKED_MAX as u64, 1 << 28, u64::MAX] {
        let bomb = PackedEntries { unpacked, packed: packed.clone() };
        assert_eq!(bomb.unpack(), Err(FrameFault::BadPacking));
    }
    check_rss_growth(before);
}

/// Asks every decoder; whatever is taken must be the one spelling of what was read.
fn every_decoder(bytes: &[u8]) {
    let mut reader = Reader::new(bytes);
    while any_item(&mut reader) {}
    if let Ok((payload, signatures)) = cose::decode(bytes, EDITION_BYTES_MAX) {
        assert_eq!(cose::encode(payload, &signatures), bytes);
    }
    if let Ok(core) = Core::decode(bytes) {
        assert_eq!(core.encode(), bytes);
    }
    if let Ok(entry) = VerifiedEntry::from_store(bytes.to_vec()) {
        let (payload, _) = cose::decode(bytes, CORE_BYTES_MAX).expect("the entry was read");
        assert_eq!(entry.core().encode(), payload);
        let verified =
            RawEntry::decode(bytes.to_vec()).and_then(|raw| raw.verify(world::network()));
        assert!(verified.is_err() || samples().iter().any(|sample| sample == bytes));
    }
    if let Ok(core) = EditionCore::decode(bytes) {
        assert_eq!(core.encode(), bytes);
    }
    if let Ok(edition) = Edition::decode(bytes.to_vec()) {
        assert_eq!(edition.bytes(), bytes);
    }
    if let Ok(frame) = Frame::decode(bytes) {
        assert_eq!(frame.encode(), bytes);
        if let Frame::Entries(packed) = frame {
            let _ = packed.unpack();
        }
    }
    let unpacked = 4_096;
    let _ = PackedEntries { unpacked, packed: bytes.to_vec() }.unpack();
    let note = String::from_utf8_lossy(bytes);
    let _ = Checkpoint::open(&note, world::network(), &world::node().public());
    let _ = (RecordId::parse(&note), Division::parse(&note), Body::from_bytes(bytes.to_vec()));
}

/// Reads whatever item comes next; false at the end or at a fault.
fn any_item(reader: &mut Reader<'_>) -> bool {
    let most = usize::MAX;
    let kinds: [fn(&mut Reader<'_>, usize) -> bool; 6] = [
        |reader, _| reader.uint().is_ok(),
        |reader, _| reader.negative().is_ok(),
        |reader, most| reader.bytes(most).is_ok(),
        |reader, most| reader.text(most).is_ok(),
        |reader, most| reader.array(most).is_ok(),
        |reader, _| reader.null().is_ok(),
    ];
    kinds.iter().any(|read| {
        let mut ahead = reader.clone();
        let taken = read(&mut ahead, most);
        if taken {
            *reader = ahead;
        }
        taken
    })
}

/// Valid bytes of every format.
fn samples() -> Vec<Vec<u8>> {
    static SAMPLES: std::sync::OnceLock<Vec<Vec<u8>>> = std::sync::OnceLock::new();
    SAMPLES.get_or_init(make_samples).clone()
}

fn make_samples() -> Vec<Vec<u8>> {
    let witness = world::witness_core(vec![world::pin(1), world::pin(2)]);
    let erase = world::erase_core(ErasureGround::Unlawful);
    let erased = world::erased_core([1, 2]);
    let cores = [world::open_core(), world::change_core(), witness, erase, erased];
    let mut samples: Vec<Vec<u8>> = cores.iter().map(world::sealed).collect();
    let parcel =
        Parcel { envelope: samples[1].clone(), body: Some(world::body().bytes().to_vec()) };
    samples.extend(cores.iter().map(Core::encode));
    for edition in [world::founding(), world::invitation(), world::joining()] {
        samples.push(edition.bytes().to_vec());
        samples.push(edition.core().encode());
    }
    samples.push(Frame::Entries(PackedEntries::pack(&[parcel.clone(), parcel])).encode());
    samples.extend(anything::some_frames().iter().map(Frame::encode));
    let (network, log) = (world::network(), world::log());
    let checkpoint = Checkpoint { network, log, size: 6, root: [5; 32] };
    samples.push(checkpoint.sign(&world::node()).into_bytes());
    samples
}

/// Every bit flipped, every byte left out, and a byte put in at every place.
fn neighbours(bytes: &[u8]) -> impl Iterator<Item = Vec<u8>> {
    let flips = (0..bytes.len() * 8).map(|bit| {
        let mut changed = bytes.to_vec();
        changed[bit / 8] ^= 1 << (bit % 8);
        changed
    });
    let cuts = (0..bytes.len()).map(|at| [&bytes[..at], &bytes[at + 1..]].concat());
    let additions = (0..=bytes.len()).map(|at| [&bytes[..at], &[0], &bytes[at..]].concat());
    flips.chain(cuts).chain(additions).filter(move |changed| changed != bytes)
}

fn check_rss_growth(before: Option<u64>) {
    if let (Some(before), Some(after)) = (before, peak_rss_kib()) {
        assert!(after - before < RSS_GROWTH_KIB_MAX, "from {before} to {after} KiB");
    }
}

/// The most memory this process ever had, where the system tells it.
fn peak_rss_kib() -> Option<u64> {
    let status = std::fs::read_to_string("/proc/self/status").ok()?;
    let line = status.lines().find_map(|line| line.strip_prefix("VmHWM:"))?;
    line.trim().strip_suffix(" kB")?.trim().parse().ok()
}

#[test]
fn the_dice_reach_both_answers() {
    // A fuzzer whose bytes are all refused at the first step would find nothing.
    let flipped = |mut bytes: Vec<u8>, at: usize| {
        bytes[at] ^= 1;
        bytes
    };
    let envelope = world::sealed(&world::change_core());
    let deep = flipped(envelope.clone(), envelope.len() - 1);
    let raw = RawEntry::decode(deep).unwrap();
    assert_eq!(raw.verify(world::network()), Err(EntryFault::BadSignature));
    let edition = world::founding().bytes().to_vec();
    let deep = flipped(edition.clone(), edition.len() - 1);
    assert_eq!(Edition::decode(deep), Err(EditionFault::BadSignature));
}
