//! Two real processes on loopback with a counting line between them: a cold copy, a reconnect with
//! no difference, one new record.

use std::cell::Cell;
use std::net::SocketAddr;
use std::path::Path;
use std::time::Duration;

use serde_json::json;
use xw_store::Reader;

use crate::county::{Node, wait};
use crate::floor::Floor;
use crate::line::{self, Meter};
use crate::material::Village;
use crate::nodes::folder::{self, Office};
use crate::{figure, ms};

/// Records sent one by one.
const SINGLES: usize = 20;

/// A line is quiet when nothing went over it for so long: longer than a witness's delay.
const QUIET: Duration = Duration::from_millis(2_500);

pub(crate) fn measure(program: &Path, village: Village, floor: &Floor) {
    let port = free_port();
    let (address, meter) = line::open(port);
    edit_settings(&village.township, port, None);
    let township_key = village.offices.0.node.public().to_string();
    edit_settings(
        &village.village,
        "127.0.0.1:0".parse().expect("an address"),
        Some((&township_key, address)),
    );
    let township = Node::start(program, &village.township);
    township.unlock(&village.offices.0);
    let reader = reader(&village.township, &village.offices.0);
    meter.reset();
    let node = Node::start(program, &village.village);
    node.unlock(&village.offices.1);
    cold(&village, floor, &meter, &reader, &township);
    quiet(&meter);
    reconnect(&village, &meter);
    single(program, &village, &meter, &reader);
    figure(&json!({
        "bench": "memory", "records": village.count,
        "receiver_peak_mb": township.peak_mb(), "sender_peak_mb": node.peak_mb(),
    }));
    node.stop();
    township.stop();
    let _ = std::fs::remove_dir_all(&village.dir);
}

fn cold(village: &Village, floor: &Floor, meter: &Meter, reader: &Reader, township: &Node) {
    // The village had some more records made while the floor was measured.
    let source = self::reader(&village.village, &village.offices.1);
    let wanted = source.size().expect("it reads");
    wait("the first byte", || meter.span().is_some());
    let (first, _) = meter.span().expect("it was just there");
    let stored = Cell::new(None);
    wait("all records to be visible", || {
        let size = reader.size().expect("it reads");
        if stored.get().is_none() && size.entries >= wanted.entries {
            stored.set(Some(first.elapsed()));
        }
        size.records >= wanted.records
    });
    let stored = stored.get().expect("what is visible was stored before");
    let visible = first.elapsed();
    let rate = |time: Duration| wanted.records as f64 / time.as_secs_f64();
    figure(&json!({
        "bench": "cold_sync", "records": wanted.records, "entries": wanted.entries,
        "stored_per_s": rate(stored).round(), "visible_per_s": rate(visible).round(),
        "ratio_stored_to_verify_floor": (rate(stored) / floor.verify * 100.0).round() / 100.0,
        "ratio_visible_to_insert_floor": (rate(visible) / floor.insert * 100.0).round() / 100.0,
        "bytes_per_record": meter.bytes() / wanted.records,
        "receiver_peak_mb": township.peak_mb(),
    }));
}

/// Waits until nothing has gone over the line for a while.
fn quiet(meter: &Meter) {
    wait("a quiet line", || meter.span().is_some_and(|(_, last)| last.elapsed() > QUIET));
}

fn reconnect(village: &Village, meter: &Meter) {
    meter.cut();
    meter.reset();
    meter.heal();
    wait("the reconnection", || meter.span().is_some());
    wait("it to be quiet", || {
        meter.span().is_some_and(|(_, last)| last.elapsed() > Duration::from_secs(1))
    });
    let (first, last) = meter.span().expect("it was there");
    figure(&json!({
        "bench": "reconnect_no_difference", "records": village.count,
        "bytes": meter.bytes(), "ms": ms(last - first),
    }));
}

fn single(program: &Path, village: &Village, meter: &Meter, reader: &Reader) {
    let (mut times, mut bytes) = (Vec::new(), Vec::new());
    let fields = village.dir.join("one.json");
    let (_, content) = &village.contents[0];
    let json = xw_schemas::record::to_json(content);
    std::fs::write(&fields, json.to_string()).expect("a file");
    for _ in 0..SINGLES {
        quiet(meter);
        meter.reset();
        let before = reader.size().expect("it reads").records;
        let kind = &village.definitions[village.contents[0].0].code;
        let made = std::process::Command::new(program)
            .arg("--dir")
            .arg(&village.village)
            .args(["--json", "record", "new", kind, "--json-file"])
            .arg(&fields)
            .output()
            .expect("the program runs");
        assert!(made.status.success(), "{}", String::from_utf8_lossy(&made.stderr));
        wait("the record at the township", || reader.size().expect("it reads").records > before);
        // From the first byte on the line until it is visible; what follows is the witness.
        let (first, _) = meter.span().expect("it was sent");
        times.push(ms(first.elapsed()));
        bytes.push(meter.bytes());
    }
    times.sort_by(f64::total_cmp);
    bytes.sort_unstable();
    figure(&json!({
        "bench": "one_new_record", "records": village.count, "n": SINGLES,
        "bytes_p50": bytes[bytes.len() / 2],
        "ms_p50": times[times.len() / 2], "ms_max": times[times.len() - 1],
    }));
}

fn free_port() -> SocketAddr {
    let listener = std::net::TcpListener::bind("127.0.0.1:0").expect("a free port");
    listener.local_addr().expect("it is bound")
}

/// Another connection to an office's store.
fn reader(dir: &Path, office: &Office) -> Reader {
    let (keys, key) = (folder::store_keys(office), folder::office_key(office));
    Reader::open_with(&dir.join("store.db"), Some(&keys), Some(&key)).expect("the store")
}

/// Writes where a node listens and whom it dials.
fn edit_settings(dir: &Path, listen: SocketAddr, dial: Option<(&str, SocketAddr)>) {
    let path = dir.join("node.toml");
    let text = std::fs::read_to_string(&path).expect("it is there");
    let mut settings: toml::Table = text.parse().expect("it is TOML");
    settings.insert("listen".to_owned(), toml::Value::Array(vec![listen.to_string().into()]));
    let mut neighbours = Vec::new();
    if let Some((key, address)) = dial {
        let mut neighbour = toml::Table::new();
        neighbour.insert("key".to_owned(), key.into());
        neighbour.insert("office".to_owned(), "township".into());
        neighbour
            .insert("addresses".to_owned(), toml::Value::Array(vec![address.to_string().into()]));
        neighbours.push(toml::Value::Table(neighbour));
    }
    settings.insert("neighbour".to_owned(), toml::Value::Array(neighbours));
    std::fs::write(&path, settings.to_string()).expect("it writes");
}
