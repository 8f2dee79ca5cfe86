//! From a neighbour's bytes to jobs: frames are unpacked and verified in their sessions' order, outside
//! of the store's thread. Keeps nothing and judges nothing.

use std::collections::BTreeMap;
use std::sync::Arc;

use tokio::sync::{Semaphore, mpsc, oneshot};
use xw_net::NetEvent;
use xw_replica::SessionId;
use xw_schemas::cose::KeyRing;
use xw_schemas::entry::{Body, EntryFault, RawEntry, VerifiedEntry};
use xw_schemas::id::{NetworkId, PublicKey};
use xw_schemas::wire::{Frame, FrameFault, entry_bytes};

use super::Job;
use crate::trouble::with_causes;

/// Frames of one session waiting to be verified. A neighbour that keeps to its credit has fewer
/// under way; one that does not is dropped.
const FRAMES_WAITING_MAX: usize = 256;

/// Frames of one session that may wait for the store's thread: while one is at work, the next one is
/// there. More would make other neighbours wait behind whoever sends most.
const TURNS_MAX: usize = 2;

/// Entries verified by one thread before a second one helps: starting it costs about 30 µs.
const SHARE_MIN: usize = 8;

/// Gives every session a worker that unpacks and verifies its frames in order.
pub(super) async fn switch(
    mut events: mpsc::Receiver<NetEvent>,
    jobs: mpsc::Sender<Job>,
    network: NetworkId,
    listening: oneshot::Sender<std::net::SocketAddr>,
) {
    let mut listening = Some(listening);
    // With each, whether it has been told that it sends too much: once is enough.
    let mut workers: BTreeMap<xw_net::SessionId, (SessionId, mpsc::Sender<Vec<u8>>, bool)> =
        BTreeMap::new();
    let mut next = 0;
    while let Some(event) = events.recv().await {
        let job = match event {
            NetEvent::Listening { addr } => {
                if let Some(listening) = listening.take() {
                    let _ = listening.send(addr);
                }
                continue;
            }
            NetEvent::Opened { session: net, peer, dialer } => {
                next += 1;
                let session = SessionId(next);
                let (frames, inbox) = mpsc::channel(FRAMES_WAITING_MAX);
                workers.insert(net, (session, frames, false));
                tokio::spawn(work(session, inbox, jobs.clone(), network));
                Job::Opened { session, net, peer: PublicKey(peer.0), dialer }
            }
            NetEvent::Frame { session: net, bytes } => {
                let Some((session, frames, told)) = workers.get_mut(&net) else { continue };
                match frames.try_send(bytes) {
                    Ok(()) => continue,
                    Err(_) if std::mem::replace(told, true) => continue,
                    Err(_) => Job::Fault {
                        session: *session,
                        fault: "sends more than its credit".to_owned(),
                    },
                }
            }
            NetEvent::Writable { session: net } => match workers.get(&net) {
                Some((session, ..)) => Job::Writable { session: *session },
                None => continue,
            },
            NetEvent::Closed { session: net, peer, reason } => {
                tracing::info!(%peer, %reason, "a session ended");
                match workers.remove(&net) {
                    Some((session, ..)) => Job::Closed { session },
                    None => continue,
                }
            }
            NetEvent::Unreachable { peer, cause } => {
                tracing::debug!(%peer, cause, "a neighbour cannot be reached");
                continue;
            }
        };
        if jobs.send(job).await.is_err() {
            return;
        }
    }
}

async fn work(
    session: SessionId,
    mut frames: mpsc::Receiver<Vec<u8>>,
    jobs: mpsc::Sender<Job>,
    network: NetworkId,
) {
    let turns = Arc::new(Semaphore::new(TURNS_MAX));
    while let Some(bytes) = frames.recv().await {
        let Ok(turn) = Arc::clone(&turns).acquire_owned().await else { return };
        let read = tokio::task::spawn_blocking(move || read_frame(session, &bytes, network)).await;
        let job = match read {
            Ok(Ok(job)) => Job::InTurn { job: Box::new(job), turn },
            Ok(Err(fault)) => Job::Fault { session, fault: with_causes(&fault) },
            Err(_) => Job::Fault { session, fault: "a frame that could not be read".to_owned() },
        };
        let ends = matches!(job, Job::Fault { .. });
        if jobs.send(job).await.is_err() || ends {
            return;
        }
    }
}

fn read_frame(session: SessionId, bytes: &[u8], network: NetworkId) -> Result<Job, FrameFault> {
    match Frame::decode(bytes)? {
        Frame::Entries(packed) => {
            let entries = verify_all(packed.unpack()?, network)?;
            let bytes: usize = entries
                .iter()
                .map(|(entry, body)| {
                    let body = body.as_ref().map_or(0, |body| body.bytes().len());
                    entry_bytes(entry.bytes().len(), body)
                })
                .sum();
            Ok(Job::Entries { session, entries, bytes: bytes as u64 })
        }
        frame => Ok(Job::Frame { session, frame }),
    }
}

/// Checks all signatures of a frame, on two threads when there are enough.
fn verify_all(
    mut raw: Vec<(RawEntry, Option<Body>)>,
    network: NetworkId,
) -> Result<Vec<(VerifiedEntry, Option<Body>)>, EntryFault> {
    let verify = |part: Vec<(RawEntry, Option<Body>)>| {
        let mut ring = KeyRing::new();
        part.into_iter()
            .map(|(entry, body)| Ok((entry.verify_with(network, &mut ring)?, body)))
            .collect::<Result<Vec<_>, EntryFault>>()
    };
    if raw.len() < SHARE_MIN {
        return verify(raw);
    }
    let second = raw.split_off(raw.len() / 2);
    std::thread::scope(|scope| {
        let helper = scope.spawn(|| verify(second));
        let mut all = verify(raw)?;
        match helper.join() {
            Ok(rest) => all.extend(rest?),
            Err(panic) => std::panic::resume_unwind(panic),
        }
        Ok(all)
    })
}
