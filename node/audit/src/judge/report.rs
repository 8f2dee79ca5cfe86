//! What the judge found: counts, findings with their sentences, and the verdict that they add up to.

use std::collections::BTreeMap;

use serde::Serialize;
use serde_json::Value as Json;
use xw_schemas::id::{EditionId, EntryId, NetworkId, PublicKey, RecordId};

use super::FINDINGS_PER_CODE_MAX;
use super::asked::EntryVerdict;
use super::receipts::ReceiptVerdict;
pub use super::sentence::FindingCode;
use crate::heads::Compared;
use crate::pack::{Give, PackSpace, Scope};
use crate::plain;

mod text;

/// How much a finding weighs.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum Severity {
    /// To be known; the pack is sound all the same.
    Note,
    /// Somebody must look at it: a fork, a contradiction, something known to be missing.
    Warning,
    /// The pack is not what it says.
    Error,
}

/// Something that the judge found.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Finding {
    /// Stable name.
    pub code: &'static str,
    /// How much it weighs.
    pub severity: Severity,
    /// For a Chinese reader.
    pub zh: &'static str,
    /// For an English reader.
    pub en: &'static str,
    /// The file, log, entry or record concerned.
    pub place: String,
    /// What more is known; names no person.
    pub detail: String,
}

/// What was read and checked.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize)]
pub struct Counts {
    /// Files compared with the manifest.
    pub files: u64,
    /// Roster editions.
    pub editions: u64,
    /// Record-type definitions.
    pub definitions: u64,
    /// Logs.
    pub logs: u64,
    /// Entries whose signatures verify.
    pub entries: u64,
    /// Signatures on them that verify, cosignatures included.
    pub signatures: u64,
    /// Bodies that match what their entries bind.
    pub bodies: u64,
    /// Proofs that lead to a witnessed root.
    pub proofs: u64,
    /// Records judged anew.
    pub records: u64,
    /// Of these, records whose bodies are withheld.
    pub sealed: u64,
    /// Entries on these records that do not count.
    pub refused: u64,
    /// Entries on these records that no witness covers.
    pub unwitnessed: u64,
    /// Entries on these records that were entered late.
    pub late: u64,
}

/// What it all amounts to.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum Verdict {
    /// Nothing is wrong, and the network is the one that the reader named.
    Sound,
    /// Nothing is wrong in itself. The reader named no network, so that whoever signed it may have
    /// invented the whole county.
    Consistent,
    /// Something is wrong or must be looked at.
    Findings,
}

/// On whose word a statement rests that nothing is missing. Logs are checked anew; when the maker
/// compared with whom is seen by nobody else.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum RestingOn {
    /// The maker's alone.
    Maker,
    /// Other offices of the area stated what they held, and all of it is here.
    Offices {
        /// How many.
        count: usize,
        /// Up to when all of them say so, by their clocks.
        up_to_ms: u64,
    },
}

/// The roster in the pack.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct RosterVerdict {
    /// Number of its newest root edition.
    pub number: u64,
    /// Digest over the editions that count.
    pub state: EditionId,
    /// The latest claimed time of an edition.
    pub newest_ms: u64,
    /// Whether it is the state that the reader knows; `None` when the reader named none.
    pub known: Option<bool>,
}

/// What became of the statement of completeness.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct CompletenessVerdict {
    /// On whose word it rests.
    pub resting_on: RestingOn,
    /// Whether the statement was worked out anew from the pack and is the same.
    pub checked: bool,
    /// Whether nothing is missing in the period asked for.
    pub complete: bool,
    /// Up to when nothing is missing.
    pub up_to_ms: Option<u64>,
    /// What stands against it, for a Chinese reader.
    pub reasons_zh: Vec<String>,
    /// The same for an English reader.
    pub reasons_en: Vec<String>,
}

/// A body that was brought and belongs to an entry of the pack.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Proven {
    /// Which of the files brought, from 1.
    pub body: usize,
    /// The entry that binds it.
    pub entry: EntryId,
    /// The record.
    pub record: RecordId,
}

/// The judgement.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Report {
    /// What it all amounts to.
    pub verdict: Verdict,
    /// The network that the pack names.
    pub network: NetworkId,
    /// Whether it is the one that the reader knows; `None` when the reader named none.
    pub network_known: Option<bool>,
    /// The roster by which everything was judged.
    pub roster: RosterVerdict,
    /// What the pack is about.
    pub scope: Scope,
    /// The same for a Chinese reader.
    pub scope_zh: String,
    /// The spaces of which entries are in the pack.
    pub spaces: Vec<PackSpace>,
    /// Which bodies the maker gave.
    pub bodies: Give,
    /// Who made it.
    pub by: PublicKey,
    /// The maker's office, as the roster in the pack has it.
    pub by_office: Option<String>,
    /// When, by the maker's clock.
    pub made_ms: u64,
    /// What was read and checked.
    pub counts: Counts,
    /// The statement of completeness.
    pub completeness: Option<CompletenessVerdict>,
    /// What was found, gravest first; of each code the first ones.
    pub findings: Vec<Finding>,
    /// Findings beyond those listed.
    pub more_findings: u64,
    /// How many of each code were found.
    #[serde(skip)]
    pub(super) found: BTreeMap<FindingCode, usize>,
    /// Bodies brought that belong to the pack.
    pub proven: Vec<Proven>,
    /// Records read with the bodies brought.
    pub opened: Vec<Json>,
    /// Statements brought, each held against the pack.
    pub statements: Vec<Compared>,
    /// Entries asked for that are in the pack.
    pub entries: Vec<EntryVerdict>,
    /// Printed receipts compared.
    pub receipts: Vec<ReceiptVerdict>,
}

/// Findings made beside the report, which are added in their turn.
#[derive(Debug, Default)]
pub(super) struct Noted(Vec<(FindingCode, String, String)>);

impl Noted {
    /// Notes a finding.
    pub(super) fn add(&mut self, code: FindingCode, place: impl ToString, detail: impl ToString) {
        self.0.push((code, place.to_string(), detail.to_string()));
    }
}

impl Counts {
    /// Adds what was counted elsewhere.
    pub(super) fn add(&mut self, other: &Self) {
        self.files += other.files;
        self.editions += other.editions;
        self.definitions += other.definitions;
        self.logs += other.logs;
        self.entries += other.entries;
        self.signatures += other.signatures;
        self.bodies += other.bodies;
        self.proofs += other.proofs;
        self.records += other.records;
        self.sealed += other.sealed;
        self.refused += other.refused;
        self.unwitnessed += other.unwitnessed;
        self.late += other.late;
    }
}

impl Report {
    /// Adds what was noted, in its order.
    pub(super) fn add_noted(&mut self, noted: Noted) {
        for (code, place, detail) in noted.0 {
            self.add(code, place, detail);
        }
    }

    /// Adds a finding.
    pub(super) fn add(&mut self, code: FindingCode, place: impl ToString, detail: impl ToString) {
        let found = self.found.entry(code).or_default();
        *found += 1;
        if *found > FINDINGS_PER_CODE_MAX {
            self.more_findings += 1;
            return;
        }
        let (name, zh, en) = code.sentence();
        let (severity, place, detail) = (code.severity(), place.to_string(), detail.to_string());
        self.findings.push(Finding { code: name, severity, zh, en, place, detail });
    }

    /// Gravest first, in the order of their making otherwise; and the verdict.
    pub(super) fn close(mut self) -> Self {
        self.findings.sort_by_key(|finding| std::cmp::Reverse(finding.severity));
        self.verdict = match (self.is_clean(), self.network_known) {
            (false, _) => Verdict::Findings,
            (true, Some(true)) => Verdict::Sound,
            (true, _) => Verdict::Consistent,
        };
        self
    }

    /// Whether the pack is sound and of the network that the reader named.
    #[must_use]
    pub fn is_sound(&self) -> bool {
        self.verdict == Verdict::Sound
    }

    /// Whether no finding is more than a note.
    fn is_clean(&self) -> bool {
        self.found.keys().all(|code| code.severity() == Severity::Note)
    }

    /// The report as JSON. What a terminal could obey is spelled out, as it is in the text.
    #[must_use]
    pub fn json(&self) -> Vec<u8> {
        let json = String::from_utf8(crate::json::write(self)).expect("JSON is text");
        plain::escaped_json(&json).into_bytes()
    }
}
