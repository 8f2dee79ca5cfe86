//! Too much of everything: dials, small frames, entries beyond the credit, names of logs, questions
//! whose answers nobody reads.

use std::net::Ipv4Addr;
use std::time::{Duration, Instant};

use tokio::io::AsyncWriteExt as _;
use tokio::task::JoinSet;
use xw_schemas::id::{EntryId, LogId};
use xw_schemas::limits::HAVE_TIPS_MAX;
use xw_schemas::wire::{Digests, Frame, Have, Parcel};

use crate::door::connect;
use crate::extent::chosen;
use crate::line::SILENCE;
use crate::node::{GUARD, LOOK_EVERY};
use crate::pen::parcel;
use crate::scene::{GROWTH_MIB, Stage};
use crate::setup::{COUNTY, EAST};

/// Frames said in one breath by an attacker who does not want to be dropped for haste.
const PACE: usize = 128;

/// The same where no answer is read.
const UNREAD_PACE: usize = 16;

/// Dials at a time.
const DIALS_AT_ONCE: usize = 32;

pub(crate) async fn all(stage: &mut Stage) {
    dials(stage).await;
    small_frames(stage).await;
    beyond_credit(stage).await;
    names_of_logs(stage).await;
    unread_answers(stage).await;
}

/// Callers without a key, ten thousand of them, at the township and the county.
async fn dials(stage: &mut Stage) {
    let scene = stage.scene("dials without a key");
    let count = chosen(10_000, 100_000);
    let mut calling = JoinSet::new();
    let mut refused = 0;
    for number in 0..count {
        let target = stage.nodes[if number % 2 == 0 { EAST } else { COUNTY }].address;
        // A few hundred addresses, as many as a small botnet has.
        let from = Ipv4Addr::new(127, 8, (number % 3) as u8, (number % 100) as u8 + 1);
        if calling.len() >= DIALS_AT_ONCE {
            refused += usize::from(matches!(calling.join_next().await, Some(Ok(false))));
        }
        calling.spawn(async move {
            let Ok(mut line) = connect(target, from).await else { return false };
            line.write_all(b"GET / HTTP/1.1\r\n\r\n").await.is_ok()
        });
    }
    while calling.join_next().await.is_some() {}
    let ms = scene.ms().max(1);
    let rate = count as u128 * 1_000 / ms;
    let said = format!("{count} dials, {rate}/s, {refused} not even connected");
    scene.end(&said, GROWTH_MIB).await;
}

/// Small questions of every kind, as fast as the line takes them.
async fn small_frames(stage: &mut Stage) {
    let foothold = stage.foothold().await;
    let scene = stage.scene("small frames");
    let count = chosen(10_000, 100_000);
    let log = foothold.pen.log;
    let (sequence, head) = foothold.pen.head();
    let kinds = [
        Frame::WantEditions { from: 0 },
        Frame::WantBlob { hash: [7; 32], offset: 0 },
        Frame::Have(Have { divisions: None, tips: vec![(log, sequence, head)], answer: true }),
        Frame::Locate { log },
        Frame::Known { log, points: vec![(sequence, head)] },
        Frame::Digests(Digests { groups: Vec::new(), items: Vec::new() }),
        Frame::Ack { bytes: 1 },
        Frame::Hello(foothold.line.hello.clone()),
    ];
    let (mut dropped, mut paced) = (0, 0);
    for kind in kinds {
        let mut line = stage.live(&foothold.keys, EAST).await;
        let mut open = true;
        for _ in 0..count / 8 {
            open = open && line.say(&kind).await;
            line.forget();
        }
        dropped += usize::from(!open || !line.is_open().await);
        // The same at a pace that the node does not mind: as much work, and nothing to drop it for.
        let mut line = stage.live(&foothold.keys, EAST).await;
        let mut said = 0;
        while said < count / 8 && (said % PACE != 0 || line.heard_out().await) {
            if !line.say(&kind).await {
                break;
            }
            said += 1;
        }
        paced += said;
    }
    stage.check_nothing_kept(&foothold).await;
    let why = scene.why(EAST, &foothold.keys, &[]);
    let said = format!("{count}, 8 kinds: {dropped} kinds ended it {why}; {paced} paced heard out");
    scene.end(&said, GROWTH_MIB).await;
}

/// Sound entries without ever waiting for a receipt.
async fn beyond_credit(stage: &mut Stage) {
    let mut foothold = stage.foothold().await;
    let mut pen = foothold.pen.clone();
    let text = "长".repeat(3_000);
    let parcels: Vec<Parcel> =
        (0..40).map(|n| parcel(&pen.edit(foothold.record, &format!("{n}{text}")))).collect();
    let bytes: usize = parcels.iter().map(Parcel::unpacked_bytes).sum();
    let scene = stage.scene("entries beyond the credit");
    let (frames, mut sent) = (chosen(300, 3_000), 0);
    while sent < frames && foothold.line.give(&parcels).await {
        sent += 1;
        foothold.line.forget();
    }
    let open = foothold.line.is_open().await;
    let all = (sent * bytes) >> 20;
    let how = if open { "heard out at the reader's pace" } else { "ended the session" };
    let why = scene.why(EAST, &foothold.keys, &[]);
    let said = format!("{all} MiB unpacked in {sent} frames: {how} {why}");
    scene.end(&said, GROWTH_MIB).await;
}

/// Lists of logs that nobody has heard of.
async fn names_of_logs(stage: &mut Stage) {
    let foothold = stage.foothold().await;
    let scene = stage.scene("logs that are not");
    let (lists, points) = (chosen(600, 6_000), chosen(20_000, 400_000));
    let mut drawn = 0_u64;
    let mut name = || {
        drawn += 1;
        let mut name = [0xab; 32];
        name[..8].copy_from_slice(&drawn.to_be_bytes());
        name
    };
    let mut line = stage.live(&foothold.keys, EAST).await;
    let mut sent = 0;
    while sent < lists && (sent % PACE != 0 || line.heard_out().await) {
        let tips = (0..HAVE_TIPS_MAX).map(|_| (LogId(name()), 9, EntryId([9; 32]))).collect();
        let divisions = Some(vec![foothold.keys.division]);
        if !line.say(&Frame::Have(Have { divisions, tips, answer: false })).await {
            break;
        }
        sent += 1;
    }
    let lists_end = if line.is_open().await { "heard" } else { "ended the session" };
    let mut line = stage.live(&foothold.keys, EAST).await;
    let mut said = 0;
    while said < points && (said % PACE != 0 || line.heard_out().await) {
        let points = vec![(9, EntryId([9; 32]))];
        if !line.say(&Frame::Known { log: LogId(name()), points }).await {
            break;
        }
        said += 1;
    }
    let points_end = if line.is_open().await { "heard" } else { "ended the session" };
    stage.check_nothing_kept(&foothold).await;
    let why = scene.why(EAST, &foothold.keys, &[]);
    let said = format!("{sent} lists of 1,024: {lists_end}; {said} places: {points_end} {why}");
    scene.end(&said, GROWTH_MIB).await;
}

/// Asks for large public pieces, again and again, and reads none of the answers.
async fn unread_answers(stage: &mut Stage) {
    let foothold = stage.foothold().await;
    let scene = stage.scene("answers that nobody reads");
    let asked = chosen(4_000, 40_000);
    let mut line = stage.by_hand(&foothold.keys, EAST).await;
    let Some(Frame::Hello(hello)) = line.hear().await else { panic!("a hello comes first") };
    line.say(&Frame::Hello(hello), GUARD).await;
    let largest = stage.world.definitions.iter().max_by_key(|(_, d)| d.canonical_bytes().len());
    let hash = largest.expect("there are record types").0.0;
    let patience = Duration::from_secs(2);
    let (mut sent, begun) = (0, Instant::now());
    while sent < asked && line.say(&Frame::WantBlob { hash, offset: 0 }, patience).await {
        sent += 1;
        if sent % UNREAD_PACE == 0 {
            // No answer tells when these are heard out; so few take the node some milliseconds.
            tokio::time::sleep(LOOK_EVERY).await;
        }
    }
    let ms = begun.elapsed().as_millis();
    // What is on its way is answered now, in memory or not at all.
    tokio::time::sleep(SILENCE * 4).await;
    let why = scene.why(EAST, &foothold.keys, &[]);
    let said = format!("{sent} questions in {ms} ms for {} MiB {why}", (sent * 48) >> 10);
    scene.end(&said, GROWTH_MIB).await;
}
