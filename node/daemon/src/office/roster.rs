//! The roster as this office holds it: shown, handed out as a file, and grown by what was carried
//! here by hand. Signs nothing.

use serde_json::{Value as Json, json};
use xw_bootstrap::bundle::Bundle;
use xw_bootstrap::explain::{self, Said, Words};
use xw_ledger::roster::PassedOver;
use xw_schemas::edition::Edition;
use xw_schemas::id::EditionId;
use xw_schemas::record::RecordType;

use super::Office;
use crate::clock;
use crate::request::RosterRequest;
use crate::trouble::{Answer, Trouble};

/// Most void entries listed at once.
const VOID_LISTED_MAX: u32 = 1_000;

impl Office {
    /// Answers a request about the roster.
    pub(crate) fn roster(&mut self, request: &RosterRequest) -> Answer<Json> {
        match request {
            RosterRequest::Show => {
                Ok(explain::whole_as_json(self.store.chain(), &self.role_words()))
            }
            RosterRequest::Void => self.void_entries(),
            RosterRequest::Export => Ok(json!({"text": *self.roster_file().text()})),
            RosterRequest::Take { text } => self.take_roster(&Bundle::read(text)?),
            RosterRequest::Sign { text, who } => self.sign_draft(&Bundle::read(text)?, who),
            RosterRequest::Invite(invite) => self.invite(invite),
            RosterRequest::Withdraw { invitation, who } => self.withdraw(invitation, who),
            RosterRequest::Revoke(revoke) => self.revoke(revoke),
            RosterRequest::Roles(roles) => self.change_roles(roles),
            RosterRequest::Term(term) => self.open_term(term),
            RosterRequest::Resume { who } => self.resume_registering(who),
            RosterRequest::Confirm { who } => self.confirm(who),
        }
    }

    /// The words in which this office's roster is explained.
    pub(super) fn role_words(&self) -> Words {
        let definitions = self.store.definitions().values().map(AsRef::as_ref);
        Words::of(definitions, clock::day)
    }

    /// All editions and definitions held, as a file.
    pub(super) fn roster_file(&self) -> Bundle {
        let definitions: Vec<RecordType> =
            self.store.definitions().values().map(|held| RecordType::clone(held)).collect();
        Bundle::of_chain(self.store.chain(), definitions)
    }

    /// Answers `{void: [{entry, record, by, office, at, reason}]}`, the newest first.
    fn void_entries(&self) -> Answer<Json> {
        let rows = self.reader.refused(VOID_LISTED_MAX)?;
        let roster = self.store.roster();
        let void: Vec<Json> = rows
            .iter()
            .map(|row| {
                let core = row.entry.core();
                let person = core.person.and_then(|key| roster.signer(&key));
                let office = roster.office_of(&row.entry.node());
                let reason = row.verdict.as_ref().map_or("", |verdict| &verdict.reason);
                let (en, zh) = reason.split_once('|').unwrap_or((reason, reason));
                json!({
                    "entry": row.entry.id(), "record": core.statement.record(),
                    "by": person.map(|signer| &signer.name),
                    "office": office.map(|office| &office.name),
                    "at": clock::minute(core.claimed_time_ms),
                    "reason_zh": zh, "reason_en": en,
                })
            })
            .collect();
        Ok(json!({ "void": void }))
    }

    /// Answers `{new, changed, taken: [{zh, en}], refused: [{zh, en}]}`.
    fn take_roster(&mut self, bundle: &Bundle) -> Answer<Json> {
        let network = self.store.roster().network();
        let editions: Vec<&Edition> = bundle.editions.iter().chain(&bundle.draft).collect();
        if editions.iter().any(|edition| edition.network() != network) {
            return Err(Trouble::new(
                "network",
                "文件属于另一个县的网络，未接收",
                "the file belongs to another network; nothing was taken",
            ));
        }
        let state = self.store.roster().state();
        let (mut taken, mut refused) = (Vec::new(), Vec::new());
        for edition in editions {
            // A copy may bring signatures that the one held lacks.
            let held = self.store.chain().edition(&edition.id());
            if held.is_some_and(|held| held.bytes() == edition.bytes()) {
                continue;
            }
            match self.take_up(edition.clone()) {
                Ok(()) => taken.push(edition.id()),
                Err(trouble) => refused.push((edition.id(), trouble)),
            }
        }
        for definition in &bundle.definitions {
            if self.store.roster().adopted(&definition.hash()).is_some() {
                self.store.add_definition(definition.clone())?;
            }
        }
        let refused: Vec<Json> = refused
            .iter()
            .map(|(id, trouble)| {
                let (short, zh, en) = (id.short(), &trouble.zh, &trouble.en);
                json!({"zh": format!("版次 {short}：{zh}"), "en": format!("edition {short}: {en}")})
            })
            .collect();
        let said: Vec<Said> = taken.iter().flat_map(|id| self.say_edition(id)).collect();
        Ok(json!({
            "new": taken.len(), "changed": self.store.roster().state() != state,
            "taken": said, "refused": refused, "state": self.store.roster().state(),
        }))
    }

    /// Puts an edition on disk; the mesh hears of it afterwards.
    pub(super) fn take_up(&mut self, edition: Edition) -> Answer<()> {
        self.store.add_edition(edition)?.map_err(Trouble::of_roster)?;
        self.roster_grown = true;
        Ok(())
    }

    /// Whether the roster has grown since the last call.
    pub(crate) fn take_roster_grown(&mut self) -> bool {
        std::mem::take(&mut self.roster_grown)
    }

    /// An edition held, in sentences, with what has no effect.
    pub(super) fn say_edition(&self, id: &EditionId) -> Vec<Said> {
        let chain = self.store.chain();
        let Some(edition) = chain.edition(id) else { return Vec::new() };
        let part = explain::edition(chain.roster(), &self.role_words(), edition);
        let mut lines = vec![part.title];
        lines.extend(part.lines);
        lines.extend(self.without_effect(id).into_iter().map(|why| Said {
            zh: format!("⚠ 不生效：{}", why.zh()),
            en: format!("⚠ without effect: {why}"),
        }));
        lines
    }

    fn without_effect(&self, id: &EditionId) -> Vec<PassedOver> {
        let passed = self.store.roster().passed_over();
        passed.filter(|(edition, ..)| edition == id).map(|(.., why)| *why).collect()
    }
}
