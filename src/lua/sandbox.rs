//! `Sandbox`: create, its lifecycle, `commands` and `files`.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Duration;

use jiff::{SignedDuration, Timestamp};
use mlua::{Lua, LuaString, Table, UserData, UserDataFields, UserDataMethods, Value};
use serde::Deserialize;

use crate::execd::{Command, Execd};
use crate::sandbox::{
    CreateSandboxRequest, Endpoint, ImageSpec, ListQuery, RenewRequest, default_entrypoint,
    default_limits,
};
use crate::target::{Resource, Scope, Target, TargetError};

use super::convert::{from_lua, to_lua};
use super::error::{Cause, here};
use super::stage::{Operation, Stage};

/// Seconds that a sandbox lives unless the scenario says otherwise: a safety net for servers, far
/// longer than a scenario runs.
const TIMEOUT: i64 = 600;

/// What every function here needs.
#[derive(Clone)]
pub(super) struct Context {
    pub(super) stage: Arc<Stage>,
    pub(super) scope: Arc<Scope>,
}

impl Context {
    fn target(&self) -> &dyn Target {
        self.scope.target().as_ref()
    }

    /// Where a port is reached. The headers that let a client in are struck out of what is told.
    async fn endpoint(&self, id: &str, port: u16) -> Result<Endpoint, TargetError> {
        let endpoint = self.target().endpoint(id, port).await?;
        let mut recorder = self.stage.recorder();
        let headers = endpoint.headers.iter().flat_map(BTreeMap::values);
        headers.for_each(|value| recorder.secret(value));
        drop(recorder);
        Ok(endpoint)
    }

    /// Awaits `call`, which the script knows as `name`, and raises its error at the script's line.
    pub(super) async fn call<T, E: Into<TargetError>>(
        &self,
        name: &'static str,
        location: Option<String>,
        call: impl Future<Output = Result<T, E>>,
    ) -> mlua::Result<T> {
        let _operation = self.stage.enter(Operation {
            name,
            location: location.clone(),
        });
        call.await.map_err(|error| match error.into() {
            TargetError::Impossible(why) => {
                self.stage.skip(why);
                Cause::Skip.at(location)
            }
            error => Cause::Target(error).at(location),
        })
    }
}

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
    let table = lua.create_table()?;
    let on = context.clone();
    let create = lua.create_async_function(move |lua, request: Value| {
        let (context, location) = (on.clone(), here(&lua));
        async move { create(&lua, context, location, request).await }
    })?;
    table.set("create", create)?;
    let list = lua.create_async_function(move |lua, query: Option<Value>| {
        let (context, location) = (context.clone(), here(&lua));
        async move {
            let query = match query {
                None => ListQuery::default(),
                Some(query) => {
                    from_lua(&lua, "Sandbox.list", query).map_err(|c| c.at(location.clone()))?
                }
            };
            let page = context
                .call("Sandbox.list", location, context.target().list(&query))
                .await?;
            to_lua(&lua, &page)
        }
    })?;
    table.set("list", list)?;
    api.set("Sandbox", table)
}

/// Fills in what a client's library fills in: image, entrypoint, limits and timeout.
fn with_defaults(mut request: CreateSandboxRequest, image: &str) -> CreateSandboxRequest {
    if request.snapshot_id.is_none() {
        request.image.get_or_insert_with(|| ImageSpec {
            uri: image.into(),
            auth: None,
        });
        request.entrypoint.get_or_insert_with(default_entrypoint);
    }
    request.resource_limits.get_or_insert_with(default_limits);
    request.timeout.get_or_insert(TIMEOUT);
    request
}

async fn create(
    lua: &Lua,
    context: Context,
    location: Option<String>,
    request: Value,
) -> mlua::Result<SandboxData> {
    let raise = |cause: Cause| cause.at(location.clone());
    let request: CreateSandboxRequest = from_lua(lua, "Sandbox.create", request).map_err(raise)?;
    let request = with_defaults(request, &context.target().info().image);
    if let Ok(body) = serde_json::to_value(&request) {
        context.stage.keep_secret(&body);
    }
    for volume in request.volumes.iter().flatten() {
        if let Some(pvc) = &volume.pvc {
            // The target may create it: whatever of it carries our mark is removed at the end.
            let resource = Resource::Volume(pvc.claim_name.clone());
            context
                .scope
                .record(resource)
                .map_err(|error| raise(error.into()))?;
        }
        let mut recorder = context.stage.recorder();
        if let Some(pvc) = &volume.pvc {
            recorder.fact("Volume name", &pvc.claim_name);
        }
        if let Some(sub_path) = volume
            .sub_path
            .as_deref()
            .filter(|sub_path| !sub_path.is_empty())
        {
            recorder.fact("SubPath", sub_path);
        }
        recorder.fact("Mount path", &volume.mount_path);
    }
    let handle = context
        .scope
        .reserve_sandbox()
        .map_err(|error| raise(error.into()))?;
    let target = Arc::clone(context.scope.target());
    let creation = context
        .scope
        .completing(async move { target.create(&handle, &request).await });
    let info = context
        .call("Sandbox.create", location.clone(), creation)
        .await?;
    let execd = context
        .call("Sandbox.create", location, context.target().execd(&info.id))
        .await?;
    context.stage.name_sandbox(&info.id);
    Ok(SandboxData {
        id: info.id,
        execd,
        context,
    })
}

/// A sandbox as a script holds it.
pub(super) struct SandboxData {
    pub(super) id: String,
    pub(super) execd: Arc<dyn Execd>,
    pub(super) context: Context,
}

/// `sandbox.commands`.
struct Commands {
    execd: Arc<dyn Execd>,
    context: Context,
}

/// `sandbox.files`.
struct Files {
    execd: Arc<dyn Execd>,
    context: Context,
}

/// Adds an async method that makes one call: `$body` sees the userdata's context, the target or
/// execd, and the arguments, and is awaited with its name on the stage.
macro_rules! call_method {
    ($methods:ident, $name:literal, $title:literal, |$this:ident, $args:ident: $type:ty| $prepare:expr, |$output:ident, $lua:ident| $result:expr) => {
        $methods.add_async_method($name, |$lua, this, $args: $type| {
            let location = here(&$lua);
            async move {
                let $this = &*this;
                let $output = $this.context.call($title, location, $prepare).await?;
                $result
            }
        });
    };
}

impl UserData for SandboxData {
    fn add_fields<F: UserDataFields<Self>>(fields: &mut F) {
        fields.add_field_method_get("id", |_, this| Ok(this.id.clone()));
        fields.add_field_method_get("commands", |_, this| {
            Ok(Commands {
                execd: Arc::clone(&this.execd),
                context: this.context.clone(),
            })
        });
        fields.add_field_method_get("files", |_, this| {
            Ok(Files {
                execd: Arc::clone(&this.execd),
                context: this.context.clone(),
            })
        });
    }

    fn add_methods<M: UserDataMethods<Self>>(methods: &mut M) {
        call_method!(
            methods,
            "info",
            "sandbox:info",
            |this, _none: ()| this.context.target().get(&this.id),
            |info, lua| to_lua(&lua, &info)
        );
        call_method!(
            methods,
            "pause",
            "sandbox:pause",
            |this, _none: ()| this.context.target().pause(&this.id),
            |done, _lua| Ok(done)
        );
        call_method!(
            methods,
            "resume",
            "sandbox:resume",
            |this, _none: ()| this.context.target().resume(&this.id),
            |done, _lua| Ok(done)
        );
        call_method!(
            methods,
            "kill",
            "sandbox:kill",
            |this, _none: ()| this.context.target().delete(&this.id),
            |done, _lua| Ok(done)
        );
        call_method!(
            methods,
            "endpoint",
            "sandbox:endpoint",
            |this, port: u16| this.context.endpoint(&this.id, port),
            |endpoint, lua| to_lua(&lua, &endpoint)
        );
        methods.add_async_method("renew", |lua, this, seconds: f64| {
            let location = here(&lua);
            async move {
                let expires_at = SignedDuration::try_from_secs_f64(seconds)
                    .ok()
                    .and_then(|duration| Timestamp::now().checked_add(duration).ok())
                    .ok_or_else(|| {
                        let message =
                            format!("sandbox:renew takes seconds from now, not {seconds}");
                        Cause::Usage(message).at(location.clone())
                    })?;
                let request = RenewRequest { expires_at };
                let call = this.context.target().renew(&this.id, &request);
                let renewed = this.context.call("sandbox:renew", location, call).await?;
                to_lua(&lua, &renewed)
            }
        });
        methods.add_async_method("patch_metadata", |lua, this, table: Table| {
            let location = here(&lua);
            async move {
                let patch = metadata_patch(&table).map_err(|cause| cause.at(location.clone()))?;
                let call = this.context.target().patch_metadata(&this.id, &patch);
                let info = this
                    .context
                    .call("sandbox:patch_metadata", location, call)
                    .await?;
                to_lua(&lua, &info)
            }
        });
    }
}

/// A merge patch: `false` stands for JSON's `null`, which a Lua table cannot hold.
fn metadata_patch(table: &Table) -> Result<BTreeMap<String, Option<String>>, Cause> {
    let entry = |pair: mlua::Result<(String, Value)>| match pair {
        Ok((key, Value::Boolean(false))) => Ok((key, None)),
        Ok((key, Value::String(value))) => Ok((key, Some(value.to_string_lossy()))),
        _ => Err(Cause::Usage(
            "sandbox:patch_metadata takes names with text, or with false to delete".into(),
        )),
    };
    table.pairs::<String, Value>().map(entry).collect()
}

/// Options of `sandbox.commands:run`.
#[derive(Default, Deserialize)]
#[serde(deny_unknown_fields, default)]
struct RunOptions {
    cwd: Option<String>,
    envs: BTreeMap<String, String>,
    /// Seconds.
    timeout: Option<f64>,
    uid: Option<u32>,
    gid: Option<u32>,
}

impl UserData for Commands {
    fn add_methods<M: UserDataMethods<Self>>(methods: &mut M) {
        methods.add_async_method(
            "run",
            |lua, this, (command, options): (LuaString, Option<Value>)| {
                let location = here(&lua);
                async move {
                    let command = parse_command(&lua, &command, options)
                        .map_err(|c| c.at(location.clone()))?;
                    let run = this.execd.run(&command);
                    let result = this
                        .context
                        .call("sandbox.commands:run", location, run)
                        .await?;
                    if result.exit_code != 0 {
                        let said = String::from_utf8_lossy(&result.stderr);
                        let said: String = said.trim_end().chars().take(1000).collect();
                        this.context.stage.note_unsuccessful(format!(
                            "`{}` ended with exit code {}{}{said}",
                            command.command,
                            result.exit_code,
                            if said.is_empty() { "" } else { ": " },
                        ));
                    }
                    let table = lua.create_table()?;
                    table.set("stdout", lua.create_string(&result.stdout)?)?;
                    table.set("stderr", lua.create_string(&result.stderr)?)?;
                    table.set("exit_code", result.exit_code)?;
                    table.set("timed_out", result.timed_out)?;
                    table.set("truncated", result.truncated)?;
                    Ok(table)
                }
            },
        );
    }
}

fn parse_command(lua: &Lua, command: &LuaString, options: Option<Value>) -> Result<Command, Cause> {
    const NAME: &str = "sandbox.commands:run";
    let options: RunOptions = match options {
        None => RunOptions::default(),
        Some(options) => from_lua(lua, NAME, options)?,
    };
    let command = command
        .to_str()
        .map_err(|_| Cause::Usage(format!("{NAME}: the command must be UTF-8")))?
        .to_owned();
    let timeout = options
        .timeout
        .map(Duration::try_from_secs_f64)
        .transpose()
        .map_err(|_| Cause::Usage(format!("{NAME}: timeout must be seconds")))?;
    let RunOptions {
        cwd,
        envs,
        uid,
        gid,
        ..
    } = options;
    Ok(Command {
        command,
        cwd,
        envs,
        timeout,
        uid,
        gid,
    })
}

impl UserData for Files {
    fn add_methods<M: UserDataMethods<Self>>(methods: &mut M) {
        call_method!(
            methods,
            "read",
            "sandbox.files:read",
            |this, path: String| this.execd.read_file(&path),
            |data, lua| lua.create_string(&data)
        );
        call_method!(
            methods,
            "write",
            "sandbox.files:write",
            |this, args: (String, LuaString, Option<u32>)| this.execd.write_file(
                &args.0,
                &args.1.as_bytes(),
                args.2
            ),
            |done, _lua| Ok(done)
        );
        call_method!(
            methods,
            "info",
            "sandbox.files:info",
            |this, path: String| this.execd.file_info(&path),
            |info, lua| to_lua(&lua, &info)
        );
        call_method!(
            methods,
            "list",
            "sandbox.files:list",
            |this, path: String| this.execd.list_directory(&path),
            |list, lua| to_lua(&lua, &list)
        );
        call_method!(
            methods,
            "delete",
            "sandbox.files:delete",
            |this, path: String| this.execd.delete_file(&path),
            |done, _lua| Ok(done)
        );
    }
}
