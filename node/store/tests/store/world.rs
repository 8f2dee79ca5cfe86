//! A small county with keys, a roster and one record type, and clerks who write.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::atomic::{AtomicU32, Ordering};

use xw_custody::OfficeKey;
use xw_ledger::document::{Edit, Place};
use xw_ledger::draft::{
    Act, Author, Draft, Signed, Tail, base, new_record, open_log, write_change, write_witness,
};
use xw_ledger::judge::{Definitions, Evidence};
use xw_ledger::roster::{Chain, Roster};
use xw_ledger::steps::Step;
use xw_schemas::cose::SecretKey;
use xw_schemas::edition::{Edition, EditionCore, Fact, OfficeId, SignerKind};
use xw_schemas::entry::{Body, VerifiedEntry};
use xw_schemas::id::{EditionId, Incarnation, LogId, OperationId, RecordId};
use xw_schemas::record::{Content, Item, RecordType, compile};
use xw_schemas::space::{Audience, Division, Space};
use xw_schemas::value::Value;
use xw_store::{Held, Store, StoreKeys};
use zeroize::Zeroizing;

pub(crate) const COUNTY: &str = "130599000000";
pub(crate) const TOWN: &str = "130599201000";
pub(crate) const EAST: &str = "130599201201";
pub(crate) const WEST: &str = "130599201202";

/// 2026-09-01 in milliseconds.
pub(crate) const NOW_MS: u64 = 1_788_220_800_000;

/// The files of a folder.
pub(crate) type Image = BTreeMap<String, Vec<u8>>;

/// A parcel as `receive` takes it.
pub(crate) type Arrived = (VerifiedEntry, Option<Body>);

const SHARED: &str = r#"
[fields]
business_no = { zh = "业务编号", en = "Number", type = "str(40)", req = "*", pi = 0, vis = "VTC" }
title = { zh = "标题", en = "Title", type = "str(100)", req = "*", pi = 1, vis = "VTC" }

[lists.CL_ROLE]
zh = "角色"
codes = [["VCLK", "村文书", "Village clerk"], ["TWIN", "窗口人员", "Window clerk"]]

[states]
archived = { zh = "已归档", en = "Archived", terminal = true }
void = { zh = "已作废", en = "Void", terminal = true }
"#;

const NOTE_TYPE: &str = r#"
[type]
code = "NTE"
version = "1.0.0"
zh = "记事"
en = "Note"
audience = "office"
body_levels = ["V", "T"]
edit_roles = ["VCLK", "TWIN"]

[fields]
applicant_name = { zh = "姓名", en = "Name", type = "str(30)", req = "?", pi = 2, vis = "VT" }
phone = { zh = "电话", en = "Phone", type = "phone", req = "?", pi = 2, vis = "VT" }
colour = { zh = "颜色", en = "Colour", type = "enum", req = "?", list = "CL_COLOUR", pi = 0, vis = "VTC" }
amount = { zh = "金额", en = "Amount", type = "money", req = "?", pi = 0, vis = "VTC", unit = "元" }
done_on = { zh = "日期", en = "Day", type = "date", req = "?", pi = 0, vis = "VTC" }
urgent = { zh = "紧急", en = "Urgent", type = "bool", req = "?", pi = 0, vis = "VTC" }
visits = { zh = "走访", en = "Visits", type = "list<Visit>", req = "?", pi = 1, vis = "VT" }

[structs.Visit]
zh = "走访"
[structs.Visit.fields]
visitor = { zh = "走访人", en = "Visitor", type = "str(20)", req = "*" }
on = { zh = "日期", en = "On", type = "date", req = "?" }

[lists.CL_COLOUR]
zh = "颜色"
codes = [["1", "朱红", "Vermilion"], ["2", "石青", "Azurite"], ["3", "藤黄", "Gamboge"]]

[states]
open = { zh = "待办", en = "Open" }
done = { zh = "办结", en = "Done" }

[[transitions]]
from = "-"
to = "open"
zh = "登记"
en = "Register"
who = ["VCLK", "TWIN"]

[[transitions]]
from = "open"
to = "done"
zh = "办结"
en = "Finish"
who = ["VCLK", "TWIN"]

[[transitions]]
from = "done"
to = "archived"
zh = "归档"
en = "Archive"
who = ["VCLK", "TWIN"]

[[transitions]]
from = "open"
to = "void"
zh = "作废"
en = "Void"
who = ["VCLK"]

[ledgers.notes]
zh = "记事台账"
en = "Notes"
columns = [{ zh = "标题", path = "title" }, { zh = "日期", path = "done_on" }]
"#;

/// The one record type of the tests.
pub(crate) fn note_type() -> RecordType {
    let files =
        [("shared.toml".into(), SHARED.to_owned()), ("NTE.toml".into(), NOTE_TYPE.to_owned())];
    compile(&files).unwrap_or_else(|errors| panic!("{errors:?}")).remove(0)
}

/// One office's PC with its clerk, and the log it writes.
pub(crate) struct Desk {
    pub(crate) node: SecretKey,
    pub(crate) person: SecretKey,
    pub(crate) division: Division,
    pub(crate) office: OfficeId,
    role: &'static str,
}

/// A county.
pub(crate) struct World {
    pub(crate) county: Desk,
    pub(crate) town: Desk,
    pub(crate) east: Desk,
    pub(crate) west: Desk,
    pub(crate) founding: Edition,
    pub(crate) definitions: Definitions,
    root: SecretKey,
    /// The last draw; another process begins at another one.
    pub(crate) dice: u64,
}

fn desk(seed: u8, code: &str, role: &'static str) -> Desk {
    let key = |kind: u8| SecretKey::from_seed(&[seed, kind].repeat(16).try_into().unwrap());
    let division = Division::parse(code).unwrap();
    Desk { node: key(1), person: key(2), division, office: OfficeId(seed.into()), role }
}

impl World {
    pub(crate) fn new() -> Self {
        let root = SecretKey::from_seed(&[99; 32]);
        let county = desk(1, COUNTY, "TWIN");
        let town = desk(2, TOWN, "TWIN");
        let (east, west) = (desk(3, EAST, "VCLK"), desk(4, WEST, "VCLK"));
        let rt = note_type();
        let mut facts = vec![
            Fact::Root { threshold: 1, keys: vec![root.public()] },
            Fact::Rules { version: 1 },
            Fact::Schema { record_type: "NTE".into(), definition: rt.hash() },
        ];
        for desk in [&county, &town, &east, &west] {
            facts.extend(facts_of(desk, &[desk.role.to_owned()]));
        }
        let core = EditionCore {
            scope: xw_schemas::edition::Scope::Root,
            network: None,
            number: 1,
            previous: EditionId([0; 32]),
            claimed_time_ms: NOW_MS,
            facts,
        };
        let founding = Edition::sign(&core, std::slice::from_ref(&root)).unwrap();
        let definitions = Definitions::from([(rt.hash(), Arc::new(rt))]);
        Self { county, town, east, west, founding, definitions, root, dice: 0 }
    }

    pub(crate) fn roster(&self) -> Roster {
        Chain::founded(self.founding.clone()).unwrap().roster().clone()
    }

    pub(crate) fn types(&self) -> Vec<RecordType> {
        self.definitions.values().map(|rt| RecordType::clone(rt)).collect()
    }

    pub(crate) fn store(&self) -> Store {
        Store::in_memory(self.founding.clone(), self.types(), None).unwrap()
    }

    pub(crate) fn store_at(&self, path: &Path) -> Store {
        Store::create(path, self.founding.clone(), self.types(), None, None).unwrap()
    }

    /// A store with keys, locked. It belongs to the east's PC.
    pub(crate) fn keyed_at(&self, path: &Path, seed: u8) -> Store {
        let own = Some(self.east.node.public());
        Store::create(path, self.founding.clone(), self.types(), own, Some(keys(seed))).unwrap()
    }

    /// Signs new records at the end of a log, one after the other; nothing is stored.
    pub(crate) fn sign_all(
        &mut self,
        store: &Store,
        log: LogId,
        who: fn(&Self) -> &Desk,
        contents: &[Content],
    ) -> Vec<Arrived> {
        let mut tail = Tail::of(store.logs(), log).unwrap();
        let roster = store.roster().clone();
        let sign = |content| {
            let (_, signed) = self.new_entry(&roster, &tail, who, content);
            tail.push(&signed.entry);
            (signed.entry, signed.body)
        };
        contents.iter().map(sign).collect()
    }

    /// The edition after `chain`'s newest.
    pub(crate) fn edition(&self, roster: &Roster, facts: Vec<Fact>) -> Edition {
        let core = EditionCore {
            scope: xw_schemas::edition::Scope::Root,
            network: Some(roster.network()),
            number: roster.number() + 1,
            previous: roster.head(),
            claimed_time_ms: NOW_MS,
            facts,
        };
        Edition::sign(&core, std::slice::from_ref(&self.root)).unwrap()
    }

    pub(crate) fn act(&mut self) -> Act {
        self.dice += 1;
        let byte = |at: usize| self.dice.to_be_bytes()[at % 8] ^ (at as u8).wrapping_mul(29);
        Act {
            operation: OperationId(std::array::from_fn(byte)),
            time_ms: NOW_MS + self.dice * 1_000,
            salt: std::array::from_fn(byte),
            republishes: None,
        }
    }

    /// Opens a log of a desk in its own office space and stores the opening.
    pub(crate) fn open(&mut self, store: &mut Store, who: fn(&Self) -> &Desk) -> LogId {
        let space = who(self).space();
        self.open_in(store, who, space)
    }

    pub(crate) fn open_in(
        &mut self,
        store: &mut Store,
        who: fn(&Self) -> &Desk,
        space: Space,
    ) -> LogId {
        let act = self.act();
        let incarnation = Incarnation(act.salt);
        let author = Author { node: &who(self).node, person: None };
        let signed = open_log(store.roster(), space, author, incarnation, act, None).unwrap();
        let log = signed.entry.core().log;
        take(store, vec![signed]);
        log
    }

    /// Signs a new record at the end of a log; nothing is stored.
    pub(crate) fn new_entry(
        &mut self,
        roster: &Roster,
        tail: &Tail,
        who: fn(&Self) -> &Desk,
        content: &Content,
    ) -> (RecordId, Signed) {
        let act = self.act();
        let desk = who(self);
        let author = Author { node: &desk.node, person: Some(&desk.person) };
        let record = new_record(roster, author, act);
        let draft = Draft::of_new(content, step("-", "open", desk.role));
        let schema = *self.definitions.keys().next().unwrap();
        let signed = write_change(
            roster,
            &self.definitions,
            tail,
            record,
            "NTE",
            schema,
            &[],
            &draft,
            author,
            act,
        );
        (record, signed.unwrap())
    }

    /// Makes a record and stores it.
    pub(crate) fn write(
        &mut self,
        store: &mut Store,
        log: LogId,
        who: fn(&Self) -> &Desk,
        content: &Content,
    ) -> RecordId {
        let tail = Tail::of(store.logs(), log).unwrap();
        let (record, signed) = self.new_entry(&store.roster().clone(), &tail, who, content);
        take(store, vec![signed]);
        record
    }

    /// Changes a record in the space of `log`, signed and not stored.
    pub(crate) fn change(
        &mut self,
        store: &Store,
        log: LogId,
        who: fn(&Self) -> &Desk,
        record: RecordId,
        edits: Vec<Edit>,
        to: Option<(&str, &str)>,
    ) -> Signed {
        let act = self.act();
        let desk = who(self);
        let author = Author { node: &desk.node, person: Some(&desk.person) };
        let tail = Tail::of(store.logs(), log).unwrap();
        let held = store.evidence(store.logs().log(&log).unwrap().space, record).unwrap();
        let evidence: Vec<Evidence<'_>> = held.iter().map(Held::evidence).collect();
        let evidence = base(store.roster(), &desk.node.public(), &evidence);
        let draft = Draft { edits, step: to.map(|(from, to)| step(from, to, desk.role)) };
        let schema = *self.definitions.keys().next().unwrap();
        write_change(
            store.roster(),
            &self.definitions,
            &tail,
            record,
            "NTE",
            schema,
            &evidence,
            &draft,
            author,
            act,
        )
        .unwrap()
    }

    /// An office above witnesses what is held of some logs.
    pub(crate) fn witness(
        &mut self,
        store: &mut Store,
        log: LogId,
        who: fn(&Self) -> &Desk,
        targets: &[LogId],
    ) {
        let act = self.act();
        let tail = Tail::of(store.logs(), log).unwrap();
        let author = Author { node: &who(self).node, person: None };
        let signed =
            write_witness(store.roster(), store.logs(), &tail, targets, author, act).unwrap();
        take(store, vec![signed.expect("there is something to witness")]);
    }
}

impl Desk {
    pub(crate) fn space(&self) -> Space {
        Space { division: self.division, audience: Audience::Office }
    }
}

/// What a roster says of a desk.
pub(crate) fn facts_of(desk: &Desk, roles: &[String]) -> Vec<Fact> {
    let (office, division) = (desk.office, desk.division);
    let name = format!("机构{}", office.0);
    let signer = |key, kind, roles: &[String]| Fact::Signer {
        key,
        kind,
        office,
        name: name.clone(),
        roles: roles.to_vec(),
    };
    vec![
        Fact::Office { office, division, name: name.clone() },
        signer(desk.node.public(), SignerKind::Node, &[]),
        signer(desk.person.public(), SignerKind::Person, roles),
    ]
}

fn step(from: &str, to: &str, role: &str) -> Step {
    Step {
        from: from.into(),
        to: to.into(),
        role: role.into(),
        reason: String::new(),
        on_behalf_of: String::new(),
    }
}

/// Content with a title and some values.
pub(crate) fn content(title: &str, values: &[(&str, Value)]) -> Content {
    let mut content = Content::default();
    let text = |text: &str| Value::Text(text.to_owned());
    content.values.insert("title".into(), text(title));
    content.values.insert("business_no".into(), text(&format!("N-{title}")));
    for (path, value) in values {
        content.values.insert((*path).into(), value.clone());
    }
    content
}

pub(crate) fn text(text: &str) -> Value {
    Value::Text(text.to_owned())
}

pub(crate) fn put(path: &str, value: Value) -> Edit {
    Edit::Put { at: Place::Root, path: path.into(), value }
}

pub(crate) fn visit(id: &str, visitor: &str, on: &str) -> Item {
    let mut content = Content::default();
    content.values.insert("visitor".into(), text(visitor));
    content.values.insert("on".into(), text(on));
    Item { id: id.into(), content }
}

/// Stores entries, which must all be taken, and settles everything.
pub(crate) fn take(store: &mut Store, signed: Vec<Signed>) {
    let count = signed.len() as u64;
    let batch = signed.into_iter().map(|signed| (signed.entry, signed.body)).collect();
    let received = store.receive(batch, NOW_MS).unwrap();
    assert_eq!(received.appended + received.forked, count, "{received:?}");
    store.settle_all().unwrap();
}

/// Everything that a store holds, in its order.
pub(crate) fn everything(store: &Store) -> Vec<Arrived> {
    let mut all = Vec::new();
    for (id, log) in store.logs().iter() {
        let mut points: Vec<(u64, xw_schemas::id::EntryId)> = Vec::new();
        for tip in log.tips() {
            let path = log.path(tip).unwrap();
            points.extend((0..).zip(path));
        }
        points.sort();
        points.dedup();
        for parcel in store.parcels(*id, &points, usize::MAX, |_| true).unwrap() {
            let entry = VerifiedEntry::from_store(parcel.envelope).unwrap();
            all.push((entry, parcel.body.and_then(Body::from_bytes)));
        }
    }
    all
}

/// The office's key of a seed.
pub(crate) fn office(seed: u8) -> OfficeKey {
    OfficeKey::from_seed(&Zeroizing::new([seed; 32]))
}

/// A machine's key with that office's sealing key.
pub(crate) fn keys(seed: u8) -> StoreKeys {
    StoreKeys { machine: Zeroizing::new([seed ^ 0x5a; 32]), sealing: office(seed).public() }
}

/// A folder that goes away with the test.
pub(crate) struct Folder(PathBuf);

impl Folder {
    pub(crate) fn new() -> Self {
        Self::below(&std::env::temp_dir())
    }

    /// In memory where the system offers that, for tests that open hundreds of stores.
    pub(crate) fn quick() -> Self {
        let memory = Path::new("/dev/shm");
        if memory.is_dir() { Self::below(memory) } else { Self::new() }
    }

    pub(crate) fn below(above: &Path) -> Self {
        static NEXT: AtomicU32 = AtomicU32::new(0);
        let number = NEXT.fetch_add(1, Ordering::Relaxed);
        let path = above.join(format!("xw-store-{}-{number}", std::process::id()));
        std::fs::create_dir_all(&path).unwrap();
        Self(path)
    }

    /// All files with their bytes, as a thief or a power cut finds them.
    pub(crate) fn image(&self) -> Image {
        let entries = std::fs::read_dir(&self.0).unwrap().map(Result::unwrap);
        let named = entries.map(|entry| {
            let name = entry.file_name().into_string().unwrap();
            let bytes = std::fs::read(entry.path()).unwrap();
            (name, bytes)
        });
        // Locks and the index of the write-ahead log are of the running process.
        named.filter(|(name, _)| !name.ends_with(".lock") && !name.ends_with("-shm")).collect()
    }

    /// A folder with these files.
    pub(crate) fn of(image: &Image) -> Self {
        let folder = Self::quick();
        for (name, bytes) in image {
            std::fs::write(folder.0.join(name), bytes).unwrap();
        }
        folder
    }

    pub(crate) fn file(&self) -> PathBuf {
        self.0.join("store.db")
    }

    /// The file of rows beside it.
    pub(crate) fn rows(&self) -> PathBuf {
        self.0.join("view.db")
    }
}

impl Drop for Folder {
    fn drop(&mut self) {
        let _ = std::fs::remove_dir_all(&self.0);
    }
}
