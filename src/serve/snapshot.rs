//! `/snapshots`, and `/sandboxes/{id}/snapshots`.

use std::sync::Arc;

use axum::Json;
use axum::extract::{Path, RawQuery, State};
use axum::http::{HeaderMap, StatusCode};
use axum::response::Response;

use crate::sandbox::{CreateSnapshotRequest, Snapshot, SnapshotPage};

use super::api::Api;
use super::refusal::Refusal;
use super::sandbox::{Answer, Body, Id, accepted};
use super::{body, query};

pub(super) async fn create(
    State(api): State<Arc<Api>>,
    id: Id,
    headers: HeaderMap,
    body: Body,
) -> Answer<Response> {
    let Path(id) = id?;
    api.get(&id).await?;
    let request: CreateSnapshotRequest = body::read_or_default(&headers, &body?)?;
    if request.name.as_deref() == Some("") {
        return Err(Refusal::invalid("name must not be empty"));
    }
    api.running(&id).await?;
    let snapshot = api.target.create_snapshot(&id, &request).await?;
    let place = format!("/snapshots/{}", snapshot.id);
    Ok(accepted(&headers, &place, &snapshot))
}

pub(super) async fn list(
    State(api): State<Arc<Api>>,
    RawQuery(query): RawQuery,
) -> Answer<Json<SnapshotPage>> {
    let query = query::snapshots(query.as_deref())?;
    Ok(Json(api.target.list_snapshots(&query).await?))
}

pub(super) async fn get(State(api): State<Arc<Api>>, id: Id) -> Answer<Json<Snapshot>> {
    let Path(id) = id?;
    Ok(Json(api.target.get_snapshot(&id).await?))
}

pub(super) async fn delete(State(api): State<Arc<Api>>, id: Id) -> Answer<StatusCode> {
    let Path(id) = id?;
    api.target.delete_snapshot(&id).await?;
    Ok(StatusCode::NO_CONTENT)
}
