//! Under which addresses others reach this PC. Sends nothing.

use std::net::{IpAddr, Ipv4Addr, SocketAddr, UdpSocket};

/// An address that is nobody's (RFC 5737): asking which way leads there sends nothing.
const ELSEWHERE: SocketAddr = SocketAddr::new(IpAddr::V4(Ipv4Addr::new(192, 0, 2, 1)), 9);

/// The addresses at which a node that listens so is reached: those it names, or that of the way out
/// where it listens everywhere. Empty where the PC has no network at this moment.
pub(crate) fn own_addresses(listen: &[SocketAddr]) -> Vec<SocketAddr> {
    let mut addresses = Vec::new();
    for address in listen {
        if !address.ip().is_unspecified() {
            addresses.push(*address);
        } else if let Some(ip) = way_out() {
            addresses.push(SocketAddr::new(ip, address.port()));
        }
    }
    addresses.dedup();
    addresses
}

/// This PC's address on the way out.
fn way_out() -> Option<IpAddr> {
    let socket = UdpSocket::bind((Ipv4Addr::UNSPECIFIED, 0)).ok()?;
    socket.connect(ELSEWHERE).ok()?;
    socket.local_addr().ok().map(|address| address.ip()).filter(|ip| !ip.is_unspecified())
}
