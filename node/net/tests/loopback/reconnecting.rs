//! A neighbour that is wanted is found again.

use std::net::SocketAddr;

use xw_net::{CloseReason, NetConfig, NetEvent};

use crate::nodes::{Node, Pair, config, within};

#[tokio::test]
async fn a_neighbour_that_restarts_is_called_again() {
    let mut pair = Pair::connected(config(1), config(2)).await;
    for _ in 0..3 {
        pair.a.net.confirm(pair.at_a);
        let addr = pair.b.addr;
        within(pair.b.net.shutdown()).await;
        assert_eq!(pair.a.closed(pair.at_a).await, CloseReason::Ended);
        // At least one call falls into the pause.
        pair.a.unreachable().await;
        pair.b = Node::start_with(NetConfig { listen: vec![addr], ..config(2) }).await;
        pair.b.allow(&[pair.a.key]);
        pair.at_a = pair.a.opened().await.0;
        pair.at_b = pair.b.opened().await.0;
        pair.echo(b"again").await;
    }
}

#[tokio::test]
async fn a_caller_that_vanishes_without_a_word_is_taken_back_when_it_calls() {
    let mut pair = Pair::connected(config(1), config(2)).await;
    pair.echo(b"before").await;
    drop(pair.a);
    let mut a = Node::start(1).await;
    a.allow(&[pair.b.key]);
    a.call(&pair.b);
    a.opened().await;
    pair.b.closed(pair.at_b).await;
    let (_, peer, dialer) = pair.b.opened().await;
    assert_eq!((peer, dialer), (a.key, false));
}

#[tokio::test]
async fn all_addresses_are_tried_and_another_node_at_one_of_them_hides_nothing() {
    let (mut a, mut b) = (Node::start(1).await, Node::start(2).await);
    let (other, nobody) = (Node::start(3).await, Node::start(4).await);
    let silent: SocketAddr = nobody.addr;
    within(nobody.net.shutdown()).await;
    for node in [&a, &b, &other] {
        node.allow(&[a.key, b.key, other.key]);
    }
    a.net.keep_dialling(b.key, vec![silent, other.addr, b.addr]);
    let (_, peer, _) = a.opened().await;
    assert_eq!(peer, b.key);
    assert_eq!(b.opened().await.1, a.key);
    assert_eq!(other.net.stats().opened, 0);
}

#[tokio::test]
async fn a_neighbour_no_longer_wanted_is_not_called_and_its_session_goes_on() {
    let mut pair = Pair::connected(config(1), config(2)).await;
    pair.a.net.stop_dialling(pair.b.key);
    pair.echo(b"goes on").await;
    pair.b.net.close(pair.at_b, "enough");
    pair.b.closed(pair.at_b).await;
    pair.a.closed(pair.at_a).await;
    // A neighbour called after it fails twice, with the first one long overdue by then.
    let gone = Node::start(3).await;
    let (gone_key, gone_addr) = (gone.key, gone.addr);
    within(gone.net.shutdown()).await;
    pair.a.allow(&[pair.b.key, gone_key]);
    pair.a.net.keep_dialling(gone_key, vec![gone_addr]);
    for _ in 0..3 {
        match pair.a.next().await {
            NetEvent::Unreachable { peer, .. } => assert_eq!(peer, gone_key),
            other => panic!("expected a failed call, got {other:?}"),
        }
    }
    assert_eq!(pair.a.net.stats().opened, 1);
}
