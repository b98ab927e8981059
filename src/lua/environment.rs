//! The state that a script runs in, its whitelist of names and its bounds.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::{Duration, Instant};

use mlua::chunk::ChunkMode;
use mlua::{HookTriggers, Lua, LuaOptions, StdLib, Table, Value, VmState};

use super::MEMORY_LIMIT;
use super::error::Cause;

/// How many instructions run between two looks at the clock.
const HOOK_INTERVAL: u32 = 10_000;

/// How many instructions a file may run before its declaration.
const DECLARATION_BUDGET: u64 = 1_000_000;

/// Names of the standard library that a script sees. Not among them: whatever reaches files,
/// processes, other chunks, bytecode or the state itself.
const BASE: [&str; 15] = [
    "assert",
    "error",
    "getmetatable",
    "ipairs",
    "next",
    "pairs",
    "pcall",
    "rawequal",
    "rawget",
    "rawlen",
    "rawset",
    "select",
    "tonumber",
    "tostring",
    "type",
];
const MODULES: [(&str, &[&str]); 4] = [
    (
        "string",
        &[
            "byte", "char", "find", "format", "gmatch", "gsub", "len", "lower", "match", "pack",
            "packsize", "rep", "reverse", "sub", "unpack", "upper",
        ],
    ),
    (
        "table",
        &[
            "concat", "insert", "move", "pack", "remove", "sort", "unpack",
        ],
    ),
    (
        "math",
        &[
            "abs",
            "ceil",
            "floor",
            "fmod",
            "huge",
            "max",
            "maxinteger",
            "min",
            "mininteger",
            "modf",
            "pi",
            "sqrt",
            "tointeger",
            "type",
            "ult",
        ],
    ),
    (
        "utf8",
        &["char", "charpattern", "codepoint", "codes", "len", "offset"],
    ),
];

/// A bounded state without hooks.
fn limited() -> mlua::Result<Lua> {
    let libraries =
        StdLib::STRING | StdLib::TABLE | StdLib::MATH | StdLib::UTF8 | StdLib::COROUTINE;
    let lua = Lua::new_with(libraries, LuaOptions::default())?;
    lua.set_memory_limit(MEMORY_LIMIT)?;
    Ok(lua)
}

/// A state for a run that must end at `deadline`: its hook yields to the runtime, so that dropping
/// the call ends any loop; code that cannot yield gets an error after the deadline.
pub(super) fn state(deadline: Instant) -> mlua::Result<Lua> {
    let lua = limited()?;
    lua.set_global_hook(
        HookTriggers::new().every_nth_instruction(HOOK_INTERVAL),
        move |_, _| {
            if Instant::now() > deadline + Duration::from_millis(200) {
                return Err(mlua::Error::runtime("the deadline has passed"));
            }
            Ok(VmState::Yield)
        },
    )?;
    Ok(lua)
}

/// A state that reads a declaration: it ends after a fixed number of instructions.
pub(super) fn bare() -> mlua::Result<Lua> {
    let lua = limited()?;
    let used = AtomicU64::new(0);
    lua.set_global_hook(
        HookTriggers::new().every_nth_instruction(HOOK_INTERVAL),
        move |_, _| {
            let before = used.fetch_add(u64::from(HOOK_INTERVAL), Ordering::Relaxed);
            if before < DECLARATION_BUDGET {
                Ok(VmState::Continue)
            } else if before < 2 * DECLARATION_BUDGET {
                Err(mlua::Error::runtime("too much work before the declaration"))
            } else {
                // The script catches our errors: yielding outside of a coroutine cannot be caught.
                Ok(VmState::Yield)
            }
        },
    )?;
    Ok(lua)
}

/// A table with the whitelisted names.
pub(super) fn whitelist(lua: &Lua) -> mlua::Result<Table> {
    let globals = lua.globals();
    let api = lua.create_table()?;
    for name in BASE {
        api.set(name, globals.get::<Value>(name)?)?;
    }
    for (module, names) in MODULES {
        let (from, to) = (globals.get::<Table>(module)?, lua.create_table()?);
        for name in names {
            to.set(*name, from.get::<Value>(*name)?)?;
        }
        api.set(module, to)?;
    }
    // Methods of strings (`("x"):rep(3)`) come from the metatable: give it the same whitelist.
    let methods: Table = api.get("string")?;
    let metatable = lua.create_table()?;
    metatable.set("__index", methods)?;
    metatable.set("__metatable", false)?;
    lua.set_type_metatable::<mlua::LuaString>(Some(metatable));
    let set: mlua::Function = globals.get("setmetatable")?;
    let set = lua.create_function(move |lua, (table, metatable): (Table, Option<Table>)| {
        if let Some(metatable) = &metatable
            && metatable.raw_get::<Value>("__gc")? != Value::Nil
        {
            // Lua suspends hooks inside finalisers, so that a loop in one could not be stopped.
            return Err(Cause::Usage("__gc is not available to scenarios".into()).into_lua(lua));
        }
        set.call::<Table>((table, metatable))
    })?;
    api.set("setmetatable", set)?;
    Ok(api)
}

/// The script's global table: the API's names are readable, a name that nobody defined is an error
/// that says so, and the script's own globals live in a table of their own.
pub(super) fn seal(lua: &Lua, api: Table) -> mlua::Result<Table> {
    let globals = lua.create_table()?;
    let lookup = lua.create_function(move |lua, (_, name): (Value, Value)| {
        let value: Value = api.raw_get(name.clone())?;
        if value.is_nil() {
            let name = name.to_string().unwrap_or_default();
            let hint = match name.as_str() {
                "print" => "; say(text) prints",
                "io" | "os" | "package" | "debug" | "coroutine" | "load" | "dofile" => {
                    "; scenarios cannot reach the host"
                }
                _ => "",
            };
            return Err(Cause::Usage(format!("\"{name}\" is not defined{hint}")).into_lua(lua));
        }
        Ok(value)
    })?;
    let metatable = lua.create_table()?;
    metatable.set("__index", lookup)?;
    metatable.set("__metatable", false)?;
    globals.set_metatable(Some(metatable))?;
    Ok(globals)
}

/// `require "name"`: a module below `scenarios/lib`, run once per scenario in its environment.
pub(super) fn install_require(
    lua: &Lua,
    globals: &Table,
    modules: &Arc<BTreeMap<String, String>>,
) -> mlua::Result<()> {
    let loaded = lua.create_table()?;
    let (modules, environment) = (Arc::clone(modules), globals.clone());
    let require = lua.create_async_function(move |lua, name: String| {
        let (loaded, environment, modules) =
            (loaded.clone(), environment.clone(), Arc::clone(&modules));
        async move {
            let cached: Value = loaded.get(name.as_str())?;
            if !cached.is_nil() {
                return Ok(cached);
            }
            let Some(text) = modules.get(&name) else {
                let known: Vec<_> = modules.keys().map(String::as_str).collect();
                let message = format!(
                    "no module \"{name}\" below scenarios/lib; there is: {}",
                    if known.is_empty() {
                        "none".into()
                    } else {
                        known.join(", ")
                    }
                );
                return Err(Cause::Usage(message).into_lua(&lua));
            };
            let value: Value = lua
                .load(text)
                .set_name(format!("@lib/{name}.lua"))
                .set_mode(ChunkMode::Text)
                .set_environment(environment)
                .call_async(())
                .await?;
            let value = if value.is_nil() {
                Value::Boolean(true)
            } else {
                value
            };
            loaded.set(name, value.clone())?;
            Ok(value)
        }
    })?;
    globals.raw_set("require", require)
}
