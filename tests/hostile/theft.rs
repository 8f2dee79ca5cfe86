//! The key of a village's PC and the key of its secretary are stolen. Before the township cuts them
//! the thief's word is as good as the owner's; afterwards nothing of it counts, by whatever way it
//! comes, and what the owner wrote stands.

use std::time::Instant;

use serde_json::{Value as Json, json};
use xw_ledger::draft::Signed;
use xw_ledger::standing::Standing;
use xw_ledger::verdict::Refusal;
use xw_schemas::id::{EntryId, RecordId};
use xw_schemas::space::{Audience, Space};
use xw_schemas::wire::Parcel;

use crate::enrol;
use crate::line::{Line, turned_away};
use crate::node::{GUARD, LOOK_EVERY, Node};
use crate::pen::{FREE, Pen, parcel, put};
use crate::pulse::proposal;
use crate::reading::{everything, log_of};
use crate::scene::{GROWTH_MIB, Stage};
use crate::setup::{COUNTY, EAST, EAST_NEIGHBOUR, EAST_VILLAGE, Keys, WEST};

/// Acts of the thief's several hands begin here; each has its own.
const HANDS: u64 = 10_000_000;

/// The owner's PC stands in its office by day and is off at night.
const OWNER: usize = EAST_NEIGHBOUR;

/// What the thief did while his keys were good.
struct Loot {
    owner: Keys,
    space: Space,
    /// Everything that the township gave him.
    held: Vec<Signed>,
    /// The owner's record, which he has changed.
    own: RecordId,
    /// A log of his own under the stolen key, with a record.
    second: Pen,
    lawful: RecordId,
    /// The owner's log, which he has gone on with.
    extended: Pen,
    /// A record in another past of the owner's log.
    past: RecordId,
}

pub(crate) async fn all(stage: &mut Stage) {
    let loot = before_the_cut(stage).await;
    let morning = the_owner_goes_on(stage, &loot).await;
    let cut = after_the_cut(stage, loot, morning).await;
    the_owner_is_told(stage, &cut).await;
}

/// At night, with a copy of the keys: everything that an owner may do, and another past.
async fn before_the_cut(stage: &Stage) -> Loot {
    let owner = stage.honest[OWNER].clone();
    let space = Space { division: owner.division, audience: Audience::Office };
    let own = register(&stage.nodes[OWNER], &owner).await;
    until_both_are_final(stage, own).await;
    let scene = stage.scene("stolen keys, not yet cut");
    tokio::task::block_in_place(|| stage.nodes[OWNER].stop());
    let held = everything(stage, &owner, EAST).await;
    let (opening, size) = log_of(&held, &owner, space);
    let (mut second, second_opening) = Pen::open_in(&stage.world, &owner, space, 1);
    let (lawful, created) = second.create();
    let hand = |size, acts| Pen::in_log_of(&stage.world, &owner, &opening.entry, &held, size, acts);
    let (mut extended, mut other) = (hand(size, HANDS), hand(1, 2 * HANDS));
    let word = extended.edit(own, "贼改的规模");
    let (past, false_start) = other.create();
    let lawfully = [parcel(&word), second_opening, parcel(&created)];
    let mut line = stage.live(&owner, EAST).await;
    assert!(line.hand_over(&lawfully).await, "the door judges no thieves");
    until_both_are_final(stage, lawful).await;
    for seat in [EAST, COUNTY] {
        let asked = json!({"do": "show", "record": own});
        let changed = |shown: &Json| shown["changes"] == 2 && shown["standing"] == "final";
        stage.nodes[seat].wait_for("the thief's word", asked, changed).await;
    }
    let another = [parcel(&false_start), parcel(&other.edit(past, "贼编的过去"))];
    assert!(line.hand_over(&another).await, "what contradicts the county's word is kept");
    for seat in [EAST, COUNTY] {
        check_not_shown(stage, seat, past).await;
    }
    drop(line);
    scene
        .end("a good key's word stands; another past is kept and counts nowhere", GROWTH_MIB)
        .await;
    Loot { owner, space, held, own, second, lawful, extended, past }
}

/// In the morning the owner's PC meets what bears its own name: it goes on in a new log, asks a
/// person about what does not stand, and says nothing of it again by itself.
async fn the_owner_goes_on(stage: &Stage, loot: &Loot) -> RecordId {
    let scene = stage.scene("the owner among stolen words");
    let node = &stage.nodes[OWNER];
    start(node, &loot.owner).await;
    let asks = |seen: &Json| seen["unremembered"].as_array().is_some_and(|asked| asked.len() == 2);
    let seen = node.wait_for("the thief's other past", json!({"do": "forks"}), asks).await;
    assert_eq!(seen["life"]["why"], "elsewhere", "it writes on in a log that is not its own");
    let next = register(node, &loot.owner).await;
    until_both_are_final(stage, next).await;
    let seen = node.tell(json!({"do": "forks"})).await;
    assert!(asks(&seen), "a person has not been asked: {seen}");
    tokio::task::block_in_place(|| node.stop());
    scene
        .end("new log, own work final; 2 entries wait for a person, none said again", GROWTH_MIB)
        .await;
    next
}

/// The township's registrar cuts both keys while the thief is connected. He tries again himself, and
/// then through a PC of the same office whose key is still good.
async fn after_the_cut(stage: &mut Stage, loot: Loot, next: RecordId) -> Loot {
    let stranger = stage.village();
    let scene = stage.scene("stolen keys, cut");
    let mut open = [stage.live(&loot.owner, EAST).await, stage.live(&loot.owner, COUNTY).await];
    let begun = Instant::now();
    revoke(&stage.nodes[EAST], &loot.owner).await;
    for line in &mut open {
        line.ended().await;
    }
    let ms = begun.elapsed().as_millis();
    let seats = [EAST, COUNTY, WEST, EAST_VILLAGE];
    let status = json!({"do": "status"});
    let head = stage.nodes[EAST].tell(status.clone()).await["roster"]["head"].clone();
    for seat in seats {
        let knows = |status: &Json| status["roster"]["head"] == head;
        stage.nodes[seat].wait_for("the cut", status.clone(), knows).await;
        turned_away(&stage.world, &loot.owner, &stage.nodes[seat]).await;
    }
    let before = [shown(stage, EAST, &loot, next).await, shown(stage, COUNTY, &loot, next).await];
    let mut loot = loot;
    let (parcels, wrong) = the_thief_writes_on(stage, &mut loot);
    // A village that may not read there cannot bring it, a PC of the office can.
    let mut line = stage.live(&stranger, EAST).await;
    assert!(!line.hand_over(&parcels).await, "entries of a space that is not shared were taken");
    let helper = loot.owner.at_pc(1);
    let mut line: Line = stage.live(&helper, EAST).await;
    assert!(line.hand_over(&parcels).await, "what a helper brings is kept as evidence");
    for seat in [EAST, COUNTY] {
        check_all_refused(stage, seat, &wrong).await;
        let now = shown(stage, seat, &loot, next).await;
        assert_eq!(now, before[usize::from(seat == COUNTY)], "a thief's work counts");
        for record in wrong.iter().filter_map(|wrong| wrong.creates) {
            check_not_shown(stage, seat, record).await;
        }
        check_not_shown(stage, seat, loot.past).await;
    }
    until_alike(stage, loot.space).await;
    let said = format!(
        "2 sessions ended after {ms} ms, turned away at {} doors; {} entries by a helper kept, void; \
         what stood stands",
        seats.len(),
        wrong.len()
    );
    scene.end(&said, GROWTH_MIB).await;
    loot
}

/// What must be refused, how, and the record that must not come to be by it.
struct Wrong {
    what: &'static str,
    entry: EntryId,
    reason: String,
    creates: Option<RecordId>,
}

/// Everything that the thief writes when his keys are cut, in the order in which it is sent.
fn the_thief_writes_on(stage: &Stage, loot: &mut Loot) -> (Vec<Parcel>, Vec<Wrong>) {
    let void = || Refusal::NotStanding(Standing::Void).zh();
    let (mut parcels, mut wrong) = (Vec::new(), Vec::new());
    let mut take = |what, signed: &Signed, reason, creates| {
        parcels.push(parcel(signed));
        wrong.push(Wrong { what, entry: signed.entry.id(), reason, creates });
    };
    let mut below = loot.second.reopened();
    take("his own log goes on", &loot.second.edit(loot.lawful, "吊销后续写"), void(), None);
    take("the owner's log goes on", &loot.extended.edit(loot.own, "吊销后涂改"), void(), None);
    let (record, created) = below.create();
    take("a fork below the cut", &created, void(), Some(record));
    take("the fork goes on", &below.edit(record, "吊销后分叉"), void(), None);
    let (mut third, opening) = Pen::open_in(&stage.world, &loot.owner, loot.space, 2);
    let (record, created) = third.create();
    take("a new log", &created, void(), Some(record));
    // The secretary's key on a PC that is still good.
    let helper = loot.owner.at_pc(1);
    let (mut pen, helpers) = Pen::open_in(&stage.world, &helper, loot.space, 3);
    pen.learn(loot.held.iter());
    let person = loot.owner.person("VSEC").clone();
    let edit = pen.edit_as(loot.own, put(FREE, "盗用书记密钥"), None, Some(&person));
    take("a person's key on another PC", &edit, Refusal::PersonCut.zh(), None);
    // Openings come before what stands in their logs.
    parcels.insert(0, opening);
    parcels.insert(0, helpers);
    (parcels, wrong)
}

/// The township cuts the PC's key and the secretary's; what it holds of them is to stand.
async fn revoke(township: &Node, owner: &Keys) {
    let office = owner.division.to_string();
    let (pc, person) = (owner.node.public(), owner.person("VSEC").public());
    for cut in [json!({"node": pc.to_string()}), json!({"person": person.to_string()})] {
        let mut request = json!({"do": "roster", "act": "revoke", "office": office});
        request
            .as_object_mut()
            .expect("an object")
            .extend(cut.as_object().cloned().unwrap_or_default());
        let said = township.tell(request).await;
        assert_eq!(said["done"], true, "{said}");
    }
}

/// REFUSED: every entry is held, is refused for its reason, and nobody shows it.
async fn check_all_refused(stage: &Stage, seat: usize, wrong: &[Wrong]) {
    let begun = Instant::now();
    loop {
        let void = stage.nodes[seat].tell(json!({"do": "roster", "act": "void"})).await;
        let rows = void["void"].as_array().cloned().unwrap_or_default();
        let reason = |wrong: &Wrong| {
            let row = rows.iter().find(|row| row["entry"] == wrong.entry.to_string())?;
            row["reason_zh"].as_str().map(str::to_owned)
        };
        let lacking: Vec<&str> = wrong
            .iter()
            .filter(|w| reason(w).as_ref() != Some(&w.reason))
            .map(|w| w.what)
            .collect();
        if lacking.is_empty() {
            return;
        }
        assert!(begun.elapsed() < GUARD, "{}: {lacking:?} in {void}", stage.nodes[seat].name);
        tokio::time::sleep(LOOK_EVERY).await;
    }
}

/// A file with the roster comes to the owner's PC, which nobody lets in any more. It takes the word
/// for it, keeps everything, and says nothing of the thief's again.
async fn the_owner_is_told(stage: &Stage, loot: &Loot) {
    let scene = stage.scene("the owner is told");
    let node = &stage.nodes[OWNER];
    start(node, &loot.owner).await;
    let file = stage.nodes[EAST].tell(json!({"do": "roster", "act": "export"})).await;
    let taken = node.tell(json!({"do": "roster", "act": "take", "text": file["text"]})).await;
    assert_eq!(taken["refused"], json!([]), "{taken}");
    let before = node.tell(json!({"do": "digest"})).await;
    let written = node.ask(proposal(&loot.owner.division.to_string())).await;
    let why = written.expect_err("a PC whose key was cut registers what counts nowhere");
    let why: Json = serde_json::from_str(&why).expect("an answer in JSON");
    assert_eq!(why["error"]["code"], "revoked", "{why}");
    let after = node.tell(json!({"do": "digest"})).await;
    assert_eq!(after["spaces"], before["spaces"], "it keeps what counts nowhere");
    let seen = node.tell(json!({"do": "forks"})).await;
    assert_eq!(seen["waiting"], json!([]), "it means to say void entries again: {seen}");
    scene.end("it holds all, says that its key was cut, writes no more", GROWTH_MIB).await;
}

async fn start(node: &Node, keys: &Keys) {
    node.start();
    node.up().await;
    node.tell(enrol::unlock(keys)).await;
}

/// An honest project at the owner's PC.
async fn register(node: &Node, keys: &Keys) -> RecordId {
    let made = node.tell(proposal(&keys.division.to_string())).await;
    let record = made["record"].as_str().and_then(RecordId::parse);
    record.expect("the id of the new record")
}

async fn until_both_are_final(stage: &Stage, record: RecordId) {
    for seat in [EAST, COUNTY] {
        stage.until_final(seat, record).await;
    }
}

/// ALIKE: township and county come to hold the same entries of a space and to show the same.
async fn until_alike(stage: &Stage, space: Space) {
    let begun = Instant::now();
    loop {
        let both = [stage.digest(EAST, space).await, stage.digest(COUNTY, space).await];
        if both[0] == both[1] {
            return;
        }
        assert!(begun.elapsed() < GUARD, "township and county differ: {both:?}");
        tokio::time::sleep(LOOK_EVERY).await;
    }
}

/// What people see of the records that stood before the cut.
async fn shown(stage: &Stage, seat: usize, loot: &Loot, next: RecordId) -> Vec<Json> {
    let mut all = Vec::new();
    for record in [loot.own, loot.lawful, next] {
        let mut shown = stage.shown(seat, record).await;
        assert_eq!(shown["standing"], "final", "{shown}");
        shown["record"] = json!(record);
        all.push(shown);
    }
    all
}

/// Nobody is shown a record that nothing admitted makes.
async fn check_not_shown(stage: &Stage, seat: usize, record: RecordId) {
    let shown = stage.nodes[seat].ask(json!({"do": "show", "record": record})).await;
    assert!(shown.is_err(), "{} shows {shown:?}", stage.nodes[seat].name);
}
