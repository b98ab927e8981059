//! Runs scenario scripts: what a script sees, how it is bounded, and how its failures are told.
//!
//! [`declare`] reads a scenario's metadata without running it; [`run`] runs it once against a
//! target. Scripts are untrusted: each gets a Lua state of its own with a whitelist of names, a
//! memory limit, and a hook that gives control back to the runtime however the script loops.
//! Everything that matters to the verdict is kept on the Rust side, in a [`Stage`], where a
//! script's `pcall` cannot hide it.

mod api;
mod convert;
mod environment;
mod error;
mod expect;
mod flow;
mod mount;
mod sandbox;
mod stage;
mod volume;

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Instant;

use mlua::chunk::ChunkMode;
use mlua::{Function, Lua, Table, Value};

use crate::scenario::{Defect, Metadata, Source};
use crate::target::Scope;

pub use stage::{Failure, FailureKind, Operation, Stage};

/// How much memory a scenario's Lua state may use, in bytes.
pub const MEMORY_LIMIT: usize = 64 << 20;

/// One run of one scenario.
#[derive(Debug)]
pub struct Script<'a> {
    /// The scenario.
    pub source: &'a Source,
    /// What `require` finds, by name.
    pub modules: Arc<BTreeMap<String, String>>,
    /// What the scenario owns on the target.
    pub scope: Arc<Scope>,
    /// Where everything is recorded.
    pub stage: Arc<Stage>,
    /// Whether any refusal of a wrong request counts that makes nothing.
    pub lenient: bool,
    /// When the script must have ended. The caller drops the future then; the deadline stops code
    /// that cannot be suspended.
    pub deadline: Instant,
}

/// Runs a scenario to its end. What it printed, expected and met is in the script's [`Stage`].
pub async fn run(script: Script<'_>) {
    let stage = Arc::clone(&script.stage);
    if let Err(error) = execute(&script).await {
        stage.fail_with(&error, script.source);
    }
}

async fn execute(script: &Script<'_>) -> mlua::Result<()> {
    let lua = environment::state(script.deadline)?;
    let api = environment::whitelist(&lua)?;
    // The metadata was read before the run; here the declaration only has to be accepted.
    api.set("scenario", lua.create_function(|_, _: Table| Ok(()))?)?;
    flow::install(&lua, &api, &script.stage)?;
    expect::install(&lua, &api, &script.stage)?;
    sandbox::install(&lua, &api, &script.stage, &script.scope)?;
    volume::install(&lua, &api, &script.stage, &script.scope)?;
    api::install(&lua, &api, script)?;
    let globals = environment::seal(&lua, api)?;
    environment::install_require(&lua, &globals, &script.modules)?;
    chunk(&lua, script.source, globals)?
        .call_async::<()>(())
        .await
}

fn chunk(lua: &Lua, source: &Source, globals: Table) -> mlua::Result<Function> {
    lua.load(&source.lua)
        .set_name(format!("@{}", source.path))
        .set_mode(ChunkMode::Text)
        .set_environment(globals)
        .into_function()
}

/// Reads the `scenario { … }` table at the head of a scenario, without running what follows.
///
/// # Errors
/// When the file is not Lua, does not begin with the declaration, or declares something wrong.
pub fn declare(source: &Source) -> Result<Metadata, Defect> {
    let defect = |error: &mlua::Error| {
        let failure = error::describe(error, source);
        let kind = match error::innermost(error) {
            mlua::Error::SyntaxError { .. } => "syntax",
            _ => "declaration",
        };
        Defect {
            kind,
            location: failure.location,
            message: failure.message,
        }
    };
    let missing = |location: Option<String>| Defect {
        kind: "declaration",
        location,
        message: "the file must begin with scenario { title = \"…\", covers = { … } }".into(),
    };
    let lua = environment::bare().map_err(|error| defect(&error))?;
    let result = declaration(&lua, source);
    // Reaching the declaration ends the chunk with an error of our own, which carries the table.
    match result {
        Ok(()) => Err(missing(Some(format!("{}:1", source.path)))),
        Err(error) => match lua.remove_app_data::<Declared>() {
            Some(Declared(Ok(metadata))) => Ok(metadata),
            Some(Declared(Err(error))) => Err(defect(&error)),
            None if matches!(error::innermost(&error), mlua::Error::SyntaxError { .. }) => {
                Err(defect(&error))
            }
            None => Err(missing(error::describe(&error, source).location)),
        },
    }
}

/// What a `scenario { … }` call declared.
struct Declared(mlua::Result<Metadata>);

fn declaration(lua: &Lua, source: &Source) -> mlua::Result<()> {
    let api = environment::whitelist(lua)?;
    let scenario = lua.create_function(|lua, table: Value| {
        let metadata = convert::from_lua::<Metadata>(lua, "scenario", table)
            .map_err(|error| error.into_lua(lua));
        lua.set_app_data(Declared(metadata));
        Err::<(), _>(mlua::Error::runtime("declared"))
    })?;
    api.set("scenario", scenario)?;
    chunk(lua, source, environment::seal(lua, api)?)?.call(())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn source(lua: &str) -> Source {
        Source {
            path: "a/b.lua".into(),
            lua: lua.into(),
            transcript: None,
            transcript_file: None,
        }
    }

    fn refused(lua: &str) -> Defect {
        declare(&source(lua)).expect_err("a defect")
    }

    #[test]
    fn metadata_is_read_without_running_the_rest() {
        let metadata = declare(&source(
            "-- comment\nlocal id = 'VOL-PVC-002'\nscenario { title = 'T', covers = { id } }\nerror 'ran'",
        ))
        .expect("metadata");
        assert_eq!(
            (metadata.title.as_str(), &metadata.covers[..]),
            ("T", &["VOL-PVC-002".to_owned()][..])
        );
    }

    #[test]
    fn defects_name_their_line() {
        let syntax = refused("\nscenario { title = }");
        assert_eq!(
            (syntax.kind, syntax.location.as_deref()),
            ("syntax", Some("a/b.lua:2"))
        );
        let field = refused("scenario {\n title = 'T', cover = {} }");
        assert_eq!(field.kind, "declaration");
        assert!(field.message.contains("cover"), "{}", field.message);
        assert!(
            field
                .location
                .as_deref()
                .is_some_and(|l| l.starts_with("a/b.lua:")),
            "{field:?}"
        );
        let list = refused("scenario { title = 'T', covers = { id = 'x' } }");
        assert!(list.message.contains("covers"), "{}", list.message);
        let late = refused("\n\nSandbox.create {}");
        assert_eq!(late.location.as_deref(), Some("a/b.lua:3"));
        assert!(late.message.contains("must begin with"), "{}", late.message);
        assert!(refused("local x = 1").message.contains("must begin with"));
    }

    #[test]
    fn a_loop_before_the_declaration_ends() {
        assert!(
            refused("while true do end")
                .message
                .contains("must begin with")
        );
        assert!(
            refused("while true do pcall(error) end")
                .message
                .contains("must begin with")
        );
    }
}
