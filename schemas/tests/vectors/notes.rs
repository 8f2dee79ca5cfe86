//! Checkpoints as signed notes, and cosignatures.

use xw_schemas::checkpoint::{Checkpoint, cosign, cosignature_line};
use xw_schemas::hash::plain;
use xw_schemas::id::{EntryId, NetworkId};

use super::case::Case;
use super::world::{DAY_MS, log, network, node, other_node};

pub(crate) fn cases() -> Vec<Case> {
    [notes(), cosignatures()].concat()
}

fn checkpoint() -> Checkpoint {
    Checkpoint { network: network(), log: log(), size: 6, root: plain(&[b"some root"]) }
}

fn notes() -> Vec<Case> {
    let note = checkpoint().sign(&node());
    let pin = cosign(&other_node(), &checkpoint(), EntryId([0; 32]), DAY_MS / 1_000);
    let cosigned = format!("{note}{}", cosignature_line(&other_node().public(), &pin));
    let stranger = "— example.org/log Az3grlgtzPICa5OS8npVmf1Myq8=\n";
    let given = |case: Case, note: &str| {
        case.with("note", note).with("network", network().0).with("node", node().public().0)
    };
    let accept = |name: &str, note: &str| given(Case::valid("checkpoint", name), note);
    let form = |name: &str, note: &str| given(Case::refused("checkpoint", name, "Form"), note);
    let forged =
        |name: &str, note: &str| given(Case::refused("checkpoint", name, "Signature"), note);
    let changed = |old: &str, new: &str| {
        assert!(note.contains(old), "the note holds {old:?}");
        note.replacen(old, new, 1)
    };
    let empty = Checkpoint { size: 0, root: plain(&[]), ..checkpoint() }.sign(&node());
    let foreign = Checkpoint { network: NetworkId([9; 32]), ..checkpoint() }.sign(&node());
    let bigger = Checkpoint { size: 7, ..checkpoint() }.sign(&node());
    let line = note.split_once("\n\n").expect("a note has two parts").1;
    let bad_line = bigger.split_once("\n\n").expect("a note has two parts").1;
    let log_hex = log().to_string();
    let long = format!("{note}{}", stranger.repeat(4_096 / stranger.len() + 1));
    vec![
        accept("a checkpoint", &note),
        accept("a checkpoint of an empty log", &empty),
        accept("a checkpoint with a cosignature", &cosigned),
        accept("a checkpoint with a line of a stranger", &format!("{note}{stranger}")),
        accept(
            "the author's line behind others",
            &note.replacen(line, &format!("{stranger}{line}"), 1),
        ),
        forged("another size", &changed("\n6\n", "\n7\n")),
        forged("the line of another checkpoint", &note.replacen(line, bad_line, 1)),
        forged("a second line of the author that does not verify", &format!("{note}{bad_line}")),
        forged("signed by another node", &checkpoint().sign(&other_node())),
        forged("a cosignature alone", &cosigned.replacen(line, "", 1)),
        form("a leading zero", &changed("\n6\n", "\n06\n")),
        form("a sign before the size", &changed("\n6\n", "\n+6\n")),
        form("a size above 64 bits", &changed("\n6\n", "\n18446744073709551616\n")),
        form("a checkpoint of another network", &foreign),
        form("capitals in the origin", &changed(&log_hex, &log_hex.to_uppercase())),
        form("an extension line", &changed("\n\n", "\nmore\n\n")),
        form("two empty lines", &changed("\n\n", "\n\n\n")),
        form("no signature lines", &changed(line, "")),
        form("no line end at the end", note.trim_end()),
        form("an empty line at the end", &format!("{note}\n")),
        form("line ends of another system", &note.replace('\n', "\r\n")),
        form("a carriage return in the signatures", &format!("{}\r\n", note.trim_end())),
        form("a hyphen for the dash", &changed("— ", "- ")),
        form(
            "a line without a name",
            &format!("{note}—  {}", line.rsplit(' ').next().expect("it has parts")),
        ),
        form("a plus sign in a name", &format!("{note}{}", stranger.replace("/log", "+log"))),
        form("a line that is no base64", &format!("{note}— example.org/log !!!!\n")),
        form("a line of four bytes", &format!("{note}— example.org/log Az3grg==\n")),
        form("a root with loose bits", &loose_bits(&note)),
        form("a root in base64 without padding", &changed("=\n\n", "\n\n")),
        form("a note longer than any may be", &long),
    ]
}

/// The last digit of a 32-byte value in base64 carries two bits that must be zero.
fn loose_bits(note: &str) -> String {
    let at = note.find("=\n\n").expect("the root ends so");
    let digit = note.as_bytes()[at - 1];
    let next = char::from(digit + 1);
    format!("{}{next}{}", &note[..at - 1], &note[at..])
}

fn cosignatures() -> Vec<Case> {
    let Checkpoint { log, size, root, .. } = checkpoint();
    let time_s = DAY_MS / 1_000;
    let pin = cosign(&other_node(), &checkpoint(), EntryId([0; 32]), time_s);
    let given = |case: Case, time_s: u64, network: NetworkId| {
        case.with("network", network.0)
            .with("witness", other_node().public().0)
            .with("log", log.0)
            .with("size", size)
            .with("root", root)
            .with("time_s", time_s)
            .with("cosignature", pin.cosignature)
    };
    let forged = |name: &str| Case::refused("cosignature", name, "BadSignature");
    vec![
        given(Case::valid("cosignature", "a cosignature"), time_s, network()),
        given(forged("a cosignature at another time"), time_s + 1, network()),
        given(forged("a cosignature in another network"), time_s, NetworkId([9; 32])),
    ]
}
