//! What clerks do: new records, edits, steps. They go the way of a real draft: built on what an
//! honest node builds on, judged before it is stored, stored before it is shown.

use xw_ledger::document::{Edit, Place};
use xw_ledger::draft::{Author, Draft, Tail, base, new_record, write_change};
use xw_ledger::judge::{Evidence, judge};
use xw_ledger::standing::Standing;
use xw_ledger::verdict::Verdict;
use xw_schemas::id::RecordId;
use xw_schemas::record::Value;
use xw_schemas::space::Space;

use crate::county::County;
use crate::forms;
use crate::founding::Seat;

impl County {
    /// A clerk creates a record; `None` when the power fails on the way.
    pub fn write(&mut self, seat: Seat, space: Space, code: &str) -> Option<RecordId> {
        self.written += 1;
        let draft = forms::new_record(code, self.registry.offices[seat].division, self.written);
        let act = self.act(seat);
        let author = Author { node: &self.registry.offices[seat].node, person: None };
        let record = new_record(self.nodes[seat].memory.chain.roster(), author, act);
        self.draft(seat, space, record, code, &draft, act).map(|()| record)
    }

    /// A clerk changes a field of a record.
    pub fn edit(&mut self, seat: Seat, space: Space, record: RecordId, text: &str) -> Option<()> {
        let code = self.code_of(seat, space, record)?;
        let path = forms::free_field(&code).to_owned();
        let edit = Edit::Put { at: Place::Root, path, value: Value::Text(text.to_owned()) };
        let act = self.act(seat);
        self.draft(seat, space, record, &code, &Draft { edits: vec![edit], step: None }, act)
    }

    /// A clerk takes one of the steps that the record's state allows.
    pub fn step(&mut self, seat: Seat, space: Space, record: RecordId) -> Option<()> {
        let code = self.code_of(seat, space, record)?;
        let memory = &self.nodes[seat].memory;
        let evidence = memory.evidence(&memory.standings(), &(space, record));
        let roster = memory.chain.roster();
        let base = base(roster, &self.nodes[seat].key, &evidence);
        let state = judge(roster, &memory.definitions, record, &base).view?.state;
        let tier = self.registry.offices[seat].division.tier();
        let step = self.dice.pick(&forms::steps_from(&code, &state, tier))?.clone();
        let act = self.act(seat);
        let draft = Draft { edits: Vec::new(), step: Some(step) };
        self.draft(seat, space, record, &code, &draft, act)
    }

    /// The type of a record that this node holds.
    fn code_of(&self, seat: Seat, space: Space, record: RecordId) -> Option<String> {
        let memory = &self.nodes[seat].memory;
        let judged = memory.judged(&memory.standings(), &(space, record));
        judged.view.map(|view| view.record_type)
    }

    /// Someone of the office who is on the roster that the office holds.
    pub(crate) fn clerk(&mut self, seat: Seat) -> Option<xw_schemas::cose::SecretKey> {
        let roster = self.nodes[seat].memory.chain.roster();
        let people = &self.registry.offices[seat].people;
        let known: Vec<_> =
            people.iter().filter(|key| roster.signer(&key.public()).is_some()).cloned().collect();
        self.dice.pick(&known).cloned()
    }

    fn draft(
        &mut self,
        seat: Seat,
        space: Space,
        record: RecordId,
        code: &str,
        draft: &Draft,
        act: xw_ledger::draft::Act,
    ) -> Option<()> {
        if !self.nodes[seat].up || !self.nodes[seat].memory.knows_rules() {
            return None;
        }
        let log = self.own_log(seat, space)?;
        let keys = self.registry.offices[seat].clone();
        let clerk = self.clerk(seat)?;
        let author = Author { node: &keys.node, person: Some(&clerk) };
        let memory = &self.nodes[seat].memory;
        let roster = memory.chain.roster();
        let schema = roster.current_schema(code)?;
        let schema = if memory.definitions.contains_key(&schema) {
            schema
        } else {
            // The newest version is on the roster and its definition still on its way.
            crate::founding::definition_of(code, false)
        };
        let evidence = memory.evidence(&memory.standings(), &(space, record));
        let base = base(roster, &self.nodes[seat].key, &evidence);
        // A record that nobody has witnessed yet is not built on: the clerk is told to wait.
        let is_new = evidence.is_empty();
        if !is_new && judge(roster, &memory.definitions, record, &base).view.is_none() {
            return None;
        }
        let tail = Tail::of(&memory.logs, log)?;
        let signed = write_change(
            roster,
            &memory.definitions,
            &tail,
            record,
            code,
            schema,
            &base,
            draft,
            author,
            act,
        );
        let signed = match signed {
            Ok(signed) => signed,
            Err(slip) => {
                self.log(|_| format!("{seat} cannot draft: {slip}"));
                return None;
            }
        };
        let id = signed.entry.id();
        let mut all = evidence;
        let own = Evidence {
            entry: &signed.entry,
            body: signed.body.as_ref(),
            standing: Standing::Local,
        };
        all.push(own);
        let verdict = judge(roster, &memory.definitions, record, &all).verdicts.remove(&id);
        if verdict != Some(Verdict::Admitted) {
            // What was built as an honest node builds is never refused at home: steps are chosen
            // among those that the state allows, and edits are open to these roles.
            self.blame(format!("draft: {seat} on {record}: {verdict:?}"));
            return None;
        }
        self.log(|_| format!("{seat} writes {} in {space} {record}", id.short()));
        self.typed(seat, signed.entry, signed.body).then_some(())
    }
}
