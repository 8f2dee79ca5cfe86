//! How an office with a process of its own gets its folder and its clerk signs in: the only file
//! here that knows.

use std::net::{Ipv4Addr, SocketAddr, TcpListener};
use std::path::Path;

use serde_json::{Value as Json, json};
use xw_bootstrap::invitation::{beginning, calling_name};
use xw_schemas::id::NetworkId;
use xw_schemas::record::builtin;

use crate::folder::{self, Neighbour, Office};
use crate::node::Node;
use crate::setup::{HONEST, Keys, World};

/// Makes the folder of every honest office; nothing runs yet.
pub(crate) fn all(dir: &Path, world: &World, honest: &[Keys]) -> Vec<Node> {
    let ports = free_ports(honest.len());
    honest
        .iter()
        .enumerate()
        .map(|(seat, keys)| {
            let path = dir.join(format!("{seat}-{}", keys.division));
            let above = |other: &(&Keys, &SocketAddr)| {
                other.0.division != keys.division && other.0.division.covers(keys.division)
            };
            // The nearest office above comes first: the county stands first in the list.
            let above = honest.iter().zip(&ports).rev().filter(above);
            let neighbours: Vec<Neighbour> = above
                .map(|(other, address)| Neighbour {
                    key: other.node.public(),
                    office: other.name.clone(),
                    address: *address,
                })
                .collect();
            one(HONEST[seat].1, &path, world, keys, ports[seat], &neighbours)
        })
        .collect()
}

/// Makes the folder of one PC; nothing runs yet.
pub(crate) fn one(
    name: &'static str,
    path: &Path,
    world: &World,
    keys: &Keys,
    listen: SocketAddr,
    neighbours: &[Neighbour],
) -> Node {
    let (office, roster) = (office(keys), [world.founding.clone()]);
    folder::write(path, &office, &roster, builtin(), listen, neighbours);
    Node::new(name, path.to_owned(), listen, keys.node.public())
}

/// What the first clerk of an office says to sign in.
pub(crate) fn unlock(keys: &Keys) -> Json {
    folder::unlock(&office(keys))
}

/// What a person of an office says to sign in.
pub(crate) fn unlock_as(name: &str) -> Json {
    json!({"do": "unlock", "person": name, "passphrase": folder::passphrase(name)})
}

/// How nodes of the network call it towards each other.
pub(crate) fn calling(network: NetworkId) -> [u8; 32] {
    calling_name(beginning(network))
}

fn office(keys: &Keys) -> Office {
    let people = keys.people.iter().map(|(name, _, key)| (name.clone(), key.clone())).collect();
    Office { division: keys.division, name: keys.name.clone(), node: keys.node.clone(), people }
}

pub(crate) fn free_ports(count: usize) -> Vec<SocketAddr> {
    let listeners: Vec<TcpListener> = (0..count)
        .map(|_| TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).expect("a free port"))
        .collect();
    listeners.iter().map(|l| l.local_addr().expect("it is bound")).collect()
}
