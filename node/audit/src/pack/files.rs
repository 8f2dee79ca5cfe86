//! The files of a pack, written in the order of the container and listed for the manifest.

use std::collections::{BTreeMap, BTreeSet};
use std::io::Write;

use xw_ledger::view::View;
use xw_schemas::cose::SecretKey;
use xw_schemas::entry::{Body, VerifiedEntry};
use xw_schemas::id::{EntryId, LogId};
use xw_schemas::record::{SchemaHash, readable};

use super::extract::Extract;
use super::{
    CHUNK_BYTES_AIM, CHUNK_ENTRIES_MAX, Export, FileName, GROUP_RECORDS_MAX, Give, Manifest,
    PackFile, bodies_file, entries_file,
};
use crate::archive::{ArchiveFault, ArchiveWriter};
use crate::completeness::Completeness;
use crate::holdings::{Assessed, Holdings, Place};
use crate::json;
use crate::readable::{Case, Readable, group};
use crate::signed;
use crate::spread;
use crate::summary::Summary;

/// A pack under way.
pub(super) struct Files<W: Write> {
    archive: ArchiveWriter<W>,
    listed: Vec<PackFile>,
}

/// One record as told, with the bodies that go along.
struct Told<'a> {
    readable: Readable,
    bytes: Vec<u8>,
    bodies: Vec<(EntryId, &'a Body)>,
}

impl Told<'_> {
    fn length(&self) -> usize {
        let bodies: usize = self.bodies.iter().map(|(_, body)| body.bytes().len()).sum();
        self.bytes.len() + bodies
    }
}

impl<W: Write> Files<W> {
    pub(super) fn new(out: W) -> Self {
        Self { archive: ArchiveWriter::new(out), listed: Vec::new() }
    }

    fn add(&mut self, name: FileName, content: &[u8]) -> Result<(), ArchiveFault> {
        self.archive.add(&name.to_string(), content)?;
        self.listed.push(PackFile::of(&name, content));
        Ok(())
    }

    pub(super) fn add_statement(
        &mut self,
        statement: &Completeness,
        by: &SecretKey,
    ) -> Result<(), ArchiveFault> {
        let bytes = json::write(statement);
        bounded(&bytes)?;
        self.add(FileName::CompletenessSigned, &signed::sign(&bytes, by))?;
        self.add(FileName::Completeness, &bytes)
    }

    /// The entries of each log by number, forks included.
    pub(super) fn add_entries(
        &mut self,
        holdings: &Holdings,
        logs: &BTreeMap<LogId, BTreeSet<EntryId>>,
    ) -> Result<(), ArchiveFault> {
        for (log, ids) in logs {
            let mut entries: Vec<&VerifiedEntry> =
                ids.iter().filter_map(|id| holdings.entry(id)).collect();
            entries.sort_by_key(|entry| (entry.core().sequence, entry.id()));
            let (mut chunk, mut bytes, mut number) = (Vec::new(), 0, 1);
            for entry in entries {
                chunk.push(entry.bytes());
                bytes += entry.bytes().len();
                if chunk.len() == CHUNK_ENTRIES_MAX || bytes >= CHUNK_BYTES_AIM {
                    self.add(FileName::Entries(*log, number), &entries_file(&chunk))?;
                    chunk.clear();
                    (bytes, number) = (0, number + 1);
                }
            }
            if !chunk.is_empty() {
                self.add(FileName::Entries(*log, number), &entries_file(&chunk))?;
            }
        }
        Ok(())
    }

    pub(super) fn add_proofs(&mut self, extract: &Extract) -> Result<(), ArchiveFault> {
        let inclusion = extract.inclusion.iter();
        let inclusion = inclusion.map(|(entry, proof)| (FileName::Inclusion(*entry), proof.text()));
        let consistency = extract.consistency.iter().map(|(log, proof)| {
            let new = proof.note.checkpoint().size;
            (FileName::Consistency(*log, proof.old, new), proof.text())
        });
        // By name, as the container wants them.
        let all: BTreeMap<String, (FileName, String)> = inclusion
            .chain(consistency)
            .map(|(name, text)| (name.to_string(), (name, text)))
            .collect();
        all.into_values().try_for_each(|(name, text)| self.add(name, text.as_bytes()))
    }

    /// Judges the records and writes them in groups; what is told first goes into the summary.
    pub(super) fn add_records(
        &mut self,
        export: &Export<'_>,
        assessed: &Assessed,
        places: &[Place],
    ) -> Result<Summary, ArchiveFault> {
        let (holdings, give) = (export.holdings, export.give);
        let mut summary = Summary::default();
        let mut number = 1;
        let mut open: Vec<Told<'_>> = Vec::new();
        for batch in places.chunks(GROUP_RECORDS_MAX) {
            let told = spread::map(export.spread, batch.len(), |at| {
                tell(holdings, assessed, give, batch[at])
            });
            for one in told {
                summary.add(&one.readable, holdings.definitions());
                open.push(one);
                let bytes: usize = open.iter().map(Told::length).sum();
                if open.len() == GROUP_RECORDS_MAX || bytes >= CHUNK_BYTES_AIM {
                    self.add_group(number, &std::mem::take(&mut open))?;
                    number += 1;
                }
            }
        }
        if !open.is_empty() {
            self.add_group(number, &open)?;
        }
        Ok(summary)
    }

    fn add_group(&mut self, number: u32, told: &[Told<'_>]) -> Result<(), ArchiveFault> {
        let mut bodies: Vec<(EntryId, &[u8])> = told
            .iter()
            .flat_map(|told| told.bodies.iter().map(|(id, body)| (*id, body.bytes())))
            .collect();
        bodies.sort_unstable_by_key(|(id, _)| *id);
        if !bodies.is_empty() {
            self.add(FileName::Bodies(number), &bodies_file(&bodies))?;
        }
        let records: Vec<Vec<u8>> = told.iter().map(|told| told.bytes.clone()).collect();
        self.add(FileName::Records(number), &group(&records))
    }

    pub(super) fn add_roster(&mut self, holdings: &Holdings) -> Result<(), ArchiveFault> {
        let editions = holdings.chain().editions();
        (1..)
            .zip(editions)
            .try_for_each(|(at, edition)| self.add(FileName::Edition(at), edition.bytes()))
    }

    pub(super) fn add_definitions(&mut self, holdings: &Holdings) -> Result<(), ArchiveFault> {
        holdings
            .definitions()
            .iter()
            .try_for_each(|(hash, rt)| self.add(FileName::Definition(*hash), &rt.canonical_bytes()))
    }

    pub(super) fn add_summary(&mut self, html: &str) -> Result<(), ArchiveFault> {
        self.add(FileName::Summary, html.as_bytes())
    }

    /// Everything added so far.
    pub(super) fn listed(&self) -> Vec<PackFile> {
        self.listed.clone()
    }

    pub(super) fn finish(
        mut self,
        manifest: &Manifest,
        by: &SecretKey,
    ) -> Result<(), ArchiveFault> {
        let bytes = json::write(manifest);
        bounded(&bytes)?;
        self.archive.add(&FileName::ManifestSigned.to_string(), &signed::sign(&bytes, by))?;
        self.archive.add(&FileName::Manifest.to_string(), &bytes)?;
        self.archive.finish()?;
        Ok(())
    }
}

/// What no reader would read is not written.
fn bounded(statement: &[u8]) -> Result<(), ArchiveFault> {
    if statement.len() > signed::STATEMENT_BYTES_MAX {
        return Err(ArchiveFault::TooMuch);
    }
    Ok(())
}

fn tell<'a>(holdings: &'a Holdings, assessed: &Assessed, give: Give, place: Place) -> Told<'a> {
    let given = |id: &EntryId| -> Option<&'a Body> {
        let change = holdings.entry(id)?.change()?;
        let may = match give {
            Give::Nothing => false,
            Give::All => true,
            Give::Level(level) => {
                let rt = holdings.definition(&change.schema);
                rt.is_some_and(|rt| rt.body_levels.contains(&level))
            }
        };
        holdings.body(id).filter(|_| may)
    };
    let mut evidence = holdings.evidence(assessed, &place, given);
    let intervals: Vec<_> =
        evidence.iter().map(|item| holdings.interval(assessed, item.entry)).collect();
    let mut judged = holdings.judged(&place, &evidence);
    if judged.view.as_ref().is_some_and(|view| is_withheld(holdings, give, view)) {
        evidence.iter_mut().for_each(|item| item.body = None);
        judged = holdings.judged(&place, &evidence);
    }
    let case = Case {
        roster: holdings.roster(),
        definitions: holdings.definitions(),
        place,
        evidence: &evidence,
        intervals: &intervals,
        judged: &judged,
    };
    let readable = case.readable();
    let bodies = evidence.iter().filter_map(|item| Some((item.entry.id(), item.body?))).collect();
    Told { bytes: readable.bytes(), readable, bodies }
}

/// Whether a record goes out without its bodies although they are held. What two persons have had
/// removed is given to nobody, though a disk may still hold it. A body tells all of its fields at
/// once, so a level gets those only of which it may read every field.
fn is_withheld(holdings: &Holdings, give: Give, view: &View) -> bool {
    let Give::Level(level) = give else { return view.erased.is_some() };
    let rt = SchemaHash::from_hex(&view.schema).and_then(|hash| holdings.definition(&hash));
    let reads_all = rt.is_some_and(|rt| readable(rt, &view.content, level).1.is_empty());
    view.erased.is_some() || !reads_all
}
