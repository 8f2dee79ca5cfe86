//! A new PC whose neighbours lie, but for one: one says nothing, one agrees with everything, one
//! promises what never comes, one sends half. It gets everything all the same (threats.md T37).

use std::collections::BTreeSet;
use std::net::{Ipv4Addr, SocketAddr};
use std::sync::Arc;
use std::time::Instant;

use serde_json::{Value as Json, json};
use tokio::sync::mpsc;
use tokio::task::JoinSet;
use xw_ledger::draft::Signed;
use xw_net::{Net, NetConfig, NetEvent, NetLimits, PeerKey};
use xw_schemas::id::{CopyId, EditionId, EntryId, LogId};
use xw_schemas::space::{Audience, Space};
use xw_schemas::wire::{Frame, Have, Hello, PackedEntries, Parcel};

use crate::enrol;
use crate::folder::Neighbour;
use crate::pen::parcel;
use crate::program;
use crate::pulse::proposal;
use crate::reading::everything;
use crate::scene::{GROWTH_MIB, Stage};
use crate::setup::{COUNTY, EAST, EAST_VILLAGE, Keys, World};

/// Entries in one frame of the one who sends half.
const FRAME_ENTRIES: usize = 16;

/// How a neighbour lies.
#[derive(Clone, Copy)]
enum Lie {
    /// Takes the call and says nothing at all.
    Mute,
    /// Holds whatever the caller holds.
    Agrees,
    /// Holds more editions and longer logs than there are, and sends none of it.
    Promises,
    /// Sends the first half of every log and says that the rest is on its way.
    Half,
}

/// Who lies how: two PCs of the county, two of the township.
const LIARS: [(usize, u8, Lie); 4] = [
    (COUNTY, 1, Lie::Mute),
    (COUNTY, 2, Lie::Agrees),
    (EAST, 1, Lie::Promises),
    (EAST, 2, Lie::Half),
];

pub(crate) async fn all(stage: &mut Stage) {
    let owner = stage.honest[EAST_VILLAGE].at_pc(1);
    let held = Arc::new(everything(stage, &owner, EAST).await);
    let space = Space { division: owner.division, audience: Audience::Office };
    let entries = stage.digest(EAST, space).await.expect("the village has written").2;
    let scene = stage.scene("one honest neighbour of five");
    let (mut lying, mut neighbours) = (JoinSet::new(), Vec::new());
    for (seat, pc, lie) in LIARS {
        let keys = stage.honest[seat].at_pc(pc);
        let (net, news, address) = listen(&stage.world, &keys, &owner).await;
        lying.spawn(answer_all(net, news, lie, Arc::clone(&held)));
        neighbours.push(Neighbour { key: keys.node.public(), office: keys.name.clone(), address });
    }
    let honest = &stage.nodes[EAST];
    let (key, office) = (honest.key, honest.name.to_owned());
    neighbours.push(Neighbour { key, office, address: honest.address });
    let (path, port) = (program::folder("eclipse"), enrol::free_ports(1)[0]);
    let node = enrol::one("新电脑", &path, &stage.world, &owner, port, &neighbours);
    let begun = Instant::now();
    node.start();
    node.up().await;
    node.tell(enrol::unlock(&owner)).await;
    let all = |answer: &Json| {
        let spaces = answer["spaces"].as_array().cloned().unwrap_or_default();
        let here = spaces.into_iter().find(|held| held["space"] == space.to_string());
        here.and_then(|here| here["entries"].as_u64()).is_some_and(|n| n >= entries)
    };
    node.wait_for("everything that the honest neighbour holds", json!({"do": "digest"}), all).await;
    let synced = begun.elapsed().as_millis();
    let made = node.tell(proposal(&owner.division.to_string())).await;
    let asked = json!({"do": "show", "record": made["record"]});
    honest.wait_for("the new PC's record", asked, |shown| shown["state"] == "proposed").await;
    let written = begun.elapsed().as_millis() - synced;
    let report = node.tell(json!({"do": "verify"})).await;
    assert_eq!(report["sound"], true, "{report}");
    node.check_unharmed();
    tokio::task::block_in_place(|| node.stop());
    lying.abort_all();
    let _ = std::fs::remove_dir_all(path);
    let said = format!(
        "4 liars: all {entries} entries after {synced} ms, its own record at the township {written} \
         ms later"
    );
    scene.end(&said, GROWTH_MIB).await;
}

/// A network that a PC reaches at an address of its own and that lets in one caller.
async fn listen(
    world: &World,
    keys: &Keys,
    caller: &Keys,
) -> (Net, mpsc::Receiver<NetEvent>, SocketAddr) {
    let (net, mut news) = Net::start(NetConfig {
        node_seed: keys.node.seed(),
        network: world.calling,
        listen: vec![SocketAddr::from((Ipv4Addr::LOCALHOST, 0))],
        limits: NetLimits::township(),
    })
    .await
    .expect("a port is free");
    net.allow(BTreeSet::from([PeerKey(caller.node.public().0)]));
    loop {
        if let Some(NetEvent::Listening { addr }) = news.recv().await {
            return (net, news, addr);
        }
    }
}

async fn answer_all(
    net: Net,
    mut news: mpsc::Receiver<NetEvent>,
    lie: Lie,
    held: Arc<Vec<Signed>>,
) {
    while let Some(event) = news.recv().await {
        let NetEvent::Frame { session, bytes } = event else { continue };
        let frame = Frame::decode(&bytes).expect("an honest node writes sound frames");
        for answer in answers(lie, &frame, &held) {
            // What does not fit into the queue is not said: a liar may do that, too.
            let _ = net.send(session, answer.encode());
        }
    }
}

fn answers(lie: Lie, heard: &Frame, held: &[Signed]) -> Vec<Frame> {
    let far = (1 << 20, EntryId([8; 32]));
    match (lie, heard) {
        (Lie::Agrees, Frame::Hello(hello)) => vec![Frame::Hello(hello.clone())],
        (Lie::Promises, Frame::Hello(hello)) => {
            let (roster, editions) = (EditionId([6; 32]), hello.editions + 9);
            vec![Frame::Hello(Hello { roster_number: 900, roster, editions, ..hello.clone() })]
        }
        (Lie::Promises, Frame::WantEditions { .. }) => {
            vec![Frame::Editions((0..9).map(|n| CopyId([n; 32])).collect())]
        }
        (Lie::Half, Frame::Hello(hello)) => {
            let mut said = vec![Frame::Hello(Hello { digest: [4; 32], ..hello.clone() })];
            let tips = heads(held);
            said.push(Frame::Have(Have { divisions: None, tips, answer: false }));
            let half: Vec<Parcel> = first_half(held).map(parcel).collect();
            let frames = half.chunks(FRAME_ENTRIES);
            said.extend(frames.map(|part| Frame::Entries(PackedEntries::pack(part))));
            said
        }
        (Lie::Promises | Lie::Half, Frame::Locate { log }) => {
            vec![Frame::Known { log: *log, points: vec![far] }]
        }
        _ => Vec::new(),
    }
}

/// The true heads of all logs.
fn heads(held: &[Signed]) -> Vec<(LogId, u64, EntryId)> {
    let mut heads = std::collections::BTreeMap::new();
    for signed in held {
        let core = signed.entry.core();
        heads.insert(core.log, (core.sequence, signed.entry.id()));
    }
    heads.into_iter().map(|(log, (sequence, id))| (log, sequence, id)).collect()
}

/// The lower half of every log, in the order in which it came.
fn first_half(held: &[Signed]) -> impl Iterator<Item = &Signed> {
    let heads = heads(held);
    let size = move |log: LogId| heads.iter().find(|head| head.0 == log).map_or(0, |head| head.1);
    held.iter().filter(move |signed| {
        let core = signed.entry.core();
        core.sequence <= size(core.log) / 2
    })
}
