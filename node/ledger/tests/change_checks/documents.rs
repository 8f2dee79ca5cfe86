//! Our own edits: what a clerk does becomes a change that everyone accepts.

use proptest::prelude::*;
use xw_ledger::change::{Change, OpId};
use xw_ledger::document::{Document, DocumentError, Edit, Place};
use xw_ledger::history::History;
use xw_ledger::opset::Wrote;
use xw_schemas::record::{Content, Item};
use xw_schemas::value::Value;

use super::honest::check_same_state;
use super::world::actor;

#[test]
fn a_clerk_creates_and_edits_a_record() {
    let mut history = History::new();
    let created = [
        put(Place::Root, "applicant.name", text("王秀英")),
        put(Place::Root, "household.size", Value::Int(4)),
        append(Place::Root, "visits", item("v1", &[("note", text("情况属实"))])),
    ];
    write(&mut history, 0, &created);
    write(&mut history, 1, &[append(Place::Root, "visits", item("v2", &[]))]);
    let note = put(in_visit("v1"), "note", text("已联系施工队"));
    let hash = write(&mut history, 2, &[note]).hash;

    let content = history.merged().content();
    assert_eq!(content.values["applicant.name"], text("王秀英"));
    assert_eq!(content.values["household.size"], Value::Int(4));
    let visits = &content.lists["visits"];
    assert_eq!(visits.iter().map(|visit| visit.id.as_str()).collect::<Vec<_>>(), ["v1", "v2"]);
    assert_eq!(visits[0].content.values["note"], text("已联系施工队"));
    assert!(!visits[0].content.values.contains_key("id"));

    let marks = history.merged().marks();
    let note = marks.iter().find(|mark| mark.path == "visits[v1].note").unwrap();
    assert_eq!(note.field, "visits[].note");
    assert_eq!(history.author_of(note.op), Some(hash));
    let item = marks.iter().find(|mark| mark.path == "visits[v2]").unwrap();
    assert_eq!((item.field.as_str(), &item.wrote), ("visits[]", &Wrote::Item));
    assert_eq!(history.author_of(item.op).unwrap(), history.canonical_order()[1].hash);
    assert_eq!(history.author_of(OpId { counter: 1, actor: actor(9) }), None);
    assert_eq!(history.author_of(OpId { counter: 99, actor: actor(0) }), None);
}

#[test]
fn two_clerks_who_do_not_see_one_another_make_a_conflict_and_a_third_resolves_it() {
    let mut history = History::new();
    write(
        &mut history,
        0,
        &[
            put(Place::Root, "phone", text("1")),
            append(Place::Root, "visits", item("v1", &[("note", text("空"))])),
        ],
    );
    let base = history.clone();
    let here = written(
        &base,
        1,
        &[put(Place::Root, "phone", text("2")), put(in_visit("v1"), "note", text("此"))],
    );
    let there = written(
        &base,
        2,
        &[put(Place::Root, "phone", text("3")), put(in_visit("v1"), "note", text("彼"))],
    );
    history.admit(here.clone()).unwrap();
    history.admit(there.clone()).unwrap();
    check_same_state(&history);
    let conflicts = history.merged().conflicts();
    assert_eq!(
        conflicts.iter().map(|conflict| conflict.path.as_str()).collect::<Vec<_>>(),
        ["phone", "visits[v1].note"]
    );
    let authors: Vec<_> =
        conflicts[0].values.iter().map(|(op, _)| history.author_of(*op).unwrap()).collect();
    assert!(authors.contains(&here.hash) && authors.contains(&there.hash));
    // Each still sees only their own in the record as of their change.
    assert!(history.as_of(&here.hash).conflicts().is_empty());
    assert_eq!(history.as_of(&there.hash).content().values["phone"], text("3"));

    // Writing the winner once more clears the conflict.
    let winner = history.merged().content().values["phone"].clone();
    assert_eq!(conflicts[0].values.last().unwrap().1, winner);
    let cleared = write(&mut history, 3, &[put(Place::Root, "phone", winner.clone())]);
    let touched = history.merged().touched(&cleared);
    assert_eq!((touched[0].path.as_str(), &touched[0].wrote), ("phone", &Wrote::Cleared));
    // And so does writing another value.
    write(&mut history, 0, &[put(in_visit("v1"), "note", text("都对"))]);
    assert!(history.merged().conflicts().is_empty());
    assert_eq!(history.merged().content().values["phone"], winner);
}

#[test]
fn the_same_value_written_twice_apart_is_no_conflict() {
    let mut history = History::new();
    write(&mut history, 0, &[put(Place::Root, "phone", text("1"))]);
    let base = history.clone();
    for author in [1, 2] {
        history.admit(written(&base, author, &[put(Place::Root, "phone", text("2"))])).unwrap();
    }
    assert!(history.merged().conflicts().is_empty());
    check_same_state(&history);
}

#[test]
fn lists_begun_in_two_places_show_the_items_of_both() {
    let mut history = History::new();
    write(&mut history, 0, &[put(Place::Root, "phone", text("1"))]);
    let base = history.clone();
    for author in [1, 2] {
        let visits =
            ["a", "b"].map(|at| append(Place::Root, "visits", item(&format!("{author}{at}"), &[])));
        history.admit(written(&base, author, &visits)).unwrap();
    }
    check_same_state(&history);
    let ids = |history: &History| -> Vec<String> {
        let visits = &history.merged().content().lists["visits"];
        visits.iter().map(|item| item.id.clone()).collect()
    };
    // The two list objects have the same counter, so the actors decide: author 1 before author 2.
    assert_eq!(ids(&history), ["1a", "1b", "2a", "2b"]);
    assert!(history.merged().conflicts().is_empty());
    // A third appends behind them, and edits an item of the list that did not win.
    write(
        &mut history,
        3,
        &[append(Place::Root, "visits", item("3", &[])), put(in_visit("1a"), "note", text("补记"))],
    );
    assert_eq!(ids(&history), ["1a", "1b", "2a", "2b", "3"]);
    let content = history.merged().content();
    assert_eq!(content.lists["visits"][0].content.values["note"], text("补记"));
}

#[test]
fn an_item_id_given_twice_is_kept_and_told() {
    let mut history = History::new();
    write(&mut history, 0, &[append(Place::Root, "visits", item("v0", &[]))]);
    let base = history.clone();
    for author in [1, 2] {
        let visit = item("v1", &[("note", text(&author.to_string()))]);
        history.admit(written(&base, author, &[append(Place::Root, "visits", visit)])).unwrap();
    }
    assert_eq!(history.merged().content().lists["visits"].len(), 3);
    assert_eq!(history.merged().duplicate_ids(), [("visits".to_owned(), "v1".to_owned())]);
    check_same_state(&history);
}

#[test]
fn items_hold_lists_of_their_own_and_no_deeper() {
    let mut history = History::new();
    let mut visit = item("v1", &[]);
    visit.content.lists.insert("photos".into(), vec![item("p1", &[("note", text("门前"))])]);
    write(&mut history, 0, &[append(Place::Root, "visits", visit)]);
    let photos = Place::Item(vec![step("visits", "v1"), step("photos", "p1")]);
    write(
        &mut history,
        1,
        &[
            append(in_visit("v1"), "photos", item("p2", &[])),
            put(photos.clone(), "note", text("屋后")),
        ],
    );
    let photo = &history.merged().content().lists["visits"][0].content.lists["photos"][0];
    assert_eq!(photo.content.values["note"], text("屋后"));
    let marks = history.merged().marks();
    assert!(
        marks
            .iter()
            .any(|mark| mark.path == "visits[v1].photos[p2]" && mark.field == "visits[].photos[]")
    );
    let deeper = refused(&history, &[append(photos, "pixels", item("x", &[]))]);
    assert!(matches!(deeper, DocumentError::TooDeep(list) if list == "pixels"));
}

#[test]
fn edits_that_cannot_be_are_told_and_leave_nothing_behind() {
    let mut history = History::new();
    write(
        &mut history,
        0,
        &[put(Place::Root, "phone", text("1")), append(Place::Root, "visits", item("v1", &[]))],
    );
    let good = put(Place::Root, "phone", text("2"));
    let refusals = [
        (put(in_visit("v9"), "note", text("x")), "there is no item v9 in list visits"),
        (put(Place::Root, "", text("x")), "\"\" cannot be written as a field"),
        (put(in_visit("v1"), "id", text("x")), "\"id\" cannot be written as a field"),
        (append(Place::Root, "visits", item("a]", &[])), "\"a]\" cannot be an item id"),
        (
            put(Place::Root, "note", text(&"x".repeat(20_001))),
            "the text for note is longer than 20,000 bytes",
        ),
        (
            put(Place::Root, "visits", text("x")),
            "visits is a list on one side and a value on the other",
        ),
        (
            append(Place::Root, "phone", item("v1", &[])),
            "phone is a list on one side and a value on the other",
        ),
    ];
    for (edit, message) in refusals {
        let mut document = document(&history, 1);
        let before = document.content();
        let error = document.edit(&[good.clone(), edit], 1_780_000_000).unwrap_err();
        assert_eq!(error.to_string(), message);
        assert!(document.content() == before);
        // The next edit is as if nothing had been tried.
        let bytes = document.edit(std::slice::from_ref(&good), 1_780_000_000).unwrap();
        assert_eq!(history.check(&Change::decode(&bytes).unwrap()), Ok(()));
    }
    let same = [put(Place::Root, "phone", text("1"))];
    assert!(matches!(refused(&history, &same), DocumentError::NothingChanged));
    let many: Vec<Edit> =
        (0..5_000).map(|n| put(Place::Root, &format!("k{n}"), text("x"))).collect();
    assert!(matches!(refused(&history, &many), DocumentError::Unfit(_)));
}

#[test]
fn a_record_with_a_missing_change_is_not_opened() {
    let mut history = History::new();
    write(&mut history, 0, &[put(Place::Root, "phone", text("1"))]);
    let second = write(&mut history, 1, &[put(Place::Root, "phone", text("2"))]).encode();
    let opened = Document::from_changes(actor(0), [second.as_slice()].into_iter());
    assert!(matches!(opened, Err(DocumentError::Incomplete(1))));
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 60, failure_persistence: None, ..ProptestConfig::default() })]

    /// Clerks with our own editor, on whatever part of the history they have.
    #[test]
    fn whatever_clerks_do_is_sound(turns in prop::collection::vec((0..4_usize, any::<prop::sample::Index>(), 0..3_u8, 0..4_i64), 1..30)) {
        let mut history = History::new();
        for (turn, (author, seen, what, value)) in turns.into_iter().enumerate() {
            let Some(seen) = seen_by(&history, author, seen) else { continue };
            let edits = match what {
                0 => vec![put(Place::Root, "phone", Value::Int(value))],
                1 => vec![append(Place::Root, "visits", item(&format!("v{turn}"), &[("note", Value::Int(value))]))],
                _ => match seen.merged().content().lists.get("visits").and_then(|visits| visits.last()) {
                    Some(last) => vec![put(in_visit(&last.id), "note", Value::Int(value))],
                    None => vec![],
                },
            };
            match document(&seen, author).edit(&edits, turn as i64) {
                Ok(bytes) => prop_assert_eq!(history.admit(Change::decode(&bytes).unwrap()), Ok(())),
                Err(error) => prop_assert!(matches!(error, DocumentError::NothingChanged)),
            }
        }
        check_same_state(&history);
    }
}

/// Some past that holds all of the author's own changes.
fn seen_by(history: &History, author: usize, upto: prop::sample::Index) -> Option<History> {
    let order = history.canonical_order();
    let own = order.iter().rposition(|change| change.actor == actor(author)).map_or(0, |at| at + 1);
    let mut seen = History::new();
    for change in &order[..own + upto.index(order.len() - own + 1)] {
        seen.admit((*change).clone()).ok()?;
    }
    Some(seen)
}

fn document(history: &History, author: usize) -> Document {
    let raw: Vec<Vec<u8>> = history.canonical_order().iter().map(|c| c.encode()).collect();
    Document::from_changes(actor(author), raw.iter().map(Vec::as_slice)).unwrap()
}

fn written(history: &History, author: usize, edits: &[Edit]) -> Change {
    let mut document = document(history, author);
    let bytes = document.edit(edits, 1_780_000_000 + history.len() as i64).unwrap();
    Change::decode(&bytes).unwrap()
}

fn write(history: &mut History, author: usize, edits: &[Edit]) -> Change {
    let change = written(history, author, edits);
    history.admit(change.clone()).unwrap();
    check_same_state(history);
    change
}

fn refused(history: &History, edits: &[Edit]) -> DocumentError {
    document(history, 5).edit(edits, 1_780_000_000).unwrap_err()
}

fn put(at: Place, path: &str, value: Value) -> Edit {
    Edit::Put { at, path: path.into(), value }
}

fn append(at: Place, list: &str, item: Item) -> Edit {
    Edit::Append { at, list: list.into(), item }
}

fn item(id: &str, values: &[(&str, Value)]) -> Item {
    let values = values.iter().map(|(key, value)| ((*key).to_owned(), value.clone())).collect();
    Item { id: id.into(), content: Content { values, ..Content::default() } }
}

fn in_visit(id: &str) -> Place {
    Place::Item(vec![step("visits", id)])
}

fn step(list: &str, id: &str) -> (String, String) {
    (list.into(), id.into())
}

fn text(text: &str) -> Value {
    Value::Text(text.into())
}
