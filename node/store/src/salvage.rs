//! What can still be read of a damaged database, taken into a new one through the same door as a
//! neighbour's entries. Repairs nothing in place and trusts nothing but what verifies.

mod leftovers;

pub use leftovers::{Leftovers, Tried};

use std::path::Path;

use rusqlite::types::FromSql;
use rusqlite::{OptionalExtension as _, ToSql, params};
use xw_schemas::edition::Edition;
use xw_schemas::id::PublicKey;
use xw_schemas::record::RecordType;

use crate::connection::Site;
use crate::error::{Doing, StoreError};
use crate::keys::{FileKey, StoreKeys};
use crate::source::Source;
use crate::store::Store;

/// What a salvage brought out.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Salvaged {
    /// Roster editions taken over, the founding one aside.
    pub editions: u64,
    /// Editions that follow on one that is lost; see [`Store::leftovers`].
    pub editions_unplaced: u64,
    /// Entries taken over.
    pub entries: u64,
    /// Bodies taken over with them.
    pub bodies: u64,
    /// Places of entries and editions that cannot be read.
    pub unreadable: u64,
    /// Entries that do not verify, or that no log will ever take.
    pub unverified: u64,
    /// Entries that verify and have no place yet: the entry before is lost, or the edition with the
    /// key. Peers may have those; see [`Store::leftovers`].
    pub unplaced: u64,
    /// Checkpoints, notes and memories of imports taken over.
    pub others: u64,
}

impl Salvaged {
    /// Whether something that verifies has no place yet.
    #[must_use]
    pub fn leaves_some(&self) -> bool {
        self.unplaced + self.editions_unplaced > 0
    }

    /// After one more pass over the same files.
    fn and(self, later: Self) -> Self {
        Self {
            editions: self.editions + later.editions,
            entries: self.entries + later.entries,
            bodies: self.bodies + later.bodies,
            others: self.others + later.others,
            ..later
        }
    }
}

/// What a node is founded on; the same as for [`Store::create`].
#[derive(Debug, Clone)]
pub struct Founding {
    /// The edition that begins the network.
    pub founding: Edition,
    /// The definitions that the program knows.
    pub definitions: Vec<RecordType>,
    /// This node's key.
    pub own: Option<PublicKey>,
}

impl Store {
    /// Makes a new store at `fresh` and fills it with what can be read of the damaged one, which is
    /// only read. Both have the same keys. The caller moves the damaged files aside together before,
    /// begins new logs afterwards, and asks peers for the rest.
    pub fn salvage(
        damaged: &Path,
        fresh: &Path,
        founding: Founding,
        keys: Option<StoreKeys>,
    ) -> Result<(Self, Salvaged), StoreError> {
        let key = keys.as_ref().map(|keys| FileKey::new(keys.machine.clone()));
        let mut left = Leftovers::of(Source::open(Site::file(damaged, key), None)?);
        let Founding { founding, definitions, own } = founding;
        let mut store = Self::create(fresh, founding, definitions, own, keys)?;
        let mut salvaged = Salvaged::default();
        loop {
            let Some(pass) = store.try_leftovers(&mut left)?.pass else { continue };
            salvaged = salvaged.and(pass);
            // Entries lie in the order in which they came, so that only a gap leaves any behind; once
            // more in case the gap is of rows and not of logs.
            if !pass.leaves_some() || pass.entries + pass.editions == 0 {
                break;
            }
        }
        salvaged.others = store.salvage_others(left.source())?;
        tracing::warn!(?salvaged, "a damaged database was read as far as that goes");
        Ok((store, salvaged))
    }

    /// Takes over editions and definitions; says what became of the editions.
    fn salvage_editions(&mut self, source: &mut Source) -> Result<Salvaged, StoreError> {
        let rows = blobs(source, "edition");
        let mut salvaged = Salvaged { unreadable: rows.unreadable, ..Salvaged::default() };
        let editions = rows.found.into_iter().filter_map(|bytes| Edition::decode(bytes).ok());
        let mut waiting: Vec<Edition> =
            editions.filter(|edition| self.chain().edition(&edition.id()).is_none()).collect();
        // An edition may follow on one that is read later.
        loop {
            let before = waiting.len();
            for edition in std::mem::take(&mut waiting) {
                match self.add_edition(edition.clone())? {
                    Ok(_) => salvaged.editions += 1,
                    Err(_) => waiting.push(edition),
                }
            }
            if waiting.len() == before {
                break;
            }
        }
        salvaged.editions_unplaced = waiting.len() as u64;
        let rows = blobs(source, "definition");
        for definition in rows.found.iter().filter_map(|b| RecordType::from_canonical(b).ok()) {
            self.add_definition(definition)?;
        }
        Ok(salvaged)
    }

    /// Notes and memories have no proof of their own; they are taken as they are. Says how many.
    fn salvage_others(&mut self, source: &mut Source) -> Result<u64, StoreError> {
        let mut others = 0;
        for (_, note) in rows::<i64, String>(source, "checkpoint", ["log_n", "note"]) {
            // One that fits no log any more is no loss: its author makes another.
            others += u64::from(self.set_checkpoint(&note).is_ok());
        }
        for (key, value) in rows::<String, Vec<u8>>(source, "note", ["key", "value"]) {
            self.set_note(&key, Some(&value))?;
            others += 1;
        }
        let imports: Vec<(Vec<u8>, Vec<u8>)> = rows(source, "imported", ["fingerprint", "kept"]);
        let doing = "take over memories of imports";
        self.transact(doing, |parts| {
            let sql = "INSERT OR REPLACE INTO imported(fingerprint, kept) VALUES (?1, ?2)";
            let mut insert = parts.tx.prepare_cached(sql).doing(doing)?;
            for (fingerprint, kept) in &imports {
                insert.execute(params![fingerprint, kept]).doing(doing)?;
            }
            Ok(())
        })?;
        Ok(others + imports.len() as u64)
    }
}

/// What the rows of a small table hold, one by one, so that a damaged page hides no more than its own.
struct Blobs {
    found: Vec<Vec<u8>>,
    unreadable: u64,
}

fn blobs(source: &mut Source, table: &str) -> Blobs {
    let sql = format!("SELECT bytes FROM {table} WHERE n = ?1");
    let mut all = Blobs { found: Vec::new(), unreadable: 0 };
    for n in 1..=source.last(table, "n").unwrap_or(0) {
        match source.read(|conn| conn.query_row(&sql, [n], |row| row.get(0)).optional()) {
            Ok(bytes) => all.found.extend(bytes),
            Err(_) => all.unreadable += 1,
        }
    }
    all
}

/// Keys and values of a table, of the rows that can be reached from either end: what lies between two
/// damaged pages is not. Every value is read by itself, for part of one may lie on a damaged page too.
fn rows<K: FromSql + ToSql, V: FromSql>(
    source: &mut Source,
    table: &str,
    [key, value]: [&str; 2],
) -> Vec<(K, V)> {
    let mut keys: Vec<K> = Vec::new();
    for order in ["ASC", "DESC"] {
        let sql = format!("SELECT {key} FROM {table} ORDER BY {key} {order}");
        let whole = source.read(|conn| {
            let mut statement = conn.prepare(&sql)?;
            let mut rows = statement.query([])?;
            while let Some(row) = rows.next()? {
                keys.push(row.get(0)?);
            }
            Ok::<_, rusqlite::Error>(())
        });
        if whole.is_ok() {
            break;
        }
    }
    let sql = format!("SELECT {value} FROM {table} WHERE {key} = ?1");
    let value = |key: K| {
        let found = source
            .read(|conn| conn.prepare_cached(&sql)?.query_row([&key], |row| row.get::<_, V>(0)));
        found.ok().map(|value| (key, value))
    };
    keys.into_iter().filter_map(value).collect()
}
