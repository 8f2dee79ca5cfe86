//! Lawful erasure: a person asks, a second one of an office above agrees, and when the county has
//! witnessed both, every node that held the contents removes them and says so. Never removes an entry.

use std::collections::BTreeSet;

use serde_json::{Value as Json, json};
use xw_ledger::draft::{Author, write_erasure, write_erasure_receipt};
use xw_ledger::judge::{Evidence, erasure_agreed};
use xw_ledger::view::{ERASED, Tombstone, View};
use xw_schemas::entry::{Erasure, ErasureGround, ErasureReceipt, Statement};
use xw_schemas::id::{PublicKey, RecordId};
use xw_schemas::record::Level;
use xw_schemas::space::Space;
use xw_store::{ChangedRecord, Order, Query, RecordDetail, SortKey};

use super::Office;
use crate::clock;
use crate::request::EraseRecord;
use crate::trouble::{Answer, Trouble};

/// After a receipt could not be written it is tried again so much later: a full disk is not emptied
/// within a tick.
const RECEIPTS_AGAIN_MS: u64 = 60_000;

/// Tombstones read at once.
const RECEIPTS_PAGE: u32 = 500;

/// Which records may lack this node's word that their contents are gone. It is looked for in the
/// rows, so that a receipt which was never written, because the node held back, stopped or had a
/// full disk, is written later.
pub(super) struct Receipts {
    /// Every tombstone is to be looked at: after a start, and when the store was opened.
    all: bool,
    owed: BTreeSet<RecordId>,
    /// Not before then, by the steady clock.
    again_ms: Option<u64>,
}

impl Receipts {
    pub(super) fn new() -> Self {
        Self { all: true, owed: BTreeSet::new(), again_ms: None }
    }

    pub(super) fn look_again(&mut self) {
        self.all = true;
        self.again_ms = None;
    }
}

impl Office {
    /// Answers `{record, entry, asked_by, ground, ground_zh, ground_en, agreed, erased}`.
    pub(crate) fn erase(&mut self, asked: &EraseRecord) -> Answer<Json> {
        let row = self.find_row(&asked.record)?;
        let space = Space { division: row.division, audience: row.audience };
        let ground = ErasureGround::from_number(asked.ground).ok_or_else(|| {
            let grounds: Vec<String> = ErasureGround::ALL
                .iter()
                .map(|ground| format!("{} {}", ground.number(), ground.zh()))
                .collect();
            Trouble::new(
                "ground",
                format!("请写明法定事由的编号（--ground）：{}", grounds.join("；")),
                "say the ground in law by its number, 1 to 5 (--ground)",
            )
        })?;
        if !self.division().covers(row.division) {
            return Err(Trouble::new(
                "no-right",
                "只有记录所在地的机构及其上级可以提出删除",
                "only the record's own office and those above it may ask for its erasure",
            ));
        }
        let details = self.reader.record(row.record)?;
        let detail = details.first().ok_or_else(|| Trouble::missing("该记录", "such record"))?;
        let record_type = detail.row.record_type.clone();
        if detail.view.erased.is_some() {
            return Err(Trouble::new(
                "erased",
                "该记录的内容已经依法删除",
                "the record's contents have been erased already",
            ));
        }
        let (person, _) = self.pick(&asked.who, |_| true)?;
        let tail = self.tail(space)?;
        let key = self.person_key(&person)?;
        let author = Author { node: &self.node, person: Some(key) };
        let erasure = Erasure { record: row.record, record_type, ground };
        let signed = write_erasure(self.store.roster(), &tail, erasure, author, clock::act())?;
        let entry = signed.entry.id();
        self.keep(vec![signed])?;
        self.settle_all()?;
        // The request is on disk; what cannot be answered at once is answered later.
        if let Err(trouble) = self.answer_erasures() {
            tracing::error!(
                code = trouble.code,
                trouble = trouble.en,
                "cannot say what was erased"
            );
        }
        self.settle_all()?;
        let erased = self.tombstone(row.record)?.is_some();
        let held = self.store.evidence(space, row.record)?;
        let evidence: Vec<Evidence<'_>> = held.iter().map(xw_store::Held::evidence).collect();
        let agreed = erasure_agreed(self.store.roster(), &evidence);
        Ok(json!({
            "record": row.record, "entry": entry, "asked_by": person,
            "ground": ground.number(), "ground_zh": ground.zh(), "ground_en": ground.en(),
            "agreed": agreed, "erased": erased,
        }))
    }

    fn tombstone(&self, record: RecordId) -> Answer<Option<Tombstone>> {
        let details = self.reader.record(record)?;
        Ok(details.into_iter().find_map(|detail| detail.view.erased))
    }

    /// Says of records whose contents went from this disk that they did, as far as that is owed and
    /// can be seen; called where this node may write. What cannot be said stays owed.
    pub(crate) fn answer_erasures(&mut self) -> Answer<()> {
        let now_ms = clock::steady_ms();
        if self.receipts.again_ms.is_some_and(|again| now_ms < again) || !self.store.is_unlocked() {
            return Ok(());
        }
        self.receipts.again_ms = Some(now_ms + RECEIPTS_AGAIN_MS);
        if self.receipts.all {
            let erased = self.erased_records()?;
            self.receipts.owed.extend(erased);
            self.receipts.all = false;
        }
        let mut failed = None;
        for record in std::mem::take(&mut self.receipts.owed) {
            if let Err(trouble) = self.answer_erasure(record) {
                self.receipts.owed.insert(record);
                failed.get_or_insert(trouble);
            }
        }
        if let Some(trouble) = failed {
            return Err(trouble);
        }
        self.receipts.again_ms = None;
        Ok(())
    }

    /// Notes which records settling found erased: their receipts are looked at anew.
    pub(super) fn owe_receipts(&mut self, changed: &[ChangedRecord]) {
        let erased = changed.iter().filter(|changed| changed.erased.is_some());
        self.receipts.owed.extend(erased.map(|changed| changed.record));
    }

    /// Only an office that gets the contents and may write in the space has something to say, and
    /// only once.
    fn answer_erasure(&mut self, record: RecordId) -> Answer<()> {
        let (own, level) = (self.own_key(), self.division().tier().into());
        for RecordDetail { row, view, .. } in self.reader.record(record)? {
            let Some(Tombstone { because, done, .. }) = view.erased else { continue };
            let ours = self.division().covers(row.space.division)
                && self.bodies_go_to(&view.record_type, level);
            if done.contains(&own) || !ours || self.has_answered(row.space, record)? {
                continue;
            }
            let tail = self.tail(row.space)?;
            let author = Author { node: &self.node, person: None };
            let receipt = ErasureReceipt { record, because };
            let roster = self.store.roster();
            let signed = write_erasure_receipt(roster, &tail, receipt, author, clock::act())?;
            self.keep(vec![signed])?;
        }
        Ok(())
    }

    /// Whether a receipt of this node stands in a log and only waits to be judged.
    fn has_answered(&self, space: Space, record: RecordId) -> Answer<bool> {
        let own = self.own_key();
        let held = self.store.evidence(space, record)?;
        Ok(held.iter().any(|held| {
            let receipt = matches!(held.entry.core().statement, Statement::Erased(_));
            receipt && held.entry.node() == own && held.standing.counts()
        }))
    }

    /// Every record of which nothing but a tombstone is left here.
    fn erased_records(&self) -> Answer<Vec<RecordId>> {
        let mut query = Query {
            states: vec![ERASED.to_owned()],
            sort: vec![(SortKey::Created, Order::Up)],
            limit: RECEIPTS_PAGE,
            ..Query::default()
        };
        let mut erased = Vec::new();
        loop {
            let page = self.reader.list(&query)?;
            erased.extend(page.rows.iter().map(|row| row.record));
            match page.next {
                Some(next) => query.after = Some(next),
                None => return Ok(erased),
            }
        }
    }

    /// What is shown in the place of erased contents: ground, persons, who has removed them and who
    /// has not said so yet.
    pub(super) fn erased_json(&self, view: &View, space: Space) -> Json {
        let Some(tombstone) = &view.erased else { return Json::Null };
        let roster = self.store.roster();
        let ground = ErasureGround::from_number(tombstone.ground);
        let person = |key: &PublicKey| {
            let signer = roster.signer(key);
            let office = roster.office_of(key).map(|office| office.name.clone());
            json!({
                "name": signer.map(|signer| signer.name.clone()), "office": office,
            })
        };
        let levels = self.current(&view.record_type).map(|rt| rt.body_levels.clone());
        let levels = levels.unwrap_or_default();
        let holds = |key: &&PublicKey| {
            roster.node_office(key).is_some_and(|office| {
                let level = Level::from(office.division.tier());
                office.division.covers(space.division) && levels.contains(&level)
            })
        };
        let live = roster.live_nodes();
        let holders: Vec<&PublicKey> = live.iter().filter(holds).collect();
        let name = |key: &PublicKey| {
            let office = roster.node_office(key).map(|office| office.name.clone());
            office.unwrap_or_else(|| key.short())
        };
        let done: Vec<String> = tombstone.done.iter().map(name).collect();
        let open: Vec<String> = holders
            .iter()
            .filter(|key| !tombstone.done.contains(key))
            .map(|key| name(key))
            .collect();
        json!({
            "ground": tombstone.ground,
            "ground_zh": ground.map(ErasureGround::zh), "ground_en": ground.map(ErasureGround::en),
            "because": tombstone.because,
            "people": tombstone.people.iter().map(person).collect::<Vec<_>>(),
            "done": done, "open": open,
        })
    }
}
