//! A record read so that an act counts once, however often its author had to say it: the same
//! values, lists and items of one act are one. Judges nothing and never touches the changes.

use std::collections::BTreeMap;

use xw_schemas::value::Value;

use super::{ITEM_ID_KEY, OpSet};
use crate::change::{Action, Change, ChangeHash, Key, ObjId, Op, OpId};

impl OpSet {
    /// What a record holds after these changes, each with the act that it says, in an order that
    /// puts no change before what it was written on. Of what several changes of one act say alike
    /// the first is kept, and it is gone as soon as anything replaces any of them.
    pub fn once<'a, A: Ord + Copy>(changes: impl IntoIterator<Item = (&'a Change, A)>) -> Self {
        let mut folding =
            Folding { ops: Self::new(), first: BTreeMap::new(), said: BTreeMap::new() };
        for (change, act) in changes {
            folding.add(change, act);
        }
        folding.ops
    }
}

struct Folding<'a, A> {
    ops: OpSet,
    /// Operations that an earlier one of the same act stands for.
    first: BTreeMap<OpId, OpId>,
    /// The operation that first said something, and the change it stands in.
    said: BTreeMap<Saying<'a, A>, (OpId, ChangeHash)>,
}

/// What an act says at one place. Within a change the same can be said several times; then the
/// how-manieth time tells them apart.
#[derive(PartialEq, Eq, PartialOrd, Ord, Clone)]
struct Saying<'a, A> {
    act: A,
    object: ObjId,
    what: What<'a>,
    time: usize,
}

#[derive(PartialEq, Eq, PartialOrd, Ord, Clone)]
enum What<'a> {
    Value(&'a str, &'a Value),
    List(&'a str),
    Item(Option<&'a str>),
}

impl<'a, A: Ord + Copy> Folding<'a, A> {
    fn add(&mut self, change: &'a Change, act: A) {
        let names = item_names(change);
        let mut here: Vec<Saying<'a, A>> = Vec::new();
        for (id, original) in change.ops_with_ids() {
            let op = self.in_first_words(original);
            let what = match (&original.action, &original.key) {
                (Action::Put(value), Key::Map(key)) => Some(What::Value(key, value)),
                (Action::MakeList, Key::Map(key)) => Some(What::List(key)),
                (Action::MakeMap, _) => Some(What::Item(names.get(&id).copied())),
                _ => None,
            };
            let Some(what) = what else {
                self.ops.apply_op(id, &op);
                continue;
            };
            let mut saying = Saying { act, object: op.obj, what, time: 0 };
            saying.time = here.iter().filter(|said| **said == saying).count();
            let before = self.said.get(&saying).copied();
            here.push(Saying { time: 0, ..saying.clone() });
            match before {
                Some((first, by)) if by != change.hash => {
                    self.first.insert(id, first);
                    // It replaces what it was written over, and never what it says itself.
                    self.ops.replace(&op, first);
                }
                _ => {
                    self.said.insert(saying, (id, change.hash));
                    self.ops.apply_op(id, &op);
                }
            }
        }
    }

    /// The operation with every name of a repeated one replaced by the first one's.
    fn in_first_words(&self, op: &Op) -> Op {
        let first = |id: OpId| self.first.get(&id).copied().unwrap_or(id);
        let obj = match op.obj {
            ObjId::Root => ObjId::Root,
            ObjId::Op(id) => ObjId::Op(first(id)),
        };
        let key = match &op.key {
            Key::After(element) => Key::After(first(*element)),
            key => key.clone(),
        };
        Op { obj, key, pred: op.pred.iter().map(|id| first(*id)).collect(), ..op.clone() }
    }
}

/// The ids that a change gives to the items it makes.
fn item_names(change: &Change) -> BTreeMap<OpId, &str> {
    let named = change.ops.iter().filter_map(|op| match (&op.obj, &op.key, &op.action) {
        (ObjId::Op(item), Key::Map(key), Action::Put(Value::Text(id))) if key == ITEM_ID_KEY => {
            Some((*item, id.as_str()))
        }
        _ => None,
    });
    named.collect()
}
