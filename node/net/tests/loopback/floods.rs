//! Callers without a key cannot crowd out those who have one.

use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;

use crate::nodes::{Pair, config, key, raw, within};

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn three_hundred_calls_from_one_address_are_mostly_turned_away_while_a_session_works() {
    let mut pair = Pair::connected(config(1), config(2)).await;
    let per_minute = u64::from(config(2).limits.dials_per_ip_minute_max);
    let begun = std::time::Instant::now();
    for number in 0..300u32 {
        let mut caller = within(TcpStream::connect(pair.b.addr)).await.unwrap();
        // Whether turned away at the gate or for this nonsense, the caller is soon disconnected.
        let _ = caller.write_all(b"GET / HTTP/1.1\r\n\r\n").await;
        let _ = caller.shutdown().await;
        let mut answer = Vec::new();
        let _ = within(caller.read_to_end(&mut answer)).await;
        if number % 50 == 0 {
            pair.echo(&number.to_be_bytes()).await;
        }
    }
    pair.echo(b"after the flood").await;
    // The bucket held a minute's calls, the pair spent one of them, and it fills as time passes.
    let refilled = 1 + begun.elapsed().as_secs();
    let stats = pair.b.net.stats();
    let admitted = 300 - stats.refused_at_gate;
    assert!(admitted < per_minute + refilled, "{admitted} in, {stats:?}");
    assert!(stats.refused_at_gate > 200, "{stats:?}");
    assert_eq!((stats.sessions, stats.opened), (1, 1));
}

#[tokio::test]
async fn unfinished_handshakes_from_one_address_are_few() {
    let pair = Pair::connected(config(1), config(2)).await;
    let allowed = config(2).limits.pending_per_ip_max as usize;
    let mut silent = Vec::new();
    for _ in 0..allowed {
        silent.push(within(TcpStream::connect(pair.b.addr)).await.unwrap());
    }
    // The next ones are disconnected without having said a word.
    for _ in 0..20 {
        let mut caller = within(TcpStream::connect(pair.b.addr)).await.unwrap();
        assert!(matches!(within(caller.read(&mut [0; 16])).await, Ok(0) | Err(_)));
    }
    assert!(pair.b.net.stats().refused_at_gate >= 20);
}

#[tokio::test]
async fn a_neighbour_that_connects_and_opens_nothing_is_held_to_its_three_connections() {
    let mut pair = Pair::connected(config(1), config(2)).await;
    pair.b.allow(&[pair.a.key, key(9)]);
    let mut idle = Vec::new();
    for _ in 0..3 {
        idle.push(within(raw(9, pair.b.addr)).await.unwrap());
    }
    for _ in 0..3 {
        let surplus = within(raw(9, pair.b.addr)).await.unwrap();
        within(surplus.ended()).await;
    }
    let stats = pair.b.net.stats();
    assert_eq!((stats.refused_over_limit, stats.opened), (3, 1));
    pair.echo(b"undisturbed").await;
}

#[tokio::test]
async fn streams_without_end_end_their_connection_and_nobody_elses() {
    let mut pair = Pair::connected(config(1), config(2)).await;
    pair.b.allow(&[pair.a.key, key(9)]);
    let (most, mut opened, mut calls) = (10_000, 0, 0);
    while opened < most {
        calls += 1;
        // The bucket of calls per minute would end the flood; a neighbour has few of them.
        let Ok(caller) = within(raw(9, pair.b.addr)).await else { break };
        opened += within(caller.streams(most - opened)).await;
        pair.echo(b"undisturbed").await;
    }
    let stats = pair.b.net.stats();
    println!("{opened} streams on {calls} connections: {stats:?}");
    assert!(opened > 1_000, "{opened} streams");
    assert_eq!(stats.sessions, 1, "{stats:?}");
}
