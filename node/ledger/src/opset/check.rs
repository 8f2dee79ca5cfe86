//! Judges the operations of a change against its causal past, one after the other: each may build
//! on the ones before it. Reads the past through a thin layer of what the change itself has done,
//! so the past is neither copied nor touched.

use std::collections::BTreeMap;

use xw_schemas::value::Value;

use super::{DEPTH_MAX, Held, ITEM_ID_KEY, ObjectAt, OpSet, Unsound};
use crate::change::{Action, Change, Key, ObjId, Op, OpId, item_id_is_sound};

/// Whether every operation of `change` is one that an honest author writes on `past`.
pub(crate) fn check_ops(past: &OpSet, change: &Change) -> Result<(), Unsound> {
    let made = Vec::with_capacity(change.ops.len());
    let mut layer = Layer { past, change, made, touched: BTreeMap::new() };
    for (id, op) in change.ops_with_ids() {
        let made = layer.check_op(id, op)?;
        layer.made.push(made);
    }
    let unnamed = |made: &Option<Made>| matches!(made, Some(Made::Item { named: false, .. }));
    if layer.made.iter().any(unnamed) {
        return Err(Unsound::ItemIdMissing);
    }
    Ok(())
}

/// The past with the operations already checked laid over it.
struct Layer<'a> {
    past: &'a OpSet,
    change: &'a Change,
    /// What each operation so far has made.
    made: Vec<Option<Made>>,
    /// The visible operations of every key that the change has touched.
    touched: BTreeMap<(MapAt, &'a str), Vec<Seen<'a>>>,
}

#[derive(Clone, Copy)]
enum Made {
    List { depth: u8 },
    Item { depth: u8, list: ListAt, named: bool },
}

/// A map of the past, or the one that the operation at this index has made.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
enum MapAt {
    Past(usize),
    Made(usize),
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum ListAt {
    Past(usize),
    Made(usize),
}

enum Place {
    Map(MapAt, u8),
    List(ListAt, u8),
}

/// One visible operation of a key; no value means a list.
#[derive(Clone, Copy)]
struct Seen<'a> {
    op: OpId,
    value: Option<&'a Value>,
}

impl<'a> Layer<'a> {
    fn check_op(&mut self, id: OpId, op: &'a Op) -> Result<Option<Made>, Unsound> {
        match (self.place(&op.obj)?, &op.key, op.insert) {
            (Place::Map(map, depth), Key::Map(key), false) => self.at_key(map, depth, key, id, op),
            (Place::List(list, depth), Key::Head, true) => Self::at_element(list, depth, op),
            (Place::List(list, depth), Key::After(element), true) => {
                if !self.has_element(list, element) {
                    return Err(Unsound::NoSuchElement);
                }
                Self::at_element(list, depth, op)
            }
            _ => Err(Unsound::Shape),
        }
    }

    fn place(&self, obj: &ObjId) -> Result<Place, Unsound> {
        if let ObjId::Op(id) = obj
            && let Some(index) = self.index_here(id)
        {
            return match self.made.get(index) {
                Some(Some(Made::Item { depth, .. })) => Ok(Place::Map(MapAt::Made(index), *depth)),
                Some(Some(Made::List { depth })) => Ok(Place::List(ListAt::Made(index), *depth)),
                _ => Err(Unsound::NoSuchObject),
            };
        }
        match self.past.find(obj).ok_or(Unsound::NoSuchObject)? {
            ObjectAt::Map(at) => Ok(Place::Map(MapAt::Past(at), self.past.maps[at].depth)),
            ObjectAt::List(at) => Ok(Place::List(ListAt::Past(at), self.past.lists[at].depth)),
        }
    }

    /// Which operation of this change `id` names, if any.
    fn index_here(&self, id: &OpId) -> Option<usize> {
        let behind = id.counter.checked_sub(self.change.start_op)?;
        let own = id.actor == self.change.actor;
        own.then(|| usize::try_from(behind).unwrap_or(usize::MAX))
    }

    fn has_element(&self, list: ListAt, element: &OpId) -> bool {
        if let Some(index) = self.index_here(element) {
            let made = self.made.get(index);
            return matches!(made, Some(Some(Made::Item { list: its, .. })) if *its == list);
        }
        match list {
            ListAt::Past(at) => self.past.lists[at].elements.contains_key(element),
            ListAt::Made(_) => false,
        }
    }

    fn at_element(list: ListAt, depth: u8, op: &Op) -> Result<Option<Made>, Unsound> {
        if op.action != Action::MakeMap {
            return Err(Unsound::Shape);
        }
        if !op.pred.is_empty() {
            return Err(Unsound::Preds);
        }
        Ok(Some(Made::Item { depth: depth + 1, list, named: false }))
    }

    fn at_key(
        &mut self,
        map: MapAt,
        depth: u8,
        key: &'a str,
        id: OpId,
        op: &'a Op,
    ) -> Result<Option<Made>, Unsound> {
        let is_item_id = depth > 0 && key == ITEM_ID_KEY;
        let visible = self.visible(map, key);
        match &op.action {
            Action::MakeMap => return Err(Unsound::Shape),
            Action::MakeList if is_item_id => return Err(Unsound::ItemIdMalformed),
            Action::MakeList if depth >= DEPTH_MAX => return Err(Unsound::TooDeep),
            Action::MakeList if !visible.is_empty() => return Err(Unsound::ListOverHeld),
            Action::MakeList => expect_preds(op, visible)?,
            Action::Put(_) | Action::Delete if visible.iter().any(|seen| seen.value.is_none()) => {
                return Err(Unsound::ValueOverList);
            }
            Action::Put(value) => check_put(op, value, visible)?,
            Action::Delete => check_delete(op, visible)?,
        }
        if is_item_id {
            self.name_item(map, &op.action)?;
        }
        let value = match &op.action {
            Action::Put(value) => Some(value),
            _ => None,
        };
        let visible = self.visible(map, key);
        if op.action == Action::Delete {
            let winner = visible.pop();
            visible.clear();
            visible.extend(winner);
            return Ok(None);
        }
        visible.clear();
        visible.push(Seen { op: id, value });
        let made_list = op.action == Action::MakeList;
        Ok(made_list.then_some(Made::List { depth: depth + 1 }))
    }

    fn visible(&mut self, map: MapAt, key: &'a str) -> &mut Vec<Seen<'a>> {
        let past = self.past;
        self.touched.entry((map, key)).or_insert_with(|| {
            let held = match map {
                MapAt::Past(at) => past.maps[at].keys.get(key),
                MapAt::Made(_) => None,
            };
            held.into_iter().flatten().map(Seen::from).collect()
        })
    }

    /// An item gets its id once, by the change that makes it.
    fn name_item(&mut self, map: MapAt, action: &Action) -> Result<(), Unsound> {
        let MapAt::Made(index) = map else {
            return Err(Unsound::ItemIdRewritten);
        };
        let Some(Some(Made::Item { named, .. })) = self.made.get_mut(index) else {
            return Err(Unsound::NoSuchObject);
        };
        if *named {
            return Err(Unsound::ItemIdRewritten);
        }
        match action {
            Action::Put(Value::Text(id)) if item_id_is_sound(id) => *named = true,
            _ => return Err(Unsound::ItemIdMalformed),
        }
        Ok(())
    }
}

impl<'a> From<&'a super::Visible> for Seen<'a> {
    fn from(visible: &'a super::Visible) -> Self {
        let value = match &visible.what {
            Held::Value(value) => Some(value),
            Held::List(_) => None,
        };
        Seen { op: visible.op, value }
    }
}

fn check_put(op: &Op, value: &Value, visible: &[Seen<'_>]) -> Result<(), Unsound> {
    expect_preds(op, visible)?;
    // Automerge writes nothing when the value stands there alone, and a deletion of the losers
    // when it is the winner of a conflict.
    if visible.last().is_some_and(|winner| winner.value == Some(value)) {
        return Err(Unsound::NothingChanged);
    }
    Ok(())
}

fn check_delete(op: &Op, visible: &[Seen<'_>]) -> Result<(), Unsound> {
    match visible.split_last() {
        Some((_winner, losers)) if !losers.is_empty() => expect_preds(op, losers),
        _ => Err(Unsound::Delete),
    }
}

fn expect_preds(op: &Op, visible: &[Seen<'_>]) -> Result<(), Unsound> {
    if op.pred.iter().eq(visible.iter().map(|seen| &seen.op)) {
        Ok(())
    } else {
        Err(Unsound::Preds)
    }
}
