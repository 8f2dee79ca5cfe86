//! Roster editions as they come and as this node makes them by itself: newcomers are confirmed, and who
//! sends what cannot be taken up is not listened to for ever.

use xw_ledger::roster::RosterRefusal;
use xw_replica::SessionId;

use super::{Mesh, log_trouble};
use crate::clock;

/// So long newcomers wait to be confirmed together: several often join in one visit, and each edition
/// takes a place in the term.
const CONFIRM_AFTER_MS: u64 = 1_000;

/// Roster editions of one conversation that could not be taken up before it ends. An honest neighbour
/// lists those first that others need, so that few come too early.
const EDITIONS_REFUSED_MAX: usize = 256;

impl Mesh {
    /// Confirms newcomers soon after they came, several in one edition; again only when the roster or
    /// who is signed in has changed.
    pub(super) fn mind_newcomers(&mut self) {
        let held_up = self.holds_back() || self.office.may_lag();
        let Some(found) = self.office.awaits_confirmation().filter(|_| !held_up) else {
            self.newcomers = None;
            return;
        };
        let now = clock::steady_ms();
        let (since, tried) = *self.newcomers.get_or_insert((now, None));
        if tried != Some(found) && now.saturating_sub(since) >= CONFIRM_AFTER_MS {
            self.newcomers = Some((since, Some(found)));
            log_trouble("confirm newcomers", self.office.confirm_newcomers());
        }
    }

    /// What no edition more could make valid is the sender's fault at once. Whether something is
    /// lacking before it, or enough rivals are here, may be no fault of his; but not again and again.
    pub(super) fn refuse_edition(&mut self, session: SessionId, refusal: RosterRefusal) {
        tracing::warn!(%refusal, "a roster edition was refused");
        let Some(line) = self.sessions.get_mut(&session) else { return };
        match refusal {
            RosterRefusal::EnoughRivals => {}
            RosterRefusal::Gap | RosterRefusal::Stranger => line.refused += 1,
            RosterRefusal::OtherNetwork
            | RosterRefusal::Threshold
            | RosterRefusal::NoRoot
            | RosterRefusal::Contradiction => line.refused = EDITIONS_REFUSED_MAX,
        }
        if line.refused >= EDITIONS_REFUSED_MAX {
            line.refused = 0;
            self.fault(session, "sends roster editions that cannot be taken up");
        }
    }
}
