//! What a change costs: reading it, judging it, opening its record and editing it. Prints one JSON
//! line per figure. Run with `cargo run --release -p xw-ledger --example change_cost`.

use std::hint::black_box;
use std::time::Instant;

use xw_ledger::change::Change;
use xw_ledger::document::{Document, Edit, Place};
use xw_ledger::history::History;
use xw_schemas::record::{Content, Item};
use xw_schemas::value::Value;

/// Rounds per figure; the median round is printed, so that a busy machine shows little.
const ROUNDS: usize = 41;
/// Calls per round.
const CALLS: usize = 50;

fn main() {
    let raw = typical_record();
    let changes: Vec<Change> = raw.iter().map(|bytes| decoded(bytes)).collect();
    let before: Vec<History> = (0..raw.len()).map(|at| history(&changes[..at])).collect();
    for (at, name) in
        ["create", "edit_1", "edit_2", "edit_3", "edit_4", "edit_5"].iter().enumerate()
    {
        let (bytes, ops) = (raw[at].len(), changes[at].ops.len());
        print("decode", name, bytes, ops, || black_box(Change::decode(&raw[at])).is_ok());
        print("check", name, bytes, ops, || before[at].check(black_box(&changes[at])).is_ok());
    }
    let (bytes, ops) = (raw.iter().map(Vec::len).sum(), changes.iter().map(|c| c.ops.len()).sum());
    print("decode_check_push", "record", bytes, ops, || {
        let mut history = History::new();
        raw.iter().all(|bytes| history.admit(decoded(bytes)).is_ok())
    });
    let whole = history(&changes);
    print("content", "record", bytes, ops, || !whole.merged().content().values.is_empty());
    print("conflicts", "record", bytes, ops, || whole.merged().conflicts().is_empty());
    print("document_rebuild", "record", bytes, ops, || {
        !document(&raw, 1).content().values.is_empty()
    });
    let us = document_edit_us(&raw);
    println!(r#"{{"what":"document_edit","case":"record","us":{us:.2}}}"#);

    let forked = two_who_never_merge();
    let bytes = forked.iter().map(|change| change.encode().len()).sum();
    print("check_push", "200_edits_on_two_branches", bytes, forked.len(), || {
        let mut history = History::new();
        forked.iter().all(|change| history.admit(change.clone()).is_ok())
    });
}

/// A service case: 25 fields and two visits, then five edits by three people.
fn typical_record() -> Vec<Vec<u8>> {
    let long = "村东头道路积水，影响老人出行，希望尽快修缮。已经联系施工队，周三到场查看情况。";
    let mut create: Vec<Edit> =
        (0..23).map(|at| put(&format!("field.number{at}"), "民生诉求已受理")).collect();
    create.push(put("matter.description", &long.repeat(3)));
    create.push(Edit::Put { at: Place::Root, path: "household.size".into(), value: Value::Int(4) });
    create.extend([visit("v1", long), visit("v2", long)]);
    let turns = [
        create,
        vec![put("status", "办理中"), put("field.number3", "民政办")],
        vec![visit("v3", long)],
        vec![
            put("matter.description", &long.repeat(3).replace("周三", "周五")),
            put("income", "12000"),
        ],
        vec![visit("v4", long), put("status", "待回访")],
        vec![put("status", "已办结"), put("closed", "2026-11-23"), put("opinion", long)],
    ];
    let mut raw: Vec<Vec<u8>> = Vec::new();
    for (turn, edits) in turns.into_iter().enumerate() {
        let mut document = document(&raw, turn as u8 % 3);
        raw.push(document.edit(&edits, 1_780_000_000 + turn as i64).expect("the edits fit"));
    }
    raw
}

fn two_who_never_merge() -> Vec<Change> {
    let base = document(&[], 0).edit(&[put("status", "已受理")], 1_780_000_000).expect("fits");
    let mut authors = [1, 2].map(|author| document(std::slice::from_ref(&base), author));
    let mut changes = vec![decoded(&base)];
    for turn in 0..200_i64 {
        let edit = [put("status", &format!("第{turn}次"))];
        let author = &mut authors[turn as usize % 2];
        changes.push(decoded(&author.edit(&edit, 1_780_000_000 + turn).expect("fits")));
    }
    changes
}

fn visit(id: &str, note: &str) -> Edit {
    let values = [("at", "2026-11-23"), ("by", "韦建国"), ("note", note), ("result", "群众满意")];
    let values = values.into_iter().map(|(key, text)| (key.to_owned(), Value::Text(text.into())));
    let content = Content { values: values.collect(), ..Content::default() };
    Edit::Append { at: Place::Root, list: "visits".into(), item: Item { id: id.into(), content } }
}

fn put(path: &str, text: &str) -> Edit {
    Edit::Put { at: Place::Root, path: path.into(), value: Value::Text(text.into()) }
}

fn decoded(bytes: &[u8]) -> Change {
    Change::decode(bytes).expect("our own changes are canonical")
}

fn document(raw: &[Vec<u8>], author: u8) -> Document {
    let raw = raw.iter().map(Vec::as_slice);
    Document::from_changes([author; 16], raw).expect("our own changes are sound")
}

fn history(changes: &[Change]) -> History {
    let mut history = History::new();
    changes.iter().for_each(|change| history.push(change.clone()));
    history
}

fn print(what: &str, case: &str, bytes: usize, ops: usize, call: impl FnMut() -> bool) {
    let us = median_us(call);
    println!(r#"{{"what":"{what}","case":"{case}","bytes":{bytes},"ops":{ops},"us":{us:.2}}}"#);
}

/// Editing alone: the documents are opened before the clock starts.
fn document_edit_us(raw: &[Vec<u8>]) -> f64 {
    let edit = [put("status", "待回访"), put("opinion", "已回访")];
    let round = |_| {
        let mut opened: Vec<Document> = (0..CALLS).map(|_| document(raw, 1)).collect();
        let start = Instant::now();
        let all_done = opened.iter_mut().all(|opened| opened.edit(&edit, 1_780_000_600).is_ok());
        let us = start.elapsed().as_secs_f64() * 1e6 / CALLS as f64;
        assert!(all_done, "the edits fit");
        us
    };
    median((0..ROUNDS).map(round).collect())
}

fn median_us(mut call: impl FnMut() -> bool) -> f64 {
    let round = |_| {
        let start = Instant::now();
        assert!((0..CALLS).all(|_| black_box(call())), "the call must succeed");
        start.elapsed().as_secs_f64() * 1e6 / CALLS as f64
    };
    median((0..ROUNDS).map(round).collect())
}

fn median(mut rounds: Vec<f64>) -> f64 {
    rounds.sort_by(f64::total_cmp);
    rounds[rounds.len() / 2]
}
