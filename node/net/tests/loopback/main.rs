//! Real nodes on loopback. No test sleeps: each waits for the event it is about.

mod nodes;
mod raw;

mod floods;
mod framing;
mod reconnecting;
mod sessions;
mod strangers;
