//! The reference server: the lifecycle API (`specs/sandbox-lifecycle.yml`) and a proxy to each
//! sandbox's execd, in front of any [`Target`].
//!
//! [`Server`] listens; [`Api`] is the same without a network, for requests that a scenario sends
//! as they are to a target that has no HTTP API of its own. Where the official server and the
//! specification differ, this one follows the specification: every answer that is not a success is
//! the error envelope, a schema that is broken is 400, and a sandbox is `Pending` before it is
//! `Running`.

mod api;
mod body;
mod guard;
mod nursery;
mod proxy;
mod query;
mod refusal;
mod router;
mod sandbox;
mod snapshot;

use std::net::SocketAddr;
use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;

use axum::serve::ListenerExt;
use tokio::net::TcpListener;
use tokio_util::sync::CancellationToken;

use crate::target::{Ledger, LedgerError, Owner, Scope, Target, in_full, settle, state_folder};

pub use api::Api;

/// How long connections may go on once everything behind them has been removed.
const FAREWELL: Duration = Duration::from_secs(3);

/// How long what is being made may take to end, and everything to be removed.
const TEAR_DOWN: Duration = Duration::from_secs(60);

/// How the server is set up.
#[derive(Clone)]
pub struct ServeConfig {
    /// Where to listen; port 0 takes a free one.
    pub listen: SocketAddr,
    /// The key that every request must carry; without one, only this machine may ask.
    pub api_key: Option<String>,
    /// Folder for the ledger, see [`state_folder`].
    pub state: PathBuf,
}

impl Default for ServeConfig {
    fn default() -> Self {
        Self {
            listen: SocketAddr::from(([127, 0, 0, 1], 8080)),
            api_key: None,
            state: state_folder(),
        }
    }
}

impl std::fmt::Debug for ServeConfig {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("ServeConfig")
            .field("listen", &self.listen)
            .field("state", &self.state)
            .finish_non_exhaustive()
    }
}

/// A server that cannot be started.
#[derive(Debug, thiserror::Error)]
pub enum ServeError {
    /// Anybody could run commands on this machine.
    #[error(
        "{0} can be reached from other machines, and there is no API key: set SANDBOX_API_KEY, or \
         listen on 127.0.0.1"
    )]
    Open(SocketAddr),
    /// The address cannot be had.
    #[error("cannot listen on {address}: {source}; choose another with --listen")]
    Address {
        /// The address.
        address: SocketAddr,
        /// Why.
        #[source]
        source: std::io::Error,
    },
    /// The ledger cannot be written.
    #[error(transparent)]
    Ledger(#[from] LedgerError),
}

/// A server that listens.
pub struct Server {
    listener: TcpListener,
    address: SocketAddr,
    target: Arc<dyn Target>,
    ledger: Arc<Ledger>,
    scope: Arc<Scope>,
    api_key: Option<String>,
}

impl std::fmt::Debug for Server {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Server")
            .field("address", &self.address)
            .finish_non_exhaustive()
    }
}

impl Server {
    /// Begins to listen, and opens the ledger of what will be made.
    ///
    /// # Errors
    /// When the address is open to other machines and there is no key, or cannot be had; and when
    /// the ledger cannot be written.
    pub async fn bind(target: Arc<dyn Target>, config: ServeConfig) -> Result<Self, ServeError> {
        let listen = config.listen;
        let api_key = config.api_key.filter(|key| !key.is_empty());
        if api_key.is_none() && !listen.ip().is_loopback() {
            return Err(ServeError::Open(listen));
        }
        let failed = |source| ServeError::Address {
            address: listen,
            source,
        };
        let listener = TcpListener::bind(listen).await.map_err(failed)?;
        let address = listener.local_addr().map_err(failed)?;
        let locator = &target.info().locator;
        let ledger = Arc::new(Ledger::open(&config.state, locator, Owner::this_process())?);
        let scope = Scope::new(Arc::clone(&target), Arc::clone(&ledger), Arc::default());
        Ok(Self {
            listener,
            address,
            target,
            ledger,
            scope: Arc::new(scope),
            api_key,
        })
    }

    /// Where it listens.
    pub fn address(&self) -> SocketAddr {
        self.address
    }

    /// Serves until `cancel` is cancelled, then removes every sandbox and volume that it made.
    /// Answers what could not be removed, in words.
    pub async fn run(self, cancel: CancellationToken) -> Vec<String> {
        let api = Arc::new(Api::new(Arc::clone(&self.target), Arc::clone(&self.scope)));
        let router = router::public(api, self.api_key);
        let service = router.into_make_service_with_connect_info::<SocketAddr>();
        let closing = cancel.clone();
        // Small answers leave at once; without that they are only slower.
        let listener = self
            .listener
            .tap_io(|stream| drop(stream.set_nodelay(true)));
        let serving = axum::serve(listener, service)
            .with_graceful_shutdown(async move { closing.cancelled().await });
        let mut serving = tokio::spawn(serving.into_future());
        cancel.cancelled().await;
        let mut words: Vec<_> = match tokio::time::timeout(TEAR_DOWN, self.scope.tear_down()).await
        {
            Ok(left) => left
                .into_iter()
                .map(|(resource, error)| {
                    format!("{resource} could not be removed: {}", in_full(&error))
                })
                .collect(),
            // Such as a pull from a registry that does not answer.
            Err(_) => vec![format!(
                "what was being made did not end within {} s",
                TEAR_DOWN.as_secs()
            )],
        };
        // What still streams has nothing behind it any more.
        if tokio::time::timeout(FAREWELL, &mut serving).await.is_err() {
            serving.abort();
        }
        let remainder = settle(self.target.as_ref(), &self.ledger).await;
        words.extend(remainder.words().cloned());
        words
    }
}
