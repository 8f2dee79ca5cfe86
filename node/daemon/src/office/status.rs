//! Where the office stands: what only this PC holds, who was heard from, what waits.

use serde_json::{Value as Json, json};
use xw_ledger::standing::Standing;
use xw_schemas::edition::SignerKind;
use xw_schemas::value::Value;
use xw_store::{GroupKey, Query};

use super::Office;
use crate::trouble::Answer;

impl Office {
    /// Answers the state of the node; `running` is filled in by who knows.
    pub(crate) fn status(&self) -> Answer<Json> {
        let roster = self.store.roster();
        let heard = self.store.heard()?;
        let neighbours: Vec<Json> = self
            .settings
            .neighbours
            .iter()
            .map(|neighbour| {
                json!({
                    "office": neighbour.office, "key": neighbour.key,
                    "connected": self.connected.contains(&neighbour.key),
                    "heard_ms": heard.get(&neighbour.key),
                })
            })
            .chain(
                self.connected
                    .iter()
                    .filter(|key| !self.settings.neighbours.iter().any(|n| n.key == **key))
                    .map(|key| {
                        json!({
                            "office": roster.office_of(key).map(|office| office.name.clone()),
                            "key": key, "connected": true, "heard_ms": heard.get(key),
                        })
                    }),
            )
            .collect();
        let people: Vec<Json> = roster
            .signers()
            .filter(|(_, s)| s.kind == SignerKind::Person)
            .filter(|(key, _)| self.operators().any(|(operator, _)| operator == **key))
            .map(|(_, signer)| json!({"name": signer.name, "roles": signer.roles}))
            .collect();
        let villages: Vec<Json> = self
            .villages()?
            .into_iter()
            .map(|v| {
                json!({
                    "division": v.division, "name": v.name, "logs": v.logs,
                    "heard_ms": v.heard_ms.max(v.received_ms),
                })
            })
            .collect();
        let mut answer = json!({
            "office": self.settings.office,
            "division": self.settings.division,
            "network": roster.network(),
            "node": self.own_key(),
            "folder": self.folder.path().display().to_string(),
            "roster": {"number": roster.number(), "frozen": roster.is_frozen(), "head": roster.state()},
            "people": people,
            "custody": self.custody(),
            "refused": self.reader.refused(1_000)?.len(),
            "forks": self.fork_count(),
            "witness_retired": self.witness_retired(),
            "unasked": self.went_on_unasked,
            "disk": self.disk_json(),
            "alarms": self.alarms()?,
            "neighbours": neighbours,
            "villages": villages,
            "coverage": self.coverage()?,
        });
        if let (Json::Object(answer), Json::Object(held)) = (&mut answer, self.held()?) {
            answer.extend(held);
        }
        Ok(answer)
    }

    /// How much is held and how far it has travelled. Of a locked store, and under rules that this
    /// program does not know, only the first is known.
    fn held(&self) -> Answer<Json> {
        if !self.store.is_unlocked() || !self.store.roster().rules_are_known() {
            let size = self.reader.size()?;
            return Ok(json!({"records": size.records, "entries": size.entries}));
        }
        let all = Query::default();
        let by_standing = self.reader.counts(&all, &[GroupKey::Standing])?;
        let standing = |wanted: Standing| -> u64 {
            let number = Value::Int(i64::from(wanted.number()));
            by_standing.iter().filter(|g| g.keys.first() == Some(&number)).map(|g| g.count).sum()
        };
        let by_type: Vec<Json> = self
            .reader
            .counts(&all, &[GroupKey::Type, GroupKey::State])?
            .into_iter()
            .map(|group| json!({"keys": group.keys, "count": group.count}))
            .collect();
        let digest = self.store.digest(None)?;
        Ok(json!({
            "records": digest.records,
            "entries": digest.entries,
            "unsettled": digest.unsettled,
            "only_here": standing(Standing::Local),
            "township": standing(Standing::Witnessed),
            "county": standing(Standing::Final),
            "by_type": by_type,
        }))
    }
}
