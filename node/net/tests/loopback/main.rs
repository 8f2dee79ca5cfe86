//! Real nodes on loopback. No test sleeps: each waits for the event it is about.

#![expect(clippy::unwrap_used, reason = "a test that cannot go on has failed")]

mod nodes;
mod raw;

mod floods;
mod framing;
mod reconnecting;
mod sessions;
mod strangers;
