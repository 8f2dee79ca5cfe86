//! A few authors who edit one record with Automerge and merge now and then. Knows nothing of our
//! own decoder, so that what it writes is what the library writes.

use automerge::transaction::{CommitOptions, Transactable};
use automerge::{ActorId, Automerge, ObjId, ObjType, ROOT, ReadDoc, ScalarValue, TextEncoding};
use proptest::prelude::*;

pub(crate) const SCALARS: [&str; 4] = ["status", "applicant.name", "家庭.人口", "id"];
pub(crate) const LISTS: [&str; 2] = ["visits", "家庭.成员"];

/// What one author does next.
#[derive(Clone, Debug)]
pub(crate) enum Step {
    Commit { author: usize, edits: Vec<Touch> },
    Merge { author: usize, from: usize },
}

/// One edit; numbers choose among what there is.
#[derive(Clone, Debug)]
pub(crate) enum Touch {
    Put { map: usize, key: usize, value: ScalarValue },
    Insert { map: usize, list: usize, at: usize, fields: usize },
}

pub(crate) fn steps(authors: usize, commits: usize) -> impl Strategy<Value = Vec<Step>> {
    let commit = (0..authors, prop::collection::vec(touch(), 1..8))
        .prop_map(|(author, edits)| Step::Commit { author, edits });
    let merge = (0..authors, 0..authors).prop_map(|(author, from)| Step::Merge { author, from });
    prop::collection::vec(prop_oneof![3 => commit, 2 => merge], 1..commits)
}

fn touch() -> impl Strategy<Value = Touch> {
    let put = (0..6_usize, 0..SCALARS.len(), scalar()).prop_map(|(map, key, value)| Touch::Put {
        map,
        key,
        value,
    });
    let insert = (0..6_usize, 0..LISTS.len(), 0..4_usize, 0..6_usize)
        .prop_map(|(map, list, at, fields)| Touch::Insert { map, list, at, fields });
    prop_oneof![3 => put, 2 => insert]
}

/// Few values, so that the same one is often written again; and the edges of each type.
fn scalar() -> impl Strategy<Value = ScalarValue> {
    prop_oneof![
        (0..3_i64).prop_map(ScalarValue::Int),
        prop::sample::select(vec![i64::MIN, -65, -64, 63, 64, 8_191, 8_192, i64::MAX])
            .prop_map(ScalarValue::Int),
        any::<i64>().prop_map(ScalarValue::Int),
        any::<bool>().prop_map(ScalarValue::Boolean),
        Just(ScalarValue::Null),
        prop::sample::select(vec!["", "已受理", "办理中", "已办结"])
            .prop_map(|text| ScalarValue::Str(text.into())),
        "\\PC{0,40}".prop_map(|text| ScalarValue::Str(text.into())),
    ]
}

/// What came of it: every change in the order of its making.
pub(crate) struct Story {
    pub(crate) changes: Vec<automerge::Change>,
}

pub(crate) fn actor(author: usize) -> [u8; 16] {
    let mut actor = [author as u8 + 1; 16];
    // Not in the order of the authors' numbers, so that ties are not decided by them.
    actor[0] = [0x90, 0x20, 0xf0, 0x50, 0x00, 0xff][author % 6];
    actor
}

pub(crate) fn empty(author: usize) -> Automerge {
    Automerge::new_with_encoding(TextEncoding::UnicodeCodePoint)
        .with_actor(ActorId::from(&actor(author)[..]))
}

pub(crate) fn play(authors: usize, steps: &[Step]) -> Story {
    let mut replicas: Vec<Automerge> = (0..authors).map(empty).collect();
    let mut changes = Vec::new();
    for (at, step) in steps.iter().enumerate() {
        match step {
            Step::Merge { author, from } if author != from => {
                let mut other = replicas[*from].clone();
                replicas[*author].merge(&mut other).unwrap();
            }
            Step::Merge { .. } => {}
            Step::Commit { author, edits } => {
                changes.extend(commit(&mut replicas[*author], edits, at));
            }
        }
    }
    Story { changes }
}

fn commit(doc: &mut Automerge, edits: &[Touch], at: usize) -> Option<automerge::Change> {
    let mut tx = doc.transaction();
    for (number, edit) in edits.iter().enumerate() {
        match edit {
            Touch::Put { map, key, value } => {
                let maps = maps(&tx);
                let map = &maps[map % maps.len()];
                let key = SCALARS[*key];
                if *map == ROOT || key != "id" {
                    tx.put(map, key, value.clone()).unwrap();
                }
            }
            Touch::Insert { map, list, at: place, fields } => {
                let maps = maps(&tx);
                let (map, list) = (maps[map % maps.len()].clone(), LISTS[*list]);
                insert(&mut tx, &map, list, *place, *fields, &format!("v{at}-{number}"));
            }
        }
    }
    let options = CommitOptions::default().with_time(1_780_000_000 + at as i64);
    let (hash, _) = tx.commit_with(options);
    hash.map(|hash| doc.get_change_by_hash(&hash).unwrap())
}

fn insert(
    tx: &mut impl Transactable,
    map: &ObjId,
    list: &str,
    place: usize,
    fields: usize,
    id: &str,
) {
    // The record may be three deep at most: an item of an item holds no lists.
    if depth(tx, map) >= 4 {
        return;
    }
    let object = match tx.get(map, list).unwrap() {
        Some((_, object)) => object,
        None => tx.put_object(map, list, ObjType::List).unwrap(),
    };
    let at = place.min(tx.length(&object));
    let item = tx.insert_object(&object, at, ObjType::Map).unwrap();
    tx.put(&item, "id", id).unwrap();
    for field in 0..fields {
        tx.put(&item, format!("栏目{field}"), format!("{field} 号内容")).unwrap();
    }
}

fn depth(doc: &impl ReadDoc, map: &ObjId) -> usize {
    if *map == ROOT { 0 } else { doc.parents(map).unwrap().count() }
}

/// The root and all items, in some fixed order.
pub(crate) fn maps(doc: &impl ReadDoc) -> Vec<ObjId> {
    let mut found = vec![ROOT];
    let mut next = 0;
    while let Some(map) = found.get(next).cloned() {
        next += 1;
        for key in LISTS {
            for (_, list) in doc.get_all(&map, key).unwrap() {
                found.extend(doc.list_range(&list, ..).map(|item| item.id()));
            }
        }
    }
    found
}
