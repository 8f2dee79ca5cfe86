//! The people who work at this PC: signing in and out, and whose keys a request may use. Never makes
//! the try of a passphrase itself: that takes long, and whoever owns the store does not wait for it.

use serde_json::{Value as Json, json};
use xw_custody::{OpenRefusal, Passphrase};
use xw_ledger::roster::Signer;
use xw_schemas::cose::SecretKey;
use xw_schemas::id::PublicKey;

use super::Office;
use crate::keys::{Came, Due, Person, PersonFile, Trial, Tried, recovery_key};
use crate::request::{ChangePassphrase, Recover, Unlock, Who};
use crate::trouble::{Answer, Trouble, with_causes};

impl Office {
    /// The people signed in who may act, the one asked for first.
    pub(super) fn actors(&self, who: &Who) -> Answer<Vec<(&SecretKey, &Signer)>> {
        let roster = self.store.roster();
        let listed = self
            .keys
            .signed_in()
            .iter()
            .filter_map(|person| Some((person, roster.signer(&person.key.public())?)));
        let wanted = who.person.as_deref();
        let named = listed.filter(|(person, signer)| {
            wanted.is_none_or(|name| signer.name == name || person.name == name)
        });
        let actors: Vec<_> = named.map(|(person, signer)| (&person.key, signer)).collect();
        if actors.is_empty() { Err(self.nobody_acts(wanted)) } else { Ok(actors) }
    }

    /// Why nobody of that name can act.
    fn nobody_acts(&self, wanted: Option<&str>) -> Trouble {
        let works_here = |name: &str| self.operators().any(|(_, label)| label == name);
        match wanted {
            Some(name) if self.keys.signed_in().iter().all(|p| p.name != name) => {
                if works_here(name) { locked(Some(name)) } else { self.unknown_person(name) }
            }
            _ if self.keys.signed_in().is_empty() => locked(None),
            _ => Trouble::new(
                "person",
                "登录的经办人不在名册上（可能尚未加入，或已被撤销）",
                "whoever is signed in is not on the roster: not yet, or no longer",
            ),
        }
    }

    fn unknown_person(&self, name: &str) -> Trouble {
        let names: Vec<&str> = self.operators().map(|(_, label)| label).collect();
        Trouble::new(
            "person",
            format!("本机没有经办人“{name}”的密钥。本机经办人：{}", names.join("、")),
            format!("no key of {name} lies here; people here: {}", names.join(", ")),
        )
    }

    /// Who may sign in here: keys and names. Open to everybody, for the screen asks who it is.
    pub(crate) fn operators(&self) -> impl Iterator<Item = (PublicKey, &str)> {
        self.keys.listed()
    }

    /// Refuses what only a person may do, while nobody is signed in; else notes that one is at work.
    pub(crate) fn admit_person(&mut self) -> Answer<()> {
        if self.keys.signed_in().is_empty() {
            return Err(locked(None));
        }
        self.keys.act();
        Ok(())
    }

    /// Notes that a record is opened; too many within an hour, and everybody must sign in again.
    pub(crate) fn admit_read(&mut self) -> Answer<()> {
        let Err(enough) = self.keys.read_one() else { return Ok(()) };
        tracing::warn!(most = enough.most, "too many records were opened within an hour");
        self.keys.sign_out(None);
        Err(Trouble::new(
            "locked",
            format!(
                "一小时内逐条查看超过 {} 条记录，已自动退出登录。如确需继续，请重新运行 xiangwang unlock",
                enough.most
            ),
            format!(
                "more than {} records were opened within an hour, so everybody was signed out; run xiangwang unlock to go on",
                enough.most
            ),
        ))
    }

    /// A try to sign in, to be made elsewhere.
    pub(crate) fn try_sign_in(&mut self, asked: &Unlock) -> Answer<Trial> {
        let passphrase = asked.passphrase.typed()?;
        self.trial(asked.person.as_deref(), passphrase)
    }

    /// A try of the recovery key, which lies elsewhere. It opens the store and signs nothing.
    pub(crate) fn try_recover(&mut self, asked: &Recover) -> Answer<Trial> {
        let passphrase = asked.passphrase.typed()?;
        let key = recovery_key(&asked.key)?;
        let files = vec![PersonFile { number: 0, key }];
        let (files, failed_before) = self.keys.files.begin_try(files)?;
        Ok(Trial { files, passphrase, new: None, failed_before })
    }

    /// A try to put a person's key under another passphrase.
    pub(crate) fn try_change(&mut self, asked: &ChangePassphrase) -> Answer<Trial> {
        let new = asked.new.chosen()?;
        let passphrase = asked.passphrase.typed()?;
        if new.is_same(&passphrase) {
            return Err(Trouble::new(
                "passphrase",
                "新口令与原口令相同，未更改",
                "the new passphrase is the one it has; nothing was changed",
            ));
        }
        let mut trial = self.trial(asked.person.as_deref(), passphrase)?;
        // A key of exercises stays cheap; every other one gets what a key of today gets.
        let held = trial.files[0].key.cost();
        let training = crate::keys::cost(self.division(), true).is_ok_and(|cost| cost == held);
        trial.new = Some((new, crate::keys::cost(self.division(), training)?));
        Ok(trial)
    }

    fn trial(&mut self, person: Option<&str>, passphrase: Passphrase) -> Answer<Trial> {
        let (files, failed_before) = self.keys.files.begin_try(self.files_of(person)?)?;
        Ok(Trial { files, passphrase, new: None, failed_before })
    }

    /// The keys of a person, as they lie on the disk: the one that counts on the roster first, of
    /// several the newest.
    fn files_of(&self, person: Option<&str>) -> Answer<Vec<PersonFile>> {
        let mut files = self.keys.files.of_person(person)?;
        let roster = self.store.roster();
        files.sort_by_key(|file| {
            let key = file.key.public();
            let counts = roster.signer(&key).is_some() && roster.cut(&key).is_none();
            !counts
        });
        Ok(files)
    }

    /// What a try came to. Answers as [`Office::custody`], or says what was changed.
    pub(crate) fn finish_try(&mut self, tried: Tried) -> Answer<Json> {
        let Tried { files, failed_before, came } = tried;
        let label = files[0].key.label();
        match came {
            Err(refusal) => Err(self.refused(&files[0].key.public(), &refusal, failed_before)),
            Ok(came) => {
                self.keys.files.try_succeeded(&files)?;
                match came {
                    Came::Opened(file, seed) => {
                        self.sign_in(file.key.label(), &SecretKey::from_seed(&seed))?;
                        let mut answer = self.custody();
                        answer["wrong_tries_before"] = json!(failed_before);
                        Ok(answer)
                    }
                    Came::Changed(changed) => {
                        for file in &changed {
                            self.keys.files.write_person(file)?;
                        }
                        Ok(json!({"person": label, "changed": true}))
                    }
                }
            }
        }
    }

    fn refused(&self, key: &PublicKey, refusal: &OpenRefusal, failed_before: u32) -> Trouble {
        let failed = failed_before + 1;
        if failed >= xw_custody::FREE_TRIES {
            tracing::warn!(operator = key.short(), failed, "wrong passphrases, one after another");
        }
        let mut trouble = Trouble::from(*refusal);
        if *refusal == OpenRefusal::WrongPassphrase {
            let left = xw_custody::FREE_TRIES.saturating_sub(failed);
            let (zh, en) = match left {
                0 => ("，请稍后再试".to_owned(), "; wait before the next try".to_owned()),
                left => {
                    (format!("，还可连续试 {left} 次"), format!("; {left} more without a wait"))
                }
            };
            trouble.zh.push_str(&zh);
            trouble.en.push_str(&en);
        }
        trouble
    }

    /// Opens the office's key by a person's, and with it the store.
    fn sign_in(&mut self, name: &str, key: &SecretKey) -> Answer<()> {
        if self.store.roster().cut(&key.public()).is_some() {
            return Err(Trouble::new(
                "revoked",
                format!("{name}的密钥已被撤销，不能登录。如有疑问请联系登记员"),
                format!("the key of {name} was cut, so they cannot sign in; ask the registrar"),
            ));
        }
        let operators = self.keys.operators()?;
        let contents = operators.contents(&operators.open(&key.seed())?)?;
        if !self.store.is_unlocked() {
            self.store.unlock(contents)?;
            self.reader = self.store.reader()?;
            self.just_opened = true;
            self.receipts.look_again();
        }
        self.keys.sign_in(name.to_owned(), key.clone());
        Ok(())
    }

    /// Signs out whom `person` names, or everybody; with the last one the store is closed.
    pub(crate) fn sign_out(&mut self, person: Option<&str>) -> Answer<Json> {
        let out = self.keys.sign_out(person);
        if let (Some(name), true) = (person, out.is_empty())
            && !self.operators().any(|(_, label)| label == name)
        {
            return Err(self.unknown_person(name));
        }
        if self.keys.signed_in().is_empty() {
            self.close_store();
        }
        let mut answer = self.custody();
        answer["out"] = json!(out);
        Ok(answer)
    }

    /// Forgets the office's key. What the disk refuses of that is only tidying up, and keeps nobody
    /// signed in.
    fn close_store(&mut self) {
        if !self.store.is_unlocked() {
            return;
        }
        let locked = self.store.lock();
        // The reader has the key, too, and is given up whatever became of the files.
        let reader = self.store.reader().map(|reader| self.reader = reader);
        for error in [locked, reader].into_iter().filter_map(Result::err) {
            tracing::error!(error = with_causes(&error), "the store is locked, and not tidily");
            super::fatal(&error);
        }
    }

    /// Signs everybody out who has been idle for too long, and at once whoever's key was cut.
    pub(crate) fn lock_when_idle(&mut self) -> Answer<()> {
        let roster = self.store.roster();
        let cut = |person: &&Person| roster.cut(&person.key.public()).is_some();
        if let Some(person) = self.keys.signed_in().iter().find(cut) {
            let name = person.name.clone();
            tracing::warn!("a key was cut: its person is signed out");
            self.sign_out(Some(&name))?;
        }
        match self.keys.due() {
            Due::Nothing => {}
            Due::SignOut => {
                if !self.keys.sign_out(None).is_empty() {
                    tracing::info!("nobody was at work for a while: everybody is signed out");
                }
            }
            Due::Close => {
                self.keys.sign_out(None);
                if self.store.is_unlocked() {
                    tracing::info!("nobody was at work for long: the store is locked");
                    self.close_store();
                }
            }
        }
        Ok(())
    }

    /// Whether the store was opened since the last call: neighbours then get what they lack.
    pub(crate) fn take_just_opened(&mut self) -> bool {
        std::mem::take(&mut self.just_opened)
    }

    /// Answers `{open, signed_in: [{name, since_ms}], operators}`.
    pub(crate) fn custody(&self) -> Json {
        let signed_in: Vec<Json> = self
            .keys
            .signed_in()
            .iter()
            .map(|person| json!({"name": person.name, "since_ms": person.since_ms}))
            .collect();
        json!({
            "open": self.store.is_unlocked(),
            "signed_in": signed_in,
            "operators": self.operators().map(|(_, name)| name).collect::<Vec<_>>(),
        })
    }
}

/// Nobody is signed in, or not whom the request names.
pub(crate) fn locked(person: Option<&str>) -> Trouble {
    match person {
        None => Trouble::new(
            "locked",
            "没有经办人登录，不能查看或办理。请先运行 xiangwang unlock 并输入口令",
            "nobody is signed in, so nothing can be read or done; run xiangwang unlock first",
        ),
        Some(name) => Trouble::new(
            "locked",
            format!("{name}没有登录，不能以其名义办理。请先运行 xiangwang unlock --person {name}"),
            format!("{name} is not signed in; run xiangwang unlock --person {name} first"),
        ),
    }
}
