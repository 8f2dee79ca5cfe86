//! A new node's folder, and who gets in: over the same requests that the command line sends.

use std::path::{Path, PathBuf};

use serde_json::{Value as Json, json};
use xw_bootstrap::found::found;
use xw_bootstrap::joining::{invitation, join};
use xw_bootstrap::synthetic;
use xw_custody::{KeyPurpose, Passphrase, SealedKey, sealing_key_of};
use xw_ledger::roster::Chain;
use xw_schemas::edition::{Edition, EditionCore, Fact, Scope};
use xw_schemas::id::hex;
use xw_schemas::record::builtin;

use super::*;
use crate::folder::{Folder, NewNode, NewPerson, Settings};
use crate::office::Office;
use crate::request::Request;
use crate::serve;

/// The passphrase of the first person; the others' have their number instead of 0.
const PASSPHRASE: &str = "mill-brook-0-willow";

#[test]
fn cheap_keys_are_for_the_county_of_exercises() {
    let of = |code: &str| Division::parse(code).unwrap();
    assert_eq!(cost(of("130599201201"), true).unwrap(), Cost::FOR_TESTS);
    assert_eq!(cost(of("130599201201"), false).unwrap(), Cost::STANDARD);
    assert_eq!(cost(of("130532100000"), true).unwrap_err().code, "usage");
}

#[test]
fn a_clock_set_back_or_a_sleeping_pc_lengthens_no_idle_time() {
    let then = Moment { steady_ms: 1_000, wall_ms: 900_000 };
    assert_eq!(then.ago_ms(Moment { steady_ms: 5_000, wall_ms: 0 }), 4_000);
    assert_eq!(then.ago_ms(Moment { steady_ms: 1_500, wall_ms: 1_500_000 }), 600_000);
}

#[test]
fn no_key_of_a_person_lies_open_in_a_new_folder() {
    let world = World::new("folder");
    let files = all_files(world.folder.path());
    assert!(files.iter().any(|path| path.ends_with("keys/machine.json")));
    assert!(files.iter().any(|path| path.ends_with("keys/people/1.json")));
    for path in &files {
        let bytes = std::fs::read(path).unwrap();
        for person in &world.people {
            let seed = person.key.seed();
            assert!(!holds(&bytes, &seed[..]), "{}", path.display());
            assert!(!holds(&bytes, hex(&seed[..]).as_bytes()), "{}", path.display());
        }
        #[cfg(unix)]
        if path.components().any(|part| part.as_os_str() == "keys") {
            use std::os::unix::fs::PermissionsExt as _;
            let mode = std::fs::metadata(path).unwrap().permissions().mode();
            assert_eq!(mode & 0o077, 0, "{}", path.display());
        }
    }
}

#[test]
fn a_node_starts_locked_and_a_passphrase_opens_it() {
    let world = World::new("locked");
    let mut office = world.open();
    assert!(!office.store.is_unlocked());
    assert_eq!(refused(&mut office, json!({"do": "list"})), "locked");
    assert_eq!(refused(&mut office, json!({"do": "new", "record_type": "SVC"})), "locked");
    // What needs nobody is answered.
    let status = told(&mut office, json!({"do": "status"}));
    assert_eq!(status["custody"]["open"], false);
    assert_eq!(told(&mut office, json!({"do": "verify"}))["locked"], true);
    assert!(told(&mut office, json!({"do": "digest"}))["headers"].is_string());

    let who = &world.people[0].name;
    let wrong = json!({"do": "unlock", "person": who, "passphrase": "another-brook-0"});
    assert_eq!(refused(&mut office, wrong), "passphrase");
    assert_eq!(refused(&mut office, json!({"do": "list"})), "locked");
    let custody = told(&mut office, world.unlock(0));
    assert_eq!(custody["signed_in"][0]["name"], **who);
    assert_eq!(custody["wrong_tries_before"], 1);
    assert_eq!(told(&mut office, json!({"do": "list"}))["total"], 0);

    let out = told(&mut office, json!({"do": "lock"}));
    assert_eq!((&out["out"][0], &out["open"]), (&json!(who), &json!(false)));
    assert!(!office.store.is_unlocked());
    assert_eq!(refused(&mut office, json!({"do": "list"})), "locked");
}

#[test]
fn whoever_is_not_signed_in_is_named_and_told_what_to_do() {
    let world = World::new("named");
    let mut office = world.open();
    told(&mut office, world.unlock(0));
    let other = &world.people[1].name;
    let who = crate::request::Who { person: Some(other.clone()), role: None };
    let trouble = office.create(&crate::request::NewRecord {
        record_type: "SVC".into(),
        who,
        ..Default::default()
    });
    let trouble = trouble.unwrap_err();
    assert_eq!(trouble.code, "locked");
    assert!(trouble.zh.contains(other) && trouble.zh.contains("unlock --person"), "{}", trouble.zh);
    told(&mut office, world.unlock(1));
    let custody = office.custody();
    assert_eq!(custody["signed_in"].as_array().unwrap().len(), 2);
    // The store stays open while one of them is here.
    told(&mut office, json!({"do": "lock", "person": other}));
    assert!(office.store.is_unlocked());
    assert_eq!(refused(&mut office, json!({"do": "lock", "person": "无此人"})), "person");
    let nobody = json!({"do": "unlock", "passphrase": PASSPHRASE});
    assert_eq!(refused(&mut office, nobody), "which-person");
}

#[test]
fn a_guesser_waits_and_a_restart_makes_no_difference() {
    let world = World::new("guesses");
    let wrong =
        json!({"do": "unlock", "person": world.people[0].name, "passphrase": "guess-guess-0"});
    for _ in 0..2 {
        let mut office = world.open();
        let refusals = [(); 3].map(|()| refused(&mut office, wrong.clone()));
        assert!(refusals.iter().all(|code| code == "passphrase" || code == "wait"), "{refusals:?}");
    }
    let mut office = world.open();
    assert_eq!(refused(&mut office, world.unlock(0)), "wait", "the sixth try comes too early");
    // Another person of the same PC is not kept out by it.
    told(&mut office, world.unlock(1));
}

#[test]
fn another_passphrase_opens_and_the_old_one_no_longer() {
    let world = World::new("change");
    let mut office = world.open();
    let who = &world.people[0].name;
    let change = |old: &str, new: &str| json!({"do": "passphrase", "person": who, "passphrase": old, "new": new});
    assert_eq!(refused(&mut office, change(PASSPHRASE, "short")), "passphrase");
    assert_eq!(refused(&mut office, change(PASSPHRASE, PASSPHRASE)), "passphrase");
    assert_eq!(refused(&mut office, change("wrong-wrong-wrong", "Kx3-other-brook")), "passphrase");
    told(&mut office, change(PASSPHRASE, "Kx3-other-brook"));
    assert_eq!(refused(&mut office, world.unlock(0)), "passphrase");
    let unlock = json!({"do": "unlock", "person": who, "passphrase": "Kx3-other-brook"});
    told(&mut office, unlock);
}

#[test]
fn a_newcomer_is_let_in_by_somebody_who_is_signed_in() {
    let world = World::new("newcomer");
    let key = SecretKey::from_seed(&[77; 32]);
    let (seed, passphrase) = (key.seed(), Passphrase::chosen("new-clerk-willow-9").unwrap());
    let (purpose, cost) = (KeyPurpose::Person, Cost::FOR_TESTS);
    let sealed =
        SealedKey::seal(purpose, "孙新来", &seed, &passphrase, cost, &mut clock::fill).unwrap();
    let sealing = hex(&sealing_key_of(&seed).bytes());
    let add = json!({"do": "add-operator", "key": sealed.text(), "sealing": sealing});
    let mut office = world.open();
    assert_eq!(refused(&mut office, add.clone()), "locked");
    told(&mut office, world.unlock(0));
    told(&mut office, add);
    told(&mut office, json!({"do": "lock"}));
    let mut office = reopened(office, &world);
    let unlock = json!({"do": "unlock", "person": "孙新来", "passphrase": "new-clerk-willow-9"});
    told(&mut office, unlock.clone());
    assert_eq!(told(&mut office, json!({"do": "list"}))["total"], 0);
    let status = told(&mut office, json!({"do": "keys"}));
    let listed = status["operators"].as_array().unwrap();
    let newcomer = listed.iter().find(|one| one["name"] == "孙新来").unwrap();
    assert_eq!((&newcomer["on_roster"], &newcomer["signed_in"]), (&json!(false), &json!(true)));

    told(&mut office, json!({"do": "remove-operator", "person": "孙新来"}));
    assert_eq!(refused(&mut office, unlock), "person");
}

#[test]
fn whoever_is_cut_is_signed_out_at_once_and_not_let_in_again() {
    let world = World::new("cut");
    let mut office = world.open();
    told(&mut office, world.unlock(0));
    told(&mut office, world.unlock(1));
    let founding = office.store.chain().editions().next().unwrap().clone();
    let core = EditionCore {
        network: Some(founding.network()),
        scope: Scope::Root,
        number: 2,
        previous: founding.id(),
        claimed_time_ms: clock::now_ms(),
        facts: vec![Fact::Cut { key: world.people[0].key.public(), kept: Vec::new() }],
    };
    let roots = [1, 2].map(|n| SecretKey::from_seed(&[n; 32]));
    office.store.add_edition(Edition::sign(&core, &roots).unwrap()).unwrap().unwrap();
    office.lock_when_idle().unwrap();
    let left: Vec<&str> = office.keys.signed_in().iter().map(|one| one.name.as_str()).collect();
    assert_eq!(left, [world.people[1].name.as_str()]);
    assert_eq!(refused(&mut office, world.unlock(0)), "revoked");
}

#[test]
fn an_idle_hour_signs_everybody_out_and_a_long_one_closes_the_store() {
    let world = World::new("idle");
    let mut office = world.open();
    told(&mut office, world.unlock(0));
    office.keys.age(9 * MINUTE_MS);
    office.lock_when_idle().unwrap();
    told(&mut office, json!({"do": "list"}));
    // Programs that look at the status are no persons at work.
    office.keys.age(6 * MINUTE_MS);
    told(&mut office, json!({"do": "status"}));
    office.keys.age(4 * MINUTE_MS);
    office.lock_when_idle().unwrap();
    assert!(office.store.is_unlocked(), "neighbours still get what was typed");
    assert_eq!(refused(&mut office, json!({"do": "list"})), "locked");
    office.keys.age(480 * MINUTE_MS);
    office.lock_when_idle().unwrap();
    assert!(!office.store.is_unlocked());
}

#[test]
fn whoever_opens_record_after_record_must_sign_in_again() {
    let world = World::new("reads");
    let mut office = world.open();
    told(&mut office, world.unlock(0));
    let show = json!({"do": "show", "record": "00000000"});
    for _ in 0..200 {
        assert_eq!(refused(&mut office, show.clone()), "not-found");
    }
    assert_eq!(refused(&mut office, show.clone()), "locked");
    told(&mut office, world.unlock(0));
    assert_eq!(refused(&mut office, show), "not-found");
}

/// A county office's folder, removed in the end.
struct World {
    path: PathBuf,
    folder: Folder,
    people: Vec<NewPerson>,
}

impl World {
    fn new(name: &str) -> Self {
        let path =
            std::env::temp_dir().join(format!("xiangwang-keys-{}-{name}", std::process::id()));
        let _ = std::fs::remove_dir_all(&path);
        let folder = Folder::at(&path);
        let key = |n: u8| SecretKey::from_seed(&[n; 32]);
        let (roots, definitions) = ([1, 2, 3].map(key), builtin());
        let plan = synthetic::plan();
        let founded = found(&plan, &roots, &definitions, clock::now_ms(), &mut |b| clock::fill(b));
        let founded = founded.unwrap();
        let chain = Chain::founded(founded.edition.clone()).unwrap();
        let people = || -> Vec<NewPerson> {
            let named = (0u8..).zip(&plan.invites[0].people);
            named
                .map(|(n, (name, _))| NewPerson {
                    name: name.clone(),
                    key: key(20 + n),
                    passphrase: Passphrase::chosen(&passphrase(n.into())).unwrap(),
                })
                .collect()
        };
        let keys: Vec<SecretKey> = people().iter().map(|person| person.key.clone()).collect();
        let invite = founded.invites[0].0.key();
        let invited = invitation(&chain, &invite.public(), None).unwrap();
        let joining =
            join(&chain, invited, &invite, Some(&key(9)), &keys, clock::now_ms()).unwrap();
        let settings = Settings {
            division: synthetic::division(synthetic::COUNTY),
            office: "县".into(),
            letter: 'A',
            listen: Vec::new(),
            api: ([127, 0, 0, 1], 0).into(),
            late_days: 3,
            witness: None,
            idle: Idle::default(),
            neighbours: Vec::new(),
        };
        let new = NewNode {
            settings,
            editions: vec![founded.edition, joining],
            definitions,
            node: key(9),
            people: people(),
            cost: Cost::FOR_TESTS,
        };
        folder.init(&new).unwrap();
        Self { path, folder, people: new.people }
    }

    fn open(&self) -> Office {
        Office::open(self.folder.clone()).unwrap()
    }

    fn unlock(&self, at: usize) -> Json {
        json!({"do": "unlock", "person": self.people[at].name, "passphrase": passphrase(at)})
    }
}

impl Drop for World {
    fn drop(&mut self) {
        let _ = std::fs::remove_dir_all(&self.path);
    }
}

fn passphrase(at: usize) -> String {
    PASSPHRASE.replace('0', &at.to_string())
}

fn reopened(office: Office, world: &World) -> Office {
    office.store.close().unwrap();
    world.open()
}

fn ask(office: &mut Office, request: Json) -> Answer<Json> {
    let request: Request = serde_json::from_value(request).unwrap();
    serve::answer(office, request, &mut |_, _| {})
}

fn told(office: &mut Office, request: Json) -> Json {
    ask(office, request).unwrap()
}

fn refused(office: &mut Office, request: Json) -> String {
    ask(office, request).unwrap_err().code
}

fn all_files(folder: &Path) -> Vec<PathBuf> {
    let mut files = Vec::new();
    for entry in std::fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        if path.is_dir() {
            files.extend(all_files(&path));
        } else {
            files.push(path);
        }
    }
    files
}

fn holds(bytes: &[u8], wanted: &[u8]) -> bool {
    bytes.windows(wanted.len()).any(|window| window == wanted)
}
