//! Looking after the store: digests, rebuilding, verifying.

use serde_json::{Value as Json, json};
use xw_schemas::id::hex;
use xw_schemas::space::Space;

use super::{Office, Progress};
use crate::trouble::Answer;

impl Office {
    /// Answers `{roster, rules, total, headers, records, entries, spaces}`; without `total` and `view`
    /// while the store is locked.
    pub(crate) fn digest(&mut self) -> Answer<Json> {
        self.settle_all()?;
        let roster = self.store.roster();
        let mut answer = self.digest_of(None)?;
        let mut spaces = Vec::new();
        for (space, _) in self.store.logs().spaces() {
            let mut digest = self.digest_of(Some(*space))?;
            digest["space"] = json!(space.to_string());
            spaces.push(digest);
        }
        answer["roster"] = json!(roster.state());
        answer["rules"] = json!(roster.rules());
        let total = answer.as_object_mut().and_then(|answer| answer.remove("view"));
        answer["total"] = json!(total);
        answer["spaces"] = json!(spaces);
        Ok(answer)
    }

    /// Answers `{view, headers, records, entries}`.
    fn digest_of(&self, space: Option<Space>) -> Answer<Json> {
        if !self.store.is_unlocked() {
            let (headers, entries) = self.store.header_digest(space)?;
            return Ok(json!({"headers": hex(&headers), "entries": entries}));
        }
        let digest = self.store.digest(space)?;
        Ok(json!({
            "view": hex(&digest.views), "headers": hex(&digest.headers),
            "records": digest.records, "entries": digest.entries,
        }))
    }

    /// Answers `{before, after, same, records}`.
    pub(crate) fn rebuild(&mut self, progress: Progress<'_>) -> Answer<Json> {
        self.settle_all()?;
        let before = self.store.digest(None)?;
        let after = self.store.rebuild(progress)?;
        Ok(json!({
            "before": hex(&before.views), "after": hex(&after.views),
            "same": before.views == after.views, "records": after.records,
        }))
    }

    /// Answers `{entries, records, logs, checkpoints, findings, sound, locked}`; of a locked store
    /// entries, logs and roster alone are checked.
    pub(crate) fn verify(&mut self, progress: Progress<'_>) -> Answer<Json> {
        self.settle_all()?;
        Ok(report(&self.store.verify(progress)?))
    }
}

/// What a verification found, as data.
pub(crate) fn report(report: &xw_store::Report) -> Json {
    let findings: Vec<Json> = report
        .findings
        .iter()
        .map(|finding| {
            json!({
                "code": finding.code.name(), "place": finding.place,
                "zh": finding.zh(), "en": finding.en(),
            })
        })
        .collect();
    json!({
        "entries": report.entries, "records": report.records, "logs": report.logs,
        "checkpoints": report.checkpoints, "bodies": report.bodies,
        "documents": report.documents, "editions": report.editions,
        "more_findings": report.more_findings, "locked": report.locked,
        "findings": findings, "sound": report.is_clean(),
    })
}
