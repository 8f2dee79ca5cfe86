//! The keys of a new node: what protects the PC's own, a fresh key for the office, and each person's
//! under their passphrase. Writes no file.

use xw_custody::machine::{self, Lock, MachineFile, MachineKeys};
use xw_custody::{
    Cost, KeyPurpose, OfficeKey, OfficeRefusal, Operators, SealSlip, SealedKey, sealing_key_of,
};
use xw_schemas::cose::SecretKey;
use zeroize::Zeroizing;

use crate::clock;
use crate::folder::NewPerson;
use crate::trouble::{Answer, Trouble};

/// The keys of a new node, as they will lie in their files.
pub(crate) struct NewKeys {
    pub(crate) machine: MachineKeys,
    pub(crate) file: MachineFile,
    pub(crate) operators: Operators,
    pub(crate) people: Vec<SealedKey>,
    pub(crate) protection: Protection,
}

/// What protects the PC's own keys.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Protection {
    pub(crate) lock: Lock,
    /// What a person should know about it.
    pub(crate) zh: String,
    pub(crate) en: String,
}

impl NewKeys {
    pub(crate) fn make(node: &SecretKey, people: &[NewPerson], cost: Cost) -> Answer<Self> {
        let office = OfficeKey::generate(&mut clock::fill);
        let mut sealed = Vec::new();
        let mut operators: Option<Operators> = None;
        for person in people {
            let (public, seed) = (person.key.public(), person.key.seed());
            let (sealing, dice) = (sealing_key_of(&seed), &mut clock::fill);
            match &mut operators {
                None => {
                    let list = Operators::founded(&office, public, sealing, &person.name, dice)?;
                    operators = Some(list);
                }
                Some(list) => list.add(&office, public, sealing, &person.name, dice)?,
            }
            sealed.push(seal(person, cost)?);
        }
        let operators = operators.ok_or_else(|| {
            Trouble::new(
                "people",
                "至少要有一名经办人：本机保存的内容只有经办人能打开",
                "at least one person is needed: nobody else could open what is kept here",
            )
        })?;
        let mut database = Zeroizing::new([0; 32]);
        clock::fill(&mut database[..]);
        let machine = MachineKeys { node: node.seed(), database };
        // Exercises run anywhere, and must not depend on what the PC offers.
        let (file, protection) = if cost == Cost::FOR_TESTS {
            (MachineFile::plain(&machine), Protection::of(Lock::Open))
        } else {
            protect(&machine, &office)
        };
        Ok(Self { machine, file, operators, people: sealed, protection })
    }
}

/// A person's key under the passphrase that they chose.
pub(crate) fn seal(person: &NewPerson, cost: Cost) -> Answer<SealedKey> {
    let NewPerson { name, key, passphrase } = person;
    let (purpose, seed) = (KeyPurpose::Person, key.seed());
    Ok(SealedKey::seal(purpose, name, &seed, passphrase, cost, &mut clock::fill)?)
}

/// The PC's keys sealed to this PC where it offers that, else in the open, with a sentence why.
pub(crate) fn protect(machine: &MachineKeys, office: &OfficeKey) -> (MachineFile, Protection) {
    let sealed = machine::offered()
        .and_then(|seal| MachineFile::sealed(machine, &*seal, &office.public(), &mut clock::fill));
    match sealed {
        Ok(file) => {
            let protection = Protection::of(file.lock());
            (file, protection)
        }
        Err(error) => {
            let open = Protection::of(Lock::Open);
            let (zh, en) =
                (format!("{}（{}）", open.zh, error.zh()), format!("{} ({error})", open.en));
            (MachineFile::plain(machine), Protection { zh, en, ..open })
        }
    }
}

impl Protection {
    /// What a lock is worth, in a sentence.
    pub(crate) fn of(lock: Lock) -> Self {
        let (zh, en) = match lock {
            Lock::Open => (
                "本机密钥以普通文件保存，只有本账户可读：请给磁盘加密，否则偷走电脑的人能以本机身份连接邻居。记录内容另由经办人口令保护，不受影响",
                "the PC's own keys lie in a file that this account alone may read: encrypt the disk, or a thief of the PC can connect as this PC; what records say is protected by the operators' passphrases",
            ),
            Lock::SystemdTpm2 => (
                "本机密钥已由本机的 TPM 2.0 封存：拿走硬盘也打不开",
                "the PC's own keys are sealed by its TPM 2.0: a disk taken out stays shut",
            ),
            Lock::WindowsDpapi => (
                "本机密钥已由 Windows 为本账户封存：账户设有密码时，拿走硬盘也打不开；账户没有密码则等于没有封存，请务必设置 Windows 密码",
                "the PC's own keys are sealed by Windows for this account: a disk taken out stays shut as long as the account has a password; with none it is as good as open, so set one",
            ),
        };
        Self { lock, zh: zh.to_owned(), en: en.to_owned() }
    }

    /// As data: `{lock, zh, en}`.
    pub(crate) fn json(&self) -> serde_json::Value {
        serde_json::json!({"lock": self.lock.name(), "zh": self.zh, "en": self.en})
    }
}

impl From<OfficeRefusal> for Trouble {
    fn from(refusal: OfficeRefusal) -> Self {
        Self::new("operator", refusal.zh(), refusal.to_string())
    }
}

impl From<SealSlip> for Trouble {
    fn from(slip: SealSlip) -> Self {
        Self::new("key", slip.zh(), slip.to_string())
    }
}
