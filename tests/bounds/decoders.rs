//! The decoders of bytes that come over the line: frames, entries, editions, notes, changes,
//! definitions.

use xw_ledger::change::Change;
use xw_ledger::roster::Chain;
use xw_schemas::cbor::Reader;
use xw_schemas::checkpoint::Checkpoint;
use xw_schemas::cose;
use xw_schemas::edition::{Edition, EditionCore};
use xw_schemas::entry::{Core, ErasureGround, RawEntry};
use xw_schemas::limits::EDITION_BYTES_MAX;
use xw_schemas::record::{RecordType, builtin};
use xw_schemas::wire::{Frame, PackedEntries, Parcel};

use crate::chunks::chunk;
use crate::meter::assault;
use crate::{anything, inputs, paper};

/// Inputs of one decoder in CI (threats.md T31).
const INPUTS: u64 = 100_000;

/// Bytes of a small chunk before its contents: magic number, checksum, kind and length.
const CHUNK_HEAD: usize = 10;

/// Every kind of item, of any length.
const ITEMS: [fn(&mut Reader<'_>) -> bool; 5] = [
    |reader| reader.uint().is_ok(),
    |reader| reader.bytes(usize::MAX).is_ok(),
    |reader| reader.text(usize::MAX).is_ok(),
    |reader| reader.array(usize::MAX).is_ok(),
    |reader| reader.null().is_ok(),
];

fn cores() -> Vec<Core> {
    let witness = paper::witness_core(vec![paper::pin(1), paper::pin(2)]);
    let erase = paper::erase_core(ErasureGround::Unlawful);
    vec![paper::open_core(), paper::change_core(), witness, erase, paper::erased_core([1, 2])]
}

fn envelopes() -> Vec<Vec<u8>> {
    cores().iter().map(paper::sealed).collect()
}

fn editions() -> Vec<Edition> {
    vec![paper::founding(), paper::invitation(), paper::joining()]
}

fn parcels() -> Vec<Parcel> {
    let body = paper::body().bytes().to_vec();
    vec![Parcel { envelope: paper::sealed(&paper::change_core()), body: Some(body) }; 2]
}

#[test]
fn items_of_cbor() {
    let samples = [envelopes(), editions().iter().map(|e| e.bytes().to_vec()).collect()].concat();
    assault("CBOR items", inputs(INPUTS), &samples, |bytes| {
        let mut reader = Reader::new(bytes);
        while ITEMS.iter().any(|read| {
            let mut ahead = reader.clone();
            let taken = read(&mut ahead);
            if taken {
                reader = ahead;
            }
            taken
        }) {}
        reader.end().is_ok() || cose::decode(bytes, EDITION_BYTES_MAX).is_ok()
    });
}

#[test]
fn envelopes_of_signatures() {
    let samples = envelopes();
    assault("COSE envelope", inputs(INPUTS), &samples, |bytes| {
        cose::decode(bytes, EDITION_BYTES_MAX).is_ok()
    });
}

#[test]
fn cores_of_entries() {
    let samples: Vec<Vec<u8>> = cores().iter().map(Core::encode).collect();
    assault("entry core", inputs(INPUTS), &samples, |bytes| Core::decode(bytes).is_ok());
}

#[test]
fn entries_with_their_signatures() {
    let network = paper::network();
    assault("entry", inputs(INPUTS), &envelopes(), |bytes| {
        RawEntry::decode(bytes.to_vec()).is_ok_and(|raw| raw.verify(network).is_ok())
    });
}

#[test]
fn frames_and_what_is_packed_in_them() {
    let mut samples = vec![Frame::Entries(PackedEntries::pack(&parcels())).encode()];
    samples.extend(anything::some_frames().iter().map(Frame::encode));
    assault("frame", inputs(INPUTS), &samples, |bytes| match Frame::decode(bytes) {
        Ok(Frame::Entries(packed)) => {
            let _ = packed.unpack();
            true
        }
        frame => frame.is_ok(),
    });
}

#[test]
fn packed_entries() {
    let packed = PackedEntries::pack(&parcels());
    let (unpacked, samples) = (packed.unpacked, [packed.packed]);
    assault("packed entries", inputs(INPUTS), &samples, |packed| {
        PackedEntries { unpacked, packed: packed.to_vec() }.unpack().is_ok()
    });
}

#[test]
fn cores_of_editions() {
    let samples: Vec<Vec<u8>> = editions().iter().map(|edition| edition.core().encode()).collect();
    assault("edition core", inputs(INPUTS), &samples, |bytes| EditionCore::decode(bytes).is_ok());
}

#[test]
fn editions_with_their_signatures() {
    let samples: Vec<Vec<u8>> = editions().iter().map(|edition| edition.bytes().to_vec()).collect();
    assault("edition", inputs(INPUTS), &samples, |bytes| Edition::decode(bytes.to_vec()).is_ok());
}

/// Whatever reads as an edition is signed by root and added: thieves of root keys have bad days, too.
#[test]
fn chains_of_editions() {
    let founding = Chain::founded(paper::founding()).unwrap();
    let next = EditionCore {
        network: Some(paper::network()),
        number: 2,
        previous: paper::founding().id(),
        facts: paper::founding_core().facts[1..].to_vec(),
        ..paper::founding_core()
    };
    let (samples, roots) = ([next.encode()], paper::roots());
    assault("roster chain", inputs(INPUTS), &samples, |bytes| {
        let Ok(core) = EditionCore::decode(bytes) else { return false };
        let Ok(edition) = Edition::sign(&core, &roots[..2]) else { return false };
        let mut chain = founding.clone();
        let added = chain.add(edition).is_ok();
        added && chain.roster().number() >= 1
    });
}

#[test]
fn checkpoints() {
    let (network, log) = (paper::network(), paper::log());
    let note = Checkpoint { network, log, size: 6, root: [5; 32] }.sign(&paper::node());
    let key = paper::node().public();
    assault("checkpoint note", inputs(INPUTS), &[note.into_bytes()], |bytes| {
        std::str::from_utf8(bytes).is_ok_and(|note| Checkpoint::open(note, network, &key).is_ok())
    });
}

/// The checksum is put right, so that what is spoilt is read.
#[test]
fn changes() {
    let whole = paper::change(None, "summary", "村东机井水泵损坏，请派人来修");
    let samples = [whole[CHUNK_HEAD..].to_vec()];
    assault("change", inputs(INPUTS), &samples, |contents| {
        Change::decode(&chunk(1, contents)).is_ok()
    });
}

#[test]
fn definitions_of_record_types() {
    let samples: Vec<Vec<u8>> = builtin().iter().map(RecordType::canonical_bytes).collect();
    // Each is some 60 KiB of JSON, compiled and checked: a tenth as many keep CI short.
    assault("definition", inputs(INPUTS / 10), &samples, |bytes| {
        RecordType::from_canonical(bytes).is_ok()
    });
}
