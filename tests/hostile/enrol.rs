//! How an office with a process of its own gets its folder: the only file here that knows.

use std::net::{Ipv4Addr, SocketAddr, TcpListener};
use std::path::Path;

use crate::node::Node;
use crate::setup::{HONEST, Keys, World};

/// Makes the folder of every honest office; nothing runs yet.
pub(crate) fn all(dir: &Path, world: &World, honest: &[Keys]) -> Vec<Node> {
    let ports = free_ports(honest.len());
    let _ = world;
    honest
        .iter()
        .enumerate()
        .map(|(seat, keys)| {
            let folder = dir.join(format!("{seat}-{}", keys.division));
            Node::new(HONEST[seat].1, folder, ports[seat], keys.node.public())
        })
        .collect()
}

fn free_ports(count: usize) -> Vec<SocketAddr> {
    let listeners: Vec<TcpListener> = (0..count)
        .map(|_| TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).expect("a free port"))
        .collect();
    listeners.iter().map(|l| l.local_addr().expect("it is bound")).collect()
}
