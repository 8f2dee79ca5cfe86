//! The store's thread: it alone owns the store, takes one job after the other, and judges in between.
//! Knows nothing of sockets.

use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use serde_json::Value as Json;
use tokio::sync::{OwnedSemaphorePermit, mpsc, oneshot};
use xw_net::Net;
use xw_replica::SessionId;
use xw_schemas::entry::{Body, VerifiedEntry};
use xw_schemas::id::PublicKey;
use xw_schemas::wire::Frame;

use crate::clock;
use crate::keys::Tried;
use crate::mesh::Mesh;
use crate::request::Request;
use crate::serve::{self, Reply};
use crate::trouble::Answer;

/// Jobs waiting for the store; beyond it frames wait in their sessions.
pub(super) const JOBS_MAX: usize = 256;

/// How often the replica hears that time has passed.
const TICK: Duration = Duration::from_millis(100);

/// A frame with so many entries is part of a larger arrival.
const BULK_ENTRIES: usize = 16;

/// So long after such a frame the next one is waited for before anything is judged.
const POURING_MS: u64 = 30;

/// One thing for the store's thread to do.
pub(crate) enum Job {
    Opened {
        session: SessionId,
        net: xw_net::SessionId,
        peer: PublicKey,
        dialer: bool,
    },
    Closed {
        session: SessionId,
    },
    Frame {
        session: SessionId,
        frame: Frame,
    },
    Entries {
        session: SessionId,
        entries: Vec<(VerifiedEntry, Option<Body>)>,
        bytes: u64,
    },
    /// A job that holds one of its session's places until it is done.
    InTurn {
        job: Box<Job>,
        turn: OwnedSemaphorePermit,
    },
    Fault {
        session: SessionId,
        fault: String,
    },
    Writable {
        session: SessionId,
    },
    Call {
        request: Box<Request>,
        reply: oneshot::Sender<Answer<Reply>>,
    },
    Tried {
        tried: Box<Tried>,
        reply: oneshot::Sender<Answer<Json>>,
    },
    Tick,
    Stop,
}

/// How far the long job in progress has come.
#[derive(Debug, Default)]
pub(crate) struct Meter {
    pub(crate) done: AtomicU64,
    pub(crate) total: AtomicU64,
}

/// Tells the store's thread that time passes.
pub(super) async fn tick(jobs: mpsc::Sender<Job>) {
    let mut clock = tokio::time::interval(TICK);
    clock.set_missed_tick_behavior(tokio::time::MissedTickBehavior::Skip);
    loop {
        clock.tick().await;
        if jobs.send(Job::Tick).await.is_err() {
            return;
        }
    }
}

/// The store's thread: finishes what is local, then takes what is next, and judges in between.
pub(super) fn keep(mut mesh: Mesh, mut inbox: mpsc::Receiver<Job>, meter: &Meter) -> Net {
    let mut unsettled = true;
    let mut bulk_ms = None;
    loop {
        // While entries pour in, putting them on disk comes first; what waits is judged after.
        let pouring = bulk_ms.is_some_and(|at| clock::steady_ms() < at + POURING_MS);
        let job = if unsettled && !pouring {
            match inbox.try_recv() {
                Ok(job) => Some(job),
                Err(mpsc::error::TryRecvError::Empty) => None,
                Err(mpsc::error::TryRecvError::Disconnected) => return mesh.finish(),
            }
        } else {
            match inbox.blocking_recv() {
                Some(job) => Some(job),
                None => return mesh.finish(),
            }
        };
        if job.as_ref().is_some_and(is_bulk) {
            bulk_ms = Some(clock::steady_ms());
        }
        if mesh.office.disk_has_failed() {
            return mesh.finish();
        }
        match job {
            None => {
                unsettled = mesh.office.settle_some().unwrap_or_else(|trouble| {
                    tracing::error!(code = trouble.code, trouble = trouble.en, "cannot judge");
                    false
                });
            }
            Some(Job::Stop) => return mesh.finish(),
            Some(job) => {
                unsettled |= !matches!(job, Job::Tick);
                take(&mut mesh, job, meter);
                unsettled |= mesh.office.has_fresh();
            }
        }
    }
}

/// Whether a job is part of a larger arrival.
fn is_bulk(job: &Job) -> bool {
    match job {
        Job::InTurn { job, .. } => is_bulk(job),
        Job::Entries { entries, .. } => entries.len() >= BULK_ENTRIES,
        _ => false,
    }
}

fn take(mesh: &mut Mesh, job: Job, meter: &Meter) {
    match job {
        Job::Call { request, reply } if request.writes() && mesh.holds_back() => {
            mesh.defer(Job::Call { request, reply });
        }
        Job::Opened { session, net, peer, dialer } => mesh.opened(session, net, peer, dialer),
        Job::Closed { session } => mesh.closed(session),
        Job::Frame { session, frame } => mesh.frame(session, frame),
        Job::Entries { session, entries, bytes } => mesh.entries(session, entries, bytes),
        Job::InTurn { job, turn } => {
            take(mesh, *job, meter);
            drop(turn);
        }
        Job::Fault { session, fault } => mesh.fault(session, &fault),
        Job::Writable { session } => mesh.writable(session),
        Job::Call { request, reply } => {
            let mut progress = |done: u64, total: u64| {
                meter.done.store(done, Ordering::Relaxed);
                meter.total.store(total, Ordering::Relaxed);
            };
            if matches!(*request, Request::Audit(_)) {
                mesh.compare();
            }
            let answer = serve::begin(&mut mesh.office, *request, &mut progress);
            progress(0, 0);
            mesh.spread();
            // Nobody waits any more when the caller has gone.
            let _ = reply.send(answer);
        }
        Job::Tried { tried, reply } => {
            let answer = mesh.office.finish_try(*tried);
            mesh.spread();
            let _ = reply.send(answer);
        }
        Job::Tick => {
            mesh.tick();
            for job in mesh.take_deferred() {
                take(mesh, job, meter);
            }
        }
        Job::Stop => {}
    }
}
