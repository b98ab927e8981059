//! What a script prints and how it goes: `step`, `say`, `skip`, `concurrently`, `eventually`.

use std::sync::Arc;
use std::time::Duration;

use futures_util::future::join_all;
use mlua::{Function, Lua, LuaString, Table, Value, Variadic};
use serde::Deserialize;
use tokio::time::{Instant, sleep};

use super::convert::from_lua;
use super::error::{Cause, here, raised};
use super::stage::{Failure, FailureKind, Stage};

/// Options of `eventually`, in seconds.
#[derive(Deserialize)]
#[serde(deny_unknown_fields, default)]
struct Patience {
    timeout: f64,
    interval: f64,
}

impl Default for Patience {
    fn default() -> Self {
        Self {
            timeout: 10.0,
            interval: 0.05,
        }
    }
}

pub(super) fn install(lua: &Lua, api: &Table, stage: &Arc<Stage>) -> mlua::Result<()> {
    let on = Arc::clone(stage);
    let step = lua.create_function(move |lua, (first, second): (Value, Option<Value>)| {
        let first = text(lua, "step", &first)?;
        match second {
            Some(second) => on
                .recorder()
                .labelled_step(&first, &text(lua, "step", &second)?),
            None => on.recorder().step(&first),
        }
        Ok(())
    })?;
    api.set("step", step)?;

    let on = Arc::clone(stage);
    let say = lua.create_function(move |lua, value: Value| {
        let text = text(lua, "say", &value)?;
        on.recorder().say(&text);
        Ok(())
    })?;
    api.set("say", say)?;

    let on = Arc::clone(stage);
    let skip = lua.create_function(move |lua, reason: LuaString| {
        on.skip(reason.to_string_lossy());
        Err::<(), _>(Cause::Skip.into_lua(lua))
    })?;
    api.set("skip", skip)?;

    let concurrently =
        lua.create_async_function(|_, functions: Variadic<Function>| async move {
            let results = join_all(functions.iter().map(|f| f.call_async::<Value>(()))).await;
            // Every function runs to its end before the first error is raised: none is cut off halfway.
            results
                .into_iter()
                .collect::<mlua::Result<Variadic<Value>>>()
        })?;
    api.set("concurrently", concurrently)?;

    let on = Arc::clone(stage);
    let eventually =
        lua.create_async_function(move |lua, (probe, options): (Function, Option<Value>)| {
            let stage = Arc::clone(&on);
            let location = here(&lua);
            async move { eventually(&lua, &stage, location, probe, options).await }
        })?;
    api.set("eventually", eventually)
}

/// Calls `probe` until it answers something true and its expectations hold.
async fn eventually(
    lua: &Lua,
    stage: &Stage,
    location: Option<String>,
    probe: Function,
    options: Option<Value>,
) -> mlua::Result<Value> {
    let patience = match options {
        None => Patience::default(),
        Some(options) => {
            from_lua(lua, "eventually", options).map_err(|cause| cause.at(location.clone()))?
        }
    };
    let seconds = |value: f64, what: &str| {
        Duration::try_from_secs_f64(value).map_err(|_| {
            Cause::Usage(format!("eventually: {what} must be seconds")).at(location.clone())
        })
    };
    let (timeout, interval) = (
        seconds(patience.timeout, "timeout")?,
        seconds(patience.interval, "interval")?,
    );
    let end = Instant::now() + timeout;
    loop {
        let outcome = {
            let _attempt = stage.attempt();
            probe.call_async::<Value>(()).await
        };
        let why = match outcome {
            Ok(value) if !matches!(value, Value::Nil | Value::Boolean(false)) => return Ok(value),
            Ok(_) => "it is still false".to_owned(),
            Err(error) => match raised(&error) {
                Some(raised) if matches!(raised.cause, Cause::Expectation(_)) => raised.to_string(),
                _ => return Err(error),
            },
        };
        if Instant::now() + interval > end {
            let message = format!("not within {} s: {why}", patience.timeout);
            stage.fail(Failure {
                kind: FailureKind::Expectation,
                location: location.clone(),
                message: message.clone(),
                detail: None,
            });
            return Err(Cause::Expectation(message).at(location));
        }
        sleep(interval).await;
    }
}

/// `value` as text to print.
fn text(lua: &Lua, function: &str, value: &Value) -> mlua::Result<String> {
    match value {
        Value::String(text) => Ok(text.to_string_lossy()),
        Value::Integer(_) | Value::Number(_) | Value::Boolean(_) => value.to_string(),
        other => Err(
            Cause::Usage(format!("{function} takes text, not {}", other.type_name())).into_lua(lua),
        ),
    }
}
