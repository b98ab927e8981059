//! `/sandboxes/{id}/proxy/{port}/…`: requests for a port of a sandbox, passed on as they come and
//! answered as they are answered, nothing buffered.

use std::net::SocketAddr;
use std::sync::Arc;

use axum::body::Body;
use axum::extract::{ConnectInfo, Request, State};
use axum::http::header::{
    ALLOW, AUTHORIZATION, CONNECTION, COOKIE, HOST, HeaderMap, HeaderName, HeaderValue,
    PROXY_AUTHENTICATE, PROXY_AUTHORIZATION, TE, TRAILER, TRANSFER_ENCODING, UPGRADE,
};
use axum::http::uri::PathAndQuery;
use axum::http::{Method, StatusCode, Uri};
use axum::response::{IntoResponse, Response};
use http_body_util::{BodyExt, Limited};

use crate::execd::Payload;
use crate::target::{TargetError, in_full};

use super::api::Api;
use super::guard::API_KEY;
use super::refusal::Refusal;
use super::sandbox::{Answer, port_number};

/// Largest body of a request that is passed on, in bytes.
const LARGEST: usize = 1 << 30;

/// Methods that are passed on.
const METHODS: [Method; 5] = [
    Method::GET,
    Method::POST,
    Method::PUT,
    Method::DELETE,
    Method::PATCH,
];

/// Headers that are about one connection, or are meant for this server alone.
const OURS: [HeaderName; 11] = [
    CONNECTION,
    HeaderName::from_static("keep-alive"),
    PROXY_AUTHENTICATE,
    PROXY_AUTHORIZATION,
    TE,
    TRAILER,
    TRANSFER_ENCODING,
    UPGRADE,
    AUTHORIZATION,
    COOKIE,
    HOST,
];

pub(super) async fn forward(State(api): State<Arc<Api>>, request: Request) -> Answer<Response> {
    if !METHODS.contains(request.method()) {
        let message = format!("{} is not passed on", request.method());
        let status = StatusCode::METHOD_NOT_ALLOWED;
        let refusal = Refusal::new(status, "GENERAL::METHOD_NOT_ALLOWED", message);
        let allowed = METHODS.map(|method| method.to_string()).join(",");
        return Ok(([(ALLOW, allowed)], refusal).into_response());
    }
    let place = Place::read(request.uri())?;
    api.running(&place.id).await?;
    let (mut head, body) = request.into_parts();
    let peer = head.extensions.get::<ConnectInfo<SocketAddr>>().copied();
    let host = head.headers.get(HOST).cloned();
    strip(&mut head.headers);
    head.headers.remove(API_KEY);
    let mut tell = |name, value: Option<HeaderValue>| {
        if let Some(value) = value {
            head.headers.insert(HeaderName::from_static(name), value);
        }
    };
    let from = peer.map(|ConnectInfo(peer)| peer.ip().to_string());
    tell(
        "x-forwarded-for",
        from.and_then(|from| from.try_into().ok()),
    );
    tell("x-forwarded-host", host);
    tell("x-forwarded-proto", Some(HeaderValue::from_static("http")));
    head.uri = Uri::from(place.rest);
    head.extensions.clear();
    let body = Payload::new(Limited::new(body, LARGEST));
    let request = axum::http::Request::from_parts(head, body);
    let answer = api.target.forward(&place.id, place.port, request).await;
    let answer = answer.map_err(|error| match error {
        TargetError::Api(error) => Refusal::from(error),
        other => Refusal::new(
            StatusCode::BAD_GATEWAY,
            "BACKEND_CONNECTION_FAILED",
            format!(
                "port {} of the sandbox does not answer: {}",
                place.port,
                in_full(&other)
            ),
        ),
    })?;
    let (mut head, body) = answer.into_parts();
    strip(&mut head.headers);
    let mut response = StatusCode::OK.into_response();
    *response.status_mut() = head.status;
    *response.headers_mut() = head.headers;
    *response.body_mut() = Body::new(body.map_err(axum::Error::new));
    Ok(response)
}

/// Takes off what is about one connection, by the fixed list and by the header `Connection`.
fn strip(headers: &mut HeaderMap) {
    let named: Vec<HeaderName> = headers
        .get_all(CONNECTION)
        .iter()
        .filter_map(|value| value.to_str().ok())
        .flat_map(|value| value.split(','))
        .filter_map(|name| name.trim().parse().ok())
        .collect();
    for name in OURS.iter().chain(&named) {
        headers.remove(name);
    }
}

/// Where a request is to go.
#[derive(Debug)]
struct Place {
    id: String,
    port: u16,
    /// Path and query as they were written.
    rest: PathAndQuery,
}

impl Place {
    fn read(uri: &Uri) -> Answer<Self> {
        // "", "sandboxes", id, "proxy", port, the rest; what is before is the router's.
        let mut parts = uri.path().splitn(6, '/').skip(2);
        let id = parts.next().unwrap_or_default().to_owned();
        let port = port_number(parts.nth(1).unwrap_or_default())?;
        let path = parts.next().unwrap_or_default();
        let query = uri
            .query()
            .map_or_else(String::new, |query| format!("?{query}"));
        let rest = format!("/{path}{query}");
        let rest = rest
            .parse()
            .map_err(|error| Refusal::invalid(format!("the path {rest:?}: {error}")))?;
        Ok(Self { id, port, rest })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_path_is_passed_on_as_it_was_written() {
        let place = |uri: &str| Place::read(&uri.parse().expect("a path"));
        let read = place("/sandboxes/a/proxy/44772/files//info?path=%2Fa%20b&x").expect("read");
        assert_eq!((read.id.as_str(), read.port), ("a", 44772));
        assert_eq!(read.rest.as_str(), "/files//info?path=%2Fa%20b&x");
        let root = place("/sandboxes/a/proxy/80").expect("read");
        assert_eq!(root.rest.as_str(), "/");
        assert!(place("/sandboxes/a/proxy/0/x").is_err());
        assert!(place("/sandboxes/a/proxy/http/x").is_err());
    }

    #[test]
    fn what_is_about_one_connection_stays_here() {
        let mut headers = HeaderMap::new();
        for (name, value) in [
            ("connection", "keep-alive, x-mine"),
            ("x-mine", "1"),
            ("cookie", "c"),
            ("authorization", "a"),
            ("x-other", "2"),
        ] {
            headers.insert(name, value.parse().expect("a value"));
        }
        strip(&mut headers);
        assert_eq!(headers.len(), 1);
        assert!(headers.contains_key("x-other"));
    }
}
