//! How fast frames move between two nodes on loopback. Prints one line of JSON.
//!
//! `cargo run --release -p xw-net --example throughput [MiB]`

use std::collections::BTreeSet;
use std::error::Error;
use std::net::SocketAddr;
use std::time::Instant;

use tokio::sync::mpsc;
use xw_net::{Net, NetConfig, NetEvent, NetLimits, SendError, SessionId};
use zeroize::Zeroizing;

const FRAME_BYTES: usize = 64 * 1024;
const ECHOES: usize = 5_000;
const ECHO_BYTES: usize = 64;

#[tokio::main(flavor = "multi_thread", worker_threads = 2)]
async fn main() -> Result<(), Box<dyn Error>> {
    let mib = std::env::args().nth(1).map_or(Ok(256), |text| text.parse::<usize>())?;
    let (a, mut at_a) = Net::start(config(1)).await?;
    let (b, mut at_b) = Net::start(config(2)).await?;
    let NetEvent::Listening { addr } = next(&mut at_b).await? else {
        return Err("no address".into());
    };
    a.allow(BTreeSet::from([b.key()]));
    b.allow(BTreeSet::from([a.key()]));
    let called = Instant::now();
    a.keep_dialling(b.key(), vec![addr]);
    let (there, back) = (opened(&mut at_a).await?, opened(&mut at_b).await?);
    let open_ms = called.elapsed().as_secs_f64() * 1e3;

    let mut echo_us = Vec::with_capacity(ECHOES);
    for _ in 0..ECHOES {
        let sent = Instant::now();
        a.send(there, vec![1; ECHO_BYTES])?;
        b.send(back, frame(&mut at_b).await?)?;
        frame(&mut at_a).await?;
        echo_us.push(sent.elapsed().as_secs_f64() * 1e6);
    }
    echo_us.sort_by(f64::total_cmp);

    let frames = mib * (1 << 20) / FRAME_BYTES;
    let begun = Instant::now();
    let receiver = tokio::spawn(async move {
        for _ in 0..frames {
            frame(&mut at_b).await.map_err(|error| error.to_string())?;
        }
        Ok::<_, String>(())
    });
    for _ in 0..frames {
        send_when_writable(&a, &mut at_a, there).await?;
    }
    receiver.await??;
    let seconds = begun.elapsed().as_secs_f64();

    let report = serde_json::json!({
        "open_ms": round(open_ms),
        "echo_bytes": ECHO_BYTES,
        "echo_p50_us": round(echo_us[ECHOES / 2]),
        "echo_p99_us": round(echo_us[ECHOES * 99 / 100]),
        "frame_bytes": FRAME_BYTES,
        "mib": mib,
        "mb_per_s": round((frames * FRAME_BYTES) as f64 / 1e6 / seconds),
    });
    println!("{report}");
    a.shutdown().await;
    b.shutdown().await;
    Ok(())
}

fn config(seed: u8) -> NetConfig {
    NetConfig {
        node_seed: Zeroizing::new([seed; 32]),
        network: [7; 32],
        listen: vec![SocketAddr::from(([127, 0, 0, 1], 0))],
        limits: NetLimits::township(),
    }
}

async fn send_when_writable(
    net: &Net,
    events: &mut mpsc::Receiver<NetEvent>,
    session: SessionId,
) -> Result<(), Box<dyn Error>> {
    while let Err(error) = net.send(session, vec![2; FRAME_BYTES]) {
        if error != SendError::Full {
            return Err(error.into());
        }
        let NetEvent::Writable { .. } = next(events).await? else {
            return Err("the session ended".into());
        };
    }
    Ok(())
}

async fn opened(events: &mut mpsc::Receiver<NetEvent>) -> Result<SessionId, Box<dyn Error>> {
    loop {
        if let NetEvent::Opened { session, .. } = next(events).await? {
            return Ok(session);
        }
    }
}

async fn frame(events: &mut mpsc::Receiver<NetEvent>) -> Result<Vec<u8>, Box<dyn Error>> {
    match next(events).await? {
        NetEvent::Frame { bytes, .. } => Ok(bytes),
        other => Err(format!("expected a frame, got {other:?}").into()),
    }
}

async fn next(events: &mut mpsc::Receiver<NetEvent>) -> Result<NetEvent, Box<dyn Error>> {
    events.recv().await.ok_or_else(|| "the network ended".into())
}

fn round(value: f64) -> f64 {
    (value * 10.0).round() / 10.0
}
