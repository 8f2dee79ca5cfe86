//! One record, its village and its township at work, through the functions that the node uses.

use std::collections::{BTreeMap, BTreeSet};

use xw_ledger::change::{Action, Change};
use xw_ledger::document::{Edit, Place};
use xw_ledger::draft::{Act, Author, Draft, Signed, Tail, open_log, write_change, write_erasure};
use xw_ledger::judge::{Evidence, Judged, judge};
use xw_ledger::log::Logs;
use xw_ledger::republish::{RepublishError, act_again, republish_change, stands_again};
use xw_ledger::roster::{Chain, Roster};
use xw_ledger::standing::Standing;
use xw_ledger::steps::Step;
use xw_ledger::verdict::Verdict;
use xw_schemas::cose::SecretKey;
use xw_schemas::entry::{Core, Erasure, ErasureGround};
use xw_schemas::id::{EntryId, Incarnation, LogId, OperationId, RecordId};
use xw_schemas::record::{Content, Value};
use xw_schemas::space::{Audience, Space};

use crate::county::{EAST, NOW_MS, TOWN, county};
use crate::dice::Dice;
use crate::pen::operation;
use crate::sample::full;
use crate::world::{append, put, step};

const TICK_MS: u64 = 1_500;

/// Entries about one record, in the order in which they were written.
pub(super) struct Desk {
    chain: Chain,
    logs: Logs,
    space: Space,
    pub(super) record: RecordId,
    pub(super) written: Vec<Signed>,
    /// The logs in which the village and the township write now.
    village: LogId,
    township: LogId,
    acts: u64,
}

impl Desk {
    pub(super) fn new() -> Self {
        let chain = county().chain();
        let space = county().offices[EAST].space(Audience::Office);
        let (none, record) = (LogId([0; 32]), RecordId([0; 16]));
        let mut desk = Self {
            chain,
            logs: Logs::new(),
            space,
            record,
            written: Vec::new(),
            village: none,
            township: none,
            acts: 0,
        };
        desk.village = desk.open(EAST);
        desk.township = desk.open(TOWN);
        desk
    }

    pub(super) fn roster(&self) -> &Roster {
        self.chain.roster()
    }

    fn act(&mut self) -> Act {
        self.acts += 1;
        let time_ms = NOW_MS + self.acts * TICK_MS;
        Act { operation: operation(self.acts), time_ms, salt: [3; 16], republishes: None }
    }

    fn open(&mut self, office: usize) -> LogId {
        let act = self.act();
        let author = Author { node: &county().offices[office].node, person: None };
        let incarnation = Incarnation(act.operation.0);
        let opened = open_log(self.roster(), self.space, author, incarnation, act, None);
        let opened = opened.expect("a log of a rostered node");
        self.logs.place(self.chain.roster(), &opened.entry).expect("the door takes it");
        opened.entry.core().log
    }

    /// The village opens another log and goes on there.
    pub(super) fn move_on(&mut self) {
        self.village = self.open(EAST);
    }

    fn keep(&mut self, signed: Signed) -> usize {
        self.logs.place(self.chain.roster(), &signed.entry).expect("the door takes it");
        self.written.push(signed);
        self.written.len() - 1
    }

    /// The village creates the record.
    pub(super) fn create(&mut self) -> usize {
        let act = self.act();
        let node = &county().offices[EAST].node;
        self.record = RecordId::of(county().network, node.public(), act.operation, act.time_ms);
        let step = step("-", "registered", "VAGT");
        let draft = Draft::of_new(full("SVC"), step);
        self.write(EAST, "VAGT", &BTreeSet::from([usize::MAX]), &draft, act).expect("a new record")
    }

    /// The village writes on everything but `unseen`.
    pub(super) fn village(&mut self, edits: Vec<Edit>, unseen: Option<&[usize]>) -> usize {
        let (act, unseen) = (self.act(), unseen.unwrap_or_default().iter().copied().collect());
        let draft = Draft { edits, step: None };
        self.write(EAST, "VAGT", &unseen, &draft, act).expect("a change")
    }

    pub(super) fn township(
        &mut self,
        unseen: &[usize],
        edits: Vec<Edit>,
        step: Option<Step>,
    ) -> usize {
        let (act, unseen) = (self.act(), unseen.iter().copied().collect());
        self.write(TOWN, "TWIN", &unseen, &Draft { edits, step }, act).expect("a change")
    }

    pub(super) fn township_as(&mut self, as_: OperationId, unseen: &[usize], edits: Vec<Edit>) {
        let act = Act { operation: as_, ..self.act() };
        let unseen = unseen.iter().copied().collect();
        let draft = Draft { edits, step: None };
        self.write(TOWN, "TWIN", &unseen, &draft, act).expect("a change");
    }

    pub(super) fn village_as(&mut self, as_: OperationId, unseen: &[usize], edits: Vec<Edit>) {
        let act = Act { operation: as_, ..self.act() };
        let unseen = unseen.iter().copied().collect();
        let draft = Draft { edits, step: None };
        self.write(EAST, "VAGT", &unseen, &draft, act).expect("a change");
    }

    /// Writes on everything but `unseen`; nothing when the edits change nothing there.
    fn write(
        &mut self,
        office: usize,
        role: &str,
        unseen: &BTreeSet<usize>,
        draft: &Draft,
        act: Act,
    ) -> Option<usize> {
        let log = if office == EAST { self.village } else { self.township };
        let office = &county().offices[office];
        let author = Author { node: &office.node, person: Some(office.person(role)) };
        let tail = Tail::of(&self.logs, log).expect("the log is open");
        let (code, hash) = ("SVC", county().hash("SVC"));
        let evidence = self.evidence_seen(unseen);
        let definitions = &county().definitions;
        let signed = write_change(
            self.roster(),
            definitions,
            &tail,
            self.record,
            code,
            hash,
            &evidence,
            draft,
            author,
            act,
        );
        let signed = signed.ok()?;
        // An honest node judges what it has written before it keeps it.
        let item = Evidence {
            entry: &signed.entry,
            body: signed.body.as_ref(),
            standing: Standing::Local,
        };
        let evidence: Vec<Evidence<'_>> = evidence.into_iter().chain([item]).collect();
        let judged = judge(self.roster(), definitions, self.record, &evidence);
        let admitted = judged.verdicts[&signed.entry.id()] == Verdict::Admitted;
        admitted.then(|| self.keep(signed))
    }

    /// Says an act of the village again in its present log; `lost` do not stand.
    pub(super) fn again(&mut self, at: usize, lost: &[usize]) -> Result<usize, RepublishError> {
        let person = self.core(at).person.expect("a person signed");
        let person =
            people(EAST).find(|key| key.public() == person).expect("a person of the village");
        let lost: BTreeSet<usize> = lost.iter().copied().collect();
        let author = Author { node: &county().offices[EAST].node, person: Some(person) };
        let tail = Tail::of(&self.logs, self.village).expect("the log is open");
        let evidence = self.evidence(&lost);
        let old = evidence.iter().find(|item| item.entry.id() == self.id(at)).expect("it is held");
        let (roster, definitions) = (self.roster(), &county().definitions);
        let salt = [u8::try_from(self.acts % 251).expect("it is small"); 16];
        let signed = republish_change(
            roster,
            definitions,
            &tail,
            self.record,
            &evidence,
            old,
            author,
            salt,
        )?;
        Ok(self.keep(signed))
    }

    /// What whoever has the village PC's key and no person's puts under a written act's operation,
    /// on everything but `lost`.
    pub(super) fn stolen(&mut self, at: usize, edits: Vec<Edit>, lost: &[usize]) -> usize {
        let act = Act { operation: self.core(at).operation, ..self.act() };
        let author = Author { node: &county().offices[EAST].node, person: None };
        let tail = Tail::of(&self.logs, self.village).expect("the log is open");
        let evidence = self.evidence_seen(&lost.iter().copied().collect());
        let (roster, definitions) = (self.roster(), &county().definitions);
        let (code, hash) = ("SVC", county().hash("SVC"));
        let draft = Draft { edits, step: None };
        let signed = write_change(
            roster,
            definitions,
            &tail,
            self.record,
            code,
            hash,
            &evidence,
            &draft,
            author,
            act,
        );
        let signed = signed.expect("a PC signs whatever it is given");
        self.keep(signed)
    }

    /// The village asks for the record's contents to be removed, or says again that it did.
    pub(super) fn ask_erasure(&mut self, again: Option<usize>) -> usize {
        let act = match again {
            Some(at) => act_again(&self.written[at].entry, [5; 16]),
            None => self.act(),
        };
        let office = &county().offices[EAST];
        let author = Author { node: &office.node, person: Some(office.person("VAGT")) };
        let tail = Tail::of(&self.logs, self.village).expect("the log is open");
        let (record_type, ground) = ("SVC".to_owned(), ErasureGround::ConsentWithdrawn);
        let erasure = Erasure { record: self.record, record_type, ground };
        let signed = write_erasure(self.roster(), &tail, erasure, author, act);
        self.keep(signed.expect("a request"))
    }

    pub(super) fn stands_again(&self, at: usize, evidence: &[Evidence<'_>]) -> bool {
        let (definitions, entry) = (&county().definitions, &self.written[at].entry);
        stands_again(self.roster(), definitions, self.record, entry, evidence)
    }

    /// Everything about the record; what is lost stands disputed.
    pub(super) fn evidence(&self, lost: &BTreeSet<usize>) -> Vec<Evidence<'_>> {
        let standing =
            |at: usize| if lost.contains(&at) { Standing::Disputed } else { Standing::Local };
        (0..self.written.len()).map(|at| self.item(at, standing(at))).collect()
    }

    fn evidence_seen(&self, unseen: &BTreeSet<usize>) -> Vec<Evidence<'_>> {
        let seen = (0..self.written.len()).filter(|at| !unseen.contains(at));
        seen.map(|at| self.item(at, Standing::Local)).collect()
    }

    fn item(&self, at: usize, standing: Standing) -> Evidence<'_> {
        let signed = &self.written[at];
        Evidence { entry: &signed.entry, body: signed.body.as_ref(), standing }
    }

    pub(super) fn judged(&self, lost: &BTreeSet<usize>) -> Judged {
        judge(self.roster(), &county().definitions, self.record, &self.evidence(lost))
    }

    pub(super) fn core(&self, at: usize) -> &Core {
        self.written[at].entry.core()
    }

    pub(super) fn id(&self, at: usize) -> EntryId {
        self.written[at].entry.id()
    }

    /// A record with work of both offices, of which the village's last acts are lost to a fork and
    /// said again in another log: the old and the new entries, in order.
    pub(super) fn forked(&mut self, dice: &mut Dice) -> (Vec<usize>, Vec<usize>) {
        let mut old = Vec::new();
        let created = self.create();
        let loses_all = dice.percent(15);
        if loses_all {
            old.push(created);
        }
        for _ in 0..dice.below(4) {
            let office = if dice.percent(60) || loses_all { EAST } else { TOWN };
            if let Some(at) = self.draw(office, dice, &BTreeSet::new())
                && loses_all
            {
                old.push(at);
            }
        }
        for _ in 0..3 + dice.below(4) {
            let lost: BTreeSet<usize> = old.iter().copied().collect();
            if dice.percent(55) || loses_all {
                old.extend(self.draw(EAST, dice, &BTreeSet::new()));
            } else {
                // The township has not seen what the village loses.
                self.draw(TOWN, dice, &lost);
            }
        }
        let lost = old.clone();
        self.move_on();
        let new = old.iter().map(|at| self.again(*at, &lost).expect("it can be said again"));
        let new = new.collect();
        (old, new)
    }

    /// Whether a new form of an act says something by another sort of operation.
    pub(super) fn said_otherwise(&self, old: &[usize], new: &[usize]) -> bool {
        let deletes = |at: &usize| -> Vec<bool> {
            let body = self.written[*at].body.as_ref().expect("a change has a body");
            let change = Change::decode(body.change()).expect("it is sound");
            change.ops.iter().map(|op| op.action == Action::Delete).collect()
        };
        old.iter().zip(new).any(|(old, new)| deletes(old) != deletes(new))
    }

    /// Both offices go on; each has seen one form of every act, the newest.
    pub(super) fn work_on(&mut self, dice: &mut Dice) -> Vec<usize> {
        let renewed: BTreeSet<OperationId> = (0..self.written.len())
            .filter(|at| self.core(*at).republishes.is_some())
            .map(|at| self.core(at).operation)
            .collect();
        let unseen: BTreeSet<usize> = (0..self.written.len())
            .filter(|at| self.core(*at).republishes.is_none())
            .filter(|at| renewed.contains(&self.core(*at).operation))
            .collect();
        (0..dice.below(5))
            .filter_map(|_| {
                let office = if dice.percent(50) { EAST } else { TOWN };
                self.draw(office, dice, &unseen)
            })
            .collect()
    }

    fn draw(&mut self, office: usize, dice: &mut Dice, unseen: &BTreeSet<usize>) -> Option<usize> {
        let act = self.act();
        let text = ["甲", "乙", "丙"][dice.below(3)];
        let role = if office == EAST { "VAGT" } else { "TWIN" };
        let judged = {
            let (roster, definitions) = (self.roster(), &county().definitions);
            judge(roster, definitions, self.record, &self.evidence_seen(unseen))
        };
        let view = judged.view?;
        let items: Vec<String> = view
            .content
            .lists
            .get("links")
            .into_iter()
            .flatten()
            .map(|item| item.id.clone())
            .collect();
        let mut made = None;
        let edit = match dice.below(6) {
            0 | 1 => put("remarks", text),
            2 => put("title", text),
            3 => {
                let link = [("kind", "next"), ("target", "样例"), ("note", text)];
                append("links", &format!("l{}", self.acts), &link)
            }
            4 if !items.is_empty() => {
                let id = items[dice.below(items.len())].clone();
                let at = Place::Item(vec![("links".into(), id)]);
                Edit::Put { at, path: "note".into(), value: Value::Text(text.into()) }
            }
            _ => {
                let rt = county().record_type("SVC");
                let next = rt.transitions.iter().filter(|t| {
                    t.from == view.state && t.to != "void" && t.who.iter().any(|who| who == role)
                });
                let next: Vec<_> = next.collect();
                made = next.get(dice.below(next.len().max(1))).map(|t| step(&t.from, &t.to, role));
                put("official_doc_no", text)
            }
        };
        self.write(office, role, unseen, &Draft { edits: vec![edit], step: made }, act)
    }
}

fn people(office: usize) -> impl Iterator<Item = &'static SecretKey> {
    ["VAGT", "TWIN"].into_iter().map(move |role| county().offices[office].person(role))
}

/// What a view says, whichever entries say it: in a conflict the values and not which is shown.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Gist {
    state: String,
    content: Content,
    pub(super) conflicts: BTreeMap<String, BTreeSet<Value>>,
    pub(super) steps: BTreeSet<(String, bool)>,
    problems: BTreeSet<String>,
    times: (u64, u64),
    changes: u32,
}

pub(super) fn gist(judged: &Judged, what: &str) -> Gist {
    let view = judged.view.as_ref().unwrap_or_else(|| panic!("nothing counts: {what}"));
    let conflicts: BTreeMap<String, BTreeSet<Value>> = view
        .conflicts
        .iter()
        .map(|c| (c.path.clone(), c.values.iter().map(|v| v.value.clone()).collect()))
        .collect();
    let mut content = view.content.clone();
    mask(&mut content, "", &conflicts);
    let steps = view.steps.iter().map(|s| (format!("{:?}", s.step), s.overruled)).collect();
    let times = (view.created_ms, view.updated_ms);
    let problems = view.problems.iter().map(|p| format!("{} {:?}", p.path, p.code)).collect();
    let (state, changes) = (view.state.clone(), view.changes);
    Gist { state, content, conflicts, steps, problems, times, changes }
}

fn mask(content: &mut Content, at: &str, conflicts: &BTreeMap<String, BTreeSet<Value>>) {
    let path = |key: &str| if at.is_empty() { key.to_owned() } else { format!("{at}.{key}") };
    content.values.retain(|key, _| !conflicts.contains_key(&path(key)));
    for (list, items) in &mut content.lists {
        items.sort_by(|a, b| a.id.cmp(&b.id));
        for item in items {
            mask(&mut item.content, &format!("{}[{}]", path(list), item.id), conflicts);
        }
    }
}
