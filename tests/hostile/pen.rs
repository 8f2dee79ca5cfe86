//! The hostile village's hand: it knows the rules as well as anybody and signs what it likes with
//! keys that are on the roster. Sends nothing.

use std::sync::Arc;

use xw_ledger::document::{Edit, Place};
use xw_ledger::draft::{Act, Author, Draft, Signed, Tail, new_record, open_log, write_change};
use xw_ledger::judge::Evidence;
use xw_ledger::log::Logs;
use xw_ledger::standing::Standing;
use xw_ledger::steps::{NOWHERE, Step};
use xw_schemas::cose::SecretKey;
use xw_schemas::entry::{Body, ChangeStatement, Core, Statement, VerifiedEntry, sign};
use xw_schemas::hash::tagged;
use xw_schemas::id::{EntryId, Incarnation, LogId, OperationId, RecordId};
use xw_schemas::record::{Content, SchemaHash, Value};
use xw_schemas::space::{Audience, Space};
use xw_schemas::wire::Parcel;

use crate::setup::{FOUNDED_MS, Keys, World};

/// The record type of every record here: its bodies go to all levels.
pub(crate) const TYPE: &str = "IND";

/// A field that the village may edit and that all offices above see.
pub(crate) const FREE: &str = "content_scale";

/// One log of the hostile village and its records. A clone writes another branch.
#[derive(Clone)]
pub(crate) struct Pen {
    pub(crate) world: Arc<World>,
    pub(crate) keys: Keys,
    pub(crate) space: Space,
    pub(crate) log: LogId,
    logs: Logs,
    /// Every change of this branch, and what it builds on.
    written: Vec<Signed>,
    /// Acts so far; clones are told to count on elsewhere.
    acts: u64,
    /// Which of its logs in this space it is.
    number: u64,
}

/// What an entry is on the wire.
pub(crate) fn parcel(signed: &Signed) -> Parcel {
    Parcel {
        envelope: signed.entry.bytes().to_vec(),
        body: signed.body.as_ref().map(|body| body.bytes().to_vec()),
    }
}

impl Pen {
    /// Opens a log in the village's own space and gives the opening.
    pub(crate) fn open(world: &Arc<World>, keys: &Keys, audience: Audience) -> (Self, Parcel) {
        Self::open_in(world, keys, Space { division: keys.division, audience }, 0)
    }

    /// Opens one of its logs in any space; the number chooses the incarnation.
    pub(crate) fn open_in(
        world: &Arc<World>,
        keys: &Keys,
        space: Space,
        number: u64,
    ) -> (Self, Parcel) {
        let mut pen = Self {
            world: Arc::clone(world),
            keys: keys.clone(),
            space,
            log: LogId([0; 32]),
            logs: Logs::new(),
            written: Vec::new(),
            acts: number * 1_000_000_000,
            number,
        };
        let act = pen.act();
        let incarnation = Incarnation(act.operation.0);
        let author = Author { node: &keys.node, person: None };
        let roster = world.chain.roster();
        let opening = open_log(roster, space, author, incarnation, act, None);
        let opening = opening.expect("an opening can be signed");
        pen.log = opening.entry.core().log;
        // In a space of others the own door is shut as well; the bytes are what they are.
        let _ = pen.logs.place(roster, &opening.entry);
        (pen, parcel(&opening))
    }

    /// The opening of one more log in this space, in which nothing is written.
    pub(crate) fn another_opening(&mut self) -> Signed {
        let act = self.act();
        let author = Author { node: &self.keys.node, person: None };
        let incarnation = Incarnation(act.operation.0);
        let roster = self.world.chain.roster();
        let opening = open_log(roster, self.space, author, incarnation, act, None);
        opening.expect("an opening can be signed")
    }

    /// The clock and dice of the next act.
    pub(crate) fn act(&mut self) -> Act {
        self.acts += 1;
        let seed =
            tagged("xw/hostile/act", &[&self.keys.node.public().0, &self.acts.to_be_bytes()]);
        let operation = OperationId(std::array::from_fn(|at| seed[at]));
        let salt = std::array::from_fn(|at| seed[16 + at]);
        Act { operation, time_ms: FOUNDED_MS + self.acts * 1_000, salt, republishes: None }
    }

    /// Goes on, with keys that were stolen, in a log that their owner wrote, behind its first `size`
    /// entries; `acts` tells this hand's acts from all others.
    pub(crate) fn in_log_of(
        world: &Arc<World>,
        keys: &Keys,
        opening: &VerifiedEntry,
        held: &[Signed],
        size: u64,
        acts: u64,
    ) -> Self {
        let Statement::Open(opened) = &opening.core().statement else { panic!("an opening") };
        let log = opening.core().log;
        let mut pen = Self {
            world: Arc::clone(world),
            keys: keys.clone(),
            space: opened.space,
            log,
            logs: Logs::new(),
            written: Vec::new(),
            acts,
            number: 0,
        };
        let core = |signed: &&Signed| {
            signed.entry.core().log != log || signed.entry.core().sequence < size
        };
        pen.learn(held.iter().filter(core));
        pen
    }

    /// Takes in what others wrote, to build on it.
    pub(crate) fn learn<'a>(&mut self, held: impl Iterator<Item = &'a Signed>) {
        for signed in held {
            let _ = self.logs.place(self.world.chain.roster(), &signed.entry);
            self.written.push(signed.clone());
        }
    }

    /// The same log with nothing but its opening: where another past begins.
    pub(crate) fn reopened(&self) -> Self {
        let (mut pen, _) = Self::open_in(&self.world, &self.keys, self.space, self.number);
        assert_eq!(pen.log, self.log, "the first act opens the log");
        pen.diverge(3);
        pen
    }

    /// From here on acts differ from those of a clone.
    pub(crate) fn diverge(&mut self, by: u64) {
        self.acts += by * 1_000_000;
    }

    /// An honest new record.
    pub(crate) fn create(&mut self) -> (RecordId, Signed) {
        let act = self.act();
        let content = form(&self.space.division.to_string(), self.acts);
        let step = step(NOWHERE, "proposed", "VSEC");
        let draft = Draft::of_new(&content, step);
        let person = self.keys.person("VSEC").clone();
        self.change(None, &draft, Some(&person), act)
    }

    /// A change of a free field by somebody who may.
    pub(crate) fn edit(&mut self, record: RecordId, text: &str) -> Signed {
        let person = self.keys.person("VSEC").clone();
        self.edit_as(record, put(FREE, text), None, Some(&person))
    }

    /// A change by anybody at all.
    pub(crate) fn edit_as(
        &mut self,
        record: RecordId,
        edits: Vec<Edit>,
        step: Option<Step>,
        person: Option<&SecretKey>,
    ) -> Signed {
        let act = self.act();
        self.change(Some(record), &Draft { edits, step }, person, act).1
    }

    /// Writes a change and stands on it from now on.
    pub(crate) fn change(
        &mut self,
        record: Option<RecordId>,
        draft: &Draft,
        person: Option<&SecretKey>,
        act: Act,
    ) -> (RecordId, Signed) {
        let roster = self.world.chain.roster();
        let author = Author { node: &self.keys.node, person };
        let is_new = record.is_none();
        let record = record.unwrap_or_else(|| new_record(roster, author, act));
        let about = |signed: &&Signed| {
            signed.entry.change().is_some_and(|change| change.record == record && !is_new)
        };
        let evidence: Vec<Evidence<'_>> = self
            .written
            .iter()
            .filter(about)
            .map(|signed| Evidence {
                entry: &signed.entry,
                body: signed.body.as_ref(),
                // Nobody builds on what others wrote and no office above has witnessed.
                standing: match signed.entry.node() == self.keys.node.public() {
                    true => Standing::Local,
                    false => Standing::Witnessed,
                },
            })
            .collect();
        let tail = Tail::of(&self.logs, self.log).expect("the log is open");
        let signed = write_change(
            roster,
            &self.world.definitions,
            &tail,
            record,
            TYPE,
            self.schema(),
            &evidence,
            draft,
            author,
            act,
        )
        .expect("a change that can be written");
        self.keep(signed.clone());
        (record, signed)
    }

    /// Takes an entry into the own log, so that the next one follows it.
    fn keep(&mut self, signed: Signed) {
        self.logs.place(self.world.chain.roster(), &signed.entry).expect("it follows");
        self.written.push(signed);
    }

    /// The definition that records are written under.
    pub(crate) fn schema(&self) -> SchemaHash {
        self.world.chain.roster().current_schema(TYPE).expect("the county adopted it")
    }

    /// A change with any bytes as its body, signed by a person who may edit.
    pub(crate) fn body(&mut self, record: RecordId, change: &[u8]) -> Signed {
        let act = self.act();
        let body = Body::new(act.salt, change);
        let statement = Statement::Change(ChangeStatement {
            record,
            record_type: TYPE.to_owned(),
            schema: self.schema(),
            commitment: body.commitment(),
            length: change.len() as u64,
        });
        let person = self.keys.person("VSEC").clone();
        let model = self.clone().edit_model(act, &person);
        let core = Core { statement, ..model };
        let entry = sign(core, &self.keys.node, Some(&person)).expect("it can be signed");
        let signed = Signed { entry, body: Some(body) };
        self.keep(signed.clone());
        signed
    }

    /// What the next entry would say: a core to be bent.
    fn edit_model(mut self, act: Act, person: &SecretKey) -> Core {
        let content = form(&self.space.division.to_string(), self.acts);
        let draft = Draft::of_new(&content, step(NOWHERE, "proposed", "VSEC"));
        self.change(None, &draft, Some(person), act).1.entry.core().clone()
    }

    /// The core that the next entry would have, by a person of the village.
    pub(crate) fn next_core(&mut self) -> Core {
        let act = self.act();
        let person = self.keys.person("VSEC").clone();
        self.clone().edit_model(act, &person)
    }

    /// Signs any core and stands on it from now on.
    pub(crate) fn put(&mut self, core: Core, body: Option<Body>) -> Signed {
        let entry = self.sign(core).expect("it can be signed");
        // The act that the core was made with has been used.
        self.acts += 1;
        let signed = Signed { entry, body };
        self.keep(signed.clone());
        signed
    }

    /// Signs any core with the village's keys; does not stand on it.
    pub(crate) fn sign(&self, core: Core) -> Result<VerifiedEntry, xw_schemas::entry::EntryFault> {
        let mut people = self.keys.people.iter().map(|(_, _, key)| key);
        let person = people.find(|key| Some(key.public()) == core.person);
        sign(core, &self.keys.node, person)
    }

    /// The last entry of this branch.
    pub(crate) fn head(&self) -> (u64, EntryId) {
        let log = self.logs.log(&self.log).expect("the log is open");
        (log.size() - 1, log.head().expect("it has an opening"))
    }
}

/// A value put into a field of the record.
pub(crate) fn put(path: &str, text: &str) -> Vec<Edit> {
    let value = Value::Text(text.to_owned());
    vec![Edit::Put { at: Place::Root, path: path.to_owned(), value }]
}

/// A step.
pub(crate) fn step(from: &str, to: &str, role: &str) -> Step {
    Step {
        from: from.to_owned(),
        to: to.to_owned(),
        role: role.to_owned(),
        reason: String::new(),
        on_behalf_of: String::new(),
    }
}

/// The least that a project proposal needs.
fn form(division: &str, number: u64) -> Content {
    let mut content = Content::default();
    let texts = [
        ("business_no", format!("{division}A-{TYPE}-2026-{number:05}")),
        ("title", "光伏项目".to_owned()),
        ("division_code", division.to_owned()),
        ("responsible_org", "村委会".to_owned()),
        ("recorded_at", "2026-11-18T09:30:00+08:00".to_owned()),
        ("time_source", "1".to_owned()),
        ("recorder", "村书记".to_owned()),
        ("source_channel", "01".to_owned()),
        ("entry_mode", "1".to_owned()),
        ("legal_basis", "02".to_owned()),
        ("notice_given", "1".to_owned()),
        ("disclosure_class", "0".to_owned()),
        ("project_name", "2026年光伏项目".to_owned()),
        ("project_class", "2".to_owned()),
        ("nature", "1".to_owned()),
        ("site", "村东".to_owned()),
        ("content_scale", "一百千瓦".to_owned()),
        ("need_basis", "日照充足".to_owned()),
    ];
    for (path, text) in texts {
        content.values.insert(path.to_owned(), Value::Text(text));
    }
    content.values.insert("paper_original".to_owned(), Value::Bool(false));
    content
}
