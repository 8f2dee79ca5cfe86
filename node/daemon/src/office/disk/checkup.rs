//! Once a week the whole database is read and its entries verified, by a thread of its own and over a
//! connection that cannot write. Opens no body: nobody needs to be signed in for it.

use std::sync::mpsc::{self, Receiver, TryRecvError};

use serde::{Deserialize, Serialize};
use serde_json::Value as Json;
use xw_store::{Store, StoreError, StoreKeys};

use crate::clock::{self, DAY_MS};
use crate::office::Office;
use crate::trouble::Answer;

/// How often everything is read. A sector that went bad is found while neighbours still have what
/// stood there.
const EVERY_MS: u64 = 7 * DAY_MS;

/// So long after a start the check is put off: what came meanwhile goes first.
const AFTER_START_MS: u64 = 600_000;

/// Where the store remembers the last check.
const CHECKED: &str = "checked";

/// Findings that are remembered with it; a person runs `verify` for the rest.
const FINDINGS_KEPT: usize = 5;

/// What the last check found.
#[derive(Debug, Clone, Serialize, Deserialize)]
struct Checked {
    at_ms: u64,
    sound: bool,
    entries: u64,
    logs: u64,
    findings: u64,
    zh: Vec<String>,
    en: Vec<String>,
}

/// The check, and when the space kept back was last seen to.
pub(crate) struct Checkup {
    keys: StoreKeys,
    last: Option<Checked>,
    running: Option<Receiver<Result<Checked, StoreError>>>,
    began_ms: u64,
    ballast_ms: Option<u64>,
}

impl Checkup {
    pub(crate) fn load(store: &Store, keys: StoreKeys) -> Answer<Self> {
        let noted = store.note(CHECKED)?;
        let last = noted.and_then(|bytes| serde_json::from_slice(&bytes).ok());
        Ok(Self { keys, last, running: None, began_ms: clock::steady_ms(), ballast_ms: None })
    }

    pub(super) fn ballast_is_due(&mut self, now_ms: u64, every_ms: u64) -> bool {
        let due = self.ballast_ms.is_none_or(|last| now_ms >= last + every_ms);
        if due {
            self.ballast_ms = Some(now_ms);
        }
        due
    }

    pub(super) fn last(&self) -> Json {
        serde_json::to_value(&self.last).unwrap_or_default()
    }

    pub(super) fn is_running(&self) -> bool {
        self.running.is_some()
    }

    fn is_due(&self, now_ms: u64, steady_ms: u64) -> bool {
        let last_ms = self.last.as_ref().map(|last| last.at_ms);
        self.running.is_none()
            && steady_ms >= self.began_ms + AFTER_START_MS
            // A clock that was set back must not put the check off for years.
            && last_ms.is_none_or(|last| now_ms < last || now_ms - last >= EVERY_MS)
    }
}

impl Office {
    /// Begins the check when it is due, and takes in what it found.
    pub(super) fn mind_checkup(&mut self) -> Answer<()> {
        if self.checkup.is_due(clock::now_ms(), clock::steady_ms()) {
            let (path, keys) = (self.folder.store_path(), self.checkup.keys.clone());
            let (found, running) = mpsc::sync_channel(1);
            let work = move || {
                // Nobody waits any more when the node has stopped.
                let _ = found.send(check(&path, keys));
            };
            std::thread::Builder::new().name("checkup".to_owned()).spawn(work)?;
            self.checkup.running = Some(running);
        }
        let Some(running) = &self.checkup.running else { return Ok(()) };
        let found = match running.try_recv() {
            Err(TryRecvError::Empty) => return Ok(()),
            Err(TryRecvError::Disconnected) => None,
            Ok(found) => Some(found),
        };
        self.checkup.running = None;
        let checked = match found {
            Some(Ok(checked)) => checked,
            Some(Err(error)) => Checked {
                at_ms: clock::now_ms(),
                sound: false,
                entries: 0,
                logs: 0,
                findings: 1,
                zh: vec![error.zh()],
                en: vec![error.en()],
            },
            None => return Ok(()),
        };
        if !checked.sound {
            tracing::error!(findings = checked.findings, "the weekly check found damage");
            // What is bad on the disk is set aside at the next start, and not met at work first.
            self.store.doubt();
        }
        let bytes = serde_json::to_vec(&checked).expect("plain data");
        self.checkup.last = Some(checked);
        Ok(self.store.set_note(CHECKED, Some(&bytes))?)
    }
}

fn check(path: &std::path::Path, keys: StoreKeys) -> Result<Checked, StoreError> {
    let store = Store::open_read_only(path, Some(keys))?;
    let report = store.verify(&mut |_, _| {})?;
    let few = || report.findings.iter().take(FINDINGS_KEPT);
    Ok(Checked {
        at_ms: clock::now_ms(),
        sound: report.is_clean(),
        entries: report.entries,
        logs: report.logs,
        findings: report.findings.len() as u64 + report.more_findings,
        zh: few().map(xw_store::Finding::zh).collect(),
        en: few().map(xw_store::Finding::en).collect(),
    })
}
