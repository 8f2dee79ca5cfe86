//! What two honest nodes may rely on.

use std::time::Duration;

use xw_net::{CloseReason, FRAME_BYTES_MAX, NetConfig, NetError, NetEvent, SendError};

use crate::nodes::{Node, Pair, config, within};

#[tokio::test]
async fn two_nodes_exchange_frames_both_ways() {
    let mut pair = Pair::connected(config(1), config(2)).await;
    for len in [1, 3, 4, 1_000, 16 * 1024, 16 * 1024 + 1, FRAME_BYTES_MAX] {
        pair.echo(&vec![len as u8; len]).await;
    }
    let stats = pair.a.net.stats();
    assert_eq!((stats.sessions, stats.frames_in, stats.frames_out), (1, 7, 7));
}

#[tokio::test]
async fn frames_keep_their_order() {
    let mut pair = Pair::connected(config(1), config(2)).await;
    let mut sent = 0u32;
    for expected in 0..2_000u32 {
        // As many ahead as the queue takes.
        while sent < 2_000 && pair.a.net.send(pair.at_a, sent.to_be_bytes().to_vec()).is_ok() {
            sent += 1;
        }
        assert_eq!(pair.b.frame().await, expected.to_be_bytes());
    }
}

#[tokio::test]
async fn what_was_queued_before_a_close_still_arrives() {
    let mut pair = Pair::connected(config(1), config(2)).await;
    for number in 0..20u8 {
        pair.a.net.send(pair.at_a, vec![number; 10_000]).unwrap();
    }
    pair.a.net.close(pair.at_a, "bye");
    for number in 0..20u8 {
        assert_eq!(pair.b.frame().await, vec![number; 10_000]);
    }
    assert_eq!(pair.b.closed(pair.at_b).await, CloseReason::Ended);
    assert_eq!(pair.a.closed(pair.at_a).await, CloseReason::Asked("bye"));
    assert_eq!(pair.a.net.send(pair.at_a, vec![1]), Err(SendError::Gone));
}

#[tokio::test]
async fn a_shutdown_delivers_what_was_queued_and_ends_the_events() {
    let mut pair = Pair::connected(config(1), config(2)).await;
    pair.a.net.send(pair.at_a, b"last words".to_vec()).unwrap();
    within(pair.a.net.shutdown()).await;
    assert_eq!(pair.b.frame().await, b"last words");
    assert_eq!(pair.b.closed(pair.at_b).await, CloseReason::Ended);
    let mut last = None;
    while let Some(event) = within(pair.a.events.recv()).await {
        last = Some(event);
    }
    let closed =
        NetEvent::Closed { session: pair.at_a, peer: pair.b.key, reason: CloseReason::Shutdown };
    assert_eq!(last, Some(closed));
}

#[tokio::test]
async fn a_node_taken_off_the_list_is_cut_at_once() {
    let mut pair = Pair::connected(config(1), config(2)).await;
    pair.echo(b"still welcome").await;
    pair.b.allow(&[]);
    assert_eq!(pair.b.closed(pair.at_b).await, CloseReason::Disallowed);
    pair.a.closed(pair.at_a).await;
    assert_eq!(pair.b.net.send(pair.at_b, vec![1]), Err(SendError::Gone));
    // It calls again and again, and each time in vain.
    pair.a.unreachable().await;
    pair.a.unreachable().await;
    assert_eq!(pair.b.net.stats().opened, 1);
    // Back on the list, it is welcome again.
    pair.b.allow(&[pair.a.key]);
    pair.b.opened().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn calls_that_cross_leave_one_session_on_which_both_sides_agree() {
    for round in 0..20u8 {
        let (first, second) = if round % 2 == 0 { (1, 2) } else { (2, 1) };
        let (mut a, mut b) = (Node::start(first).await, Node::start(second).await);
        a.allow(&[b.key]);
        b.allow(&[a.key]);
        a.call(&b);
        b.call(&a);
        settle(&mut a, &mut b).await;
    }
}

/// Plays frames over whatever session each side has until both have had one and the same for a
/// whole game, counting in every event that there is never more than one.
async fn settle(a: &mut Node, b: &mut Node) {
    const GAME: u8 = 50;
    let (mut at_a, mut at_b) = (None, None);
    let (mut expected_a, mut expected_b) = (0u8, 0u8);
    let mut dialers = (false, false);
    while expected_a < GAME || expected_b < GAME {
        let (mine, other, held, dialer, expected, event) = tokio::select! {
            event = within(a.events.recv()) =>
                (&*a, b.key, &mut at_a, &mut dialers.0, &mut expected_a, event.unwrap()),
            event = within(b.events.recv()) =>
                (&*b, a.key, &mut at_b, &mut dialers.1, &mut expected_b, event.unwrap()),
        };
        match event {
            NetEvent::Opened { session, peer, dialer: is_dialer } => {
                assert_eq!(peer, other);
                assert_eq!(held.replace(session), None, "two sessions at a time");
                (*expected, *dialer) = (0, is_dialer);
                // A session that already lost takes nothing; its end is on the way.
                let _ = mine.net.send(session, vec![0]);
            }
            NetEvent::Closed { session, .. } => {
                assert_eq!(held.take(), Some(session));
            }
            NetEvent::Frame { session, bytes } => {
                assert_eq!(*held, Some(session));
                assert_eq!(bytes, [*expected], "a frame of another session");
                *expected += 1;
                if *expected < GAME {
                    let _ = mine.net.send(session, vec![*expected]);
                }
            }
            NetEvent::Unreachable { .. } | NetEvent::Writable { .. } => {}
            NetEvent::Listening { .. } => panic!("only one address was asked for"),
        }
    }
    assert!(at_a.is_some() && at_b.is_some());
    assert_ne!(dialers.0, dialers.1, "one side called and the other was called");
    assert_eq!((a.net.stats().sessions, b.net.stats().sessions), (1, 1));
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_receiver_that_does_not_read_stops_the_sender_at_a_bound() {
    const FRAME_BYTES: usize = 64 * 1024;
    let mut a = config(1);
    a.limits.write_deadline = Duration::from_millis(500);
    let mut pair = Pair::connected(a, config(2)).await;
    let (mut taken, mut full) = (0, 0);
    // B reads no event. A sends as fast as it may until it finds B stalled.
    let reason = loop {
        match pair.a.net.send(pair.at_a, vec![7; FRAME_BYTES]) {
            Ok(()) => taken += 1,
            Err(SendError::Size { .. }) => panic!("the size is right"),
            Err(SendError::Gone) => break pair.a.closed(pair.at_a).await,
            Err(SendError::Full) => {
                full += 1;
                match pair.a.next().await {
                    NetEvent::Writable { session } => assert_eq!(session, pair.at_a),
                    NetEvent::Closed { reason, .. } => break reason,
                    other => panic!("expected room or the end, got {other:?}"),
                }
            }
        }
    };
    assert_eq!(reason, CloseReason::Stalled);
    assert!(full > 0);
    // 256 events at B, one window, the sockets' buffers and the queue at A.
    let bound = 256 * FRAME_BYTES + (32 << 20);
    assert!(taken * FRAME_BYTES < bound, "{taken} frames of {FRAME_BYTES} bytes");
    // What B had received before is all there.
    for _ in 0..256 {
        assert_eq!(pair.b.frame().await.len(), FRAME_BYTES);
    }
}

#[tokio::test]
async fn two_nodes_do_not_share_a_port() {
    let first = Node::start(1).await;
    let second = NetConfig { listen: vec![first.addr], ..config(2) };
    match xw_net::Net::start(second).await {
        Err(NetError::Listen { addr, .. }) => assert_eq!(addr, first.addr),
        other => panic!("expected a refusal, got {other:?}"),
    }
}
