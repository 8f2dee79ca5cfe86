//! Founding a county: the root keys go into files of their own, each under its keeper's passphrase;
//! the roster and the county's invitation into a fresh folder. No other file holds a secret.

use std::fs;
use std::path::{Path, PathBuf};

use serde_json::{Value as Json, json};
use xw_bootstrap::bundle::{Bundle, Invited};
use xw_bootstrap::divisions::{of_county, plan};
use xw_bootstrap::found::{Founded, Plan, PlannedInvite, Registrars, found};
use xw_bootstrap::invitation::{Invitation, beginning};
use xw_custody::{Cost, KeyPurpose, SealedKey, ask};
use xw_schemas::cose::SecretKey;
use xw_schemas::record::{RecordType, builtin};
use xw_schemas::space::{Division, Tier};

use super::Global;
use super::bootstrap::Found;
use super::offline::compiled;
use super::people::people;
use crate::clock;
use crate::folder::{Folder, write_secret, write_whole};
use crate::joining::fresh_key;
use crate::keys;
use crate::trouble::{Answer, Trouble};

/// Largest file of divisions: a province has 55,000 lines of 70 bytes.
const DIVISIONS_BYTES_MAX: u64 = 32 << 20;

/// Most root keys; more than anybody can gather again.
const ROOT_KEYS_MAX: usize = xw_schemas::limits::ROOT_KEYS_MAX;

/// Answers `{network, folder, offices, townships, villages, threshold, roots, editions_bytes, text,
/// file, svg, files}`.
pub(super) fn found_county(asked: &Found, global: &Global) -> Answer<Json> {
    let plan = planned(asked)?;
    let definitions = match &asked.schemas {
        Some(folder) => compiled(folder)?,
        None => builtin(),
    };
    if asked.keys_of == 0 || asked.keys_of > ROOT_KEYS_MAX {
        return Err(Trouble::new(
            "usage",
            format!("根密钥应为 1 至 {ROOT_KEYS_MAX} 把"),
            format!("a county has 1 to {ROOT_KEYS_MAX} root keys"),
        ));
    }
    let mut roots: Vec<SecretKey> = (0..asked.keys_of).map(|_| fresh_key()).collect();
    roots.sort_by_key(SecretKey::public);
    // Whatever can be refused is refused before anybody is asked for a passphrase.
    let now_ms = clock::now_ms();
    let founded = found(&plan, &roots, &definitions, now_ms, &mut |bytes| clock::fill(bytes))?;
    let cost = keys::cost(plan.offices[0].division, global.training)?;
    fresh_folder(&asked.out)?;
    let places = key_places(asked)?;
    // Every keeper has chosen before the first key is written: whoever breaks off leaves no county
    // of which some keys are on sticks.
    let keys = places.iter().zip(&roots);
    let keys: Vec<SealedKey> =
        keys.map(|(path, key)| sealed(path, key, cost, global)).collect::<Answer<_>>()?;
    let mut files = Vec::new();
    for (path, key) in places.iter().zip(keys) {
        write_secret(path, &key.text())?;
        files.push(path.display().to_string());
    }
    let roster = asked.out.join("名册-1.xwroster");
    let (invitation, bundle) = invitation(&founded, &definitions);
    let public = Bundle { invitation: None, ..bundle.clone() };
    write_whole(&roster, public.text().as_bytes(), false)?;
    let county = &plan.offices[0];
    let name = format!("邀请-{}-{}.xwinvite", county.division, safe(&county.name));
    let invite = asked.out.join(name);
    write_secret(&invite, &bundle.text())?;
    let of_tier = |tier| plan.offices.iter().filter(|o| o.division.tier() == tier).count();
    Ok(json!({
        "network": founded.edition.id(), "folder": asked.out.display().to_string(),
        "offices": plan.offices.len(), "townships": of_tier(Tier::Township),
        "villages": of_tier(Tier::Village), "threshold": plan.threshold, "roots": roots.len(),
        "edition_bytes": founded.edition.bytes().len(),
        "facts": founded.edition.core().facts.len(), "text": *invitation.text(),
        "files": {
            "roots": files, "roster": roster.display().to_string(),
            "invitation": invite.display().to_string(),
        },
    }))
}

fn planned(asked: &Found) -> Answer<Plan> {
    let county = county_of(&asked.county)?;
    let mut plan = plan(&read_divisions(&asked.divisions, county)?);
    if let Some(name) = &asked.name {
        plan.offices[0].name.clone_from(name);
    }
    plan.threshold = asked.threshold;
    plan.registrars = Registrars {
        county_role: asked.county_role.clone(),
        county_threshold: asked.county_threshold,
        township_role: asked.township_role.clone(),
        township_threshold: asked.township_threshold,
    };
    let people = people(&asked.persons, asked.people.as_deref())?;
    let people = people.into_iter().map(|person| (person.name, person.roles)).collect();
    plan.invites = vec![PlannedInvite { division: county, node: Some(asked.node.clone()), people }];
    Ok(plan)
}

/// The six digits of a county, or all twelve.
fn county_of(typed: &str) -> Answer<Division> {
    let code = if typed.len() == 6 { format!("{typed}000000") } else { typed.to_owned() };
    let county = Division::parse(&code).filter(|code| code.county() == *code);
    county.ok_or_else(|| {
        Trouble::new(
            "division",
            format!("“{typed}”不是县级区划代码，应为 6 位数字，或 12 位数字且后六位为 0"),
            format!("{typed} is no county code: 6 digits, or 12 of which the last six are 0"),
        )
    })
}

fn read_divisions(path: &Path, county: Division) -> Answer<Vec<(Division, String)>> {
    if fs::metadata(path)?.len() > DIVISIONS_BYTES_MAX {
        return Err(Trouble::new(
            "divisions",
            "区划文件过大",
            "the file of divisions is too large",
        ));
    }
    let text = fs::read_to_string(path)?;
    of_county(text.trim_start_matches('\u{feff}'), county)
        .map_err(|error| Trouble::new("divisions", error.zh(), error.to_string()))
}

/// Where each root key goes; no key is ever written over.
fn key_places(asked: &Found) -> Answer<Vec<PathBuf>> {
    let folders: Vec<PathBuf> = match asked.root_keys.as_slice() {
        [] => vec![asked.out.join("根密钥"); asked.keys_of],
        [one] => vec![one.clone(); asked.keys_of],
        several if several.len() == asked.keys_of => several.to_vec(),
        several => {
            let (given, keys) = (several.len(), asked.keys_of);
            return Err(Trouble::new(
                "usage",
                format!(
                    "--root-keys 写了 {given} 个目录，根密钥有 {keys} 把：应写 1 个或 {keys} 个"
                ),
                format!("--root-keys names {given} folders for {keys} keys: say 1 or {keys}"),
            ));
        }
    };
    let mut places = Vec::new();
    for (number, folder) in (1..).zip(folders) {
        fs::create_dir_all(&folder)?;
        let path = folder.join(format!("根密钥-{number}.json"));
        if path.exists() {
            return Err(Trouble::new(
                "exists",
                format!("{} 已存在，未写入任何内容", path.display()),
                format!("{} is there already; nothing was written", path.display()),
            ));
        }
        places.push(path);
    }
    Ok(places)
}

/// A root key under the passphrase of whoever will keep it.
fn sealed(path: &Path, key: &SecretKey, cost: Cost, global: &Global) -> Answer<SealedKey> {
    let label = path.file_stem().unwrap_or_default().to_string_lossy().into_owned();
    let prompt = format!("请保管{label}的人设定口令 New passphrase of the keeper of {label}: ");
    let passphrase = ask::new(global.source(), &prompt)?;
    let (purpose, seed, dice) = (KeyPurpose::Root, key.seed(), &mut clock::fill);
    Ok(SealedKey::seal(purpose, &label, &seed, &passphrase, cost, dice)?)
}

/// The county's invitation and the file that carries it.
fn invitation(founded: &Founded, definitions: &[RecordType]) -> (Invitation, Bundle) {
    let (seed, _) = &founded.invites[0];
    let invitation = Invitation {
        seed: seed.clone(),
        network: beginning(founded.edition.network()),
        node: None,
        addresses: Vec::new(),
    };
    let bundle = Bundle {
        editions: vec![founded.edition.clone()],
        definitions: definitions.to_vec(),
        draft: None,
        invitation: Some(Invited { text: invitation.text(), neighbours: Vec::new() }),
    };
    (invitation, bundle)
}

/// Makes the folder, or takes an empty one: no key is ever written over.
fn fresh_folder(path: &Path) -> Answer<()> {
    if path.exists() && fs::read_dir(path)?.next().is_some() {
        return Err(Trouble::new(
            "exists",
            format!("{} 不是空目录，未写入任何内容", path.display()),
            format!("{} is not empty; nothing was written", path.display()),
        ));
    }
    Ok(Folder::at(path).make()?)
}

/// A name that every file system takes.
pub(super) fn safe(name: &str) -> String {
    let safe = |c: char| {
        if c.is_control() || "/\\:*?\"<>|".contains(c) { '_' } else { c }
    };
    name.chars().map(safe).collect()
}
