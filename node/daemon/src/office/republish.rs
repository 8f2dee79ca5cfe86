//! What was typed at this PC and does not stand any more is written again in the present logs, under
//! the same operation. What merely bears this node's signature waits for a person: a thief's work is
//! never made the office's own.

use std::collections::{BTreeMap, BTreeSet};

use serde_json::{Value as Json, json};
use xw_ledger::draft::{Author, Signed, write_erasure};
use xw_ledger::judge::Evidence;
use xw_ledger::log::Point;
use xw_ledger::republish::{RepublishError, act_again, republish_change, stands_again};
use xw_ledger::standing::{LogStanding, Standing};
use xw_schemas::cose::SecretKey;
use xw_schemas::entry::{Body, Statement, VerifiedEntry};
use xw_schemas::id::{EntryId, LogId, PublicKey, RecordId};
use xw_schemas::space::Space;
use xw_store::Held;

use super::Office;
use crate::clock;
use crate::request::Who;
use crate::trouble::{Answer, Trouble, with_causes};

/// Records written again in one go; others wait for the store meanwhile.
const RECORDS_AT_ONCE: usize = 32;

/// So often it is looked whether something ceased to stand: a pin or a decision of root can come
/// with any witness entry or roster edition.
const LOOK_EVERY_MS: u64 = 5_000;

/// Beginning of the note of what a person said of an entry.
const DECIDED: &str = "decided/";

/// What this node still has to say again.
pub(crate) struct Outbox {
    /// Whether there may be something.
    restless: bool,
    looked_ms: u64,
    /// The last look ended in a trouble: the next one is due by the clock alone.
    failed: bool,
    /// How the forked own logs stood then.
    stands: BTreeMap<LogId, LogStanding>,
    /// Who was signed in then: what waits for a person's key waits for the person.
    signed_in: Vec<PublicKey>,
    /// Entries whose acts count in another form.
    done: BTreeSet<EntryId>,
    /// Entries that cannot be said again, and why.
    stuck: BTreeMap<EntryId, (String, String)>,
}

/// An own entry that does not stand.
pub(super) struct Lost {
    pub(super) entry: VerifiedEntry,
    pub(super) body: Option<Body>,
    pub(super) standing: Standing,
    /// Whether it was written here.
    pub(super) mine: bool,
}

impl Outbox {
    pub(super) fn new() -> Self {
        Self {
            restless: true,
            looked_ms: 0,
            failed: false,
            stands: BTreeMap::new(),
            signed_in: Vec::new(),
            done: BTreeSet::new(),
            stuck: BTreeMap::new(),
        }
    }

    pub(super) fn look_again(&mut self) {
        self.restless = true;
        self.done.clear();
        self.stuck.clear();
    }

    /// Why an entry cannot be said again, in Chinese and English.
    pub(super) fn stuck(&self, entry: &EntryId) -> Option<&(String, String)> {
        self.stuck.get(entry)
    }
}

impl Office {
    /// Writes again what was typed here and does not stand, some of it.
    pub(crate) fn republish_some(&mut self) -> Answer<()> {
        let now_ms = clock::steady_ms();
        let signed_in: Vec<PublicKey> =
            self.keys.signed_in().iter().map(|person| person.key.public()).collect();
        let due = now_ms.saturating_sub(self.outbox.looked_ms) >= LOOK_EVERY_MS;
        let came = signed_in != self.outbox.signed_in;
        let restless = self.outbox.restless && !self.outbox.failed;
        let can = !signed_in.is_empty()
            && self.store.is_unlocked()
            && self.store.roster().rules_are_known();
        if !(restless || due || came) || !can {
            return Ok(());
        }
        self.outbox.looked_ms = now_ms;
        self.outbox.signed_in = signed_in;
        let stands = self.own_forks();
        if stands == self.outbox.stands && !self.outbox.restless && !came {
            return Ok(());
        }
        if stands != self.outbox.stands {
            self.outbox.look_again();
            self.outbox.stands = stands;
        }
        // Until everything is on disk it is not done: what ends in a trouble is looked at again.
        (self.outbox.restless, self.outbox.failed) = (true, true);
        let lost = self.lost()?;
        let wanted =
            |lost: &Lost| may_go_by_itself(lost) && !self.outbox.done.contains(&lost.entry.id());
        let mut records: BTreeMap<(Space, RecordId), Vec<Lost>> = BTreeMap::new();
        for lost in lost.into_iter().filter(wanted) {
            if let Some(place) = self.place_of(&lost) {
                records.entry(place).or_default().push(lost);
            }
        }
        let more = records.len() > RECORDS_AT_ONCE;
        for ((space, record), lost) in records.into_iter().take(RECORDS_AT_ONCE) {
            self.say_again(space, record, &lost, None)?;
        }
        (self.outbox.restless, self.outbox.failed) = (more, false);
        Ok(())
    }

    /// Whether an entry counts as said again.
    #[cfg(test)]
    pub(super) fn is_done(&self, entry: &EntryId) -> bool {
        self.outbox.done.contains(entry)
    }

    /// Says lost acts on one record again: each signed by the person who did it, or by `person` who
    /// vouches for it. What cannot be said is noted with the reason. Answers how many were said.
    pub(super) fn say_again(
        &mut self,
        space: Space,
        record: RecordId,
        lost: &[Lost],
        person: Option<&SecretKey>,
    ) -> Answer<usize> {
        let held = self.store.evidence(space, record)?;
        let (mut said, mut done): (Vec<Signed>, Vec<EntryId>) = (Vec::new(), Vec::new());
        let mut ordered: Vec<&Lost> = lost.iter().collect();
        // What was written on something was written after it in the same log, or in a later one.
        ordered.sort_by_key(|lost| (lost.entry.core().claimed_time_ms, lost.entry.core().sequence));
        let mut left = ordered.len();
        // An act waits for its ground; a few rounds bring any order right.
        loop {
            let mut waiting = Vec::new();
            for lost in ordered {
                let id = lost.entry.id();
                let evidence = with_said(&held, &said);
                let (roster, definitions) = (self.store.roster(), self.store.definitions());
                if stands_again(roster, definitions, record, &lost.entry, &evidence) {
                    self.outbox.done.insert(id);
                    continue;
                }
                let key = match person {
                    Some(key) => key.clone(),
                    None => match self.key_of(lost.entry.core().person) {
                        Some(key) => key,
                        None => continue,
                    },
                };
                match self.sign_again(space, record, &held, &said, lost, &key) {
                    Ok(signed) => {
                        self.outbox.stuck.remove(&id);
                        done.push(id);
                        said.push(signed);
                    }
                    Err(Again::Waits) => waiting.push(lost),
                    Err(Again::Cannot(trouble)) => {
                        self.outbox.stuck.insert(id, (trouble.zh, trouble.en));
                    }
                }
            }
            if waiting.is_empty() || waiting.len() == left {
                for lost in waiting {
                    let (zh, en) =
                        ("所依据的内容不再有效", "what it was written on does not count");
                    self.outbox.stuck.insert(lost.entry.id(), (zh.to_owned(), en.to_owned()));
                }
                break;
            }
            left = waiting.len();
            ordered = waiting;
        }
        let count = said.len();
        if count > 0 {
            self.keep(said)?;
            self.outbox.done.extend(done);
            tracing::info!(count, "entries that did not stand were written again");
        }
        Ok(count)
    }

    /// Signs one act again behind the end of a log that has not gone on with the record.
    fn sign_again(
        &mut self,
        space: Space,
        record: RecordId,
        held: &[Held],
        said: &[Signed],
        lost: &Lost,
        key: &SecretKey,
    ) -> Result<Signed, Again> {
        let mut tails = self.tails(space)?;
        let mut opened = false;
        loop {
            let Some(mut tail) = tails.pop() else {
                if opened {
                    return Err(Again::Waits);
                }
                opened = true;
                tails.push(self.open_tail(space)?);
                continue;
            };
            let log = tail.log();
            for signed in said.iter().filter(|signed| signed.entry.core().log == log) {
                tail.push(&signed.entry);
            }
            let evidence = with_said(held, said);
            let author = Author { node: &self.node, person: Some(key) };
            let old =
                Evidence { entry: &lost.entry, body: lost.body.as_ref(), standing: lost.standing };
            let (roster, definitions) = (self.store.roster(), self.store.definitions());
            let salt = clock::act().salt;
            if let Statement::Erase(erasure) = &lost.entry.core().statement {
                let (erasure, act) = (erasure.clone(), act_again(&lost.entry, salt));
                let signed = write_erasure(roster, &tail, erasure, author, act);
                return signed.map_err(|error| Again::Cannot(error.into()));
            }
            let again =
                republish_change(roster, definitions, &tail, record, &evidence, &old, author, salt);
            match again {
                Ok(signed) => {
                    self.approve(record, &evidence, &signed).map_err(Again::Cannot)?;
                    return Ok(signed);
                }
                Err(RepublishError::LogWentOn) => {}
                Err(RepublishError::Ground(_)) => return Err(Again::Waits),
                Err(error) => return Err(Again::Cannot(unsayable(&error))),
            }
        }
    }

    /// The record that a lost entry is about.
    fn place_of(&self, lost: &Lost) -> Option<(Space, RecordId)> {
        let space = self.store.logs().log(&lost.entry.core().log)?.space;
        Some((space, lost.entry.core().statement.record()?))
    }

    /// The key of a person who is signed in and on the roster.
    fn key_of(&self, person: Option<PublicKey>) -> Option<SecretKey> {
        let person = person?;
        let found = self.keys.signed_in().iter().find(|one| one.key.public() == person);
        found.map(|one| one.key.clone())
    }

    /// How the own logs stand that have forked.
    fn own_forks(&self) -> BTreeMap<LogId, LogStanding> {
        let own = self.own_key();
        let (roster, logs) = (self.store.roster(), self.store.logs());
        let forked = logs.iter().filter(|(_, log)| log.node == own && log.fork().is_some());
        forked.filter_map(|(id, _)| Some((*id, logs.assess(roster, id)?))).collect()
    }

    /// Own entries of persons that do not stand because their log forked, in log order.
    pub(super) fn lost(&self) -> Answer<Vec<Lost>> {
        let own = self.own_key();
        let (roster, logs) = (self.store.roster(), self.store.logs());
        let mut all = Vec::new();
        for (id, log) in logs.iter().filter(|(_, log)| log.node == own) {
            let Some(LogStanding::Forked(standings)) = logs.assess(roster, id) else { continue };
            let mut points: BTreeMap<Point, bool> = BTreeMap::new();
            for tip in log.tips() {
                let foreign = self.incarnation.foreign(id);
                let mut mine = self.incarnation.knows_all_branches(id);
                for point in (0..).zip(log.path(tip).unwrap_or_default()) {
                    mine &= foreign.is_none_or(|branches| !branches.contains(&point));
                    let standing = standings.get(&point.1);
                    if standing == Some(&Standing::Disputed) {
                        points.insert(point, mine);
                    }
                }
            }
            let places: Vec<Point> = points.keys().copied().collect();
            for (entry, body) in self.entries_at(*id, &places)? {
                let point = (entry.core().sequence, entry.id());
                // Openings, witness entries and receipts are made anew where they are needed.
                if entry.core().person.is_some() {
                    let mine = points.get(&point).copied().unwrap_or(false);
                    all.push(Lost { entry, body, standing: Standing::Disputed, mine });
                }
            }
        }
        Ok(all)
    }

    /// Entries of a log with their bodies, as far as they are held and open.
    pub(super) fn entries_at(
        &self,
        log: LogId,
        points: &[Point],
    ) -> Answer<Vec<(VerifiedEntry, Option<Body>)>> {
        let parcels = self.store.parcels(log, points, usize::MAX, |_| true)?;
        let mut entries = Vec::with_capacity(parcels.len());
        for parcel in parcels {
            let entry = VerifiedEntry::from_store(parcel.envelope).map_err(|fault| {
                Trouble::new("store", "数据库中的条目无法读取", format!("an entry: {fault}"))
            })?;
            let body = parcel.body.and_then(Body::from_bytes);
            entries.push((entry, body));
        }
        Ok(entries)
    }

    /// What a person said of an entry that this node does not remember: theirs, or not.
    pub(super) fn decided(&self, entry: &EntryId) -> Answer<Option<bool>> {
        let said = self.store.note(&format!("{DECIDED}{entry}"))?;
        Ok(said.map(|said| said == b"ours"))
    }

    /// A person vouches for entries that bear this node's signature and were not typed here: they
    /// are written again, signed by that person. Answers `{confirmed, said, stuck}`.
    pub(crate) fn confirm_entries(&mut self, entries: &[String], who: &Who) -> Answer<Json> {
        let key = self.actors(who)?.first().map(|(key, _)| (*key).clone());
        let key = key.ok_or_else(|| super::people::locked(None))?;
        let asked = self.unremembered(entries)?;
        let ids: Vec<EntryId> = asked.iter().map(|lost| lost.entry.id()).collect();
        let mut records: BTreeMap<(Space, RecordId), Vec<Lost>> = BTreeMap::new();
        for lost in asked {
            if let Some(place) = self.place_of(&lost) {
                records.entry(place).or_default().push(lost);
            }
        }
        let mut said = 0;
        for ((space, record), lost) in records {
            said += self.say_again(space, record, &lost, Some(&key))?;
        }
        let mut stuck = Vec::new();
        for id in &ids {
            match self.outbox.stuck(id) {
                Some((zh, en)) => stuck.push(json!({"entry": id, "zh": zh, "en": en})),
                None => self.decide(id, b"ours")?,
            }
        }
        Ok(json!({"confirmed": ids.len() - stuck.len(), "said": said, "stuck": stuck}))
    }

    /// A person says that entries are not the office's: nobody is asked again, and they stay lost.
    /// Answers `{rejected}`.
    pub(crate) fn reject_entries(&mut self, entries: &[String], who: &Who) -> Answer<Json> {
        self.actors(who)?;
        let asked = self.unremembered(entries)?;
        for lost in &asked {
            self.decide(&lost.entry.id(), b"not ours")?;
        }
        Ok(json!({"rejected": asked.len()}))
    }

    fn decide(&mut self, entry: &EntryId, said: &[u8]) -> Answer<()> {
        Ok(self.store.set_note(&format!("{DECIDED}{entry}"), Some(said))?)
    }

    /// Lost entries that were not written here, by the beginnings of their ids; `all` for every one.
    fn unremembered(&self, names: &[String]) -> Answer<Vec<Lost>> {
        let mut foreign: Vec<Lost> = self.lost()?.into_iter().filter(|lost| !lost.mine).collect();
        if names.iter().any(|name| name == "all") {
            return Ok(foreign);
        }
        let mut wanted = BTreeSet::new();
        for name in names {
            let fits = |lost: &&Lost| lost.entry.id().to_string().starts_with(name.as_str());
            let found: Vec<EntryId> =
                foreign.iter().filter(fits).map(|lost| lost.entry.id()).collect();
            match found.as_slice() {
                [one] => wanted.insert(*one),
                _ => {
                    return Err(Trouble::new(
                        "not-found",
                        format!(
                            "没有（或不止一条）待确认的条目以“{name}”开头，请先运行 xiangwang forks 查看"
                        ),
                        format!(
                            "{name} names no entry to be confirmed, or several; see xiangwang forks"
                        ),
                    ));
                }
            };
        }
        foreign.retain(|lost| wanted.contains(&lost.entry.id()));
        Ok(foreign)
    }
}

/// What goes out again without a person being asked: what was written at this PC, and no other.
fn may_go_by_itself(lost: &Lost) -> bool {
    lost.mine
}

/// Everything held of a record, and what was said since.
fn with_said<'a>(held: &'a [Held], said: &'a [Signed]) -> Vec<Evidence<'a>> {
    let said = said.iter().map(|signed| Evidence {
        entry: &signed.entry,
        body: signed.body.as_ref(),
        standing: Standing::Local,
    });
    held.iter().map(Held::evidence).chain(said).collect()
}

/// Why an act was not said again.
enum Again {
    /// What it was written on has to be said first.
    Waits,
    /// For good, or until something changes.
    Cannot(Trouble),
}

impl From<Trouble> for Again {
    fn from(trouble: Trouble) -> Self {
        Self::Cannot(trouble)
    }
}

fn unsayable(error: &RepublishError) -> Trouble {
    let zh = match error {
        RepublishError::NoBody => "本机没有该条目的内容",
        RepublishError::Malformed(_) => "条目的内容格式有误",
        RepublishError::Ground(_) => "所依据的内容不再有效",
        RepublishError::LogWentOn => "该记录在新日志中已有后续内容",
        RepublishError::Unsound(_) => "内容与其所依据的不符",
        RepublishError::Entry(_) => "无法签名",
    };
    Trouble::new("republish", zh, with_causes(error))
}
