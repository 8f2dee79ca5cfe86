//! How names are computed, and how their texts are read.

use xw_schemas::id::EntryId;

use super::case::Case;
use super::world::{DAY_MS, body, change, log, network, node, opening, operation, record};

pub(crate) fn cases() -> Vec<Case> {
    let of = |what: &str, name: &str| Case::valid("id", name).with("of", what);
    let text = |what: &str, text: &str| of(what, &format!("the {what} {text}")).with("text", text);
    let no = |what: &str, fault: &str, given: &str, name: &str| {
        Case::refused("id", name, fault).with("of", what).with("text", given)
    };
    let leaves: Vec<Vec<u8>> = (1..=7_u8).map(|leaf| EntryId([leaf; 32]).0.to_vec()).collect();
    let roots = (0..=leaves.len()).map(|size| {
        of("root", &format!("the root over {size} entries")).with("entries", &leaves[..size])
    });
    let longer = change(Some(body().change()), "summary", "已修复");
    let mut cases = vec![
        of("log", "the id of a log")
            .with("network", network().0)
            .with("node", node().public().0)
            .with("division", opening().space.division.number())
            .with("audience", 1)
            .with("incarnation", opening().incarnation.0),
        of("record", "the id of a record")
            .with("network", network().0)
            .with("node", node().public().0)
            .with("operation", operation(1).0)
            .with("time_ms", DAY_MS),
        of("actor", "the Automerge actor of a log on a record")
            .with("log", log().0)
            .with("record", record().0),
        of("body", "the commitment to a body").with("body", body().bytes()),
        of("body", "the commitment to a second change")
            .with("body", [&[0x5b; 16][..], &longer].concat()),
        text("record text", &record().to_string()),
        text("record text", &record().to_string().to_lowercase()),
        text("record text", "7ZZZZZZZZZZZZZZZZZZZZZZZZZ"),
        no("record text", "NoRecordId", "8ZZZZZZZZZZZZZZZZZZZZZZZZZ", "a record id above 128 bits"),
        no(
            "record text",
            "NoRecordId",
            "7ZZZZZZZZZZZZZZZZZZZZZZZZ",
            "a record id of 25 characters",
        ),
        no(
            "record text",
            "NoRecordId",
            "7ZZZZZZZZZZZZZZZZZZZZZZZZU",
            "a record id with the letter U",
        ),
        no(
            "record text",
            "NoRecordId",
            "7ZZZZZZZZZZZZZZZZZZZZZZZZé",
            "a record id with another letter",
        ),
        text("division text", "130599201203"),
        no("division text", "NoDivision", "030599201203", "a division that begins with zero"),
        no("division text", "NoDivision", "13059920120", "a division of eleven digits"),
        no("division text", "NoDivision", "+13059920120", "a division with a sign"),
        no("division text", "NoDivision", "13059920120３", "a division with a wide digit"),
    ];
    cases.extend(roots);
    cases
}
