//! Reads a record through Automerge's own interface, without any help from [`crate::opset`]: two
//! readings of the same changes that have to agree.

use automerge::{Automerge, ObjId, ROOT, ReadDoc, Value};
use xw_schemas::record::{Content, Item};

use super::{is_list, op_id, scalar};
use crate::opset::{FieldConflict, ITEM_ID_KEY};

pub(super) fn content(automerge: &Automerge) -> Content {
    map_content(automerge, &ROOT)
}

pub(super) fn conflicts(automerge: &Automerge) -> Vec<FieldConflict> {
    let mut found = Vec::new();
    map_conflicts(automerge, &ROOT, "", &mut found);
    found.sort_by(|a, b| a.path.cmp(&b.path));
    found
}

/// The id of an item; empty when it has none, which no sound change leaves.
pub(super) fn item_id(document: &impl ReadDoc, item: &ObjId) -> String {
    match document.get(item, ITEM_ID_KEY) {
        Ok(Some((value, _))) => value.as_str().unwrap_or_default().to_owned(),
        Ok(None) | Err(_) => String::new(),
    }
}

fn map_content(automerge: &Automerge, map: &ObjId) -> Content {
    let mut content = Content::default();
    for key in fields(automerge, map) {
        let held = held(automerge, map, &key);
        if let Some(winner) = held.iter().rev().find_map(|(value, _)| scalar(value)) {
            content.values.insert(key.clone(), winner);
        }
        if held.iter().any(|(value, _)| is_list(value)) {
            let items = items(automerge, &held);
            let item = |item| Item {
                id: item_id(automerge, &item),
                content: map_content(automerge, &item),
            };
            content.lists.insert(key, items.into_iter().map(item).collect());
        }
    }
    content
}

fn map_conflicts(automerge: &Automerge, map: &ObjId, above: &str, found: &mut Vec<FieldConflict>) {
    for key in fields(automerge, map) {
        let path = if above.is_empty() { key.clone() } else { format!("{above}.{key}") };
        let held = held(automerge, map, &key);
        let values: Vec<_> =
            held.iter().filter_map(|(value, id)| Some((op_id(id)?, scalar(value)?))).collect();
        for item in items(automerge, &held) {
            let path = format!("{path}[{}]", item_id(automerge, &item));
            map_conflicts(automerge, &item, &path, found);
        }
        if values.windows(2).any(|pair| pair[0].1 != pair[1].1) {
            found.push(FieldConflict { path, values });
        }
    }
}

/// The keys of a map but for an item's id.
fn fields(automerge: &Automerge, map: &ObjId) -> Vec<String> {
    automerge.keys(map).filter(|key| *map == ROOT || key != ITEM_ID_KEY).collect()
}

/// All that stands at a key, ascending by operation.
fn held<'a>(automerge: &'a Automerge, map: &ObjId, key: &str) -> Vec<(Value<'a>, ObjId)> {
    // The map was found in this very document, so asking for its key cannot fail.
    automerge.get_all(map, key).unwrap_or_default()
}

/// The items of all lists that stand at a key.
pub(super) fn items(document: &impl ReadDoc, held: &[(Value<'_>, ObjId)]) -> Vec<ObjId> {
    let lists = held.iter().filter(|(value, _)| is_list(value));
    lists.flat_map(|(_, list)| document.list_range(list, ..).map(|item| item.id())).collect()
}
