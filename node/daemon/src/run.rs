//! The running node: network events and API calls go to the one thread that owns the store; frames
//! are unpacked and verified on the way, outside of it.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use serde_json::Value as Json;
use tokio::sync::{OwnedSemaphorePermit, Semaphore, mpsc, oneshot};
use xw_bootstrap::invitation::{beginning, calling_name};
use xw_net::{Net, NetConfig, NetEvent, NetLimits};
use xw_replica::SessionId;
use xw_schemas::cose::KeyRing;
use xw_schemas::entry::{Body, EntryFault, RawEntry, VerifiedEntry};
use xw_schemas::id::{NetworkId, PublicKey};
use xw_schemas::space::Tier;
use xw_schemas::wire::{Frame, FrameFault, entry_bytes};
use zeroize::Zeroizing;

use crate::api;
use crate::clock;
use crate::folder::{ApiFile, Folder};
use crate::keys::Tried;
use crate::mesh::Mesh;
use crate::office::{Office, has_failed};
use crate::request::Request;
use crate::serve::{self, Reply};
use crate::trouble::{Answer, Trouble, with_causes};

/// Set by a program that starts a node: the node stops in order when its input ends. Works alike
/// where there are no signals.
pub(crate) const STOP_WITH_STDIN: &str = "XIANGWANG_STOP_WITH_STDIN";

/// Jobs waiting for the store; beyond it frames wait in their sessions.
const JOBS_MAX: usize = 256;

/// Frames of one session waiting to be verified. A neighbour that keeps to its credit has fewer
/// under way; one that does not is dropped.
const FRAMES_WAITING_MAX: usize = 256;

/// Frames of one session that may wait for the store's thread: while one is at work, the next one is
/// there. More would make other neighbours wait behind whoever sends most.
const TURNS_MAX: usize = 2;

/// How often the replica hears that time has passed.
const TICK: Duration = Duration::from_millis(100);

/// A frame with so many entries is part of a larger arrival.
const BULK_ENTRIES: usize = 16;

/// So long after such a frame the next one is waited for before anything is judged.
const POURING_MS: u64 = 30;

/// Entries verified by one thread before a second one helps: starting it costs about 30 µs.
const SHARE_MIN: usize = 8;

/// Exit code when the disk failed: the one for input and output in sysexits.h.
const DISK_FAILED: i32 = 74;

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

/// Runs a node until it is told to stop.
pub(crate) fn run(folder: &Folder) -> anyhow::Result<()> {
    // Whoever looks after the node reads there what happened.
    let log = tracing_subscriber::fmt().with_writer(std::io::stderr);
    let _ = log.with_max_level(tracing::Level::INFO).try_init();
    let runtime =
        tokio::runtime::Builder::new_multi_thread().worker_threads(2).enable_all().build()?;
    runtime.block_on(serve_until_stopped(folder))?;
    if has_failed() {
        use std::io::Write as _;
        let _ = writeln!(std::io::stderr(), "{}", crate::office::DISK_FAILED_TEXT);
        std::process::exit(DISK_FAILED);
    }
    Ok(())
}

async fn serve_until_stopped(folder: &Folder) -> anyhow::Result<()> {
    let office = Office::open(folder.clone())?;
    let settings = office.settings.clone();
    let network = office.store.roster().network();
    let limits = match settings.division.tier() {
        Tier::County => NetLimits::county(),
        Tier::Township => NetLimits::township(),
        Tier::Village => NetLimits::village(),
    };
    let (net, events) = Net::start(NetConfig {
        node_seed: office.node.seed(),
        network: calling_name(beginning(network)),
        listen: settings.listen.clone(),
        limits,
    })
    .await?;
    for neighbour in &settings.neighbours {
        let addresses =
            neighbour.addresses.iter().filter_map(|a| a.parse().ok()).collect::<Vec<_>>();
        if !addresses.is_empty() {
            net.keep_dialling(xw_net::PeerKey(neighbour.key.0), addresses);
        }
    }
    let (jobs, inbox) = mpsc::channel(JOBS_MAX);
    let meter = Arc::new(Meter::default());
    let (ending, ended) = oneshot::channel::<()>();
    let keeper = {
        let meter = Arc::clone(&meter);
        let mesh = Mesh::new(office, net);
        std::thread::Builder::new().name("store".to_owned()).spawn(move || {
            let net = keep(mesh, inbox, &meter);
            // Heard by whoever waits for the node to be stopped.
            drop(ending);
            net
        })?
    };
    let (listening, heard) = oneshot::channel();
    let switching = tokio::spawn(switch(events, jobs.clone(), network, listening));
    let ticking = tokio::spawn(tick(jobs.clone()));
    let token = Zeroizing::new(clock::token());
    let serving = api::serve(settings.api, token.clone(), jobs.clone(), meter).await?;
    let address = serving.address;
    let reachable = heard.await.ok();
    folder.write_api(&ApiFile { address, token, process: std::process::id() })?;
    tracing::info!(api = %address, listening = ?reachable, "the node is up");
    announce(&settings.office, reachable, address);
    tokio::select! {
        asked = stopped() => asked?,
        // The store's thread ends by itself when the disk has failed.
        _ = ended => {}
    }
    folder.remove_api();
    serving.end().await;
    ticking.abort();
    // The store's thread may be busy for a moment; it stops in order.
    let _ = jobs.send(Job::Stop).await;
    drop(jobs);
    let net = tokio::task::spawn_blocking(move || keeper.join()).await?;
    switching.abort();
    if let Ok(net) = net {
        net.shutdown().await;
    }
    Ok(())
}

/// Ctrl-C, or the end of the input for a node that was started by another program.
async fn stopped() -> std::io::Result<()> {
    if std::env::var_os(STOP_WITH_STDIN).is_none() {
        return tokio::signal::ctrl_c().await;
    }
    let (ended, end) = oneshot::channel();
    // Reading blocks; the thread ends with the input or with the process.
    std::thread::spawn(move || {
        let _ = std::io::copy(&mut std::io::stdin(), &mut std::io::sink());
        let _ = ended.send(());
    });
    tokio::select! {
        result = tokio::signal::ctrl_c() => result,
        _ = end => Ok(()),
    }
}

/// Tells the person who starts the node; nobody has to listen.
fn announce(office: &str, reachable: Option<std::net::SocketAddr>, api: std::net::SocketAddr) {
    let reachable = reachable.map_or_else(|| "无".to_owned(), |address| address.to_string());
    use std::io::Write as _;
    let _ = writeln!(
        std::io::stdout(),
        "{office} 节点已启动。邻居连接地址 {reachable}，本机接口 {api}。按 Ctrl-C 停止。\n\
         node up; neighbours: {reachable}, api: {api}"
    );
}

async fn tick(jobs: mpsc::Sender<Job>) {
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
fn keep(mut mesh: Mesh, mut inbox: mpsc::Receiver<Job>, meter: &Meter) -> Net {
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

/// Gives every session a worker that unpacks and verifies its frames in order.
async fn switch(
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

impl From<anyhow::Error> for Trouble {
    fn from(error: anyhow::Error) -> Self {
        error
            .downcast()
            .unwrap_or_else(|error| Self::new("run", format!("{error:#}"), format!("{error:#}")))
    }
}
