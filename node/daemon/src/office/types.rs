//! The record types in use: in short, or one in full.

use serde_json::{Value as Json, json};

use super::Office;
use crate::trouble::{Answer, Trouble};

impl Office {
    /// Answers `{types: […]}` or `{definition, hash}`.
    pub(crate) fn types(&self, code: Option<&str>) -> Answer<Json> {
        if let Some(code) = code {
            let definition = self.current(code)?;
            let json = serde_json::to_value(definition.as_ref()).map_err(|error| {
                Trouble::new("definition", error.to_string(), error.to_string())
            })?;
            return Ok(json!({"definition": json, "hash": definition.hash().to_hex()}));
        }
        let mut types = Vec::new();
        for (code, hash) in self.store.roster().schemas() {
            let Some(rt) = self.store.definitions().get(hash) else { continue };
            types.push(json!({
                "code": code, "zh": rt.zh, "en": rt.en, "version": rt.version,
                "hash": hash.to_hex(), "fields": rt.fields.len(), "states": rt.states.len(),
                "transitions": rt.transitions.len(),
                "ledgers": rt.ledgers.iter()
                    .map(|ledger| json!({"key": ledger.key, "zh": ledger.zh})).collect::<Vec<_>>(),
            }));
        }
        Ok(json!({"types": types}))
    }
}
