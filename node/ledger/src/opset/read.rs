//! Reads an [`OpSet`]: its content, its conflicts, and who wrote what. Changes nothing.

use std::collections::{BTreeMap, BTreeSet};

use xw_schemas::record::{Content, Item};
use xw_schemas::value::Value;

use super::{Held, ITEM_ID_KEY, ListObject, MapObject, ObjectAt, OpSet, ROOT, Visible};
use crate::change::{Action, Change, Key, ObjId, OpId};

/// A field with several values that differ, written by people who did not see one another.
#[derive(Clone, Debug, PartialEq)]
pub struct FieldConflict {
    /// `phone`, or `visits[v1].note` inside an item.
    pub path: String,
    /// The values that stand there, ascending by operation: the last one is shown.
    pub values: Vec<(OpId, Value)>,
}

/// Something that stands in the record, and the operation that put it there.
/// [`crate::history::History::author_of`] tells the change.
#[derive(Clone, Debug, PartialEq)]
pub struct Mark {
    /// `phone`, `visits[v1].note`, or `visits[v1]` for the item itself.
    pub path: String,
    /// The same without item ids, as a record type names it: `visits[].note`.
    pub field: String,
    /// The operation.
    pub op: OpId,
    /// What it wrote.
    pub wrote: Wrote,
}

/// What an operation wrote.
#[derive(Clone, Debug, PartialEq)]
pub enum Wrote {
    /// A value.
    Value(Value),
    /// A list, still empty.
    List,
    /// A list item.
    Item,
    /// Nothing new: it cleared a conflict in favour of the winner.
    Cleared,
}

impl OpSet {
    /// The record as people see it: of several values at a place the one with the highest
    /// operation id, of several lists at a key all their items, list after list.
    pub fn content(&self) -> Content {
        self.map_content(ROOT)
    }

    /// Every place with two or more different values, ascending by path.
    pub fn conflicts(&self) -> Vec<FieldConflict> {
        let mut found = Vec::new();
        for (map, at) in self.named_maps() {
            for (key, visible) in &self.maps[map].keys {
                let values = || visible.iter().filter_map(Visible::value);
                let first = values().next();
                if values().any(|value| Some(value) != first) {
                    let values = visible
                        .iter()
                        .filter_map(|held| held.value().map(|value| (held.op, value.clone())));
                    found.push(FieldConflict { path: at.path_of(key), values: values.collect() });
                }
            }
        }
        found.sort_by(|a, b| a.path.cmp(&b.path));
        found
    }

    /// Item ids that stand twice or more under one key: (list path, id), ascending. Both items
    /// stay; a person has to void one of them.
    pub fn duplicate_ids(&self) -> Vec<(String, String)> {
        let mut seen = BTreeSet::new();
        let mut twice = BTreeSet::new();
        for (map, at) in self.named_maps() {
            for (key, visible) in &self.maps[map].keys {
                for item in visible.iter().filter_map(Visible::list).flat_map(|l| self.items(l)) {
                    let name = (at.path_of(key), self.item_id(item).to_owned());
                    if !seen.insert(name.clone()) {
                        twice.insert(name);
                    }
                }
            }
        }
        twice.into_iter().collect()
    }

    /// What stands at a key of an object, ascending by operation: the last one is shown. No value
    /// means a list.
    pub(crate) fn standing_at(&self, obj: &ObjId, key: &str) -> Vec<(OpId, Option<&Value>)> {
        let Some(ObjectAt::Map(map)) = self.find(obj) else { return Vec::new() };
        let visible = self.maps[map].keys.get(key).into_iter().flatten();
        visible.map(|held| (held.op, held.value())).collect()
    }

    /// Every visible value and every item with its operation, ascending by path, then operation.
    pub fn marks(&self) -> Vec<Mark> {
        let mut marks = Vec::new();
        for (map, at) in self.named_maps() {
            for (key, visible) in &self.maps[map].keys {
                for held in visible {
                    let wrote = match &held.what {
                        Held::Value(value) => Wrote::Value(value.clone()),
                        Held::List(_) => Wrote::List,
                    };
                    marks.push(at.mark(key, held.op, wrote));
                }
            }
        }
        for list in &self.lists {
            for (op, element) in &list.elements {
                let at = self.name_of(element.map);
                marks.push(Mark { path: at.path, field: at.field, op: *op, wrote: Wrote::Item });
            }
        }
        marks.sort_by(|a, b| (&a.path, a.op).cmp(&(&b.path, b.op)));
        marks
    }

    /// What each operation of `change` touched, in order; the change must have been applied.
    pub fn touched(&self, change: &Change) -> Vec<Mark> {
        let mark = |(id, op): (OpId, &crate::change::Op)| {
            let (map, key) = match (self.find(&op.obj)?, &op.key) {
                (ObjectAt::Map(map), Key::Map(key)) => (map, Some(key)),
                (ObjectAt::List(list), _) => (self.lists[list].elements.get(&id)?.map, None),
                _ => return None,
            };
            let at = self.name_of(map);
            let wrote = match &op.action {
                Action::Put(value) => Wrote::Value(value.clone()),
                Action::MakeList => Wrote::List,
                Action::MakeMap => Wrote::Item,
                Action::Delete => Wrote::Cleared,
            };
            Some(match key {
                Some(key) => at.mark(key, id, wrote),
                None => Mark { path: at.path, field: at.field, op: id, wrote },
            })
        };
        change.ops_with_ids().filter_map(mark).collect()
    }

    fn map_content(&self, map: usize) -> Content {
        let MapObject { parent, keys, .. } = &self.maps[map];
        let held = keys.iter().map(|(key, visible)| (&**key, visible.as_slice()));
        let held = held.filter(|(key, _)| parent.is_none() || *key != ITEM_ID_KEY);
        let value = |(key, visible): (&str, &[Visible])| {
            let winner = visible.iter().rev().find_map(Visible::value)?;
            Some((key.to_owned(), winner.clone()))
        };
        let items = |(key, visible): (&str, &[Visible])| {
            let mut lists = visible.iter().filter_map(Visible::list).peekable();
            lists.peek()?;
            // An item is two levels deeper and the check stops at depth 4, so this recursion
            // is never more than two deep.
            let item =
                |map| Item { id: self.item_id(map).to_owned(), content: self.map_content(map) };
            let items = lists.flat_map(|list| self.items(list)).map(item).collect();
            Some((key.to_owned(), items))
        };
        // Keys stand in order already; maps that are made of a whole list do not look for each.
        Content {
            values: held.clone().filter_map(value).collect(),
            lists: held.filter_map(items).collect(),
        }
    }

    /// The operations that made the items of a list of the record itself, in the order in which
    /// [`OpSet::content`] gives the items. Ids may stand twice; operations tell items apart.
    pub fn item_ops(&self, key: &str) -> Vec<OpId> {
        let visible = self.maps[ROOT].keys.get(key).into_iter().flatten();
        let lists = visible.filter_map(Visible::list);
        lists.flat_map(|list| self.ordered(list)).map(|(op, _)| op).collect()
    }

    fn items(&self, list: usize) -> Vec<usize> {
        self.ordered(list).into_iter().map(|(_, map)| map).collect()
    }

    /// The items of a list in Automerge's order: behind the element they were put behind, later
    /// operations first. With the operation that made each.
    fn ordered(&self, list: usize) -> Vec<(OpId, usize)> {
        let ListObject { elements, .. } = &self.lists[list];
        let mut behind: BTreeMap<Option<OpId>, Vec<OpId>> = BTreeMap::new();
        for (id, element) in elements {
            behind.entry(element.after).or_default().push(*id);
        }
        let mut items = Vec::with_capacity(elements.len());
        let mut next = behind.remove(&None).unwrap_or_default();
        while let Some(id) = next.pop() {
            items.extend(elements.get(&id).map(|element| (id, element.map)));
            next.extend(behind.remove(&Some(id)).unwrap_or_default());
        }
        items
    }

    fn item_id(&self, map: usize) -> &str {
        let visible = self.maps[map].keys.get(ITEM_ID_KEY);
        match visible.and_then(|visible| visible.last()).and_then(Visible::value) {
            Some(Value::Text(id)) => id,
            // The check refuses items without a textual id.
            _ => "",
        }
    }

    fn named_maps(&self) -> impl Iterator<Item = (usize, Name)> {
        (0..self.maps.len()).map(|map| (map, self.name_of(map)))
    }

    fn name_of(&self, map: usize) -> Name {
        let Some(list) = self.maps[map].parent else {
            return Name::default();
        };
        let ListObject { parent, key, .. } = &self.lists[list];
        let above = self.name_of(*parent);
        let id = self.item_id(map);
        Name {
            path: format!("{}[{id}]", above.path_of(key)),
            field: format!("{}[]", dotted(&above.field, key)),
        }
    }
}

impl Visible {
    fn value(&self) -> Option<&Value> {
        match &self.what {
            Held::Value(value) => Some(value),
            Held::List(_) => None,
        }
    }

    fn list(&self) -> Option<usize> {
        match &self.what {
            Held::Value(_) => None,
            Held::List(list) => Some(*list),
        }
    }
}

/// How a map is called; the root has no name.
#[derive(Default)]
struct Name {
    path: String,
    field: String,
}

impl Name {
    fn path_of(&self, key: &str) -> String {
        dotted(&self.path, key)
    }

    fn mark(&self, key: &str, op: OpId, wrote: Wrote) -> Mark {
        Mark { path: self.path_of(key), field: dotted(&self.field, key), op, wrote }
    }
}

fn dotted(above: &str, key: &str) -> String {
    if above.is_empty() { key.to_owned() } else { format!("{above}.{key}") }
}
