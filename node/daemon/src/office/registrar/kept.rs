//! What a cut keeps: every log of the key, with the last entry that is to stand. Reads what is held
//! here and nothing else.

use serde::Deserialize;
use xw_ledger::log::{Log, Point};
use xw_schemas::edition::SignerKind;
use xw_schemas::id::{EntryId, LogId, PublicKey};

use super::super::Office;
use crate::request::Keep;
use crate::trouble::{Answer, Trouble};

/// A list of what is to stand, as a person or another tool wrote it.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct KeptFile {
    keep: Vec<KeptEntry>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct KeptEntry {
    log: LogId,
    number: u64,
    entry: EntryId,
}

impl Office {
    /// The list of a cut, logs ascending.
    pub(super) fn kept(&self, key: &PublicKey, keep: &Keep) -> Answer<Vec<(LogId, u64, EntryId)>> {
        let mut kept = match keep {
            Keep::Witnessed => Vec::new(),
            Keep::Held => self.all_held(key),
            Keep::Listed(text) => {
                let file: KeptFile = toml::from_str(text).map_err(|error| {
                    let zh = "保留清单有误：应为 [[keep]] 下的 log、number 和 entry";
                    Trouble::because("keep", zh, "the list of what stands cannot be read", error)
                })?;
                file.keep.iter().map(|one| (one.log, one.number, one.entry)).collect()
            }
        };
        kept.sort();
        if let Some((log, number, _)) =
            kept.iter().find(|(log, number, entry)| !self.store.logs().holds(log, *number, entry))
        {
            return Err(Trouble::new(
                "keep",
                format!("本机没有日志 {} 的第 {number} 条这一条目", log.short()),
                format!("entry {number} of log {} is not held here", log.short()),
            ));
        }
        Ok(kept)
    }

    /// Every log of a PC; of a person, every log of the PCs of the own office, for nobody signs with
    /// another one's.
    fn all_held(&self, key: &PublicKey) -> Vec<(LogId, u64, EntryId)> {
        let roster = self.store.roster();
        let person = roster.signer(key).filter(|signer| signer.kind == SignerKind::Person);
        let concerns = |log: &Log| match person {
            None => log.node == *key,
            Some(person) => {
                roster.signer(&log.node).is_some_and(|node| node.office == person.office)
            }
        };
        let logs = self.store.logs().iter().filter(|(_, log)| concerns(log));
        logs.filter_map(|(id, log)| self.last_counting(id, log).map(|(n, entry)| (*id, n, entry)))
            .collect()
    }

    /// The last entry of a log that counts at present: its end, or where a fork has left it.
    fn last_counting(&self, id: &LogId, log: &Log) -> Option<Point> {
        let standing = self.store.logs().assess(self.store.roster(), id)?;
        let counting = |tip: Point| {
            let path = log.path(tip)?;
            let counts = |(number, entry): &(u64, EntryId)| standing.of(*number, entry).counts();
            (0..).zip(path).filter(counts).last()
        };
        log.tips().into_iter().filter_map(counting).max()
    }
}
