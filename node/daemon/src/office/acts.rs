//! New records, changed fields, steps and decisions: from a form to an entry on disk. A draft is
//! judged by the same rules as a neighbour's entry before it is signed into the log.

use serde_json::{Value as Json, json};
use xw_ledger::document::{Edit, Place};
use xw_ledger::draft::{Author, Draft, Signed, base, new_record, write_change};
use xw_ledger::judge::{Evidence, judge};
use xw_ledger::roster::Signer;
use xw_ledger::standing::Standing;
use xw_ledger::steps::{CONFLICT, NOWHERE, Step};
use xw_ledger::verdict::Verdict;
use xw_ledger::view::View;
use xw_schemas::cose::SecretKey;
use xw_schemas::id::{RecordId, hex};
use xw_schemas::record::{
    Content, RecordType, SchemaHash, Transition, Value, fill_computed, from_json,
};
use xw_schemas::space::{Division, Space};
use xw_store::Held;

use super::Office;
use super::form::{
    check, clear_computed, item_edit, label, may_make, merge, object, split_place, state_zh,
};
use super::numbers::Numbers;
use crate::clock;
use crate::keys::Person;
use crate::request::{EditRecord, NewRecord, ResolveRecord, StepRecord, Who};
use crate::trouble::{Answer, Trouble};

/// A record held here, with everything that acts on it need.
pub(super) struct Opened {
    pub(super) id: RecordId,
    pub(super) space: Space,
    pub(super) definition: std::sync::Arc<RecordType>,
    pub(super) schema: SchemaHash,
    pub(super) held: Vec<Held>,
    pub(super) view: View,
}

impl Office {
    /// Answers `{record, entry, business_no, state, saved}`.
    pub(crate) fn create(&mut self, new: &NewRecord) -> Answer<Json> {
        let definition = self.current(&new.record_type)?;
        let division = match &new.division {
            None => self.division(),
            Some(text) => self.find_division(text)?,
        };
        let space = Space { division, audience: definition.audience };
        let content = from_json(&definition, &object(&new.fields))
            .map_err(|slips| Trouble::of_slips(slips, |path| label(&definition, path)))?;
        let (person, role, to) = self.who_creates(&definition, new)?;
        let mut numbers = Numbers::default();
        let content = self.complete(&definition, content, division, &person, &mut numbers)?;
        check(&definition, &content, &to)?;
        let step = Step {
            from: NOWHERE.to_owned(),
            to,
            role,
            reason: String::new(),
            on_behalf_of: String::new(),
        };
        let mut tail = self.tail(space)?;
        let (record, signed) = self.sign_new(&definition, &mut tail, &content, step, &person)?;
        let entry = signed.entry.id();
        self.keep(vec![signed])?;
        self.saved(space, record, &entry.to_string())
    }

    /// Signs a new record on a tail and moves the tail behind it; judged first.
    pub(super) fn sign_new(
        &self,
        definition: &RecordType,
        tail: &mut xw_ledger::draft::Tail,
        content: &Content,
        step: Step,
        person: &str,
    ) -> Answer<(RecordId, Signed)> {
        let act = clock::act();
        let key = self.person_key(person)?;
        let author = Author { node: &self.node, person: Some(key) };
        let roster = self.store.roster();
        let record = new_record(roster, author, act);
        let draft = Draft::of_new(content, step);
        let (code, hash) = (&definition.code, definition.hash());
        let definitions = self.store.definitions();
        let signed =
            write_change(roster, definitions, tail, record, code, hash, &[], &draft, author, act)?;
        self.approve(record, &[], &signed)?;
        tail.push(&signed.entry);
        Ok((record, signed))
    }

    /// Answers the same as [`Office::create`].
    pub(crate) fn edit(&mut self, edit: &EditRecord) -> Answer<Json> {
        let opened = self.open_record(&edit.record)?;
        let edits = self.edits(&opened, &edit.fields, &edit.items)?;
        if edits.is_empty() {
            return Err(Trouble::new("nothing", "没有要修改的内容", "there is nothing to change"));
        }
        let editors = &opened.definition.edit_roles;
        let (person, _) = self.pick(&edit.who, |role| editors.iter().any(|e| e == role))?;
        self.write(&opened, &Draft { edits, step: None }, &person)
    }

    /// Answers the same as [`Office::create`].
    pub(crate) fn step(&mut self, asked: &StepRecord) -> Answer<Json> {
        let opened = self.open_record(&asked.record)?;
        let from = opened.view.state.clone();
        let to = self.state_code(&opened.definition, &asked.to)?;
        let transition = opened.definition.transition(&from, &to).ok_or_else(|| {
            let next: Vec<String> = opened
                .definition
                .transitions
                .iter()
                .filter(|t| t.from == from)
                .map(|t| format!("{}（{}）", t.zh, t.to))
                .collect();
            Trouble::new(
                "no-such-step",
                format!(
                    "当前状态“{}”不能直接转到“{}”。可办理：{}",
                    state_zh(&opened.definition, &from),
                    asked.to,
                    next.join("、")
                ),
                format!("no step leads from {from} to {to}"),
            )
        })?;
        if transition.needs_reason && asked.reason.trim().is_empty() {
            return Err(Trouble::new(
                "no-reason",
                "办理这一步必须写明原因（--reason）",
                "this step needs a --reason",
            ));
        }
        let (person, role) = self.who_steps(&opened.definition, transition, &asked.who)?;
        let edits = self.edits(&opened, &asked.fields, &Default::default())?;
        let step = Step {
            from,
            to: to.clone(),
            role,
            reason: asked.reason.clone(),
            on_behalf_of: asked.on_behalf_of.clone(),
        };
        // What the new state asks for is said field by field before the rules say it in one word.
        let mut content = opened.view.content.clone();
        merge(&mut content, &edits);
        check(&opened.definition, &content, &to)?;
        self.write(&opened, &Draft { edits, step: Some(step) }, &person)
    }

    /// Takes one of several values. Answers the same as [`Office::create`].
    pub(crate) fn resolve(&mut self, asked: &ResolveRecord) -> Answer<Json> {
        let opened = self.open_record(&asked.record)?;
        let conflict = opened
            .view
            .conflicts
            .iter()
            .find(|conflict| conflict.path == asked.path)
            .ok_or_else(|| Trouble::missing("这一处冲突", "such conflict"))?;
        let chosen = asked
            .take
            .checked_sub(1)
            .and_then(|at| conflict.values.get(at))
            .ok_or_else(|| Trouble::missing("该编号的取值", "value of that number"))?
            .clone();
        let definition = &opened.definition;
        if asked.path == "state" {
            let Value::Text(to) = &chosen.value else {
                return Err(Trouble::missing("该状态", "such state"));
            };
            let step = opened
                .view
                .steps
                .iter()
                .find(|step| step.entry == chosen.entry && &step.step.to == to)
                .ok_or_else(|| Trouble::missing("该步骤", "such step"))?;
            let transition = definition
                .transition(&step.step.from, to)
                .ok_or_else(|| Trouble::missing("该步骤", "such step"))?;
            let (person, role) = self.who_steps(definition, transition, &asked.who)?;
            let step = Step {
                from: CONFLICT.to_owned(),
                to: to.clone(),
                role,
                reason: asked.reason.clone(),
                on_behalf_of: String::new(),
            };
            return self.write(&opened, &Draft { edits: Vec::new(), step: Some(step) }, &person);
        }
        let (at, path) = split_place(&asked.path);
        let edits = vec![Edit::Put { at, path, value: chosen.value }];
        let editors = &definition.edit_roles;
        let (person, _) = self.pick(&asked.who, |role| editors.iter().any(|e| e == role))?;
        self.write(&opened, &Draft { edits, step: None }, &person)
    }

    pub(super) fn write(&mut self, opened: &Opened, draft: &Draft, person: &str) -> Answer<Json> {
        self.witness_ground(opened)?;
        let tail = self.tail(opened.space)?;
        let held = self.store.evidence(opened.space, opened.id)?;
        let evidence: Vec<Evidence<'_>> = held.iter().map(Held::evidence).collect();
        let key = self.person_key(person)?;
        let author = Author { node: &self.node, person: Some(key) };
        let roster = self.store.roster();
        let base = base(roster, &self.own_key(), &evidence);
        if base.is_empty() {
            return Err(Trouble::new(
                "waiting",
                "这条记录刚刚收到，尚未经上级见证，请稍后再改",
                "this record has just arrived and is not witnessed yet; try again in a moment",
            ));
        }
        let (code, schema) = (&opened.definition.code, opened.schema);
        let signed = write_change(
            roster,
            self.store.definitions(),
            &tail,
            opened.id,
            code,
            schema,
            &base,
            draft,
            author,
            clock::act(),
        )?;
        self.approve(opened.id, &evidence, &signed)?;
        let entry = signed.entry.id();
        self.keep(vec![signed])?;
        self.saved(opened.space, opened.id, &entry.to_string())
    }

    /// An office above builds on witnessed ground only, and witnesses it itself where it has not
    /// come to that yet: what is changed seconds after it arrived is no concurrent edit.
    fn witness_ground(&mut self, opened: &Opened) -> Answer<()> {
        let own = self.own_key();
        let (roster, logs) = (self.store.roster(), self.store.logs());
        let mut due: Vec<_> = opened.held.iter().map(|held| held.entry.core().log).collect();
        due.sort_unstable();
        due.dedup();
        due.retain(|log| logs.to_pin(roster, &own, log).is_some());
        if due.is_empty() { Ok(()) } else { self.witness(opened.space, &due) }
    }

    /// The verdict on what we are about to store; only what counts is stored.
    pub(super) fn approve(
        &self,
        record: RecordId,
        held: &[Evidence<'_>],
        signed: &Signed,
    ) -> Answer<()> {
        let mut evidence = held.to_vec();
        evidence.push(Evidence {
            entry: &signed.entry,
            body: signed.body.as_ref(),
            standing: Standing::Local,
        });
        let roster = self.store.roster();
        let mut judged = judge(roster, self.store.definitions(), record, &evidence);
        match judged.verdicts.remove(&signed.entry.id()) {
            Some(Verdict::Admitted) => Ok(()),
            Some(Verdict::Refused(refusal)) => Err(Trouble::of_refusal(&refusal)),
            Some(Verdict::Erased) => Err(Trouble::new(
                "erased",
                "该记录的内容已依法删除，不能再办理",
                "what this record said was erased; nothing can be done with it any more",
            )),
            Some(Verdict::Waiting(_) | Verdict::Sealed) | None => Err(Trouble::new(
                "waiting",
                "所依据的内容尚未到齐，请稍后再试",
                "what this builds on has not arrived yet; try again later",
            )),
        }
    }

    fn saved(&self, space: Space, record: RecordId, entry: &str) -> Answer<Json> {
        let opened = self.open_in(space, record)?;
        let number = opened.view.content.text("business_no").unwrap_or_default().to_owned();
        Ok(json!({
            "record": record, "entry": entry, "business_no": number,
            "state": opened.view.state,
            "state_zh": state_zh(&opened.definition, &opened.view.state),
            "state_en": opened.definition.state(&opened.view.state).map(|state| state.en.clone()),
            "conflicts": opened.view.conflicts.len(),
        }))
    }

    /// Finds a record by id, by the start of its id, or by business number.
    pub(super) fn open_record(&self, name: &str) -> Answer<Opened> {
        let row = self.find_row(name)?;
        self.open_in(Space { division: row.division, audience: row.audience }, row.record)
    }

    /// Reads a record from its entries, whether its row is settled or not.
    fn open_in(&self, space: Space, id: RecordId) -> Answer<Opened> {
        let held = self.store.evidence(space, id)?;
        let evidence: Vec<Evidence<'_>> = held.iter().map(Held::evidence).collect();
        let judged = judge(self.store.roster(), self.store.definitions(), id, &evidence);
        let view = judged.view.ok_or_else(|| Trouble::missing("该记录", "such record"))?;
        if view.sealed {
            return Err(Trouble::new(
                "sealed",
                "本机构只保存该记录的签名条目，不保存内容（密封），不能查看或修改内容",
                "this office holds the record sealed: its signed entries without their contents",
            ));
        }
        let hash = xw_schemas::id::unhex(&view.schema)
            .and_then(|bytes| bytes.try_into().ok())
            .map(SchemaHash)
            .ok_or_else(|| Trouble::missing("记录类型定义", "record type definition"))?;
        let definition = self.store.definitions().get(&hash).cloned();
        let definition =
            definition.ok_or_else(|| Trouble::missing("记录类型定义", "record type definition"))?;
        Ok(Opened { id, space, definition, schema: hash, held, view })
    }

    /// The definition's defaults, the header and computed fields.
    pub(super) fn complete(
        &self,
        definition: &RecordType,
        mut content: Content,
        division: Division,
        person: &str,
        numbers: &mut Numbers,
    ) -> Answer<Content> {
        let now = clock::now_ms();
        self.fill_header(definition, &mut content, division, person, now);
        self.give_number(definition, &mut content, division, now, numbers)?;
        fill_computed(definition, &mut content);
        Ok(content)
    }

    /// What every record begins with and a clerk is not asked for. Nothing about a person is
    /// guessed; each value stands on the form and can be changed.
    fn fill_header(
        &self,
        definition: &RecordType,
        content: &mut Content,
        division: Division,
        person: &str,
        now_ms: u64,
    ) {
        let about = ["matter_name", "project_name"].iter().find_map(|path| content.text(path));
        let title = about.unwrap_or(&definition.zh).to_owned();
        let text = |text: &str| Value::Text(text.to_owned());
        let header = [
            ("title", text(&title)),
            ("division_code", text(&division.to_string())),
            ("responsible_org", text(&self.settings.office)),
            ("recorder", text(person)),
            ("recorded_at", text(&clock::stamp(now_ms))),
            ("time_source", text("1")),
            ("source_channel", text("01")),
            ("entry_mode", text("1")),
            ("paper_original", Value::Bool(false)),
            ("legal_basis", text("02")),
            ("notice_given", text("1")),
            ("disclosure_class", text("0")),
        ];
        for (path, value) in header {
            if content.value(path).is_none() && definition.field(path).is_some() {
                content.values.insert(path.to_owned(), value);
            }
        }
    }

    /// Edits for fields given as nested JSON and for members of items given by path.
    fn edits(
        &self,
        opened: &Opened,
        fields: &Json,
        items: &std::collections::BTreeMap<String, Json>,
    ) -> Answer<Vec<Edit>> {
        let definition = &opened.definition;
        let given = from_json(definition, &object(fields))
            .map_err(|slips| Trouble::of_slips(slips, |path| label(definition, path)))?;
        let mut edits: Vec<Edit> = Vec::new();
        let mut after = opened.view.content.clone();
        for (path, value) in &given.values {
            after.values.insert(path.clone(), value.clone());
        }
        after.lists.extend(given.lists.clone());
        // Computed fields follow what they are computed from.
        for (path, value) in &given.values {
            if definition.field(path).is_none_or(|field| field.compute.is_none()) {
                edits.push(Edit::Put { at: Place::Root, path: path.clone(), value: value.clone() });
            }
        }
        let mut computed = after.clone();
        clear_computed(definition, &mut computed);
        fill_computed(definition, &mut computed);
        for (path, value) in &computed.values {
            let changes = opened.view.content.values.get(path) != Some(value);
            if changes && definition.field(path).is_some_and(|field| field.compute.is_some()) {
                edits.push(Edit::Put { at: Place::Root, path: path.clone(), value: value.clone() });
            }
        }
        for (list, added) in given.lists {
            let stem = hex(&clock::act().operation.0[..5]);
            for (at, mut item) in added.into_iter().enumerate() {
                item.id = format!("{stem}{at}");
                edits.push(Edit::Append { at: Place::Root, list: list.clone(), item });
            }
        }
        for (path, value) in items {
            edits.push(item_edit(definition, path, value)?);
        }
        let unchanged = |edit: &Edit| match edit {
            Edit::Put { at: Place::Root, path, value } => {
                opened.view.content.values.get(path) == Some(value)
                    && !opened.view.conflicts.iter().any(|conflict| &conflict.path == path)
            }
            _ => false,
        };
        edits.retain(|edit| !unchanged(edit));
        Ok(edits)
    }

    /// A person here and a role of theirs that passes.
    pub(super) fn pick(
        &self,
        who: &Who,
        passes: impl Fn(&str) -> bool,
    ) -> Answer<(String, String)> {
        let actors = self.actors(who)?;
        let wanted =
            |role: &&String| passes(role) && who.role.as_ref().is_none_or(|asked| asked == *role);
        for (_, signer) in &actors {
            if let Some(role) = signer.roles.iter().find(wanted) {
                return Ok((signer.name.clone(), role.clone()));
            }
        }
        let names: Vec<&str> = actors.iter().map(|(_, signer)| signer.name.as_str()).collect();
        Err(Trouble::new(
            "no-right",
            format!("{} 的角色无权做此操作", names.join("、")),
            format!("none of {} may do this", names.join(", ")),
        ))
    }

    fn who_steps(
        &self,
        definition: &RecordType,
        transition: &Transition,
        who: &Who,
    ) -> Answer<(String, String)> {
        self.pick(who, |role| may_make(definition, transition, role))
    }

    fn who_creates(
        &self,
        definition: &RecordType,
        new: &NewRecord,
    ) -> Answer<(String, String, String)> {
        let to = match &new.to {
            Some(to) => Some(self.state_code(definition, to)?),
            None => None,
        };
        let mut trouble = Trouble::missing("可用的起始状态", "first state that fits");
        let firsts = definition.transitions.iter().filter(|t| t.from == NOWHERE);
        for transition in firsts.filter(|t| to.as_ref().is_none_or(|to| &t.to == to)) {
            match self.who_steps(definition, transition, &new.who) {
                Ok((person, role)) => return Ok((person, role, transition.to.clone())),
                Err(why) => trouble = why,
            }
        }
        Err(trouble)
    }

    /// Who registers imported rows, in which role, and in which state they begin.
    pub(super) fn who_imports(
        &self,
        definition: &RecordType,
        who: &Who,
    ) -> Answer<(String, String, String)> {
        let new = NewRecord { who: who.clone(), ..NewRecord::default() };
        self.who_creates(definition, &new)
    }

    pub(super) fn person_key(&self, name: &str) -> Answer<&SecretKey> {
        let roster = self.store.roster();
        let named = |person: &&Person| {
            roster.signer(&person.key.public()).is_some_and(|signer: &Signer| signer.name == name)
        };
        let person = self.keys.signed_in().iter().find(named);
        person
            .map(|person| &person.key)
            .ok_or_else(|| Trouble::missing("该经办人的密钥", "key of that person"))
    }

    /// A state's code from its code or Chinese name.
    fn state_code(&self, definition: &RecordType, text: &str) -> Answer<String> {
        let found = definition.states.iter().find(|s| s.code == text || s.zh == text);
        found.map(|state| state.code.clone()).ok_or_else(|| {
            let all: Vec<String> =
                definition.states.iter().map(|s| format!("{}({})", s.zh, s.code)).collect();
            Trouble::new(
                "state",
                format!("没有状态“{text}”，可选：{}", all.join("、")),
                format!("there is no state {text}"),
            )
        })
    }
}
