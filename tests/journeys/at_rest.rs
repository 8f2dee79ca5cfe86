//! A stolen PC that is switched off tells nothing of the people in its records, and a PC that starts
//! without a person keeps up with its neighbours all the same.

use std::collections::BTreeSet;
use std::net::{Ipv4Addr, SocketAddr, TcpListener};
use std::path::Path;

use xw_bootstrap::sheets::{Counts, village_ledgers};
use xw_schemas::record::builtin;

use crate::nodes::county::{self, County};
use crate::nodes::folder::{self, Neighbour, Office, passphrase};
use crate::nodes::process::{Node, all_files};
use crate::program;

/// Ledgers, and rows of each: enough that 1,000 different people stand in them.
const LEDGERS: u64 = 12;
const ROWS: u32 = 130;

/// The record types whose ledgers are imported.
const TYPES: [&str; 2] = ["PVM", "SVC"];

/// What of each household and of each applicant a thief would look for.
const COLUMNS: [[&str; 2]; 2] =
    [["household.head.name", "household.head.id_no"], ["applicant.name", "applicant.phone"]];

/// The township and its first village in the county's list.
const TOWNSHIP: usize = 1;
const VILLAGE: usize = 2;

#[test]
fn a_stolen_pc_that_is_switched_off_yields_no_personal_data() {
    let dir = program::folder("stolen");
    let county = county::found(&builtin());
    let office = &county.offices[VILLAGE];
    let mut node = village(&dir, &county, None);
    node.start();
    sign_in_all(&node, office);
    let mut people = PersonalData::of_those_who_work_at(office);
    for seed in 0..LEDGERS {
        import(&node, &dir, seed, ROWS);
        // What the next ledger changes stays in the past of its record.
        people.note(&node, office);
    }
    assert!(
        [&people.ids, &people.names, &people.phones].iter().all(|of| of.len() >= 1_000),
        "{people:?}"
    );
    // The search finds what lies open: a list that a clerk wrote into a file of their own.
    let control = dir.join("control");
    std::fs::create_dir_all(&control).expect("a folder");
    let shown = node.told(&["list", "--type", "PVM", "--limit", "50", "--columns", COLUMNS[0][0]]);
    std::fs::write(control.join("list.json"), shown.to_string()).expect("a file");
    assert!(!people.found_in(&control).is_empty(), "the search is blind");

    // Open and at work: the disk alone tells nothing even then.
    people.check(&node, "while it runs");
    node.stop();
    people.check(&node, "stopped");

    // Killed at work, with its write-ahead logs as they were.
    node.start();
    sign_in_all(&node, office);
    let rows = node.told(&["list", "--type", "PVM", "--limit", "1"]);
    let number = rows["rows"][0]["business_no"].as_str().expect("a number").to_owned();
    node.told(&["record", "edit", &number, "--set", "household.head.phone=13800001111"]);
    node.kill();
    people.check(&node, "killed");

    // Started again, as after a power cut, and nobody is there.
    node.start();
    let status = node.told(&["status"]);
    assert_eq!(status["custody"]["open"], false, "{status}");
    let (code, refused) = node.ask(&["list"]);
    assert_eq!((code, &refused["error"]["code"]), (1, &"locked".into()), "{refused}");
    let (code, refused) = node.ask(&["record", "show", &number]);
    assert_eq!((code, &refused["error"]["code"]), (1, &"locked".into()), "{refused}");
    people.check(&node, "locked");
    let wrong = ["unlock", "--person", &office.people[0].0, "--passphrase-from-stdin"];
    let (code, refused) = node.say(&wrong, "willow-brook-8\n");
    assert_eq!((code, &refused["error"]["code"]), (1, &"passphrase".into()), "{refused}");
    sign_in_all(&node, office);
    let shown = node.told(&["record", "show", &number]);
    assert!(shown.to_string().contains("13800001111"), "what was saved is there: {shown}");
    node.stop();
    people.check(&node, "after everything");
    let _ = std::fs::remove_dir_all(dir);
}

#[test]
fn a_locked_node_takes_in_what_comes_and_shows_it_after_a_passphrase() {
    let dir = program::folder("unattended");
    let county = county::found(&builtin());
    let (above, below) = (&county.offices[TOWNSHIP], &county.offices[VILLAGE]);
    let port = free_port();
    let folder = dir.join("township");
    folder::write(&folder, above, std::slice::from_ref(&county.founding), builtin(), port, &[]);
    let mut township = Node::at(program::path(), folder);
    let mut village = village(&dir, &county, Some((above, port)));

    // The township's PC has started again and nobody has come yet.
    township.start();
    village.start();
    sign_in_all(&village, below);
    import(&village, &dir, 1, 40);
    let records = village.told(&["list"])["total"].as_u64().expect("a total");
    assert!(records > 20, "{records}");
    // It acknowledges and witnesses: the village sees that the township has everything.
    village.wait(&["status"], "the township's witness", |status| {
        status["only_here"] == 0 && status["township"].as_u64() == Some(records)
    });
    let status = township.told(&["status"]);
    assert_eq!(status["custody"]["open"], false);
    assert!(status["entries"].as_u64() >= Some(records), "{status}");
    assert_eq!(township.ask(&["list"]).0, 1);
    let (name, _) = &above.people[0];
    township.unlock(name, &passphrase(name));
    township.wait(&["list"], "what came while nobody was there", |list| {
        list["total"].as_u64() == Some(records)
    });
    check_nothing_is_sealed(&township, records);

    // What was typed while the line was down and not sent before the PC was switched off waits for
    // somebody at that PC: until then others have the signed entries without what they say.
    township.stop();
    import(&village, &dir, 2, 60);
    let more = village.told(&["list"])["total"].as_u64().expect("a total");
    assert!(more > records, "{more} of {records}");
    village.stop();
    township.start();
    township.unlock(name, &passphrase(name));
    village.start();
    township.wait(&["status"], "the entries without their bodies", |status| {
        status["records"].as_u64() == Some(more)
    });
    assert!(sealed(&township) > 0, "a locked village sent what it cannot read");
    sign_in_all(&village, below);
    township.wait(&["list", "--limit", "1000"], "the bodies", |list| {
        list["rows"].as_array().is_some_and(|rows| rows.iter().all(|row| row["sealed"] == false))
    });
    check_nothing_is_sealed(&township, more);
    let digest = |node: &Node| node.told(&["digest"])["total"].clone();
    village.wait(&["status"], "the township's second witness", |status| status["only_here"] == 0);
    assert_eq!(digest(&township), digest(&village), "both show the same");
    township.stop();
    village.stop();
    let _ = std::fs::remove_dir_all(dir);
}

/// The village's node, dialling the township where there is one.
fn village(dir: &Path, county: &County, above: Option<(&Office, SocketAddr)>) -> Node {
    let folder = dir.join("village");
    let neighbours: Vec<Neighbour> = above
        .map(|(office, address)| Neighbour {
            key: office.node.public(),
            office: office.name.clone(),
            address,
        })
        .into_iter()
        .collect();
    let listen = SocketAddr::from((Ipv4Addr::LOCALHOST, 0));
    let (office, roster) = (&county.offices[VILLAGE], [county.founding.clone()]);
    folder::write(&folder, office, &roster, builtin(), listen, &neighbours);
    Node::at(program::path(), folder)
}

fn sign_in_all(node: &Node, office: &Office) {
    for (name, _) in &office.people {
        node.unlock(name, &passphrase(name));
    }
}

/// Imports ledgers of so many rows; they do not lie in the node's folder.
fn import(node: &Node, dir: &Path, seed: u64, rows: u32) {
    let counts = Counts { svc: rows, pvm: rows, ind: 0, med: 0 };
    let made = village_ledgers(seed, "130599201201", "柳河村", 2026, counts).expect("ledgers");
    for record_type in TYPES {
        let ledger = made.iter().find(|l| l.planted.record_type == record_type).expect("rows");
        let path = dir.join(format!("{record_type}-{seed}.xlsx"));
        std::fs::write(&path, &ledger.bytes).expect("a file");
        let (code, json) =
            node.ask(&["import", &path.display().to_string(), "--type", record_type]);
        // Another year's service ledger counts its cases from one, too: the same numbers, changed.
        let of = |name: &str| json["tally"][name].as_u64().unwrap_or(0);
        assert!(code <= 1 && of("new") + of("changed") > 0, "{json}\n{}", node.log());
    }
}

fn sealed(node: &Node) -> usize {
    let list = node.told(&["list", "--limit", "1000"]);
    list["rows"].as_array().expect("rows").iter().filter(|row| row["sealed"] == true).count()
}

fn check_nothing_is_sealed(node: &Node, records: u64) {
    assert_eq!(sealed(node), 0);
    let list = node.told(&["list", "--limit", "1000", "--columns", COLUMNS[0][1]]);
    let rows = list["rows"].as_array().expect("rows");
    let shown = rows.iter().filter(|row| row["fields"][COLUMNS[0][1]] != "").count();
    assert_eq!((rows.len() as u64, list["total"].as_u64()), (records, Some(records)));
    assert!(shown > 0, "{list}");
}

/// What may stand in no file of the folder.
struct PersonalData {
    ids: BTreeSet<Vec<u8>>,
    names: BTreeSet<Vec<u8>>,
    phones: BTreeSet<Vec<u8>>,
    /// Keys and passphrases.
    secrets: Vec<Vec<u8>>,
}

impl std::fmt::Debug for PersonalData {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let (ids, names, phones) = (self.ids.len(), self.names.len(), self.phones.len());
        write!(f, "{ids} ids, {names} names, {phones} phones")
    }
}

impl PersonalData {
    fn of_those_who_work_at(office: &Office) -> Self {
        let (ids, names, phones) = (BTreeSet::new(), BTreeSet::new(), BTreeSet::new());
        Self { ids, names, phones, secrets: folder::secrets(office) }
    }

    /// Takes in everything about people that the node shows.
    fn note(&mut self, node: &Node, office: &Office) {
        let others = [&mut self.ids, &mut self.phones];
        for ((record_type, columns), other) in TYPES.into_iter().zip(COLUMNS).zip(others) {
            let list = ["list", "--type", record_type, "--all", "--columns", &columns.join(",")];
            for row in node.told(&list)["rows"].as_array().expect("rows") {
                let [name, value] =
                    columns.map(|path| row["fields"][path].as_str().unwrap_or_default());
                // The operators' own names stand on their key files, as labels.
                if !office.people.iter().any(|(label, _)| label.contains(name)) {
                    self.names.insert(name.into());
                }
                if !value.is_empty() {
                    other.insert(value.into());
                }
            }
        }
    }

    fn check(&self, node: &Node, when: &str) {
        let files = all_files(&node.folder);
        for expected in ["store.db", "view.db", "node.log", "machine.json"] {
            assert!(files.iter().any(|(path, _)| path.ends_with(expected)), "{expected} {when}");
        }
        assert_eq!(self.found_in(&node.folder), Vec::<String>::new(), "{when}");
    }

    /// Files in which anything of it stands.
    fn found_in(&self, folder: &Path) -> Vec<String> {
        let wanted: BTreeSet<&[u8]> = [&self.ids, &self.names, &self.phones]
            .into_iter()
            .flatten()
            .chain(&self.secrets)
            .map(Vec::as_slice)
            .collect();
        let lengths: BTreeSet<usize> = wanted.iter().map(|text| text.len()).collect();
        // By the first three bytes, whether anything begins so: tens of megabytes are searched.
        let mut begins = vec![false; 1 << 24];
        wanted.iter().for_each(|text| begins[beginning(text)] = true);
        let stands = |bytes: &[u8], at: usize| {
            let part = |length: &usize| bytes.get(at..at + length);
            lengths.iter().filter_map(part).any(|part| wanted.contains(part))
        };
        let holds = |bytes: &[u8]| {
            let mut begun = (0..).zip(bytes.windows(3));
            begun.any(|(at, three)| begins[beginning(three)] && stands(bytes, at))
        };
        let files = all_files(folder).into_iter().filter(|(_, bytes)| holds(bytes));
        files.map(|(path, _)| path.display().to_string()).collect()
    }
}

fn beginning(bytes: &[u8]) -> usize {
    bytes[..3].iter().fold(0, |number, byte| number << 8 | usize::from(*byte))
}

fn free_port() -> SocketAddr {
    let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).expect("a free port");
    listener.local_addr().expect("it is bound")
}

/// A passphrase handed over in any other way than the terminal or standard input would lie in the
/// process list or in a profile.
#[test]
fn no_option_and_no_variable_takes_a_passphrase() {
    let output = std::process::Command::new(program::path())
        .args(["unlock", "--help", "--lang", "en"])
        .output()
        .expect("the program runs");
    let help = String::from_utf8(output.stdout).expect("text");
    assert!(help.contains("--passphrase-from-stdin"), "{help}");
    assert!(!help.contains("--passphrase ") && !help.contains("--passphrase="), "{help}");
    let refused = std::process::Command::new(program::path())
        .args(["unlock", "--passphrase", "willow-brook-7"])
        .output()
        .expect("the program runs");
    assert_eq!(refused.status.code(), Some(2));
}
