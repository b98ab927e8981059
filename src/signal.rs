//! SIGINT and SIGTERM: end the run, not the process, so that everything is removed.

use tokio_util::sync::CancellationToken;

/// Cancels `cancel` on the first SIGINT or SIGTERM. Further ones are swallowed: removal takes
/// seconds, and `clean` exists for the impatient who kill.
pub async fn cancel_on_signal(cancel: CancellationToken) {
    #[cfg(unix)]
    {
        use tokio::signal::unix::{SignalKind, signal};
        // Without a handler the default applies: the process ends, and `clean` removes the rest.
        let (Ok(mut interrupt), Ok(mut terminate)) = (
            signal(SignalKind::interrupt()),
            signal(SignalKind::terminate()),
        ) else {
            return;
        };
        tokio::select! {
            _ = interrupt.recv() => {}
            _ = terminate.recv() => {}
        }
    }
    #[cfg(not(unix))]
    if tokio::signal::ctrl_c().await.is_err() {
        return;
    }
    cancel.cancel();
}
