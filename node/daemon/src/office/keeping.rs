//! Looking after the store: digests, rebuilding, verifying.

use serde_json::{Value as Json, json};
use xw_schemas::id::hex;

use super::{Office, Progress};
use crate::trouble::Answer;

impl Office {
    /// Answers `{roster, rules, total, headers, records, spaces}`.
    pub(crate) fn digest(&mut self) -> Answer<Json> {
        self.settle_all()?;
        let roster = self.store.roster();
        let total = self.store.digest(None)?;
        let mut spaces = Vec::new();
        for (space, _) in self.store.logs().spaces() {
            let digest = self.store.digest(Some(*space))?;
            spaces.push(json!({
                "space": space.to_string(),
                "view": hex(&digest.views), "headers": hex(&digest.headers),
                "records": digest.records, "entries": digest.entries,
            }));
        }
        Ok(json!({
            "roster": roster.head(), "rules": roster.rules(),
            "total": hex(&total.views), "headers": hex(&total.headers),
            "records": total.records, "entries": total.entries, "spaces": spaces,
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

    /// Answers `{entries, records, logs, checkpoints, findings, sound}`.
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
        "more_findings": report.more_findings,
        "findings": findings, "sound": report.is_clean(),
    })
}
