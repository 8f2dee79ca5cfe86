//! Passphrases and keys, as they are typed: signing in and out, another passphrase, what protects this
//! PC. A passphrase is asked for at the terminal or read as a line of standard input, never an option.

use std::io::Read as _;
use std::path::{Path, PathBuf};

use clap::{Args, Subcommand};
use serde_json::{Value as Json, json};
use xw_custody::ask::{self, Source};
use xw_custody::machine::{MachineFile, MachineKeys};
use xw_custody::{KEY_FILE_BYTES_MAX, KeyPurpose, OfficeKey, SealedKey, sealing_key_of};
use xw_schemas::id::hex;
use zeroize::Zeroizing;

use super::perform::{Desk, Done};
use crate::client::{self, ask_running};
use crate::clock;
use crate::folder::{Folder, write_secret};
use crate::keys::{KeyFiles, cost, first_of, protect};
use crate::render;
use crate::request::{AddOperator, ChangePassphrase, Recover, Request, Secret, Unlock};
use crate::trouble::{Answer, Trouble};

/// Asks for what whoever keeps the recovery key chose.
pub(super) const RECOVERY_PROMPT: &str = "恢复密钥的口令 Passphrase of the recovery key: ";

/// Whose key.
#[derive(Debug, Args)]
pub(crate) struct Whose {
    #[arg(
        id = "operator",
        long = "person",
        value_name = "姓名 || NAME",
        help = "哪位经办人；本机只有一人时不必写 || Whose; not needed where one person works alone"
    )]
    pub(crate) operator: Option<String>,
}

#[derive(Debug, Subcommand)]
pub(crate) enum Keys {
    #[command(
        about = "本机密钥情况：由什么保护、有哪些经办人 || What protects this PC's keys, and who works here"
    )]
    Status,
    #[command(
        about = "重新封存本机密钥：更换主板、升级固件，或启用 TPM 之后 || Seal this PC's own keys anew: after new firmware, a new board, or once a TPM is switched on"
    )]
    Reseal(Whose),
    #[command(
        about = "制作恢复密钥：经办人都忘了口令时，由它打开本机资料 || Make a recovery key: it opens what is kept here when everybody has forgotten their passphrase",
        after_help = "恢复密钥是一个文件，另设口令。文件和口令由两人分开保管（如上级机构的保险柜），不要留在本机。它只能打开资料，不能签名 || The key is a file under a passphrase of its own. Keep file and passphrase apart, with two people, and not on this PC. It opens what is kept here and signs nothing"
    )]
    Recovery(KeyFile),
    #[command(
        about = "用恢复密钥打开本机资料，以便加入接任者 || Open what is kept here by the recovery key, to let a successor in"
    )]
    Recover(KeyFile),
    #[command(
        about = "从本机移除一名经办人（名册上的权限另由登记员撤销） || Take a person off this PC; a registrar cuts their rights",
        after_help = "移除时换新的机构密钥：今后制作的备份，此人用旧备份里的密钥和口令打不开；此人手中旧备份里当时的内容仍能打开。如果此人另外拿到本机硬盘而硬盘没有加密，旧密钥也能打开其中的内容：请给磁盘加密 || The office gets a new key: backups made from then on do not open with what this person has of older ones. What an older backup holds still opens for them; and should they get this PC's disk and the disk is not encrypted, so does what lies there: encrypt the disk"
    )]
    Remove(Remove),
}

#[derive(Debug, Args)]
pub(crate) struct KeyFile {
    #[arg(value_name = "文件 || FILE", help = "恢复密钥文件 || The file of the recovery key")]
    pub(crate) file: PathBuf,
}

#[derive(Debug, Args)]
pub(crate) struct Remove {
    #[arg(value_name = "姓名 || NAME", help = "经办人姓名 || The person's name")]
    pub(crate) name: String,
}

impl Desk<'_> {
    /// Signs a person in at the running node.
    pub(super) fn unlock(&self, asked: &Whose) -> Answer<Done> {
        let folder = self.global.folder();
        let keys = ask_running(&folder, &Request::Keys).map_err(not_running)?;
        let names = names_of(&keys);
        let person = self.whose(asked, &names)?;
        let passphrase = client::existing(self.global.source(), person.as_deref(), &names)?;
        let answer = ask_running(&folder, &Request::Unlock(Unlock { person, passphrase }))?;
        Ok(Done::well(answer.clone(), render::unlocked(&answer, self.screen)))
    }

    /// Signs out at the running node.
    pub(super) fn lock(&self, asked: &Whose) -> Answer<Done> {
        let person = asked.operator.clone();
        let answer = ask_running(&self.global.folder(), &Request::Lock { person })?;
        Ok(Done::well(answer.clone(), render::locked(&answer, self.screen)))
    }

    /// Asks for the old passphrase and twice for the new one.
    pub(super) fn passphrase(&mut self, asked: &Whose) -> Answer<Done> {
        let keys = self.client.ask(Request::Keys)?;
        let names = names_of(&keys);
        let person = self.whose(asked, &names)?;
        let source = self.global.source();
        let passphrase = client::existing(source, person.as_deref(), &names)?;
        let new = ask::new(source, "新口令 New passphrase: ").map_err(client::no_terminal)?;
        let new = Secret::of(&new);
        let change = Request::Passphrase(ChangePassphrase { person, passphrase, new });
        let answer = self.client.ask(change)?;
        Ok(Done::well(answer.clone(), render::passphrase_changed(&answer, self.screen)))
    }

    pub(super) fn keys(&mut self, asked: &Keys) -> Answer<Done> {
        match asked {
            Keys::Status => {
                let answer = self.client.ask(Request::Keys)?;
                Ok(Done::well(answer.clone(), render::keys(&answer, self.screen)))
            }
            Keys::Reseal(whose) => {
                let answer = reseal(&self.global.folder(), self.global.source(), whose)?;
                Ok(Done::well(answer.clone(), render::resealed(&answer, self.screen)))
            }
            Keys::Recovery(asked) => {
                let answer = self.make_recovery(&asked.file)?;
                Ok(Done::well(answer.clone(), render::recovery_made(&answer, self.screen)))
            }
            Keys::Recover(asked) => {
                let key = read_bounded(&asked.file)?;
                let source = self.global.source();
                let passphrase =
                    ask::existing(source, RECOVERY_PROMPT).map_err(client::no_terminal)?;
                let recover = Recover { key, passphrase: Secret::of(&passphrase) };
                let answer = ask_running(&self.global.folder(), &Request::Recover(recover))?;
                Ok(Done::well(answer.clone(), render::unlocked(&answer, self.screen)))
            }
            Keys::Remove(remove) => {
                let person = remove.name.clone();
                let answer = self.client.ask(Request::RemoveOperator { person })?;
                Ok(Done::well(answer.clone(), render::operator_removed(&answer, self.screen)))
            }
        }
    }

    /// Makes a key that opens what is kept here, and writes its file; somebody must be signed in.
    fn make_recovery(&mut self, path: &Path) -> Answer<Json> {
        if path.exists() {
            return Err(Trouble::new(
                "exists",
                format!("{} 已存在，未写入", path.display()),
                format!("{} is there already; nothing was written", path.display()),
            ));
        }
        let cost = cost(self.global.folder().settings()?.division, self.global.training)?;
        let mut seed = Zeroizing::new([0; 32]);
        clock::fill(&mut seed[..]);
        let label = format!("恢复密钥 {}", clock::day(clock::now_ms()));
        // Before anybody thinks of a passphrase: whoever lets others in must be in.
        self.client.let_in()?;
        let prompt = "恢复密钥的口令，由保管人设定 New passphrase of the recovery key: ";
        let passphrase = ask::new(self.global.source(), prompt).map_err(client::no_terminal)?;
        let (purpose, dice) = (KeyPurpose::Recovery, &mut clock::fill);
        let key = SealedKey::seal(purpose, &label, &seed, &passphrase, cost, dice)?;
        write_secret(path, &key.text())?;
        let sealing = hex(&sealing_key_of(&seed).bytes());
        let mut answer =
            self.client.ask(Request::AddOperator(AddOperator { key: key.text(), sealing }))?;
        answer["file"] = json!(path.display().to_string());
        Ok(answer)
    }

    /// Whom the command is about; several people at one PC must say so before they type.
    fn whose(&self, asked: &Whose, names: &[&str]) -> Answer<Option<String>> {
        let person = asked.operator.clone().or_else(|| self.global.person.clone());
        if person.is_some() || names.len() <= 1 {
            return Ok(person);
        }
        Err(which_person(names))
    }
}

fn names_of(keys: &Json) -> Vec<&str> {
    let operators = keys["operators"].as_array().map(Vec::as_slice).unwrap_or_default();
    let mut names: Vec<&str> = operators.iter().filter_map(|one| one["name"].as_str()).collect();
    names.dedup();
    names
}

/// A key file's text; a file of another kind is not read to its end.
pub(super) fn read_bounded(path: &Path) -> Answer<String> {
    let mut text = String::new();
    let file = std::fs::File::open(path)?;
    file.take(KEY_FILE_BYTES_MAX as u64 + 1).read_to_string(&mut text)?;
    Ok(text)
}

/// A node that does not run needs no signing in.
fn not_running(trouble: Trouble) -> Trouble {
    if trouble.code != "not-running" {
        return trouble;
    }
    Trouble::new(
        "not-running",
        "节点没有运行，不需要登录：直接办理即可，需要时会询问口令。要启动节点请运行 xiangwang run",
        "the node is not running and needs nobody to sign in: commands ask for the passphrase themselves; xiangwang run starts it",
    )
}

/// Seals the PC's own keys anew, on a node that is not running. An operator opens the copy of them
/// that is sealed to the office where the PC itself cannot open them any more.
fn reseal(folder: &Folder, source: Source, whose: &Whose) -> Answer<Json> {
    folder.settings()?;
    let files = folder.key_files();
    let held = files.machine()?;
    let office = office_key(&files, source, whose.operator.as_deref())?;
    let machine = match held.open() {
        Ok(machine) => machine,
        Err(_) => recovered(&held, &files, &office)?,
    };
    let (file, protection) = protect(&machine, &office);
    files.write_machine(&file)?;
    Ok(protection.json())
}

/// The PC's keys out of the copy that was sealed to the office, by its present key or an earlier one.
fn recovered(held: &MachineFile, files: &KeyFiles, office: &OfficeKey) -> Answer<MachineKeys> {
    let earlier = files.operators()?.earlier(office)?;
    let recovered = held.recover(office);
    let recovered = earlier.iter().rev().fold(recovered, |one, key| one.or(held.recover(key)));
    recovered.map_err(|error| {
        Trouble::new("key", format!("本机密钥无法恢复：{}", error.zh()), error.to_string())
    })
}

/// The office's key, opened by the passphrase of somebody who works here, without opening the store.
pub(super) fn office_key(
    files: &KeyFiles,
    source: Source,
    person: Option<&str>,
) -> Answer<OfficeKey> {
    let found = files.of_person(person)?;
    let label = found[0].key.label().to_owned();
    let passphrase = client::existing(source, Some(&label), &[])?.typed()?;
    let (tried, _) = files.begin_try(found)?;
    let operators = files.operators()?;
    let office = first_of(&tried, |file| -> Answer<OfficeKey> {
        Ok(operators.open(&file.key.open(&passphrase)?)?)
    })?;
    files.try_succeeded(&tried)?;
    Ok(office)
}

fn which_person(names: &[&str]) -> Trouble {
    let names = names.join("、");
    Trouble::new(
        "which-person",
        format!("本机有多名经办人（{names}），请用 --person 写明是谁"),
        format!("several people work here ({names}); say who: --person"),
    )
}
