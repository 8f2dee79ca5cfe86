//! A line that can be cut: a TCP relay on loopback between a village and the office above it. What
//! the two programs see is a real connection that breaks and a real one that comes back.

use std::net::SocketAddr;

use tokio::io::copy_bidirectional;
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::watch;

/// One line.
pub(super) struct Line {
    /// Where the village dials.
    pub(super) address: SocketAddr,
    whole: watch::Sender<bool>,
}

impl Line {
    /// A whole line to an address.
    pub(super) async fn to(target: SocketAddr) -> std::io::Result<Self> {
        let listener = TcpListener::bind((std::net::Ipv4Addr::LOCALHOST, 0)).await?;
        let address = listener.local_addr()?;
        let (whole, state) = watch::channel(true);
        tokio::spawn(carry(listener, target, state));
        Ok(Self { address, whole })
    }

    /// Breaks every connection and takes no new one.
    pub(super) fn cut(&self) {
        self.whole.send_replace(false);
    }

    /// Carries again.
    pub(super) fn heal(&self) {
        self.whole.send_replace(true);
    }
}

async fn carry(listener: TcpListener, target: SocketAddr, state: watch::Receiver<bool>) {
    loop {
        let Ok((mut near, _)) = listener.accept().await else { continue };
        let mut state = state.clone();
        if !*state.borrow_and_update() {
            continue;
        }
        tokio::spawn(async move {
            let Ok(mut far) = TcpStream::connect(target).await else { return };
            tokio::select! {
                _ = copy_bidirectional(&mut near, &mut far) => {}
                _ = state.wait_for(|whole| !whole) => {}
            }
        });
    }
}
