//! Everything checked again from the bytes: signatures, chains, bodies, checkpoints, verdicts, rows,
//! words. Trusts nothing that was worked out before, changes nothing, and does not stop at damage.

mod entries;
mod finding;
mod records;
mod search;

pub use finding::{Finding, FindingCode};

use std::collections::BTreeMap;
use std::path::Path;

use xw_ledger::judge::Definitions;
use xw_ledger::log::Logs;
use xw_ledger::roster::Roster;
use xw_ledger::standing::LogStanding;
use xw_schemas::checkpoint::Checkpoint;
use xw_schemas::edition::Edition;
use xw_schemas::id::LogId;
use xw_schemas::merkle::Frontier;
use xw_schemas::record::Level;
use xw_schemas::record::RecordType;

use crate::connection::{Place, files_of};
use crate::error::StoreError;
use crate::keys::Vault;
use crate::limits::FINDINGS_MAX;
use crate::load;
use crate::notes::log_named;
use crate::source::Source;
use crate::store::Store;

/// What checking everything found.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Report {
    /// What is wrong, in the order in which it was found.
    pub findings: Vec<Finding>,
    /// Findings beyond those listed.
    pub more_findings: u64,
    /// Entries read and verified.
    pub entries: u64,
    /// Bodies read and compared with what their entries bind.
    pub bodies: u64,
    /// Logs replayed.
    pub logs: u64,
    /// Roster editions checked.
    pub editions: u64,
    /// Checkpoints opened.
    pub checkpoints: u64,
    /// Records judged again.
    pub records: u64,
    /// Records read through the document library as well.
    pub documents: u64,
    /// Records that wait to be judged and were passed over.
    pub unsettled: u64,
    /// The store is locked: bodies and rows were passed over, and only entries, logs and roster
    /// were checked.
    pub locked: bool,
}

impl Report {
    /// Whether everything is as it should be.
    #[must_use]
    pub fn is_clean(&self) -> bool {
        self.findings.is_empty() && self.more_findings == 0
    }

    pub(crate) fn add(
        &mut self,
        code: FindingCode,
        place: impl Into<String>,
        detail: impl ToString,
    ) {
        if self.findings.len() < FINDINGS_MAX {
            let (place, detail) = (place.into(), detail.to_string());
            self.findings.push(Finding { code, place, detail });
        } else {
            self.more_findings += 1;
        }
    }
}

/// What one check may use.
pub(crate) struct Check<'a> {
    pub(crate) source: Source,
    pub(crate) vault: &'a Vault,
    pub(crate) encrypted: bool,
    /// The write-ahead logs are empty.
    pub(crate) copied_back: bool,
    pub(crate) shows: bool,
    pub(crate) roster: &'a Roster,
    /// The level by which the rows were made.
    pub(crate) level: Option<Level>,
    pub(crate) definitions: Definitions,
    pub(crate) report: Report,
    pub(crate) progress: &'a mut dyn FnMut(u64, u64),
    pub(crate) done: u64,
    pub(crate) total: u64,
}

impl Check<'_> {
    pub(crate) fn step(&mut self) {
        self.done += 1;
        (self.progress)(self.done, self.total);
    }
}

impl Store {
    /// Checks everything from the bytes. `progress` hears how much is done, and of how much. What
    /// is wrong becomes a finding; an error means that nothing could be read at all.
    pub fn verify(&self, progress: &mut dyn FnMut(u64, u64)) -> Result<Report, StoreError> {
        let copied_back = self.copied_back()?;
        let mut check = Check {
            source: Source::open(self.site.clone(), self.shown.clone())?,
            vault: &self.vault,
            encrypted: self.site.key.is_some(),
            copied_back,
            shows: self.shows(),
            roster: self.roster(),
            level: self.level(),
            definitions: Definitions::new(),
            report: Report::default(),
            progress,
            done: 0,
            total: 0,
        };
        check.pages();
        let sound = check.report.is_clean();
        // One state of the tables for all checks but those of the search index itself.
        check.source.begin()?;
        check.everything();
        check.source.end()?;
        // That check is asked for by writing, which an index on damaged pages is spared.
        if sound && check.shows && !self.read_only {
            check.report.add_search(&self.conn);
        }
        Ok(check.report)
    }
}

impl Store {
    /// Empties the write-ahead logs as far as that goes; says whether they are empty.
    fn copied_back(&self) -> Result<bool, StoreError> {
        if self.may_write().is_err() {
            let is_empty = |path: &Path| {
                let [_, log, _] = files_of(path);
                log.metadata().map_or(true, |file| file.len() == 0)
            };
            let rows = self.shown.as_ref().map(|shown| &shown.place);
            return Ok(self.site.path().is_none_or(is_empty)
                && !matches!(rows, Some(Place::File(path)) if !is_empty(path)));
        }
        Ok(self.empty_wal("main")? && (!self.shows() || self.empty_wal("shown")?))
    }
}

impl Check<'_> {
    fn everything(&mut self) {
        self.editions();
        self.definitions();
        for table in ["entry", "record"] {
            let sql = format!("SELECT count(*) FROM {table}");
            match self.source.read(|conn| conn.query_row(&sql, [], |row| load::number(row, 0))) {
                Ok(count) => self.total += count,
                Err(error) => self.report.add(FindingCode::Unreadable, table, error),
            }
        }
        let logs = self.entries();
        let assessed = self.standings(&logs);
        self.checkpoints(&logs);
        match (self.vault.is_open(), self.shows) {
            (true, true) => self.records(&assessed),
            (false, _) => self.report.locked = true,
            (true, false) => self.report.add(FindingCode::View, "view", "the rows are missing"),
        }
    }

    /// SQLite's own check of its pages and indexes, which sees little of what goes wrong with disks,
    /// and where there are keys the seal on every page, which sees everything.
    fn pages(&mut self) {
        for schema in ["main", "shown"].into_iter().take(1 + usize::from(self.shows)) {
            let mut lines = self.lines(schema, "integrity_check(100)");
            lines.retain(|line| line != "ok");
            // That check reads the file past the write-ahead log, where pages that a crash tore may
            // lie until they are copied over again.
            if self.encrypted && self.copied_back {
                lines.extend(self.lines(schema, "cipher_integrity_check"));
            }
            for line in lines {
                self.report.add(FindingCode::Pages, schema, line);
            }
        }
    }

    /// What a checking pragma says; that it cannot run is one more line.
    fn lines(&mut self, schema: &str, pragma: &str) -> Vec<String> {
        let sql = format!("PRAGMA {schema}.{pragma}");
        let mut lines = Vec::new();
        let whole = self.source.read(|conn| {
            let mut statement = conn.prepare(&sql)?;
            let mut rows = statement.query([])?;
            while let Some(row) = rows.next()? {
                lines.push(row.get::<_, String>(0)?);
            }
            Ok::<_, rusqlite::Error>(())
        });
        lines.extend(whole.err());
        lines
    }

    fn editions(&mut self) {
        match self.source.read(load::chain) {
            Ok(chain) if chain.roster() == self.roster => {}
            Ok(_) => self.report.add(FindingCode::Edition, "edition", "another roster than in use"),
            Err(error) => self.report.add(FindingCode::Edition, "edition", error),
        }
        let sql = "SELECT n, id, number, bytes FROM edition ORDER BY n";
        let rows = self.rows(sql, "edition", |row| {
            Ok((
                row.get::<_, i64>(0)?,
                row.get::<_, Vec<u8>>(1)?,
                load::number(row, 2)?,
                row.get(3)?,
            ))
        });
        for (n, id, number, bytes) in rows {
            self.report.editions += 1;
            let place = format!("edition {n}");
            match Edition::decode(bytes) {
                Ok(edition) if edition.id().0[..] == id[..] && edition.core().number == number => {}
                Ok(_) => self.report.add(FindingCode::Edition, place, "id or number"),
                Err(fault) => self.report.add(FindingCode::Edition, place, fault),
            }
        }
    }

    fn definitions(&mut self) {
        let sql = "SELECT n, hash, code, bytes FROM definition ORDER BY n";
        let rows = self.rows(sql, "definition", |row| {
            let bytes: Vec<u8> = row.get(3)?;
            Ok((row.get::<_, i64>(0)?, row.get::<_, Vec<u8>>(1)?, row.get::<_, String>(2)?, bytes))
        });
        for (n, hash, code, bytes) in rows {
            let place = format!("definition {n}");
            match RecordType::from_canonical(&bytes) {
                Ok(rt) if rt.hash().0[..] == hash[..] && rt.code == code => {
                    self.definitions.insert(rt.hash(), std::sync::Arc::new(rt));
                }
                Ok(_) => self.report.add(FindingCode::Definition, place, "hash or code"),
                Err(_) => self.report.add(FindingCode::Definition, place, "cannot be read"),
            }
        }
    }

    /// All rows that can be read; the first that cannot ends the list and becomes a finding.
    pub(crate) fn rows<T>(
        &mut self,
        sql: &str,
        place: &str,
        read: impl Fn(&rusqlite::Row<'_>) -> rusqlite::Result<T>,
    ) -> Vec<T> {
        let mut all = Vec::new();
        let (source, report) = (&mut self.source, &mut self.report);
        let outcome = source.read(|conn| {
            let mut statement = conn.prepare(sql)?;
            let mut rows = statement.query([])?;
            while let Some(row) = rows.next()? {
                match read(row) {
                    Ok(read) => all.push(read),
                    Err(error) => report.add(FindingCode::Unreadable, place, error),
                }
            }
            Ok::<_, rusqlite::Error>(())
        });
        if let Err(error) = outcome {
            self.report.add(FindingCode::Unreadable, place, error);
        }
        all
    }

    /// Compares what stands in the replayed logs with what the rows say.
    fn standings(&mut self, logs: &Logs) -> BTreeMap<LogId, LogStanding> {
        let assessed: BTreeMap<LogId, LogStanding> =
            logs.iter().filter_map(|(id, _)| Some((*id, logs.assess(self.roster, id)?))).collect();
        let stored = match self.source.read(load::assessed) {
            Ok(stored) => stored,
            Err(error) => {
                self.report.add(FindingCode::Unreadable, "log", error);
                return assessed;
            }
        };
        self.report.logs = assessed.len() as u64;
        for id in stored.keys().filter(|id| !assessed.contains_key(id)) {
            self.report.add(FindingCode::Log, format!("log {id}"), "has no entries");
        }
        for (id, standing) in &assessed {
            if stored.get(id) != Some(standing) {
                self.report.add(FindingCode::Standing, format!("log {id}"), "differs");
            }
        }
        let sql = "SELECT id, node, division, audience FROM log";
        let rows = self.rows(sql, "log", |row| {
            Ok((LogId(row.get(0)?), row.get::<_, [u8; 32]>(1)?, crate::settle::space(row, 2)?))
        });
        for (id, node, space) in rows {
            let fits = logs.log(&id).is_none_or(|log| log.node.0 == node && log.space == space);
            if !fits {
                self.report.add(FindingCode::Log, format!("log {id}"), "node or space");
            }
        }
        assessed
    }

    fn checkpoints(&mut self, logs: &Logs) {
        let sql = "SELECT l.id, c.size, c.note FROM checkpoint c JOIN log l ON l.n = c.log_n";
        let rows = self.rows(sql, "checkpoint", |row| {
            Ok((LogId(row.get(0)?), load::number(row, 1)?, row.get::<_, String>(2)?))
        });
        for (id, size, note) in rows {
            self.report.checkpoints += 1;
            let place = format!("checkpoint of log {id}");
            let Some(log) = logs.log(&id) else {
                self.report.add(FindingCode::Checkpoint, place, "its log is not held");
                continue;
            };
            match Checkpoint::open(&note, self.roster.network(), &log.node) {
                Ok(checkpoint) if checkpoint.size != size || log_named(&note) != Some(id) => {
                    self.report.add(FindingCode::Checkpoint, place, "log or size");
                }
                Ok(checkpoint) => {
                    let held = log.tips().into_iter().filter_map(|tip| log.path(tip)).any(|path| {
                        let size = usize::try_from(size).unwrap_or(usize::MAX);
                        path.get(..size).is_some_and(|prefix| {
                            let mut frontier = Frontier::new();
                            prefix.iter().for_each(|id| frontier.push(id));
                            frontier.root() == checkpoint.root
                        })
                    });
                    if !held {
                        let what = "no branch of the log has this size and root";
                        self.report.add(FindingCode::Checkpoint, place, what);
                    }
                }
                Err(fault) => self.report.add(FindingCode::Checkpoint, place, fault),
            }
        }
    }
}
