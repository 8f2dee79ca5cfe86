//! A record read so that an act counts once, however often its author had to say it: the same
//! values, lists and items of one act are one. Judges nothing and never touches the changes.

use std::collections::BTreeMap;

use xw_schemas::value::Value;

use super::{ITEM_ID_KEY, OpSet};
use crate::change::{Action, Actor, Change, ChangeHash, Key, ObjId, Op, OpId};

/// What a record holds after some changes, each with the act that it says, told in an order that
/// puts no change before what it was written on. Of what several changes of one act say alike the
/// first is kept, and it is gone as soon as anything replaces any of them.
#[derive(Clone)]
pub(crate) struct Once<A> {
    ops: OpSet,
    words: Words<A>,
    /// Where the last change stands in canonical order.
    last: Option<(u64, Actor)>,
}

/// What one more change makes of such a record.
pub(crate) struct Told<A> {
    ops: OpSet,
    words: Words<A>,
    last: (u64, Actor),
}

/// Who said what first.
#[derive(Clone)]
struct Words<A> {
    /// Operations that an earlier one of the same act stands for.
    first: BTreeMap<OpId, OpId>,
    /// The operation that first said something, and the change it stands in.
    said: BTreeMap<Saying<A>, (OpId, ChangeHash)>,
}

/// What an act says at one place. Within a change the same can be said several times; then the
/// how-manieth time tells them apart.
#[derive(PartialEq, Eq, PartialOrd, Ord, Clone)]
struct Saying<A> {
    act: A,
    object: ObjId,
    what: What,
    time: usize,
}

#[derive(PartialEq, Eq, PartialOrd, Ord, Clone)]
enum What {
    Value(Box<str>, Value),
    List(Box<str>),
    Item(Option<Box<str>>),
}

impl<A: Ord + Copy> Once<A> {
    /// What the record holds after these changes, in canonical order.
    pub(crate) fn of<'c>(changes: impl IntoIterator<Item = (&'c Change, A)>) -> Self {
        let mut once = Self { ops: OpSet::new(), words: Words::none(), last: None };
        for (change, act) in changes {
            once.add(change, act);
        }
        once
    }

    /// What the record holds.
    pub(crate) fn ops(&self) -> &OpSet {
        &self.ops
    }

    /// Whether a change comes behind all that were told, in canonical order.
    pub(crate) fn precedes(&self, change: &Change) -> bool {
        self.last.is_none_or(|last| last < place(change))
    }

    /// Tells one more change.
    pub(crate) fn add(&mut self, change: &Change, act: A) {
        let mut ops = std::mem::take(&mut self.ops);
        let words = self.words.tell(&mut ops, change, act);
        self.take(Told { ops, words, last: place(change) });
    }

    /// What one more change would make of the record.
    pub(crate) fn with(&self, change: &Change, act: A) -> Told<A> {
        let mut ops = self.ops.clone();
        let words = self.words.tell(&mut ops, change, act);
        Told { ops, words, last: place(change) }
    }

    /// Keeps what one more change made of the record as it is.
    pub(crate) fn take(&mut self, told: Told<A>) {
        self.ops = told.ops;
        self.words.first.extend(told.words.first);
        self.words.said.extend(told.words.said);
        self.last = Some(told.last);
    }
}

impl<A> Told<A> {
    /// What the record would hold.
    pub(crate) fn ops(&self) -> &OpSet {
        &self.ops
    }
}

impl<A: Ord + Copy> Words<A> {
    fn none() -> Self {
        Self { first: BTreeMap::new(), said: BTreeMap::new() }
    }

    /// Adds to `ops` what a change says that its act has not said, and gives its words.
    fn tell(&self, ops: &mut OpSet, change: &Change, act: A) -> Self {
        let names = item_names(change);
        let mut times: BTreeMap<Saying<A>, usize> = BTreeMap::new();
        let mut news = Self::none();
        for (id, original) in change.ops_with_ids() {
            let op = self.in_first_words(&news, original);
            let what = match (&original.action, &original.key) {
                (Action::Put(value), Key::Map(key)) => {
                    What::Value(key.as_str().into(), value.clone())
                }
                (Action::MakeList, Key::Map(key)) => What::List(key.as_str().into()),
                (Action::MakeMap, _) => What::Item(names.get(&id).map(|name| (*name).into())),
                _ => {
                    ops.apply_op(id, &op);
                    continue;
                }
            };
            let mut saying = Saying { act, object: op.obj, what, time: 0 };
            let times = times.entry(saying.clone()).or_default();
            saying.time = *times;
            *times += 1;
            match self.said.get(&saying) {
                Some((first, by)) if *by != change.hash => {
                    news.first.insert(id, *first);
                    // It replaces what it was written over, and never what it says itself.
                    ops.replace(&op, *first);
                }
                Some(_) | None => {
                    news.said.insert(saying, (id, change.hash));
                    ops.apply_op(id, &op);
                }
            }
        }
        news
    }

    /// The operation with every name of a repeated one replaced by the first one's.
    fn in_first_words(&self, news: &Self, op: &Op) -> Op {
        let first = |id: OpId| {
            let known = news.first.get(&id).or_else(|| self.first.get(&id));
            known.copied().unwrap_or(id)
        };
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

fn place(change: &Change) -> (u64, Actor) {
    (change.start_op, change.actor)
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

#[cfg(test)]
mod tests;
