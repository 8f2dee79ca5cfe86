//! Everything held of some spaces, out of the store and into memory, as the auditing crate works on
//! it. Takes bodies only where they are asked for.

use xw_audit::holdings::Holdings;
use xw_ledger::log::Point;
use xw_schemas::entry::{Body, VerifiedEntry};
use xw_schemas::id::LogId;
use xw_schemas::space::Space;
use xw_store::StoreError;

use crate::office::Office;
use crate::trouble::Answer;

/// Entries asked of the store at once.
const AT_ONCE: usize = 1_024;

/// Bytes read at once: what a neighbour gets in some frames.
const AT_ONCE_BYTES: usize = 8 << 20;

impl Office {
    /// What is held of the spaces that `wanted` names, every log from its opening on.
    pub(super) fn holdings(
        &self,
        wanted: impl Fn(Space) -> bool,
        bodies: bool,
    ) -> Answer<Holdings> {
        let definitions = self.store.definitions().values().cloned();
        let mut held = Holdings::new(self.store.chain().clone(), definitions);
        for (id, log) in self.store.logs().iter().filter(|(_, log)| wanted(log.space)) {
            let mut points: Vec<Point> = log.entries().collect();
            points.sort_unstable();
            self.take_log(&mut held, *id, &points, bodies)?;
        }
        Ok(held)
    }

    fn take_log(
        &self,
        held: &mut Holdings,
        log: LogId,
        points: &[Point],
        bodies: bool,
    ) -> Answer<()> {
        let mut rest = points;
        while !rest.is_empty() {
            let asked = &rest[..rest.len().min(AT_ONCE)];
            let parcels = self.store.parcels(log, asked, AT_ONCE_BYTES, |_| bodies)?;
            let mut taken = 0;
            for parcel in parcels {
                let entry = VerifiedEntry::from_store(parcel.envelope)
                    .map_err(|fault| damaged(format!("an entry: {fault}")))?;
                if asked.get(taken).is_none_or(|(_, id)| *id != entry.id()) {
                    break;
                }
                let id = entry.id();
                // Leaving out what the store holds would make a pack that nobody else can explain.
                held.take(entry, parcel.body.and_then(Body::from_bytes))
                    .map_err(|refusal| damaged(format!("entry {id} has no place: {refusal}")))?;
                taken += 1;
            }
            if taken == 0 {
                return Err(damaged(format!("log {log} lacks an entry")).into());
            }
            rest = &rest[taken..];
        }
        Ok(())
    }
}

fn damaged(what: String) -> StoreError {
    StoreError::Damaged { what }
}
