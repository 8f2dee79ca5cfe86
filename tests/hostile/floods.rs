//! Too much of everything: dials, small frames, entries beyond the credit, names of logs, questions
//! whose answers nobody reads.

use std::net::Ipv4Addr;
use std::time::{Duration, Instant};

use tokio::io::AsyncWriteExt as _;
use tokio::task::JoinSet;
use tokio::time::timeout;
use xw_schemas::id::{EntryId, LogId};
use xw_schemas::limits::HAVE_TIPS_MAX;
use xw_schemas::wire::{Digests, Frame, Have, Parcel};

use crate::door::{Door, connect};
use crate::extent::chosen;
use crate::line::SILENCE;
use crate::node::{GUARD, LOOK_EVERY, Node};
use crate::pen::parcel;
use crate::raw::Raw;
use crate::scene::{Digest, GROWTH_MIB, Stage};
use crate::setup::{COUNTY, EAST};

/// Frames said in one breath by an attacker who does not want to be dropped for haste.
const PACE: usize = 128;

/// The same where no answer is read, and of frames as long as they may be.
const UNREAD_PACE: usize = 16;

/// Growth allowed by names alone: remembering every one of them would take twice as much, MiB.
const GROWTH_NAMES_MIB: u64 = 16;

/// Openings in one frame.
const OPENINGS_PER_FRAME: usize = 200;

/// Dials at a time.
const DIALS_AT_ONCE: usize = 32;

pub(crate) async fn all(stage: &mut Stage) {
    dials(stage).await;
    dials_with_a_key(stage).await;
    streams(stage).await;
    small_frames(stage).await;
    beyond_credit(stage).await;
    names_of_logs(stage).await;
    unread_answers(stage).await;
    openings(stage).await;
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

/// A key on the roster calls again and again, finishes every handshake and opens nothing.
async fn dials_with_a_key(stage: &mut Stage) {
    let keys = stage.village();
    let scene = stage.scene("dials with a key");
    let count = chosen(500, 10_000);
    let mut calling = JoinSet::new();
    let mut in_vain = 0;
    for _ in 0..count {
        if calling.len() >= DIALS_AT_ONCE {
            in_vain += usize::from(matches!(calling.join_next().await, Some(Ok(false))));
        }
        let (seed, network) = (*keys.node.seed(), stage.world.calling);
        let (target, from) = (stage.nodes[EAST].address, keys.address());
        calling.spawn(async move {
            let door = Door::to(target, from).await;
            let called = timeout(GUARD, Raw::connect(seed, network, door.address)).await;
            called.is_ok_and(|raw| raw.is_ok())
        });
    }
    while let Some(called) = calling.join_next().await {
        in_vain += usize::from(matches!(called, Ok(false)));
    }
    let ms = scene.ms().max(1);
    let rate = count as u128 * 1_000 / ms;
    let said = format!("{count} dials, {rate}/s, {in_vain} turned away before the handshake's end");
    scene.end(&said, GROWTH_MIB).await;
}

/// A key on the roster opens streams without end, on one connection after another.
async fn streams(stage: &mut Stage) {
    let keys = stage.village();
    let scene = stage.scene("streams without end");
    let count = chosen(10_000, 100_000);
    let (mut opened, mut calls) = (0, 0);
    while opened < count {
        let (seed, network) = (*keys.node.seed(), stage.world.calling);
        let (target, from) = (stage.nodes[EAST].address, keys.address());
        calls += 1;
        let door = Door::to(target, from).await;
        let called = timeout(GUARD, Raw::connect(seed, network, door.address)).await;
        // A connection that has just ended may still hold its place.
        let Ok(raw) = called.expect("a call is answered or refused") else { continue };
        opened += timeout(GUARD, raw.streams(count - opened)).await.expect("the flood is ended");
    }
    let said = format!("{opened} streams on {calls} connections, each ended by the node");
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
    let (lists, points) = (chosen(100, 6_000), chosen(20_000, 400_000));
    let mut drawn = 0_u64;
    let mut name = || {
        drawn += 1;
        let mut name = [0xab; 32];
        name[..8].copy_from_slice(&drawn.to_be_bytes());
        name
    };
    let mut line = stage.live(&foothold.keys, EAST).await;
    let mut sent = 0;
    while sent < lists && (sent % UNREAD_PACE != 0 || line.heard_out().await) {
        let tips = (0..HAVE_TIPS_MAX).map(|_| (LogId(name()), 9, EntryId([9; 32]))).collect();
        let divisions = Some(vec![foothold.keys.division]);
        if !line.say(&Frame::Have(Have { divisions, tips, answer: false })).await {
            break;
        }
        sent += 1;
    }
    let lists_end = if line.is_open().await { "heard" } else { "ended the session" };
    // One log in each list, and a thousand ends of it.
    let mut line = stage.live(&foothold.keys, EAST).await;
    let mut long = 0;
    while long < chosen(600, 6_000) && (long % UNREAD_PACE != 0 || line.heard_out().await) {
        let log = LogId(name());
        let tips =
            (0..HAVE_TIPS_MAX as u64).map(|number| (log, number, EntryId([9; 32]))).collect();
        let divisions = Some(vec![foothold.keys.division]);
        if !line.say(&Frame::Have(Have { divisions, tips, answer: false })).await {
            break;
        }
        long += 1;
    }
    let long_end = if line.is_open().await { "heard" } else { "ended the session" };
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
    let said = format!(
        "{sent} lists of 1,024 logs: {lists_end}; {long} of 1,024 ends of one: {long_end}; {said} \
         places: {points_end} {why}"
    );
    scene.end(&said, GROWTH_NAMES_MIB).await;
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

/// One village opens log after log in its own space, each with its first record's worth of nothing.
async fn openings(stage: &mut Stage) {
    let mut foothold = stage.foothold().await;
    let count = chosen(200, 2_000);
    let stores: Vec<u64> = stage.nodes.iter().map(Node::store_bytes).collect();
    let scene = stage.scene("logs without end");
    let mut opened = 0;
    while opened < count {
        let part: Vec<Parcel> =
            (0..OPENINGS_PER_FRAME).map(|_| parcel(&foothold.pen.another_opening())).collect();
        opened += part.len();
        assert!(foothold.line.hand_over(&part).await, "an office may open logs in its own space");
    }
    let space = foothold.pen.space;
    let begun = Instant::now();
    let held = |digest: Digest| digest.map_or(0, |digest| digest.2);
    while held(stage.digest(COUNTY, space).await) < opened as u64 {
        assert!(begun.elapsed() < GUARD, "the county does not get them");
        tokio::time::sleep(LOOK_EVERY).await;
    }
    let grown =
        stage.nodes.iter().zip(&stores).map(|(n, was)| n.store_bytes().saturating_sub(*was));
    let kib = grown.max().unwrap_or_default() >> 10;
    let ms = begun.elapsed().as_millis();
    let said = format!(
        "{opened} logs at the township, {ms} ms later at the county; a store grew by {kib} KiB"
    );
    scene.end(&said, GROWTH_MIB).await;
}
