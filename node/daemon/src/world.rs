//! One office's PC for the tests of this program: a folder that is removed in the end, its people and
//! their passphrases, and the requests that the command line sends. Runs no network.

use std::path::PathBuf;

use serde_json::{Value as Json, json};
use xw_bootstrap::found::found;
use xw_bootstrap::joining::{invitation, join};
use xw_bootstrap::synthetic;
use xw_custody::{Cost, Passphrase};
use xw_ledger::roster::Chain;
use xw_schemas::cose::SecretKey;
use xw_schemas::record::builtin;

use crate::clock;
use crate::folder::{Folder, Idle, NewNode, NewPerson, Settings};
use crate::office::Office;
use crate::request::Request;
use crate::serve;
use crate::trouble::Answer;

/// The passphrase of the first person; the others' have their number instead of 0.
pub(crate) const PASSPHRASE: &str = "mill-brook-0-willow";

/// An office's folder, removed in the end.
pub(crate) struct World {
    path: PathBuf,
    pub(crate) folder: Folder,
    pub(crate) people: Vec<NewPerson>,
}

impl World {
    /// The county's office.
    pub(crate) fn new(name: &str) -> Self {
        Self::of(synthetic::COUNTY, name)
    }

    /// The office of a code of the synthetic county.
    pub(crate) fn of(code: &str, name: &str) -> Self {
        let path = std::env::temp_dir().join(format!("xiangwang-{}-{name}", std::process::id()));
        let _ = std::fs::remove_dir_all(&path);
        let folder = Folder::at(&path);
        let new = new_node(code);
        folder.init(&new).unwrap();
        Self { path, folder, people: new.people }
    }

    pub(crate) fn open(&self) -> Office {
        Office::open(self.folder.clone()).unwrap()
    }

    /// The request by which a person signs in.
    pub(crate) fn unlock(&self, at: usize) -> Json {
        json!({"do": "unlock", "person": self.people[at].name, "passphrase": passphrase(at)})
    }
}

impl Drop for World {
    fn drop(&mut self) {
        let _ = std::fs::remove_dir_all(&self.path);
    }
}

/// The key of the county's PC, in a township's or a village's world.
pub(crate) fn county_node() -> SecretKey {
    SecretKey::from_seed(&[8; 32])
}

/// What the folder of an office is made of that has joined, after the county's if it is another.
/// Root keys 1 and 2 are enough to decide.
pub(crate) fn new_node(code: &str) -> NewNode {
    let key = |n: u8| SecretKey::from_seed(&[n; 32]);
    let (roots, definitions) = ([1, 2, 3].map(key), builtin());
    let division = synthetic::division(code);
    let mut plan = synthetic::plan();
    if code != synthetic::COUNTY {
        plan.invites.push(synthetic::invite(division));
    }
    let founded = found(&plan, &roots, &definitions, clock::now_ms(), &mut |b| clock::fill(b));
    let founded = founded.unwrap();
    let chain = Chain::founded(founded.edition.clone()).unwrap();
    let planned = plan.invites.last().unwrap();
    let named = (0u8..).zip(&planned.people);
    let people: Vec<NewPerson> = named
        .map(|(n, (name, _))| NewPerson {
            name: name.clone(),
            key: key(20 + n),
            passphrase: Passphrase::chosen(&passphrase(n.into())).unwrap(),
        })
        .collect();
    let keys: Vec<SecretKey> = people.iter().map(|person| person.key.clone()).collect();
    let invite = founded.invites.last().unwrap().0.key();
    let invited = invitation(&chain, &invite.public(), None).unwrap();
    let now_ms = clock::now_ms();
    let joining = join(&chain, invited, &invite, Some(&key(9)), &keys, now_ms).unwrap();
    let mut editions = vec![founded.edition, joining];
    if code != synthetic::COUNTY {
        let people: Vec<SecretKey> = (40..).map(key).take(plan.invites[0].people.len()).collect();
        let invite = founded.invites[0].0.key();
        let invited = invitation(&chain, &invite.public(), None).unwrap();
        let joining = join(&chain, invited, &invite, Some(&county_node()), &people, now_ms);
        editions.push(joining.unwrap());
    }
    let settings = Settings {
        division,
        office: "演练机构".into(),
        letter: 'A',
        listen: Vec::new(),
        api: ([127, 0, 0, 1], 0).into(),
        late_days: 3,
        witness: None,
        idle: Idle::default(),
        neighbours: Vec::new(),
    };
    NewNode { settings, editions, definitions, node: key(9), people, cost: Cost::FOR_TESTS }
}

fn passphrase(at: usize) -> String {
    PASSPHRASE.replace('0', &at.to_string())
}

/// The answer to a request, as the command line gets it where no node runs.
pub(crate) fn ask(office: &mut Office, request: Json) -> Answer<Json> {
    let request: Request = serde_json::from_value(request).unwrap();
    serve::answer(office, request, &mut |_, _| {})
}

pub(crate) fn told(office: &mut Office, request: Json) -> Json {
    ask(office, request).unwrap()
}

pub(crate) fn refused(office: &mut Office, request: Json) -> String {
    ask(office, request).unwrap_err().code
}

/// A service case; its record.
pub(crate) fn case(office: &mut Office, title: &str) -> String {
    let fields = json!({
        "title": title, "matter_name": "高龄津贴申请", "matter_code": "高龄津贴/老年优待",
        "service_mode": "窗口办理", "applicant_kind": "自然人",
        "applicant": {"name": "张三", "phone": "13800001111"},
        "materials": [
            {"name": "身份证", "form": "复印件", "copies": 1, "received_on": "2026.1.5"},
        ],
    });
    let made = told(office, json!({"do": "new", "record_type": "SVC", "fields": fields}));
    made["record"].as_str().unwrap().to_owned()
}
