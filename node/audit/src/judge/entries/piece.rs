//! A file of entries on its way: fetched, verified, placed. Reports nothing; what is found is noted, so
//! that nobody sees in the report which work went on beside which.

use std::io::{Read, Seek};
use std::sync::{Mutex, PoisonError};

use xw_ledger::log::Placed;
use xw_schemas::cbor::CborFault;
use xw_schemas::cose::KeyRing;
use xw_schemas::entry::{EntryFault, RawEntry, Statement, VerifiedEntry};
use xw_schemas::id::NetworkId;

use super::World;
use crate::judge::opening::Opened;
use crate::judge::report::{Counts, FindingCode, Noted};
use crate::pack::{FileName, PackLog, read_entries};

/// Bytes of files that are fetched together: two thousand entries, so that the hands seldom wait for
/// the last of them. Of the small logs of a county it takes hundreds.
const FETCH_BYTES_AIM: usize = 512 << 10;

/// One file of a log.
pub(super) struct Piece<'a> {
    pub(super) log: &'a PackLog,
    /// Whether the log's space is whole; `None` when the manifest does not list it.
    pub(super) whole: Option<bool>,
    /// Whether it is the last of its log.
    pub(super) last: bool,
    pub(super) noted: Noted,
    pub(super) counts: Counts,
    /// `None` for a log of which there is no file.
    name: Option<FileName>,
    bytes: Option<Vec<u8>>,
    entries: Vec<VerifiedEntry>,
}

/// Reads the next files.
pub(super) fn fetch<'a, R: Read + Seek>(
    opened: &mut Opened<R>,
    waiting: &mut impl Iterator<Item = Piece<'a>>,
) -> Vec<Piece<'a>> {
    let (mut fetched, mut bytes) = (Vec::new(), 0);
    while bytes < FETCH_BYTES_AIM
        && let Some(mut piece) = waiting.next()
    {
        piece.bytes = piece.name.and_then(|name| opened.fetch(&name, &mut piece.noted));
        bytes += piece.bytes.as_ref().map_or(0, Vec::len);
        fetched.push(piece);
    }
    fetched
}

/// Key rings that no hand holds at the moment: with them every key is read once by every hand.
#[derive(Default)]
pub(super) struct Rings(Mutex<Vec<KeyRing>>);

impl Rings {
    /// Verifies some envelopes.
    pub(super) fn verify(
        &self,
        envelopes: &[&[u8]],
        network: NetworkId,
    ) -> Vec<Result<VerifiedEntry, EntryFault>> {
        let free = || self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let mut ring = free().pop().unwrap_or_default();
        let verify =
            |envelope: &&[u8]| RawEntry::decode(envelope.to_vec())?.verify_with(network, &mut ring);
        let outcomes = envelopes.iter().map(verify).collect();
        free().push(ring);
        outcomes
    }
}

impl<'a> Piece<'a> {
    pub(super) fn new(log: &'a PackLog, name: Option<FileName>, whole: Option<bool>) -> Self {
        let (noted, counts) = (Noted::default(), Counts::default());
        Self { log, whole, last: false, noted, counts, name, bytes: None, entries: Vec::new() }
    }

    /// The envelopes in the file; `None` where there is no file.
    pub(super) fn envelopes(&self) -> Option<Result<Vec<&[u8]>, CborFault>> {
        self.bytes.as_deref().map(read_entries)
    }

    /// Takes what became of the envelopes of this file, of which there were so many.
    pub(super) fn sort(
        &mut self,
        count: Option<Result<usize, CborFault>>,
        outcomes: &mut impl Iterator<Item = Result<VerifiedEntry, EntryFault>>,
    ) {
        self.bytes = None;
        let Some((name, count)) = self.name.zip(count) else { return };
        let count = match count {
            Ok(count) => count,
            Err(fault) => return self.noted.add(FindingCode::EntryForged, name, fault),
        };
        self.entries.reserve_exact(count);
        for (at, outcome) in outcomes.take(count).enumerate() {
            match outcome {
                Ok(entry) if entry.core().log == self.log.log => {
                    self.counts.entries += 1;
                    self.counts.signatures += signatures(&entry);
                    self.entries.push(entry);
                }
                Ok(entry) => self.noted.add(FindingCode::EntryMisplaced, name, entry.id()),
                Err(fault) => {
                    let place = format!("{name} #{}", at + 1);
                    self.noted.add(FindingCode::EntryForged, place, fault);
                }
            }
        }
    }

    /// Puts the entries where they belong.
    pub(super) fn place(&mut self, world: &mut World) {
        for entry in std::mem::take(&mut self.entries) {
            if self.whole != Some(true) {
                world.extracts.take(entry);
                continue;
            }
            let (id, log) = (entry.id(), entry.core().log);
            match world.holdings.take(entry, None) {
                Ok(Placed::Appended | Placed::Forked) => {}
                Ok(Placed::Duplicate) => self.noted.add(FindingCode::EntryMisplaced, log, id),
                Err(refusal) => self.noted.add(FindingCode::EntryUnplaced, id, refusal),
            }
        }
    }
}

fn signatures(entry: &VerifiedEntry) -> u64 {
    let pins = match &entry.core().statement {
        Statement::Witness(pins) => pins.len() as u64,
        Statement::Open(_) | Statement::Change(_) | Statement::Erase(_) | Statement::Erased(_) => 0,
    };
    1 + u64::from(entry.core().person.is_some()) + pins
}
