//! Measures questions over many rows: `cargo run --release -p xw-store --example query_speed --
//! [rows] [file]`. Prints one JSON line for each question, with milliseconds.
//!
//! The rows are written as settling writes them; the entries behind them are left out, because
//! questions never touch entries.

use std::path::{Path, PathBuf};
use std::time::Instant;

use rusqlite::{Connection, params};
use serde_json::json;
use xw_schemas::cose::SecretKey;
use xw_schemas::edition::{Edition, EditionCore, Fact};
use xw_schemas::id::{EditionId, RecordId};
use xw_schemas::record::builtin;
use xw_schemas::space::Division;
use xw_schemas::value::Value;
use xw_store::{Filter, GroupKey, Op, Order, Query, Reader, SortKey, Store, spaced};

const TYPES: [&str; 4] = ["SVC", "PVM", "IND", "MED"];
const STATES: [&str; 5] = ["registered", "accepted", "processing", "delivered", "archived"];
const SURNAMES: &str = "王李张刘陈杨赵黄周吴徐孙胡朱高林何郭马罗";
const GIVEN: &str = "秀英建国志强丽华玉兰桂芳海燕春梅文明永红小军晓东俊杰雪莲金凤宝山";
const WORDS: &str =
    "办理登记申请低保养老医保危房改造土地流转纠纷调解苹果核桃种植养殖道路灯水井宅基地证明补贴";

fn main() {
    let mut args = std::env::args().skip(1);
    let rows: u64 = args.next().and_then(|n| n.parse().ok()).unwrap_or(200_000);
    let file = args.next().map_or_else(
        || std::env::temp_dir().join(format!("xw-query-{}.db", std::process::id())),
        PathBuf::from,
    );
    if !file.exists() {
        let started = Instant::now();
        fill(&file, rows);
        let bytes = std::fs::metadata(&file).map_or(0, |data| data.len());
        let seconds = started.elapsed().as_secs_f64();
        println!("{}", json!({"fill": rows, "seconds": seconds, "file_mb": bytes >> 20}));
    }
    let reader = Reader::open(&file).expect("the file was just made");
    for (name, query) in questions() {
        measure(name, rows, || {
            let page = reader.list(&query).expect("the question is sound");
            page.rows.len() as u64 + page.total.unwrap_or(0)
        });
    }
    deep_pages(&reader, rows);
    for (name, query, by) in counts() {
        measure(name, rows, || reader.counts(&query, &by).expect("sound").len() as u64);
    }
}

/// A small linear generator: the same rows in every run.
struct Dice(u64);

impl Dice {
    fn roll(&mut self, sides: u64) -> u64 {
        self.0 =
            self.0.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        (self.0 >> 33) % sides
    }

    fn pick(&mut self, from: &str, count: u64) -> String {
        let chars: Vec<char> = from.chars().collect();
        (0..count).map(|_| chars[self.roll(chars.len() as u64) as usize]).collect()
    }
}

fn fill(file: &Path, rows: u64) {
    let root = SecretKey::from_seed(&[9; 32]);
    let facts =
        vec![Fact::Root { threshold: 1, keys: vec![root.public()] }, Fact::Rules { version: 1 }];
    let previous = EditionId([0; 32]);
    let core = EditionCore {
        scope: xw_schemas::edition::Scope::Root,
        network: None,
        number: 1,
        previous,
        claimed_time_ms: 1_788_220_800_000,
        facts,
    };
    let edition = Edition::sign(&core, &[root]).expect("the edition is sound");
    let store = Store::create(file, edition, builtin(), None, None).expect("the file can be made");
    drop(store);
    let mut conn = Connection::open(file).expect("the file was just made");
    conn.execute_batch("PRAGMA synchronous = OFF; PRAGMA cache_size = -200000;").expect("settings");
    let mut dice = Dice(7);
    for from in (0..rows).step_by(10_000) {
        let tx = conn.transaction().expect("one writer");
        for n in from..rows.min(from + 10_000) {
            insert(&tx, n, &mut dice);
        }
        tx.commit().expect("the disk holds the rows");
    }
    conn.execute_batch("PRAGMA wal_checkpoint(TRUNCATE); PRAGMA optimize;").expect("closing");
}

fn insert(conn: &Connection, n: u64, dice: &mut Dice) {
    let n_row = i64::try_from(n + 1).expect("a small number");
    let kind = TYPES[dice.roll(4) as usize];
    let state = STATES[dice.roll(5) as usize];
    let division = 130_599_200_000 + dice.roll(20) * 1_000 + 200 + dice.roll(26);
    let time = 1_767_225_600_000 + i64::try_from(n * 157_000).expect("some years");
    let name = dice.pick(SURNAMES, 1) + &dice.pick(GIVEN, 2);
    let title = dice.pick(WORDS, 10);
    let day = format!("2026-{:02}-{:02}", dice.roll(12) + 1, dice.roll(28) + 1);
    let doc = json!({
        "business_no": format!("{division}A-{kind}-2026-{n:06}"), "title": title,
        "division_code": division.to_string(), "responsible_org": "便民服务中心",
        "recorded_at": format!("{day}T09:30:00+08:00"), "recorder": dice.pick(SURNAMES, 2),
        "source_channel": (dice.roll(6) + 1).to_string(), "entry_mode": "1",
        "matter_name": dice.pick(WORDS, 8), "matter_code": format!("01{:02}", dice.roll(9) + 1),
        "service_mode": (dice.roll(3) + 1).to_string(), "applicant_kind": "1",
        "applicant": { "name": name, "phone": format!("138{:08}", dice.roll(100_000_000)),
            "sex": (dice.roll(2) + 1).to_string(), "address": dice.pick(WORDS, 12) },
        "accepted_at": format!("{day}T10:00:00+08:00"), "promised_days": dice.roll(20) as i64,
        "due_date": day, "fee": dice.roll(100_000) as i64, "handling_org": "乡镇人民政府",
        "materials": [{ "id": "1", "name": dice.pick(WORDS, 6), "form": "1", "copies": 1 }],
        "paper_original": true, "legal_basis": "2", "disclosure_class": "3",
    });
    let id = RecordId(
        [&n.to_be_bytes()[..], &dice.roll(1 << 31).to_be_bytes()]
            .concat()
            .try_into()
            .expect("sixteen bytes"),
    );
    let run = |sql: &str, values: &[&dyn rusqlite::ToSql]| {
        conn.prepare_cached(sql).and_then(|mut s| s.execute(values)).expect("the row fits");
    };
    run(
        "INSERT INTO record(n, id, division, audience, standing) VALUES (?1, ?2, ?3, 0, ?4)",
        params![n_row, id.0, division as i64, dice.roll(3) as i64],
    );
    let text = doc.to_string();
    run(
        "INSERT INTO view(record_n, type, township, division, audience, state, sealed, created_ms,
             updated_ms, changes, conflicts, problems, refused, waiting, title, number, doc)
         VALUES (?1, ?2, ?3 / 1000, ?3, 0, ?4, 0, ?5, ?6, 6, ?7, 0, 0, 0, ?8, ?9, jsonb(?10))",
        params![
            n_row,
            kind,
            division as i64,
            state,
            time,
            time + dice.roll(90 * 86_400_000) as i64,
            i64::from(dice.roll(200) == 0),
            title,
            doc["business_no"].as_str(),
            text
        ],
    );
    run(
        "INSERT INTO canonical(record_n, hash, bytes) VALUES (?1, ?2, ?3)",
        params![n_row, [0_u8; 32], text.repeat(2).into_bytes()],
    );
    let words = [
        &title,
        doc["matter_name"].as_str().unwrap_or(""),
        &name,
        doc["applicant"]["phone"].as_str().unwrap_or(""),
        doc["applicant"]["address"].as_str().unwrap_or(""),
        doc["business_no"].as_str().unwrap_or(""),
    ]
    .join(" \u{20} ");
    run("INSERT INTO fts(rowid, words) VALUES (?1, ?2)", params![n_row, spaced(&words)]);
}

fn questions() -> Vec<(&'static str, Query)> {
    let all = Query::default();
    let svc = Query { types: vec!["SVC".into()], ..all.clone() };
    let division = |code: &str| vec![Division::parse(code).expect("a code")];
    let town = Query { divisions: division("130599203000"), ..svc.clone() };
    let village = Query { divisions: division("130599203205"), ..all.clone() };
    let open = Query { states: vec!["processing".into()], ..town.clone() };
    let filter = |path: &str, op| vec![Filter { path: path.into(), op }];
    let by = |path: &str, order| vec![(SortKey::Field(path.into()), order)];
    let text = |text: &str| Some(text.to_owned());
    vec![
        ("newest of all", all.clone()),
        ("newest of a type", svc.clone()),
        ("newest of a township and type", town.clone()),
        ("newest of a village", village),
        ("township, type, state", open.clone()),
        ("township, type, state, with total", Query { count_total: true, ..open }),
        (
            "township, type, field, sorted by field",
            Query {
                fields: filter("service_mode", Op::Eq(Value::Text("3".into()))),
                sort: by("due_date", Order::Up),
                ..town.clone()
            },
        ),
        ("township, sorted by amount", Query { sort: by("fee", Order::Down), ..town.clone() }),
        (
            "township, text part of a field",
            Query {
                fields: filter("applicant.name", Op::Contains("秀英".into())), ..town.clone()
            },
        ),
        (
            "township, list item",
            Query {
                fields: filter("materials.name", Op::Contains("低保".into())), ..town.clone()
            },
        ),
        (
            "type, field, newest",
            Query {
                fields: filter("matter_code", Op::Eq(Value::Text("0103".into()))),
                ..svc.clone()
            },
        ),
        (
            "type, field, sorted by field",
            Query {
                fields: filter("matter_code", Op::Eq(Value::Text("0103".into()))),
                sort: by("due_date", Order::Up),
                ..svc.clone()
            },
        ),
        (
            "type, amount over, sorted by amount",
            Query {
                fields: filter("fee", Op::Gt(Value::Int(90_000))),
                sort: by("fee", Order::Down),
                ..svc.clone()
            },
        ),
        (
            "type, rare amount, newest",
            Query { fields: filter("fee", Op::Eq(Value::Int(777))), ..svc },
        ),
        ("conflicts of all, newest", Query { has_conflict: Some(true), ..all.clone() }),
        ("name, newest", Query { text: text("王秀英"), ..all.clone() }),
        ("two characters, newest", Query { text: text("低保"), ..all.clone() }),
        ("one character, newest", Query { text: text("王"), ..all.clone() }),
        ("two characters, type, township", Query { text: text("低保"), ..town }),
        ("phone prefix", Query { text: text("13800"), ..all.clone() }),
        ("two characters with total", Query { text: text("低保"), count_total: true, ..all }),
    ]
}

fn counts() -> Vec<(&'static str, Query, Vec<GroupKey>)> {
    let all = Query::default();
    let svc = Query { types: vec!["SVC".into()], ..all.clone() };
    let division = Division::parse("130599203000").expect("a code");
    let town = Query { divisions: vec![division], ..all.clone() };
    vec![
        ("count by type", all.clone(), vec![GroupKey::Type]),
        ("count by type and state", all.clone(), vec![GroupKey::Type, GroupKey::State]),
        ("count by village and state", town, vec![GroupKey::Division, GroupKey::State]),
        ("count by standing", all.clone(), vec![GroupKey::Standing]),
        ("count by township", all, vec![GroupKey::Township]),
        ("count of a type by field", svc, vec![GroupKey::Field("service_mode".into())]),
    ]
}

fn deep_pages(reader: &Reader, rows: u64) {
    let svc = Query { types: vec!["SVC".into()], ..Query::default() };
    let mut after = None;
    for _ in 0..200 {
        let query = Query { after: after.take(), ..svc.clone() };
        after = reader.list(&query).expect("the question is sound").next;
    }
    let query = Query { after, ..svc.clone() };
    measure("page 201 by cursor", rows, || {
        reader.list(&query).expect("the question is sound").rows.len() as u64
    });
    let query = Query { offset: 10_000, ..svc };
    measure("page 201 by offset", rows, || {
        reader.list(&query).expect("the question is sound").rows.len() as u64
    });
}

fn measure(name: &str, rows: u64, mut ask: impl FnMut() -> u64) {
    let found = ask();
    let mut times: Vec<f64> = (0..40)
        .map(|_| {
            let started = Instant::now();
            ask();
            started.elapsed().as_secs_f64() * 1_000.0
        })
        .collect();
    times.sort_by(f64::total_cmp);
    let at = |share: usize| (times[times.len() * share / 100] * 100.0).round() / 100.0;
    let line =
        json!({"question": name, "rows": rows, "found": found, "p50_ms": at(50), "p95_ms": at(95)});
    println!("{line}");
}
