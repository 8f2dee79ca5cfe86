//! A neighbour that holds a key and speaks the protocol by hand, to break its rules. The attacks on
//! whole nodes (`tests/hostile`) use this same hand.

use std::future::poll_fn;
use std::io;
use std::net::SocketAddr;
use std::task::Poll;

use futures::{AsyncReadExt, AsyncWriteExt};
use libp2p::core::muxing::{StreamMuxerBox, StreamMuxerExt, SubstreamBox};
use libp2p::core::transport::{DialOpts, PortUse};
use libp2p::core::upgrade::Version;
use libp2p::core::{Endpoint, Transport};
use libp2p::identity::Keypair;
use libp2p::multiaddr::{Multiaddr, Protocol};
use libp2p::{noise, tcp, yamux};

/// A stream on which both sides have agreed on the protocol.
pub(crate) type Talk = SubstreamBox;

/// A connection past its handshake. It agrees to be pinged and answers no ping.
pub(crate) struct Raw {
    muxer: StreamMuxerBox,
    network: [u8; 32],
}

impl Raw {
    pub(crate) async fn connect(
        mut seed: [u8; 32],
        network: [u8; 32],
        addr: SocketAddr,
    ) -> io::Result<Self> {
        let identity = Keypair::ed25519_from_bytes(&mut seed).unwrap();
        let prologue = [b"xiangwang/".as_slice(), &network].concat();
        let mut transport = tcp::tokio::Transport::new(tcp::Config::new())
            .upgrade(Version::V1)
            .authenticate(noise::Config::new(&identity).unwrap().with_prologue(prologue))
            .multiplex(yamux::Config::default())
            .boxed();
        let address = Multiaddr::from(addr.ip()).with(Protocol::Tcp(addr.port()));
        let opts = DialOpts { role: Endpoint::Dialer, port_use: PortUse::New };
        let (_, muxer) = transport.dial(address, opts).map_err(io::Error::other)?.await?;
        Ok(Self { muxer, network })
    }

    /// Opens a stream and agrees on the protocol.
    pub(crate) async fn open(&mut self) -> io::Result<Talk> {
        let muxer = &mut self.muxer;
        let mut stream = poll_fn(|cx| {
            let _ = muxer.poll_unpin(cx);
            muxer.poll_outbound_unpin(cx).map_err(io::Error::other)
        })
        .await?;
        let id: String = self.network[..8].iter().map(|byte| format!("{byte:02x}")).collect();
        let mut hello = line("/multistream/1.0.0");
        hello.extend(line(&format!("/xiangwang/{id}/sync/1")));
        let muxer = &mut self.muxer;
        let agree = async {
            stream.write_all(&hello).await?;
            stream.flush().await?;
            let mut answer = vec![0; hello.len()];
            stream.read_exact(&mut answer).await?;
            assert_eq!(answer, hello);
            Ok(stream)
        };
        tokio::select! {
            agreed = agree => agreed,
            never = drive(muxer) => never,
        }
    }

    /// Opens no stream and waits for the other side to end the connection.
    pub(crate) async fn ended(mut self) -> io::Error {
        drive::<()>(&mut self.muxer).await.unwrap_err()
    }

    /// Opens streams and says half a word on each, until there are so many or the other side ends the
    /// connection; how many there were.
    pub(crate) async fn streams(mut self, most: usize) -> usize {
        let mut opened = 0;
        poll_fn(|cx| {
            while opened < most {
                match self.muxer.poll_outbound_unpin(cx) {
                    Poll::Ready(Ok(stream)) => drop(tokio::spawn(half_a_word(stream))),
                    Poll::Ready(Err(_)) => return Poll::Ready(()),
                    Poll::Pending => break,
                }
                opened += 1;
            }
            let over = matches!(self.muxer.poll_unpin(cx), Poll::Ready(Err(_)));
            if over { Poll::Ready(()) } else { Poll::Pending }
        })
        .await;
        opened
    }

    /// Lets the connection work by itself until the other side ends it.
    pub(crate) fn run(mut self) {
        tokio::spawn(async move { drive(&mut self.muxer).await.map(|never: ()| never) });
    }
}

/// Keeps a connection moving until it breaks.
async fn drive<T>(muxer: &mut StreamMuxerBox) -> io::Result<T> {
    poll_fn(|cx| {
        while let Poll::Ready(stream) = muxer.poll_inbound_unpin(cx) {
            match stream {
                Ok(stream) => drop(tokio::spawn(hear_out(stream))),
                Err(error) => return Poll::Ready(Err(io::Error::other(error))),
            }
        }
        match muxer.poll_unpin(cx) {
            Poll::Ready(Err(error)) => Poll::Ready(Err(io::Error::other(error))),
            _ => Poll::Pending,
        }
    })
    .await
}

/// Agrees to the ping protocol and says nothing after that.
async fn hear_out(mut stream: SubstreamBox) -> io::Result<u64> {
    let mut hello = line("/multistream/1.0.0");
    hello.extend(line("/ipfs/ping/1.0.0"));
    stream.read_exact(&mut hello).await?;
    stream.write_all(&hello).await?;
    stream.flush().await?;
    futures::io::copy(stream, &mut futures::io::sink()).await
}

/// Begins to agree on a protocol and holds the stream until it breaks.
async fn half_a_word(mut stream: SubstreamBox) -> io::Result<u64> {
    stream.write_all(&line("/multistream/1.0.0")[..7]).await?;
    stream.flush().await?;
    futures::io::copy(stream, &mut futures::io::sink()).await
}

/// One line of the multistream-select protocol.
fn line(text: &str) -> Vec<u8> {
    let len = u8::try_from(text.len() + 1).unwrap();
    assert!(len < 0x80, "longer lines need a longer length");
    [&[len], text.as_bytes(), b"\n"].concat()
}
