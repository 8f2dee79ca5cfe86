//! When this node stops writing in the logs that it has and begins new ones: a copy that was put
//! back, another PC, a fork, neighbours who know more. What it cannot have written itself is noted
//! before it is stored, so that everything else is known to have been typed here.

use std::collections::{BTreeMap, BTreeSet};

use serde::{Deserialize, Serialize};
use xw_ledger::log::{Log, Point};
use xw_schemas::entry::{Body, Statement, VerifiedEntry};
use xw_schemas::id::{EntryId, LogId, PublicKey};
use xw_schemas::space::Space;
use xw_store::Store;

use super::{Office, machine};
use crate::clock::{self, DAY_MS};
use crate::trouble::{Answer, Trouble};

/// What the store remembers of this life of the node.
const LIFE: &str = "life";

/// From when on rollbacks count again, after a person said that their cause is gone.
const RESUMED: &str = "resumed";

/// A PC that was put back so often within [`ROLLBACK_DAYS`] is put back by something that will do it
/// again: a restore card, a disk image at each start. Twice can be bad luck.
pub(super) const ROLLBACKS_MAX: u64 = 3;

/// Days for which a rollback counts.
pub(super) const ROLLBACK_DAYS: u64 = 30;

/// Bytes of a place in a log, as noted.
const POINT_BYTES: usize = 40;

/// Beginnings of foreign branches noted per log: what fits in a note. A clone makes one; more are an
/// attack, and then nothing of the log is written again without a person.
const FOREIGN_MAX: usize = 1_600;

/// One life of a node: as long as nothing says that it is not the only one to write in its logs.
#[derive(Debug, Clone, Serialize, Deserialize)]
struct Life {
    /// Tells it from every other.
    token: String,
    /// When it began, milliseconds since 1970.
    began_ms: u64,
    /// Why.
    why: Why,
    /// The PC, by [`machine::mark`].
    pc: String,
    /// Since it began, somebody who would know more was found to know no more of the roster.
    #[serde(default)]
    caught_up: bool,
}

/// Why a node begins new logs.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub(crate) enum Why {
    /// It is new.
    New,
    /// A backup was put back.
    Restored,
    /// The folder came to another PC.
    OtherPc,
    /// The database was damaged, and what could be read of it went into a new one.
    Salvaged,
    /// The database knows less than was noted beside it.
    Behind,
    /// A neighbour knows entries of this node that are not held here, or another branch.
    Elsewhere,
}

impl Why {
    /// For the screen.
    pub(crate) fn zh(self) -> &'static str {
        match self {
            Self::New => "新建节点",
            Self::Restored => "从备份恢复",
            Self::OtherPc => "节点目录换到了另一台电脑",
            Self::Salvaged => "数据库文件损坏，已从中救出可读的部分",
            Self::Behind => "数据库比旁边的记录旧（被还原或末尾丢失）",
            Self::Elsewhere => {
                "邻居持有以本机密钥签名而本机没有的条目（磁盘被还原、克隆，或密钥被他人使用）"
            }
        }
    }

    pub(crate) fn en(self) -> &'static str {
        match self {
            Self::New => "a new node",
            Self::Restored => "a backup was put back",
            Self::OtherPc => "the folder came to another PC",
            Self::Salvaged => "the database was damaged and saved as far as it could be read",
            Self::Behind => "the database knows less than was noted beside it",
            Self::Elsewhere => "neighbours hold entries of this node that it does not have",
        }
    }
}

/// What an office knows of its own logs.
pub(crate) struct Incarnation {
    life: Life,
    /// Own logs in which this life writes.
    live: BTreeSet<LogId>,
    /// Where branches of own logs begin that were not written here.
    foreign: BTreeMap<LogId, BTreeSet<Point>>,
    /// When a person last said that nothing puts this PC back any more.
    resumed_ms: u64,
    /// A life began since the mesh last asked.
    begun: bool,
}

impl Incarnation {
    /// Looks whether the store goes on with the life that it was in; begins another if not.
    pub(super) fn load(
        store: &mut Store,
        own: PublicKey,
        folder: &std::path::Path,
        salvaged: bool,
    ) -> Answer<Self> {
        let pc = machine::mark(folder)?;
        let noted = store.note(LIFE)?;
        let life: Option<Life> = noted.and_then(|bytes| serde_json::from_slice(&bytes).ok());
        let marked = store.restore_marker()?.is_some();
        let why = match &life {
            _ if marked => Some(Why::Restored),
            _ if salvaged => Some(Why::Salvaged),
            None => Some(Why::New),
            Some(life) if life.pc != pc => Some(Why::OtherPc),
            Some(_) if store.opened().lost_something() => Some(Why::Behind),
            Some(_) => None,
        };
        let life = match (life, why) {
            (Some(life), None) => life,
            (_, why) => {
                let life = Life::begin(store, why.unwrap_or(Why::New), pc)?;
                // Only now: with the mark gone and the old life noted, it would write on.
                if marked {
                    store.clear_restore_marker()?;
                }
                life
            }
        };
        let resumed = store.note(RESUMED)?.and_then(|bytes| bytes.try_into().ok());
        let mut incarnation = Self {
            begun: life.why != Why::New && why.is_some(),
            life,
            live: BTreeSet::new(),
            foreign: BTreeMap::new(),
            resumed_ms: resumed.map_or(0, u64::from_be_bytes),
        };
        let logs: Vec<LogId> =
            store.logs().iter().filter(|(_, log)| log.node == own).map(|(id, _)| *id).collect();
        for log in logs {
            if store.note(&own_note(&log))?.as_deref() == Some(incarnation.life.token.as_bytes()) {
                incarnation.live.insert(log);
            }
            if let Some(bytes) = store.note(&foreign_note(&log))? {
                incarnation.foreign.insert(log, read_points(&bytes));
            }
        }
        Ok(incarnation)
    }

    /// Whether this life may write in a log.
    pub(super) fn writes_in(&self, log: &LogId) -> bool {
        self.live.contains(log) && !self.foreign.contains_key(log)
    }

    /// Whether every foreign branch of a log could be noted. Where not, nothing there is taken for
    /// this node's own.
    pub(super) fn knows_all_branches(&self, log: &LogId) -> bool {
        self.foreign.get(log).is_none_or(|branches| branches.len() < FOREIGN_MAX)
    }

    /// Where branches of a log begin that were not written here.
    pub(super) fn foreign(&self, log: &LogId) -> Option<&BTreeSet<Point>> {
        self.foreign.get(log)
    }

    /// Why this life began, and when.
    pub(super) fn began(&self) -> (Why, u64) {
        (self.life.why, self.life.began_ms)
    }
}

impl Life {
    fn begin(store: &mut Store, why: Why, pc: String) -> Answer<Self> {
        let (token, began_ms) = (clock::token(), clock::now_ms());
        let life = Self { token, began_ms, why, pc, caught_up: false };
        life.note(store)?;
        if why != Why::New {
            tracing::warn!(why = why.en(), "this node goes on in new logs");
        }
        Ok(life)
    }

    fn note(&self, store: &mut Store) -> Answer<()> {
        let bytes = serde_json::to_vec(self).expect("plain data");
        Ok(store.set_note(LIFE, Some(&bytes))?)
    }
}

impl Office {
    /// Stops writing in the present logs; the next entry opens new ones.
    pub(super) fn begin_life(&mut self, why: Why) -> Answer<()> {
        let pc = self.incarnation.life.pc.clone();
        self.incarnation.life = Life::begin(&mut self.store, why, pc)?;
        self.incarnation.live.clear();
        self.incarnation.begun = true;
        self.outbox.look_again();
        Ok(())
    }

    /// Whether a life began since the last call: what depended on the old logs is done again.
    pub(crate) fn take_life_begun(&mut self) -> bool {
        std::mem::take(&mut self.incarnation.begun)
    }

    /// Whether the roster may have grown by this office's own word without this node knowing: in a
    /// life that began with an older store, until somebody has shown to know no more.
    pub(crate) fn may_lag(&self) -> bool {
        self.incarnation.life.why != Why::New && !self.incarnation.life.caught_up
    }

    /// Notes that this is over.
    pub(super) fn note_caught_up(&mut self) -> Answer<()> {
        self.incarnation.life.caught_up = true;
        self.incarnation.life.note(&mut self.store)
    }

    /// Whether neighbours are asked what they know of this node before it writes: after a start with
    /// logs or editions that it wrote before.
    pub(crate) fn asks_first(&self) -> bool {
        let own = self.own_key();
        let wrote =
            self.store.logs().iter().any(|(_, log)| log.node == own) || self.has_registered();
        // Of a database that was lost whole not even the old logs are known.
        self.incarnation.begun || self.may_lag() || (wrote && !self.settings.neighbours.is_empty())
    }

    /// Notes, before it is stored, that a log is this life's own.
    pub(super) fn note_own_log(&mut self, log: LogId) -> Answer<()> {
        let token = self.incarnation.life.token.clone();
        self.store.set_note(&own_note(&log), Some(token.as_bytes()))?;
        self.incarnation.live.insert(log);
        Ok(())
    }

    /// A neighbour knows entries of an own log that are not held here. Answers whether this node was
    /// writing in it.
    pub(crate) fn own_log_elsewhere(&mut self, log: LogId) -> Answer<bool> {
        let live = self.incarnation.live.contains(&log);
        if live {
            self.begin_life(Why::Elsewhere)?;
        }
        Ok(live)
    }

    /// Notes, before they are stored, entries from neighbours that bear this node's own key and are
    /// not held: whatever is held and not noted was written here. New logs are begun when they touch
    /// the ones that are being written.
    pub(crate) fn note_foreign(&mut self, entries: &[(VerifiedEntry, Option<Body>)]) -> Answer<()> {
        let own = self.own_key();
        let mut here: BTreeSet<EntryId> = BTreeSet::new();
        let mut elsewhere = false;
        for (entry, _) in entries.iter().filter(|(entry, _)| entry.node() == own) {
            let (core, id) = (entry.core(), entry.id());
            if self.store.logs().holds(&core.log, core.sequence, &id) {
                continue;
            }
            here.insert(id);
            elsewhere |= self.incarnation.live.contains(&core.log);
            if let Statement::Open(opening) = &core.statement {
                // Another life went on from where this one stands.
                elsewhere |= opening.successor_of.is_some_and(|last| self.is_live(last));
            }
            let behind_foreign = core.sequence > 0
                && (here.contains(&core.previous)
                    || self.is_foreign(&core.log, (core.sequence - 1, core.previous)));
            if !behind_foreign {
                self.note_branch(core.log, (core.sequence, id))?;
            }
        }
        if !here.is_empty() {
            self.outbox.look_again();
        }
        if elsewhere { self.begin_life(Why::Elsewhere) } else { Ok(()) }
    }

    fn note_branch(&mut self, log: LogId, point: Point) -> Answer<()> {
        let noted = self.incarnation.foreign.entry(log).or_default();
        if noted.len() >= FOREIGN_MAX || !noted.insert(point) {
            return Ok(());
        }
        let bytes: Vec<u8> = noted
            .iter()
            .flat_map(|(sequence, id)| [&sequence.to_be_bytes()[..], &id.0[..]].concat())
            .collect();
        Ok(self.store.set_note(&foreign_note(&log), Some(&bytes))?)
    }

    /// Whether an entry stands in a log in which this life writes.
    fn is_live(&self, entry: EntryId) -> bool {
        let logs = self.store.logs();
        let live = self.incarnation.live.iter().filter_map(|log| logs.log(log));
        live.flat_map(Log::entries).any(|(_, id)| id == entry)
    }

    /// Whether an entry of an own log was not written here.
    pub(super) fn is_foreign(&self, log: &LogId, point: Point) -> bool {
        let Some(foreign) = self.incarnation.foreign.get(log) else { return false };
        if !self.incarnation.knows_all_branches(log) {
            return true;
        }
        let path = self.store.logs().log(log).and_then(|log| log.path(point)).unwrap_or_default();
        (0..).zip(path).any(|point| foreign.contains(&point))
    }

    /// Refuses to write while something puts this PC back again and again: every entry would be
    /// written for the next restart to throw away.
    pub(super) fn refuse_if_rolled_back(&self) -> Answer<()> {
        let rollbacks = self.rollbacks()?;
        if rollbacks < ROLLBACKS_MAX {
            return Ok(());
        }
        Err(Trouble::new(
            "rolled-back",
            format!(
                "本机在 {ROLLBACK_DAYS} 天内已被还原 {rollbacks} 次，很可能装有还原卡、一键还原（Ghost）或影子系统，重启后新登记的内容会被抹掉。为防止丢失，已停止登记和办理（查看不受影响）。请先取消对节点目录所在磁盘的还原保护，或把节点目录移到不被还原的磁盘，再运行 xiangwang forks resume；并请告知乡镇。如果本机从未被还原，则可能有人在别处使用本机密钥，请立即报告乡镇撤销"
            ),
            format!(
                "this PC was put back {rollbacks} times within {ROLLBACK_DAYS} days, probably by a restore card or a disk image, and what is entered would be lost at the next start; nothing is written until the node's folder lies on a disk that is not put back; then run xiangwang forks resume, and tell the township; if nothing put it back, somebody else may be using its key, which the township's registrar then cuts"
            ),
        ))
    }

    /// How often this PC was put back lately: every life of this node that it knows from neighbours
    /// alone was thrown away here, and so was what it wrote in a log of which they know more.
    pub(super) fn rollbacks(&self) -> Answer<u64> {
        let since = clock::now_ms().saturating_sub(ROLLBACK_DAYS * DAY_MS);
        let since = since.max(self.incarnation.resumed_ms);
        let (mut lives, mut ends): (BTreeMap<Space, u64>, BTreeMap<Space, u64>) =
            Default::default();
        for (id, points) in &self.incarnation.foreign {
            let Some(log) = self.store.logs().log(id) else { continue };
            let lost = if points.iter().any(|(sequence, _)| *sequence == 0) {
                lives.entry(log.space).or_default()
            } else {
                ends.entry(log.space).or_default()
            };
            let held: Vec<Point> =
                points.iter().filter(|(s, entry)| log.holds(*s, entry)).copied().collect();
            let entries = self.entries_at(*id, &held)?;
            let recent = entries.iter().any(|held| held.0.core().claimed_time_ms >= since);
            *lost += u64::from(recent);
        }
        // A life that ended in one space ended in all; one end of an older log is one rollback.
        let spaces: BTreeSet<&Space> = lives.keys().chain(ends.keys()).collect();
        let count = |space: &Space| {
            let end = u64::from(ends.get(space).is_some_and(|ends| *ends > 0));
            lives.get(space).copied().unwrap_or(0) + end
        };
        Ok(spaces.into_iter().map(count).max().unwrap_or(0))
    }

    /// A person says that nothing puts this PC back any more. Answers `{resumed, rollbacks}`.
    pub(crate) fn resume(&mut self) -> Answer<serde_json::Value> {
        let before = self.rollbacks()?;
        let now_ms = clock::now_ms();
        self.store.set_note(RESUMED, Some(&now_ms.to_be_bytes()))?;
        self.incarnation.resumed_ms = now_ms;
        self.outbox.look_again();
        Ok(serde_json::json!({"resumed": true, "rollbacks": before}))
    }
}

fn own_note(log: &LogId) -> String {
    format!("own/{log}")
}

fn foreign_note(log: &LogId) -> String {
    format!("foreign/{log}")
}

fn read_points(bytes: &[u8]) -> BTreeSet<Point> {
    let point = |bytes: &[u8]| -> Option<Point> {
        let (sequence, id) = bytes.split_first_chunk::<8>()?;
        Some((u64::from_be_bytes(*sequence), EntryId(id.try_into().ok()?)))
    };
    bytes.chunks(POINT_BYTES).filter_map(point).collect()
}
