//! Routes, and what is answered where there is none.

use std::sync::Arc;

use axum::Router;
use axum::body::Body;
use axum::extract::{DefaultBodyLimit, Request};
use axum::http::{Method, StatusCode, Uri};
use axum::routing::{any, get, patch, post};
use axum::{Json, middleware};
use http_body_util::{BodyExt, Limited};
use serde_json::{Value, json};
use tokio::time::timeout;
use tower::ServiceExt;

use crate::sandbox::{ApiAnswer, ApiRequest, LARGEST_ANSWER, patience};
use crate::target::TargetError;

use super::api::Api;
use super::guard::{self, Admission};
use super::refusal::Refusal;
use super::{proxy, sandbox, snapshot};

/// What every path of the API begins with.
pub(super) const BASE: &str = "/v1";

/// Largest body of a request to the API itself, in bytes.
const LARGEST: usize = 1 << 20;

/// The API for whoever reaches the socket.
pub(super) fn public(api: Arc<Api>, key: Option<String>) -> Router {
    let admission = key.map_or(Admission::ThisMachine, Admission::Key);
    let admit = middleware::from_fn_with_state(admission, guard::admit);
    routes(api)
        .layer(admit)
        .layer(middleware::from_fn(guard::identify))
}

/// The API for a caller in this process.
pub(super) fn private(api: Arc<Api>) -> Router {
    routes(api).layer(middleware::from_fn(guard::identify))
}

fn routes(api: Arc<Api>) -> Router {
    let versioned = Router::new()
        .route("/sandboxes", get(sandbox::list).post(sandbox::create))
        .route("/sandboxes/{id}", get(sandbox::get).delete(sandbox::delete))
        .route("/sandboxes/{id}/pause", post(sandbox::pause))
        .route("/sandboxes/{id}/resume", post(sandbox::resume))
        .route("/sandboxes/{id}/renew-expiration", post(sandbox::renew))
        .route("/sandboxes/{id}/metadata", patch(sandbox::patch_metadata))
        .route("/sandboxes/{id}/endpoints/{port}", get(sandbox::endpoint))
        .route("/sandboxes/{id}/snapshots", post(snapshot::create))
        .route("/sandboxes/{id}/proxy/{port}", any(proxy::forward))
        .route("/sandboxes/{id}/proxy/{port}/", any(proxy::forward))
        .route("/sandboxes/{id}/proxy/{port}/{*rest}", any(proxy::forward))
        .route("/snapshots", get(snapshot::list))
        .route(
            "/snapshots/{id}",
            get(snapshot::get).delete(snapshot::delete),
        )
        .with_state(api);
    Router::new()
        .route("/health", get(health))
        .nest(BASE, versioned)
        .fallback(nowhere)
        .method_not_allowed_fallback(wrong_method)
        .layer(DefaultBodyLimit::max(LARGEST))
}

async fn health() -> Json<Value> {
    Json(json!({ "status": "healthy" }))
}

async fn nowhere(uri: Uri) -> Refusal {
    let message = format!("there is nothing at {}", uri.path());
    Refusal::new(StatusCode::NOT_FOUND, "GENERAL::NOT_FOUND", message)
}

async fn wrong_method(method: Method, uri: Uri) -> Refusal {
    let message = format!("{} does not take {method}", uri.path());
    let status = StatusCode::METHOD_NOT_ALLOWED;
    Refusal::new(status, "GENERAL::METHOD_NOT_ALLOWED", message)
}

/// Answers a request without a network.
pub(super) async fn answer(router: Router, request: &ApiRequest) -> Result<ApiAnswer, TargetError> {
    let wrong = |error: axum::http::Error| {
        let context = format!("{} {} is no request", request.method, request.path);
        TargetError::failed(context, error)
    };
    let mut builder = Request::builder()
        .method(request.method.as_str())
        .uri(format!("{BASE}{}", request.path));
    for (name, value) in &request.headers {
        builder = builder.header(name, value);
    }
    let body = Body::from(request.body.clone());
    let sent = builder.body(body).map_err(wrong)?;
    let answered = async {
        let answer = router.oneshot(sent).await;
        let (head, body) = answer.unwrap_or_else(|never| match never {}).into_parts();
        let body = Limited::new(body, LARGEST_ANSWER).collect().await;
        body.map(|body| (head, body))
            .map_err(|error| error.to_string())
    };
    let patience = patience(&request.method, &request.path);
    let told = timeout(patience, answered).await;
    let late = |_| format!("nothing came within {} s", patience.as_secs());
    let (head, body) = told.map_err(late).flatten().map_err(|why| {
        let (method, path) = (&request.method, &request.path);
        let what = format!("the API did not answer {method} {path}: {why}");
        TargetError::Misbehaved {
            what,
            exchange: None,
        }
    })?;
    let header = |(name, value): (&axum::http::HeaderName, &axum::http::HeaderValue)| {
        let value = String::from_utf8_lossy(value.as_bytes()).into_owned();
        (name.as_str().to_owned(), value)
    };
    Ok(ApiAnswer {
        status: head.status.as_u16(),
        headers: head.headers.iter().map(header).collect(),
        body: body.to_bytes().to_vec(),
        exchange: None,
    })
}
