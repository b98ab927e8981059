//! A relay in front of a server, which does wrong what it is told to do wrong.

use std::convert::Infallible;
use std::io;
use std::net::SocketAddr;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use bytes::Bytes;
use futures_util::stream;
use http_body_util::combinators::UnsyncBoxBody;
use http_body_util::{BodyExt, Full, StreamBody};
use hyper::body::{Frame, Incoming};
use hyper::header::{
    CONNECTION, CONTENT_LENGTH, CONTENT_TYPE, HOST, HeaderMap, HeaderValue, TRANSFER_ENCODING,
};
use hyper::server::conn::http1;
use hyper::service::service_fn;
use hyper::{Request, Response};
use hyper_util::rt::TokioIo;
use osb_conformance::execd::{Client, Payload};
use serde_json::Value;
use tokio::net::{TcpListener, TcpStream};
use tokio::task::JoinSet;
use tokio_util::task::AbortOnDropHandle;

/// The body of an answer.
type Body = UnsyncBoxBody<Bytes, io::Error>;

/// A request that has come to the relay.
#[derive(Debug, Clone)]
pub struct Seen {
    pub method: String,
    /// Path and query.
    pub path: String,
    pub body: Bytes,
    /// The value of the header with the API key.
    pub key: String,
}

impl Seen {
    pub fn is(&self, method: &str, path: &str) -> bool {
        self.method == method && self.path.split('?').next() == Some(path)
    }

    /// Whether it is about one sandbox and nothing below it.
    pub fn is_sandbox(&self, method: &str) -> bool {
        let rest = self.path.strip_prefix("/v1/sandboxes/");
        self.method == method && rest.is_some_and(|rest| !rest.contains('/'))
    }

    /// Whether it runs a command.
    pub fn is_command(&self) -> bool {
        self.method == "POST" && self.path.ends_with("/proxy/44772/command")
    }
}

/// Whether a sandbox was deleted, or was to be.
pub fn is_deleted(before: &[Seen]) -> bool {
    before.iter().any(|seen| seen.is_sandbox("DELETE"))
}

/// What the relay does with a request.
pub enum Act {
    /// Passes it on.
    Pass,
    /// Passes it on a little later.
    Late(Duration),
    /// Answers by itself: status, content type, body.
    Answer(u16, &'static str, String),
    /// Passes it on, and answers something else than what came back.
    Spoil(u16, &'static str, String),
    /// Passes it on with another body.
    Change(Value),
    /// Passes it on with another path and query.
    Divert(&'static str),
    /// Never answers.
    Hang,
    /// Closes the connection.
    Close,
    /// Passes it on, and closes the connection after so many bytes of the answer's body.
    Cut(usize),
    /// Passes it on, and ends the answer's body in good order after so many bytes.
    Half(usize),
}

/// What to do with a request, and those that came before it.
type Fault = Arc<dyn Fn(&Seen, &[Seen]) -> Act + Send + Sync>;

/// A relay that listens. Dropped, it closes every connection.
pub struct Relay {
    pub address: SocketAddr,
    state: Arc<State>,
    _listening: AbortOnDropHandle<()>,
}

struct State {
    upstream: SocketAddr,
    fault: Mutex<Fault>,
    seen: Mutex<Vec<Seen>>,
}

impl Relay {
    /// In front of the server at `upstream`, on a free port; without a fault.
    pub async fn to(upstream: SocketAddr) -> Self {
        let listener = TcpListener::bind(("127.0.0.1", 0)).await.unwrap();
        let address = listener.local_addr().unwrap();
        let state = Arc::new(State {
            upstream,
            fault: Mutex::new(Arc::new(|_: &Seen, _: &[Seen]| Act::Pass)),
            seen: Mutex::default(),
        });
        let listening = tokio::spawn(listen(listener, Arc::clone(&state)));
        Self {
            address,
            state,
            _listening: AbortOnDropHandle::new(listening),
        }
    }

    pub fn url(&self) -> String {
        format!("http://{}", self.address)
    }

    /// From now on, asks `fault` what to do, and forgets what came before.
    pub fn when(&self, fault: impl Fn(&Seen, &[Seen]) -> Act + Send + Sync + 'static) {
        self.state.seen.lock().unwrap().clear();
        *self.state.fault.lock().unwrap() = Arc::new(fault);
    }

    /// From now on, passes everything on.
    pub fn heal(&self) {
        self.when(|_, _| Act::Pass);
    }

    /// What has come since the last change.
    pub fn seen(&self) -> Vec<Seen> {
        self.state.seen.lock().unwrap().clone()
    }
}

async fn listen(listener: TcpListener, state: Arc<State>) {
    let mut connections = JoinSet::new();
    loop {
        tokio::select! {
            accepted = listener.accept() => {
                let (stream, _) = accepted.unwrap();
                let _ = stream.set_nodelay(true);
                connections.spawn(serve(stream, Arc::clone(&state)));
            }
            Some(_) = connections.join_next() => {}
        }
    }
}

async fn serve(stream: TcpStream, state: Arc<State>) {
    let service = service_fn(move |request| {
        let state = Arc::clone(&state);
        async move { state.answer(request).await }
    });
    let connection = http1::Builder::new().serve_connection(TokioIo::new(stream), service);
    // Whoever asked notices.
    let _ = connection.await;
}

impl State {
    async fn answer(&self, request: Request<Incoming>) -> io::Result<Response<Body>> {
        let (mut head, body) = request.into_parts();
        let body = body.collect().await.map_err(io::Error::other)?.to_bytes();
        let seen = Seen {
            method: head.method.to_string(),
            path: head.uri.to_string(),
            body: body.clone(),
            key: text(&head.headers, "open-sandbox-api-key"),
        };
        let host = text(&head.headers, HOST.as_str());
        let fault = Arc::clone(&self.fault.lock().unwrap());
        let act = {
            let mut before = self.seen.lock().unwrap();
            let act = fault(&seen, &before);
            before.push(seen);
            act
        };
        let body = match &act {
            Act::Change(json) => json.to_string().into(),
            _ => body,
        };
        if let Act::Divert(path) = &act {
            head.uri = path.parse().map_err(io::Error::other)?;
        }
        let pass = self.pass(Request::from_parts(head, body), &host);
        match act {
            Act::Pass | Act::Change(_) | Act::Divert(_) => pass.await,
            Act::Late(delay) => {
                tokio::time::sleep(delay).await;
                pass.await
            }
            Act::Answer(status, kind, text) => Ok(answer(status, kind, text)),
            Act::Spoil(status, kind, text) => {
                pass.await?.into_body().collect().await?;
                Ok(answer(status, kind, text))
            }
            Act::Hang => std::future::pending().await,
            Act::Close => Err(closed()),
            Act::Cut(length) => Ok(cut(pass.await?, length, true)),
            Act::Half(length) => Ok(cut(pass.await?, length, false)),
        }
    }

    /// Passes a request on, with the name that the client knows the server by: addresses that the
    /// server answers lead through here, too.
    async fn pass(&self, request: Request<Bytes>, host: &str) -> io::Result<Response<Body>> {
        let upstream = self.upstream;
        let connect = move || TcpStream::connect(upstream);
        let client = Client::with(&format!("http://{host}"), &[].into(), connect).unwrap();
        let (mut head, body) = request.into_parts();
        for name in [CONNECTION, CONTENT_LENGTH, TRANSFER_ENCODING] {
            head.headers.remove(name);
        }
        let body = Full::from(body).map_err(|never: Infallible| match never {});
        let request = Request::from_parts(head, Payload::new(body));
        let mut answer = client.forward(request).await.map_err(io::Error::other)?;
        answer.headers_mut().remove(TRANSFER_ENCODING);
        Ok(answer.map(|body| Body::new(body.map_err(io::Error::other))))
    }
}

/// The value of a header; empty where there is none.
fn text(headers: &HeaderMap, name: &str) -> String {
    let value = headers.get(name).map(HeaderValue::to_str);
    value.and_then(Result::ok).unwrap_or_default().to_owned()
}

fn closed() -> io::Error {
    io::Error::other("the connection is closed")
}

fn answer(status: u16, kind: &str, text: String) -> Response<Body> {
    let body = Full::from(text).map_err(|never: Infallible| match never {});
    let answer = Response::builder().status(status);
    let answer = answer.header(CONTENT_TYPE, kind);
    answer.body(Body::new(body)).unwrap()
}

/// The answer with the first `length` bytes of its body, and then an error where it is `broken`.
fn cut(answer: Response<Body>, length: usize, broken: bool) -> Response<Body> {
    let (mut head, body) = answer.into_parts();
    if !broken {
        head.headers.remove(CONTENT_LENGTH);
    }
    let state = Some((body, length));
    let pieces = stream::unfold(state, move |state| async move {
        let (mut body, left) = state?;
        if left > 0 {
            // Neither the server nor execd sends anything but data.
            let mut bytes = body.frame().await?.ok()?.into_data().ok()?;
            bytes.truncate(left);
            let left = left - bytes.len();
            return Some((Ok(Frame::data(bytes)), Some((body, left))));
        }
        // What came before goes out first.
        tokio::task::yield_now().await;
        broken.then(|| (Err(closed()), None))
    });
    Response::from_parts(head, Body::new(StreamBody::new(pieces)))
}
