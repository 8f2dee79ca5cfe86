//! A small county whose offices write real entries into one set of holdings, honest or not: what the
//! county's node would hold. Used by the tests of packs, by the verifier's and by the benchmark.
#![allow(dead_code, clippy::unwrap_used, reason = "each user takes what it needs; all are tests")]

use std::collections::BTreeMap;
use std::sync::Arc;

use xw_audit::holdings::{Holdings, Place};
use xw_audit::pack::{Export, Give, PlaceName, Scope, Written, write_pack};
use xw_audit::spread::one_by_one;
use xw_ledger::document::{Edit, Place as At};
use xw_ledger::draft::{
    Act, Author, Draft, Signed, Tail, new_record, open_log, write_change, write_erasure,
    write_witness,
};
use xw_ledger::judge::Evidence;
use xw_ledger::roster::Chain;
use xw_ledger::standing::Standing;
use xw_ledger::steps::{NOWHERE, Step};
use xw_schemas::cose::SecretKey;
use xw_schemas::edition::{Edition, EditionCore, Fact, OfficeId, Scope as By, SignerKind};
use xw_schemas::entry::{Erasure, ErasureGround, Statement, VerifiedEntry};
use xw_schemas::hash::tagged;
use xw_schemas::id::{EditionId, EntryId, Incarnation, LogId, OperationId, PublicKey};
use xw_schemas::record::{Content, Item, SchemaHash, Value, builtin};
use xw_schemas::space::{Audience, Division, Space};

/// 2027-01-15, a quarter past four in the afternoon in China.
pub(crate) const START_MS: u64 = 1_800_000_900_000;

pub(crate) const COUNTY: usize = 0;
pub(crate) const TOWN: usize = 1;
pub(crate) const VILLAGE: usize = 2;
pub(crate) const OTHER: usize = 3;

const OFFICES: [(u64, &str, &[&str]); 4] = [
    (130_599_000_000, "清河川县政务服务局", &["CDEP", "CLEAD"]),
    (130_599_201_000, "白杨镇人民政府", &["TWIN", "TSOC"]),
    (130_599_201_201, "柳河村村民委员会", &["VAGT", "VCLK"]),
    (130_599_201_202, "石桥村村民委员会", &["VAGT", "VCLK"]),
];

pub(crate) struct World {
    pub(crate) holdings: Holdings,
    pub(crate) roots: Vec<SecretKey>,
    pub(crate) last: Edition,
    pub(crate) schema: SchemaHash,
    pub(crate) logs: BTreeMap<(usize, Space), LogId>,
    acts: u64,
    pub(crate) now_ms: u64,
}

pub(crate) fn key(name: &str) -> SecretKey {
    SecretKey::from_seed(&tagged("xw/audit/test/key", &[name.as_bytes()]))
}

pub(crate) fn node(office: usize) -> SecretKey {
    key(&format!("node {office}"))
}

pub(crate) fn person(office: usize) -> SecretKey {
    key(&format!("person {office}"))
}

pub(crate) fn division(office: usize) -> Division {
    Division::from_number(OFFICES[office].0).unwrap()
}

pub(crate) fn space(office: usize) -> Space {
    Space { division: division(office), audience: Audience::Office }
}

fn office_id(office: usize) -> OfficeId {
    OfficeId(u32::try_from(office).unwrap() + 1)
}

impl World {
    pub(crate) fn founded() -> Self {
        let mut roots = vec![key("root a"), key("root b")];
        roots.sort_by_key(SecretKey::public);
        let keys = roots.iter().map(SecretKey::public).collect();
        let mut facts = vec![
            Fact::Root { threshold: 2, keys },
            Fact::Rules { version: xw_ledger::roster::RULES_VERSION },
        ];
        for (at, (_, name, roles)) in OFFICES.iter().enumerate() {
            let (office, division) = (office_id(at), division(at));
            let place = name.chars().take(3).collect();
            facts.push(Fact::Place { division, name: place });
            facts.push(Fact::Office { office, division, name: (*name).into() });
            facts.push(Fact::Signer {
                key: node(at).public(),
                kind: SignerKind::Node,
                office,
                name: format!("{name}一号机"),
                roles: Vec::new(),
            });
            facts.push(Fact::Signer {
                key: person(at).public(),
                kind: SignerKind::Person,
                office,
                name: format!("王秀兰{at}"),
                roles: roles.iter().map(|role| (*role).to_owned()).collect(),
            });
        }
        let rt = builtin().into_iter().find(|rt| rt.code == "SVC").unwrap();
        facts.push(Fact::Schema { record_type: "SVC".into(), definition: rt.hash() });
        let core = EditionCore {
            network: None,
            scope: By::Root,
            number: 1,
            previous: EditionId([0; 32]),
            claimed_time_ms: START_MS,
            facts,
        };
        let edition = Edition::sign(&core, &roots).unwrap();
        let chain = Chain::founded(edition.clone()).unwrap();
        let schema = rt.hash();
        Self {
            holdings: Holdings::new(chain, [Arc::new(rt)]),
            roots,
            last: edition,
            schema,
            logs: BTreeMap::new(),
            acts: 0,
            now_ms: START_MS,
        }
    }

    /// The same county with a further edition of root; everything held is taken in again.
    pub(crate) fn decree(self, facts: Vec<Fact>) -> Self {
        let core = EditionCore {
            network: Some(self.last.network()),
            scope: By::Root,
            number: self.last.core().number + 1,
            previous: self.last.id(),
            claimed_time_ms: self.now_ms,
            facts,
        };
        let edition = Edition::sign(&core, &self.roots).unwrap();
        let mut chain = self.holdings.chain().clone();
        chain.add(edition.clone()).unwrap();
        let definitions: Vec<_> = self.holdings.definitions().values().cloned().collect();
        let mut holdings = Holdings::new(chain, definitions);
        let mut entries: Vec<&VerifiedEntry> = self.holdings.entries().collect();
        entries.sort_by_key(|entry| entry.core().sequence);
        for entry in entries {
            let body = self.holdings.body(&entry.id()).cloned();
            holdings.take(entry.clone(), body).unwrap();
        }
        Self { holdings, last: edition, ..self }
    }

    pub(crate) fn act(&mut self) -> Act {
        self.acts += 1;
        self.now_ms += 60_000;
        let mut operation = [0; 16];
        operation[..8].copy_from_slice(&self.acts.to_le_bytes());
        let (operation, salt) = (OperationId(operation), [7; 16]);
        Act { operation, time_ms: self.now_ms, salt, republishes: None }
    }

    fn keep(&mut self, signed: Signed) -> EntryId {
        let id = signed.entry.id();
        self.holdings.take(signed.entry, signed.body).unwrap();
        id
    }

    pub(crate) fn log(&mut self, office: usize, space: Space) -> LogId {
        if let Some(log) = self.logs.get(&(office, space)) {
            return *log;
        }
        let act = self.act();
        let (node, incarnation) = (node(office), Incarnation(act.operation.0));
        let author = Author { node: &node, person: None };
        let roster = self.holdings.roster();
        let signed = open_log(roster, space, author, incarnation, act, None).unwrap();
        let log = signed.entry.core().log;
        self.keep(signed);
        self.logs.insert((office, space), log);
        log
    }

    /// A clerk of an office creates a record in a space.
    pub(crate) fn write(&mut self, office: usize, space: Space, title: &str) -> Place {
        let role = if office == TOWN { "TWIN" } else { "VAGT" };
        let step = Step {
            from: NOWHERE.into(),
            to: "registered".into(),
            role: role.into(),
            reason: String::new(),
            on_behalf_of: String::new(),
        };
        let draft = Draft::of_new(&content(space.division, self.acts, title), step);
        self.log(office, space);
        let act = self.act();
        let (node, person) = (node(office), person(office));
        let author = Author { node: &node, person: Some(&person) };
        let record = new_record(self.holdings.roster(), author, act);
        let place = (space, record);
        self.change(office, place, &draft, act, &[]);
        place
    }

    /// A clerk of an office edits a record, built on everything held of it.
    pub(crate) fn edit(&mut self, office: usize, place: Place, text: &str) -> EntryId {
        let edit = Edit::Put {
            at: At::Root,
            path: "missing_materials".into(),
            value: Value::Text(text.into()),
        };
        let draft = Draft { edits: vec![edit], step: None };
        let act = self.act();
        self.log(office, place.0);
        let ids: Vec<EntryId> =
            self.holdings.of(&place).filter(|e| e.change().is_some()).map(|e| e.id()).collect();
        self.change(office, place, &draft, act, &ids)
    }

    fn change(
        &mut self,
        office: usize,
        place: Place,
        draft: &Draft,
        act: Act,
        on: &[EntryId],
    ) -> EntryId {
        let (node, person) = (node(office), person(office));
        let author = Author { node: &node, person: Some(&person) };
        let holdings = &self.holdings;
        let evidence: Vec<Evidence<'_>> = on
            .iter()
            .map(|id| Evidence {
                entry: holdings.entry(id).unwrap(),
                body: holdings.body(id),
                standing: Standing::Local,
            })
            .collect();
        let tail = Tail::of(holdings.logs(), self.logs[&(office, place.0)]).unwrap();
        let signed = write_change(
            holdings.roster(),
            holdings.definitions(),
            &tail,
            place.1,
            "SVC",
            self.schema,
            &evidence,
            draft,
            author,
            act,
        )
        .unwrap();
        self.keep(signed)
    }

    /// An office above witnesses everything new in a space.
    pub(crate) fn witness(&mut self, office: usize, space: Space) -> Option<EntryId> {
        let log = self.log(office, space);
        let act = self.act();
        let node = node(office);
        let author = Author { node: &node, person: None };
        let logs = self.holdings.logs();
        let targets: Vec<LogId> =
            logs.iter().filter(|(_, log)| log.space == space).map(|(id, _)| *id).collect();
        let tail = Tail::of(logs, log).unwrap();
        let roster = self.holdings.roster();
        let signed = write_witness(roster, logs, &tail, &targets, author, act).unwrap()?;
        Some(self.keep(signed))
    }

    /// A person of an office asks for a record's contents to be removed.
    pub(crate) fn erase(&mut self, office: usize, place: Place) -> EntryId {
        let (node, person) = (node(office), person(office));
        let author = Author { node: &node, person: Some(&person) };
        let log = self.log(office, place.0);
        let act = self.act();
        let tail = Tail::of(self.holdings.logs(), log).unwrap();
        let ground = ErasureGround::ConsentWithdrawn;
        let erasure = Erasure { record: place.1, record_type: "SVC".into(), ground };
        let roster = self.holdings.roster();
        let signed = write_erasure(roster, &tail, erasure, author, act).unwrap();
        self.keep(signed)
    }

    /// Another entry beside the last one of a log: what a cloned disk writes.
    pub(crate) fn fork(&mut self, office: usize, space: Space) -> (EntryId, EntryId) {
        let log = self.logs[&(office, space)];
        let head = self.holdings.logs().log(&log).unwrap().head().unwrap();
        let entry = self.holdings.entry(&head).unwrap();
        let mut core = entry.core().clone();
        assert!(matches!(core.statement, Statement::Change(_)));
        core.claimed_time_ms += 1_000;
        let person = core.person.map(|_| person(office));
        let twin = xw_schemas::entry::sign(core, &node(office), person.as_ref()).unwrap();
        let id = twin.id();
        self.holdings.take(twin, None).unwrap();
        (head, id)
    }

    /// Everybody in reach of the village was heard just now.
    pub(crate) fn heard(&self) -> BTreeMap<PublicKey, u64> {
        (0..OFFICES.len()).map(|office| (node(office).public(), self.now_ms)).collect()
    }

    pub(crate) fn export(&self, scope: Scope, give: Give) -> (Written, Vec<u8>) {
        self.export_by(COUNTY, scope, give)
    }

    /// What an office states of a division, signed.
    pub(crate) fn statement(&self, office: usize, of: usize) -> Vec<u8> {
        let scope = Scope::Division { division: division(of) };
        let (written, _) = self.export_by(office, scope, Give::Nothing);
        xw_audit::signed::sign(
            &xw_audit::json::write(&written.completeness.unwrap()),
            &node(office),
        )
    }

    pub(crate) fn export_by(&self, office: usize, scope: Scope, give: Give) -> (Written, Vec<u8>) {
        let by = node(office);
        let export = Export {
            holdings: &self.holdings,
            scope,
            give,
            by: &by,
            made_ms: self.now_ms,
            heard_ms: self.heard(),
            spread: &one_by_one,
        };
        let mut bytes = Vec::new();
        let written = write_pack(&export, &mut bytes).unwrap();
        (written, bytes)
    }
}

pub(crate) fn of_records(places: &[Place]) -> Scope {
    let mut records: Vec<PlaceName> = places.iter().map(|place| (*place).into()).collect();
    records.sort();
    Scope::Records { records }
}

/// The least that is a valid service case.
pub(crate) fn content(at: Division, number: u64, title: &str) -> Content {
    let mut content = Content::default();
    let mut put = |path: &str, value: Value| {
        content.values.insert(path.to_owned(), value);
    };
    let texts: [(&str, &str); 22] = [
        ("title", title),
        ("responsible_org", "机构"),
        ("recorded_at", "2027-01-15T09:30:00+08:00"),
        ("time_source", "1"),
        ("recorder", "签名人"),
        ("source_channel", "01"),
        ("entry_mode", "1"),
        ("legal_basis", "02"),
        ("notice_given", "1"),
        ("disclosure_class", "0"),
        ("matter_name", "政策咨询"),
        ("matter_code", "1401"),
        ("service_mode", "1"),
        ("applicant_kind", "1"),
        ("applicant.name", "张三"),
        ("missing_materials", "身份证复印件"),
        ("item_type", "20"),
        ("handling_type", "1"),
        ("accept_decision", "1"),
        ("accepted_at", "2027-01-15T09:30:00+08:00"),
        ("due_date", "2027-01-18"),
        ("handling_org", "机构"),
    ];
    for (path, text) in texts {
        put(path, Value::Text(text.into()));
    }
    put("business_no", Value::Text(format!("{at}A-SVC-2027-{number:05}")));
    put("division_code", Value::Text(at.to_string()));
    put("paper_original", Value::Bool(false));
    put("legal_days", Value::Int(5));
    put("promised_days", Value::Int(1));
    let mut material = Content::default();
    for (path, value) in [
        ("name", Value::Text("身份证复印件".into())),
        ("form", Value::Text("2".into())),
        ("copies", Value::Int(1)),
        ("received_on", Value::Text("2027-01-15".into())),
    ] {
        material.values.insert(path.to_owned(), value);
    }
    content.lists.insert("materials".into(), vec![Item { id: "m1".into(), content: material }]);
    content
}
