//! Changes that make the document library panic, each written into a record of its own by a village
//! that may write there (threats.md T36). They are kept, refused by name, and never reach the library,
//! however often a node that holds them starts.

use std::panic::{AssertUnwindSafe, catch_unwind};

use automerge::Automerge;
use xw_ledger::draft::Signed;
use xw_schemas::space::Audience;
use xw_tests::Dice;

use crate::chunks::chunk;
use crate::enrol;
use crate::expanding::expands_modestly;
use crate::extent::chosen;
use crate::pen::parcel;
use crate::scene::{GROWTH_MIB, Stage};
use crate::setup::{COUNTY, EAST, WEST};

/// Poison entries that are made.
const POISONS: usize = 24;

/// Bytes of a chunk before its contents, for contents of 128 bytes and more: magic number, checksum,
/// kind, and a length of two bytes.
const CHUNK_HEAD: usize = 11;

/// How often a township that holds them is started again.
const RESTARTS: usize = 10;

pub(crate) async fn all(stage: &mut Stage) {
    let mut foothold = stage.foothold_in(Audience::County).await;
    let mut dice = Dice::new(0x7077);
    let (mut tried, mut mutants) = (Vec::new(), 0);
    let scene = stage.scene("poison for the document library");
    while tried.len() < chosen(POISONS, 10 * POISONS) {
        let (record, created) = foothold.pen.create();
        let honest = foothold.pen.clone().edit(record, "诚实的一次修改，字数要够多，才有地方可改");
        let poison =
            tokio::task::block_in_place(|| brew(&created, &honest, &mut dice, &mut mutants));
        let poisoned = foothold.pen.body(record, &poison);
        let parcels = [parcel(&created), parcel(&poisoned)];
        assert!(foothold.line.hand_over(&parcels).await, "the door judges no bodies");
        tried.push((record, poisoned.entry.id().to_string()));
    }
    let seats = [EAST, COUNTY, WEST];
    for seat in seats {
        check_refused(stage, seat, &tried).await;
    }
    let west = &stage.nodes[WEST];
    for _ in 0..RESTARTS {
        tokio::task::block_in_place(|| west.stop());
        west.start();
        west.up().await;
        west.tell(enrol::unlock(&stage.honest[WEST])).await;
        west.check_unharmed();
    }
    check_refused(stage, WEST, &tried).await;
    let report = west.tell(serde_json::json!({"do": "verify"})).await;
    assert_eq!(report["sound"], true, "{report}");
    let said = format!(
        "{} of {mutants} mutants panic the library: kept at {} nodes, refused by name, {RESTARTS} \
         restarts",
        tried.len(),
        seats.len()
    );
    scene.end(&said, GROWTH_MIB).await;
}

/// REFUSED: each entry for what it is, and the record shows what it showed.
async fn check_refused(stage: &Stage, seat: usize, tried: &[(xw_schemas::id::RecordId, String)]) {
    for (record, entry) in tried {
        stage.until_final(seat, *record).await;
        let verdicts = stage.verdicts(seat, &record.to_string()).await;
        let said = verdicts.get(entry).expect("it is kept");
        assert_eq!(said.verdict, "refused", "{said:?}");
        assert_eq!(stage.shown(seat, *record).await["changes"], 1);
    }
}

/// Spoils an honest change until the library panics on it. Run lengths that would keep this test
/// itself busy for days are left to `bodies.rs`.
fn brew(created: &Signed, honest: &Signed, dice: &mut Dice, mutants: &mut usize) -> Vec<u8> {
    let (base, honest) = (change_of(created), change_of(honest));
    let base = automerge::Change::try_from(base).expect("an honest change");
    // A new document has an actor by chance, which is nobody's here.
    let mut document = Automerge::load(&[]).expect("an empty document");
    document.apply_changes([base]).expect("an honest change");
    let quiet = std::panic::take_hook();
    std::panic::set_hook(Box::new(|_| {}));
    let poison = loop {
        *mutants += 1;
        let mut contents = honest[CHUNK_HEAD..].to_vec();
        for _ in 0..1 + dice.below(3) {
            let at = usize::try_from(dice.below(contents.len() as u64)).expect("a short text");
            let [other] = dice.bytes();
            contents[at] = if dice.chance(50) { contents[at] ^ (1 << (other % 8)) } else { other };
        }
        let bytes = chunk(1, &contents);
        if expands_modestly(&bytes) && panics(&document, &bytes) {
            break bytes;
        }
    };
    std::panic::set_hook(quiet);
    poison
}

fn change_of(signed: &Signed) -> &[u8] {
    signed.body.as_ref().expect("a change has a body").change()
}

fn panics(document: &Automerge, bytes: &[u8]) -> bool {
    let merge = || {
        let Ok(change) = automerge::Change::try_from(bytes) else { return };
        let mut document = document.clone();
        if document.apply_changes([change]).is_ok() {
            let _ = Automerge::load(&document.save());
        }
    };
    catch_unwind(AssertUnwindSafe(merge)).is_err()
}
