//! What holds for every request: its id, and who may ask.

use axum::extract::{Request, State};
use axum::http::header::{HOST, ORIGIN};
use axum::http::{HeaderName, HeaderValue, StatusCode};
use axum::middleware::Next;
use axum::response::{IntoResponse, Response};
use uuid::Uuid;

use super::refusal::Refusal;
use super::router::BASE;

/// The header with the API key.
pub(super) const API_KEY: HeaderName = HeaderName::from_static("open-sandbox-api-key");

const REQUEST_ID: HeaderName = HeaderName::from_static("x-request-id");

/// Puts the request's id on its answer: the client's own, or a new one.
pub(super) async fn identify(request: Request, next: Next) -> Response {
    let given = request.headers().get(REQUEST_ID).cloned();
    let id = given
        .filter(|id| !id.is_empty())
        .or_else(|| HeaderValue::try_from(Uuid::new_v4().to_string()).ok());
    let mut answer = next.run(request).await;
    if let Some(id) = id {
        answer.headers_mut().insert(REQUEST_ID, id);
    }
    answer
}

/// Who may ask.
#[derive(Debug, Clone)]
pub(super) enum Admission {
    /// Whoever has this key.
    Key(String),
    /// Programs on this machine. Web pages are not among them: a browser sends what any page asks
    /// for to any port of this machine, under the page's own name.
    ThisMachine,
}

/// Lets a request in, or refuses it before anything else is looked at.
pub(super) async fn admit(
    State(admission): State<Admission>,
    request: Request,
    next: Next,
) -> Response {
    match check(&admission, &request) {
        Ok(()) => next.run(request).await,
        Err(refusal) => refusal.into_response(),
    }
}

fn check(admission: &Admission, request: &Request) -> Result<(), Refusal> {
    let headers = request.headers();
    match admission {
        Admission::Key(_) if is_open(request.uri().path()) => Ok(()),
        Admission::Key(key) => {
            let refuse = |code, message| Err(Refusal::new(StatusCode::UNAUTHORIZED, code, message));
            match headers.get(&API_KEY).filter(|given| !given.is_empty()) {
                None => refuse(
                    "MISSING_API_KEY",
                    format!("the header {API_KEY} is missing"),
                ),
                Some(given) if is_same(given.as_bytes(), key.as_bytes()) => Ok(()),
                Some(_) => refuse("INVALID_API_KEY", format!("the key in {API_KEY} is wrong")),
            }
        }
        Admission::ThisMachine => {
            let host = headers.get(HOST).and_then(|host| host.to_str().ok());
            let is_ours = host.is_none_or(is_this_machine);
            if is_ours && !headers.contains_key(ORIGIN) {
                return Ok(());
            }
            let message = "without an API key this server answers programs on this machine only";
            Err(Refusal::new(StatusCode::FORBIDDEN, "FORBIDDEN", message))
        }
    }
}

/// Whether a path needs no key: the health check, and ports of sandboxes, whose ids nobody can
/// guess.
fn is_open(path: &str) -> bool {
    if path == "/health" {
        return true;
    }
    let proxied = path
        .strip_prefix(BASE)
        .and_then(|path| path.strip_prefix("/sandboxes/"));
    let port = proxied
        .and_then(|path| path.split_once("/proxy/"))
        .map(|(_, rest)| rest);
    port.is_some_and(|rest| {
        let port = rest.split('/').next().unwrap_or_default();
        !port.is_empty() && port.bytes().all(|byte| byte.is_ascii_digit())
    })
}

/// Compares in a time that does not depend on where the two differ.
fn is_same(given: &[u8], key: &[u8]) -> bool {
    let difference = given
        .iter()
        .zip(key)
        .fold(0, |difference, (a, b)| difference | (a ^ b));
    given.len() == key.len() && difference == 0
}

/// Whether the header `Host` names this machine: a name that somebody else gave it may be a web
/// page's.
fn is_this_machine(host: &str) -> bool {
    let name = match host.strip_prefix('[') {
        Some(rest) => rest.split(']').next(),
        None => host.split(':').next(),
    };
    let name = name.unwrap_or_default();
    name.eq_ignore_ascii_case("localhost")
        || name
            .parse::<std::net::IpAddr>()
            .is_ok_and(|address| address.is_loopback())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ports_of_sandboxes_and_the_health_need_no_key() {
        for open in [
            "/health",
            "/v1/sandboxes/x/proxy/80/a",
            "/v1/sandboxes/x/proxy/80",
        ] {
            assert!(is_open(open), "{open}");
        }
        for closed in [
            "/v1/sandboxes",
            "/v1/sandboxes/x/proxy/ab/a",
            "/v1/sandboxes/x/proxy/",
            "/health/x",
            "/sandboxes/x/proxy/80",
        ] {
            assert!(!is_open(closed), "{closed}");
        }
    }

    #[test]
    fn this_machine_has_three_names() {
        for ours in ["localhost:8080", "LOCALHOST", "127.0.0.1:1", "[::1]:8080"] {
            assert!(is_this_machine(ours), "{ours}");
        }
        for other in [
            "example.com:8080",
            "10.0.0.1",
            "localhost.example.com",
            "[2001:db8::1]:1",
            "",
        ] {
            assert!(!is_this_machine(other), "{other}");
        }
    }

    #[test]
    fn keys_are_compared_whole() {
        assert!(is_same(b"key", b"key"));
        assert!(!is_same(b"ke", b"key") && !is_same(b"kez", b"key") && !is_same(b"", b"key"));
    }
}
