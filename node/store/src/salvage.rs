//! What can still be read of a damaged database, taken into a new one through the same door as a
//! neighbour's entries. Repairs nothing in place and trusts nothing but what verifies.

use std::path::Path;

use rusqlite::types::FromSql;
use rusqlite::{OptionalExtension as _, ToSql, params};
use xw_schemas::edition::Edition;
use xw_schemas::entry::{Body, RawEntry};
use xw_schemas::id::{NetworkId, PublicKey};
use xw_schemas::record::RecordType;

use crate::connection::Site;
use crate::error::{Doing, StoreError};
use crate::keys::{FileKey, Opened, StoreKeys, Vault};
use crate::load::number;
use crate::receive::{Arrival, ReceiveRefusal};
use crate::source::Source;
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
        let mut source = Source::open(Site::file(damaged, key), None)?;
        let Founding { founding, definitions, own } = founding;
        let mut store = Self::create(fresh, founding, definitions, own, keys)?;
        let mut salvaged = Salvaged::default();
        store.salvage_editions(&mut source, &mut salvaged)?;
        store.salvage_entries(&mut source, &mut salvaged)?;
        store.salvage_others(&mut source, &mut salvaged)?;
        tracing::warn!(?salvaged, "a damaged database was read as far as that goes");
        Ok((store, salvaged))
    }

    fn salvage_editions(
        &mut self,
        source: &mut Source,
        salvaged: &mut Salvaged,
    ) -> Result<(), StoreError> {
        let rows = blobs(source, "edition");
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
        let rows = blobs(source, "definition");
        for definition in rows.found.iter().filter_map(|b| RecordType::from_canonical(b).ok()) {
            self.add_definition(definition)?;
        }
        Ok(())
    }

    fn salvage_entries(
        &mut self,
        source: &mut Source,
        salvaged: &mut Salvaged,
    ) -> Result<(), StoreError> {
        let network = self.roster().network();
        let last = source.last_entry().unwrap_or(0);
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
        source: &mut Source,
        salvaged: &mut Salvaged,
    ) -> Result<(), StoreError> {
        for (_, note) in rows::<i64, String>(source, "checkpoint", ["log_n", "note"]) {
            // One that fits no log any more is no loss: its author makes another.
            salvaged.others += u64::from(self.set_checkpoint(&note).is_ok());
        }
        for (key, value) in rows::<String, Vec<u8>>(source, "note", ["key", "value"]) {
            self.set_note(&key, Some(&value))?;
            salvaged.others += 1;
        }
        let imports: Vec<(Vec<u8>, Vec<u8>)> = rows(source, "imported", ["fingerprint", "kept"]);
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
    source: &mut Source,
    vault: &Vault,
    network: NetworkId,
    n: i64,
) -> Result<Option<Arrival>, String> {
    let (bytes, received_ms) = source.read(|conn| {
        conn.prepare_cached("SELECT bytes, received_ms FROM entry WHERE n = ?1")?
            .query_row([n], |row| Ok((row.get::<_, Vec<u8>>(0)?, number(row, 1)?)))
    })?;
    let Ok(entry) = RawEntry::decode(bytes).and_then(|raw| raw.verify(network)) else {
        return Ok(None);
    };
    let kept = source.read(|conn| {
        conn.prepare_cached("SELECT bytes FROM body WHERE entry_n = ?1")?
            .query_row([n], |row| row.get::<_, Vec<u8>>(0))
            .optional()
    });
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
