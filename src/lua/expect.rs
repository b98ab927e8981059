//! `expect(value):is(…)` and `expect.rejected(f, …)`.

use std::sync::Arc;

use mlua::{AnyUserData, Function, Lua, MultiValue, Table, UserData, UserDataMethods, Value};

use crate::target::TargetError;

use super::convert::{from_lua, to_lua};
use super::error::{Cause, here, raised};
use super::mount;
use super::sandbox::SandboxData;
use super::stage::{Failure, FailureKind, Stage};

/// A value that something is expected of.
struct Expectation {
    value: Value,
    label: Option<String>,
    stage: Arc<Stage>,
}

impl UserData for Expectation {
    fn add_methods<M: UserDataMethods<Self>>(methods: &mut M) {
        methods.add_method("is", |lua, this, want: Value| {
            this.check(lua, equal(&this.value, &want, 0)?, || {
                format!("to be {}", show(&want))
            })
        });
        methods.add_method("is_not", |lua, this, want: Value| {
            this.check(lua, !equal(&this.value, &want, 0)?, || {
                format!("not to be {}", show(&want))
            })
        });
        methods.add_method("is_nil", |lua, this, ()| {
            this.check(lua, this.value.is_nil(), || "to be nil".into())
        });
        methods.add_method("is_not_nil", |lua, this, ()| {
            this.check(lua, !this.value.is_nil(), || "not to be nil".into())
        });
        methods.add_method("contains", |lua, this, part: mlua::LuaString| {
            let found = contains(&this.value, &part.as_bytes());
            this.check(lua, found, || {
                format!("to contain {:?}", part.to_string_lossy())
            })
        });
        methods.add_method("does_not_contain", |lua, this, part: mlua::LuaString| {
            let found = contains(&this.value, &part.as_bytes());
            this.check(lua, !found, || {
                format!("not to contain {:?}", part.to_string_lossy())
            })
        });
        methods.add_method("matches", |lua, this, pattern: mlua::LuaString| {
            let find: Function = lua.globals().get::<Table>("string")?.get("find")?;
            let found = match &this.value {
                Value::String(text) => !find.call::<Value>((text, &pattern))?.is_nil(),
                _ => false,
            };
            this.check(lua, found, || {
                format!("to match the pattern {:?}", pattern.to_string_lossy())
            })
        });
        methods.add_method("is_at_least", |lua, this, bound: f64| {
            let holds = number(&this.value).is_some_and(|value| value >= bound);
            this.check(lua, holds, || format!("to be at least {bound}"))
        });
        methods.add_async_method("has_mount", |lua, this, wanted: Value| {
            let location = here(&lua);
            async move {
                const NAME: &str = "has_mount";
                let wanted: mount::Wanted =
                    from_lua(&lua, NAME, wanted).map_err(|cause| cause.at(location.clone()))?;
                let Some(sandbox) = this
                    .value
                    .as_userdata()
                    .filter(|data| data.is::<SandboxData>())
                else {
                    let message =
                        format!("{NAME} is about a sandbox: expect(sandbox):{NAME} {{ … }}");
                    return Err(Cause::Usage(message).at(location));
                };
                let sandbox = sandbox.borrow::<SandboxData>()?;
                let check = mount::check(&sandbox, &wanted);
                let wrong = sandbox.context.call(NAME, location.clone(), check).await?;
                match wrong {
                    None => Ok(()),
                    Some(wrong) => fail_at(&this.stage, location, wrong),
                }
            }
        });
        methods.add_method("is_at_most", |lua, this, bound: f64| {
            let holds = number(&this.value).is_some_and(|value| value <= bound);
            this.check(lua, holds, || format!("to be at most {bound}"))
        });
    }
}

impl Expectation {
    fn check(&self, lua: &Lua, holds: bool, want: impl FnOnce() -> String) -> mlua::Result<()> {
        if holds {
            return Ok(());
        }
        let subject = self
            .label
            .as_ref()
            .map_or_else(String::new, |label| format!("{label}: "));
        fail(
            lua,
            &self.stage,
            format!("{subject}expected {} {}", show(&self.value), want()),
        )
    }
}

/// Puts a failed expectation on record and raises it.
fn fail<T>(lua: &Lua, stage: &Stage, message: String) -> mlua::Result<T> {
    fail_at(stage, here(lua), message)
}

fn fail_at<T>(stage: &Stage, location: Option<String>, message: String) -> mlua::Result<T> {
    let message = stage.recorder().redact(&message);
    stage.fail(Failure {
        kind: FailureKind::Expectation,
        location: location.clone(),
        message: message.clone(),
        detail: None,
    });
    Err(Cause::Expectation(message).at(location))
}

pub(super) fn install(lua: &Lua, api: &Table, stage: &Arc<Stage>) -> mlua::Result<()> {
    let expect = lua.create_table()?;
    let on = Arc::clone(stage);
    expect.set(
        "rejected",
        lua.create_async_function(move |lua, (call, arguments): (Function, MultiValue)| {
            let stage = Arc::clone(&on);
            let location = here(&lua);
            async move {
                let error = match call.call_async::<Value>(arguments).await {
                    Err(error) => error,
                    Ok(_) => {
                        let message = "expected the API to refuse this, but it was accepted";
                        return fail_at(&stage, location, message.into());
                    }
                };
                match raised(&error).map(|raised| &raised.cause) {
                    Some(Cause::Target(TargetError::Api(api))) => to_lua(&lua, api),
                    _ => Err(error),
                }
            }
        })?,
    )?;
    let on = Arc::clone(stage);
    let call = lua.create_function(
        move |lua, (_, value, label): (Value, Value, Option<String>)| {
            lua.create_userdata(Expectation {
                value,
                label,
                stage: Arc::clone(&on),
            })
        },
    )?;
    let metatable = lua.create_table()?;
    metatable.set("__call", call)?;
    metatable.set("__metatable", false)?;
    expect.set_metatable(Some(metatable))?;
    api.set("expect", expect)
}

/// A number of either kind, as Lua compares them.
fn number(value: &Value) -> Option<f64> {
    match value {
        Value::Integer(integer) => Some(*integer as f64),
        Value::Number(number) => Some(*number),
        _ => None,
    }
}

fn contains(value: &Value, part: &[u8]) -> bool {
    match value {
        Value::String(text) => {
            part.is_empty()
                || text
                    .as_bytes()
                    .windows(part.len())
                    .any(|window| window == part)
        }
        Value::Table(list) => list
            .sequence_values::<Value>()
            .flatten()
            .any(|item| matches!(item, Value::String(text) if text.as_bytes() == part)),
        _ => false,
    }
}

/// Equality by value, also of tables.
fn equal(a: &Value, b: &Value, depth: usize) -> mlua::Result<bool> {
    let (Value::Table(a), Value::Table(b)) = (a, b) else {
        return a.equals(b);
    };
    if depth > 16 {
        return Err(mlua::Error::runtime(
            "the tables are nested too deeply to be compared",
        ));
    }
    let covers = |a: &Table, b: &Table| -> mlua::Result<bool> {
        for pair in a.pairs::<Value, Value>() {
            let (key, value) = pair?;
            if !equal(&value, &b.raw_get(key)?, depth + 1)? {
                return Ok(false);
            }
        }
        Ok(true)
    };
    Ok(covers(a, b)? && covers(b, a)?)
}

/// `value` as a person would write it, cut where it is long.
fn show(value: &Value) -> String {
    const LONGEST: usize = 400;
    let mut text = match value {
        Value::String(text) => format!("{:?}", text.to_string_lossy()),
        Value::Table(table) => serde_json::to_string(table).unwrap_or_else(|_| "a table".into()),
        Value::UserData(data) => type_name(data),
        Value::Nil => "nil".into(),
        other => other
            .to_string()
            .unwrap_or_else(|_| other.type_name().into()),
    };
    if let Some((cut, _)) = text.char_indices().nth(LONGEST) {
        text.truncate(cut);
        text.push('…');
    }
    text
}

fn type_name(data: &AnyUserData) -> String {
    data.type_name().ok().map_or_else(
        || "a value".into(),
        |name| format!("a {}", name.to_string_lossy()),
    )
}
