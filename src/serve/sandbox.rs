//! `/sandboxes` and what is below it.

use std::collections::BTreeMap;
use std::sync::Arc;

use axum::Json;
use axum::body::Bytes;
use axum::extract::rejection::{BytesRejection, PathRejection};
use axum::extract::{Path, RawQuery, State};
use axum::http::header::{HOST, LOCATION};
use axum::http::{HeaderMap, HeaderValue, StatusCode};
use axum::response::{IntoResponse, Response};
use serde::Serialize;

use crate::sandbox::{Endpoint, RenewRequest, RenewResponse, SandboxInfo, SandboxPage};

use super::api::Api;
use super::refusal::Refusal;
use super::router::BASE;
use super::{body, query};

/// The id in a path.
pub(super) type Id = Result<Path<String>, PathRejection>;

/// A body, or why it cannot be read.
pub(super) type Body = Result<Bytes, BytesRejection>;

/// What a handler answers.
pub(super) type Answer<T> = Result<T, Refusal>;

pub(super) async fn create(
    State(api): State<Arc<Api>>,
    headers: HeaderMap,
    body: Body,
) -> Answer<Response> {
    let request = body::read_create(&headers, &body?)?;
    let mut info = api.create(request).await?;
    // CreateSandboxResponse is a Sandbox without these.
    (info.image, info.snapshot_id) = (None, None);
    let place = format!("/sandboxes/{}", info.id);
    Ok(accepted(&headers, &place, &info))
}

/// 202 for something that is at `place` below the API's base.
pub(super) fn accepted<T: Serialize>(headers: &HeaderMap, place: &str, made: &T) -> Response {
    let mut answer = (StatusCode::ACCEPTED, Json(made)).into_response();
    let location = format!("http://{}{BASE}{place}", host(headers));
    if let Ok(location) = HeaderValue::try_from(location) {
        answer.headers_mut().insert(LOCATION, location);
    }
    answer
}

/// How the client calls this server.
fn host(headers: &HeaderMap) -> &str {
    let host = headers.get(HOST).and_then(|host| host.to_str().ok());
    host.unwrap_or("localhost")
}

pub(super) async fn list(
    State(api): State<Arc<Api>>,
    RawQuery(query): RawQuery,
) -> Answer<Json<SandboxPage>> {
    let query = query::sandboxes(query.as_deref())?;
    Ok(Json(api.list(&query).await?))
}

pub(super) async fn get(State(api): State<Arc<Api>>, id: Id) -> Answer<Json<SandboxInfo>> {
    let Path(id) = id?;
    Ok(Json(api.get(&id).await?))
}

pub(super) async fn delete(State(api): State<Arc<Api>>, id: Id) -> Answer<StatusCode> {
    let Path(id) = id?;
    api.delete(&id).await?;
    Ok(StatusCode::NO_CONTENT)
}

pub(super) async fn pause(State(api): State<Arc<Api>>, id: Id) -> Answer<StatusCode> {
    let Path(id) = id?;
    api.pause(&id).await?;
    Ok(StatusCode::ACCEPTED)
}

pub(super) async fn resume(State(api): State<Arc<Api>>, id: Id) -> Answer<StatusCode> {
    let Path(id) = id?;
    api.resume(&id).await?;
    Ok(StatusCode::ACCEPTED)
}

pub(super) async fn renew(
    State(api): State<Arc<Api>>,
    id: Id,
    headers: HeaderMap,
    body: Body,
) -> Answer<Json<RenewResponse>> {
    let Path(id) = id?;
    // A sandbox that is not there weighs more than a request that is wrong.
    api.get(&id).await?;
    let request: RenewRequest = body::read(&headers, &body?)?;
    api.running(&id).await?;
    Ok(Json(api.target.renew(&id, &request).await?))
}

pub(super) async fn patch_metadata(
    State(api): State<Arc<Api>>,
    id: Id,
    headers: HeaderMap,
    body: Body,
) -> Answer<Json<SandboxInfo>> {
    let Path(id) = id?;
    api.get(&id).await?;
    let patch: BTreeMap<String, Option<String>> = body::read(&headers, &body?)?;
    api.running(&id).await?;
    Ok(Json(api.target.patch_metadata(&id, &patch).await?))
}

/// Every port is reached through this server: sandboxes have no network of their own. Whether
/// anybody listens there is not looked at, as clients resolve ports that nobody uses.
pub(super) async fn endpoint(
    State(api): State<Arc<Api>>,
    path: Result<Path<(String, String)>, PathRejection>,
    RawQuery(query): RawQuery,
    headers: HeaderMap,
) -> Answer<Json<Endpoint>> {
    let Path((id, port)) = path?;
    let port = port_number(&port)?;
    query::endpoint(query.as_deref())?;
    api.get(&id).await?;
    let host = host(&headers);
    Ok(Json(Endpoint {
        endpoint: format!("{host}{BASE}/sandboxes/{id}/proxy/{port}"),
        headers: None,
    }))
}

/// A port in a path, 1 to 65535.
pub(super) fn port_number(text: &str) -> Answer<u16> {
    let digits = !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_digit());
    if !digits {
        return Err(Refusal::invalid(format!(
            "the port \"{text}\" is no number"
        )));
    }
    let number = text.parse::<u16>().ok().filter(|port| *port > 0);
    number.ok_or_else(|| {
        let message = format!("the port {text} is not between 1 and 65535");
        Refusal::new(StatusCode::BAD_REQUEST, "DOCKER::INVALID_PORT", message)
    })
}
