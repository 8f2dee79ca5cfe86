//! Root ceremonies, offline: a draft is written, looked through and signed by one holder after the
//! other. Nobody is asked for a passphrase before all of the content was shown.

use std::fs;
use std::io::Write as _;
use std::path::{Path, PathBuf};

use serde_json::{Value as Json, json};
use xw_bootstrap::bundle::{BUNDLE_BYTES_MAX, Bundle, BundleFault, Invited};
use xw_bootstrap::explain::{self, Part, Words};
use xw_bootstrap::invitation::{Invitation, beginning};
use xw_bootstrap::propose::Proposal;
use xw_custody::{KEY_FILE_BYTES_MAX, KeyPurpose, SealedKey, ask};
use xw_ledger::roster::{Chain, RosterRefusal};
use xw_schemas::cose::SecretKey;
use xw_schemas::edition::{Edition, Scope};
use xw_schemas::record::builtin;

use super::Global;
use super::bootstrap::{Propose, Sign};
use super::found::safe;
use super::offline::compiled;
use crate::clock;
use crate::folder::{write_secret, write_whole};
use crate::render::{self, Screen};
use crate::trouble::{Answer, Trouble};

/// Largest file of facts: thousands of kept logs.
const FACTS_BYTES_MAX: u64 = 4 << 20;

/// Writes the draft. Answers `{draft, part, lacking, invitations}`.
pub(super) fn propose(asked: &Propose) -> Answer<Json> {
    let bundle = read_bundle(&asked.roster)?;
    let chain = bundle.chain()?;
    let mut proposal = match &asked.facts {
        Some(path) if fs::metadata(path)?.len() > FACTS_BYTES_MAX => {
            return Err(Trouble::new("file", "事项文件过大", "the file of facts is too large"));
        }
        Some(path) => Proposal::read(&fs::read_to_string(path)?)?,
        None => Proposal::default(),
    };
    proposal.confirm |= asked.confirm;
    let definitions = match &asked.schemas {
        Some(folder) => compiled(folder)?,
        None => builtin(),
    };
    let (now_ms, dice) = (clock::now_ms(), &mut |bytes: &mut [u8]| clock::fill(bytes));
    let made = proposal.draft(&chain, &definitions, now_ms, dice)?;
    let words = Words::of(&bundle.definitions, clock::day);
    let part = explain::edition(chain.roster(), &words, &made.draft);
    let mut files = Vec::new();
    for (division, seed) in made.invites {
        let network = beginning(chain.roster().network());
        let text = Invitation { seed, network, node: None, addresses: Vec::new() }.text();
        // Of use once the edition is signed and taken up; the newcomer's file needs it too.
        let invited = Bundle {
            invitation: Some(Invited { text, neighbours: Vec::new() }),
            draft: Some(made.draft.clone()),
            ..bundle.clone()
        };
        let name = asked.out.with_file_name(safe(&format!("邀请-{division}.xwinvite")));
        write_secret(&name, &invited.text())?;
        files.push(name.display().to_string());
    }
    let adopted: Vec<_> = {
        let roster = chain.roster();
        let new = definitions.into_iter().filter(|held| roster.adopted(&held.hash()).is_none());
        bundle.definitions.iter().cloned().chain(new).collect()
    };
    let draft = Bundle { draft: Some(made.draft), definitions: adopted, ..bundle };
    write_whole(&asked.out, draft.text().as_bytes(), false)?;
    Ok(json!({
        "draft": asked.out.display().to_string(), "part": part,
        "lacking": chain.roster().roots().1, "invitations": files,
    }))
}

/// Shows the draft, asks for the passphrase, signs. Answers `{draft, signed, lacking, whole}`.
pub(super) fn sign(asked: &Sign, global: &Global, screen: Screen) -> Answer<Json> {
    let mut bundle = read_bundle(&asked.draft)?;
    let mut draft = bundle.draft.clone().ok_or_else(no_draft)?;
    for path in &asked.join {
        let other = read_bundle(path)?.draft.ok_or_else(no_draft)?;
        draft = draft.join(&other)?;
    }
    let chain = bundle.chain()?;
    if draft.core().scope != Scope::Root || draft.network() != chain.roster().network() {
        return Err(Trouble::new(
            "draft",
            "草案不是本网络根密钥的版次",
            "the draft is no root edition of this network",
        ));
    }
    let words = Words::of(&bundle.definitions, clock::day);
    show(&explain::edition(chain.roster(), &words, &draft), screen);
    let sealed = read_key(&asked.key)?;
    check_key(&chain, &draft, &sealed)?;
    let label = sealed.label();
    let prompt = format!("同意以上全部内容，请输入{label}的口令 Passphrase of {label}: ");
    let passphrase = ask::existing(global.source(), &prompt)?;
    let seed = sealed.open(&passphrase)?;
    let key = SecretKey::from_seed(&seed);
    let signed = draft.join(&Edition::sign(draft.core(), &[key])?)?;
    let lacking = lacking(&chain, &signed)?;
    let out = asked.out.as_ref().unwrap_or(&asked.draft);
    let signers = signed.signers().len();
    let whole = lacking == 0;
    if whole {
        // A whole edition travels with the others and needs no more hands.
        let mut later = chain;
        later.add(signed).map_err(Trouble::of_roster)?;
        bundle.editions = later.editions().cloned().collect();
        bundle.draft = None;
    } else {
        bundle.draft = Some(signed);
    }
    write_whole(out, bundle.text().as_bytes(), false)?;
    Ok(json!({
        "draft": out.display().to_string(), "signed": signers, "lacking": lacking, "whole": whole,
    }))
}

/// How many signatures are lacking; refused when all are there and it would still have no effect.
fn lacking(chain: &Chain, signed: &Edition) -> Answer<u64> {
    let roster = match chain.preview(signed.clone()) {
        Ok(roster) => roster,
        Err(RosterRefusal::Threshold) => {
            let (roots, threshold) = chain.roster().roots();
            let held = signed.signers().iter().filter(|key| roots.contains(key)).count() as u64;
            // New root keys must agree as well, where the draft changes them.
            return Ok(threshold.saturating_sub(held).max(1));
        }
        Err(refusal) => return Err(Trouble::of_roster(refusal)),
    };
    if roster.is_frozen() {
        return Err(Trouble::new(
            "frozen",
            "签名已齐，但名册仍会冻结：请在 [[recover]] 中列出其余各份互相矛盾的版次",
            "complete, and the roster would still be frozen: reject the other rivals in [[recover]]",
        ));
    }
    let id = signed.id();
    let passed = roster.passed_over().find(|(edition, ..)| *edition == id);
    passed.map_or(Ok(0), |(_, _, why)| Err(Trouble::of_passed_over(*why)))
}

fn check_key(chain: &Chain, draft: &Edition, sealed: &SealedKey) -> Answer<()> {
    let key = sealed.public();
    let brought = draft.core().facts.iter().any(
        |fact| matches!(fact, xw_schemas::edition::Fact::Root { keys, .. } if keys.contains(&key)),
    );
    if sealed.purpose() != KeyPurpose::Root || !(chain.roster().roots().0.contains(&key) || brought)
    {
        return Err(Trouble::new(
            "key",
            "这不是本网络的根密钥",
            "this is no root key of this network",
        ));
    }
    if draft.signers().contains(&key) {
        return Err(Trouble::new(
            "draft",
            "这把根密钥已经签过这份草案",
            "this root key has signed the draft already",
        ));
    }
    Ok(())
}

/// All of the content, on the error stream: standard output is the answer's.
fn show(part: &Part, screen: Screen) {
    let text = render::part(part, screen);
    // Where nobody can read, the question for the passphrase fails next.
    let _ = writeln!(std::io::stderr(), "{text}");
}

fn no_draft() -> Trouble {
    Trouble::new("draft", "文件中没有待签名的草案", "the file holds no draft")
}

/// Reads a key file.
pub(super) fn read_key(path: &Path) -> Answer<SealedKey> {
    if fs::metadata(path)?.len() > KEY_FILE_BYTES_MAX as u64 {
        return Err(xw_custody::KeyFileFault::TooLong.into());
    }
    Ok(SealedKey::read(&fs::read_to_string(path)?)?)
}

/// Reads a roster file, or a lone edition's bytes.
pub(super) fn read_bundle(path: &PathBuf) -> Answer<Bundle> {
    if fs::metadata(path)?.len() > BUNDLE_BYTES_MAX {
        return Err(Trouble::new("roster-file", "文件过大", "the file is too large"));
    }
    let bytes = fs::read(path)?;
    match String::from_utf8(bytes) {
        Ok(text) => Ok(Bundle::read(&text)?),
        Err(error) => {
            let edition = Edition::decode(error.into_bytes()).map_err(BundleFault::Edition)?;
            Ok(Bundle { editions: vec![edition], ..Bundle::default() })
        }
    }
}
