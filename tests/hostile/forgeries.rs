//! Entries that are not what they say: forged, altered, said before, said out of turn.

use xw_ledger::verdict::Refusal;
use xw_schemas::cose::{self, CoseSignature, Purpose, SecretKey};
use xw_schemas::entry::{Core, Statement};
use xw_schemas::id::{LogId, NetworkId, PublicKey};
use xw_schemas::limits::CORE_BYTES_MAX;
use xw_schemas::space::Audience;
use xw_schemas::wire::{Frame, Parcel};

use crate::extent::{chosen, full};
use crate::foothold::Foothold;
use crate::pen::{Pen, parcel};
use crate::scene::{Digest, GROWTH_MIB, Stage};
use crate::setup::{COUNTY, EAST, EAST_VILLAGE};

/// Entries out of turn after which a neighbour is heard no longer (`node/replica`).
const GAPS_HEARD: usize = 16;

pub(crate) async fn all(stage: &mut Stage) {
    forged(stage).await;
    altered(stage).await;
    replayed(stage).await;
    reordered(stage).await;
}

/// Signatures by other keys, for other purposes, in other names, under a key that fits everything.
async fn forged(stage: &mut Stage) {
    let foothold = stage.foothold().await;
    let scene = stage.scene("forged signature");
    let envelopes = forgeries(&foothold, stage.nodes[EAST_VILLAGE].key);
    let tried = envelopes.len();
    for (what, envelope) in envelopes {
        let mut line = stage.live(&foothold.keys, EAST).await;
        assert!(!line.hand_over(&[sealed(envelope)]).await, "{what} was taken");
    }
    stage.check_nothing_kept(&foothold).await;
    let why = [
        "a signature does not verify",
        "a key is malformed or weak",
        "the signatures are not those that the entry names",
    ];
    let why = scene.why(EAST, &foothold.keys, &why);
    let said = format!("{tried} forgeries: each ended its session, nothing kept {why}");
    scene.end(&said, GROWTH_MIB).await;
}

fn forgeries(foothold: &Foothold, victim: PublicKey) -> Vec<(&'static str, Vec<u8>)> {
    let mut pen = foothold.pen.clone();
    let honest = pen.edit(foothold.record, "真的").entry;
    let (payload, signatures) = cose::decode(honest.bytes(), CORE_BYTES_MAX).expect("our own");
    let other = SecretKey::from_seed(&[77; 32]);
    let by = |secret: &SecretKey, purpose| {
        CoseSignature::make(secret, purpose, payload, purpose == Purpose::Node).signature
    };
    let with = |at: usize, signature: [u8; 64]| {
        let mut bent = signatures.clone();
        bent[at].signature = signature;
        cose::encode(payload, &bent)
    };
    // The victim opens no log with this: the attacker has its name and not its key.
    let (mut stolen, mut weak) = (pen.next_core(), pen.next_core());
    let mut identity = [0; 32];
    identity[0] = 1;
    for (core, node) in [(&mut stolen, victim), (&mut weak, PublicKey(identity))] {
        *core = opening_by(&pen, node);
    }
    let named = |core: &Core, node| {
        let signature = CoseSignature { key: Some(node), signature: [1; 64] };
        cose::encode(&core.encode(), &[signature])
    };
    let person = foothold.keys.person("VSEC");
    vec![
        ("the PC's signature by a stranger", with(0, by(&other, Purpose::Node))),
        ("the person's signature by a stranger", with(1, by(&other, Purpose::Person))),
        ("the person's signature made for a PC", with(1, by(person, Purpose::Node))),
        ("the PC's signature made for a root", with(0, by(&foothold.keys.node, Purpose::Root))),
        ("an entry that nobody signed", cose::encode(payload, &[])),
        ("an entry without its person", cose::encode(payload, &signatures[..1])),
        ("a log in an honest village's name", named(&stolen, victim)),
        ("a log of the key that fits everything", named(&weak, PublicKey(identity))),
    ]
}

/// The opening of a log in the name of any key.
fn opening_by(pen: &Pen, node: PublicKey) -> Core {
    let (_, mine) = Pen::open(&pen.world, &pen.keys, Audience::Township);
    let (payload, _) = cose::decode(&mine.envelope, CORE_BYTES_MAX).expect("our own");
    let mut core = Core::decode(payload).expect("our own");
    if let Statement::Open(opening) = &mut core.statement {
        opening.node = node;
        core.log = LogId::of(core.network, node, opening.space, opening.incarnation);
    }
    core
}

fn sealed(envelope: Vec<u8>) -> Parcel {
    Parcel { envelope, body: None }
}

/// One bit of one byte at a time: of an opening all bytes, of a change with its body a part of them
/// unless all are asked for.
async fn altered(stage: &mut Stage) {
    let foothold = stage.foothold().await;
    let scene = stage.scene("altered byte");
    let mut pen = foothold.pen.clone();
    let (_, opening) = Pen::open(&stage.world, &foothold.keys, Audience::Township);
    let change = parcel(&pen.edit(foothold.record, "改过"));
    let step = chosen(29, 1);
    let mut bent: Vec<Parcel> = flips(&opening.envelope, 1).map(sealed).collect();
    bent.extend(
        flips(&change.envelope, step).map(|envelope| Parcel { envelope, ..change.clone() }),
    );
    let body = change.body.clone().unwrap_or_default();
    bent.extend(flips(&body, step).map(|body| Parcel { body: Some(body), ..change.clone() }));
    let tried = bent.len();
    for parcel in &bent {
        let mut line = stage.live(&foothold.keys, EAST).await;
        assert!(!line.hand_over(std::slice::from_ref(parcel)).await, "an altered byte was taken");
    }
    stage.check_nothing_kept(&foothold).await;
    let extent = if full() { "every byte" } else { "every byte of an opening, some of a change" };
    let why = scene.why(EAST, &foothold.keys, &["a signature does not verify"]);
    let said =
        format!("{tried} alterations ({extent}): each ended its session, nothing kept {why}");
    scene.end(&said, GROWTH_MIB).await;
}

/// Every `step`th byte with its lowest bit turned.
fn flips(bytes: &[u8], step: usize) -> impl Iterator<Item = Vec<u8>> + '_ {
    (0..bytes.len()).step_by(step).map(|at| {
        let mut bent = bytes.to_vec();
        bent[at] ^= 1;
        bent
    })
}

/// What was said before: the same frame, another network's entry, another log's, receipts for
/// nothing.
async fn replayed(stage: &mut Stage) {
    let mut foothold = stage.foothold().await;
    let scene = stage.scene("replayed");
    let (mut second, opening) = Pen::open_in(&stage.world, &foothold.keys, foothold.pen.space, 1);
    let mut first = foothold.pen.clone();
    let edit = first.edit(foothold.record, "第一次");
    let parcels = [parcel(&edit)];
    for _ in 0..3 {
        assert!(foothold.line.hand_over(&parcels).await, "the same once more is no fault");
    }
    stage.until_final(EAST, foothold.record).await;
    let entries = |digest: &Digest| digest.as_ref().map_or(0, |d| d.2);
    let (before, now) = (&foothold.calm[0], stage.digest(EAST, foothold.pen.space).await);
    // One entry of the village; the rest are the words of the offices above.
    assert!(entries(&now) > entries(before), "the entry is kept");
    for _ in 0..100 {
        foothold.line.say(&Frame::Ack { bytes: u64::MAX }).await;
    }
    assert!(foothold.line.is_open().await, "receipts for nothing are passed over");

    // The same words in another log: its change bears the first log's name.
    let mut core = second.next_core();
    core.statement = edit.entry.core().statement.clone();
    let again = second.sign(core).expect("it can be signed");
    let moved = Parcel { envelope: again.bytes().to_vec(), body: parcels[0].body.clone() };
    assert!(foothold.line.hand_over(&[opening, moved]).await, "it is kept as evidence");
    let id = again.id().to_string();
    let verdicts = stage.verdicts(EAST, &foothold.record.to_string()).await;
    let said = verdicts.get(&id).expect("the township keeps it");
    assert_eq!((said.verdict.as_str(), &said.reason), ("refused", &Refusal::OtherAuthor.zh()));

    // The same words about another record, whose name the change does not bear.
    let (other, created) = first.create();
    let words = edit.body.as_ref().expect("a change has a body").change().to_vec();
    let moved = first.body(other, &words);
    let parcels = [parcel(&created), parcel(&moved)];
    assert!(foothold.line.hand_over(&parcels).await, "it is kept as evidence");
    stage.until_final(EAST, other).await;
    let verdicts = stage.verdicts(EAST, &other.to_string()).await;
    let said = verdicts.get(&moved.entry.id().to_string()).expect("the township keeps it");
    assert_eq!(said.verdict, "refused", "{said:?}");
    assert_eq!(stage.shown(EAST, other).await["changes"], 1);

    // An entry of another county, with the same keys.
    let mut core = first.next_core();
    core.network = NetworkId([3; 32]);
    let foreign = first.sign(core).expect("it can be signed");
    let taken = foothold.line.hand_over(&[sealed(foreign.bytes().to_vec())]).await;
    assert!(!taken, "an entry of another network was taken");
    let shown = stage.shown(EAST, foothold.record).await;
    assert_eq!(shown["changes"], 2, "{shown}");
    let why = scene.why(EAST, &foothold.keys, &["an entry of another network"]);
    let said = format!(
        "own frames: known already; another log's and another record's words: refused, kept; \
         another network's: session ended {why}"
    );
    scene.end(&said, GROWTH_MIB).await;
}

/// Entries without the one before, backwards in one frame, and again and again.
async fn reordered(stage: &mut Stage) {
    let mut foothold = stage.foothold().await;
    let scene = stage.scene("reordered");
    let mut pen = foothold.pen.clone();
    let parcels: Vec<Parcel> = ["一", "二", "三", "四"]
        .into_iter()
        .map(|text| parcel(&pen.edit(foothold.record, text)))
        .collect();
    assert!(foothold.line.hand_over(&parcels[2..3]).await, "it is only not kept");
    let mut backwards = parcels[1..].to_vec();
    backwards.reverse();
    assert!(foothold.line.hand_over(&backwards).await, "it is only not kept");
    stage.check_nothing_kept(&foothold).await;
    assert!(foothold.line.hand_over(&parcels).await, "in order they are taken");
    for seat in [EAST, COUNTY] {
        let asked = serde_json::json!({"do": "show", "record": foothold.record});
        stage.nodes[seat].wait_for("all five changes", asked, |shown| shown["changes"] == 5).await;
    }
    pen.edit(foothold.record, "五");
    let late = [parcel(&pen.edit(foothold.record, "六"))];
    let mut heard = 0;
    while foothold.line.hand_over(&late).await {
        heard += 1;
        assert!(heard <= GAPS_HEARD, "nobody is heard out of turn for ever");
    }
    let why = scene.why(EAST, &foothold.keys, &["too many entries that fit nowhere"]);
    let said = format!("not kept until its turn; {heard} more out of turn ended it {why}");
    scene.end(&said, GROWTH_MIB).await;
}
