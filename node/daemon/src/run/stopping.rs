//! What makes a node stop in order.

use std::io;

use tokio::sync::oneshot;

/// Set by a program that starts a node: the node stops in order when its input ends. Works alike
/// where there are no signals.
pub(crate) const STOP_WITH_STDIN: &str = "XIANGWANG_STOP_WITH_STDIN";

/// The system or a person asks for it, or the input ends for a node that was started by another
/// program.
pub(super) async fn stopped() -> io::Result<()> {
    if std::env::var_os(STOP_WITH_STDIN).is_none() {
        return asked().await;
    }
    let (ended, end) = oneshot::channel();
    // Reading blocks; the thread ends with the input or with the process.
    std::thread::spawn(move || {
        let _ = io::copy(&mut io::stdin(), &mut io::sink());
        let _ = ended.send(());
    });
    tokio::select! {
        asked = asked() => asked,
        _ = end => Ok(()),
    }
}

/// Ctrl-C, or what a service manager and a system that shuts down send.
#[cfg(unix)]
async fn asked() -> io::Result<()> {
    use tokio::signal::unix::{SignalKind, signal};
    let mut terminate = signal(SignalKind::terminate())?;
    tokio::select! {
        asked = tokio::signal::ctrl_c() => asked,
        _ = terminate.recv() => Ok(()),
    }
}

/// Ctrl-C, the window that is closed, a system that shuts down.
#[cfg(windows)]
async fn asked() -> io::Result<()> {
    use tokio::signal::windows::{ctrl_close, ctrl_shutdown};
    let (mut close, mut shutdown) = (ctrl_close()?, ctrl_shutdown()?);
    tokio::select! {
        asked = tokio::signal::ctrl_c() => asked,
        _ = close.recv() => Ok(()),
        _ = shutdown.recv() => Ok(()),
    }
}
