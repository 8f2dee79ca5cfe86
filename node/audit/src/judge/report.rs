//! What the judge found: counts, findings with their sentences, and the verdict that they add up to.

use std::fmt::Write as _;

use serde::Serialize;
use serde_json::Value as Json;
use xw_schemas::id::{EntryId, NetworkId, PublicKey, RecordId};

use super::FINDINGS_MAX;
use super::asked::EntryVerdict;
use super::receipts::ReceiptVerdict;
pub use super::sentence::FindingCode;
use crate::pack::Scope;
use crate::words;

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

/// What became of the statement of completeness.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct CompletenessVerdict {
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
    /// Which of the bodies brought, from 1.
    pub body: usize,
    /// The entry that binds it.
    pub entry: EntryId,
    /// The record.
    pub record: RecordId,
}

/// The judgement.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Report {
    /// Whether no finding is more than a note.
    pub sound: bool,
    /// The network that the pack names.
    pub network: NetworkId,
    /// Whether it is the one that the reader knows; `None` when the reader named none.
    pub network_known: Option<bool>,
    /// What the pack is about.
    pub scope: Scope,
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
    /// What was found, gravest first.
    pub findings: Vec<Finding>,
    /// Findings beyond those listed.
    pub more_findings: u64,
    /// Bodies brought that belong to the pack.
    pub proven: Vec<Proven>,
    /// Records read with the bodies brought.
    pub opened: Vec<Json>,
    /// Statements brought that a node of this county signed.
    pub statements: Vec<CompletenessVerdict>,
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
        let severity = code.severity();
        self.sound &= severity == Severity::Note;
        if self.findings.len() < FINDINGS_MAX {
            let (name, zh, en) = code.sentence();
            let (place, detail) = (place.to_string(), detail.to_string());
            self.findings.push(Finding { code: name, severity, zh, en, place, detail });
        } else {
            self.more_findings += 1;
        }
    }

    /// Gravest first; in the order of their making otherwise.
    pub(super) fn close(mut self) -> Self {
        self.findings.sort_by_key(|finding| std::cmp::Reverse(finding.severity));
        self
    }

    /// The report as JSON.
    #[must_use]
    pub fn json(&self) -> Vec<u8> {
        crate::json::write(self)
    }

    /// The report for people: Chinese first, English beside it.
    #[must_use]
    pub fn text(&self) -> String {
        let mut out = String::new();
        let mut say = |line: String| {
            out.push_str(&line);
            out.push('\n');
        };
        say(format!("网络 network      {}", self.network));
        say(match self.network_known {
            Some(true) => "                  与所给标识一致 / the one you named".to_owned(),
            Some(false) => "                  与所给标识不一致 / NOT the one you named".to_owned(),
            None => "                  未与公布的标识核对（--roster-id）/ not compared".to_owned(),
        });
        let office = self.by_office.as_deref().unwrap_or("不在名册上 / not on the roster");
        say(format!("制作 made by      {office}，{}（所称）", words::minute(self.made_ms)));
        let c = &self.counts;
        say(format!(
            "核验 checked      {} 个文件，{} 个日志，{} 个条目，{} 个签名，{} 份证明，{} 件记录",
            c.files, c.logs, c.entries, c.signatures, c.proofs, c.records
        ));
        say(format!(
            "                  {} files, {} logs, {} entries, {} signatures, {} proofs, {} records",
            c.files, c.logs, c.entries, c.signatures, c.proofs, c.records
        ));
        say(format!(
            "记录 records      密封 sealed {}，未采纳条目 refused {}，尚未见证 unwitnessed {}，补录 late {}",
            c.sealed, c.refused, c.unwitnessed, c.late
        ));
        self.say_completeness(&mut say);
        for proven in &self.proven {
            say(format!(
                "正文 body {}       与条目 {} 相符（记录 {}）/ matches this entry",
                proven.body, proven.entry, proven.record
            ));
        }
        for entry in &self.entries {
            let office = entry.office.as_deref().unwrap_or("不在名册上 / not on the roster");
            let time = |time: Option<u64>| time.map_or_else(|| "—".to_owned(), words::minute_s);
            say(format!("条目 entry        {} {}", entry.entry, words::standing(entry.standing)));
            say(format!(
                "                  {office}，日志 log {} 第 {} 号",
                entry.log, entry.number
            ));
            say(format!(
                "                  所称 claimed {}，乡镇见证 township {}，县见证 county {}",
                words::minute(entry.claimed_time_ms),
                time(entry.township_s),
                time(entry.county_s)
            ));
        }
        for receipt in &self.receipts {
            say(format!("回执 receipt      {} / {}", receipt.zh, receipt.en));
        }
        for finding in &self.findings {
            let mark = match finding.severity {
                Severity::Error => "错误 ERROR  ",
                Severity::Warning => "注意 WARNING",
                Severity::Note => "说明 NOTE   ",
            };
            say(format!("{mark}      [{}] {} / {}", finding.code, finding.zh, finding.en));
            let about = [finding.place.as_str(), finding.detail.as_str()].join("  ");
            if !about.trim().is_empty() {
                say(format!("                  {}", about.trim()));
            }
        }
        if self.more_findings > 0 {
            say(format!(
                "                  另有 {} 条未列出 / more not listed",
                self.more_findings
            ));
        }
        let verdict = if self.sound {
            "结论 verdict      可信：未发现问题 / SOUND: nothing wrong was found"
        } else {
            "结论 verdict      有问题，见上 / NOT SOUND, see above"
        };
        let _ = writeln!(out, "{verdict}");
        out
    }

    fn say_completeness(&self, say: &mut impl FnMut(String)) {
        match &self.completeness {
            None => {
                say("完整 complete     包内没有完整性声明 / no statement of completeness"
                    .to_owned())
            }
            Some(verdict) => self.say_verdict("完整 complete    ", verdict, say),
        }
        for verdict in &self.statements {
            self.say_verdict("声明 statement   ", verdict, say);
        }
    }

    fn say_verdict(&self, head: &str, verdict: &CompletenessVerdict, say: &mut impl FnMut(String)) {
        let word = match (verdict.checked && self.sound, verdict.complete, verdict.up_to_ms) {
            (true, true, _) => {
                "没有遗漏（已逐项核验）/ nothing is missing, every check was made anew".to_owned()
            }
            (true, false, Some(up_to)) => format!(
                "截至 {} 没有遗漏（已逐项核验）/ nothing is missing up to then",
                words::minute(up_to)
            ),
            (true, false, None) => {
                "不能断言没有遗漏 / that nothing is missing cannot be said".to_owned()
            }
            (false, true, _) => {
                "声明称没有遗漏，但仅凭本包不能核验 / stated, not checkable from this pack"
                    .to_owned()
            }
            (false, false, _) => {
                "声明未断言没有遗漏 / not stated, and not checkable from this pack".to_owned()
            }
        };
        say(format!("{head} {word}"));
        for (zh, en) in verdict.reasons_zh.iter().zip(&verdict.reasons_en).take(REASONS_SHOWN_MAX) {
            say(format!("                  · {zh} / {en}"));
        }
        let more = verdict.reasons_zh.len().saturating_sub(REASONS_SHOWN_MAX);
        if more > 0 {
            say(format!("                  · 另有 {more} 条理由 / more reasons"));
        }
    }
}

/// Reasons shown in the text; the JSON has all.
const REASONS_SHOWN_MAX: usize = 20;
