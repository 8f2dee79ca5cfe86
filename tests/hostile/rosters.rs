//! Lies about who belongs: editions signed by too few, by strangers, by one key twice, of another
//! county, beyond a gap, and the old roster after a new one.

use std::time::Instant;

use serde_json::{Value as Json, json};
use xw_schemas::cose::{self, CoseSignature, Purpose, SecretKey};
use xw_schemas::edition::{Edition, EditionCore, Fact, Scope};
use xw_schemas::hash::tagged;
use xw_schemas::id::{CopyId, EditionId};
use xw_schemas::limits::{BLOB_CHUNK_BYTES, EDITION_BYTES_MAX};
use xw_schemas::wire::{BlobChunk, Frame, Hello};

use crate::line::{Line, SILENCE};
use crate::scene::{GROWTH_MIB, Stage};
use crate::setup::{COUNTY, EAST, FOUNDED_MS, Keys};

/// Editions of its own making that a village offers.
const UNDELEGATED: u64 = 40;

pub(crate) async fn all(stage: &mut Stage) {
    false_editions(stage).await;
    rollback(stage).await;
    undelegated(stage).await;
}

/// What a hostile peer offers as a roster edition: its name and its bytes.
struct Offer {
    id: CopyId,
    bytes: Vec<u8>,
}

impl Offer {
    fn of(edition: &Edition) -> Self {
        Self { id: edition.copy_id(), bytes: edition.bytes().to_vec() }
    }
}

/// Says that it holds more editions than the other side and serves them when asked. Gives how many
/// pieces were fetched.
async fn offer(line: &mut Line, hello: Hello, offers: &[Offer]) -> usize {
    line.say(&Frame::Hello(hello)).await;
    let mut fetched = 0;
    while let Some(frame) = line.next_within(SILENCE).await {
        match frame {
            Frame::WantEditions { .. } => {
                let ids = offers.iter().map(|offer| offer.id).collect();
                line.say(&Frame::Editions(ids)).await;
            }
            Frame::WantBlob { hash, offset } => {
                fetched += 1;
                let found = offers.iter().find(|offer| offer.id.0 == hash);
                let bytes = found.map_or(&[][..], |offer| &offer.bytes);
                let from = usize::try_from(offset).unwrap_or(usize::MAX).min(bytes.len());
                let to = (from + BLOB_CHUNK_BYTES).min(bytes.len());
                let (total, bytes) = (bytes.len() as u64, bytes[from..to].to_vec());
                line.say(&Frame::Blob(BlobChunk { hash, offset, total, bytes })).await;
            }
            _ => {}
        }
    }
    fetched
}

/// A hello that promises so many editions more.
fn promising(line: &Line, more: u64, number: u64) -> Hello {
    let (roster_number, editions) = (number, line.hello.editions + more);
    Hello { roster_number, editions, roster: EditionId([6; 32]), ..line.hello.clone() }
}

async fn rosters(stage: &Stage) -> Vec<Json> {
    let mut all = Vec::new();
    for node in stage.nodes.iter() {
        all.push(node.tell(json!({"do": "status"})).await["roster"].clone());
    }
    all
}

/// How many editions a node holds, by its own hello.
async fn held(stage: &Stage, keys: &Keys) -> u64 {
    Line::call(&stage.world, keys, &stage.nodes[EAST]).await.hello.editions
}

async fn false_editions(stage: &mut Stage) {
    let keys = stage.village();
    let scene = stage.scene("under-signed and false editions");
    let before = (rosters(stage).await, held(stage, &keys).await);
    let world = &stage.world;
    let place = |name: &str| vec![Fact::Place { division: keys.division, name: name.to_owned() }];
    let core = world.core(&world.founding, place("冒名村"));
    let offers = [
        ("one root key of two", Offer::of(&world.edition(&world.founding, place("一签村"), 1))),
        ("no key at all", Offer::of(&world.edition(&world.founding, place("无签村"), 0))),
        ("three strangers", Offer::of(&world.forged_edition(&world.founding, place("生人村")))),
        ("one key twice", twice(&core, world.root())),
        ("another county's founding", Offer::of(&world.rival_founding())),
        ("far beyond a gap", Offer::of(&world.edition_beyond_a_gap())),
        ("not what it is named", Offer { id: CopyId([5; 32]), bytes: core.encode() }),
        ("no edition", Offer { id: CopyId([4; 32]), bytes: vec![0x81; 10_000] }),
    ];
    let tried = offers.len();
    let mut fetched = 0;
    for (what, lie) in offers {
        let mut line = Line::call(world, &keys, &stage.nodes[EAST]).await;
        let hello = promising(&line, 1, 2);
        fetched += offer(&mut line, hello, &[lie]).await;
        let now = (rosters(stage).await, held(stage, &keys).await);
        assert_eq!(now, before, "{what}: the roster has moved");
    }
    too_long(stage, &keys).await;
    let said = format!("{tried} false editions, {fetched} fetched: none held, no roster moved");
    scene.end(&said, GROWTH_MIB).await;
}

/// The same signature twice, as no honest signer writes it.
fn twice(core: &EditionCore, root: &SecretKey) -> Offer {
    let payload = core.encode();
    let signature = CoseSignature::make(root, Purpose::Root, &payload, true);
    let id = CopyId(tagged("xw/roster/1", &[&payload]));
    Offer { id, bytes: cose::encode(&payload, &[signature, signature]) }
}

/// An edition that announces ten times the limit, piece by piece.
async fn too_long(stage: &Stage, keys: &Keys) {
    let mut line = Line::call(&stage.world, keys, &stage.nodes[EAST]).await;
    let hello = promising(&line, 1, 2);
    line.say(&Frame::Hello(hello)).await;
    let hash = [3; 32];
    while let Some(frame) = line.next_within(SILENCE).await {
        match frame {
            Frame::WantEditions { .. } => {
                line.say(&Frame::Editions(vec![CopyId(hash)])).await;
            }
            Frame::WantBlob { offset, .. } => {
                let (total, bytes) = (10 * EDITION_BYTES_MAX as u64, vec![0; BLOB_CHUNK_BYTES]);
                line.say(&Frame::Blob(BlobChunk { hash, offset, total, bytes })).await;
            }
            _ => {}
        }
    }
    assert!(!line.is_open().await, "an edition of forty megabytes is fetched");
}

/// A new edition by root goes round by way of the hostile village; the old roster does not come
/// back.
async fn rollback(stage: &mut Stage) {
    let keys = stage.village();
    let scene = stage.scene("roster rollback");
    let place = Fact::Place { division: keys.division, name: "新名村".to_owned() };
    let newer = stage.world.edition(&stage.world.founding, vec![place], 2);
    let mut line = Line::call(&stage.world, &keys, &stage.nodes[EAST]).await;
    let hello = promising(&line, 1, 2);
    offer(&mut line, hello, &[Offer::of(&newer)]).await;
    for node in stage.nodes.iter() {
        let newer = |status: &Json| status["roster"]["number"] == 2;
        node.wait_for("the new edition", json!({"do": "status"}), newer).await;
    }
    let before = rosters(stage).await;
    // Whoever says it holds less, or the first edition only, moves nobody back.
    for number in [0, 1, 2, 3] {
        let mut line = Line::call(&stage.world, &keys, &stage.nodes[EAST]).await;
        let hello = Hello {
            roster_number: number,
            roster: stage.world.founding.id(),
            editions: number,
            ..line.hello.clone()
        };
        offer(&mut line, hello, &[Offer::of(&stage.world.founding)]).await;
    }
    assert_eq!(rosters(stage).await, before, "a roster has gone back");
    scene.end("root's edition went round, by whomever; nobody went back", GROWTH_MIB).await;
    stage.tip = newer;
}

/// Two editions of one number, both signed as root signs (threats.md T29): one is handed to the
/// township, the other to the county. All nodes stop at what comes before both and go on working;
/// root names one, and all go on alike.
pub(crate) async fn rivals(stage: &mut Stage) {
    let keys = stage.village();
    let scene = stage.scene("two rosters of one number");
    let before = stage.nodes[EAST].tell(json!({"do": "status"})).await["roster"].clone();
    let place = |name: &str| vec![Fact::Place { division: keys.division, name: name.to_owned() }];
    let [good, bad] =
        ["真名村", "假名村"].map(|name| stage.world.edition(&stage.tip, place(name), 2));
    for (seat, edition) in [(EAST, &good), (COUNTY, &bad)] {
        hand_over(stage, &keys, seat, edition).await;
    }
    let number = &before["number"];
    let ms = all_say(stage, "that the roster is frozen", |roster| {
        roster["frozen"] == true && roster["number"] == *number
    })
    .await;
    let stopped = rosters(stage).await;
    assert!(stopped.iter().all(|roster| *roster == stopped[0]), "{stopped:?}");
    let named = vec![Fact::Recover { rejected: vec![bad.id()] }];
    let recovery = stage.world.edition(&good, named, 2);
    hand_over(stage, &keys, EAST, &recovery).await;
    let recovered = all_say(stage, "what root decided", |roster| {
        roster["frozen"] == false && roster["number"] == recovery.core().number
    })
    .await;
    let after = rosters(stage).await;
    assert!(after.iter().all(|roster| *roster == after[0]), "{after:?}");
    let said = format!(
        "{} nodes froze alike after {ms} ms, honest work went on; root named one, all agree after \
         {recovered} ms",
        after.len()
    );
    scene.end(&said, GROWTH_MIB).await;
    stage.tip = recovery;
}

/// Lets a node fetch an edition.
async fn hand_over(stage: &Stage, keys: &Keys, seat: usize, edition: &Edition) {
    let mut line = Line::call(&stage.world, keys, &stage.nodes[seat]).await;
    let hello = promising(&line, 1, edition.core().number);
    offer(&mut line, hello, &[Offer::of(edition)]).await;
}

/// Waits until every node says so of its roster; milliseconds.
async fn all_say(stage: &Stage, what: &str, holds: impl Fn(&Json) -> bool) -> u128 {
    let begun = Instant::now();
    for node in stage.nodes.iter() {
        let so = |status: &Json| holds(&status["roster"]);
        node.wait_for(what, json!({"do": "status"}), so).await;
    }
    begun.elapsed().as_millis()
}

/// A village signs editions as a registrar that nobody made it.
async fn undelegated(stage: &mut Stage) {
    let keys = stage.village();
    let scene = stage.scene("editions that nobody delegated");
    let before = (rosters(stage).await, held(stage, &keys).await);
    let office = stage.world.chain.roster().office_of(&keys.node.public()).expect("listed").id;
    let mut offers: Vec<Offer> = Vec::new();
    for term in 1..=UNDELEGATED {
        let core = EditionCore {
            network: Some(stage.world.network),
            scope: Scope::Registrar { office, term },
            number: 1,
            previous: EditionId([0; 32]),
            claimed_time_ms: FOUNDED_MS,
            facts: vec![Fact::Place { division: keys.division, name: format!("自封村{term}") }],
        };
        let person = keys.person("VSEC").clone();
        offers.push(Offer::of(&Edition::sign(&core, &[person]).expect("it can be read")));
    }
    let mut line = Line::call(&stage.world, &keys, &stage.nodes[EAST]).await;
    let hello = promising(&line, UNDELEGATED, 2);
    let fetched = offer(&mut line, hello, &offers).await;
    let now = (rosters(stage).await, held(stage, &keys).await);
    assert_eq!(now, before, "editions of a registrar that nobody made are held");
    let said = format!("{UNDELEGATED} offered, {fetched} fetched: none held");
    scene.end(&said, GROWTH_MIB).await;
}
