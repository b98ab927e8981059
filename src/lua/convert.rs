//! Lua tables that mirror an API body, and back.

use mlua::{Lua, LuaSerdeExt, Table, Value};
use serde::Serialize;
use serde::de::DeserializeOwned;

use super::error::Cause;

/// Members of API bodies, and of our own option tables, that are lists. A table with names in it
/// would otherwise be read as an empty list, and what it says ignored.
const LISTS: [&str; 8] = [
    "volumes",
    "entrypoint",
    "accessModes",
    "options",
    "egress",
    "covers",
    "requires",
    "state",
];

/// Reads `value`, the argument of the function called `what`.
pub(super) fn from_lua<T: DeserializeOwned>(
    _lua: &Lua,
    what: &str,
    value: Value,
) -> Result<T, Cause> {
    let Value::Table(table) = &value else {
        let got = value.type_name();
        return Err(Cause::Usage(format!("{what} takes a table, not a {got}")));
    };
    check_lists(what, table, 0)?;
    let options = mlua::serde::DeserializeOptions::new().deny_unsupported_types(true);
    serde_path_to_error::deserialize(mlua::serde::Deserializer::new_with_options(value, options))
        .map_err(|error| {
            let path = error.path().to_string();
            let inner = error.into_inner().to_string();
            let reason = inner.strip_prefix("deserialize error: ").unwrap_or(&inner);
            let place = if path == "." {
                what.to_owned()
            } else {
                format!("{what}: {path}")
            };
            Cause::Usage(format!("{place}: {reason}"))
        })
}

fn check_lists(what: &str, table: &Table, depth: usize) -> Result<(), Cause> {
    if depth > 16 {
        return Err(Cause::Usage(format!(
            "{what}: the table is nested too deeply"
        )));
    }
    for pair in table.pairs::<Value, Value>() {
        let Ok((key, Value::Table(inner))) = pair else {
            continue;
        };
        if let Value::String(key) = &key {
            let key = key.to_string_lossy();
            let entries = inner.pairs::<Value, Value>().count();
            if LISTS.contains(&key.as_str()) && entries != inner.raw_len() {
                return Err(Cause::Usage(format!(
                    "{what}: {key} must be a list: {{ \"a\", \"b\" }}"
                )));
            }
        }
        check_lists(what, &inner, depth + 1)?;
    }
    Ok(())
}

/// The Lua form of an API answer: absent members are nil.
pub(super) fn to_lua(lua: &Lua, value: &impl Serialize) -> mlua::Result<Value> {
    let options = mlua::serde::SerializeOptions::new()
        .serialize_none_to_null(false)
        .serialize_unit_to_null(false)
        .set_array_metatable(false);
    lua.to_value_with(value, options)
}
