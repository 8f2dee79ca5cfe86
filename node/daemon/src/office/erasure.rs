//! Lawful erasure: a person asks, a second one of an office above agrees, and when the county has
//! witnessed both, every node that held the contents removes them and says so. Never removes an entry.

use serde_json::{Value as Json, json};
use xw_ledger::draft::{Author, write_erasure, write_erasure_receipt};
use xw_ledger::judge::{Evidence, erasure_agreed};
use xw_ledger::view::{Tombstone, View};
use xw_schemas::entry::{Erasure, ErasureGround, ErasureReceipt};
use xw_schemas::id::{PublicKey, RecordId};
use xw_schemas::record::Level;
use xw_schemas::space::Space;
use xw_store::ChangedRecord;

use super::Office;
use crate::clock;
use crate::request::EraseRecord;
use crate::trouble::{Answer, Trouble};

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

    /// Says of every record whose contents went from this disk that they did. Only an office that
    /// gets the contents and may write in the space has something to say.
    pub(super) fn answer_erasures(&mut self, changed: &[ChangedRecord]) -> Answer<()> {
        for record in changed {
            let Some(because) = record.erased else { continue };
            let said = self
                .tombstone(record.record)?
                .is_some_and(|tombstone| tombstone.done.contains(&self.own_key()));
            let level = self.division().tier().into();
            let ours = self.division().covers(record.space.division)
                && self.bodies_go_to(&record.record_type, level);
            if said || !ours {
                continue;
            }
            let tail = self.tail(record.space)?;
            let author = Author { node: &self.node, person: None };
            let receipt = ErasureReceipt { record: record.record, because };
            let roster = self.store.roster();
            let signed = write_erasure_receipt(roster, &tail, receipt, author, clock::act())?;
            self.keep(vec![signed])?;
        }
        Ok(())
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
