//! Confirms newcomers: lists the keys with which somebody joined by an invitation of this office. From
//! then on no second use of the invitation touches them, whoever has seen its text.

use serde_json::Value as Json;
use xw_ledger::roster::{Rank, Roster};
use xw_schemas::edition::{Edition, Fact, OfficeId};
use xw_schemas::id::{EditionId, PublicKey};
use xw_schemas::limits::TERM_EDITIONS_MAX;

use super::Office;
use crate::request::Who;
use crate::trouble::{Answer, Trouble};

impl Office {
    /// Confirms whoever has joined by invitations of this office. Answers as [`Office::invite`].
    pub(in crate::office) fn confirm(&mut self, who: &Who) -> Answer<Json> {
        let facts = self.confirming(self.right()?.office);
        if facts.is_empty() {
            return Err(Trouble::new(
                "confirmed",
                "凭本机构邀请加入的都已确认",
                "whoever joined by an invitation of this office is confirmed already",
            ));
        }
        self.enact(facts, who)
    }

    /// What there is to confirm without being asked, and who could: the roster's state and how many
    /// people are signed in. `None` when nothing is, or when several registrars must sign.
    pub(crate) fn awaits_confirmation(&self) -> Option<(EditionId, usize)> {
        let right = self.right().ok().filter(|right| right.threshold == 1)?;
        let roster = self.store.roster();
        // Of several PCs of an office one speaks by itself, or they would contradict each other.
        let room = self.next_place(&right).0 <= TERM_EDITIONS_MAX;
        let due =
            room && self.is_the_witness() && unconfirmed(roster, right.office).next().is_some();
        due.then(|| (roster.state(), self.keys.signed_in().len()))
    }

    /// Confirms by itself while a registrar is signed in; all newcomers in one edition.
    pub(crate) fn confirm_newcomers(&mut self) -> Answer<()> {
        let right = self.right()?;
        // Nobody here may sign: somebody will sign in.
        let Ok(key) = self.registrar_key(&right, &Who::default()) else { return Ok(()) };
        let core = self.next_edition(&right, self.confirming(right.office));
        let edition = Edition::sign(&core, &[key])?;
        let before = unconfirmed(self.store.roster(), right.office).count();
        let after = self.store.chain().preview(edition.clone()).map_err(Trouble::of_roster)?;
        if unconfirmed(&after, right.office).count() < before {
            self.take_up(edition)?;
        }
        Ok(())
    }

    /// The keys of whoever joined by invitations of an office and is not confirmed, as they stand on
    /// the roster.
    fn confirming(&self, office: OfficeId) -> Vec<Fact> {
        let (roster, chain) = (self.store.roster(), self.store.chain());
        let tier = roster.office(office).map(|office| office.division.tier());
        let Some(rank) = tier.map(Rank::Registrar) else { return Vec::new() };
        let joined = unconfirmed(roster, office).filter_map(|id| chain.edition(&id));
        joined.flat_map(|edition| facts(roster, rank, edition)).collect()
    }
}

/// The joinings that count by an office's invitations and that nobody has confirmed.
fn unconfirmed(roster: &Roster, office: OfficeId) -> impl Iterator<Item = EditionId> {
    let own = roster.invitations().filter(move |(_, held)| held.by == Some(office));
    own.filter(|(_, held)| !held.confirmed).filter_map(|(_, held)| held.replaced)
}

/// A fact for every key that a joining brings and that no higher rank has listed, which confirms it too.
fn facts(roster: &Roster, rank: Rank, joining: &Edition) -> Vec<Fact> {
    let [Fact::Replace { node, people, .. }] = joining.core().facts.as_slice() else {
        return Vec::new();
    };
    let listed = |key: &PublicKey| {
        let signer = roster.signer(key).filter(|signer| signer.rank >= rank)?;
        let (kind, office) = (signer.kind, signer.office);
        let (name, roles) = (signer.name.clone(), signer.roles.clone());
        Some(Fact::Signer { key: *key, kind, office, name, roles })
    };
    node.iter().chain(people).filter_map(listed).collect()
}
