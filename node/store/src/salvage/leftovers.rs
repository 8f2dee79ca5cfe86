//! One pass over the entries of a damaged database, some at a time, and more passes later: what follows
//! on something that was lost has its place when that has come back. A pass takes no entry twice.

use std::path::Path;

use rusqlite::OptionalExtension as _;
use xw_ledger::log::{DoorRefusal, Point};
use xw_schemas::entry::{Body, RawEntry, VerifiedEntry};
use xw_schemas::id::LogId;

use super::Salvaged;
use crate::connection::Site;
use crate::error::StoreError;
use crate::keys::Opened;
use crate::load::number;
use crate::receive::{Arrival, ReceiveRefusal};
use crate::source::Source;
use crate::store::Store;

/// A damaged database out of which entries are taken; it is only read.
pub struct Leftovers {
    source: Source,
    /// The pass under way.
    pass: Option<Pass>,
}

/// What one try came to.
#[derive(Debug, Default)]
pub struct Tried {
    /// Entries that have their places now.
    pub placed: Vec<(LogId, Point)>,
    /// What the whole pass came to, at its end.
    pub pass: Option<Salvaged>,
}

struct Pass {
    next: i64,
    last: i64,
    salvaged: Salvaged,
}

/// Entries tried at once: about 2 MB and, on a slow PC, a tenth of a second.
const TRY_ENTRIES: i64 = 256;

/// A row of the damaged database.
enum Found {
    /// It is in the store already. Its body, where that is not, was never sent here or is erased.
    Held,
    Arrival(Box<Arrival>),
    Unverified,
}

impl std::fmt::Debug for Leftovers {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Leftovers")
    }
}

impl Leftovers {
    pub(super) fn of(source: Source) -> Self {
        Self { source, pass: None }
    }

    pub(super) fn source(&mut self) -> &mut Source {
        &mut self.source
    }
}

impl Store {
    /// Opens the damaged database that this store was salvaged from, to try again what had no place.
    pub fn leftovers(&self, damaged: &Path) -> Result<Leftovers, StoreError> {
        Ok(Leftovers::of(Source::open(Site::file(damaged, self.site.key.clone()), None)?))
    }

    /// Tries the next entries, at the beginning of a pass the roster editions first. Whoever passes
    /// again does so when roster or logs have grown.
    pub fn try_leftovers(&mut self, left: &mut Leftovers) -> Result<Tried, StoreError> {
        let mut tried = Tried::default();
        let Leftovers { source, pass } = left;
        let pass = match pass {
            Some(pass) => pass,
            none => {
                let salvaged = self.salvage_editions(source)?;
                none.insert(Pass { next: 1, last: source.last_entry().unwrap_or(0), salvaged })
            }
        };
        let to = pass.last.min(pass.next + TRY_ENTRIES - 1);
        let mut batch = Vec::new();
        for n in pass.next..=to {
            match self.find(source, n) {
                Ok(Found::Held) => {}
                Ok(Found::Arrival(arrival)) => batch.push(*arrival),
                Ok(Found::Unverified) => pass.salvaged.unverified += 1,
                Err(_) => pass.salvaged.unreadable += 1,
            }
        }
        if !batch.is_empty() {
            tried.placed = self.take_found(&batch, &mut pass.salvaged)?;
        }
        pass.next = to + 1;
        if pass.next > pass.last {
            tried.pass = left.pass.take().map(|pass| pass.salvaged);
        }
        Ok(tried)
    }

    /// Takes entries in; says which have their places now.
    fn take_found(
        &mut self,
        batch: &[Arrival],
        salvaged: &mut Salvaged,
    ) -> Result<Vec<(LogId, Point)>, StoreError> {
        let received = self.take(batch)?;
        let mut refused = received.refused.iter().peekable();
        let mut placed = Vec::new();
        for (index, arrival) in batch.iter().enumerate() {
            match refused.next_if(|refused| refused.index == index) {
                Some(refused) if may_fit_later(refused.reason) => salvaged.unplaced += 1,
                Some(_) => salvaged.unverified += 1,
                None => {
                    salvaged.entries += 1;
                    salvaged.bodies += u64::from(arrival.kept.is_some());
                    let core = arrival.entry.core();
                    placed.push((core.log, (core.sequence, arrival.entry.id())));
                }
            }
        }
        Ok(placed)
    }

    /// One entry as it stands there, if it verifies. Its body is dropped where it can be seen not to
    /// be the one that the entry binds; where it cannot, settling will see.
    fn find(&self, source: &mut Source, n: i64) -> Result<Found, String> {
        let (bytes, received_ms) = source.read(|conn| {
            conn.prepare_cached("SELECT bytes, received_ms FROM entry WHERE n = ?1")?
                .query_row([n], |row| Ok((row.get::<_, Vec<u8>>(0)?, number(row, 1)?)))
        })?;
        // Looked up before signatures are checked, which takes far longer.
        let known = VerifiedEntry::from_store(bytes.clone()).is_ok_and(|entry| {
            let core = entry.core();
            self.logs().holds(&core.log, core.sequence, &entry.id())
        });
        if known {
            return Ok(Found::Held);
        }
        let network = self.roster().network();
        let Ok(entry) = RawEntry::decode(bytes).and_then(|raw| raw.verify(network)) else {
            return Ok(Found::Unverified);
        };
        let kept = source.read(|conn| {
            conn.prepare_cached("SELECT bytes FROM body WHERE entry_n = ?1")?
                .query_row([n], |row| row.get::<_, Vec<u8>>(0))
                .optional()
        });
        let fits = |kept: &Vec<u8>| match self.vault.read(kept) {
            Opened::Bytes(bytes) => Body::from_bytes(bytes)
                .zip(entry.change())
                .is_some_and(|(body, change)| body.matches(change)),
            Opened::Locked => true,
            Opened::Damaged => false,
        };
        // A body that cannot be read is one to ask peers for.
        let kept = kept.ok().flatten().filter(fits);
        Ok(Found::Arrival(Box::new(Arrival { entry, kept, received_ms })))
    }
}

/// Whether the door may take the same entry when logs or roster have grown.
fn may_fit_later(reason: ReceiveRefusal) -> bool {
    match reason {
        ReceiveRefusal::Door(
            DoorRefusal::UnknownKey
            | DoorRefusal::UnknownLog
            | DoorRefusal::MissingPrevious
            | DoorRefusal::NotItsSpace,
        ) => true,
        ReceiveRefusal::Door(
            DoorRefusal::OtherNode | DoorRefusal::WrongRoot | DoorRefusal::EnoughVariants,
        )
        | ReceiveRefusal::BadBody => false,
    }
}
