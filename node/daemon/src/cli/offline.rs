//! What needs no node: a new node from its kit, a county's record-type files, another store.

use std::fs;
use std::net::SocketAddr;
use std::path::Path;

use serde_json::{Value as Json, json};
use xw_bootstrap::kit::{Kit, KitNeighbour};
use xw_schemas::id::PublicKey;
use xw_schemas::record::{RecordType, SchemaError, compile};
use xw_store::{Store, StoreKeys};

use super::setup::Init;
use crate::folder::{Folder, read_kit};
use crate::keys::KeyFiles;
use crate::trouble::{Answer, FieldTrouble, Trouble};

/// Largest record-type file: the largest built-in one has 60 kB.
const TYPE_FILE_BYTES_MAX: u64 = 4 << 20;

/// Makes a node. Answers `{folder, office, division, node, listen, api, neighbours}`.
pub(super) fn init(folder: &Folder, asked: &Init) -> Answer<Json> {
    if !asked.api.ip().is_loopback() {
        return Err(Trouble::new(
            "usage",
            format!("接口地址 {} 不是本机地址，应为 127.0.0.1:端口", asked.api),
            format!("the API address {} is no loopback address", asked.api),
        ));
    }
    let mut kit = read_kit(&asked.kit)?;
    for typed in &asked.neighbours {
        add_neighbour(&mut kit, typed)?;
    }
    folder.init(&kit, asked.listen.clone(), asked.api)?;
    let neighbours: Vec<Json> = kit
        .neighbours
        .iter()
        .map(|one| json!({"office": one.office, "key": one.key, "addresses": one.addresses}))
        .collect();
    Ok(json!({
        "folder": folder.path().display().to_string(),
        "office": kit.office, "division": kit.division, "node": kit.node()?.public(),
        "listen": asked.listen, "api": asked.api, "neighbours": neighbours,
    }))
}

/// `office or key=address:port`.
fn add_neighbour(kit: &mut Kit, typed: &str) -> Answer<()> {
    let bad = |zh: String, en: String| Trouble::new("usage", zh, en);
    let parts = typed.split_once('=').map(|(name, address)| (name.trim(), address.trim()));
    let (name, address) = parts.filter(|(name, _)| !name.is_empty()).ok_or_else(|| {
        bad(
            format!("“{typed}”应写成 机构=地址:端口"),
            format!("{typed} is not written as office=address:port"),
        )
    })?;
    if address.parse::<SocketAddr>().is_err() {
        return Err(bad(
            format!("“{address}”不是地址，应写成 10.8.0.2:7130"),
            format!("{address} is no address; write 10.8.0.2:7130"),
        ));
    }
    let fits = |one: &KitNeighbour| {
        one.office.contains(name) || one.key.to_string().starts_with(&name.to_ascii_lowercase())
    };
    let found = kit.neighbours.iter().filter(|one| fits(one)).count();
    if found == 1
        && let Some(one) = kit.neighbours.iter_mut().find(|one| fits(one))
    {
        one.addresses.push(address.to_owned());
        return Ok(());
    }
    // A neighbour that no kit names, such as the village next door, is known by its whole key.
    let key = PublicKey::from_hex(name).filter(|_| found == 0).ok_or_else(|| {
        let known: Vec<&str> = kit.neighbours.iter().map(|one| one.office.as_str()).collect();
        bad(
            format!("“{name}”不能确定是哪个邻居，开户包中有：{}", known.join("、")),
            format!("{name} does not say which neighbour; the kit names {}", known.join(", ")),
        )
    })?;
    let neighbour =
        KitNeighbour { key, office: String::new(), addresses: vec![address.to_owned()] };
    kit.neighbours.push(neighbour);
    Ok(())
}

/// The record types of a folder's files.
pub(super) fn compiled(folder: &Path) -> Answer<Vec<RecordType>> {
    let mut files = Vec::new();
    for entry in fs::read_dir(folder).map_err(|error| no_folder(folder, &error))? {
        let path = entry?.path();
        if path.extension().is_none_or(|extension| extension != "toml") {
            continue;
        }
        let name = path.file_name().unwrap_or_default().to_string_lossy().into_owned();
        if fs::metadata(&path)?.len() > TYPE_FILE_BYTES_MAX {
            return Err(Trouble::new(
                "file",
                format!("{name} 过大"),
                format!("{name} is too large"),
            ));
        }
        files.push((name, fs::read_to_string(&path)?));
    }
    files.sort();
    compile(&files).map_err(|errors| flawed(&errors))
}

fn no_folder(folder: &Path, error: &std::io::Error) -> Trouble {
    Trouble::new(
        "folder",
        format!("目录 {} 无法读取：{error}", folder.display()),
        format!("cannot read the folder {}: {error}", folder.display()),
    )
}

/// Every flaw with its file and line.
fn flawed(errors: &[SchemaError]) -> Trouble {
    let mut trouble = Trouble::new(
        "record-types",
        format!("记录类型定义有 {} 处错误", errors.len()),
        format!("the record types have {} flaws", errors.len()),
    );
    let place = |error: &SchemaError| match error.line {
        0 => error.file.clone(),
        line => format!("{}:{line}", error.file),
    };
    trouble.fields = errors
        .iter()
        .map(|error| FieldTrouble {
            path: place(error),
            label: String::new(),
            zh: error.flaw.zh(),
            en: error.flaw.en(),
        })
        .collect();
    trouble
}

/// Answers `{types: [{code, zh, en, version, hash}]}`.
pub(super) fn check_types(folder: &Path) -> Answer<Json> {
    let types: Vec<Json> = compiled(folder)?
        .iter()
        .map(|rt| {
            json!({
                "code": rt.code, "zh": rt.zh, "en": rt.en, "version": rt.version,
                "hash": rt.hash().to_hex(), "fields": rt.fields.len(), "states": rt.states.len(),
                "transitions": rt.transitions.len(),
                "ledgers": rt.ledgers.iter()
                    .map(|ledger| json!({"key": ledger.key, "zh": ledger.zh})).collect::<Vec<_>>(),
            })
        })
        .collect();
    Ok(json!({ "types": types }))
}

/// Checks a store that no node here owns, such as a copy: entries, logs and roster. The keys of the
/// folder in which it lies open it, or those of `own`. Answers as [`crate::office::Office::verify`].
pub(super) fn verify_file(
    path: &Path,
    own: &Folder,
    progress: &mut dyn FnMut(u64, u64),
) -> Answer<Json> {
    let beside = Folder::at(path.parent().unwrap_or(Path::new(".")));
    let files = [&beside, own].map(Folder::key_files).into_iter().find(KeyFiles::are_there);
    let keys = files.as_ref().map(store_keys).transpose()?;
    let store = Store::open_read_only(path, keys)?;
    Ok(crate::office::report(&store.verify(progress)?))
}

fn store_keys(files: &KeyFiles) -> Answer<StoreKeys> {
    let sealing = files.operators()?.office();
    Ok(StoreKeys { machine: files.machine_keys()?.database, sealing })
}
