//! A caller's own address: a TCP relay that connects to a node from another loopback address, so
//! that attackers and honest villages are told apart as on a real network.

use std::net::{Ipv4Addr, SocketAddr};

use tokio::io::copy_bidirectional;
use tokio::net::{TcpListener, TcpSocket, TcpStream};
use tokio::task::JoinHandle;

/// A relay that lives as long as this value.
pub(crate) struct Door {
    pub(crate) address: SocketAddr,
    carrying: JoinHandle<()>,
}

impl Door {
    /// A way to `target` for callers from `from`.
    pub(crate) async fn to(target: SocketAddr, from: Ipv4Addr) -> Self {
        let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).await.expect("a free port");
        let address = listener.local_addr().expect("it is bound");
        let carrying = tokio::spawn(async move {
            while let Ok((mut near, _)) = listener.accept().await {
                tokio::spawn(async move {
                    // Small frames are not to wait for one another here: nodes do not let them.
                    let _ = near.set_nodelay(true);
                    if let Ok(mut far) = connect(target, from).await {
                        let _ = copy_bidirectional(&mut near, &mut far).await;
                    }
                });
            }
        });
        Self { address, carrying }
    }
}

impl Drop for Door {
    fn drop(&mut self) {
        self.carrying.abort();
    }
}

/// Connects from an address; from any where the system has only one loopback address.
pub(crate) async fn connect(target: SocketAddr, from: Ipv4Addr) -> std::io::Result<TcpStream> {
    let socket = TcpSocket::new_v4()?;
    socket.set_nodelay(true)?;
    if socket.bind(SocketAddr::from((from, 0))).is_err() {
        return TcpStream::connect(target).await;
    }
    socket.connect(target).await
}
