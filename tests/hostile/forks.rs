//! Two words for one slot: towards two offices, in the past, and ten thousand times.

use std::time::Instant;

use xw_schemas::entry::VerifiedEntry;
use xw_schemas::space::Audience;
use xw_schemas::wire::Parcel;

use crate::extent::chosen;
use crate::foothold::Foothold;
use crate::node::{GUARD, LOOK_EVERY};
use crate::pen::parcel;
use crate::scene::{Digest, GROWTH_MIB, Stage};
use crate::setup::{COUNTY, EAST, WEST};

/// Growth of a store by all variants of one slot together (threats.md T18).
const STORE_GROWTH_MAX: u64 = 1 << 20;

/// Variants in one frame: hashes and signatures do not pack, and the frame holds 128 KiB.
const VARIANTS_PER_FRAME: usize = 200;

pub(crate) async fn all(stage: &mut Stage) {
    township_and_county(stage).await;
    two_townships(stage).await;
    old_slot(stage).await;
    variants(stage).await;
}

/// One branch for the township, another for the county.
async fn township_and_county(stage: &mut Stage) {
    let foothold = stage.foothold().await;
    let scene = stage.scene("two words, township and county");
    let said = equivocate(stage, foothold, [EAST, COUNTY], &[EAST, COUNTY]).await;
    scene.end(&said, GROWTH_MIB).await;
}

/// One branch for each of two townships, in a space that the whole county reads.
async fn two_townships(stage: &mut Stage) {
    let foothold = stage.foothold_in(Audience::County).await;
    stage.until_final(WEST, foothold.record).await;
    let scene = stage.scene("two words, two townships");
    let said = equivocate(stage, foothold, [EAST, WEST], &[EAST, WEST, COUNTY]).await;
    scene.end(&said, GROWTH_MIB).await;
}

/// Says one word to each of two nodes and waits until all who read the space hold both and agree.
async fn equivocate(
    stage: &Stage,
    foothold: Foothold,
    told: [usize; 2],
    readers: &[usize],
) -> String {
    let Foothold { keys, mut pen, line, record, .. } = foothold;
    drop(line);
    let mut rival = pen.clone();
    rival.diverge(1);
    let words = [pen.edit(record, "给甲的话"), rival.edit(record, "给乙的话")];
    let begun = Instant::now();
    let mut lines = [stage.live(&keys, told[0]).await, stage.live(&keys, told[1]).await];
    for (line, word) in lines.iter_mut().zip(&words) {
        assert!(line.hand_over(&[parcel(word)]).await, "each hears one word");
    }
    let ids = words.each_ref().map(|word| word.entry.id().to_string());
    let verdicts = loop {
        let mut seen = Vec::new();
        for seat in readers {
            let mut verdicts = stage.verdicts(*seat, &record.to_string()).await;
            verdicts.retain(|entry, _| ids.contains(entry));
            seen.push((stage.digest(*seat, pen.space).await, verdicts));
        }
        let first = &seen[0];
        let agree = seen.iter().all(|other| other.0 == first.0 && other.1 == first.1);
        if agree && first.1.len() == 2 {
            break first.1.clone();
        }
        assert!(begun.elapsed() < GUARD, "the honest nodes do not agree: {seen:#?}");
        tokio::time::sleep(LOOK_EVERY).await;
    };
    let ms = begun.elapsed().as_millis();
    let counting = verdicts.values().filter(|judged| judged.verdict == "admitted").count();
    let disputed = verdicts.values().filter(|judged| judged.standing == "disputed").count();
    assert!(counting <= 1, "two words for one slot count: {verdicts:#?}");
    assert!(counting + disputed == 2, "{verdicts:#?}");
    for seat in readers {
        let told = stage.nodes[*seat].tell(serde_json::json!({"do": "forks"})).await;
        let forks = told["forks"].as_array().cloned().unwrap_or_default();
        let fork = forks.iter().find(|fork| fork["log"] == pen.log.to_string()).expect("told");
        let variants = fork["variants"].as_array().map_or(0, Vec::len);
        assert_eq!(variants, 2, "a person is told of both words: {fork}");
        let shown = stage.shown(*seat, record).await;
        assert_eq!(shown["changes"], 1 + counting, "what was final stays: {shown}");
    }
    let by = if counting == 1 { "the county's pin decided" } else { "both disputed" };
    format!("{} nodes hold both and agree after {ms} ms; {by}", readers.len())
}

/// Another word for a slot that the county has witnessed: it takes nothing from what stands there.
async fn old_slot(stage: &mut Stage) {
    let foothold = stage.foothold().await;
    let scene = stage.scene("another past");
    let Foothold { keys, mut pen, mut line, record, .. } = foothold;
    let opened = pen.reopened();
    for text in ["一", "二", "三"] {
        assert!(line.hand_over(&[parcel(&pen.edit(record, text))]).await, "honest work");
    }
    for seat in [EAST, COUNTY] {
        let asked = serde_json::json!({"do": "show", "record": record});
        let firm =
            |shown: &serde_json::Value| shown["changes"] == 4 && shown["standing"] == "final";
        stage.nodes[seat].wait_for("the county's word", asked, firm).await;
    }
    let before = [stage.shown(EAST, record).await, stage.shown(COUNTY, record).await];
    // A whole other history from the first slot on, longer than the true one.
    let mut other = opened;
    other.diverge(2);
    let (false_record, created) = other.create();
    let mut past = vec![parcel(&created)];
    past.extend((0..6).map(|n| parcel(&other.edit(false_record, &format!("改史{n}")))));
    let mut lines = [line, stage.live(&keys, COUNTY).await];
    for line in &mut lines {
        assert!(line.hand_over(&past).await, "it is kept as evidence");
    }
    for (seat, before) in [EAST, COUNTY].into_iter().zip(before) {
        assert_eq!(stage.shown(seat, record).await, before, "what was final has moved");
        let gone = stage.nodes[seat].ask(serde_json::json!({"do": "show", "record": false_record}));
        assert!(gone.await.is_err(), "the false history is shown");
    }
    scene
        .end(
            "kept as evidence; every final change stands, the other past counts nowhere",
            GROWTH_MIB,
        )
        .await;
}

/// Thousands of variants of one slot.
async fn variants(stage: &mut Stage) {
    let mut foothold = stage.foothold().await;
    let count = chosen(10_000, 100_000);
    let model = foothold.pen.next_core();
    let pen = foothold.pen.clone();
    let variant = |number: usize| -> VerifiedEntry {
        let mut core = model.clone();
        core.operation.0[..8].copy_from_slice(&(number as u64).to_be_bytes());
        pen.sign(core).expect("it can be signed")
    };
    let stores: Vec<u64> = stage.nodes.iter().map(crate::node::Node::store_bytes).collect();
    let scene = stage.scene("variants of one slot");
    let mut numbers = 0..count;
    loop {
        let part: Vec<Parcel> = numbers
            .by_ref()
            .take(VARIANTS_PER_FRAME)
            .map(|n| Parcel { envelope: variant(n).bytes().to_vec(), body: None })
            .collect();
        if part.is_empty() {
            break;
        }
        assert!(foothold.line.hand_over(&part).await, "more of the same proof is passed over");
    }
    let kept = |digest: Digest| digest.map_or(0, |digest| digest.2);
    let (before, now) =
        (kept(foothold.calm[0].clone()), kept(stage.digest(EAST, foothold.pen.space).await));
    // Two variants, and the offices' words on the log as they came.
    assert!(now - before <= 6, "{} entries of {count} variants are kept", now - before);
    assert_eq!(stage.shown(EAST, foothold.record).await["changes"], 1);
    stage.until_final(EAST, foothold.record).await;
    let grown =
        stage.nodes.iter().zip(&stores).map(|(n, was)| n.store_bytes().saturating_sub(*was));
    let grown = grown.max().unwrap_or_default();
    // Honest records come in meanwhile and are in this figure, too.
    assert!(grown < 4 * STORE_GROWTH_MAX, "a store grew by {grown} bytes");
    let said =
        format!("{count}: {} kept beside it, stores grew by {} KiB", now - before, grown >> 10);
    scene.end(&said, GROWTH_MIB).await;
}
