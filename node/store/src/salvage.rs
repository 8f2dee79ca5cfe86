//! What can still be read of a damaged database, taken into a new one through the same door as a
//! neighbour's entries. Repairs nothing in place and trusts nothing but what verifies.

use std::path::Path;

use rusqlite::{Connection, OptionalExtension as _, params};
use xw_schemas::edition::Edition;
use xw_schemas::entry::{Body, RawEntry};
use xw_schemas::id::{NetworkId, PublicKey};
use xw_schemas::record::RecordType;

use crate::connection::{self, Site};
use crate::error::{Doing, StoreError};
use crate::keys::{FileKey, Opened, StoreKeys, Vault};
use crate::load::number;
use crate::receive::{Arrival, ReceiveRefusal};
use crate::store::Store;

/// What a salvage brought out.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Salvaged {
    /// Roster editions taken over, the founding one aside.
    pub editions: u64,
    /// Entries taken over.
    pub entries: u64,
    /// Bodies taken over with them.
    pub bodies: u64,
    /// Places of entries that cannot be read.
    pub unreadable: u64,
    /// Entries that do not verify.
    pub unverified: u64,
    /// Entries that verify and whose entry before is lost; peers may have it.
    pub unplaced: u64,
    /// Checkpoints, notes and memories of imports taken over.
    pub others: u64,
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

/// Entries taken in at once: about 5 MB.
const BATCH_ENTRIES: usize = 512;

/// No entry is shorter: its signature and log alone take as much. A file has no more entries than
/// fit it at this length, one log of waiting pages included.
const ENTRY_BYTES_MIN: u64 = 48;

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
        let source = connection::reader(&Site::file(damaged, key))?;
        let Founding { founding, definitions, own } = founding;
        let mut store = Self::create(fresh, founding, definitions, own, keys)?;
        let mut salvaged = Salvaged::default();
        store.salvage_editions(&source, &mut salvaged)?;
        let bytes = damaged.metadata().map_or(0, |file| file.len());
        let entries_max = i64::try_from(bytes / ENTRY_BYTES_MIN).unwrap_or(i64::MAX);
        store.salvage_entries(&source, entries_max, &mut salvaged)?;
        store.salvage_others(&source, &mut salvaged)?;
        tracing::warn!(?salvaged, "a damaged database was read as far as that goes");
        Ok((store, salvaged))
    }

    fn salvage_editions(
        &mut self,
        source: &Connection,
        salvaged: &mut Salvaged,
    ) -> Result<(), StoreError> {
        let rows = readable(source, "edition", 1, |row| row.get::<_, Vec<u8>>(0), "bytes");
        salvaged.unreadable += rows.unreadable;
        // An edition may follow on one that is read later.
        let mut editions: Vec<Edition> =
            rows.found.into_iter().filter_map(|bytes| Edition::decode(bytes).ok()).collect();
        loop {
            let before = editions.len();
            let mut waiting = Vec::new();
            for edition in editions {
                if edition.id() == self.chain().founding().id() {
                    continue;
                }
                match self.add_edition(edition.clone())? {
                    Ok(_) => salvaged.editions += 1,
                    Err(_) => waiting.push(edition),
                }
            }
            if waiting.is_empty() || waiting.len() == before {
                salvaged.unplaced += waiting.len() as u64;
                break;
            }
            editions = waiting;
        }
        let rows = readable(source, "definition", 1, |row| row.get::<_, Vec<u8>>(0), "bytes");
        for definition in rows.found.iter().filter_map(|b| RecordType::from_canonical(b).ok()) {
            self.add_definition(definition)?;
        }
        Ok(())
    }

    fn salvage_entries(
        &mut self,
        source: &Connection,
        entries_max: i64,
        salvaged: &mut Salvaged,
    ) -> Result<(), StoreError> {
        let network = self.roster().network();
        // A damaged number must not keep us counting for ever.
        let last = last_entry(source).min(entries_max);
        let mut waiting: Vec<Arrival> = Vec::new();
        let mut batch: Vec<Arrival> = Vec::new();
        for n in 1..=last {
            match arrival(source, &self.vault, network, n) {
                Ok(Some(arrival)) => batch.push(arrival),
                Ok(None) => salvaged.unverified += 1,
                Err(_) => salvaged.unreadable += 1,
            }
            if batch.len() == BATCH_ENTRIES || n == last {
                waiting.extend(self.salvage_batch(std::mem::take(&mut batch), salvaged)?);
            }
        }
        // Entries came in the order of arrival, so that only a gap leaves any behind; tried again in
        // case the gap is of rows and not of logs.
        loop {
            let before = waiting.len();
            waiting = self.salvage_batch(waiting, salvaged)?;
            if waiting.len() == before {
                salvaged.unplaced += before as u64;
                return Ok(());
            }
        }
    }

    /// Takes entries in and gives back those that have no place yet.
    fn salvage_batch(
        &mut self,
        batch: Vec<Arrival>,
        salvaged: &mut Salvaged,
    ) -> Result<Vec<Arrival>, StoreError> {
        if batch.is_empty() {
            return Ok(batch);
        }
        let received = self.take(&batch)?;
        let refused: std::collections::BTreeSet<usize> = received
            .refused
            .iter()
            .filter(|refused| matches!(refused.reason, ReceiveRefusal::Door(_)))
            .map(|refused| refused.index)
            .collect();
        let mut waiting = Vec::new();
        for (index, arrival) in batch.into_iter().enumerate() {
            if refused.contains(&index) {
                waiting.push(arrival);
            } else {
                salvaged.entries += 1;
                salvaged.bodies += u64::from(arrival.kept.is_some());
            }
        }
        Ok(waiting)
    }

    /// Notes and memories have no proof of their own; they are taken as they are.
    fn salvage_others(
        &mut self,
        source: &Connection,
        salvaged: &mut Salvaged,
    ) -> Result<(), StoreError> {
        let notes = rows(source, "SELECT note FROM checkpoint", |row| row.get::<_, String>(0));
        for note in notes {
            // One that fits no log any more is no loss: its author makes another.
            salvaged.others += u64::from(self.set_checkpoint(&note).is_ok());
        }
        let kept = rows(source, "SELECT key, value FROM note", |row| {
            Ok((row.get::<_, String>(0)?, row.get::<_, Vec<u8>>(1)?))
        });
        for (key, value) in kept {
            self.set_note(&key, Some(&value))?;
            salvaged.others += 1;
        }
        let imports = rows(source, "SELECT fingerprint, kept FROM imported", |row| {
            Ok((row.get::<_, Vec<u8>>(0)?, row.get::<_, Vec<u8>>(1)?))
        });
        let doing = "take over memories of imports";
        salvaged.others += self.transact(doing, |parts| {
            let sql = "INSERT OR REPLACE INTO imported(fingerprint, kept) VALUES (?1, ?2)";
            let mut insert = parts.tx.prepare_cached(sql).doing(doing)?;
            for (fingerprint, kept) in &imports {
                insert.execute(params![fingerprint, kept]).doing(doing)?;
            }
            Ok(imports.len() as u64)
        })?;
        Ok(())
    }
}

/// One entry as it stands there, if it verifies. Its body is dropped where it can be seen not to be
/// the one that the entry binds; where it cannot, settling will see.
fn arrival(
    source: &Connection,
    vault: &Vault,
    network: NetworkId,
    n: i64,
) -> Result<Option<Arrival>, rusqlite::Error> {
    let row = source
        .prepare_cached("SELECT bytes, received_ms FROM entry WHERE n = ?1")?
        .query_row([n], |row| Ok((row.get::<_, Vec<u8>>(0)?, number(row, 1)?)))?;
    let (bytes, received_ms) = row;
    let Ok(entry) = RawEntry::decode(bytes).and_then(|raw| raw.verify(network)) else {
        return Ok(None);
    };
    let kept = source
        .prepare_cached("SELECT bytes FROM body WHERE entry_n = ?1")
        .and_then(|mut s| s.query_row([n], |row| row.get::<_, Vec<u8>>(0)).optional());
    let fits = |kept: &Vec<u8>| match vault.read(kept) {
        Opened::Bytes(bytes) => Body::from_bytes(bytes)
            .zip(entry.change())
            .is_some_and(|(body, change)| body.matches(change)),
        Opened::Locked => true,
        Opened::Damaged => false,
    };
    // A body that cannot be read is one to ask peers for.
    let kept = kept.ok().flatten().filter(fits);
    Ok(Some(Arrival { entry, kept, received_ms }))
}

/// The highest number that any table still knows of.
fn last_entry(source: &Connection) -> i64 {
    [
        "SELECT max(n) FROM entry",
        "SELECT max(entry_n) FROM body",
        "SELECT max(entry_n) FROM verdict",
    ]
    .into_iter()
    .filter_map(|sql| source.query_row(sql, [], |row| row.get::<_, Option<i64>>(0)).ok()?)
    .max()
    .unwrap_or(0)
}

/// Rows of a small table, one by one, so that a damaged page hides no more than its own.
struct Found<T> {
    found: Vec<T>,
    unreadable: u64,
}

fn readable<T>(
    source: &Connection,
    table: &str,
    from: i64,
    read: impl Fn(&rusqlite::Row<'_>) -> rusqlite::Result<T>,
    column: &str,
) -> Found<T> {
    let last: i64 = source
        .query_row(&format!("SELECT max(n) FROM {table}"), [], |row| row.get::<_, Option<i64>>(0))
        .ok()
        .flatten()
        .unwrap_or(0);
    let sql = format!("SELECT {column} FROM {table} WHERE n = ?1");
    let mut all = Found { found: Vec::new(), unreadable: 0 };
    for n in from..=last {
        match source.query_row(&sql, [n], &read) {
            Ok(row) => all.found.push(row),
            Err(rusqlite::Error::QueryReturnedNoRows) => {}
            Err(_) => all.unreadable += 1,
        }
    }
    all
}

/// All rows up to the first that cannot be read.
fn rows<T>(
    source: &Connection,
    sql: &str,
    read: impl Fn(&rusqlite::Row<'_>) -> rusqlite::Result<T>,
) -> Vec<T> {
    let Ok(mut statement) = source.prepare(sql) else { return Vec::new() };
    let Ok(rows) = statement.query_map([], |row| read(row)) else { return Vec::new() };
    rows.map_while(Result::ok).collect()
}
