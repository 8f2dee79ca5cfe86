//! When an office above puts its word to what it received: soon after things are quiet, and never
//! later than a few seconds; one statement per space, whatever arrived in between.

use std::collections::{BTreeMap, BTreeSet};

use xw_schemas::id::LogId;
use xw_schemas::limits::WITNESS_PINS_MAX;
use xw_schemas::space::Space;

use crate::event::Effect;

/// Quiet time before a witness speaks: a form saved in several steps makes one statement.
pub(crate) const WITNESS_QUIET_MS: u64 = 300;

/// Longest delay of a witness while entries keep coming: the clerk's screen shows the township's
/// word within this time.
pub(crate) const WITNESS_DELAY_MS: u64 = 3_000;

/// Logs that received entries since the last statement.
#[derive(Debug, Clone, Default)]
pub(crate) struct Due {
    spaces: BTreeMap<Space, BTreeSet<LogId>>,
    first_ms: u64,
    last_ms: u64,
}

impl Due {
    pub(crate) fn note(&mut self, space: Space, log: LogId, now_ms: u64) {
        if self.spaces.is_empty() {
            self.first_ms = now_ms;
        }
        self.last_ms = now_ms;
        self.spaces.entry(space).or_default().insert(log);
    }

    /// The statements that are due.
    pub(crate) fn take(&mut self, now_ms: u64) -> Vec<Effect> {
        let quiet = now_ms.saturating_sub(self.last_ms) >= WITNESS_QUIET_MS;
        let late = now_ms.saturating_sub(self.first_ms) >= WITNESS_DELAY_MS;
        if self.spaces.is_empty() || !(quiet || late) {
            return Vec::new();
        }
        let spaces = std::mem::take(&mut self.spaces);
        let statement = |(space, logs): (Space, BTreeSet<LogId>)| {
            let logs: Vec<LogId> = logs.into_iter().collect();
            let parts: Vec<Vec<LogId>> =
                logs.chunks(WITNESS_PINS_MAX).map(<[LogId]>::to_vec).collect();
            parts.into_iter().map(move |logs| Effect::Witness { space, logs })
        };
        spaces.into_iter().flat_map(statement).collect()
    }
}
