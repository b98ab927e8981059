//! `volumes` and `host_dirs`: preparing storage, and looking at it from outside the sandbox.

use std::collections::BTreeMap;
use std::sync::Arc;

use mlua::{Lua, LuaString, Table, Value};

use crate::target::{Files, Resource, Scope, TargetError};

use super::error::{Cause, here};
use super::sandbox::Context;
use super::stage::Stage;

/// Longest alias: what a run adds to it still fits into every engine's limit for names.
const LONGEST_ALIAS: usize = 200;

pub(super) fn install(
    lua: &Lua,
    api: &Table,
    stage: &Arc<Stage>,
    scope: &Arc<Scope>,
) -> mlua::Result<()> {
    let context = Context {
        stage: Arc::clone(stage),
        scope: Arc::clone(scope),
    };
    let volumes = lua.create_table()?;

    let on = context.clone();
    volumes.set(
        "create",
        lua.create_async_function(move |lua, (alias, options): (String, Option<Table>)| {
            let (context, location) = (on.clone(), here(&lua));
            async move {
                let raise = |cause: Cause| cause.at(location.clone());
                let files = files("volumes.create", options).map_err(raise)?;
                let name = reserve(&context, &alias).map_err(raise)?;
                announce(&context, &alias);
                let line = created(&alias, &files);
                let (target, owner) = (
                    Arc::clone(context.scope.target()),
                    context.scope.owner().clone(),
                );
                let volume = name.clone();
                let call = async move { target.create_volume(&owner, &volume, &files).await };
                context
                    .call("volumes.create", location, context.scope.completing(call))
                    .await?;
                context.stage.recorder().preamble(&line);
                let volume = lua.create_table()?;
                volume.set("name", name)?;
                volume.set("alias", alias)?;
                Ok(volume)
            }
        })?,
    )?;

    let on = context.clone();
    volumes.set(
        "name",
        lua.create_function(move |lua, alias: String| {
            reserve(&on, &alias).map_err(|cause| cause.into_lua(lua))
        })?,
    )?;

    let on = context.clone();
    volumes.set(
        "exists",
        lua.create_async_function(move |lua, name: String| {
            let (context, location) = (on.clone(), here(&lua));
            async move {
                let (target, owner) = (
                    Arc::clone(context.scope.target()),
                    context.scope.owner().clone(),
                );
                let call = async move { target.volume_exists(&owner, &name).await };
                context
                    .call("volumes.exists", location, context.scope.completing(call))
                    .await
            }
        })?,
    )?;

    let on = context.clone();
    volumes.set(
        "labels",
        lua.create_async_function(move |lua, name: String| {
            let (context, location) = (on.clone(), here(&lua));
            async move {
                let labels = context.scope.target().volume_labels(&name);
                let labels = context.call("volumes.labels", location, labels).await?;
                labels
                    .map(|labels| lua.create_table_from(labels))
                    .transpose()
            }
        })?,
    )?;

    let on = context.clone();
    volumes.set(
        "read",
        lua.create_async_function(move |lua, (name, path): (String, String)| {
            let (context, location) = (on.clone(), here(&lua));
            async move {
                let (target, owner) = (
                    Arc::clone(context.scope.target()),
                    context.scope.owner().clone(),
                );
                // Looking may take a helper on the target, which is removed again only at the end.
                let call = async move { target.read_volume(&owner, &name, &path).await };
                let data = context
                    .call("volumes.read", location, context.scope.completing(call))
                    .await?;
                data.map(|data| lua.create_string(&data)).transpose()
            }
        })?,
    )?;
    api.set("volumes", volumes)?;

    let host_dirs = lua.create_table()?;
    let on = context.clone();
    host_dirs.set(
        "read",
        lua.create_async_function(move |lua, (path, file): (String, String)| {
            let (context, location) = (on.clone(), here(&lua));
            async move {
                made_here(&context, "host_dirs.read", &path).map_err(|c| c.at(location.clone()))?;
                let read = context.scope.target().read_host_dir(&path, &file);
                let data = context.call("host_dirs.read", location, read).await?;
                data.map(|data| lua.create_string(&data)).transpose()
            }
        })?,
    )?;
    let on = context.clone();
    host_dirs.set(
        "list",
        lua.create_async_function(move |lua, path: String| {
            let (context, location) = (on.clone(), here(&lua));
            async move {
                made_here(&context, "host_dirs.list", &path).map_err(|c| c.at(location.clone()))?;
                let list = context.scope.target().list_host_dir(&path);
                let paths = context.call("host_dirs.list", location, list).await?;
                lua.create_sequence_from(paths)
            }
        })?,
    )?;
    host_dirs.set(
        "create",
        lua.create_async_function(move |lua, (alias, options): (String, Option<Table>)| {
            let (context, location) = (context.clone(), here(&lua));
            async move {
                let raise = |cause: Cause| cause.at(location.clone());
                let files = files("host_dirs.create", options).map_err(raise)?;
                check_alias(&alias).map_err(raise)?;
                let target = Arc::clone(context.scope.target());
                let Some(root) = &target.info().host_root else {
                    return Err(raise(TargetError::unsupported("host directories").into()));
                };
                let path = format!("{root}/{}", context.scope.unique(&alias));
                context
                    .scope
                    .record(Resource::HostDir(path.clone()))
                    .map_err(|error| raise(error.into()))?;
                context.stage.recorder().alias(&path, &format!("/{alias}"));
                let (made, at) = (Arc::clone(&target), path.clone());
                let call = async move { made.create_host_dir(&at, &files).await };
                context
                    .call("host_dirs.create", location, context.scope.completing(call))
                    .await?;
                let directory = lua.create_table()?;
                directory.set("path", path)?;
                directory.set("alias", alias)?;
                Ok(directory)
            }
        })?,
    )?;
    api.set("host_dirs", host_dirs)
}

/// Refuses a look at a host directory that the scenario did not make: scripts see nothing else of
/// the host.
fn made_here(context: &Context, call: &str, path: &str) -> Result<(), Cause> {
    match context.scope.owns(&Resource::HostDir(path.to_owned())) {
        true => Ok(()),
        false => Err(Cause::Usage(format!(
            "{call} takes the path of a directory that this scenario made with host_dirs.create"
        ))),
    }
}

/// Reserves a unique volume name that transcripts show as `alias`.
fn reserve(context: &Context, alias: &str) -> Result<String, Cause> {
    check_alias(alias)?;
    let name = context.scope.reserve_volume(alias)?;
    let mut recorder = context.stage.recorder();
    recorder.alias(&name, alias);
    recorder.fact("Volume name", alias);
    Ok(name)
}

/// The lines before the banner that say what is being prepared.
fn announce(context: &Context, alias: &str) {
    let kind = &context.scope.target().info().volume_kind;
    let mut recorder = context.stage.recorder();
    recorder.preamble(&format!("{:<19}: {alias}", format!("{kind} volume")));
    recorder.preamble(&format!(
        "  Ensuring {kind} named volume '{alias}' exists..."
    ));
}

fn created(alias: &str, files: &Files) -> String {
    let names: Vec<_> = files.keys().map(String::as_str).collect();
    let with = if names.is_empty() {
        String::new()
    } else {
        format!(" with {}", names.join(", "))
    };
    format!("  Created volume '{alias}'{with}")
}

fn check_alias(alias: &str) -> Result<(), Cause> {
    let allowed = |c: char| c.is_ascii_lowercase() || c.is_ascii_digit() || c == '-';
    let starts = alias.starts_with(|c: char| c.is_ascii_lowercase() || c.is_ascii_digit());
    if starts && alias.len() <= LONGEST_ALIAS && alias.chars().all(allowed) {
        return Ok(());
    }
    Err(Cause::Usage(format!(
        "\"{alias}\" is no alias: it takes a-z, 0-9 and \"-\", begins with a letter or digit and has \
         at most {LONGEST_ALIAS} characters"
    )))
}

/// The `files` option: path below the root, and content.
fn files(what: &str, options: Option<Table>) -> Result<Files, Cause> {
    let mut files = BTreeMap::new();
    let usage = |message: String| Cause::Usage(format!("{what}: {message}"));
    for pair in options
        .iter()
        .flat_map(|options| options.pairs::<Value, Value>())
    {
        let (key, value) = pair.map_err(|error| usage(error.to_string()))?;
        let (Some(b"files"), Value::Table(entries)) =
            (key.as_string().map(LuaString::as_bytes).as_deref(), &value)
        else {
            let key = key.to_string().unwrap_or_default();
            return Err(usage(format!(
                "unknown option \"{key}\"; there is: files = {{ [path] = text }}"
            )));
        };
        for entry in entries.pairs::<String, LuaString>() {
            let (path, content) = entry.map_err(|_| {
                usage("files takes paths with text: { [\"a/b.txt\"] = \"…\" }".into())
            })?;
            let climbs = path.split('/').any(|part| matches!(part, "" | "." | ".."));
            if climbs {
                return Err(usage(format!(
                    "the path \"{path}\" must be relative, without \".\" and \"..\""
                )));
            }
            files.insert(path, content.as_bytes().to_vec());
        }
    }
    Ok(files)
}
