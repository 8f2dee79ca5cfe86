//! What needs no node: a county's record-type files, another store.

use std::fs;
use std::path::Path;

use serde_json::{Value as Json, json};
use xw_schemas::record::{RecordType, SchemaError, compile};
use xw_store::{Store, StoreKeys};

use super::Global;
use super::keys::office_key;
use crate::folder::Folder;
use crate::keys::KeyFiles;
use crate::trouble::{Answer, FieldTrouble, Trouble, file_zh};

/// Largest record-type file: the largest built-in one has 60 kB.
const TYPE_FILE_BYTES_MAX: u64 = 4 << 20;

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
    let zh = format!("目录 {} 无法读取：{}", folder.display(), file_zh(error));
    Trouble::because("folder", zh, &format!("cannot read the folder {}", folder.display()), error)
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

/// Checks the store of a node that does not run: entries, logs and roster, and with a passphrase on
/// standard input everything. Changes nothing. Answers as [`crate::office::Office::verify`].
pub(super) fn verify_node(
    folder: &Folder,
    global: &Global,
    progress: &mut dyn FnMut(u64, u64),
) -> Answer<Json> {
    let files = folder.key_files();
    let mut store = Store::open_read_only(&folder.store_path(), Some(store_keys(&files)?))?;
    if global.passphrase_from_stdin {
        let office = office_key(&files, global.source(), global.person.as_deref())?;
        store.unlock(files.operators()?.contents(&office)?)?;
    }
    Ok(crate::office::report(&store.verify(progress)?))
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
    let sealing = files.operators()?.contents_sealing();
    Ok(StoreKeys { machine: files.machine_keys()?.database, sealing })
}
