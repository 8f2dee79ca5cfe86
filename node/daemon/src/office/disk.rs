//! What is done when the disk fails: space kept back for a full one; an end after a write that failed
//! or a page that is not what was written; at the next start, saving what can be read of a damaged
//! database. From the moment at which damage is met nothing more is written to its files.

mod checkup;
mod leftovers;
mod salvage;

use std::sync::atomic::{AtomicBool, Ordering};

use serde_json::{Value as Json, json};
use xw_schemas::space::Division;
use xw_store::{BALLAST_BYTES, StoreError};

use super::Office;
use crate::clock;
use crate::keys::is_training;
use crate::trouble::Answer;

pub(crate) use checkup::Checkup;
pub(crate) use leftovers::Leftovers;
pub(crate) use salvage::{Salvage, open, salvaged};

/// Space kept back in the county of exercises, where several nodes share one disk for an hour.
const TRAINING_BALLAST_BYTES: u64 = 1 << 20;

/// How often it is seen to that the space is kept back.
const BALLAST_EVERY_MS: u64 = 3_600_000;

/// What the person who starts the node reads when its disk has failed.
pub(crate) const DISK_FAILED_TEXT: &str = "\
磁盘读写出错，节点已停止，没有确认的内容均未视为已保存。请重新启动节点：启动时会检查数据库，如有损坏，
会把损坏的文件移到一旁，救出可读的部分，其余向邻居取回。若再次出现，请更换磁盘。
The disk failed and the node has stopped; nothing unconfirmed counts as saved. Start it again: it looks
at the database, sets damaged files aside, saves what can be read of them and fetches the rest. Replace
the disk if it happens again.";

/// The disk has failed in a way after which nothing in memory can be trusted.
static FAILED: AtomicBool = AtomicBool::new(false);

/// Notes whether an error is of that kind; the node then ends as soon as its callers have heard.
pub(crate) fn fatal(error: &StoreError) {
    if error.is_fatal() && !FAILED.swap(true, Ordering::AcqRel) {
        tracing::error!(error = %error, "the disk failed; the node ends");
    }
}

/// Whether the node is to end.
pub(crate) fn has_failed() -> bool {
    FAILED.load(Ordering::Acquire)
}

/// Space kept back for a full disk.
pub(crate) fn ballast_bytes(division: Division) -> u64 {
    if is_training(division) { TRAINING_BALLAST_BYTES } else { BALLAST_BYTES }
}

impl Office {
    /// Whether the node is to end because of its disk. Then nothing more is written, and the next
    /// start looks at every page.
    pub(crate) fn disk_has_failed(&mut self) -> bool {
        if self.store.is_broken() {
            fatal(&StoreError::Broken);
        }
        if has_failed() {
            // It may have been another connection than the store's that met the damage.
            self.store.give_up();
        }
        has_failed()
    }

    /// Sees to the space kept back and to the check of everything, when either is due.
    pub(crate) fn mind_disk(&mut self) -> Answer<()> {
        let now_ms = clock::steady_ms();
        if self.checkup.ballast_is_due(now_ms, BALLAST_EVERY_MS)
            && !self.store.keep_ballast(ballast_bytes(self.division()))?
        {
            tracing::warn!("the disk is almost full: no space can be kept back");
        }
        self.mind_leftovers()?;
        self.mind_checkup()
    }

    /// Answers `{salvaged, checked, checking}`.
    pub(super) fn disk_json(&self) -> Json {
        json!({
            "salvaged": self.salvage_json(),
            "checked": self.checkup.last(),
            "checking": self.checkup.is_running(),
        })
    }
}

#[cfg(test)]
mod tests;
