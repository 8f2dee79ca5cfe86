//! Roster editions and record-type definitions: kept for ever, and what changes when one arrives.

use std::collections::BTreeSet;
use std::sync::Arc;

use rusqlite::{Connection, OptionalExtension as _, params};
use xw_ledger::log::Restood;
use xw_ledger::roster::{Roster, RosterRefusal};
use xw_schemas::edition::Edition;
use xw_schemas::id::{CopyId, LogId};
use xw_schemas::record::{Kind, RecordType};

use crate::error::{Doing, StoreError};
use crate::load;
use crate::shown::index_fields;
use crate::standing::{restand, signed};
use crate::store::{Parts, Store};

const DOING: &str = "store a roster edition";

impl Store {
    /// Takes up a roster edition. `Ok(Ok(true))` when the roster changed: then logs stand anew and
    /// records wait to be judged again.
    pub fn add_edition(
        &mut self,
        edition: Edition,
    ) -> Result<Result<bool, RosterRefusal>, StoreError> {
        // Tried on a copy first, so that a refusal leaves no trace.
        let mut chain = self.chain.clone();
        let id = edition.id();
        let held = self.chain.edition(&id).map(|held| held.bytes().to_vec());
        if let Err(refusal) = chain.add(edition) {
            return Ok(Err(refusal));
        }
        // A copy may bring signatures to an edition that is held: those of both are kept.
        let Some(edition) = chain.edition(&id).cloned() else { return Ok(Ok(false)) };
        if held.as_deref() == Some(edition.bytes()) {
            return Ok(Ok(false));
        }
        tracing::info!(number = edition.core().number, "a roster edition is taken up");
        self.transact(DOING, |parts| {
            insert_edition(parts.tx, &edition)?;
            let old = parts.chain.roster().clone();
            *parts.chain = chain;
            let changed = old != *parts.chain.roster();
            if changed {
                rejudge(parts, &old)?;
            }
            Ok(Ok(changed))
        })
    }

    /// Keeps a record-type definition. Records that wait for it are judged again.
    pub fn add_definition(&mut self, definition: RecordType) -> Result<(), StoreError> {
        let hash = definition.hash();
        if self.definitions.contains_key(&hash) {
            return Ok(());
        }
        if self.shows() {
            // Before the definition, for questions rely on the indexes of whatever is defined.
            let one = [(hash, Arc::new(definition.clone()))].into();
            index_fields(&self.conn, &one)?;
        }
        self.transact("store a record-type definition", |parts| {
            insert_definition(parts.tx, &definition)?;
            parts.definitions.insert(hash, Arc::new(definition));
            mark_waiting(parts.tx)
        })
    }

    /// The bytes of a copy of a roster edition or of a definition, by its name on the wire.
    pub fn blob(&self, hash: [u8; 32]) -> Result<Option<Vec<u8>>, StoreError> {
        if let Some(edition) = self.chain.copy(&CopyId(hash)) {
            return Ok(Some(edition.bytes().to_vec()));
        }
        self.conn
            .prepare_cached("SELECT bytes FROM definition WHERE hash = ?1")
            .and_then(|mut s| s.query_row([hash], |row| row.get(0)).optional())
            .doing("read a roster edition or definition")
    }
}

pub(crate) fn insert_edition(conn: &Connection, edition: &Edition) -> Result<(), StoreError> {
    conn.execute(
        "INSERT INTO edition(id, number, bytes) VALUES (?1, ?2, ?3)
         ON CONFLICT(id) DO UPDATE SET bytes = excluded.bytes",
        params![edition.id().0, signed(edition.core().number), edition.bytes()],
    )
    .doing(DOING)?;
    Ok(())
}

pub(crate) fn insert_definition(
    conn: &Connection,
    definition: &RecordType,
) -> Result<(), StoreError> {
    conn.execute(
        "INSERT OR IGNORE INTO definition(hash, code, bytes) VALUES (?1, ?2, ?3)",
        params![definition.hash().0, definition.code, definition.canonical_bytes()],
    )
    .doing("store a record-type definition")?;
    Ok(())
}

/// The days and moments that the ledgers of a type show: what offices sort and pick by. Other
/// fields are read row by row, which takes some milliseconds for a township.
pub(crate) fn indexed_fields(definition: &RecordType) -> BTreeSet<String> {
    let columns = definition.ledgers.iter().flat_map(|ledger| &ledger.columns);
    let paths = columns.filter_map(|column| column.path.clone());
    paths.filter(|path| is_indexable(definition, path)).collect()
}

fn is_indexable(definition: &RecordType, path: &str) -> bool {
    let plain =
        |text: &str| text.chars().all(|c| c.is_ascii_alphanumeric() || c == '_' || c == '.');
    let in_list = path.match_indices('.').any(|(dot, _)| {
        definition.field(&path[..dot]).is_none_or(|f| matches!(f.kind, Kind::List { .. }))
    });
    let is_day =
        definition.field(path).is_some_and(|f| matches!(f.kind, Kind::Date | Kind::DateTime));
    is_day && !in_list && plain(path) && plain(&definition.code)
}

/// After the roster changed: every pin is worked out again, and every record that may be judged
/// otherwise is marked.
fn rejudge(parts: &mut Parts<'_>, old: &Roster) -> Result<(), StoreError> {
    if parts.held.unplaced.is_empty() {
        parts.held.logs.reassess(parts.chain.roster(), &mut Restood::default());
    } else {
        // Entries without a place may have one under the new roster.
        let rows = std::mem::take(&mut parts.held.assessed);
        *parts.held = load::logs(parts.tx, parts.chain.roster())?;
        parts.held.assessed = rows;
    }
    let all: BTreeSet<LogId> = parts.held.numbers.keys().copied().collect();
    restand(parts.tx, parts.chain.roster(), parts.held, &all)?;
    if only_adds(old, parts.chain.roster()) {
        mark_waiting(parts.tx)
    } else {
        parts
            .tx
            .execute("INSERT OR IGNORE INTO dirty SELECT n FROM record", [])
            .doing("mark all records for judging")?;
        Ok(())
    }
}

/// Whether everything that admitted a change before is as it was: what is new can only help those
/// that wait or were refused. Enrolling one clerk then costs a county no judging of a million
/// entries. How logs stand is seen to apart.
fn only_adds(old: &Roster, new: &Roster) -> bool {
    let same_rights = old.signers().all(|(key, signer)| {
        new.signer(key).is_some_and(|now| {
            (now.kind, now.office) == (signer.kind, signer.office)
                && signer.roles.iter().all(|role| now.roles.contains(role))
        }) && new.cut(key) == old.cut(key)
    });
    // Of a suspended key only what was pinned counts; who comes back may have other rights.
    let same_rights =
        same_rights && old.all_suspended().all(|(key, held)| new.suspended(key) == Some(held));
    let same_offices = old
        .offices()
        .all(|office| new.office(office.id).is_some_and(|now| now.division == office.division));
    let same_definitions =
        old.definitions().all(|(hash, code)| new.adopted(hash) == Some(code.as_str()));
    // A cut may name a key before it is enrolled.
    let no_early_cut = new
        .signers()
        .filter(|(key, _)| old.signer(key).is_none())
        .all(|(key, _)| old.cut(key) == new.cut(key));
    let same_rules = old.rules() == new.rules() && old.network() == new.network();
    same_rights && same_offices && same_definitions && no_early_cut && same_rules
}

/// Marks the records that have a change which waits or does not count.
fn mark_waiting(conn: &Connection) -> Result<(), StoreError> {
    conn.execute(
        "INSERT OR IGNORE INTO dirty SELECT e.record_n FROM verdict v
         JOIN entry e ON e.n = v.entry_n WHERE v.kind >= 2 AND e.record_n IS NOT NULL",
        [],
    )
    .doing("mark records that wait")?;
    Ok(())
}
