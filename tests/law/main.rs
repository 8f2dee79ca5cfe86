//! The one law: the same entries and the same roster give the same standings, verdicts and views,
//! whatever the order of arrival. Properties over hostile worlds, an independent oracle for
//! standings, and tables that reach every refusal by the smallest example.
//!
//! Cases are drawn from a fixed seed; `XW_CASES` multiplies their number.

#![expect(clippy::unwrap_used, reason = "what a test makes itself is there")]

mod case;
mod county;
mod dice;
mod pen;
mod sample;
mod world;

mod check;

mod crowd;
mod decisions;
mod doors;
mod erasures;
mod matrix;
mod oracle;
mod orders;
mod refusals;
mod republish;
mod steps;
mod suspended;
mod times;

/// How many cases to draw: the number for CI, or that many times `XW_CASES`.
fn cases(ci: u32) -> u32 {
    let times = std::env::var("XW_CASES").ok().and_then(|text| text.parse().ok());
    ci.saturating_mul(times.unwrap_or(1))
}
