//! What hostile input may cost, whoever sends it: the worst input of every decoder, run counts and
//! packings without end, a hundred thousand words for one slot. Times, memory and bytes on disk are
//! measured and held to the figures of the threat model.
//!
//! The dice are fixed; `XW_CASES=100` throws them that many times more often.

#![expect(clippy::unwrap_used, reason = "what a test makes itself is there")]

#[path = "../../schemas/tests/formats/anything.rs"]
#[expect(dead_code, reason = "made for the formats' own tests; some of it serves here")]
mod anything;
#[path = "../hostile/chunks.rs"]
mod chunks;
#[path = "../hostile/packings.rs"]
#[expect(dead_code, reason = "made for attacks on nodes; some of it serves here")]
mod packings;
#[path = "../../schemas/tests/vectors/world.rs"]
#[expect(dead_code, reason = "made for the vectors; some of it serves here")]
mod paper;

#[path = "../law/case.rs"]
#[expect(dead_code, reason = "made for the tests of the law; some of it serves here")]
mod case;
#[path = "../law/county.rs"]
#[expect(dead_code, reason = "made for the tests of the law; some of it serves here")]
mod county;
#[path = "../law/pen.rs"]
#[expect(dead_code, reason = "made for the tests of the law; some of it serves here")]
mod pen;
#[path = "../law/sample.rs"]
mod sample;
#[path = "../law/world.rs"]
#[expect(dead_code, reason = "made for the tests of the law; some of it serves here")]
mod world;

mod meter;
mod spoil;

mod bombs;
mod conversation;
mod decoders;
mod texts;
mod variants;

/// How many inputs to try: the number for CI, or that many times `XW_CASES`.
fn inputs(ci: u64) -> u64 {
    let times = std::env::var("XW_CASES").ok().and_then(|text| text.parse().ok());
    ci.saturating_mul(times.unwrap_or(1))
}
