//! Frames of the wrong shape: cut off, too long, too many, too deep, packed to explode.

use futures::AsyncWriteExt as _;
use xw_schemas::cbor::Writer;
use xw_schemas::id::{CopyId, EntryId, LogId};
use xw_schemas::limits::{
    DIGESTS_MAX, ENTRIES_PER_FRAME_MAX, ENTRIES_UNPACKED_MAX, FRAME_BYTES_MAX, HAVE_TIPS_MAX,
};
use xw_schemas::space::Division;
use xw_schemas::wire::{Digests, EDITIONS_LISTED_MAX, Frame, Have, KNOWN_MAX, PackedEntries};

use crate::extent::chosen;
use crate::foothold::Foothold;
use crate::node::GUARD;
use crate::packings::{exploding, stored};
use crate::pen::parcel;
use crate::scene::{GROWTH_MIB, GROWTH_SHAPE_MIB, Stage};
use crate::setup::EAST;

pub(crate) async fn all(stage: &mut Stage) {
    truncated(stage).await;
    oversized(stage).await;
    deep(stage).await;
    packed(stage).await;
}

/// A sound frame cut off everywhere, and with one byte too many.
async fn truncated(stage: &mut Stage) {
    let mut foothold = stage.foothold().await;
    let scene = stage.scene("truncated frames");
    let entry = parcel(&foothold.pen.edit(foothold.record, "半截"));
    let whole = [
        Frame::Hello(foothold.line.hello.clone()).encode(),
        Frame::Entries(PackedEntries::pack(&[entry])).encode(),
    ];
    let mut frames: Vec<Vec<u8>> = Vec::new();
    for whole in whole {
        let cuts = (1..whole.len()).step_by(chosen(whole.len() / 12, 1).max(1));
        frames.extend(cuts.map(|cut| whole[..cut].to_vec()));
        frames.push([&whole[..], &[0]].concat());
    }
    let tried = frames.len();
    refuse_all(stage, &foothold, frames).await;
    // Cut off inside the header of a frame and inside its bytes, and then the line goes.
    for part in [&[0, 0][..], &[0, 0, 1, 0, 7]] {
        let mut line = stage.by_hand(&foothold.keys, EAST).await;
        line.stream.write_all(part).await.expect("it goes out");
        line.stream.close().await.expect("it hangs up");
        line.until_ended(GUARD).await;
    }
    stage.check_nothing_kept(&foothold).await;
    let why = scene.why(EAST, &foothold.keys, &[]);
    let said = format!("{tried} cut frames: each ended its session, nothing kept {why}");
    scene.end(&said, GROWTH_MIB).await;
}

/// Sends each frame on a session of its own, which must end.
async fn refuse_all(stage: &Stage, foothold: &Foothold, frames: Vec<Vec<u8>>) {
    for frame in frames {
        let mut line = stage.live(&foothold.keys, EAST).await;
        let begun = frame.clone();
        line.put(frame).await;
        let ended = tokio::time::timeout(GUARD, line.ended()).await;
        assert!(
            ended.is_ok(),
            "a frame that begins {:x?} was heard",
            &begun[..begun.len().min(12)]
        );
    }
}

/// Length headers beyond the limit, lists ten times too long, lengths out of the air.
async fn oversized(stage: &mut Stage) {
    let foothold = stage.foothold().await;
    let scene = stage.scene("oversized, 1x to 1,000x the limits");
    let limit = u32::try_from(FRAME_BYTES_MAX).expect("it fits");
    let headers = [limit + 1, 10 * limit, 100 * limit, 1_000 * limit, u32::MAX];
    for header in headers {
        let mut line = stage.by_hand(&foothold.keys, EAST).await;
        // What follows the header is never read.
        let _ = line.stream.write_all(&header.to_be_bytes()).await;
        let _ = line.stream.write_all(&vec![0; 64 << 10]).await;
        line.until_ended(GUARD).await;
    }
    let frames = oversized_frames();
    let tried = headers.len() + frames.len();
    refuse_all(stage, &foothold, frames).await;
    stage.check_nothing_kept(&foothold).await;
    let why = scene.why(EAST, &foothold.keys, &[]);
    let said = format!("{tried} too long: each ended its session before it cost memory {why}");
    scene.end(&said, GROWTH_SHAPE_MIB).await;
}

fn oversized_frames() -> Vec<Vec<u8>> {
    let mut frames = Vec::new();
    let division = Division::from_number(130_599_201_201).expect("twelve digits");
    let (log, entry) = (LogId([1; 32]), EntryId([2; 32]));
    for times in [1, 10, 100, 1_000] {
        let over = |limit: usize| limit * times + usize::from(times == 1);
        let have = |divisions, tips| Frame::Have(Have { divisions, tips, answer: true });
        let digests = |groups, items| Frame::Digests(Digests { groups, items });
        let lists = [
            have(None, vec![(log, 1, entry); over(HAVE_TIPS_MAX)]),
            have(Some(vec![division; over(DIGESTS_MAX)]), Vec::new()),
            digests(vec![division; over(DIGESTS_MAX)], Vec::new()),
            digests(Vec::new(), vec![(division, [3; 32]); over(DIGESTS_MAX)]),
            Frame::Known { log, points: vec![(1, entry); over(KNOWN_MAX)] },
            Frame::Editions(vec![CopyId([4; 32]); over(EDITIONS_LISTED_MAX)]),
        ];
        // What does not fit into a frame is cut off: the head of the list has promised it.
        frames.extend(lists.iter().map(|list| {
            let mut bytes = list.encode();
            bytes.truncate(FRAME_BYTES_MAX);
            bytes
        }));
    }
    // Lengths that no frame can hold: of a list, of bytes, of text.
    let huge = [&[0x9b][..], &[0xff; 8]].concat();
    frames.push([&[0x84, 0x05, 0xf6][..], &huge].concat());
    frames.push([&[0x83, 0x08, 0x19, 0xff, 0xff, 0x5a][..], &[0xff; 4]].concat());
    frames.push([&[0x83, 0x0a, 0x7b][..], &[0xff; 8]].concat());
    // A farewell of ten times the words, and entries that announce more than may be unpacked.
    let reason = "再".repeat(700);
    frames.push(Frame::Bye { reason, retry_after_ms: 0 }.encode());
    let unpacked = [1, 10, 100, 1_000].map(|times| ENTRIES_UNPACKED_MAX as u64 * times + 1);
    for unpacked in unpacked.into_iter().chain([u64::MAX]) {
        frames.push(Frame::Entries(PackedEntries { unpacked, packed: vec![1; 64] }).encode());
    }
    frames
}

/// Ten thousand levels, in a frame and inside packed entries.
async fn deep(stage: &mut Stage) {
    let foothold = stage.foothold().await;
    let scene = stage.scene("10,000 levels deep");
    let mut frames = Vec::new();
    for level in [0x81, 0xa1, 0xc1, 0xd8, 0x9f, 0xbf] {
        frames.push(vec![level; 10_000]);
        frames.push(entries_of(&[&[0x81, 0x82, 0x59, 0x27, 0x10][..], &[level; 10_000]].concat()));
        frames.push(entries_of(&[level; 10_000]));
    }
    let tried = frames.len();
    refuse_all(stage, &foothold, frames).await;
    stage.check_nothing_kept(&foothold).await;
    let why = scene.why(EAST, &foothold.keys, &[]);
    let said = format!("{tried} nestings: each ended its session {why}");
    scene.end(&said, GROWTH_SHAPE_MIB).await;
}

/// An entries frame whose plain bytes are these.
fn entries_of(plain: &[u8]) -> Vec<u8> {
    let packed = stored(plain);
    Frame::Entries(PackedEntries { unpacked: plain.len() as u64, packed }).encode()
}

/// Packed entries that say less than they unpack to, or more, or never end.
async fn packed(stage: &mut Stage) {
    let foothold = stage.foothold().await;
    let scene = stage.scene("decompression bombs");
    let four_gib = exploding(30_000);
    let mut frames = Vec::new();
    for unpacked in [1, 64 << 10, ENTRIES_UNPACKED_MAX as u64] {
        for packed in [four_gib.clone(), exploding(5), stored(&[0x81; 100]), vec![0x28, 0xb5]] {
            frames.push(Frame::Entries(PackedEntries { unpacked, packed }).encode());
        }
    }
    // A window and a content size that nobody has memory for.
    for head in [&[0x00, 0xf8][..], &[0xc0, 0x00, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0x7f]] {
        let packed = [&[0x28, 0xb5, 0x2f, 0xfd], head, &[0x01, 0x00, 0x00]].concat();
        frames.push(Frame::Entries(PackedEntries { unpacked: 100, packed }).encode());
    }
    // Soundly packed, and too many: empty entries up to the limit of a list and ten times that.
    for count in [1, 10].map(|times| times * ENTRIES_PER_FRAME_MAX + 1) {
        let mut w = Writer::new();
        w.array(count);
        for _ in 0..count {
            w.array(2).bytes(&[]).optional(None);
        }
        frames.push(entries_of(&w.into_bytes()));
    }
    let tried = frames.len();
    refuse_all(stage, &foothold, frames).await;
    stage.check_nothing_kept(&foothold).await;
    let why = ["packed entries do not unpack as announced", "not a frame of this protocol"];
    let why = scene.why(EAST, &foothold.keys, &why);
    let said = format!("{tried} bombs up to 4 GiB: each ended its session {why}");
    scene.end(&said, GROWTH_SHAPE_MIB).await;
}
