//! Entries that are signed as they should be and say what their signers may not say: another
//! office's person, another role, another step, another field, another space, another time.

use serde_json::json;
use xw_ledger::document::{Edit, Place};
use xw_ledger::draft::Draft;
use xw_ledger::verdict::Refusal;
use xw_schemas::checkpoint::{Checkpoint, cosign};
use xw_schemas::entry::{ChangeStatement, Statement};
use xw_schemas::id::RecordId;
use xw_schemas::limits::{TIME_MS_MAX, TIME_MS_MIN};
use xw_schemas::record::{SchemaHash, Value};
use xw_schemas::space::{Audience, Space};
use xw_schemas::wire::Parcel;

use crate::foothold::Foothold;
use crate::pen::{FREE, Pen, parcel, put, step};
use crate::scene::{Digest, GROWTH_MIB, Stage};
use crate::setup::{COUNTY, EAST, EAST_NEIGHBOUR, FOUNDED_MS, Keys};

pub(crate) async fn all(stage: &mut Stage) {
    unauthorised(stage).await;
    trespassing(stage).await;
    witnessing(stage).await;
    backdated(stage).await;
}

/// Every way to write what one may not, each on an honest record of its own.
async fn unauthorised(stage: &mut Stage) {
    let mut foothold = stage.foothold().await;
    let accomplice = stage.village();
    let scene = stage.scene("unauthorised");
    let mut tried = Vec::new();
    for (what, expected, act) in wrongs() {
        let (record, created) = foothold.pen.create();
        let wrong = act(&mut foothold.pen, record, &accomplice);
        let taken = foothold.line.hand_over(&[parcel(&created), wrong.0]).await;
        assert!(taken, "{what}: the door judges no rights");
        tried.push((what, expected, record, wrong.1));
    }
    for seat in [EAST, COUNTY] {
        for (what, expected, record, entry) in &tried {
            stage.until_final(seat, *record).await;
            let verdicts = stage.verdicts(seat, &record.to_string()).await;
            let said = verdicts.get(entry).unwrap_or_else(|| panic!("{what}: not kept"));
            assert_eq!(said.verdict, "refused", "{what}: {said:?}");
            assert!(said.reason.contains(expected), "{what}: {said:?} and not {expected}");
            let shown = stage.shown(seat, *record).await;
            assert_eq!(
                (&shown["changes"], &shown["state"]),
                (&json!(1), &json!("proposed")),
                "{what}"
            );
        }
    }
    let said =
        format!("{} wrongs: kept as evidence, refused by name, no view changed", tried.len());
    scene.end(&said, GROWTH_MIB).await;
}

/// What it is, what the refusal says, and how it is written: the parcel and the entry's id.
type Wrong = (&'static str, String, fn(&mut Pen, RecordId, &Keys) -> (Parcel, String));

fn wrongs() -> Vec<Wrong> {
    vec![
        ("a person of another office", Refusal::OtherOffice.zh(), |pen, record, accomplice| {
            let person = accomplice.person("VSEC").clone();
            written(pen.edit_as(record, put(FREE, "代签"), None, Some(&person)))
        }),
        ("nobody's signature", Refusal::NoPerson.zh(), |pen, record, _| {
            written(pen.edit_as(record, put(FREE, "无人"), None, None))
        }),
        ("an edit by the supervisor", Refusal::NoRight.zh(), |pen, record, _| {
            let person = pen.keys.person("VSUP").clone();
            written(pen.edit_as(record, put(FREE, "越权"), None, Some(&person)))
        }),
        ("a role that another person has", Refusal::NoRight.zh(), |pen, record, _| {
            stepping(pen, record, "VCLK", step("proposed", "village_reviewed", "VSEC"))
        }),
        ("a role of the township", Refusal::NoRight.zh(), |pen, record, _| {
            stepping(pen, record, "VSEC", step("proposed", "village_reviewed", "TRUR"))
        }),
        ("a step that there is not", Refusal::NoSuchStep.zh(), |pen, record, _| {
            stepping(pen, record, "VSEC", step("proposed", "operating", "VSEC"))
        }),
        ("a step from another state", Refusal::OtherState.zh(), |pen, record, _| {
            stepping(pen, record, "VSEC", step("planned", "implementing", "VSEC"))
        }),
        (
            "a step without its fields",
            "不符合记录类型的要求".to_owned(),
            |pen, record, _| {
                stepping(pen, record, "VSEC", step("proposed", "village_reviewed", "VSEC"))
            },
        ),
        (
            "a field that there is not",
            "不符合记录类型的要求".to_owned(),
            |pen, record, _| editing(pen, record, put("secret_bonus", "一万元")),
        ),
        (
            "a code that there is not",
            "不符合记录类型的要求".to_owned(),
            |pen, record, _| editing(pen, record, put("nature", "77")),
        ),
        (
            "a required field emptied",
            "不符合记录类型的要求".to_owned(),
            |pen, record, _| {
                let (at, path, value) = (Place::Root, "site".to_owned(), Value::Null);
                editing(pen, record, vec![Edit::Put { at, path, value }])
            },
        ),
        (
            "the ledger's own bookkeeping",
            "不符合记录类型的要求".to_owned(),
            |pen, record, _| editing(pen, record, put("_step_note", "涂改")),
        ),
        ("another record type", Refusal::OtherType.zh(), |pen, record, _| {
            let schema = pen.world.chain.roster().current_schema("PVM").expect("adopted");
            restated(pen, record, |change| {
                (change.record_type, change.schema) = ("PVM".to_owned(), schema)
            })
        }),
        ("a definition that nobody adopted", Refusal::SchemaNotAdopted.zh(), |pen, record, _| {
            restated(pen, record, |change| change.schema = SchemaHash([8; 32]))
        }),
    ]
}

fn written(signed: xw_ledger::draft::Signed) -> (Parcel, String) {
    (parcel(&signed), signed.entry.id().to_string())
}

fn stepping(
    pen: &mut Pen,
    record: RecordId,
    by: &str,
    step: xw_ledger::steps::Step,
) -> (Parcel, String) {
    let person = pen.keys.person(by).clone();
    written(pen.edit_as(record, Vec::new(), Some(step), Some(&person)))
}

fn editing(pen: &mut Pen, record: RecordId, edits: Vec<Edit>) -> (Parcel, String) {
    let person = pen.keys.person("VSEC").clone();
    written(pen.edit_as(record, edits, None, Some(&person)))
}

/// An honest change whose entry says something else of it.
fn restated(
    pen: &mut Pen,
    record: RecordId,
    bend: impl FnOnce(&mut ChangeStatement),
) -> (Parcel, String) {
    let honest = pen.clone().edit(record, "另说");
    let mut core = honest.entry.core().clone();
    if let Statement::Change(change) = &mut core.statement {
        bend(change);
    }
    written(pen.put(core, honest.body))
}

/// Logs in spaces that are none of the village's business.
async fn trespassing(stage: &mut Stage) {
    let foothold = stage.foothold().await;
    let scene = stage.scene("wrong office: foreign spaces");
    let places = [EAST_NEIGHBOUR, EAST, COUNTY].map(crate::setup::division);
    let (mut closed, mut kept_out) = (0, 0);
    for division in places {
        for audience in [Audience::Office, Audience::Township, Audience::County] {
            let space = Space { division, audience };
            let before = [stage.digest(EAST, space).await, stage.digest(COUNTY, space).await];
            let (_, opening) = Pen::open_in(&stage.world, &foothold.keys, space, 0);
            let mut line = stage.live(&foothold.keys, EAST).await;
            if line.hand_over(&[opening]).await {
                kept_out += 1
            } else {
                closed += 1
            }
            let now = [stage.digest(EAST, space).await, stage.digest(COUNTY, space).await];
            assert_eq!(entries(&before), entries(&now), "{space} has a foreign log");
        }
    }
    stage.check_nothing_kept(&foothold).await;
    let why = ["entries of a space that is not shared, or beyond its credit"];
    let why = scene.why(EAST, &foothold.keys, &why);
    let said =
        format!("9 spaces: {kept_out} refused at the door, {closed} ended the session {why}");
    scene.end(&said, GROWTH_MIB).await;
}

/// How many entries each node holds of a space; honest ones may come in at any time, so a foreign
/// log shows as one entry more than the offices themselves write in these quiet spaces.
fn entries(digests: &[Digest; 2]) -> [u64; 2] {
    [0, 1].map(|at| digests[at].as_ref().map_or(0, |digest| digest.2))
}

/// A village plays witness: over its neighbour, over itself, over entries that nobody holds.
async fn witnessing(stage: &mut Stage) {
    let mut foothold = stage.foothold().await;
    let scene = stage.scene("wrong role: a village witnesses");
    let edit = foothold.pen.edit(foothold.record, "待见证");
    let mut core = foothold.pen.next_core();
    let (log, size) = (foothold.pen.log, core.sequence);
    let checkpoint = Checkpoint { network: stage.world.network, log, size, root: core.root };
    let pin = cosign(&foothold.keys.node, &checkpoint, core.previous, FOUNDED_MS / 1_000);
    (core.statement, core.person) = (Statement::Witness(vec![pin]), None);
    let witness = foothold.pen.put(core, None);
    assert!(foothold.line.hand_over(&[parcel(&edit), parcel(&witness)]).await, "it is kept");
    for seat in [EAST, COUNTY] {
        stage.until_final(seat, foothold.record).await;
        assert_eq!(stage.shown(seat, foothold.record).await["changes"], 2);
    }
    scene.end("kept, and nobody stands firmer for it", GROWTH_MIB).await;
}

/// Clocks of twenty years ago and of the far future: claims, shown and never believed.
async fn backdated(stage: &mut Stage) {
    let mut foothold = stage.foothold().await;
    let scene = stage.scene("backdated");
    let person = foothold.keys.person("VSEC").clone();
    let mut flagged = Vec::new();
    let times = [
        ("十年前", FOUNDED_MS - 315_360_000_000, "late"),
        ("二〇〇一", 980_000_000_000, "late"),
        ("二一九九", 7_226_000_000_000, "ahead"),
        ("三十天前", FOUNDED_MS - 2_592_000_000, "late"),
    ];
    for (text, time_ms, flag) in times {
        let act = xw_ledger::draft::Act { time_ms, ..foothold.pen.act() };
        let draft = Draft { edits: put(FREE, text), step: None };
        let (_, signed) = foothold.pen.change(Some(foothold.record), &draft, Some(&person), act);
        assert!(foothold.line.hand_over(&[parcel(&signed)]).await, "a wrong clock is no fault");
        flagged.push((signed.entry.id(), flag));
    }
    for seat in [EAST, COUNTY] {
        let asked = json!({"do": "show", "record": foothold.record});
        let shown = stage.nodes[seat].wait_for("all", asked, |shown| shown["changes"] == 5).await;
        // What was written last stands, whatever the clocks said.
        assert!(shown["fields"].to_string().contains("三十天前"), "{shown}");
    }
    for seat in [EAST, COUNTY] {
        stage.until_final(seat, foothold.record).await;
        let asked = json!({"do": "history", "record": foothold.record});
        let history = stage.nodes[seat].tell(asked).await;
        for (entry, flag) in &flagged {
            let rows = history["entries"].as_array().expect("a list of entries");
            let row = rows.iter().find(|row| row["entry"] == entry.to_string()).expect("held");
            assert_eq!(row["timeliness"], *flag, "{row}");
        }
    }
    let mut tried = 0;
    for time_ms in [0, TIME_MS_MIN - 1, TIME_MS_MAX + 1, u64::MAX] {
        let mut core = foothold.pen.next_core();
        core.claimed_time_ms = time_ms;
        let envelope = forced(&foothold, &core);
        let mut line = stage.live(&foothold.keys, EAST).await;
        let taken = line.hand_over(&[Parcel { envelope, body: None }]).await;
        assert!(!taken, "a time outside of two centuries was taken");
        tried += 1;
    }
    let why = scene.why(EAST, &foothold.keys, &[]);
    let said = format!(
        "4 wrong clocks: taken as claims, flagged, order unmoved; {tried} impossible: session ended \
         {why}"
    );
    scene.end(&said, GROWTH_MIB).await;
}

/// An envelope over core bytes that no honest signer writes.
fn forced(foothold: &Foothold, core: &xw_schemas::entry::Core) -> Vec<u8> {
    use xw_schemas::cose::{CoseSignature, Purpose, encode};
    let payload = core.encode();
    let node = CoseSignature::make(&foothold.keys.node, Purpose::Node, &payload, true);
    let person =
        CoseSignature::make(foothold.keys.person("VSEC"), Purpose::Person, &payload, false);
    encode(&payload, &[node, person])
}
