//! Roster editions and record-type definitions, fetched by their hashes in pieces; and what a roster
//! that has grown means for a conversation. Whether they are valid is judged by the ledger crate.

use xw_schemas::edition::Edition;
use xw_schemas::hash::tagged;
use xw_schemas::id::CopyId;
use xw_schemas::limits::{BLOB_CHUNK_BYTES, DEFINITION_BYTES_MAX, EDITION_BYTES_MAX};
use xw_schemas::record::SchemaHash;
use xw_schemas::wire::{BlobChunk, EDITIONS_LISTED_MAX, Frame};

use crate::common::Held;
use crate::compare::send;
use crate::event::{Effect, SessionId};
use crate::neighbour::{Incoming, Neighbour, Phase};
use crate::replica::{Replica, close};

/// Most editions asked for of one neighbour: ten times what a county of 600 offices makes in its
/// first years.
const EDITIONS_MAX: u64 = 65_536;

impl Replica {
    pub(crate) fn want_definitions(&mut self, held: Held<'_>, session: SessionId) -> Vec<Effect> {
        let Some(neighbour) = self.neighbours.get_mut(&session) else { return Vec::new() };
        neighbour.wanted_blobs.retain(|(_, is_edition)| *is_edition);
        let missing = held.missing_definitions.iter().map(|hash| (hash.0, false));
        neighbour.wanted_blobs.extend(missing);
        next_blob(held, session, neighbour)
    }

    /// Says hello under a new roster and answers the neighbour's last one anew, which may have
    /// waited for this roster. Nothing is sent under the old one any more.
    pub(crate) fn say_again(&mut self, held: Held<'_>, session: SessionId) -> Vec<Effect> {
        let Some(neighbour) = self.neighbours.get_mut(&session) else { return Vec::new() };
        let head = held.roster().state();
        let grown = neighbour.said.as_ref().is_none_or(|(said, _, _)| *said != head);
        let wanted = std::mem::take(&mut neighbour.left_wanting);
        let mut effects = next_blob(held, session, neighbour);
        let fetching = neighbour.incoming.is_some();
        let heard = neighbour.heard.clone();
        if grown {
            neighbour.phase = neighbour.phase.min(Phase::Roster);
        }
        if grown || wanted {
            effects.extend(self.hello(held, session));
        }
        // While editions of this neighbour are on their way, each brings us here once more.
        match heard {
            Some(hello) if grown && (!fetching || hello.roster == head) => {
                effects.extend(self.greeted(held, session, &hello));
            }
            Some(_) | None => {}
        }
        effects
    }

    pub(crate) fn blob_read(
        session: SessionId,
        hash: [u8; 32],
        offset: u64,
        bytes: Option<Vec<u8>>,
    ) -> Vec<Effect> {
        let bytes = bytes.unwrap_or_default();
        let total = bytes.len() as u64;
        let from = usize::try_from(offset).unwrap_or(usize::MAX).min(bytes.len());
        let to = (from + BLOB_CHUNK_BYTES).min(bytes.len());
        let bytes = bytes[from..to].to_vec();
        vec![send(session, Frame::Blob(BlobChunk { hash, offset: from as u64, total, bytes }))]
    }
}

/// Whether an edition or an adopted definition is held here.
pub(crate) fn has_blob(held: Held<'_>, hash: [u8; 32]) -> bool {
    let definition = SchemaHash(hash);
    let is_definition = held.roster().adopted(&definition).is_some()
        && !held.missing_definitions.contains(&definition);
    is_definition || held.chain.copy(&CopyId(hash)).is_some()
}

/// Notes which copies of a neighbour's list are not held here, and asks for the rest of a list
/// that fills its message.
pub(crate) fn editions_listed(
    held: Held<'_>,
    session: SessionId,
    neighbour: &mut Neighbour,
    editions: &[CopyId],
) -> Vec<Effect> {
    if neighbour.editions_listed == 0 {
        neighbour.wanted_blobs.retain(|(_, is_edition)| !is_edition);
    }
    neighbour.editions_listed += editions.len() as u64;
    if neighbour.editions_listed > EDITIONS_MAX {
        return close(session, "lists more roster editions than a county has");
    }
    // What is wanted is taken from the end: those first that others need.
    let lacking = editions.iter().rev().filter(|copy| held.chain.copy(copy).is_none());
    neighbour.wanted_blobs.splice(0..0, lacking.map(|copy| (copy.0, true)));
    let mut effects = Vec::new();
    let more = editions.len() == EDITIONS_LISTED_MAX;
    if more && neighbour.editions_listed < EDITIONS_MAX {
        let from = neighbour.editions_listed;
        effects.push(send(session, Frame::WantEditions { from }));
    }
    effects.extend(next_blob(held, session, neighbour));
    effects
}

/// Asks for the next wanted blob that has not come from elsewhere, unless one is on its way.
pub(crate) fn next_blob(
    held: Held<'_>,
    session: SessionId,
    neighbour: &mut Neighbour,
) -> Vec<Effect> {
    if neighbour.incoming.is_some() {
        return Vec::new();
    }
    let is_held = |(hash, is_edition): &([u8; 32], bool)| match is_edition {
        true => held.chain.copy(&CopyId(*hash)).is_some(),
        false => !held.missing_definitions.iter().any(|missing| missing.0 == *hash),
    };
    while let Some(wanted) = neighbour.wanted_blobs.pop() {
        if is_held(&wanted) {
            continue;
        }
        let (hash, is_edition) = wanted;
        neighbour.incoming = Some(Incoming { hash, is_edition, bytes: Vec::new() });
        return vec![send(session, Frame::WantBlob { hash, offset: 0 })];
    }
    Vec::new()
}

/// Takes a piece of a blob; hands the whole on when it is complete and its hash is right.
pub(crate) fn blob(
    held: Held<'_>,
    session: SessionId,
    neighbour: &mut Neighbour,
    chunk: &BlobChunk,
) -> Vec<Effect> {
    let Some(incoming) = &mut neighbour.incoming else { return Vec::new() };
    if chunk.hash == incoming.hash && chunk.total == 0 {
        neighbour.incoming = None;
        return next_blob(held, session, neighbour);
    }
    let limit = if incoming.is_edition { EDITION_BYTES_MAX } else { DEFINITION_BYTES_MAX };
    let fits = chunk.hash == incoming.hash
        && chunk.offset == incoming.bytes.len() as u64
        && chunk.total <= limit as u64
        && chunk.offset + chunk.bytes.len() as u64 <= chunk.total
        && !chunk.bytes.is_empty();
    if !fits {
        return close(session, "a piece of a blob that does not fit");
    }
    incoming.bytes.extend(&chunk.bytes);
    if (incoming.bytes.len() as u64) < chunk.total {
        let offset = incoming.bytes.len() as u64;
        return vec![send(session, Frame::WantBlob { hash: chunk.hash, offset })];
    }
    let Some(Incoming { hash, is_edition, bytes }) = neighbour.incoming.take() else {
        return Vec::new();
    };
    let taken = if is_edition {
        let edition = Edition::decode(bytes).ok().filter(|edition| edition.copy_id().0 == hash);
        edition.map(|edition| Effect::AddEdition { session, edition })
    } else {
        (tagged("xw/schema/1", &[&bytes]) == hash)
            .then_some(Effect::AddDefinition { hash: SchemaHash(hash), bytes })
    };
    neighbour.wanted_blobs.retain(|wanted| *wanted != (hash, is_edition));
    match taken {
        Some(effect) => {
            let mut effects = vec![effect];
            effects.extend(next_blob(held, session, neighbour));
            effects
        }
        None => close(session, "a blob that is not what it was named"),
    }
}
