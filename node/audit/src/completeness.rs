//! The statement of completeness: what is held of a division over a period, log by log, and whether
//! anything is known to be missing. "Nothing is missing" is what all checks together amount to,
//! never the mere absence of findings; every check that fails gives its reason.

use std::collections::{BTreeMap, BTreeSet};

use serde::{Deserialize, Serialize};
use xw_ledger::log::Log;
use xw_ledger::standing::Standing;
use xw_schemas::edition::SignerKind;
use xw_schemas::id::{EditionId, EntryId, LogId, NetworkId, PublicKey};
use xw_schemas::space::{Division, Space, Tier};

use crate::holdings::{Assessed, Holdings, fork_slots};
use crate::json;
use crate::pins::PinHeld;
use crate::signed;

mod known;
mod reasons;

pub use reasons::Reason;

/// Name and version of the statement's form.
pub const FORM: &str = "xiangwang completeness 1";

/// What is asked.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Question {
    /// The division, with all that lies under it.
    pub division: Division,
    /// First moment of the period, milliseconds since 1970.
    pub from_ms: u64,
    /// The moment after its last.
    pub to_ms: u64,
    /// Who answers: the node that holds what is counted.
    pub by: PublicKey,
    /// Its clock.
    pub now_ms: u64,
    /// When each node was last found to hold nothing that the answering node lacks, by the clock of
    /// the latter. Nobody else can check this; all else follows from the entries.
    pub heard_ms: BTreeMap<PublicKey, u64>,
}

/// The statement.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Completeness {
    /// [`FORM`].
    pub form: String,
    /// The network.
    pub network: NetworkId,
    /// The roster by which it was worked out.
    pub roster: EditionId,
    /// What was asked.
    pub question: Question,
    /// Every log held in the division's spaces, by space and id.
    pub logs: Vec<LogState>,
    /// Every node that may have written there: those of its offices and of the offices above.
    pub offices: Vec<OfficeState>,
    /// Records held, by type.
    pub records: BTreeMap<String, RecordCount>,
    /// Whether nothing is missing in the period: no reason stands against it.
    pub complete: bool,
    /// Up to when nothing is missing, whatever the period: the earliest moment at which a node of
    /// the division was last heard. `None` when something is known to be missing or somebody was
    /// never heard.
    pub complete_up_to_ms: Option<u64>,
    /// What stands against it.
    pub reasons: Vec<Reason>,
}

/// One log.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct LogState {
    /// The log.
    pub log: LogId,
    /// The node that writes it.
    pub node: PublicKey,
    /// Its office's name, as the roster has it.
    pub office: Option<String>,
    /// Where its entries live.
    pub space: Space,
    /// First number held; a held log begins with its opening.
    pub from: u64,
    /// Last number held.
    pub to: u64,
    /// The ends of all branches: number and entry.
    pub tips: Vec<(u64, EntryId)>,
    /// Root over the branch to the last of the ends.
    pub root: String,
    /// Slots with more than one entry: number and the entries.
    pub forks: Vec<(u64, Vec<EntryId>)>,
    /// Entries that are known to exist and are not held: number, where known, and id.
    pub missing: Vec<(Option<u64>, EntryId)>,
    /// Earliest claimed time in the log.
    pub first_claimed_ms: u64,
    /// Latest claimed time in the log.
    pub last_claimed_ms: u64,
    /// Entries whose claimed time or first witness lies in the period.
    pub in_period: u64,
    /// Whether the author's key is cut.
    pub cut: bool,
    /// The township's highest pin.
    pub township: Option<Receipt>,
    /// The county's highest pin.
    pub county: Option<Receipt>,
}

/// A witness's highest pin of a log.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Receipt {
    /// Who pinned.
    pub witness: PublicKey,
    /// How many entries are under the pin.
    pub size: u64,
    /// When, by the witness's clock, seconds since 1970.
    pub time_s: u64,
    /// The witness entry.
    pub entry: EntryId,
    /// Entries held beyond the pin.
    pub beyond: u64,
}

/// One node of one office that is expected to write in the division.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct OfficeState {
    /// The office's number.
    pub office: u32,
    /// Its name.
    pub name: String,
    /// Its division.
    pub division: Division,
    /// Its node.
    pub node: PublicKey,
    /// Whether the node's key is cut.
    pub cut: bool,
    /// How many logs of it are held in the division.
    pub logs: u64,
    /// When it was last heard.
    pub heard_ms: Option<u64>,
}

/// Records of one type.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct RecordCount {
    /// Whether the roster adopts the type at present.
    pub adopted: bool,
    /// Records of which an entry is held.
    pub records: u64,
    /// Entries on them.
    pub entries: u64,
}

impl Completeness {
    /// A statement as its node signed it; `None` for anything else.
    #[must_use]
    pub fn open(bytes: &[u8]) -> Option<Self> {
        let (payload, by) = signed::open(bytes).ok()?;
        let statement: Self = json::read(payload)?;
        (statement.form == FORM && statement.question.by == by).then_some(statement)
    }
}

/// Works out the statement.
#[must_use]
pub fn completeness(holdings: &Holdings, assessed: &Assessed, question: Question) -> Completeness {
    let roster = holdings.roster();
    let mut known = known::missing(holdings, question.division);
    let in_scope = |log: &Log| question.division.covers(log.space.division);
    let mut logs: Vec<LogState> = holdings
        .logs()
        .iter()
        .filter(|(_, log)| in_scope(log))
        .map(|(id, log)| {
            let missing = known.remove(id).unwrap_or_default();
            log_state(holdings, assessed, &question, log, missing)
        })
        .collect();
    logs.sort_by_key(|state| (state.space, state.log));
    // Logs of which an entry is known and nothing is held, in whatever space they are.
    let lost: BTreeMap<LogId, BTreeSet<(Option<u64>, EntryId)>> =
        known.into_iter().filter(|(log, _)| !logs.iter().any(|held| held.log == *log)).collect();
    let offices = offices(holdings, &question, &logs);
    let records = records(holdings, question.division);
    let reasons = reasons::all(holdings, &question, &logs, &lost, &offices);
    let bars_all = reasons.iter().any(|reason| !reason.is_of_the_period());
    let live = offices.iter().filter(|office| !office.cut);
    let heard = live.map(|office| office.heard_ms).min().unwrap_or(Some(question.now_ms));
    Completeness {
        form: FORM.to_owned(),
        network: roster.network(),
        roster: roster.state(),
        logs,
        offices,
        records,
        complete: reasons.is_empty(),
        complete_up_to_ms: heard.filter(|_| !bars_all),
        reasons,
        question,
    }
}

fn log_state(
    holdings: &Holdings,
    assessed: &Assessed,
    question: &Question,
    log: &Log,
    missing: BTreeSet<(Option<u64>, EntryId)>,
) -> LogState {
    let roster = holdings.roster();
    let (mut first_claimed_ms, mut last_claimed_ms, mut in_period) = (u64::MAX, 0, 0);
    for (_, id) in log.entries() {
        let Some(entry) = holdings.entry(&id) else { continue };
        let claimed = entry.core().claimed_time_ms;
        first_claimed_ms = first_claimed_ms.min(claimed);
        last_claimed_ms = last_claimed_ms.max(claimed);
        let witnessed = holdings.interval(assessed, entry).not_after();
        let within = |ms: u64| (question.from_ms..question.to_ms).contains(&ms);
        let touched = within(claimed) || witnessed.is_some_and(|s| within(s * 1_000));
        in_period += u64::from(touched);
    }
    let forks = fork_slots(log).into_iter();
    let forks = forks.map(|(number, ids)| (number, ids.into_iter().collect())).collect();
    let tips = sorted(&log.tips());
    let last = tips.last().copied();
    let to = last.map_or(0, |(number, _)| number);
    // Which branch is held first depends on who holds it, and the ends do not.
    let root = last.and_then(|tip| holdings.logs().root_at(&log.id, tip)).unwrap_or_default();
    let receipt = |held: &PinHeld| Receipt {
        witness: held.witness,
        size: held.pin.size,
        time_s: held.pin.time_s,
        entry: held.entry,
        beyond: (to + 1).saturating_sub(held.pin.size),
    };
    LogState {
        log: log.id,
        node: log.node,
        office: roster.node_office(&log.node).map(|office| office.name.clone()),
        space: log.space,
        from: 0,
        to,
        tips,
        root: xw_schemas::id::hex(&root),
        forks,
        missing: missing.into_iter().collect(),
        first_claimed_ms,
        last_claimed_ms,
        in_period,
        cut: roster.cut(&log.node).is_some(),
        township: assessed.pins.highest(&log.id, Tier::Township).map(receipt),
        county: assessed.pins.highest(&log.id, Tier::County).map(receipt),
    }
}

fn sorted<T: Clone + Ord>(items: &[T]) -> Vec<T> {
    let mut items = items.to_vec();
    items.sort();
    items
}

/// The nodes of the offices in the division and above it: each may have written there.
fn offices(holdings: &Holdings, question: &Question, logs: &[LogState]) -> Vec<OfficeState> {
    let roster = holdings.roster();
    let nodes = roster.signers().filter(|(_, signer)| signer.kind == SignerKind::Node);
    let mut offices: Vec<OfficeState> = nodes
        .filter_map(|(key, signer)| Some((key, roster.office(signer.office)?)))
        .filter(|(_, office)| {
            let (asked, own) = (question.division, office.division);
            asked.covers(own) || own.covers(asked)
        })
        .map(|(key, office)| OfficeState {
            office: office.id.0,
            name: office.name.clone(),
            division: office.division,
            node: *key,
            cut: roster.cut(key).is_some(),
            logs: logs.iter().filter(|log| log.node == *key).count() as u64,
            heard_ms: if *key == question.by {
                Some(question.now_ms)
            } else {
                question.heard_ms.get(key).copied()
            },
        })
        .collect();
    offices.sort_by_key(|office| (office.division, office.office, office.node));
    offices
}

fn records(holdings: &Holdings, division: Division) -> BTreeMap<String, RecordCount> {
    let adopted = holdings
        .roster()
        .schemas()
        .map(|(code, _)| (code.clone(), RecordCount { adopted: true, ..RecordCount::default() }));
    let mut records: BTreeMap<String, RecordCount> = adopted.collect();
    for (place, entries) in holdings.records() {
        if !division.covers(place.0.division) {
            continue;
        }
        let mut named = holdings.of(place).filter_map(|entry| entry.change());
        let Some(first) = named.next() else { continue };
        let count = records.entry(first.record_type.clone()).or_default();
        count.records += 1;
        count.entries += entries.len() as u64;
    }
    records
}

/// Whether anything of a log waits for an entry that is not held.
fn is_pending(holdings: &Holdings, log: &LogState) -> bool {
    holdings.logs().assess(holdings.roster(), &log.log).is_some_and(|standing| {
        log.tips.iter().any(|(number, id)| standing.of(*number, id) == Standing::Pending)
    })
}
