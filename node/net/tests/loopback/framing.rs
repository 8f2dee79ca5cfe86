//! A neighbour that breaks the framing loses its session and nobody else does.

use std::time::Duration;

use futures::{AsyncReadExt, AsyncWriteExt};
use libp2p::core::muxing::SubstreamBox;
use xw_net::{CloseReason, FRAME_BYTES_MAX, FrameFault, SessionId};

use crate::nodes::{Node, Pair, config, key, raw, within};

const HOSTILE: u8 = 9;

#[tokio::test]
async fn a_header_that_announces_too_much_ends_the_session_and_not_the_node() {
    let mut pair = Pair::connected(config(1), config(2)).await;
    pair.b.allow(&[pair.a.key, key(HOSTILE)]);
    for bytes in [FRAME_BYTES_MAX as u32 + 1, 10 * FRAME_BYTES_MAX as u32, u32::MAX] {
        let (mut stream, session) = hostile_session(&mut pair.b).await;
        put(&mut stream, &bytes.to_be_bytes()).await;
        let fault = FrameFault::TooLong { bytes };
        assert_eq!(pair.b.closed(session).await, CloseReason::Fault(fault));
        assert_ended(&mut stream).await;
        pair.echo(b"undisturbed").await;
    }
    assert_eq!(pair.b.net.stats().faults, 3);
}

#[tokio::test]
async fn an_empty_frame_ends_the_session() {
    let mut node = Node::start(1).await;
    node.allow(&[key(HOSTILE)]);
    let (mut stream, session) = hostile_session(&mut node).await;
    put(&mut stream, &[0, 0, 0, 2, 7, 7, 0, 0, 0, 0]).await;
    assert_eq!(node.frame().await, [7, 7]);
    assert_eq!(node.closed(session).await, CloseReason::Fault(FrameFault::Empty));
}

#[tokio::test]
async fn half_a_frame_does_not_hold_a_session_open() {
    for half in [&[0u8][..], &[0, 0, 0], &[0, 0, 0, 9, 1, 2, 3]] {
        let mut config = config(1);
        config.limits.frame_deadline = Duration::from_millis(200);
        let mut node = Node::start_with(config).await;
        node.allow(&[key(HOSTILE)]);
        let (mut stream, session) = hostile_session(&mut node).await;
        put(&mut stream, half).await;
        let fault = CloseReason::Fault(FrameFault::Unfinished);
        assert_eq!(node.closed(session).await, fault, "{half:?}");
        assert_ended(&mut stream).await;
    }
}

#[tokio::test]
async fn a_frame_cut_off_by_hanging_up_is_not_delivered() {
    let mut node = Node::start(1).await;
    node.allow(&[key(HOSTILE)]);
    let (mut stream, session) = hostile_session(&mut node).await;
    put(&mut stream, &[0, 0, 0, 1, 7, 0, 0, 0, 9, 1, 2, 3]).await;
    stream.close().await.unwrap();
    assert_eq!(node.frame().await, [7]);
    assert_eq!(node.closed(session).await, CloseReason::Lost);
    assert_eq!(node.net.stats().frames_in, 1);
}

#[tokio::test]
async fn a_second_stream_on_a_connection_ends_it() {
    let mut node = Node::start(1).await;
    node.allow(&[key(HOSTILE)]);
    let mut caller = raw(HOSTILE, node.addr).await.unwrap();
    let mut first = caller.open().await.unwrap();
    // The node may end the connection before this side has read its answer.
    let _ = caller.open().await;
    caller.run();
    let (session, ..) = node.opened().await;
    let fault = CloseReason::Fault(FrameFault::StreamTooMany);
    assert_eq!(node.closed(session).await, fault);
    assert_ended(&mut first).await;
}

#[tokio::test]
async fn a_neighbour_that_answers_no_ping_is_closed() {
    let mut config = config(1);
    config.limits.ping_interval = Duration::from_millis(50);
    config.limits.ping_timeout = Duration::from_millis(100);
    let mut node = Node::start_with(config).await;
    node.allow(&[key(HOSTILE)]);
    let (_stream, session) = hostile_session(&mut node).await;
    assert_eq!(node.closed(session).await, CloseReason::Silent);
}

/// A session of the neighbour that does everything by hand.
async fn hostile_session(node: &mut Node) -> (SubstreamBox, SessionId) {
    let mut caller = within(raw(HOSTILE, node.addr)).await.unwrap();
    let stream = within(caller.open()).await.unwrap();
    caller.run();
    let (session, peer, _) = node.opened().await;
    assert_eq!(peer, key(HOSTILE));
    (stream, session)
}

async fn put(stream: &mut SubstreamBox, bytes: &[u8]) {
    stream.write_all(bytes).await.unwrap();
    stream.flush().await.unwrap();
}

async fn assert_ended(stream: &mut SubstreamBox) {
    let end = within(stream.read(&mut [0; 16])).await;
    assert!(matches!(end, Ok(0) | Err(_)), "{end:?}");
}
