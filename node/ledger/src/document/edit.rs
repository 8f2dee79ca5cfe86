//! Edits become operations of one Automerge transaction, in the shape that the check of
//! [`crate::opset`] accepts. Reads no clock: the time is handed in.

use automerge::transaction::{CommitOptions, Transactable, Transaction};
use automerge::{Automerge, ObjId, ObjType, ROOT, ReadDoc, ScalarValue};
use xw_schemas::record::{Content, Item};
use xw_schemas::value::Value;

use super::read::{item_id, items};
use super::{DocumentError, Edit, Place, is_list};
use crate::change::{Change, TEXT_BYTES_MAX, item_id_is_sound, key_is_sound};
use crate::opset::{DEPTH_MAX, ITEM_ID_KEY};

pub(super) fn edit(
    automerge: &mut Automerge,
    edits: &[Edit],
    time_s: i64,
) -> Result<Vec<u8>, DocumentError> {
    let mut transaction = automerge.transaction();
    // An error drops the transaction, which takes back what it has done so far.
    edits.iter().try_for_each(|edit| apply(&mut transaction, edit))?;
    let (hash, _) = transaction.commit_with(CommitOptions::default().with_time(time_s));
    let change = hash.and_then(|hash| automerge.get_change_by_hash(&hash));
    let bytes = change.ok_or(DocumentError::NothingChanged)?.raw_bytes().to_vec();
    Change::decode(&bytes).map_err(DocumentError::Unfit)?;
    Ok(bytes)
}

fn apply(transaction: &mut Transaction<'_>, edit: &Edit) -> Result<(), DocumentError> {
    match edit {
        Edit::Put { at, path, value } => {
            let map = find(transaction, at)?;
            put(transaction, &map, path, value)
        }
        Edit::Append { at, list, item } => {
            let map = find(transaction, at)?;
            append(transaction, &map, depth(at), list, item)
        }
    }
}

fn depth(place: &Place) -> u8 {
    match place {
        Place::Root => 0,
        // Each list and each item in it is one step down; more than the maximum is all the same.
        Place::Item(steps) => u8::try_from(2 * steps.len()).unwrap_or(u8::MAX),
    }
}

/// The map of that place; of several items with the same id the first one shown.
fn find(transaction: &Transaction<'_>, place: &Place) -> Result<ObjId, DocumentError> {
    let Place::Item(steps) = place else {
        return Ok(ROOT);
    };
    steps.iter().try_fold(ROOT, |map, (list, id)| {
        let held = transaction.get_all(&map, list.as_str())?;
        let found =
            items(transaction, &held).into_iter().find(|item| item_id(transaction, item) == *id);
        found.ok_or_else(|| DocumentError::NoSuchItem { list: list.clone(), id: id.clone() })
    })
}

fn put(
    transaction: &mut Transaction<'_>,
    map: &ObjId,
    path: &str,
    value: &Value,
) -> Result<(), DocumentError> {
    if !key_is_sound(path) || (*map != ROOT && path == ITEM_ID_KEY) {
        return Err(DocumentError::Key(path.to_owned()));
    }
    if transaction.get_all(map, path)?.iter().any(|(held, _)| held.is_object()) {
        return Err(DocumentError::ListOrValue(path.to_owned()));
    }
    let value = match value {
        Value::Null => ScalarValue::Null,
        Value::Bool(truth) => ScalarValue::Boolean(*truth),
        Value::Int(number) => ScalarValue::Int(*number),
        Value::Text(text) if text.len() > TEXT_BYTES_MAX => {
            return Err(DocumentError::TextTooLong(path.to_owned()));
        }
        Value::Text(text) => ScalarValue::Str(text.as_str().into()),
    };
    Ok(transaction.put(map, path, value)?)
}

/// Adds an item below `map`, which lies `depth` deep.
fn append(
    transaction: &mut Transaction<'_>,
    map: &ObjId,
    depth: u8,
    list: &str,
    item: &Item,
) -> Result<(), DocumentError> {
    if !key_is_sound(list) || (depth > 0 && list == ITEM_ID_KEY) {
        return Err(DocumentError::Key(list.to_owned()));
    }
    if depth >= DEPTH_MAX {
        return Err(DocumentError::TooDeep(list.to_owned()));
    }
    if !item_id_is_sound(&item.id) {
        return Err(DocumentError::ItemId(item.id.clone()));
    }
    let list_object = match transaction.get(map, list)? {
        None => transaction.put_object(map, list, ObjType::List)?,
        Some((held, object)) if is_list(&held) => object,
        Some(_) => return Err(DocumentError::ListOrValue(list.to_owned())),
    };
    let end = transaction.length(&list_object);
    let item_object = transaction.insert_object(&list_object, end, ObjType::Map)?;
    transaction.put(&item_object, ITEM_ID_KEY, item.id.as_str())?;
    fill(transaction, &item_object, depth + 2, &item.content)
}

fn fill(
    transaction: &mut Transaction<'_>,
    map: &ObjId,
    depth: u8,
    content: &Content,
) -> Result<(), DocumentError> {
    content.values.iter().try_for_each(|(path, value)| put(transaction, map, path, value))?;
    for (list, items) in &content.lists {
        items.iter().try_for_each(|item| append(transaction, map, depth, list, item))?;
    }
    Ok(())
}
