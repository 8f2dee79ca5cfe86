//! Adds a change to an [`OpSet`]. Takes the change to be sound; an unsound one is never refused
//! here, and what it says of objects that do not exist is left out.

use std::collections::BTreeMap;

use super::{Element, Held, ListObject, MapObject, ObjectAt, OpSet, ROOT, Visible};
use crate::change::{Action, Change, Key, ObjId, Op, OpId};

impl OpSet {
    /// Adds the operations of `change`, everything it was written on having been added before.
    pub fn apply(&mut self, change: &Change) {
        for (id, op) in change.ops_with_ids() {
            self.apply_op(id, op);
        }
    }

    /// Adds one operation.
    pub(crate) fn apply_op(&mut self, id: OpId, op: &Op) {
        match (self.find(&op.obj), &op.key) {
            (Some(ObjectAt::Map(map)), Key::Map(key)) => self.put(map, key, id, op),
            (Some(ObjectAt::List(list)), Key::Head) => self.insert(list, None, id),
            (Some(ObjectAt::List(list)), Key::After(after)) => {
                self.insert(list, Some(*after), id);
            }
            _ => {}
        }
        self.max_op = self.max_op.max(id.counter);
    }

    /// Takes away what an operation replaces, but for `kept`, and adds nothing.
    pub(super) fn replace(&mut self, op: &Op, kept: OpId) {
        if let (Some(ObjectAt::Map(map)), Key::Map(key)) = (self.find(&op.obj), &op.key)
            && let Some(visible) = self.maps[map].keys.get_mut(key.as_str())
        {
            visible.retain(|held| held.op == kept || !op.pred.contains(&held.op));
        }
    }

    pub(super) fn find(&self, obj: &ObjId) -> Option<ObjectAt> {
        match obj {
            ObjId::Root => Some(ObjectAt::Map(ROOT)),
            ObjId::Op(id) => self.objects.get(id).copied(),
        }
    }

    fn put(&mut self, map: usize, key: &str, id: OpId, op: &Op) {
        let what = match &op.action {
            Action::Put(value) => Some(Held::Value(value.clone())),
            Action::MakeList => Some(Held::List(self.make_list(map, key, id))),
            Action::MakeMap | Action::Delete => None,
        };
        let keys = &mut self.maps[map].keys;
        // Most keys exist or not as a whole; a key is copied only when it is new.
        if !keys.contains_key(key) {
            keys.insert(key.into(), Vec::new());
        }
        let Some(visible) = keys.get_mut(key) else {
            return;
        };
        visible.retain(|held| !op.pred.contains(&held.op));
        if let Some(what) = what {
            let at = visible.partition_point(|held| held.op < id);
            visible.insert(at, Visible { op: id, what });
        }
    }

    fn make_list(&mut self, parent: usize, key: &str, id: OpId) -> usize {
        let depth = self.maps[parent].depth + 1;
        let at = self.lists.len();
        self.lists.push(ListObject { depth, parent, key: key.into(), elements: BTreeMap::new() });
        self.objects.insert(id, ObjectAt::List(at));
        at
    }

    fn insert(&mut self, list: usize, after: Option<OpId>, id: OpId) {
        let depth = self.lists[list].depth + 1;
        let map = self.maps.len();
        self.maps.push(MapObject { depth, parent: Some(list), keys: BTreeMap::new() });
        self.objects.insert(id, ObjectAt::Map(map));
        self.lists[list].elements.insert(id, Element { after, map });
    }
}
