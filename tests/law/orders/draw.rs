//! Draws worlds from numbers: honest and hostile authors, witnesses, forks and roster editions.

use xw_ledger::document::Edit;
use xw_ledger::steps::{NOWHERE, Step};
use xw_schemas::cose::SecretKey;
use xw_schemas::edition::{Edition, Fact, SignerKind};
use xw_schemas::id::EntryId;
use xw_schemas::record::Level;
use xw_schemas::space::Audience;

use crate::county::{
    COUNTY, EAST, FAR, OFFICES, OTHER_TOWN, TOWN, WEST, county, key, schema, signer,
};
use crate::world::{Bend, Wish, World, append, put, raw_step, step};

/// Numbers that one act is made of; what they mean depends on what there is.
pub(super) type Act = [u8; 5];

/// Roles that the records in these worlds know, and one that may do nothing with them.
const ROLES: [&str; 8] = ["VAGT", "VMED", "TWIN", "TMED", "TJUS", "CDEP", "TSOC", "VREP"];

/// A world drawn from numbers, with its roster editions.
pub(super) struct Drawn {
    pub(super) world: World,
    pub(super) editions: Vec<Edition>,
    /// A person and a PC that only a later edition knows.
    late: (SecretKey, SecretKey),
}

impl Drawn {
    pub(super) fn from(acts: &[Act]) -> Self {
        let late = (key(70_001), key(70_002));
        let mut drawn = Self { world: World::new(), editions: Vec::new(), late };
        // East's own records, written by the village and the offices above; and what the villages
        // of the township share.
        for office in [EAST, TOWN, COUNTY] {
            drawn.world.open_in(office, EAST);
        }
        let shared = county().offices[EAST].space(Audience::Township);
        for office in [EAST, WEST, TOWN] {
            drawn.world.open(office, shared);
        }
        // Where townships and county witness, and a village out of the township's reach.
        for office in [TOWN, OTHER_TOWN, FAR] {
            drawn.world.open_in(office, office);
        }
        drawn.world.open_in(COUNTY, COUNTY);
        for act in acts {
            drawn.act(*act);
        }
        drawn
    }

    fn act(&mut self, [kind, a, b, c, d]: Act) {
        let pen = usize::from(a) % self.world.pens.len();
        let records = self.world.records.len();
        match kind % 24 {
            0..=1 => self.create(pen, b),
            2..=5 if records > 0 => self.edit(pen, b, c, d),
            6..=9 if records > 0 => self.step(pen, b, c, d),
            10..=14 if records > 0 => self.bend(pen, b, c, d),
            15..=16 => {
                // Anywhere in the log, or several variants of one slot, one after another.
                let (all, path) = (self.world.pens[pen].all(), self.world.pens[pen].path());
                let before = path.len().checked_sub(2).map(|at| path[at]);
                let back = before.filter(|_| b.is_multiple_of(2));
                self.world.pens[pen].tip = back.unwrap_or(all[usize::from(b) % all.len()]);
                for again in 0..u8::from(back.is_some() && records > 0) * (b / 64) {
                    self.edit(pen, 0, again, d);
                    self.world.pens[pen].tip = back.expect("there is one");
                }
            }
            17..=20 => self.witness(a, [b, c, d]),
            21 => {
                let (node, space) = (&self.world.pens[pen].node, self.world.pens[pen].space);
                let node = if b.is_multiple_of(4) { self.late.1.clone() } else { node.clone() };
                self.world.open_for(&node, space);
            }
            22..=23 => self.edition(pen, b, c, d),
            _ => self.create(pen, b),
        }
    }

    /// The person of a role in the office of a pen's node; the late PC has a late person.
    fn person(&self, pen: usize, role: &str) -> SecretKey {
        let node = self.world.pens[pen].node.public();
        let office = county().offices.iter().find(|office| office.node.public() == node);
        office.map_or_else(|| self.late.0.clone(), |office| office.person(role).clone())
    }

    /// The level of the office of a pen's node.
    fn level(&self, pen: usize) -> Level {
        let node = self.world.pens[pen].node.public();
        let office = county().offices.iter().find(|office| office.node.public() == node);
        office.map_or(Level::V, |office| office.division.tier().into())
    }

    /// The role in which somebody at a pen's office mostly works on records of a type.
    fn own_role(&self, pen: usize, code: &str) -> &'static str {
        match (self.level(pen), code) {
            (Level::V, "SVC") => "VAGT",
            (Level::V, _) => "VMED",
            (Level::T, "SVC") => "TWIN",
            (Level::T, _) => "TMED",
            (Level::C, _) => "CDEP",
        }
    }

    fn create(&mut self, pen: usize, b: u8) {
        let code = if b.is_multiple_of(2) { "SVC" } else { "MED" };
        let role = self.own_role(pen, code);
        let person = self.person(pen, role);
        self.world.create(pen, code, &person, role);
    }

    /// A record in the space of a pen; a pen that has none there writes where it should not.
    fn record(&self, pen: usize, b: u8) -> usize {
        let space = self.world.pens[pen].space;
        let all = 0..self.world.records.len();
        let here: Vec<usize> =
            all.clone().filter(|record| self.world.records[*record].space == space).collect();
        let choice = if here.is_empty() { all.collect() } else { here };
        choice[usize::from(b) % choice.len()]
    }

    /// Some entries to build on: all, or the older ones if the record began among them.
    fn basis(&self, record: usize, c: u8) -> Option<Vec<usize>> {
        let some = self.world.written.len() * usize::from(c % 8) / 8;
        let id = self.world.records[record].id;
        let about = |at: usize| {
            self.world.written[at].entry.change().is_some_and(|change| change.record == id)
        };
        (c % 2 == 1 && (0..some).any(about)).then(|| (0..some).collect())
    }

    fn edit(&mut self, pen: usize, b: u8, c: u8, d: u8) {
        let record = self.record(pen, b);
        let role = match d / 8 % 4 {
            0 => ROLES[usize::from(d / 32) % ROLES.len()],
            _ => self.own_role(pen, &self.world.records[record].code),
        };
        let text = ["甲", "乙", "丙"][usize::from(d % 3)];
        let edit = match c % 5 {
            0 | 1 => put("remarks", text),
            2 => put("title", text),
            3 => put("official_doc_no", text),
            _ => {
                let link = [("kind", "09"), ("target", "样例"), ("note", text)];
                append("links", &format!("l{d}"), &link)
            }
        };
        self.write(pen, record, c, vec![edit], None, role, Bend::Honest);
    }

    fn step(&mut self, pen: usize, b: u8, c: u8, d: u8) {
        let record = self.record(pen, b);
        let rt = county().record_type(&self.world.records[record].code);
        let judged = self.world.judged(county().chain().roster(), record);
        let state = judged.view.map_or(NOWHERE.to_owned(), |view| view.state);
        let open: Vec<_> = rt
            .transitions
            .iter()
            .filter(|t| t.from == state || state == "conflict" || d.is_multiple_of(8))
            .collect();
        let Some(transition) = open.get(usize::from(c) % open.len().max(1)) else { return };
        let own = transition.who.iter().find(|role| Level::of_role(role) == Some(self.level(pen)));
        let any = transition.who.iter().find(|role| *role != "SUBJ");
        let role = own.or(any).unwrap_or(&rt.edit_roles[0]);
        let from = if state == "conflict" { &state } else { &transition.from };
        let step = step(from, &transition.to, role);
        self.write(pen, record, d, Vec::new(), Some(step), role, Bend::Honest);
    }

    fn bend(&mut self, pen: usize, b: u8, c: u8, d: u8) {
        let record = self.record(pen, b);
        let role = self.own_role(pen, &self.world.records[record].code);
        let other = usize::from(d) % self.world.written.len();
        let lie = step("registered", "accepted", role);
        // Half of them in a log of their own, where nothing refused lies before.
        let pen = if d.is_multiple_of(2) {
            let (node, space) = (&self.world.pens[pen].node, self.world.pens[pen].space);
            let node = node.clone();
            self.world.open_for(&node, space)
        } else {
            pen
        };
        if c % 20 >= 14 {
            return self.act_unlawfully(pen, record, role, c, d);
        }
        let bend = match c % 20 {
            0 => Bend::Bytes(vec![d; usize::from(d)]),
            1 => Bend::Sealed,
            2 => Bend::Actor([d; 16]),
            3 => Bend::Late(1),
            4 => Bend::Of("IND".into(), county().hash("IND")),
            5 => Bend::Schema(county().next_svc.hash()),
            6 => Bend::Schema(xw_schemas::record::SchemaHash([d; 32])),
            7 => Bend::Edits(vec![put("nonsense", "甲")]),
            8 => Bend::Edits(vec![raw_step("a", &lie), raw_step("b", &lie)]),
            9 => Bend::Edits(vec![put("_steps_", "甲")]),
            10 => Bend::Edits(vec![append("_steps", "a", &[("from", "-")])]),
            11 => Bend::Mend(|change| change.start_op += 1),
            12 => Bend::Again(other),
            // The body of another entry.
            _ => match self.world.written[other].body.as_ref() {
                Some(body) => Bend::Bytes(body.change().to_vec()),
                None => Bend::Honest,
            },
        };
        self.write(pen, record, d, vec![put("remarks", "丁")], None, role, bend);
    }

    /// Sound changes that nobody, or not this person, may make.
    fn act_unlawfully(&mut self, pen: usize, record: usize, role: &str, c: u8, d: u8) {
        let stranger = county().offices[FAR].person(role);
        let own = self.person(pen, role);
        let edit = vec![put("remarks", "戊")];
        let (person, edits, step) = match c % 20 {
            14 => (None, edit, None),
            15 => (Some(stranger), edit, None),
            16 => {
                let mut bare = step("registered", "void", role);
                bare.reason.clear();
                (Some(&own), Vec::new(), Some(bare))
            }
            17 => (Some(&own), Vec::new(), Some(step("registered", "archived", role))),
            // Nothing unlawful in itself; what comes after it is.
            _ => (Some(&own), Vec::new(), Some(step("registered", "void", role))),
        };
        let basis = self.basis(record, d);
        let (on, bend) = (basis.as_deref(), Bend::Honest);
        self.world.change(Wish { pen, record, on, edits, step, person, bend });
    }

    #[expect(clippy::too_many_arguments, reason = "the whole of a change")]
    fn write(
        &mut self,
        pen: usize,
        record: usize,
        c: u8,
        edits: Vec<Edit>,
        step: Option<Step>,
        role: &str,
        bend: Bend,
    ) {
        let basis = self.basis(record, c);
        let person = self.person(pen, role);
        let (on, person) = (basis.as_deref(), Some(&person));
        self.world.change(Wish { pen, record, on, edits, step, person, bend });
    }

    fn witness(&mut self, a: u8, which: [u8; 3]) {
        // Mostly the offices that may, in the logs they keep for it; sometimes anybody.
        let pens = self.world.pens.len();
        let pen = [6, 6, 7, 9, 9, usize::from(a) % pens][usize::from(a) % 6];
        let heads: Vec<(usize, EntryId)> = which
            .into_iter()
            .map(|number| {
                let target = usize::from(number) % pens;
                let all = self.world.pens[target].all();
                let tip = self.world.pens[target].tip;
                let some = all[usize::from(number / 16) % all.len()];
                (target, if number.is_multiple_of(2) { tip } else { some })
            })
            .collect();
        self.world.witness(pen, &heads);
    }

    fn edition(&mut self, pen: usize, b: u8, c: u8, d: u8) {
        if self.editions.len() == 4 {
            return;
        }
        let office = &county().offices[usize::from(c) % OFFICES];
        let kept = |drawn: &Self| {
            let pen = &drawn.world.pens[pen];
            let all = pen.all();
            let entry = all[usize::from(d) % all.len()];
            // Sometimes one that never comes.
            let named = if d % 8 == 1 { EntryId([d; 32]) } else { entry };
            vec![(pen.log, pen.number(&entry), named)]
        };
        let fact = match b % 6 {
            0 | 1 => {
                let (key, kept) = (self.world.pens[pen].node.public(), kept(self));
                Fact::Cut { key, kept: if d.is_multiple_of(4) { Vec::new() } else { kept } }
            }
            2 => Fact::Cut { key: self.person(pen, "VAGT").public(), kept: kept(self) },
            3 => schema(&county().next_svc),
            4 => signer(self.late.0.public(), SignerKind::Person, office.id, &["VAGT", "VMED"]),
            _ => signer(self.late.1.public(), SignerKind::Node, office.id, &[]),
        };
        let mut facts = vec![fact];
        // Keys come with an office that does not change afterwards.
        if matches!(b % 6, 4 | 5) {
            let east = county().offices[EAST].id;
            let (person, node) = (self.late.0.public(), self.late.1.public());
            facts = vec![
                signer(person, SignerKind::Person, east, &["VAGT", "VMED"]),
                signer(node, SignerKind::Node, east, &[]),
            ];
        }
        let before = self.editions.last().unwrap_or(&county().founding);
        self.editions.push(county().edition_after(before, facts));
    }
}
