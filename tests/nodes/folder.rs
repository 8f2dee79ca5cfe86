//! The folder of a node, written from the specifications alone: key files, store, settings. For tests
//! that run the real program and must know every key; knows nothing of the daemon's code.

use std::net::SocketAddr;
use std::path::Path;

use serde_json::{Value as Json, json};
use xw_custody::machine::{MachineFile, MachineKeys};
use xw_custody::{Cost, KeyPurpose, OfficeKey, Operators, Passphrase, SealedKey, sealing_key_of};
use xw_schemas::cose::SecretKey;
use xw_schemas::edition::Edition;
use xw_schemas::hash::tagged;
use xw_schemas::id::{PublicKey, hex};
use xw_schemas::record::RecordType;
use xw_schemas::space::Division;
use xw_store::{Store, StoreKeys};
use zeroize::Zeroizing;

/// An office with one PC, and all its keys.
#[derive(Debug, Clone)]
pub(crate) struct Office {
    pub(crate) division: Division,
    pub(crate) name: String,
    pub(crate) node: SecretKey,
    /// Each person's name and key.
    pub(crate) people: Vec<(String, SecretKey)>,
}

/// Another node to be dialled.
pub(crate) struct Neighbour {
    pub(crate) key: PublicKey,
    pub(crate) office: String,
    pub(crate) address: SocketAddr,
}

/// Writes the folder. Nobody is signed out for being idle.
pub(crate) fn write(
    folder: &Path,
    office: &Office,
    roster: &[Edition],
    definitions: Vec<RecordType>,
    listen: SocketAddr,
    neighbours: &[Neighbour],
) {
    std::fs::create_dir_all(folder.join("keys").join("people")).expect("a folder");
    write_keys(&folder.join("keys"), office);
    let (founding, later) = roster.split_first().expect("a roster begins with its founding");
    let (path, own) = (folder.join("store.db"), office.node.public());
    let keys = store_keys(office);
    let store = Store::create(&path, founding.clone(), definitions, Some(own), Some(keys));
    let mut store = store.expect("a new store");
    for edition in later {
        store.add_edition(edition.clone()).expect("the disk takes it").expect("it follows");
    }
    store.close().expect("it closes");
    let mut settings = format!(
        "division = \"{}\"\noffice = \"{}\"\nletter = \"A\"\nlisten = [\"{listen}\"]\n\
         api = \"127.0.0.1:0\"\n\n[idle]\nlock_minutes = 0\nreads_per_hour = 0\n",
        office.division, office.name
    );
    for Neighbour { key, office, address } in neighbours {
        settings.push_str(&format!(
            "\n[[neighbour]]\nkey = \"{key}\"\noffice = \"{office}\"\naddresses = [\"{address}\"]\n"
        ));
    }
    std::fs::write(folder.join("node.toml"), settings).expect("a file");
}

fn write_keys(keys: &Path, office: &Office) {
    let mut count = 0_u8;
    let mut dice = |bytes: &mut [u8]| {
        for byte in bytes {
            count = count.wrapping_add(1);
            *byte = count;
        }
    };
    let secret = office_key(office);
    let mut operators: Option<Operators> = None;
    for (at, (name, key)) in office.people.iter().enumerate() {
        let (seed, public) = (key.seed(), key.public());
        let sealing = sealing_key_of(&seed);
        match &mut operators {
            Some(list) => list.add(&secret, public, sealing, name, &mut dice).expect("room"),
            None => {
                let list = Operators::founded(&secret, public, sealing, name, &mut dice);
                operators = Some(list.expect("a first operator"));
            }
        }
        let typed = Passphrase::chosen(&passphrase(name)).expect("it is long enough");
        let (purpose, cost) = (KeyPurpose::Person, Cost::FOR_TESTS);
        let sealed = SealedKey::seal(purpose, name, &seed, &typed, cost, &mut dice);
        let path = keys.join("people").join(format!("{}.json", at + 1));
        std::fs::write(path, sealed.expect("a key under a passphrase").text()).expect("a file");
    }
    let operators = operators.expect("somebody works there");
    std::fs::write(keys.join("office.json"), operators.text()).expect("a file");
    let machine = MachineKeys { node: office.node.seed(), database: store_keys(office).machine };
    let text = MachineFile::plain(&machine).text();
    std::fs::write(keys.join("machine.json"), text.as_bytes()).expect("a file");
}

/// The passphrase of whoever has that name.
pub(crate) fn passphrase(name: &str) -> String {
    format!("willow-brook-7 {name}")
}

/// The keys with which the store of an office opens, locked.
pub(crate) fn store_keys(office: &Office) -> StoreKeys {
    let machine = Zeroizing::new(tagged("xw/tests/database", &[&office.node.seed()[..]]));
    StoreKeys { machine, sealing: office_key(office).public() }
}

/// The key that unlocks it.
pub(crate) fn office_key(office: &Office) -> OfficeKey {
    let seed = Zeroizing::new(tagged("xw/tests/office", &[&office.node.seed()[..]]));
    OfficeKey::from_seed(&seed)
}

/// The request by which the first person of an office signs in at the running node.
pub(crate) fn unlock(office: &Office) -> Json {
    let (name, _) = &office.people[0];
    json!({"do": "unlock", "person": name, "passphrase": passphrase(name)})
}

/// Everything secret about an office, as text and bytes that must stand in no file of its folder.
pub(crate) fn secrets(office: &Office) -> Vec<Vec<u8>> {
    let seeds = office.people.iter().map(|(_, key)| key.seed()).chain([office_key(office).seed()]);
    let both = seeds.flat_map(|seed| [seed.to_vec(), hex(&seed[..]).into_bytes()]);
    both.chain(office.people.iter().map(|(name, _)| passphrase(name).into_bytes())).collect()
}
