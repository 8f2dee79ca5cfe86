//! A hundred thousand sound frames in an order that no honest neighbour says them in, with names of
//! logs and entries that are held, that are not, and that never were: the replica answers each within
//! bounds, whatever came before.

use std::collections::BTreeMap;
use std::time::{Duration, Instant};

use xw_ledger::log::Logs;
use xw_ledger::roster::Chain;
use xw_replica::{Effect, Event, Held, Replica, SessionId};
use xw_schemas::id::{CopyId, EditionId, EntryId, LogId};
use xw_schemas::limits::HAVE_TIPS_MAX;
use xw_schemas::space::Division;
use xw_schemas::wire::{BlobChunk, Digests, Frame, Have, Hello, KNOWN_MAX, Parcel};
use xw_tests::Dice;

use crate::case::{Case, edits};
use crate::county::{EAST, TOWN, county};
use crate::inputs;
use crate::meter::{Before, alone};
use crate::world::put;

/// Frames in CI (threats.md T31).
const FRAMES: u64 = 100_000;

/// Frames of one conversation; the next begins with a clean slate.
const FRAMES_EACH: u64 = 400;

/// One frame keeps the loop busy no longer than this.
const SLOWEST: Duration = Duration::from_millis(50);

/// Memory by which all of it may make the process grow.
const GROWTH_KIB_MAX: u64 = 64 << 10;

/// Answers to one frame: a bye, a list in pieces, entries.
const ANSWERS_MAX: usize = 4_096;

/// What both sides may name.
struct Names {
    hello: Hello,
    logs: Vec<LogId>,
    points: Vec<(u64, EntryId)>,
    divisions: Vec<Division>,
}

#[test]
fn sound_frames_in_no_sound_order() {
    let _alone = alone();
    let mut case = Case::new();
    for text in ["甲", "乙", "丙", "丁"] {
        case.village("VAGT", None, edits(put("remarks", text)));
    }
    let (chain, mut logs) = (county().chain(), Logs::new());
    for written in &case.world.written {
        logs.place(chain.roster(), &written.entry).unwrap();
    }
    let held = Held { chain: &chain, logs: &logs, missing_definitions: &[] };
    let [own, peer] = [TOWN, EAST].map(|office| county().offices[office].node.public());
    let (mut dice, before) = (Dice::new(0x7461_6c6b), Before::now());
    let (mut slowest, mut closed, mut answers) = (Duration::ZERO, 0, 0);
    let frames = inputs(FRAMES);
    let mut names = names(&chain, &logs);
    let mut said = 0;
    while said < frames {
        let (mut replica, session, mut now_ms) = (Replica::new(own), SessionId(said), 1);
        let opened = Event::Opened { session, peer, dialer: dice.chance(50) };
        for effect in replica.handle(held, now_ms, opened) {
            if let Effect::Send { frame: Frame::Hello(hello), .. } = effect {
                names.hello = hello;
            }
        }
        for _ in 0..FRAMES_EACH {
            said += 1;
            now_ms += dice.below(300);
            // What no decoder takes never gets here.
            let Ok(frame) = Frame::decode(&frame(&names, &mut dice).encode()) else { continue };
            let begun = Instant::now();
            let mut effects = replica.handle(held, now_ms, Event::Frame { session, frame });
            slowest = slowest.max(begun.elapsed());
            assert!(effects.len() <= ANSWERS_MAX, "{} answers to one frame", effects.len());
            let mut over = false;
            while let Some(effect) = effects.pop() {
                answers += 1;
                over |= matches!(effect, Effect::Close { .. });
                if let Some(event) = done(effect) {
                    effects.extend(replica.handle(held, now_ms, event));
                }
            }
            if over {
                closed += 1;
                break;
            }
        }
        replica.handle(held, now_ms, Event::Closed { session });
    }
    let grown = before.grown();
    println!(
        "{said} frames, {closed} conversations ended by them, {answers} answers | slowest {} µs | \
         +{grown} KiB",
        slowest.as_micros()
    );
    assert!(slowest <= SLOWEST && grown <= GROWTH_KIB_MAX, "{slowest:?}, {grown} KiB");
}

/// What the shell makes of an effect.
fn done(effect: Effect) -> Option<Event> {
    match effect {
        Effect::Load { session, log, points, .. } => {
            let parcels = vec![Parcel { envelope: vec![1; 500], body: None }];
            Some(Event::Loaded { session, log, upto: *points.first()?, parcels })
        }
        Effect::ReadBlob { session, hash, offset } => {
            Some(Event::BlobRead { session, hash, offset, bytes: Some(vec![0; 5_000]) })
        }
        _ => None,
    }
}

fn names(chain: &Chain, logs: &Logs) -> Names {
    let mut points = vec![(0, EntryId([0; 32])), (1 << 30, EntryId([8; 32]))];
    for (_, log) in logs.iter() {
        points.extend(log.tips());
        points.extend((0..).zip(log.path(log.tips()[0]).unwrap()));
    }
    let mut names: Vec<LogId> = logs.iter().map(|(id, _)| *id).collect();
    names.extend([LogId([0; 32]), LogId([9; 32])]);
    let divisions = county().offices.iter().map(|office| office.division).collect();
    let roster = chain.roster();
    let hello = Hello {
        network: roster.network(),
        roster_number: roster.number(),
        roster: roster.state(),
        editions: chain.count(),
        digest: [0; 32],
    };
    Names { hello, logs: names, points, divisions }
}

/// Any frame at all, long lists included.
fn frame(names: &Names, dice: &mut Dice) -> Frame {
    let log = *dice.pick(&names.logs).unwrap();
    match dice.below(16) {
        0..=2 => Frame::Hello(hello(names, dice)),
        3 => Frame::WantEditions { from: dice.below(4) },
        4 => Frame::Editions((0..dice.below(40)).map(|_| CopyId(dice.bytes())).collect()),
        5 => Frame::WantBlob { hash: *dice.pick(&blobs()).unwrap(), offset: dice.below(1 << 20) },
        6 => Frame::Blob(BlobChunk {
            hash: *dice.pick(&blobs()).unwrap(),
            offset: dice.below(3) * 100,
            total: dice.bits() >> dice.below(64),
            bytes: vec![7; usize::try_from(dice.below(200)).unwrap()],
        }),
        7 => Frame::Ack { bytes: dice.bits() >> dice.below(64) },
        8 => Frame::Locate { log },
        9 | 10 => Frame::Known { log, points: points(names, dice, KNOWN_MAX) },
        11 => Frame::Digests(Digests {
            groups: divisions(names, dice),
            items: divisions(names, dice).into_iter().map(|d| (d, dice.bytes())).collect(),
        }),
        12 if dice.chance(2) => {
            let tips = (0..HAVE_TIPS_MAX).map(|_| (LogId(dice.bytes()), 9, EntryId([9; 32])));
            let tips = by_log(tips.collect());
            Frame::Have(Have { divisions: None, tips, answer: dice.chance(50) })
        }
        _ => {
            let tips = (0..dice.below(6)).map(|_| {
                let (number, id) = *dice.pick(&names.points).unwrap();
                (*dice.pick(&names.logs).unwrap(), number, id)
            });
            let tips = by_log(tips.collect());
            let divisions = dice.chance(50).then(|| divisions(names, dice));
            Frame::Have(Have { divisions, tips, answer: dice.chance(50) })
        }
    }
}

fn hello(names: &Names, dice: &mut Dice) -> Hello {
    let mut hello = names.hello.clone();
    match dice.below(6) {
        0 => hello.digest = dice.bytes(),
        1 => hello.roster = EditionId(dice.bytes()),
        2 => hello.editions = dice.bits() >> dice.below(64),
        _ => {}
    }
    hello
}

fn blobs() -> [[u8; 32]; 3] {
    [county().founding.id().0, [0; 32], [5; 32]]
}

fn points(names: &Names, dice: &mut Dice, most: usize) -> Vec<(u64, EntryId)> {
    let count = dice.below(most as u64 + 1);
    (0..count).map(|_| *dice.pick(&names.points).unwrap()).collect()
}

fn divisions(names: &Names, dice: &mut Dice) -> Vec<Division> {
    (0..dice.below(4)).map(|_| *dice.pick(&names.divisions).unwrap()).collect()
}

/// Lists name a log in order; forks name it twice.
fn by_log(tips: Vec<(LogId, u64, EntryId)>) -> Vec<(LogId, u64, EntryId)> {
    let sorted: BTreeMap<(LogId, u64, EntryId), ()> =
        tips.into_iter().map(|tip| (tip, ())).collect();
    sorted.into_keys().collect()
}
