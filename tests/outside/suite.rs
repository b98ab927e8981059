//! Our suite with the official server: it conforms, but for what is known.

use std::path::Path;

use crate::engine;
use crate::official::Official;
use crate::python::Python;

/// What is known to fail on it, and why.
const KNOWN: &str = "scenarios/known-failures/opensandbox-server-1.1.toml";

/// The scenarios of the specification's example.
const EXAMPLE: [&str; 4] = [
    "volumes/pvc/read_write.lua",
    "volumes/pvc/read_only.lua",
    "volumes/pvc/cross_sandbox_sharing.lua",
    "volumes/pvc/sub_path.lua",
];

/// One server for all of it: every server sees the sandboxes of all on the same engine.
#[tokio::test]
async fn the_official_server_conforms_but_for_what_is_known() {
    let Some(python) = Python::find() else { return };
    let Some(_engine) = engine::alone().await else {
        return;
    };
    let official = Official::start(&python);
    let address = format!("http://{}", official.address());
    let hosts = official.hosts().display().to_string();
    let run = ["run", "--target", &address, "--allow-host-path", &hosts];
    let known = Path::new(env!("CARGO_MANIFEST_DIR")).join(KNOWN);
    let known = known.display().to_string();
    official.conforms(&[&run[..], &["--known-failures", &known]].concat());
    official.conforms(&[&run[..], &["--proxy"], &EXAMPLE].concat());
    let against = ["run", "--target", "docker", "--against", &address];
    official.conforms(&[&against[..], &EXAMPLE].concat());
}
