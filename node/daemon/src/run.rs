//! The running node: network events and API calls go to the one thread that owns the store; frames
//! are unpacked and verified on the way, outside of it.

mod ending;
mod frames;
mod jobs;
mod stopping;

use std::sync::Arc;

use tokio::sync::{mpsc, oneshot};
use xw_bootstrap::invitation::{beginning, calling_name};
use xw_net::{Net, NetConfig, NetEvent, NetLimits};
use xw_schemas::space::Tier;
use zeroize::Zeroizing;

use crate::api;
use crate::clock;
use crate::folder::{ApiFile, Folder};
use crate::mesh::Mesh;
use crate::office::{Office, has_failed};
use crate::trouble::Trouble;

use ending::End;
pub(crate) use ending::tell_only_where;
pub(crate) use jobs::{Job, Meter};
pub(crate) use stopping::STOP_WITH_STDIN;

/// Runs a node until it is told to stop.
pub(crate) fn run(folder: &Folder) -> anyhow::Result<()> {
    // Whoever looks after the node reads there what happened.
    let log = tracing_subscriber::fmt().with_writer(std::io::stderr);
    let _ = log.with_max_level(tracing::Level::INFO).try_init();
    let runtime =
        tokio::runtime::Builder::new_multi_thread().worker_threads(2).enable_all().build()?;
    let end = runtime.block_on(serve_until_stopped(folder))?;
    ending::leave(end);
    Ok(())
}

async fn serve_until_stopped(folder: &Folder) -> anyhow::Result<End> {
    let office = Office::open(folder.clone())?;
    let settings = office.settings.clone();
    let network = office.store.roster().network();
    let (net, events) = call(&office).await?;
    let (jobs, inbox) = mpsc::channel(jobs::JOBS_MAX);
    let meter = Arc::new(Meter::default());
    let (ending, ended) = oneshot::channel::<()>();
    let keeper = {
        let meter = Arc::clone(&meter);
        let mesh = Mesh::new(office, net);
        std::thread::Builder::new().name("store".to_owned()).spawn(move || {
            let net = jobs::keep(mesh, inbox, &meter);
            // Heard by whoever waits for the node to be stopped.
            drop(ending);
            net
        })?
    };
    let (listening, heard) = oneshot::channel();
    let switching = tokio::spawn(frames::switch(events, jobs.clone(), network, listening));
    let ticking = tokio::spawn(jobs::tick(jobs.clone()));
    let token = Zeroizing::new(clock::token());
    let serving = api::serve(settings.api, token.clone(), jobs.clone(), meter).await?;
    let address = serving.address;
    let reachable = heard.await.ok();
    folder.write_api(&ApiFile { address, token, process: std::process::id() })?;
    tracing::info!(api = %address, listening = ?reachable, "the node is up");
    announce(&settings.office, reachable, address);
    tokio::select! {
        asked = stopping::stopped() => asked?,
        // The store's thread ends by itself when the disk has failed or it met a fault.
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
    let Ok(net) = net else { return Ok(End::Fault) };
    net.shutdown().await;
    Ok(if has_failed() { End::Disk } else { End::Asked })
}

/// Listens for neighbours and dials those that the settings name.
async fn call(office: &Office) -> anyhow::Result<(Net, mpsc::Receiver<NetEvent>)> {
    let settings = &office.settings;
    let limits = match settings.division.tier() {
        Tier::County => NetLimits::county(),
        Tier::Township => NetLimits::township(),
        Tier::Village => NetLimits::village(),
    };
    let (net, events) = Net::start(NetConfig {
        node_seed: office.node.seed(),
        network: calling_name(beginning(office.store.roster().network())),
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
    Ok((net, events))
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

impl From<anyhow::Error> for Trouble {
    fn from(error: anyhow::Error) -> Self {
        Self::of_any(error)
    }
}
