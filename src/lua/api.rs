//! `api`: requests to the lifecycle API that are sent as they are.

use std::collections::BTreeMap;
use std::sync::Arc;

use mlua::{Lua, LuaSerdeExt, LuaString, Table, Value};
use serde::Deserialize;

use crate::sandbox::{ApiAnswer, ApiRequest, Exchange};
use crate::serve::Api;
use crate::target::{Resource, Scope, TargetError};

use super::Script;
use super::convert::{from_lua, to_lua};
use super::error::{Cause, here};
use super::sandbox::Context;

const NAME: &str = "api.request";

/// What `api.request` takes, its body aside.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Options {
    method: String,
    path: String,
    #[serde(default)]
    headers: BTreeMap<String, String>,
}

pub(super) fn install(lua: &Lua, api: &Table, script: &Script<'_>) -> mlua::Result<()> {
    let Script { stage, scope, .. } = script;
    let context = Context {
        stage: Arc::clone(stage),
        scope: Arc::clone(scope),
    };
    let (image, unique) = (scope.target().info().image.clone(), Arc::clone(scope));
    // For targets without an HTTP API of their own.
    let server = Arc::new(Api::new(Arc::clone(scope.target()), Arc::clone(scope)));
    let table = lua.create_table()?;
    let request = lua.create_async_function(move |lua, options: Value| {
        let (context, server, location) = (context.clone(), Arc::clone(&server), here(&lua));
        async move {
            let request = read(&lua, options).map_err(|cause| cause.at(location.clone()))?;
            let asked = request.clone();
            if let Ok(body) = serde_json::from_slice(&request.body) {
                context.stage.keep_secret(&body);
            }
            let target = Arc::clone(context.scope.target());
            let scope = Arc::clone(&context.scope);
            let call = async move {
                match target.request(&request).await? {
                    Some(answer) => {
                        record(&scope, &request, &answer)?;
                        Ok(answer)
                    }
                    None => server.answer(&request).await,
                }
            };
            let call = context.scope.completing(call);
            let answer = context.call(NAME, location, call).await?;
            let body = serde_json::from_slice::<serde_json::Value>(&answer.body).ok();
            if let Some(body) = &body {
                context.stage.keep_secret(body);
            }
            context.stage.note_exchange(evidence(&asked, &answer));
            show(&lua, &answer, body.as_ref())
        }
    })?;
    table.set("request", request)?;
    table.set("image", image)?;
    table.set("lenient", script.lenient)?;
    table.set(
        "unique",
        lua.create_function(move |_, alias: String| Ok(unique.unique(&alias)))?,
    )?;
    // What a Lua table cannot hold by itself: JSON's null, and a list without entries.
    table.set("null", Value::NULL)?;
    table.set(
        "list",
        lua.create_function(|lua, list: Option<Table>| {
            let list = match list {
                Some(list) => list,
                None => lua.create_table()?,
            };
            list.set_metatable(Some(lua.array_metatable()))?;
            Ok(list)
        })?,
    )?;
    api.set("api", table)
}

/// Reads the request; a body that is a table is sent as JSON.
fn read(lua: &Lua, options: Value) -> Result<ApiRequest, Cause> {
    let usage = |message: &str| Cause::Usage(format!("{NAME}: {message}"));
    let Value::Table(table) = &options else {
        return Err(usage(
            "it takes a table: { method = \"GET\", path = \"/sandboxes\" }",
        ));
    };
    // Apart from the rest: any JSON may be in it.
    let body: Value = table
        .raw_get("body")
        .map_err(|_| usage("body cannot be read"))?;
    let rest = without_body(lua, table).map_err(|_| usage("it takes a table"))?;
    let Options {
        method,
        path,
        headers,
    } = from_lua(lua, NAME, Value::Table(rest))?;
    if !path.starts_with('/') {
        return Err(usage(
            "path must begin with \"/\", below the API's base: \"/sandboxes\"",
        ));
    }
    let mut headers: Vec<_> = headers.into_iter().collect();
    let body = match body {
        Value::Nil => Vec::new(),
        Value::String(text) => text.as_bytes().to_vec(),
        json => serde_json::to_vec(&json)
            .map_err(|error| usage(&format!("body is no JSON: {error}")))?,
    };
    let has_type = headers
        .iter()
        .any(|(name, _)| name.eq_ignore_ascii_case("content-type"));
    if !body.is_empty() && !has_type {
        headers.push(("content-type".into(), "application/json".into()));
    }
    Ok(ApiRequest {
        method,
        path,
        headers,
        body,
    })
}

fn without_body(lua: &Lua, table: &Table) -> mlua::Result<Table> {
    let rest = lua.create_table()?;
    for pair in table.pairs::<Value, Value>() {
        let (key, value) = pair?;
        if key.as_string().map(LuaString::as_bytes).as_deref() != Some(b"body") {
            rest.raw_set(key, value)?;
        }
    }
    Ok(rest)
}

/// Records what a server made, which is known only now, so that it is removed at the end.
fn record(scope: &Scope, request: &ApiRequest, answer: &ApiAnswer) -> Result<(), TargetError> {
    #[derive(Deserialize)]
    struct Made {
        id: String,
    }
    let path = request.path.split('?').next().unwrap_or_default();
    let is_create =
        request.method.eq_ignore_ascii_case("POST") && (200..300).contains(&answer.status);
    let Ok(Made { id }) = serde_json::from_slice(&answer.body) else {
        return Ok(());
    };
    let resource = match path.trim_end_matches('/') {
        "/sandboxes" if is_create => Resource::Sandbox(id),
        path if is_create && path.ends_with("/snapshots") => Resource::Snapshot(id),
        _ => return Ok(()),
    };
    let recorded = scope.record(resource);
    recorded.map_err(|error| TargetError::failed("what was created is not recorded", error))
}

/// Both for a person.
fn evidence(request: &ApiRequest, answer: &ApiAnswer) -> Exchange {
    answer.exchange.clone().unwrap_or_else(|| {
        let mut exchange = Exchange::begin(&request.method, &request.path, &request.body);
        let kind = answer
            .headers
            .iter()
            .find(|(name, _)| name == "content-type");
        exchange.status(answer.status, kind.map(|(_, kind)| kind.as_str()));
        exchange.body(&answer.body);
        exchange
    })
}

/// The answer as a script sees it: `status`, `headers`, `body` as decoded JSON, and `text`.
fn show(lua: &Lua, answer: &ApiAnswer, body: Option<&serde_json::Value>) -> mlua::Result<Table> {
    let table = lua.create_table()?;
    table.set("status", answer.status)?;
    let headers = lua.create_table()?;
    for (name, value) in &answer.headers {
        headers.set(name.as_str(), value.as_str())?;
    }
    table.set("headers", headers)?;
    table.set("text", lua.create_string(&answer.body)?)?;
    if let Some(body) = body {
        table.set("body", to_lua(lua, body)?)?;
    }
    Ok(table)
}
