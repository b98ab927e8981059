//! `new`.

use std::fs::{self, OpenOptions};
use std::io::{self, Write};

use super::args::NewArguments;
use super::{Failure, exit};

const TEMPLATE: &str = r#"scenario {
  title    = "@TITLE@",
  covers   = { "VOL-PVC-001" },
  requires = { "volumes.pvc" },
}

local volume = volumes.create("demo", {
  files = { ["hello.txt"] = "hello\n" },
})

local sandbox = Sandbox.create {
  volumes = {
    { name = "data", pvc = { claimName = volume.name }, mountPath = "/mnt/data" },
  },
}

step "Reading hello.txt:"
local read = sandbox.commands:run("cat /mnt/data/hello.txt")
say(read.stdout)
expect(read.exit_code):is(0)
"#;

pub(super) fn new(arguments: &NewArguments) -> Result<u8, Failure> {
    let path = &arguments.path;
    let wrong = |why: &str| Failure::usage(format!("{} {why}", path.display()));
    if path.extension().is_none_or(|extension| extension != "lua") {
        return Err(wrong("does not end in .lua, as a scenario's file must"));
    }
    let title = path
        .file_stem()
        .map(|stem| stem.to_string_lossy().replace(['_', '-'], " "))
        .unwrap_or_default();
    let title: String = title
        .chars()
        .filter(|c| !c.is_control() && !['"', '\\'].contains(c))
        .collect();
    let folder = path
        .parent()
        .filter(|folder| !folder.as_os_str().is_empty());
    let write = || -> io::Result<()> {
        if let Some(folder) = folder {
            fs::create_dir_all(folder)?;
        }
        let mut file = OpenOptions::new().write(true).create_new(true).open(path)?;
        file.write_all(TEMPLATE.replace("@TITLE@", &title).as_bytes())
    };
    write().map_err(|error| match error.kind() {
        io::ErrorKind::AlreadyExists => wrong("exists already; it was left as it is"),
        _ => wrong(&format!("cannot be written: {error}")),
    })?;
    let folder = folder.map_or_else(|| ".".into(), |folder| folder.display().to_string());
    let name = path.file_name().unwrap_or_default().to_string_lossy();
    println!("wrote {}", path.display());
    println!("record its transcript: osb-conformance run --scenarios {folder} --accept {name}");
    println!("then read it, and run: osb-conformance run --scenarios {folder} {name}");
    Ok(exit::SUCCESS)
}
