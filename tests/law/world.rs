//! Everything that has been written in a county: logs with their branches, records with their
//! changes, honest and bent. Knows no rule; what becomes of its entries is for the ledger to say.

use std::collections::BTreeSet;

use xw_ledger::change::{Change, ChangeHash};
use xw_ledger::document::{Document, Edit, Place};
use xw_ledger::draft::edits_of;
use xw_ledger::judge::{Evidence, Judged, judge};
use xw_ledger::roster::Roster;
use xw_ledger::standing::Standing;
use xw_ledger::steps::{STEPS, Step};
use xw_ledger::verdict::{Refusal, Verdict};
use xw_schemas::checkpoint::{Checkpoint, cosign};
use xw_schemas::cose::SecretKey;
use xw_schemas::entry::{Body, ChangeStatement, Pin, Statement, VerifiedEntry};
use xw_schemas::id::{EntryId, RecordId, hex};
use xw_schemas::record::{Content, Item, SchemaHash, Value};
use xw_schemas::space::{Audience, Space};

use crate::county::{County, NOW_MS, county};
use crate::pen::{Pen, Stamp, operation};
use crate::sample::full;

/// Milliseconds between two acts.
const TICK_MS: u64 = 1_500;

pub(crate) struct World {
    pub(crate) county: &'static County,
    pub(crate) pens: Vec<Pen>,
    pub(crate) written: Vec<Written>,
    pub(crate) records: Vec<Record>,
    acts: u64,
}

/// One entry.
pub(crate) struct Written {
    pub(crate) entry: VerifiedEntry,
    pub(crate) body: Option<Body>,
    pub(crate) pen: usize,
    change: Option<Raw>,
}

/// The change in a body, where it is one.
struct Raw {
    record: usize,
    bytes: Vec<u8>,
    change: Change,
}

pub(crate) struct Record {
    pub(crate) id: RecordId,
    pub(crate) code: String,
    pub(crate) space: Space,
}

/// In what a change departs from what an honest author writes.
#[derive(Clone)]
pub(crate) enum Bend {
    /// In nothing.
    Honest,
    /// These bytes are its body.
    Bytes(Vec<u8>),
    /// Its body is never sent.
    Sealed,
    /// Its actor.
    Actor([u8; 16]),
    /// Its inner time, by so many seconds.
    Late(i64),
    /// The type and definition it names.
    Of(String, SchemaHash),
    /// What becomes of it before it is signed.
    Mend(fn(&mut Change)),
    /// It is the change of that entry again, at the same claimed time.
    Again(usize),
    /// The definition it names.
    Schema(SchemaHash),
    /// Edits in raw form, behind all others.
    Edits(Vec<Edit>),
}

/// A change to be written.
pub(crate) struct Wish<'a> {
    pub(crate) pen: usize,
    pub(crate) record: usize,
    /// Entries built upon, with all that they were built upon; the author's own earlier changes on
    /// the branch always are. `None` for everything that can be.
    pub(crate) on: Option<&'a [usize]>,
    pub(crate) edits: Vec<Edit>,
    pub(crate) step: Option<Step>,
    pub(crate) person: Option<&'a SecretKey>,
    pub(crate) bend: Bend,
}

/// A step in a role.
pub(crate) fn step(from: &str, to: &str, role: &str) -> Step {
    Step {
        from: from.into(),
        to: to.into(),
        role: role.into(),
        reason: "样例".into(),
        on_behalf_of: String::new(),
    }
}

/// Sets a text at the root.
pub(crate) fn put(path: &str, text: &str) -> Edit {
    Edit::Put { at: Place::Root, path: path.into(), value: Value::Text(text.into()) }
}

/// Appends an item at the root.
pub(crate) fn append(list: &str, id: &str, values: &[(&str, &str)]) -> Edit {
    let values = values.iter().map(|(key, text)| ((*key).into(), Value::Text((*text).into())));
    let content = Content { values: values.collect(), ..Content::default() };
    Edit::Append { at: Place::Root, list: list.into(), item: Item { id: id.into(), content } }
}

/// Appends a step in raw form.
pub(crate) fn raw_step(id: &str, step: &Step) -> Edit {
    Edit::Append { at: Place::Root, list: STEPS.into(), item: step.item(id.into()) }
}

impl World {
    pub(crate) fn new() -> Self {
        let county = county();
        Self { county, pens: Vec::new(), written: Vec::new(), records: Vec::new(), acts: 0 }
    }

    /// The next entry says the last act again, under its operation and time.
    pub(crate) fn again(&mut self) {
        self.acts -= 1;
    }

    fn stamp<'a>(&mut self, person: Option<&'a SecretKey>) -> Stamp<'a> {
        self.acts += 1;
        Stamp { time_ms: NOW_MS + self.acts * TICK_MS, operation: self.acts, person }
    }

    /// Opens a log of an office's node in a space.
    pub(crate) fn open(&mut self, office: usize, space: Space) -> usize {
        let node = self.county.offices[office].node.clone();
        self.open_for(&node, space)
    }

    /// Opens a log of any node in a space.
    pub(crate) fn open_for(&mut self, node: &SecretKey, space: Space) -> usize {
        let stamp = self.stamp(None);
        let (pen, entry) = Pen::open(self.county.network, node, space, stamp.operation, stamp);
        self.pens.push(pen);
        let pen = self.pens.len() - 1;
        self.written.push(Written { entry, body: None, pen, change: None });
        pen
    }

    /// Opens a log of an office in the space of another office's own records.
    pub(crate) fn open_in(&mut self, office: usize, owner: usize) -> usize {
        let space = self.county.offices[owner].space(Audience::Office);
        self.open(office, space)
    }

    /// A new record by a person of an office in a role: everything filled, the first step made.
    pub(crate) fn create(
        &mut self,
        pen: usize,
        code: &str,
        person: &SecretKey,
        role: &str,
    ) -> usize {
        self.create_bent(pen, code, Some(person), role, Bend::Honest)
    }

    pub(crate) fn create_bent(
        &mut self,
        pen: usize,
        code: &str,
        person: Option<&SecretKey>,
        role: &str,
        bend: Bend,
    ) -> usize {
        let rt = self.county.record_type(code);
        let first = rt.initial_transitions().next().expect("a way to create");
        let first = step("-", &first.to, role);
        // The id names the act that comes next.
        let (network, node) = (self.county.network, self.pens[pen].node.public());
        let act = self.acts + 1;
        let id = RecordId::of(network, node, operation(act), NOW_MS + act * TICK_MS);
        let space = self.pens[pen].space;
        self.records.push(Record { id, code: code.into(), space });
        let record = self.records.len() - 1;
        let edits = edits_of(full(code));
        let wish = Wish { pen, record, on: Some(&[]), edits, step: Some(first), person, bend };
        self.change(wish).expect("a new record makes a change");
        record
    }

    /// Writes a change; `None` when what it is to build on cannot be put together.
    pub(crate) fn change(&mut self, wish: Wish<'_>) -> Option<usize> {
        let (id, code) = (self.records[wish.record].id, self.records[wish.record].code.clone());
        let base = self.closure(&wish);
        let stamp = self.stamp(wish.person);
        let actor = match &wish.bend {
            Bend::Actor(actor) => *actor,
            _ => self.pens[wish.pen].log.actor(id),
        };
        let mut time_s = i64::try_from(stamp.time_ms / 1_000).unwrap();
        if let Bend::Late(by) = &wish.bend {
            time_s += by;
        }
        let mut edits = wish.edits;
        let act = hex(&operation(stamp.operation).0);
        edits.extend(wish.step.iter().map(|step| raw_step(&act, step)));
        if let Bend::Edits(more) = &wish.bend {
            edits.extend(more.iter().cloned());
        }
        let bytes = match &wish.bend {
            Bend::Bytes(bytes) => bytes.clone(),
            Bend::Again(at) => self.written[*at].change.as_ref()?.bytes.clone(),
            _ => {
                let raws = base.iter().filter_map(|at| self.written[*at].change.as_ref());
                let raws = raws.map(|raw| raw.bytes.as_slice());
                Document::from_changes(actor, raws).ok()?.edit(&edits, time_s).ok()?
            }
        };
        let bytes = match &wish.bend {
            Bend::Mend(mend) => {
                let mut change = Change::decode(&bytes).ok()?;
                mend(&mut change);
                change.encode()
            }
            _ => bytes,
        };
        let body = Body::new([5; 16], &bytes);
        let adopted = self.county.hash(&code);
        let statement = ChangeStatement {
            record: id,
            record_type: match &wish.bend {
                Bend::Of(code, _) => code.clone(),
                _ => code,
            },
            schema: match &wish.bend {
                Bend::Schema(schema) | Bend::Of(_, schema) => *schema,
                _ => adopted,
            },
            commitment: body.commitment(),
            length: bytes.len() as u64,
        };
        let stamp = match &wish.bend {
            Bend::Again(at) => {
                Stamp { time_ms: self.written[*at].entry.core().claimed_time_ms, ..stamp }
            }
            _ => stamp,
        };
        let entry = self.pens[wish.pen].write(stamp, Statement::Change(statement));
        let change = Change::decode(&bytes).ok();
        let change = change.map(|change| Raw { record: wish.record, bytes, change });
        let body = (!matches!(wish.bend, Bend::Sealed)).then_some(body);
        self.written.push(Written { entry, body, pen: wish.pen, change });
        Some(self.written.len() - 1)
    }

    /// The entries that a change builds on, in the order they were written.
    fn closure(&self, wish: &Wish<'_>) -> BTreeSet<usize> {
        let path: BTreeSet<EntryId> = self.pens[wish.pen].path().into_iter().collect();
        let of_record =
            |at: usize| self.written[at].change.as_ref().filter(|raw| raw.record == wish.record);
        let own = (0..self.written.len()).filter(|at| path.contains(&self.written[*at].entry.id()));
        let mut todo: Vec<usize> = match wish.on {
            Some(on) => own.chain(on.iter().copied()).collect(),
            None => (0..self.written.len()).collect(),
        };
        let mut base = BTreeSet::new();
        while let Some(at) = todo.pop() {
            let Some(raw) = of_record(at) else { continue };
            if base.insert(at) {
                let dep = |hash: &ChangeHash| {
                    (0..at).find(|at| of_record(*at).is_some_and(|raw| raw.change.hash == *hash))
                };
                todo.extend(raw.change.deps.iter().filter_map(dep));
            }
        }
        base
    }

    /// A witness entry that pins these entries, one per log at most.
    pub(crate) fn witness(&mut self, pen: usize, heads: &[(usize, EntryId)]) -> Option<usize> {
        let stamp = self.stamp(None);
        let witness = self.pens[pen].node.clone();
        let pin = |(target, head): &(usize, EntryId)| -> Pin {
            let target = &self.pens[*target];
            let (size, root) = (target.number(head) + 1, target.root(head));
            let network = self.county.network;
            let checkpoint = Checkpoint { network, log: target.log, size, root };
            cosign(&witness, &checkpoint, *head, stamp.time_ms / 1_000)
        };
        let mut pins: Vec<Pin> = heads.iter().map(pin).collect();
        pins.sort_by_key(|pin| pin.log);
        pins.dedup_by_key(|pin| pin.log);
        if pins.is_empty() {
            return None;
        }
        let entry = self.pens[pen].write(stamp, Statement::Witness(pins));
        self.written.push(Written { entry, body: None, pen, change: None });
        Some(self.written.len() - 1)
    }

    /// Anything else that a log can say.
    pub(crate) fn say(
        &mut self,
        pen: usize,
        person: Option<&SecretKey>,
        statement: Statement,
    ) -> usize {
        let stamp = self.stamp(person);
        let entry = self.pens[pen].write(stamp, statement);
        self.written.push(Written { entry, body: None, pen, change: None });
        self.written.len() - 1
    }

    /// The id of an entry.
    pub(crate) fn id(&self, at: usize) -> EntryId {
        self.written[at].entry.id()
    }

    /// The body of a change.
    pub(crate) fn bytes(&self, at: usize) -> Vec<u8> {
        self.written[at].change.as_ref().expect("a change").bytes.clone()
    }

    /// The hash of a change.
    pub(crate) fn hash(&self, at: usize) -> ChangeHash {
        self.written[at].change.as_ref().expect("a change").change.hash
    }

    /// The entries about a record, as evidence; each stands as `standing` says.
    pub(crate) fn evidence(
        &self,
        record: usize,
        standing: impl Fn(&Written) -> Option<Standing>,
    ) -> Vec<Evidence<'_>> {
        let (id, space) = (self.records[record].id, self.records[record].space);
        let about = |written: &&Written| {
            let named = written.entry.core().statement.record() == Some(id);
            named && self.pens[written.pen].space == space
        };
        self.written
            .iter()
            .filter(about)
            .filter_map(|written| {
                let standing = standing(written)?;
                Some(Evidence { entry: &written.entry, body: written.body.as_ref(), standing })
            })
            .collect()
    }

    /// Judges a record of which every entry but one stands, the founding roster holding.
    pub(crate) fn judged_without(&self, record: usize, without: usize) -> Judged {
        let id = self.id(without);
        let evidence =
            self.evidence(record, |written| (written.entry.id() != id).then_some(Standing::Local));
        let (chain, record) = (self.county.chain(), self.records[record].id);
        judge(chain.roster(), &self.county.definitions, record, &evidence)
    }

    /// Judges a record of which every entry stands.
    pub(crate) fn judged(&self, roster: &Roster, record: usize) -> Judged {
        let evidence = self.evidence(record, |_| Some(Standing::Local));
        judge(roster, &self.county.definitions, self.records[record].id, &evidence)
    }

    /// The verdict on an entry when every entry stands and the roster is the founding one.
    pub(crate) fn verdict(&self, at: usize) -> Verdict {
        let record = self.written[at].entry.change().expect("a change").record;
        let record = self.records.iter().position(|held| held.id == record).expect("a record");
        let judged = self.judged(self.county.chain().roster(), record);
        judged.verdicts[&self.id(at)].clone()
    }

    /// The refusal of an entry.
    pub(crate) fn refusal(&self, at: usize) -> Refusal {
        match self.verdict(at) {
            Verdict::Refused(refusal) => refusal,
            other => panic!("not refused: {other:?}"),
        }
    }
}
