//! The routes, and the connections that they are served on.

use std::io::{self, Write};
use std::net::SocketAddr;
use std::os::fd::AsFd;
use std::pin::{Pin, pin};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::task::{Context, Poll};
use std::time::Duration;

use axum::Router;
use axum::extract::{DefaultBodyLimit, Request, State};
use axum::http::{Method, StatusCode, Uri};
use axum::response::{IntoResponse, Response};
use axum::routing::{delete, get, post};
use hyper::service::Service;
use hyper_util::rt::{TokioExecutor, TokioIo};
use hyper_util::server::conn::auto;
use hyper_util::service::TowerToHyperService;
use nix::sys::signal::Signal;
use osb_conformance::execd::enclosure::Greeting;
use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};
use tokio::net::TcpListener;
use tokio::net::unix::pipe;
use tokio::sync::Notify;
use tokio::time::timeout;

use crate::error::Refusal;
use crate::process::Processes;
use crate::record::Records;
use crate::session::Sessions;
use crate::{command, directory, file, metric, session};

/// Largest body that is taken into memory: a file that is uploaded.
pub(crate) const BODY: usize = 256 << 20;

/// How long what is in flight may take once the input has ended. A harness that died asks for
/// nothing more, and the sandbox must not outlive it for long.
const DRAIN: Duration = Duration::from_millis(300);

/// Query parameters in order; one may be there several times.
pub(crate) type Pairs = Vec<(String, String)>;

/// The first value of a query parameter.
pub(crate) fn first<'a>(query: &'a Pairs, name: &str) -> Option<&'a str> {
    let found = query.iter().find(|(key, _)| key == name);
    found.map(|(_, value)| value.as_str())
}

/// What requests work on.
#[derive(Default)]
pub(crate) struct Agent {
    pub(crate) processes: Processes,
    pub(crate) records: Records,
    pub(crate) sessions: Sessions,
    pub(crate) is_frozen: AtomicBool,
}

impl Agent {
    /// Refuses to start anything while everything is stopped.
    pub(crate) fn check_thawed(&self) -> Result<(), Refusal> {
        if self.is_frozen.load(Ordering::Relaxed) {
            let message = "the sandbox is paused";
            return Err(Refusal::new(StatusCode::CONFLICT, "FROZEN", message));
        }
        Ok(())
    }
}

/// Every route of execd that the agent serves.
pub(crate) fn router(agent: Arc<Agent>) -> Router {
    Router::new()
        .route("/ping", get(StatusCode::OK))
        .route("/command", post(command::run).delete(command::interrupt))
        .route("/command/status/{id}", get(command::status))
        .route("/command/{id}/logs", get(command::logs))
        .route("/session", post(session::create))
        .route("/session/{id}", delete(session::delete))
        .route("/session/{id}/run", post(session::run))
        .route("/files", delete(file::delete))
        .route("/files/info", get(file::info))
        .route("/files/permissions", post(file::permit))
        .route("/files/mv", post(file::rename))
        .route("/files/search", get(file::search::search))
        .route("/files/replace", post(file::replace::replace))
        .route("/files/upload", post(file::upload::upload))
        .route("/files/download", get(file::download::download))
        .route(
            "/directories",
            post(directory::create).delete(directory::delete),
        )
        .route("/directories/list", get(directory::list))
        .route("/metrics", get(metric::get))
        .route("/metrics/watch", get(metric::watch))
        .route("/freeze", post(freeze))
        .route("/thaw", post(thaw))
        .fallback(unknown)
        .method_not_allowed_fallback(unknown)
        .layer(DefaultBodyLimit::max(BODY))
        .with_state(agent)
}

async fn unknown(method: Method, uri: Uri) -> Refusal {
    let message = format!("there is no {method} {} here", uri.path());
    Refusal::new(StatusCode::NOT_FOUND, "NOT_SUPPORTED", message)
}

/// `/proxy/{port}/…`, by which execd is reached where a sandbox has one port to the outside: for the
/// agent's own port the same as `/…`. Forwarding to others would take a client of HTTP.
async fn forward(
    State((router, own)): State<(Router, u16)>,
    mut request: Request,
) -> Result<Response, Refusal> {
    let target = request.uri().path_and_query().map(|target| target.as_str());
    if let Some(target) = target.and_then(|target| target.strip_prefix("/proxy/")) {
        let (port, path) = target.split_at(target.find(['/', '?']).unwrap_or(target.len()));
        if port != own.to_string() {
            let message = format!("this agent forwards to its own port {own} only, not to {port}");
            return Err(Refusal::new(
                StatusCode::BAD_GATEWAY,
                "BACKEND_CONNECTION_FAILED",
                message,
            ));
        }
        let slash = if path.starts_with('/') { "" } else { "/" };
        let uri = format!("{slash}{path}").parse::<Uri>();
        *request.uri_mut() = uri.map_err(|error| Refusal::body(error.to_string()))?;
    }
    Ok(TowerToHyperService::new(router)
        .call(request)
        .await
        .into_response())
}

/// `POST /freeze`, no part of execd: stops every process of the sandbox but the agent, for a
/// target that has no other way to pause it.
async fn freeze(State(agent): State<Arc<Agent>>) -> Result<StatusCode, Refusal> {
    // First: what is asked for from now on is not started any more.
    agent.is_frozen.store(true, Ordering::Relaxed);
    signal_all(&agent, Signal::SIGSTOP)
}

/// `POST /thaw`: lets them go on.
async fn thaw(State(agent): State<Arc<Agent>>) -> Result<StatusCode, Refusal> {
    agent.is_frozen.store(false, Ordering::Relaxed);
    signal_all(&agent, Signal::SIGCONT)
}

fn signal_all(agent: &Agent, signal: Signal) -> Result<StatusCode, Refusal> {
    if agent.processes.signal_all(signal) {
        return Ok(StatusCode::OK);
    }
    agent.is_frozen.store(false, Ordering::Relaxed);
    Err(Refusal::runtime(
        "the agent is not the first process of its sandbox",
    ))
}

/// Serves HTTP/2 on standard input and output, until the input ends and what is in
/// flight is answered. `met` is told when the client says its first word.
///
/// # Errors
/// When input and output are not pipes.
pub(crate) async fn serve_stdio(router: Router, met: Arc<Notify>) -> io::Result<()> {
    let input = pipe::Receiver::from_owned_fd(io::stdin().as_fd().try_clone_to_owned()?)?;
    let output = pipe::Sender::from_owned_fd(io::stdout().as_fd().try_clone_to_owned()?)?;
    let ended = Arc::new(Notify::new());
    let input = Endless {
        inner: input,
        met,
        ended: Arc::clone(&ended),
        has_ended: AtomicBool::new(false),
    };
    let io: Io = Box::new(tokio::io::join(input, output));
    let http = http();
    let service = TowerToHyperService::new(router);
    let mut connection = pin!(http.serve_connection(TokioIo::new(io), service));
    tokio::select! {
        // A connection that breaks ends the sandbox as one that is closed does.
        _ = connection.as_mut() => return Ok(()),
        () = ended.notified() => {}
    }
    connection.as_mut().graceful_shutdown();
    let _ = timeout(DRAIN, connection).await;
    Ok(())
}

/// What is spoken over, as one type: the code of HTTP is large, and is there once.
trait Duplex: AsyncRead + AsyncWrite + Send + Unpin {}
impl<T: AsyncRead + AsyncWrite + Send + Unpin> Duplex for T {}
type Io = Box<dyn Duplex>;

/// HTTP/1.1 and HTTP/2, whichever the client begins with.
fn http() -> auto::Builder<TokioExecutor> {
    let mut http = auto::Builder::new(TokioExecutor::new());
    http.http2().max_concurrent_streams(1000);
    http
}

/// Says something on standard output, before HTTP/2 begins there.
///
/// # Errors
/// When nobody reads it any more.
pub(crate) fn greet(greeting: &Greeting) -> io::Result<()> {
    let mut line = serde_json::to_vec(greeting)?;
    line.push(b'\n');
    let mut output = io::stdout();
    output.write_all(&line)?;
    output.flush()
}

/// An input that never ends, but tells when it would have: HTTP/2 gives up what is in flight when
/// its input ends.
struct Endless {
    inner: pipe::Receiver,
    met: Arc<Notify>,
    ended: Arc<Notify>,
    has_ended: AtomicBool,
}

impl AsyncRead for Endless {
    fn poll_read(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
        buffer: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<()>> {
        if *self.has_ended.get_mut() {
            return Poll::Pending;
        }
        let before = buffer.filled().len();
        match Pin::new(&mut self.inner).poll_read(context, buffer) {
            Poll::Ready(Ok(())) if buffer.filled().len() == before => {
                *self.has_ended.get_mut() = true;
                self.ended.notify_one();
                Poll::Pending
            }
            Poll::Ready(Ok(())) => {
                self.met.notify_one();
                Poll::Ready(Ok(()))
            }
            other => other,
        }
    }
}

/// Serves HTTP/1.1 and HTTP/2 on a TCP port, as any execd does, for ever.
///
/// # Errors
/// When the address cannot be listened on.
pub(crate) async fn serve_tcp(router: Router, address: SocketAddr) -> io::Result<()> {
    let listener = TcpListener::bind(address).await?;
    let address = listener.local_addr()?;
    // For whoever asked for port 0.
    eprintln!("osb-agent: listening on {address}");
    let router = Router::new()
        .fallback(forward)
        .with_state((router, address.port()));
    loop {
        let (stream, _) = match listener.accept().await {
            Ok(accepted) => accepted,
            // Too many files are open, say: those who hold them will go.
            Err(_) => {
                tokio::time::sleep(Duration::from_millis(50)).await;
                continue;
            }
        };
        let _ = stream.set_nodelay(true);
        let router = router.clone();
        tokio::spawn(async move {
            let io: Io = Box::new(stream);
            let service = TowerToHyperService::new(router);
            // Its end is the client's business.
            let _ = http().serve_connection(TokioIo::new(io), service).await;
        });
    }
}
