//! Looking after this PC's keys: what protects them, who may open the office's, sealing the PC's own
//! anew. Never writes a key that opens without a passphrase or this PC.

use serde_json::{Value as Json, json};
use xw_custody::{KeyPurpose, OfficeKey, SealedKey, SealingKey};
use xw_schemas::id::unhex;

use super::Office;
use crate::keys::Protection;
use crate::request::AddOperator;
use crate::trouble::{Answer, Trouble};

impl Office {
    /// Answers `{machine: {lock, zh, en}, operators: [{name, key, on_roster, signed_in, memory_kib,
    /// passes}], idle}`.
    pub(crate) fn key_status(&self) -> Answer<Json> {
        let lock = self.keys.files.machine()?.lock();
        let people = self.keys.files.people()?;
        let operators: Vec<Json> = self
            .operators()
            .map(|(key, name)| {
                let file = people.iter().find(|file| file.key.public() == key);
                let cost = file.map(|file| file.key.cost());
                json!({
                    "name": name, "key": key,
                    "on_roster": self.store.roster().signer(&key).is_some(),
                    "signed_in": self.keys.signed_in().iter().any(|p| p.key.public() == key),
                    "memory_kib": cost.map(|cost| cost.memory_kib()),
                    "passes": cost.map(|cost| cost.passes()),
                })
            })
            .collect();
        Ok(json!({
            "machine": Protection::of(lock).json(),
            "operators": operators,
            "idle": self.settings.idle,
            "open": self.store.is_unlocked(),
        }))
    }

    /// Lets a person in who made a key with a passphrase of their own, or a recovery key. Somebody
    /// else must be signed in, for the office's key is wrapped anew.
    pub(crate) fn add_operator(&mut self, asked: &AddOperator) -> Answer<Json> {
        let key = SealedKey::read(&asked.key)?;
        // A recovery key lies elsewhere; here it is only on the list.
        let lies_here = match key.purpose() {
            KeyPurpose::Person => true,
            KeyPurpose::Recovery => false,
            other => {
                return Err(Trouble::new(
                    "key",
                    format!("该文件不是个人密钥，而是{}", other.zh()),
                    format!("that file holds no person's key but a {} key", other.word()),
                ));
            }
        };
        let sealing = unhex(&asked.sealing)
            .and_then(|bytes| bytes.try_into().ok())
            .and_then(SealingKey::from_bytes)
            .ok_or_else(|| Trouble::new("key", "封存公钥无效", "the sealing key is not valid"))?;
        let office = self.office_key()?;
        let mut operators = self.keys.operators()?.clone();
        operators.add(&office, key.public(), sealing, key.label(), &mut crate::clock::fill)?;
        // The key first: a list that names somebody without a key file would help nobody.
        if lies_here {
            self.keys.files.add_person(&key)?;
        }
        self.keys.files.write_operators(&operators)?;
        self.keys.operators()?;
        Ok(json!({"person": key.label(), "key": key.public(), "added": true}))
    }

    /// Takes a person off the list, throws their key file away, and gives the office another key for
    /// those who stay: what the person keeps of an older backup opens no later one. The contents stay
    /// under the first key.
    pub(crate) fn remove_operator(&mut self, person: &str) -> Answer<Json> {
        let office = self.office_key()?;
        let found = self.operators().find(|(_, name)| *name == person).map(|(key, _)| key);
        let key = found.ok_or_else(|| {
            Trouble::missing(&format!("经办人“{person}”"), &format!("operator {person}"))
        })?;
        let mut operators = self.keys.operators()?.clone();
        operators.remove(&office, &key)?;
        let (_, operators) = operators.rotate(&office, &mut crate::clock::fill)?;
        self.keys.files.write_operators(&operators)?;
        self.keys.files.remove_person(&key)?;
        self.keys.operators()?;
        self.keys.sign_out(Some(person));
        Ok(json!({"person": person, "removed": true}))
    }

    /// The office's key, opened by somebody who is signed in.
    fn office_key(&mut self) -> Answer<OfficeKey> {
        let seed = self.keys.signed_in().first().map(|person| person.key.seed());
        let seed = seed.ok_or_else(|| super::people::locked(None))?;
        Ok(self.keys.operators()?.open(&seed)?)
    }
}
