//! Nodes that do not belong get no session.

use xw_net::NetConfig;

use crate::nodes::{Node, Pair, config, key, raw};

#[tokio::test]
async fn a_stranger_is_refused_and_costs_no_session() {
    let mut pair = Pair::connected(config(1), config(2)).await;
    let mut stranger = Node::start(3).await;
    stranger.allow(&[pair.b.key]);
    stranger.call(&pair.b);
    // The second failure comes after the node has surely counted the first.
    stranger.unreachable().await;
    stranger.unreachable().await;
    let stats = pair.b.net.stats();
    assert!(stats.refused_strangers >= 1, "{stats:?}");
    assert_eq!((stats.sessions, stats.opened), (1, 1));
    assert_eq!(stranger.net.stats().opened, 0);
    pair.echo(b"undisturbed").await;
}

#[tokio::test]
async fn nobody_connects_before_the_list_is_given() {
    let mut caller = Node::start(1).await;
    let silent = Node::start(2).await;
    caller.allow(&[silent.key]);
    caller.call(&silent);
    caller.unreachable().await;
    caller.unreachable().await;
    assert_eq!(silent.net.stats().opened, 0);
}

#[tokio::test]
async fn a_node_of_another_network_gets_no_session() {
    let mut here = Node::start(1).await;
    let there = Node::start_with(NetConfig { network: [0x14; 32], ..config(2) }).await;
    here.allow(&[there.key]);
    there.allow(&[here.key]);
    here.call(&there);
    here.unreachable().await;
    here.unreachable().await;
    assert_eq!((here.net.stats().opened, there.net.stats().opened), (0, 0));
    assert!(there.net.stats().handshakes_failed >= 1);
}

#[tokio::test]
async fn a_key_proved_by_hand_is_a_neighbour_like_any_other() {
    // Guards the tests that break rules by hand: what they do right is accepted.
    let mut node = Node::start(1).await;
    node.allow(&[key(9)]);
    let mut caller = raw(9, node.addr).await.unwrap();
    let _stream = caller.open().await.unwrap();
    caller.run();
    let (_, peer, dialer) = node.opened().await;
    assert_eq!((peer, dialer), (key(9), false));
}
