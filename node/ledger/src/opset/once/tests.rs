//! The quick way of telling changes comes to what the slow one does.

use proptest::prelude::*;

use super::*;

/// What an operation of a made-up change does; numbers choose among what there is.
#[derive(Clone, Debug)]
enum Made {
    Put { object: usize, key: usize, value: i64, over: usize },
    List { object: usize, key: usize },
    Item { list: usize, name: Option<usize> },
    Delete { object: usize, key: usize, over: usize },
}

const KEYS: [&str; 3] = ["status", "visits", "id"];

fn made() -> impl Strategy<Value = Made> {
    let put = (0..4_usize, 0..3_usize, 0..2_i64, 0..4_usize)
        .prop_map(|(object, key, value, over)| Made::Put { object, key, value, over });
    let list = (0..4_usize, 0..3_usize).prop_map(|(object, key)| Made::List { object, key });
    let item = (0..4_usize, prop::option::of(0..2_usize))
        .prop_map(|(list, name)| Made::Item { list, name });
    let delete = (0..4_usize, 0..3_usize, 0..4_usize)
        .prop_map(|(object, key, over)| Made::Delete { object, key, over });
    prop_oneof![5 => put, 2 => list, 3 => item, 1 => delete]
}

/// Changes one behind the other, each with its author and act. Few keys, values and acts, so
/// that the same is said again and again.
fn changes() -> impl Strategy<Value = Vec<(Change, u8)>> {
    let change = (0..3_u8, 0..3_u8, prop::collection::vec(made(), 1..12));
    prop::collection::vec(change, 1..8).prop_map(|made| written(&made))
}

fn written(made: &[(u8, u8, Vec<Made>)]) -> Vec<(Change, u8)> {
    let (mut objects, mut lists, mut earlier) = (vec![ObjId::Root], Vec::new(), Vec::new());
    let mut start_op = 1;
    let mut all = Vec::new();
    for (at, (author, act, made)) in made.iter().enumerate() {
        let mut ops = Vec::new();
        let mut id = OpId { counter: start_op, actor: [*author; 16] };
        for made in made {
            let pred = |over: &usize| earlier.iter().rev().skip(*over).take(2).copied();
            let root = |object: &usize| objects[object % objects.len()];
            let (obj, key, insert, action, pred) = match made {
                Made::Put { object, key, value, over } => {
                    let key = Key::Map(KEYS[*key].to_owned());
                    let action = Action::Put(Value::Int(*value));
                    (root(object), key, false, action, pred(over).collect())
                }
                Made::List { object, key } => {
                    let key = Key::Map(KEYS[*key].to_owned());
                    lists.push(ObjId::Op(id));
                    (root(object), key, false, Action::MakeList, Vec::new())
                }
                Made::Item { list, .. } if !lists.is_empty() => {
                    objects.push(ObjId::Op(id));
                    (lists[list % lists.len()], Key::Head, true, Action::MakeMap, Vec::new())
                }
                Made::Item { .. } => continue,
                Made::Delete { object, key, over } => {
                    let key = Key::Map(KEYS[*key].to_owned());
                    (root(object), key, false, Action::Delete, pred(over).collect())
                }
            };
            ops.push(Op { obj, key, insert, action, pred });
            earlier.push(id);
            id.counter += 1;
            if let Made::Item { name: Some(name), .. } = made {
                let key = Key::Map(ITEM_ID_KEY.to_owned());
                let action = Action::Put(Value::Text(format!("v{name}")));
                let obj = objects[objects.len() - 1];
                ops.push(Op { obj, key, insert: false, action, pred: Vec::new() });
                id.counter += 1;
            }
        }
        // A change that does nothing is refused before anything is told.
        if ops.is_empty() {
            continue;
        }
        let hash = ChangeHash([u8::try_from(at).unwrap(); 32]);
        let (actor, seq) = ([*author; 16], 1);
        let change = Change { hash, actor, seq, start_op, time_s: 0, deps: Vec::new(), ops };
        start_op = id.counter;
        all.push((change, *act));
    }
    all
}

/// The same by the words of the rule: every earlier operation of the change is counted, and every
/// earlier change asked.
fn by_the_rule(changes: &[(Change, u8)]) -> OpSet {
    let mut ops = OpSet::new();
    let mut words = Words::none();
    for (change, act) in changes {
        let names = item_names(change);
        let mut here: Vec<Saying<u8>> = Vec::new();
        for (id, original) in change.ops_with_ids() {
            let op = words.in_first_words(&Words::none(), original);
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
            let mut saying = Saying { act: *act, object: op.obj, what, time: 0 };
            let time = here.iter().filter(|said| **said == saying).count();
            here.push(saying.clone());
            saying.time = time;
            match words.said.get(&saying).copied() {
                Some((first, by)) if by != change.hash => {
                    words.first.insert(id, first);
                    ops.replace(&op, first);
                }
                Some(_) | None => {
                    words.said.insert(saying, (id, change.hash));
                    ops.apply_op(id, &op);
                }
            }
        }
    }
    ops
}

proptest! {
    #[test]
    fn told_one_by_one_or_all_together_a_record_holds_what_the_rule_says(told in changes()) {
        let expected = by_the_rule(&told);
        let whole = Once::of(told.iter().map(|(change, act)| (change, *act)));
        let mut step_by_step = Once::of([]);
        for (change, act) in &told {
            prop_assert!(step_by_step.precedes(change));
            let next = step_by_step.with(change, *act);
            let so_far = next.ops().marks();
            step_by_step.take(next);
            prop_assert_eq!(step_by_step.ops().marks(), so_far);
        }
        for ops in [whole.ops(), step_by_step.ops()] {
            prop_assert_eq!(ops.marks(), expected.marks());
            prop_assert_eq!(ops.content(), expected.content());
            prop_assert_eq!(ops.conflicts(), expected.conflicts());
            prop_assert_eq!(ops.max_op(), expected.max_op());
        }
    }
}
