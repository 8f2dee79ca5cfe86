//! The roster and the definitions of a pack, taken up as a node takes them up.

use std::collections::BTreeMap;
use std::io::{Read, Seek};
use std::sync::Arc;

use xw_ledger::roster::Chain;
use xw_schemas::edition::Edition;
use xw_schemas::id::EditionId;
use xw_schemas::record::{RecordType, SchemaHash};

use super::Unreadable;
use super::opening::Opened;
use super::report::FindingCode;
use crate::holdings::Holdings;
use crate::pack::FileName;
use crate::words;

/// Reads editions and definitions; the holdings have no entry yet.
pub(super) fn read<R: Read + Seek>(opened: &mut Opened<R>) -> Result<Holdings, Unreadable> {
    let names = opened.names(|name| matches!(name, FileName::Edition(_)));
    let mut editions = Vec::with_capacity(names.len());
    for name in names {
        let Some(bytes) = opened.file(&name) else { continue };
        match Edition::decode(bytes) {
            Ok(edition) => editions.push((name, edition)),
            Err(fault) => opened.add(FindingCode::EditionRefused, name, fault),
        }
    }
    let mut editions = editions.into_iter();
    let (_, founding) = editions.next().ok_or(Unreadable::Founding)?;
    let mut names: BTreeMap<EditionId, FileName> = BTreeMap::new();
    let editions: Vec<Edition> = editions
        .map(|(name, edition)| {
            names.insert(edition.id(), name);
            edition
        })
        .collect();
    // A pack's editions are a set that is whole, as that of a store is.
    let (chain, refused) = Chain::of_set(founding, editions).map_err(|_| Unreadable::Founding)?;
    for (id, refusal) in refused {
        let name = names.get(&id).unwrap_or(&FileName::Manifest);
        let detail = format!("{} / {refusal}", refusal.zh());
        opened.add(FindingCode::EditionRefused, name, detail);
    }
    opened.report.counts.editions = chain.count();
    let roster = chain.roster();
    let manifest = &opened.manifest;
    let same = roster.network() == manifest.network
        && roster.state() == manifest.roster
        && roster.number() == manifest.roster_number
        && roster.rules() == manifest.rules;
    if !same {
        opened.add(FindingCode::RosterDiffers, roster.state(), "");
    }
    let newest = chain.editions().map(|edition| edition.core().claimed_time_ms).max();
    opened.report.roster.newest_ms = newest.unwrap_or_default();
    if opened.report.roster.known == Some(false) {
        let detail = "不是所给的状态 / not the state that was named";
        opened.add(FindingCode::RosterOther, roster.state(), detail);
    }
    opened.report.scope_zh = words::scope(&opened.manifest.scope, roster);
    if roster.is_frozen() {
        opened.add(FindingCode::RosterFrozen, roster.state(), "");
    }
    if !roster.rules_are_known() {
        opened.add(FindingCode::RulesUnknown, roster.rules(), "");
    }
    let maker = roster.node_office(&opened.manifest.by).map(|office| office.name.clone());
    if maker.is_none() || roster.cut(&opened.manifest.by).is_some() {
        opened.add(FindingCode::MakerUnknown, opened.manifest.by, "");
    }
    opened.report.by_office = maker;
    let definitions = definitions(opened);
    Ok(Holdings::new(chain, definitions.into_values()))
}

fn definitions<R: Read + Seek>(opened: &mut Opened<R>) -> BTreeMap<SchemaHash, Arc<RecordType>> {
    let mut definitions = BTreeMap::new();
    for name in opened.names(|name| matches!(name, FileName::Definition(_))) {
        let FileName::Definition(hash) = name else { continue };
        let Some(bytes) = opened.file(&name) else { continue };
        match RecordType::from_canonical(&bytes) {
            Ok(rt) if rt.hash() == hash => {
                opened.report.counts.definitions += 1;
                definitions.insert(hash, Arc::new(rt));
            }
            Ok(_) | Err(_) => opened.add(FindingCode::DefinitionDamaged, name, ""),
        }
    }
    definitions
}
