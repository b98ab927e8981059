//! The two ways to an execd: one stream that carries every request, and a connection for each.

use std::collections::BTreeMap;
use std::fmt;
use std::future::Future;
use std::io;
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll};

use bytes::Bytes;
use futures_util::FutureExt;
use futures_util::future::BoxFuture;
use http_body_util::BodyExt;
use hyper::body::{Frame, Incoming, SizeHint};
use hyper::client::conn::{http1, http2};
use hyper::header::{HOST, HeaderMap, HeaderName, HeaderValue};
use hyper::{Response, Uri};
use hyper_util::rt::{TokioExecutor, TokioIo};
use tokio::io::{AsyncRead, AsyncWrite};
use tokio::net::TcpStream;
use tokio_util::task::AbortOnDropHandle;

use super::forward::{ForwardRequest, Payload};
use crate::execd::api::ExecdError;

/// Bytes that may be under way for one request.
const WINDOW: u32 = 1 << 20;

/// Bytes that may be under way in all, as many as HTTP/2 knows: an answer that nobody reads must
/// not hold up the others.
const ALL_WINDOWS: u32 = (1 << 31) - 1;

type Cause = Box<dyn std::error::Error + Send + Sync>;

/// A stream of bytes in both directions.
pub(super) trait Stream: AsyncRead + AsyncWrite + Unpin + Send {}

impl<T: AsyncRead + AsyncWrite + Unpin + Send> Stream for T {}

type Connect = dyn Fn() -> BoxFuture<'static, io::Result<Box<dyn Stream>>> + Send + Sync;

/// A way to an execd.
#[derive(Clone)]
pub(super) enum Transport {
    /// One connection of HTTP/2.
    Shared(http2::SendRequest<Payload>),
    /// A connection of HTTP/1.1 for each request: then one that breaks off, or that a caller gives
    /// up in the middle, is nobody else's.
    Each(Arc<Each>),
}

/// How to make a connection, and what every request has.
pub(super) struct Each {
    connect: Box<Connect>,
    /// What is before execd's own paths; does not end with a slash.
    prefix: String,
    headers: HeaderMap,
}

impl fmt::Debug for Transport {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Shared(_) => f.write_str("Shared"),
            // Headers may hold a secret.
            Self::Each(each) => f.debug_tuple("Each").field(&each.prefix).finish(),
        }
    }
}

impl Transport {
    pub(super) async fn over(io: impl Stream + 'static) -> Result<Self, ExecdError> {
        let (sender, connection) = http2::Builder::new(TokioExecutor::new())
            .initial_stream_window_size(WINDOW)
            .initial_connection_window_size(ALL_WINDOWS)
            .handshake(TokioIo::new(io))
            .await
            .map_err(|error| ExecdError::transport("connecting to execd failed", error))?;
        // Its end, good or bad, is told to every request in flight.
        tokio::spawn(connection);
        Ok(Self::Shared(sender))
    }

    pub(super) fn at(base: &str, headers: &BTreeMap<String, String>) -> Result<Self, ExecdError> {
        let base = Base::parse(base)?;
        let address = base.address.clone();
        let connect = move || {
            let address = address.clone();
            async move {
                let stream = TcpStream::connect(address).await?;
                stream.set_nodelay(true)?;
                Ok(stream)
            }
        };
        Self::each(base, headers, connect)
    }

    pub(super) fn with<F, T>(
        base: &str,
        headers: &BTreeMap<String, String>,
        connect: impl Fn() -> F + Send + Sync + 'static,
    ) -> Result<Self, ExecdError>
    where
        F: Future<Output = io::Result<T>> + Send + 'static,
        T: Stream + 'static,
    {
        Self::each(Base::parse(base)?, headers, connect)
    }

    fn each<F, T>(
        base: Base,
        extra: &BTreeMap<String, String>,
        connect: impl Fn() -> F + Send + Sync + 'static,
    ) -> Result<Self, ExecdError>
    where
        F: Future<Output = io::Result<T>> + Send + 'static,
        T: Stream + 'static,
    {
        let mut headers = HeaderMap::new();
        headers.insert(HOST, base.host);
        for (name, value) in extra {
            let bad = |error: Cause| ExecdError::transport(format!("the header {name:?}"), error);
            let key = HeaderName::try_from(name).map_err(|error| bad(error.into()))?;
            let mut value = HeaderValue::try_from(value).map_err(|error| bad(error.into()))?;
            value.set_sensitive(true);
            headers.insert(key, value);
        }
        Ok(Self::Each(Arc::new(Each {
            connect: Box::new(move || {
                let connected = connect();
                async move { Ok(Box::new(connected.await?) as Box<dyn Stream>) }.boxed()
            }),
            prefix: base.prefix,
            headers,
        })))
    }

    /// Sends a request, whose path begins at execd's root, and waits for the head of its answer.
    pub(super) async fn send(&self, request: ForwardRequest) -> Result<Response<Body>, Cause> {
        match self {
            Self::Shared(sender) => {
                let request = at(request, "http://execd")?;
                let answer = sender.clone().send_request(request).await?;
                Ok(answer.map(|incoming| Body {
                    incoming,
                    _connection: None,
                }))
            }
            Self::Each(each) => each.send(request).await,
        }
    }
}

impl Each {
    async fn send(&self, mut request: ForwardRequest) -> Result<Response<Body>, Cause> {
        let io = (self.connect)().await?;
        let (mut sender, connection) = http1::handshake(TokioIo::new(io)).await?;
        // Aborted with the body, so that execd learns when a caller does not listen any more.
        let connection = AbortOnDropHandle::new(tokio::spawn(async move {
            // A failure is told to the request.
            let _ = connection.await;
        }));
        for (name, value) in &self.headers {
            request.headers_mut().insert(name, value.clone());
        }
        let answer = sender.send_request(at(request, &self.prefix)?).await?;
        Ok(answer.map(|incoming| Body {
            incoming,
            _connection: Some(connection),
        }))
    }
}

/// The request with `prefix` before its path.
fn at(mut request: ForwardRequest, prefix: &str) -> Result<ForwardRequest, Cause> {
    let path = request
        .uri()
        .path_and_query()
        .map_or("/", |path| path.as_str());
    *request.uri_mut() = format!("{prefix}{path}").parse()?;
    Ok(request)
}

/// An answer's body. Dropped before its end, it gives the request up.
#[derive(Debug)]
pub(super) struct Body {
    incoming: Incoming,
    _connection: Option<AbortOnDropHandle<()>>,
}

impl Body {
    /// The next bytes; `None` at the end.
    pub(super) async fn chunk(&mut self) -> Option<Result<Bytes, hyper::Error>> {
        loop {
            match self.incoming.frame().await? {
                Ok(frame) => {
                    // Trailers say nothing here.
                    if let Ok(bytes) = frame.into_data() {
                        return Some(Ok(bytes));
                    }
                }
                Err(error) => return Some(Err(error)),
            }
        }
    }
}

impl hyper::body::Body for Body {
    type Data = Bytes;
    type Error = Cause;

    fn poll_frame(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, Cause>>> {
        Pin::new(&mut self.incoming)
            .poll_frame(context)
            .map_err(Cause::from)
    }

    fn is_end_stream(&self) -> bool {
        self.incoming.is_end_stream()
    }

    fn size_hint(&self) -> SizeHint {
        self.incoming.size_hint()
    }
}

/// Where an execd is.
#[derive(Debug)]
struct Base {
    /// Host and port to connect to.
    address: String,
    /// Value of the header `Host`.
    host: HeaderValue,
    prefix: String,
}

impl Base {
    fn parse(base: &str) -> Result<Self, ExecdError> {
        let refused = |why: &str| ExecdError::transport(format!("the address {base:?}"), why);
        let uri: Uri = base
            .parse()
            .map_err(|error| ExecdError::transport(format!("the address {base:?}"), error))?;
        if uri.scheme_str() != Some("http") {
            return Err(refused("it does not begin with http://"));
        }
        let Some(authority) = uri.authority().filter(|a| !a.as_str().contains('@')) else {
            return Err(refused("it has no host, or more than a host and a port"));
        };
        if uri.query().is_some() {
            return Err(refused("it has a query"));
        }
        let port = authority.port_u16().unwrap_or(80);
        Ok(Self {
            address: format!("{}:{port}", authority.host()),
            host: HeaderValue::try_from(authority.as_str())
                .map_err(|error| ExecdError::transport(format!("the address {base:?}"), error))?,
            prefix: uri.path().trim_end_matches('/').to_owned(),
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_base_is_a_host_and_a_prefix() {
        let parts = |base| {
            let base = Base::parse(base).expect("a base");
            let host = base.host.to_str().expect("text").to_owned();
            (base.address, host, base.prefix)
        };
        let owned = |a: &str, b: &str, c: &str| (a.to_owned(), b.to_owned(), c.to_owned());
        assert_eq!(
            parts("http://127.0.0.1:44772/proxy/44772"),
            owned("127.0.0.1:44772", "127.0.0.1:44772", "/proxy/44772")
        );
        assert_eq!(parts("http://execd/"), owned("execd:80", "execd", ""));
        assert_eq!(parts("http://[::1]:8"), owned("[::1]:8", "[::1]:8", ""));
    }

    #[test]
    fn what_is_no_base_is_refused() {
        for base in [
            "",
            "execd:8",
            "/x",
            "https://execd",
            "http://a@b",
            "http://a/?x=1",
            "http://a b",
        ] {
            let error = Base::parse(base).expect_err(base).to_string();
            assert!(error.contains(&format!("{base:?}")), "{error}");
        }
        let headers = [("a b".to_owned(), "c".to_owned())].into();
        assert!(Transport::at("http://execd", &headers).is_err());
        let headers = [("a".to_owned(), "b\nc".to_owned())].into();
        assert!(Transport::at("http://execd", &headers).is_err());
    }
}
