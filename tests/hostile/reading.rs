//! Reading everything that a node shares, as a neighbour does who holds nothing.

use std::time::{Duration, Instant};

use xw_ledger::draft::Signed;
use xw_schemas::entry::Statement;
use xw_schemas::space::Space;
use xw_schemas::wire::{Frame, Have};

use crate::line::{Line, SILENCE};
use crate::scene::Stage;
use crate::setup::Keys;

/// Whoever writes there all the time is listened to for so long.
const ENOUGH: Duration = Duration::from_secs(3);

/// Everything that a node sends to whoever holds these keys and nothing else, in the order in which
/// it came.
pub(crate) async fn everything(stage: &Stage, keys: &Keys, seat: usize) -> Vec<Signed> {
    let mut line = Line::call(&stage.world, keys, &stage.nodes[seat]).await;
    let mut hello = line.hello.clone();
    hello.digest = [3; 32];
    line.say(&Frame::Hello(hello)).await;
    line.say(&Frame::Have(Have { divisions: None, tips: Vec::new(), answer: false })).await;
    let mut held = Vec::new();
    let begun = Instant::now();
    while begun.elapsed() < ENOUGH
        && let Some(frame) = line.next_within(SILENCE * 4).await
    {
        let Frame::Entries(packed) = frame else { continue };
        for (raw, body) in packed.unpack().expect("an honest node packs soundly") {
            let entry = raw.verify(stage.world.network).expect("an honest node signs soundly");
            held.push(Signed { entry, body });
        }
    }
    held
}

/// The opening of the log that a key writes in a space, and how many entries it has.
pub(crate) fn log_of<'a>(held: &'a [Signed], keys: &Keys, space: Space) -> (&'a Signed, u64) {
    let opens = |signed: &&Signed| match &signed.entry.core().statement {
        Statement::Open(opening) => opening.space == space && opening.node == keys.node.public(),
        Statement::Change(_)
        | Statement::Witness(_)
        | Statement::Erase(_)
        | Statement::Erased(_) => false,
    };
    let opening = held.iter().find(opens).expect("the key has written there");
    let log = opening.entry.core().log;
    let size = held.iter().filter(|signed| signed.entry.core().log == log).count();
    (opening, size as u64)
}
