//! Clones, backups put back, a stolen key, a PC that forgets every night: nothing that anyone typed is
//! lost, and nobody else's work becomes the office's own.

use std::net::{Ipv4Addr, SocketAddr, TcpListener};
use std::path::{Path, PathBuf};

use serde_json::{Value as Json, json};
use xw_ledger::document::{Edit, Place};
use xw_ledger::draft::{Act, Author, Draft, Tail, write_change};
use xw_schemas::id::{OperationId, RecordId};
use xw_schemas::record::{Value, builtin};
use xw_schemas::space::Space;
use xw_store::{Held, Store};

use crate::nodes::county::{self, County};
use crate::nodes::folder::{self, Neighbour, Office, passphrase};
use crate::nodes::process::Node;
use crate::program;

/// The county's list: county, township, first village.
pub(crate) const COUNTY: usize = 0;
pub(crate) const TOWNSHIP: usize = 1;
pub(crate) const VILLAGE: usize = 2;

/// Files of a folder that belong to the running program and not to the node.
const PASSING: [&str; 3] = ["api.json", "node.log", "tmp"];

#[test]
fn a_cloned_disk_run_twice_loses_nothing_that_anyone_typed() {
    let world = World::new("clones");
    let (mut county, mut township, mut first) = world.nodes();
    county.start();
    world.start(&mut township, TOWNSHIP);
    world.start(&mut first, VILLAGE);
    register(&first, "克隆之前");
    everything_is_witnessed(&first);
    first.stop();
    let mut second = world.copy(&first, "second");

    // Both work without a line, each as if it were the only one.
    township.stop();
    county.stop();
    for (node, titles) in [(&first, ["甲一", "甲二"]), (&second, ["乙一", "乙二"])] {
        titles.iter().for_each(|title| register_offline(&world, node, title));
    }
    county.start();
    world.start(&mut township, TOWNSHIP);
    world.start(&mut first, VILLAGE);
    everything_is_witnessed(&first);
    // The second comes while the first is there, and has to hear that its numbers are taken.
    world.start(&mut second, VILLAGE);
    let all = ["克隆之前", "甲一", "甲二", "乙一", "乙二"];
    township.wait(&["list"], "everything that was typed", |list| titles(list) == sorted(&all));

    // Both live: what each registers from here on arrives.
    register(&second, "乙三");
    everything_is_witnessed(&second);
    second.stop();
    register(&first, "甲三");
    everything_is_witnessed(&first);
    let all = ["克隆之前", "甲一", "甲二", "甲三", "乙一", "乙二", "乙三"];
    township.wait(&["list"], "what both typed since", |list| titles(list) == sorted(&all));
    let list = township.told(&["list"]);
    assert!(items(&list, "rows").iter().all(|row| row["conflicts"] == 0), "{list}");

    // Everybody above sees the fork, with both entries and the branch that stands.
    let proof = world.dir.join("proof.json");
    for node in [&township, &county] {
        let seen = node.wait(&["forks"], "the fork", |seen| items(seen, "forks").len() == 1);
        let fork = &seen["forks"][0];
        assert_eq!(fork["office"].as_str(), Some(&*world.county.offices[VILLAGE].name), "{fork}");
        assert_eq!(items(fork, "variants").len(), 2, "{fork}");
        assert_eq!(items(fork, "variants").iter().filter(|v| v["stands"] == true).count(), 1);
        assert!(fork["disputed"].as_u64() >= Some(2), "{fork}");
        assert_eq!(node.told(&["status"])["forks"], 1);
    }
    let written = township.told(&["forks", "--proof", &proof.display().to_string()]);
    let read: Json = serde_json::from_slice(&std::fs::read(&proof).expect("a file")).expect("JSON");
    assert_eq!(read["forks"], written["forks"]);
    check_proof(&read, &world);
    // Nobody has to vouch for what both wrote again by themselves.
    let seen = first.told(&["forks"]);
    assert_eq!(items(&seen, "unremembered").len(), 0, "{seen}");
    world.end();
}

#[test]
fn a_backup_put_back_fetches_what_came_after_it_and_forks_nothing() {
    let world = World::new("restore");
    let (mut county, mut township, mut village) = world.nodes();
    county.start();
    world.start(&mut township, TOWNSHIP);
    world.start(&mut village, VILLAGE);
    register(&village, "备份之前");
    let backup = world.dir.join("backup");
    let made = village.told(&["backup", &backup.display().to_string()]);
    assert!(made["entries"].as_u64() > Some(1), "{made}");
    nothing_secret(&backup, &world.county.offices[VILLAGE]);
    register(&village, "备份之后一");
    register(&village, "备份之后二");
    everything_is_witnessed(&village);
    village.kill();

    let mut back = Node::at(program::path(), world.dir.join("back"));
    let (clerk, typed) = world.clerk(VILLAGE);
    let (from, to) = (backup.display().to_string(), back.folder.display().to_string());
    let words = ["restore", &from, "--folder", &to, "--person", &clerk, "--passphrase-from-stdin"];
    let (code, wrong) = back_words(&world, &words, "not the passphrase\n");
    assert_eq!((code, &wrong["error"]["code"]), (1, &"passphrase".into()), "{wrong}");
    assert!(!back.folder.exists(), "a wrong passphrase leaves nothing behind");
    let (code, restored) = back_words(&world, &words, &typed);
    assert_eq!(code, 0, "{restored}");
    world.start(&mut back, VILLAGE);
    // Asked for at once, it is written behind what the neighbours still hold.
    register(&back, "恢复之后");
    everything_is_witnessed(&back);
    let all = ["备份之前", "备份之后一", "备份之后二", "恢复之后"];
    back.wait(&["list"], "what came after the backup", |list| titles(list) == sorted(&all));
    township.wait(&["list"], "what was typed since", |list| titles(list) == sorted(&all));
    for node in [&back, &township, &county] {
        let seen = node.told(&["forks"]);
        assert_eq!(items(&seen, "forks").len(), 0, "{seen}");
        assert_eq!(items(&seen, "unremembered").len(), 0, "{seen}");
    }
    let seen = back.told(&["forks"]);
    assert_eq!((&seen["life"]["why"], &seen["fetched"]["count"]), (&"restored".into(), &2.into()));
    let numbers = township.told(&["list"]);
    let mut numbers: Vec<&str> =
        items(&numbers, "rows").iter().filter_map(|row| row["business_no"].as_str()).collect();
    numbers.sort_unstable();
    numbers.dedup();
    assert_eq!(numbers.len(), 4, "business numbers are not given twice: {numbers:?}");

    // The folder comes to another PC: it goes on there in new logs, and nothing forks.
    back.stop();
    let pc = back.folder.join("pc.json");
    std::fs::write(&pc, json!({"id": "another PC"}).to_string()).expect("a file");
    world.start(&mut back, VILLAGE);
    register(&back, "换机之后");
    everything_is_witnessed(&back);
    let seen = back.told(&["forks"]);
    assert_eq!((&seen["life"]["why"], items(&seen, "forks").len()), (&"other-pc".into(), 0));
    let seen = township.told(&["forks"]);
    assert!(items(&seen, "nodes").iter().any(|node| items(node, "logs").len() == 3), "{seen}");
    world.end();
}

#[test]
fn what_a_thief_signed_with_a_copied_key_comes_back_only_when_a_person_confirms_it() {
    let world = World::new("thief");
    let (mut county, mut township, mut village) = world.nodes();
    world.start(&mut county, COUNTY);
    world.start(&mut township, TOWNSHIP);
    world.start(&mut village, VILLAGE);
    let record = register(&village, "被冒改的办件");
    everything_is_witnessed(&village);
    village.wait(&["status"], "the county's word", |status| status["county"] == 1);
    village.stop();
    township.stop();
    // The office goes on with the county alone; the county's word makes it final.
    world.start(&mut village, VILLAGE);
    let own = register(&village, "本机后来登记的");
    village.wait(&["status"], "the county's word", |status| status["county"] == 2);
    village.stop();
    // Meanwhile somebody else writes with the same keys behind the same entry, and reaches the
    // township only.
    let forged = world.forge(&township, record, &[("remarks", "贼改甲"), ("title", "贼改乙")]);
    world.start(&mut township, TOWNSHIP);
    world.start(&mut village, VILLAGE);
    let seen = village
        .wait(&["forks"], "the thief's entries", |seen| items(seen, "unremembered").len() == 2);
    let named: Vec<&str> =
        items(&seen, "unremembered").iter().filter_map(|e| e["entry"].as_str()).collect();
    assert!(forged.iter().all(|id| named.contains(&&**id)), "{seen}");
    // The fork is settled everywhere, and the own work stands.
    township
        .wait(&["list"], "the own work", |list| titles(list).contains(&"本机后来登记的".into()));
    everything_is_witnessed(&village);
    let shown = |node: &Node| node.told(&["record", "show", &record.to_string()]).to_string();
    for node in [&village, &township, &county] {
        assert!(!shown(node).contains("贼改"), "a thief's work was made the office's own");
    }
    assert!(village.told(&["record", "show", &own.to_string()]).to_string().contains("本机"));

    // A person vouches for one and disowns the other.
    let said = village.told(&["forks", "confirm", &forged[0][..12]]);
    assert_eq!((&said["confirmed"], &said["said"]), (&1.into(), &1.into()), "{said}");
    village.told(&["forks", "reject", &forged[1][..12]]);
    let seen = village.told(&["forks"]);
    assert_eq!(items(&seen, "unremembered").len(), 0, "{seen}");
    everything_is_witnessed(&village);
    township.wait(&["record", "show", &record.to_string()], "what was confirmed", |shown| {
        shown.to_string().contains("贼改甲")
    });
    assert!(!shown(&township).contains("贼改乙"));
    world.end();
}

#[test]
fn a_pc_that_is_put_back_every_night_stops_writing_and_says_why() {
    let world = World::new("nightly");
    let (mut county, mut township, mut village) = world.nodes();
    county.start();
    world.start(&mut township, TOWNSHIP);
    world.start(&mut village, VILLAGE);
    register(&village, "还原点");
    everything_is_witnessed(&village);
    village.stop();
    let image = world.copy(&village, "image").folder.clone();
    let mut wrote = vec!["还原点".to_owned()];
    for night in 1..=5 {
        world.start(&mut village, VILLAGE);
        let title = format!("第{night}天");
        let (code, said) = village.ask(&words(&new_case(&title)));
        if night <= 3 {
            assert_eq!(code, 0, "day {night}: {said}\n{}", village.log());
            wrote.push(title);
            everything_is_witnessed(&village);
        } else {
            assert_eq!((code, &said["error"]["code"]), (1, &"rolled-back".into()), "{said}");
            let zh = said["error"]["zh"].as_str().expect("a text");
            assert!(zh.contains("还原卡") && zh.contains("forks resume"), "{zh}");
            assert_eq!(village.told(&["forks"])["stopped"], true);
        }
        village.stop();
        put_back(&image, &village.folder);
    }
    // Nothing that reached the township is lost, and it sees what goes on.
    let wrote: Vec<&str> = wrote.iter().map(String::as_str).collect();
    township.wait(&["list"], "every day's work", |list| titles(list) == sorted(&wrote));
    let seen = township.told(&["forks"]);
    assert!(items(&seen, "nodes").iter().any(|node| items(node, "logs").len() == 3), "{seen}");
    assert_eq!(items(&seen, "forks").len(), 0, "it asked first, so nothing forked: {seen}");
    let status = township.told(&["status"]);
    let told = |one: &Json| one["kind"] == "put-back" && one["logs"] == 3;
    assert!(items(&status, "alarms").iter().any(told), "{status}");
    // The restore card is gone: a person says so, and the work goes on.
    world.start(&mut village, VILLAGE);
    village.wait(&["forks"], "the refusal", |seen| seen["stopped"] == true);
    village.told(&["forks", "resume"]);
    register(&village, "还原卡取消之后");
    everything_is_witnessed(&village);
    world.end();
}

/// A county on paper, and its folders.
pub(crate) struct World {
    pub(crate) dir: PathBuf,
    pub(crate) county: County,
    ports: [SocketAddr; 2],
}

impl World {
    pub(crate) fn new(name: &str) -> Self {
        let dir = program::folder(name);
        Self { dir, county: county::found(&builtin()), ports: [free_port(), free_port()] }
    }

    /// County, township and village; each dials the offices above.
    pub(crate) fn nodes(&self) -> (Node, Node, Node) {
        let local = SocketAddr::from((Ipv4Addr::LOCALHOST, 0));
        let make = |at: usize, name: &str, listen, above: &[usize]| {
            let neighbours: Vec<Neighbour> = above
                .iter()
                .map(|at| {
                    let Office { node, name, .. } = &self.county.offices[*at];
                    let (key, office, address) = (node.public(), name.clone(), self.ports[*at]);
                    Neighbour { key, office, address }
                })
                .collect();
            let (folder, roster) = (self.dir.join(name), [self.county.founding.clone()]);
            let office = &self.county.offices[at];
            folder::write(&folder, office, &roster, builtin(), listen, &neighbours);
            Node::at(program::path(), folder)
        };
        let county = make(COUNTY, "county", self.ports[COUNTY], &[]);
        let township = make(TOWNSHIP, "township", self.ports[TOWNSHIP], &[COUNTY]);
        (county, township, make(VILLAGE, "village", local, &[TOWNSHIP, COUNTY]))
    }

    pub(crate) fn clerk(&self, at: usize) -> (String, String) {
        let (name, _) = &self.county.offices[at].people[0];
        (name.clone(), format!("{}\n", passphrase(name)))
    }

    /// Starts a node and signs everybody in.
    pub(crate) fn start(&self, node: &mut Node, at: usize) {
        node.start();
        for (name, _) in &self.county.offices[at].people {
            node.unlock(name, &passphrase(name));
        }
    }

    /// The whole folder once more, as a disk image has it.
    pub(crate) fn copy(&self, node: &Node, name: &str) -> Node {
        let to = self.dir.join(name);
        put_back(&node.folder, &to);
        Node::at(program::path(), to)
    }

    /// Entries signed with the village's keys behind the last one that the township holds, put into
    /// the township's store as if they had come over the line. Answers their ids.
    fn forge(&self, township: &Node, record: RecordId, edits: &[(&str, &str)]) -> Vec<String> {
        let (office, village) = (&self.county.offices[TOWNSHIP], &self.county.offices[VILLAGE]);
        let keys = folder::store_keys(office);
        let path = township.folder.join("store.db");
        let mut store = Store::open(&path, Some(keys)).expect("the township's store");
        store.unlock(folder::office_key(office)).expect("its key");
        let own = village.node.public();
        let (id, space): (_, Space) = store
            .logs()
            .iter()
            .find(|(_, log)| log.node == own)
            .map(|(id, log)| (*id, log.space))
            .expect("the village's log");
        let mut ids = Vec::new();
        for (number, (path, text)) in (1_u8..).zip(edits) {
            let held = store.evidence(space, record).expect("it reads");
            let evidence: Vec<_> = held.iter().map(Held::evidence).collect();
            let first = held[0].entry.change().expect("a change").clone();
            let value = Value::Text((*text).to_owned());
            let edit = Edit::Put { at: Place::Root, path: (*path).to_owned(), value };
            let draft = Draft { edits: vec![edit], step: None };
            let time_ms = held[0].entry.core().claimed_time_ms + u64::from(number) * 1_000;
            let operation = OperationId([number; 16]);
            let act = Act { operation, time_ms, salt: [number; 16], republishes: None };
            let person = held[0].entry.core().person.expect("a person signed");
            let person = village.people.iter().find(|(_, key)| key.public() == person);
            let (_, person) = person.expect("a person of the village");
            let author = Author { node: &village.node, person: Some(person) };
            let tail = Tail::of(store.logs(), id).expect("the log is held");
            let (kind, schema) = (&first.record_type, first.schema);
            let (roster, definitions) = (store.roster(), store.definitions());
            let signed = write_change(
                roster,
                definitions,
                &tail,
                record,
                kind,
                schema,
                &evidence,
                &draft,
                author,
                act,
            );
            let signed = signed.expect("a change");
            ids.push(signed.entry.id().to_string());
            let batch = vec![(signed.entry, signed.body)];
            let received = store.receive(batch, time_ms).expect("the disk takes it");
            assert!(received.refused.is_empty(), "{:?}", received.refused);
        }
        store.close().expect("it closes");
        ids
    }

    pub(crate) fn end(self) {
        let _ = std::fs::remove_dir_all(self.dir);
    }
}

/// The words of a command without a node.
fn back_words(world: &World, words: &[&str], typed: &str) -> (i32, Json) {
    Node::at(program::path(), world.dir.join("desk")).say(words, typed)
}

/// The words that register a service case of that title.
pub(crate) fn new_case(title: &str) -> Vec<String> {
    let fields = [
        &*format!("title={title}"),
        "事项名称=高龄津贴申请",
        "常办事项代码=高龄津贴/老年优待",
        "服务方式=窗口办理",
        "申请人类型=自然人",
        "申请人.姓名=张三",
        "申请人.联系电话=13800001111",
        "材料清单[1].名称=身份证",
        "材料清单[1].形式=复印件",
        "材料清单[1].份数=1",
        "材料清单[1].收取日期=2026.1.5",
    ];
    let sets = fields.iter().flat_map(|field| ["--set".to_owned(), (*field).to_owned()]);
    ["record", "new", "SVC"].into_iter().map(str::to_owned).chain(sets).collect()
}

pub(crate) fn words(words: &[String]) -> Vec<&str> {
    words.iter().map(String::as_str).collect()
}

/// Registers a case at the running node.
pub(crate) fn register(node: &Node, title: &str) -> RecordId {
    let (code, said) = node.ask(&words(&new_case(title)));
    assert_eq!(code, 0, "{title}: {said}\n{}", node.log());
    let id = said["record"].as_str().expect("an id");
    RecordId::parse(id).expect("an id")
}

/// Registers a case while nothing runs.
pub(crate) fn register_offline(world: &World, node: &Node, title: &str) {
    let (clerk, typed) = world.clerk(VILLAGE);
    let case = new_case(title);
    let words = [&words(&case)[..], &["--as", &clerk, "--passphrase-from-stdin"]].concat();
    let (code, said) = node.say(&words, &typed);
    assert_eq!(code, 0, "{title}: {said}");
}

pub(crate) fn everything_is_witnessed(node: &Node) {
    node.wait(&["status"], "the township's word", |status| {
        status["only_here"] == 0 && status["unsettled"] == 0
    });
}

pub(crate) fn titles(list: &Json) -> Vec<String> {
    let mut titles: Vec<String> = items(list, "rows")
        .iter()
        .map(|row| row["title"].as_str().unwrap_or_default().to_owned())
        .collect();
    titles.sort();
    titles
}

pub(crate) fn sorted(titles: &[&str]) -> Vec<String> {
    let mut titles: Vec<String> = titles.iter().map(|title| (*title).to_owned()).collect();
    titles.sort();
    titles
}

pub(crate) fn items<'a>(json: &'a Json, name: &str) -> &'a [Json] {
    json[name].as_array().map(Vec::as_slice).unwrap_or_default()
}

/// Both envelopes verify, name one slot, and differ: that is what a fork's proof is.
fn check_proof(proof: &Json, world: &World) {
    let network = world.county.founding.network();
    let variants = items(&proof["forks"][0], "variants");
    let mut seen = Vec::new();
    for variant in variants {
        let bytes = xw_schemas::id::unhex(variant["envelope"].as_str().expect("hex"));
        let raw = xw_schemas::entry::RawEntry::decode(bytes.expect("hex")).expect("an entry");
        let entry = raw.verify(network).expect("its signatures hold");
        assert_eq!(entry.node(), world.county.offices[VILLAGE].node.public());
        seen.push((entry.core().log, entry.core().sequence, entry.id()));
    }
    assert_eq!((seen[0].0, seen[0].1), (seen[1].0, seen[1].1));
    assert_ne!(seen[0].2, seen[1].2);
}

/// No key, passphrase or record lies open in a backup.
fn nothing_secret(backup: &Path, office: &Office) {
    let mut secrets = folder::secrets(office);
    let seed = office.node.seed();
    secrets.push(seed.to_vec());
    secrets.push(xw_schemas::id::hex(&seed[..]).into_bytes());
    secrets.push("备份之前".as_bytes().to_vec());
    for (path, bytes) in crate::nodes::process::all_files(backup) {
        for secret in &secrets {
            let found = bytes.windows(secret.len()).any(|part| part == &secret[..]);
            assert!(!found, "something secret lies open in {}", path.display());
        }
    }
}

/// Puts a folder back as an image of it says, whatever has become of it.
fn put_back(image: &Path, folder: &Path) {
    let _ = std::fs::remove_dir_all(folder);
    copy_all(image, folder);
}

fn copy_all(from: &Path, to: &Path) {
    std::fs::create_dir_all(to).expect("a folder");
    for entry in std::fs::read_dir(from).expect("a folder") {
        let entry = entry.expect("an entry");
        let name = entry.file_name();
        if PASSING.iter().any(|passing| name == *passing) {
            continue;
        }
        let (from, to) = (entry.path(), to.join(&name));
        if from.is_dir() {
            copy_all(&from, &to);
        } else {
            std::fs::copy(&from, &to).expect("a file");
        }
    }
}

fn free_port() -> SocketAddr {
    let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).expect("a free port");
    listener.local_addr().expect("it is bound")
}
