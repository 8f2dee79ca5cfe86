//! Forked logs as people are told of them: who signed what twice, which branch stands and why, what
//! is disputed, and what of this node's own waits for a person's word. Changes nothing.

use std::collections::{BTreeMap, BTreeSet};

use serde_json::{Value as Json, json};
use xw_ledger::change::{Action, Change, Key, ObjId};
use xw_ledger::log::{Log, Point};
use xw_ledger::republish::stands_again;
use xw_ledger::standing::{LogStanding, Standing};
use xw_schemas::entry::{Body, Statement, VerifiedEntry};
use xw_schemas::id::{EntryId, LogId, PublicKey, hex};
use xw_schemas::record::Value;
use xw_schemas::space::Space;

use super::Office;
use super::incarnation::ROLLBACKS_MAX;
use super::republish::Lost;
use crate::trouble::Answer;

/// Entries that stand and were not written here, shown in full; the rest is counted.
const FETCHED_SHOWN: usize = 20;

impl Office {
    /// Answers `{forks, unremembered, waiting, fetched, nodes, life, rollbacks, stopped}`; with
    /// `proof` every fork carries both entries in full.
    pub(crate) fn forks(&self, proof: bool) -> Answer<Json> {
        let (roster, logs) = (self.store.roster(), self.store.logs());
        let mut forks = Vec::new();
        for (id, log) in logs.iter() {
            let (Some(slot), Some(LogStanding::Forked(standings))) =
                (log.fork(), logs.assess(roster, id))
            else {
                continue;
            };
            forks.push(self.fork(*id, log, slot, &standings, proof)?);
        }
        let lost = self.lost()?;
        let (mut asked, mut waiting) = (Vec::new(), Vec::new());
        for lost in &lost {
            let id = lost.entry.id();
            if self.stands_in_another_form(lost)? {
                continue;
            }
            if lost.mine {
                waiting.push(self.waiting(lost));
            } else if self.decided(&id)?.is_none() {
                asked.push(self.unknown(&lost.entry, lost.body.as_ref(), lost.standing));
            }
        }
        let (fetched, fetched_count) = self.fetched()?;
        let (why, began_ms) = self.incarnation.began();
        let rollbacks = self.rollbacks()?;
        Ok(json!({
            "forks": forks,
            "unremembered": asked,
            "waiting": waiting,
            "fetched": {"count": fetched_count, "entries": fetched},
            "nodes": self.nodes_with_several_logs(),
            "life": {"why": why, "zh": why.zh(), "en": why.en(), "began_ms": began_ms},
            "rollbacks": rollbacks,
            "stopped": rollbacks >= ROLLBACKS_MAX,
        }))
    }

    /// How many logs held here are forked.
    pub(crate) fn fork_count(&self) -> usize {
        self.store.logs().iter().filter(|(_, log)| log.fork().is_some()).count()
    }

    fn fork(
        &self,
        id: LogId,
        log: &Log,
        slot: u64,
        standings: &BTreeMap<EntryId, Standing>,
        proof: bool,
    ) -> Answer<Json> {
        let roster = self.store.roster();
        let at_slot: BTreeSet<Point> =
            log.entries().filter(|(number, _)| *number == slot).collect();
        let points: Vec<Point> = at_slot.into_iter().collect();
        let own = log.node == self.own_key();
        let mut variants = Vec::new();
        for (entry, _) in self.entries_at(id, &points)? {
            let standing = standings.get(&entry.id()).copied().unwrap_or(Standing::Pending);
            let received_ms = self.store.received_ms(id, slot, entry.id())?;
            let mine = own.then(|| !self.is_foreign(&id, (slot, entry.id())));
            let mut told = self.told(&entry);
            told["received_ms"] = json!(received_ms);
            told["standing"] = json!(standing);
            told["stands"] = json!(standing.counts());
            told["mine"] = json!(mine);
            if proof {
                told["envelope"] = json!(hex(entry.bytes()));
            }
            variants.push(told);
        }
        let stands = variants.iter().find(|variant| variant["stands"] == true);
        let disputed = standings.values().filter(|s| **s == Standing::Disputed).count();
        let void = standings.values().filter(|s| **s == Standing::Void).count();
        Ok(json!({
            "log": id, "node": log.node, "own": own,
            "office": roster.office_of(&log.node).map(|office| office.name.clone()),
            "space": log.space.to_string(), "slot": slot,
            "stands": stands.map(|variant| variant["entry"].clone()),
            "because": self.because(&id, log, stands),
            "variants": variants, "disputed": disputed, "void": void,
        }))
    }

    /// Why one branch stands, or why none does.
    fn because(&self, id: &LogId, log: &Log, stands: Option<&Json>) -> &'static str {
        let roster = self.store.roster();
        let standing = stands.map(|variant| variant["standing"].clone());
        if roster.cut(&log.node).is_some() {
            return "cut";
        }
        if roster.adjudicated(id).is_some() {
            return "root";
        }
        match standing.as_ref().and_then(Json::as_str) {
            Some("final") => "county",
            Some("witnessed") => "township",
            _ => "none",
        }
    }

    /// An entry as a list tells of it.
    fn told(&self, entry: &VerifiedEntry) -> Json {
        let core = entry.core();
        let roster = self.store.roster();
        let name = |key: PublicKey| roster.signer(&key).map(|signer| signer.name.clone());
        let kind = match &core.statement {
            Statement::Open(_) => "open",
            Statement::Change(_) => "change",
            Statement::Witness(_) => "witness",
            Statement::Erase(_) => "erase",
            Statement::Erased(_) => "erased",
        };
        json!({
            "entry": entry.id(), "sequence": core.sequence, "kind": kind,
            "record": core.statement.record(),
            "record_type": entry.change().map(|change| change.record_type.clone()),
            "person": core.person, "person_name": core.person.and_then(name),
            "claimed_ms": core.claimed_time_ms, "republishes": core.republishes,
        })
    }

    /// An entry that this node does not remember, with what tells a clerk whether it is theirs.
    fn unknown(&self, entry: &VerifiedEntry, body: Option<&Body>, standing: Standing) -> Json {
        let mut told = self.told(entry);
        // Titles are for whoever is signed in, as everything that records say.
        let body = body.filter(|_| !self.keys.signed_in().is_empty());
        let texts = body.and_then(|body| Change::decode(body.change()).ok());
        let texts = texts.map(|change| telling(&change)).unwrap_or_default();
        told["log"] = json!(entry.core().log);
        told["standing"] = json!(standing);
        told["says"] = json!(texts);
        told
    }

    fn waiting(&self, lost: &Lost) -> Json {
        let mut told = self.told(&lost.entry);
        let signed_in = lost.entry.core().person.is_some_and(|person| {
            self.keys.signed_in().iter().any(|one| one.key.public() == person)
        });
        let (zh, en) = match self.outbox.stuck(&lost.entry.id()) {
            Some((zh, en)) => (zh.clone(), en.clone()),
            None if signed_in => {
                ("即将自动重发".to_owned(), "is about to be written again".to_owned())
            }
            None => (
                "等待该经办人登录后自动重发".to_owned(),
                "is written again when this person signs in".to_owned(),
            ),
        };
        told["zh"] = json!(zh);
        told["en"] = json!(en);
        told
    }

    fn stands_in_another_form(&self, lost: &Lost) -> Answer<bool> {
        let Some(record) = lost.entry.core().statement.record() else { return Ok(false) };
        let Some(log) = self.store.logs().log(&lost.entry.core().log) else { return Ok(false) };
        if !self.store.is_unlocked() {
            return Ok(false);
        }
        let held = self.store.evidence(log.space, record)?;
        let evidence: Vec<_> = held.iter().map(xw_store::Held::evidence).collect();
        let (roster, definitions) = (self.store.roster(), self.store.definitions());
        Ok(stands_again(roster, definitions, record, &lost.entry, &evidence))
    }

    /// Entries of persons that bear this node's signature, stand, and were not written here: after a
    /// backup was put back they are this node's own from before; otherwise somebody has its key.
    fn fetched(&self) -> Answer<(Vec<Json>, usize)> {
        let (roster, logs, own) = (self.store.roster(), self.store.logs(), self.own_key());
        let (mut shown, mut count) = (Vec::new(), 0);
        for (id, log) in logs.iter().filter(|(_, log)| log.node == own) {
            let Some(branches) = self.incarnation.foreign(id) else { continue };
            let Some(standings) = logs.assess(roster, id) else { continue };
            let mut points: BTreeSet<Point> = BTreeSet::new();
            for tip in log.tips() {
                let path = (0..).zip(log.path(tip).unwrap_or_default());
                let foreign = path.skip_while(|point| !branches.contains(point));
                points.extend(foreign.filter(|(s, entry)| standings.of(*s, entry).counts()));
            }
            let points: Vec<Point> = points.into_iter().collect();
            for (entry, body) in self.entries_at(*id, &points)? {
                if entry.core().person.is_none() || entry.change().is_none() {
                    continue;
                }
                count += 1;
                if shown.len() < FETCHED_SHOWN {
                    let standing = standings.of(entry.core().sequence, &entry.id());
                    shown.push(self.unknown(&entry, body.as_ref(), standing));
                }
            }
        }
        Ok((shown, count))
    }

    /// Nodes that write, or wrote, in several logs of one space: put back, cloned, or replaced.
    fn nodes_with_several_logs(&self) -> Vec<Json> {
        let roster = self.store.roster();
        let mut nodes: BTreeMap<(PublicKey, Space), Vec<Json>> = BTreeMap::new();
        for (id, log) in self.store.logs().iter() {
            let told = json!({"log": id, "entries": log.size(), "forked": log.fork().is_some()});
            nodes.entry((log.node, log.space)).or_default().push(told);
        }
        let several = nodes.into_iter().filter(|(_, logs)| logs.len() > 1);
        several
            .map(|((node, space), logs)| {
                json!({
                    "node": node, "space": space.to_string(), "logs": logs,
                    "office": roster.office_of(&node).map(|office| office.name.clone()),
                })
            })
            .collect()
    }
}

/// Fields by which a clerk knows a record again.
const TELLING: [&str; 4] = ["business_no", "title", "matter_name", "project_name"];

/// What a change says in those fields, and how many it touches.
fn telling(change: &Change) -> Vec<String> {
    let text = |wanted: &str| {
        change.ops.iter().find_map(|op| match (&op.obj, &op.key, &op.action) {
            (ObjId::Root, Key::Map(key), Action::Put(Value::Text(text))) if key == wanted => {
                Some(text.clone())
            }
            _ => None,
        })
    };
    TELLING.into_iter().filter_map(text).collect()
}
