//! What makes a node stop in order.

use tokio::sync::oneshot;

/// Set by a program that starts a node: the node stops in order when its input ends. Works alike
/// where there are no signals.
pub(crate) const STOP_WITH_STDIN: &str = "XIANGWANG_STOP_WITH_STDIN";

/// Ctrl-C, or the end of the input for a node that was started by another program.
pub(super) async fn stopped() -> std::io::Result<()> {
    if std::env::var_os(STOP_WITH_STDIN).is_none() {
        return tokio::signal::ctrl_c().await;
    }
    let (ended, end) = oneshot::channel();
    // Reading blocks; the thread ends with the input or with the process.
    std::thread::spawn(move || {
        let _ = std::io::copy(&mut std::io::stdin(), &mut std::io::sink());
        let _ = ended.send(());
    });
    tokio::select! {
        result = tokio::signal::ctrl_c() => result,
        _ = end => Ok(()),
    }
}
