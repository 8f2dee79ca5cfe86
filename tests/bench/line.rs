//! A counting line between two nodes: a TCP relay on loopback that says how many bytes went each
//! way and when the first and the last of them did.

use std::io::{Read as _, Write as _};
use std::net::{Ipv4Addr, Shutdown, SocketAddr, TcpListener, TcpStream};
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::sync::{Arc, Mutex};
use std::time::Instant;

/// What has gone over the line.
#[derive(Default)]
pub(crate) struct Meter {
    pub(crate) up: AtomicU64,
    pub(crate) down: AtomicU64,
    /// First and last byte since the last reset.
    span: Mutex<Option<(Instant, Instant)>>,
    open: AtomicBool,
    streams: Mutex<Vec<TcpStream>>,
}

impl Meter {
    pub(crate) fn reset(&self) {
        self.up.store(0, Ordering::SeqCst);
        self.down.store(0, Ordering::SeqCst);
        *self.span.lock().expect("no holder panics") = None;
    }

    pub(crate) fn bytes(&self) -> u64 {
        self.up.load(Ordering::SeqCst) + self.down.load(Ordering::SeqCst)
    }

    pub(crate) fn span(&self) -> Option<(Instant, Instant)> {
        *self.span.lock().expect("no holder panics")
    }

    /// Breaks what is open; new connections wait to be let in.
    pub(crate) fn cut(&self) {
        self.open.store(false, Ordering::SeqCst);
        for stream in self.streams.lock().expect("no holder panics").drain(..) {
            let _ = stream.shutdown(Shutdown::Both);
        }
    }

    pub(crate) fn heal(&self) {
        self.open.store(true, Ordering::SeqCst);
    }

    fn note(&self, counter: &AtomicU64, bytes: usize) {
        counter.fetch_add(bytes as u64, Ordering::SeqCst);
        let now = Instant::now();
        let mut span = self.span.lock().expect("no holder panics");
        *span = Some(span.map_or((now, now), |(first, _)| (first, now)));
    }
}

/// Opens a line to an address.
pub(crate) fn open(target: SocketAddr) -> (SocketAddr, Arc<Meter>) {
    let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).expect("a free port");
    let address = listener.local_addr().expect("it is bound");
    let meter = Arc::new(Meter::default());
    meter.heal();
    let shared = Arc::clone(&meter);
    std::thread::spawn(move || {
        for near in listener.incoming().flatten() {
            if !shared.open.load(Ordering::SeqCst) {
                continue;
            }
            let Ok(far) = TcpStream::connect(target) else { continue };
            let _ = near.set_nodelay(true);
            let _ = far.set_nodelay(true);
            let mut streams = shared.streams.lock().expect("no holder panics");
            streams.extend(near.try_clone());
            streams.extend(far.try_clone());
            drop(streams);
            carry(&near, &far, Arc::clone(&shared), true);
            carry(&far, &near, Arc::clone(&shared), false);
        }
    });
    (address, meter)
}

fn carry(from: &TcpStream, to: &TcpStream, meter: Arc<Meter>, up: bool) {
    let (Ok(mut from), Ok(mut to)) = (from.try_clone(), to.try_clone()) else { return };
    std::thread::spawn(move || {
        let mut buffer = vec![0; 64 << 10];
        while let Ok(bytes) = from.read(&mut buffer) {
            if bytes == 0 || to.write_all(&buffer[..bytes]).is_err() {
                break;
            }
            meter.note(if up { &meter.up } else { &meter.down }, bytes);
        }
        let _ = to.shutdown(Shutdown::Both);
    });
}
