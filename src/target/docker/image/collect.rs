//! Collects this machine's shell and core utilities with the libraries that they load.
//!
//! The machine's own tools come first, because their messages are those of common images; what is
//! missing, a busybox fills in, where there is one.

use std::collections::{BTreeMap, BTreeSet};
use std::ffi::OsStr;
use std::fs;
use std::io;
use std::os::unix::fs::MetadataExt;
use std::path::{Path, PathBuf};
use std::process::Command;

use sha2::{Digest, Sha256};

use super::assemble::Layer;

/// What a sandbox cannot do without.
const REQUIRED: [&str; 6] = ["sh", "cat", "ls", "mkdir", "tail", "touch"];

/// What scenarios and their authors may expect beside [`REQUIRED`].
const WANTED: [&str; 66] = [
    "[",
    "base64",
    "basename",
    "bash",
    "chgrp",
    "chmod",
    "chown",
    "cmp",
    "cp",
    "cut",
    "date",
    "dd",
    "df",
    "diff",
    "dirname",
    "du",
    "echo",
    "env",
    "expr",
    "false",
    "find",
    "grep",
    "head",
    "hostname",
    "id",
    "kill",
    "ln",
    "mkfifo",
    "mknod",
    "mount",
    "mv",
    "nohup",
    "od",
    "printenv",
    "printf",
    "ps",
    "pwd",
    "readlink",
    "realpath",
    "rm",
    "rmdir",
    "sed",
    "seq",
    "setsid",
    "sha256sum",
    "sleep",
    "sort",
    "stat",
    "stty",
    "sync",
    "tee",
    "test",
    "timeout",
    "tr",
    "true",
    "truncate",
    "umount",
    "uname",
    "uniq",
    "unlink",
    "unshare",
    "wc",
    "which",
    "whoami",
    "xargs",
    "yes",
];

/// Where tools are looked for: a person's own programs are none of a sandbox's business.
const FOLDERS: [&str; 4] = ["/usr/bin", "/bin", "/usr/sbin", "/sbin"];

/// Changes when the content of the image changes for another reason than the machine's tools.
const FORMAT: &str = "1";

/// The tools that were found, by name.
#[derive(Debug, Clone)]
pub(super) struct Tools {
    found: BTreeMap<&'static str, PathBuf>,
    busybox: Option<PathBuf>,
}

impl Tools {
    /// Looks for every tool.
    pub(super) fn find() -> Self {
        let found = REQUIRED
            .iter()
            .chain(&WANTED)
            .filter_map(|name| Some((*name, locate(name)?)))
            .collect();
        Self {
            found,
            busybox: locate("busybox"),
        }
    }

    /// Twelve hexadecimal digits that change with the tools: their paths, sizes and times, and
    /// those of the list of libraries. Cheap: no file is read.
    pub(super) fn fingerprint(&self) -> String {
        let mut hash = Sha256::new();
        hash.update(FORMAT);
        let libraries = Path::new("/etc/ld.so.cache").to_owned();
        for path in self.found.values().chain(&self.busybox).chain([&libraries]) {
            hash.update(path.as_os_str().as_encoded_bytes());
            if let Ok(meta) = fs::metadata(path) {
                hash.update(format!(
                    "\0{}\0{}\0{}\0",
                    meta.len(),
                    meta.mtime(),
                    meta.mtime_nsec()
                ));
            }
        }
        hex(&hash.finalize())[..12].to_owned()
    }

    /// Reads everything into the image's only layer.
    pub(super) fn layer(&self) -> io::Result<Layer> {
        let mut layer = Layer::default();
        for folder in [
            "dev", "etc", "mnt", "proc", "root", "run", "sys", "usr/bin", "var",
        ] {
            layer.directory(folder, 0o755);
        }
        layer.directory("tmp", 0o1777);
        layer.directory("var/tmp", 0o1777);
        layer.file(
            "etc/passwd",
            0o644,
            b"root:x:0:0:root:/root:/bin/sh\nnobody:x:65534:65534:nobody:/nonexistent:/bin/false\n"
                .to_vec(),
        );
        layer.file(
            "etc/group",
            0o644,
            b"root:x:0:\nnogroup:x:65534:\n".to_vec(),
        );
        for (name, target) in [("bin", "usr/bin"), ("sbin", "usr/bin"), ("usr/sbin", "bin")] {
            layer.link(name, target);
        }
        let mut programs = BTreeSet::new();
        let tools = self.found.iter().map(|(name, path)| (*name, path));
        for (name, path) in tools {
            // A program under several names, such as a busybox, is there once.
            let program = fs::canonicalize(path)?;
            let file = program
                .file_name()
                .unwrap_or(OsStr::new(name))
                .to_string_lossy()
                .into_owned();
            if file != name {
                layer.link(&format!("usr/bin/{name}"), &file);
            }
            layer.file(&format!("usr/bin/{file}"), 0o755, fs::read(&program)?);
            programs.insert(program);
        }
        self.fill_in(&mut layer, &mut programs)?;
        let mut libraries = BTreeSet::new();
        for program in &programs {
            libraries.extend(loaded_by(program)?);
        }
        for library in libraries {
            add_library(&mut layer, &library)?;
        }
        Ok(layer)
    }

    /// Puts a busybox in the place of tools that this machine lacks.
    fn fill_in(&self, layer: &mut Layer, programs: &mut BTreeSet<PathBuf>) -> io::Result<()> {
        let missing: Vec<_> = REQUIRED
            .iter()
            .chain(&WANTED)
            .filter(|name| !self.found.contains_key(*name))
            .collect();
        let required = missing
            .iter()
            .filter(|name| REQUIRED.contains(name))
            .count();
        let Some(busybox) = &self.busybox else {
            if required == 0 {
                return Ok(());
            }
            let lacking = format!("this machine has no {}, and no busybox", missing[0]);
            return Err(io::Error::other(lacking));
        };
        let applets = Command::new(busybox).arg("--list").output()?;
        let applets = String::from_utf8_lossy(&applets.stdout).into_owned();
        for name in missing {
            if applets.lines().any(|applet| applet == *name) {
                layer.link(&format!("usr/bin/{name}"), "busybox");
            }
        }
        layer.file("usr/bin/busybox", 0o755, fs::read(busybox)?);
        programs.insert(busybox.clone());
        Ok(())
    }
}

/// A tool that is a program, not a script: its interpreter would have to come along.
fn locate(name: &str) -> Option<PathBuf> {
    let is_program = |path: &PathBuf| {
        let mut magic = [0; 4];
        let read =
            fs::File::open(path).and_then(|mut file| io::Read::read_exact(&mut file, &mut magic));
        read.is_ok() && magic == *b"\x7fELF"
    };
    FOLDERS
        .iter()
        .map(|folder| Path::new(folder).join(name))
        .find(is_program)
}

/// The libraries that a program loads, its interpreter among them, as the system's own `ldd`
/// tells; none for a static one.
fn loaded_by(program: &Path) -> io::Result<Vec<PathBuf>> {
    let output = Command::new("ldd").arg(program).output().map_err(|error| {
        io::Error::new(
            error.kind(),
            format!("ldd, which tells the libraries of a program, cannot be run: {error}"),
        )
    })?;
    let text = String::from_utf8_lossy(&output.stdout).into_owned();
    Ok(text.lines().filter_map(library).collect())
}

/// The path in a line such as `libc.so.6 => /lib/libc.so.6 (0x7f…)` or `/lib/ld.so (0x7f…)`.
fn library(line: &str) -> Option<PathBuf> {
    let place = line
        .split_once("=>")
        .map_or(line, |(_, place)| place)
        .trim();
    let path = place.split(" (").next()?.trim();
    path.starts_with('/').then(|| path.into())
}

/// Puts a library where the loader looks for it: at its own path, with the links that lead there.
fn add_library(layer: &mut Layer, library: &Path) -> io::Result<()> {
    let (Some(folder), Some(name)) = (library.parent(), library.file_name()) else {
        return Ok(());
    };
    let mut at = PathBuf::from("/");
    for part in folder.components().skip(1) {
        at.push(part);
        // Usually /lib and /lib64, which lead into /usr.
        if let Ok(target) = fs::read_link(&at) {
            layer.link(&relative(&at), &target.to_string_lossy());
            at = fs::canonicalize(&at)?;
        }
    }
    layer.file(&relative(&at.join(name)), 0o755, fs::read(library)?);
    Ok(())
}

fn relative(path: &Path) -> String {
    path.to_string_lossy().trim_start_matches('/').to_owned()
}

/// Lower-case hexadecimal digits.
pub(in crate::target::docker) fn hex(bytes: &[u8]) -> String {
    bytes.iter().map(|byte| format!("{byte:02x}")).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn libraries_are_read_off_both_forms_of_line() {
        let path = |line| library(line).map(|path| path.to_string_lossy().into_owned());
        assert_eq!(
            path("\tlibc.so.6 => /lib/libc.so.6 (0x1)").as_deref(),
            Some("/lib/libc.so.6")
        );
        assert_eq!(
            path("\t/lib64/ld.so (0x1)").as_deref(),
            Some("/lib64/ld.so")
        );
        for none in [
            "\tlinux-vdso.so.1 (0x1)",
            "\tnot a dynamic executable",
            "\tlibx.so => not found",
            "",
        ] {
            assert_eq!(path(none), None, "{none}");
        }
    }

    #[test]
    fn the_fingerprint_is_stable() {
        assert_eq!(Tools::find().fingerprint(), Tools::find().fingerprint());
        assert_eq!(Tools::find().fingerprint().len(), 12);
    }
}
