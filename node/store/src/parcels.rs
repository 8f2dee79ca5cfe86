//! Entries out of the store: as evidence for judging and drafting, and as parcels for neighbours.
//! The exact bytes that came in go out.

use rusqlite::{OptionalExtension as _, params};
use xw_ledger::judge::Evidence;
use xw_ledger::standing::Standing;
use xw_schemas::entry::{Body, VerifiedEntry};
use xw_schemas::id::{EntryId, LogId, RecordId};
use xw_schemas::space::Space;
use xw_schemas::wire::Parcel;

use crate::error::{Doing, StoreError};
use crate::keys::Opened;
use crate::receive::find_record;
use crate::settle::Case;
use crate::standing::signed;
use crate::store::Store;

/// An entry of a record with its body and standing.
#[derive(Debug, Clone)]
pub struct Held {
    /// The entry.
    pub entry: VerifiedEntry,
    /// Its body, where it is held here.
    pub body: Option<Body>,
    /// How it stands in its log.
    pub standing: Standing,
}

impl Held {
    /// For [`xw_ledger::judge`].
    #[must_use]
    pub fn evidence(&self) -> Evidence<'_> {
        Evidence { entry: &self.entry, body: self.body.as_ref(), standing: self.standing }
    }
}

const DOING: &str = "read entries for a neighbour";

impl Store {
    /// Everything held of a record in a space; empty when nothing is. Refused while the store is
    /// locked: without its bodies a record would look sealed, and nobody may write on top of that.
    pub fn evidence(&self, space: Space, record: RecordId) -> Result<Vec<Held>, StoreError> {
        if !self.is_unlocked() {
            return Err(StoreError::Locked);
        }
        let Some(record_n) = find_record(&self.conn, record, space)? else {
            return Ok(Vec::new());
        };
        let case = Case::load(&self.conn, &self.vault, &self.held.assessed, record_n)?;
        case.map(|case| case.held).map_err(StoreError::damaged)
    }

    /// These entries of one log as parcels, in the order asked for, until `max_bytes` unpacked
    /// bytes are reached; at least one. `bodies` says of a record type whether its bodies go along;
    /// while the store is locked none do.
    pub fn parcels(
        &self,
        log: LogId,
        ids: &[(u64, EntryId)],
        max_bytes: usize,
        bodies: impl Fn(&str) -> bool,
    ) -> Result<Vec<Parcel>, StoreError> {
        let Some(log_n) = self.held.numbers.get(&log) else { return Ok(Vec::new()) };
        let mut statement = self
            .conn
            .prepare_cached(
                // Of an erased record nothing is sent, even if some of it is still here.
                "SELECT e.bytes, b.bytes FROM entry e LEFT JOIN record r ON r.n = e.record_n
                 LEFT JOIN body b ON b.entry_n = e.n AND coalesce(r.erased, 0) = 0
                 WHERE e.log_n = ?1 AND e.sequence = ?2 AND e.id = ?3",
            )
            .doing(DOING)?;
        let mut parcels = Vec::new();
        let mut bytes = 0;
        for (sequence, id) in ids {
            let found: Option<(Vec<u8>, Option<Vec<u8>>)> = statement
                .query_row(params![log_n, signed(*sequence), id.0], |row| {
                    Ok((row.get(0)?, row.get(1)?))
                })
                .optional()
                .doing(DOING)?;
            // Whoever asked reads from the number of parcels how far they reach.
            let Some((envelope, body)) = found else { break };
            let body = match body {
                Some(kept) if goes_along(&envelope, &bodies)? => match self.vault.read(&kept) {
                    Opened::Bytes(body) => Some(body),
                    Opened::Locked => None,
                    Opened::Damaged => {
                        return Err(StoreError::damaged(format!("the body of entry {id}")));
                    }
                },
                _ => None,
            };
            let parcel = Parcel { envelope, body };
            bytes += parcel.unpacked_bytes();
            if bytes > max_bytes && !parcels.is_empty() {
                break;
            }
            parcels.push(parcel);
        }
        // A neighbour must not get zeroes for what lies on a bad page.
        if self.is_broken() { Err(StoreError::Broken) } else { Ok(parcels) }
    }
}

impl Store {
    /// Changes held without their bodies: log, number and record type. Read once at every start, to
    /// know which bodies are still to be asked for.
    pub fn without_bodies(&self) -> Result<Vec<(LogId, u64, String)>, StoreError> {
        let doing = "look for entries without bodies";
        let mut statement = self
            .conn
            .prepare_cached(
                "SELECT e.bytes FROM entry e LEFT JOIN body b ON b.entry_n = e.n
                 JOIN record r ON r.n = e.record_n WHERE b.entry_n IS NULL AND r.erased = 0",
            )
            .doing(doing)?;
        let mut found = statement.query([]).doing(doing)?;
        let mut lacking = Vec::new();
        while let Some(row) = found.next().doing(doing)? {
            let entry = VerifiedEntry::from_store(row.get(0).doing(doing)?)
                .map_err(|fault| StoreError::damaged(format!("an entry: {fault}")))?;
            let core = entry.core();
            if let Some(change) = entry.change() {
                lacking.push((core.log, core.sequence, change.record_type.clone()));
            }
        }
        Ok(lacking)
    }
}

fn goes_along(envelope: &[u8], bodies: &impl Fn(&str) -> bool) -> Result<bool, StoreError> {
    let entry = VerifiedEntry::from_store(envelope.to_vec())
        .map_err(|fault| StoreError::damaged(format!("an entry: {fault}")))?;
    Ok(entry.change().is_some_and(|change| bodies(&change.record_type)))
}
