//! What this node's own logs had reached, written down beside the database: a database that knows
//! less lost its end, or was put back from an older copy. Decides nothing; only tells.
//!
//! Two files. `store.high` is durable and written after some commits. `store.tick` counts every
//! commit and is left to the system to bring to disk: it is never ahead of the database, and after
//! anything but a power cut it is exact.

use std::collections::BTreeMap;
use std::fs::File;
use std::io::{Read as _, Seek as _, Write as _};
use std::path::{Path, PathBuf};

use xw_ledger::log::Logs;
use xw_schemas::hash::tagged;
use xw_schemas::id::{EntryId, LogId, PublicKey, hex, unhex};

use crate::connection::{Site, beside};
use crate::error::StoreError;
use crate::keys::FileKey;
use crate::limits::{HIGH_WATER_BYTES_MAX, HIGH_WATER_COMMITS};
use crate::whole::replace;

/// One opening of the store.
pub(crate) type Session = [u8; 16];

/// The writing side.
pub(crate) struct HighWater {
    /// Nothing for a store in memory.
    database: Option<PathBuf>,
    mark: Option<[u8; 32]>,
    session: Session,
    tick: Option<File>,
    /// Commits since the file was written that lengthened an own log.
    grown: u32,
}

/// What the file says.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub(crate) struct Marks {
    /// Tells the machine key of the database from others.
    pub(crate) key: Option<[u8; 32]>,
    /// Entries of each own log, and the last of them.
    pub(crate) logs: BTreeMap<LogId, (u64, EntryId)>,
}

impl HighWater {
    pub(crate) fn new(site: &Site, session: Session) -> Self {
        let mark = site.key.as_ref().map(FileKey::mark);
        let database = site.path().map(Path::to_owned);
        Self { database, mark, session, tick: None, grown: 0 }
    }

    /// Notes that a commit is on disk.
    pub(crate) fn tick(&mut self, commits: i64) {
        let Some(database) = &self.database else { return };
        let bytes = [&self.session[..], &commits.to_be_bytes()].concat();
        let written = (|| {
            let file = match &mut self.tick {
                Some(file) => file,
                none => {
                    let options = File::options().create(true).truncate(false).write(true).clone();
                    none.insert(options.open(tick_path(database))?)
                }
            };
            file.rewind()?;
            file.write_all(&bytes)
        })();
        if let Err(error) = written {
            tracing::warn!(error = %error, "a commit could not be counted beside the database");
        }
    }

    /// An own log has grown by a commit; the file is written anew after some of them.
    pub(crate) fn grew(&mut self, logs: &Logs, own: Option<PublicKey>) {
        self.grown += 1;
        if self.grown >= HIGH_WATER_COMMITS
            && let Err(error) = self.write(logs, own)
        {
            tracing::warn!(error = %error, "the high-water file could not be written");
        }
    }

    /// Writes the file: whole, durable, in place of the old one.
    pub(crate) fn write(&mut self, logs: &Logs, own: Option<PublicKey>) -> Result<(), StoreError> {
        let Some(database) = &self.database else { return Ok(()) };
        let own_logs = logs.iter().filter(|(_, log)| Some(log.node) == own);
        let heads = own_logs.filter_map(|(id, log)| Some((*id, (log.size(), log.head()?))));
        let marks = Marks { key: self.mark, logs: heads.collect() };
        let path = high_path(database);
        replace(&path, |file| file.write_all(marks.text().as_bytes()))
            .map_err(|source| StoreError::File { path, source })?;
        self.grown = 0;
        Ok(())
    }
}

impl Marks {
    fn text(&self) -> String {
        use std::fmt::Write as _;
        let mut text = format!("{HEADING}\n");
        if let Some(key) = &self.key {
            let _ = writeln!(text, "key {}", hex(key));
        }
        for (log, (size, head)) in &self.logs {
            let _ = writeln!(text, "log {log} {size} {head}");
        }
        let _ = writeln!(text, "end {}", hex(&check(&text)));
        text
    }

    fn parse(text: &str) -> Option<Self> {
        let (body, end) = text.split_at_checked(text.rfind("end ")?)?;
        if end.strip_prefix("end ")?.trim_end() != hex(&check(body)) {
            return None;
        }
        let mut lines = body.lines();
        if lines.next()? != HEADING {
            return None;
        }
        let mut marks = Self::default();
        for line in lines {
            match line.split(' ').collect::<Vec<_>>()[..] {
                ["key", key] => marks.key = Some(unhex(key)?.try_into().ok()?),
                ["log", log, size, head] => {
                    let head = (size.parse().ok()?, EntryId(unhex(head)?.try_into().ok()?));
                    marks.logs.insert(LogId::from_hex(log)?, head);
                }
                _ => return None,
            }
        }
        Some(marks)
    }
}

/// First line of the file; another form takes another number.
const HEADING: &str = "xiangwang high-water 1";

fn check(body: &str) -> [u8; 32] {
    tagged("xw/store/high-water/1", &[body.as_bytes()])
}

/// What the file beside a database says; nothing where there is none.
pub(crate) fn read(database: &Path) -> Result<Option<Marks>, StoreError> {
    let path = high_path(database);
    let file = match File::open(&path) {
        Ok(file) => file,
        Err(error) if error.kind() == std::io::ErrorKind::NotFound => return Ok(None),
        Err(source) => return Err(StoreError::File { path, source }),
    };
    let mut text = String::new();
    let read = file.take(HIGH_WATER_BYTES_MAX).read_to_string(&mut text);
    let marks = read.ok().and_then(|_| Marks::parse(&text));
    marks.map(Some).ok_or_else(|| StoreError::damaged("the high-water file"))
}

/// The last commit counted beside a database.
pub(crate) fn last_tick(database: &Path) -> Option<(Session, i64)> {
    let bytes = std::fs::read(tick_path(database)).ok()?;
    let (session, commits) = bytes.split_first_chunk::<16>()?;
    Some((*session, i64::from_be_bytes(commits.try_into().ok()?)))
}

/// The files kept here.
pub(crate) fn files(database: &Path) -> [PathBuf; 2] {
    [high_path(database), tick_path(database)]
}

fn high_path(database: &Path) -> PathBuf {
    beside(database, "high")
}

fn tick_path(database: &Path) -> PathBuf {
    beside(database, "tick")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_written_is_read_and_nothing_that_was_changed() {
        let logs = BTreeMap::from([(LogId([3; 32]), (41, EntryId([9; 32])))]);
        let marks = Marks { key: Some([1; 32]), logs };
        let text = marks.text();
        assert_eq!(Marks::parse(&text), Some(marks));
        assert_eq!(Marks::parse(&text.replace(" 41 ", " 40 ")), None);
        assert_eq!(Marks::parse(&text[..text.len() / 2]), None);
        assert_eq!(Marks::parse(""), None);
        let none = Marks::default();
        assert_eq!(Marks::parse(&none.text()), Some(none));
    }
}
