//! Those who begin and do not go on: callers that stay silent, half a request, half a frame,
//! readers that never acknowledge, peers that promise what never comes.

use std::collections::BTreeSet;
use std::net::Ipv4Addr;
use std::time::{Duration, Instant};

use serde_json::json;
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::TcpStream;
use xw_schemas::id::{EntryId, LogId};
use xw_schemas::limits::{CREDIT_BYTES_START, ENTRIES_UNPACKED_AIM};
use xw_schemas::wire::{Digests, Frame, Have, Parcel};

use crate::by_hand::ByHand;
use crate::door::connect;
use crate::extent::chosen;
use crate::foothold::Foothold;
use crate::guesses;
use crate::line::{Line, SILENCE};
use crate::node::{GUARD, LOOK_EVERY};
use crate::pen::parcel;
use crate::reading::everything;
use crate::scene::{GROWTH_MIB, Stage};
use crate::setup::{COUNTY, EAST};

/// An honest request to an API under attack is answered within this time (threats.md T34).
const API_PROMPT: Duration = Duration::from_secs(1);

/// A half-open connection is gone after this time (threats.md T34: header or handshake 10 s).
const HALF_OPEN_MAX: Duration = Duration::from_secs(15);

/// A session that says no hello or stops inside a frame is gone after this time: the deadlines are
/// 30 s.
const MUTE_MAX: Duration = Duration::from_secs(45);

/// How long a village cries wolf.
const ALARM_MS: u128 = 3_000;

/// A township's clerk waits no longer than this for a change, whatever a village claims.
const ALARM_PROMPT: Duration = Duration::from_secs(2);

/// Attacks that last as long as everything else.
pub(crate) struct Stalls {
    begun: Instant,
    mute: Vec<Line>,
    half_frames: Vec<ByHand>,
}

/// Begins what only time ends: sessions without a hello, frames without an end.
pub(crate) async fn begin(stage: &mut Stage) -> Stalls {
    let mut stalls = Stalls { begun: Instant::now(), mute: Vec::new(), half_frames: Vec::new() };
    for _ in 0..2 {
        let (mute, half) = (stage.village(), stage.village());
        stalls.mute.push(Line::call(&stage.world, &mute, &stage.nodes[EAST]).await);
        let mut line = stage.by_hand(&half, EAST).await;
        use futures::AsyncWriteExt as _;
        // Sixteen bytes are announced and three come.
        line.stream.write_all(&[0, 0, 0, 16, 1, 2, 3]).await.expect("it goes out");
        line.stream.flush().await.expect("it goes out");
        stalls.half_frames.push(line);
    }
    stalls
}

impl Stalls {
    /// Waits until the honest node has ended them all.
    pub(crate) async fn end(mut self, stage: &Stage) {
        let scene = stage.scene("half-open sessions");
        for line in &mut self.mute {
            line.ended().await;
        }
        for line in &mut self.half_frames {
            line.until_ended(MUTE_MAX).await;
        }
        let s = self.begun.elapsed().as_secs();
        let said = format!("2 without a hello, 2 inside a frame: all ended, the last within {s} s");
        scene.end(&said, GROWTH_MIB).await;
    }
}

pub(crate) async fn all(stage: &mut Stage) {
    // The one waits, the other works.
    tokio::join!(half_open(stage), guesses::all(stage));
    never_acknowledging(stage).await;
    lying_heads(stage).await;
    false_alarm(stage).await;
}

/// Calls that never finish the handshake, and half of a request to the township's API, hundreds of
/// times, while its clerk works.
async fn half_open(stage: &Stage) {
    let scene = stage.scene("half-open calls and half requests");
    let (calls, requests) = tokio::join!(half_open_calls(stage), half_requests(stage));
    scene.end(&format!("{calls}; {requests}"), GROWTH_MIB).await;
}

async fn half_open_calls(stage: &Stage) -> String {
    let count = chosen(200, 2_000);
    let mut silent = Vec::new();
    for number in 0..count {
        let from = Ipv4Addr::new(127, 7, (number / 200) as u8, (number % 200) as u8 + 1);
        let mut line = connect(stage.nodes[EAST].address, from).await.expect("the port is open");
        if number % 2 == 0 {
            // Half of the first line of the handshake.
            let _ = line.write_all(&[0x13, b'/', b'm', b'u']).await;
        }
        silent.push(line);
    }
    let begun = Instant::now();
    for line in &mut silent {
        let left = HALF_OPEN_MAX.saturating_sub(begun.elapsed());
        tokio::time::timeout(left, read_out(line)).await.expect("half-open calls are ended");
    }
    format!("{count} silent callers, all gone after {} ms", begun.elapsed().as_millis())
}

async fn read_out(line: &mut TcpStream) {
    let mut bytes = [0; 1_024];
    while matches!(line.read(&mut bytes).await, Ok(count) if count > 0) {}
}

async fn half_requests(stage: &Stage) -> String {
    let count = chosen(500, 1_000);
    let address = stage.nodes[EAST].api_address();
    let halves: [&[u8]; 4] = [
        b"",
        b"POST /api/v1/call HT",
        b"POST /api/v1/call HTTP/1.1\r\nHost: 127.0.0.1\r\n",
        b"POST /api/v1/call HTTP/1.1\r\nHost: 127.0.0.1\r\nContent-Type: application/json\r\n\
          Content-Length: 40000000\r\n\r\n{\"do\":",
    ];
    let mut half = Vec::new();
    for number in 0..count {
        let Ok(mut line) = TcpStream::connect(address).await else { continue };
        let _ = line.write_all(halves[number % halves.len()]).await;
        half.push(line);
    }
    let begun = Instant::now();
    let mut answers = Vec::new();
    let mut open = half.len();
    while open > 0 {
        let asked = Instant::now();
        stage.nodes[EAST].tell(json!({"do": "types"})).await;
        answers.push(asked.elapsed());
        open = half.iter().filter(|line| is_open(line)).count();
        assert!(begun.elapsed() < HALF_OPEN_MAX, "{open} half requests are still open");
        tokio::time::sleep(LOOK_EVERY).await;
    }
    answers.sort_unstable();
    let at = |percent: usize| answers[(answers.len() - 1) * percent / 100].as_millis();
    assert!(at(99) < API_PROMPT.as_millis(), "an honest request took {} ms", at(99));
    format!(
        "{count} half requests, all gone after {} ms, honest ones p50/p99 {}/{} ms",
        begun.elapsed().as_millis(),
        at(50),
        at(99)
    )
}

/// Whether the other side holds the connection; what it has said is read and forgotten.
fn is_open(line: &TcpStream) -> bool {
    let mut bytes = [0; 1_024];
    loop {
        match line.try_read(&mut bytes) {
            Ok(0) => return false,
            Ok(_) => {}
            Err(error) => return error.kind() == std::io::ErrorKind::WouldBlock,
        }
    }
}

/// Asks for everything and acknowledges nothing.
async fn never_acknowledging(stage: &mut Stage) {
    let mut foothold = stage.foothold().await;
    let text = "长".repeat(1_000);
    // Far more than the credit, so that it is the credit that ends the sending.
    for _ in 0..6 {
        let (record, created) = foothold.pen.create();
        let mut parcels = vec![parcel(&created)];
        parcels.extend((0..40).map(|n| parcel(&foothold.pen.edit(record, &format!("{n}{text}")))));
        assert!(foothold.line.hand_over(&parcels).await, "honest entries are taken");
    }
    let Foothold { keys, line, .. } = foothold;
    drop(line);
    let scene = stage.scene("never acknowledging");
    let mut line = Line::call(&stage.world, &keys, &stage.nodes[EAST]).await;
    line.acknowledges = false;
    let mut hello = line.hello.clone();
    hello.digest = [1; 32];
    line.say(&Frame::Hello(hello)).await;
    let nothing = Have { divisions: None, tips: Vec::new(), answer: false };
    line.say(&Frame::Have(nothing)).await;
    let mut bytes = 0;
    while let Some(frame) = line.next_within(SILENCE * 2).await {
        if let Frame::Entries(packed) = frame {
            bytes += packed.unpacked;
        }
    }
    let most = CREDIT_BYTES_START + ENTRIES_UNPACKED_AIM as u64;
    assert!(bytes > 0 && bytes <= most, "{bytes} bytes are under way");
    let said = format!("{} KiB under way, then nothing more", bytes >> 10);
    scene.end(&said, GROWTH_MIB).await;
}

/// Promises heads that do not exist, agrees with everything, and stalls. What it kept back comes by
/// another way.
async fn lying_heads(stage: &mut Stage) {
    let mut foothold = stage.foothold().await;
    let scene = stage.scene("lying heads, stalled sync");
    let log = foothold.pen.log;
    let mut line = Line::call(&stage.world, &foothold.keys, &stage.nodes[EAST]).await;
    let mut hello = line.hello.clone();
    hello.digest = [2; 32];
    line.say(&Frame::Hello(hello)).await;
    let far = |log: LogId| (log, 1 << 30, EntryId([8; 32]));
    let tips = vec![far(log), (log, 1, EntryId([1; 32])), far(LogId([9; 32]))];
    let divisions = Some(vec![foothold.keys.division]);
    line.say(&Frame::Have(Have { divisions, tips, answer: true })).await;
    line.say(&Frame::Known { log, points: vec![(1 << 30, EntryId([8; 32]))] }).await;
    let groups = vec![foothold.keys.division];
    let items = vec![(foothold.keys.division, [7; 32])];
    line.say(&Frame::Digests(Digests { groups, items })).await;
    // The true next entry goes to the county alone, while the lie stands at the township.
    let word: Parcel = parcel(&foothold.pen.edit(foothold.record, "真话"));
    let mut other = stage.live(&foothold.keys, COUNTY).await;
    let begun = Instant::now();
    assert!(other.hand_over(&[word]).await, "the county takes it");
    let asked = json!({"do": "show", "record": foothold.record});
    stage.nodes[EAST].wait_for("the truth", asked, |shown| shown["changes"] == 2).await;
    let ms = begun.elapsed().as_millis();
    assert!(begun.elapsed() < GUARD);
    let open = line.is_open().await;
    let how = if open { "is still heard" } else { "was dropped" };
    scene
        .end(&format!("the truth came by the county after {ms} ms; the liar {how}"), GROWTH_MIB)
        .await;
}

/// Says again and again that it knows entries of the township's own log that the township does not
/// hold. Without a signature of the township's that is talk: it neither stops working nor begins
/// new logs for it.
async fn false_alarm(stage: &mut Stage) {
    let foothold = stage.foothold().await;
    let logs = logs_of_the_township(stage, &foothold).await;
    assert!(!logs.is_empty(), "the township has witnessed in this space");
    let scene = stage.scene("false alarm about one's own log");
    let mut line = stage.live(&foothold.keys, EAST).await;
    let (mut worst, mut said) = (Duration::ZERO, 0);
    while scene.ms() < ALARM_MS {
        for log in &logs {
            let (number, id) = (1 << 20, EntryId([7; 32]));
            line.say(&Frame::Known { log: *log, points: vec![(number, id)] }).await;
            let (divisions, tips) = (Some(vec![foothold.keys.division]), vec![(*log, number, id)]);
            line.say(&Frame::Have(Have { divisions, tips, answer: false })).await;
            said += 2;
        }
        let asked = Instant::now();
        let edit = json!({
            "do": "edit", "record": foothold.record, "fields": {"remarks": format!("第{said}次")},
        });
        let written = tokio::time::timeout(ALARM_PROMPT, stage.nodes[EAST].tell(edit)).await;
        assert!(written.is_ok(), "the township's clerk cannot write while a village cries wolf");
        worst = worst.max(asked.elapsed());
        line.forget();
    }
    assert_eq!(logs_of_the_township(stage, &foothold).await, logs, "new logs for talk alone");
    let said = format!("{said} claims: a clerk's change took {} ms at most", worst.as_millis());
    scene.end(&said, GROWTH_MIB).await;
}

/// The logs that the township writes in the village's space, as it sends them to whoever has nothing.
async fn logs_of_the_township(stage: &Stage, foothold: &Foothold) -> BTreeSet<LogId> {
    let held = everything(stage, &foothold.keys, EAST).await;
    let own = held.iter().filter(|signed| signed.entry.node() == stage.nodes[EAST].key);
    own.map(|signed| signed.entry.core().log).collect()
}
