//! A volume's content as a directory of this machine: filled, read, and a sub path of it found,
//! without ever leaving it by a link.

use std::collections::BTreeSet;
use std::fs::{self, File};
use std::io::{self, Read};
use std::os::fd::{AsFd, AsRawFd, OwnedFd};
use std::os::unix::fs::PermissionsExt;
use std::path::{Component, Path, PathBuf};

use nix::errno::Errno;
use nix::fcntl::{AT_FDCWD, OFlag, OpenHow, ResolveFlag, openat2};
use nix::sys::stat::{Mode, mkdirat};

use super::Files;

/// Most bytes that are read of one file.
const LARGEST: u64 = 256 << 20;

/// The directory that a volume's content is in.
pub(super) struct Directory {
    file: OwnedFd,
    path: PathBuf,
}

/// Why a sub path leads to no directory of the volume.
pub(super) enum Broken {
    /// Out of the volume, through no directory, or in circles: why.
    Refused(String),
    /// It cannot be told.
    Failed(io::Error),
}

impl From<Errno> for Broken {
    fn from(error: Errno) -> Self {
        Self::Failed(error.into())
    }
}

impl Directory {
    /// Opens the directory at `path`.
    pub(super) fn open(path: &Path) -> io::Result<Self> {
        let how = OpenHow::new().flags(DIRECTORY | OFlag::O_CLOEXEC);
        Ok(Self {
            file: openat2(AT_FDCWD, path, how)?,
            path: path.into(),
        })
    }

    /// Writes `files`, which are a new volume's first ones, their folders included.
    pub(super) fn fill(&self, files: &Files) -> io::Result<()> {
        for (name, bytes) in files {
            let parts = Path::new(name).components();
            let relative: PathBuf = parts
                .filter(|part| matches!(part, Component::Normal(_)))
                .collect();
            let mut folder = self.path.clone();
            for part in relative.parent().into_iter().flat_map(Path::components) {
                folder.push(part);
                if !folder.is_dir() {
                    fs::create_dir(&folder)?;
                    fs::set_permissions(&folder, fs::Permissions::from_mode(0o755))?;
                }
            }
            let file = self.path.join(relative);
            fs::write(&file, bytes)?;
            fs::set_permissions(&file, fs::Permissions::from_mode(0o644))?;
        }
        Ok(())
    }

    /// Reads a file; `None` where there is none inside.
    pub(super) fn read(&self, path: &str) -> io::Result<Option<Vec<u8>>> {
        let path = Path::new(path.trim_start_matches('/'));
        // What is no file, such as a pipe, must not hold this up.
        let file = match self.find(path, OFlag::O_RDONLY | OFlag::O_NONBLOCK) {
            Ok(file) => file,
            Err(Errno::ENOENT | Errno::ENOTDIR | Errno::EXDEV | Errno::ELOOP) => return Ok(None),
            Err(error) => return Err(error.into()),
        };
        let mut data = Vec::new();
        let mut file = File::from(file).take(LARGEST + 1);
        file.read_to_end(&mut data)?;
        if data.len() as u64 > LARGEST {
            let what = format!("it is larger than {} MiB", LARGEST >> 20);
            return Err(io::Error::other(what));
        }
        Ok(Some(data))
    }

    /// Names of what is in the directory that `sub_path` leads to.
    pub(super) fn names(&self, sub_path: &str) -> io::Result<BTreeSet<String>> {
        let place = self.find(Path::new(sub_path), DIRECTORY)?;
        let path = format!("/proc/self/fd/{}", place.as_raw_fd());
        fs::read_dir(path)?
            .map(|entry| Ok(entry?.file_name().to_string_lossy().into_owned()))
            .collect()
    }

    /// Paths of everything in it. Links are not followed.
    pub(super) fn tree(&self) -> io::Result<BTreeSet<String>> {
        let mut all = BTreeSet::new();
        let mut folders = vec![PathBuf::new()];
        while let Some(folder) = folders.pop() {
            let place = self.find(&folder, DIRECTORY)?;
            for entry in fs::read_dir(format!("/proc/self/fd/{}", place.as_raw_fd()))? {
                let entry = entry?;
                let path = folder.join(entry.file_name());
                all.insert(path.to_string_lossy().into_owned());
                if entry.file_type()?.is_dir() {
                    folders.push(path);
                }
            }
        }
        Ok(all)
    }

    /// The path, without links, of the directory that a sub path leads to. What is missing of it
    /// is made.
    pub(super) fn descend(&self, sub_path: &str) -> Result<PathBuf, Broken> {
        let mut so_far = PathBuf::new();
        let mut place = self.find(&so_far, DIRECTORY)?;
        for part in Path::new(sub_path).components() {
            let Component::Normal(part) = part else {
                continue;
            };
            so_far.push(part);
            let refused = |what: &str| {
                let message = format!("\"{}\" {what}", so_far.display());
                Err(Broken::Refused(message))
            };
            let mut found = self.find(&so_far, DIRECTORY);
            if matches!(found, Err(Errno::ENOENT)) {
                match mkdirat(place.as_fd(), part, Mode::from_bits_truncate(0o755)) {
                    // Its folder has just been removed.
                    Ok(()) | Err(Errno::ENOENT) => {}
                    // What cannot be opened is there all the same.
                    Err(Errno::EEXIST) => return refused("is a link that leads nowhere"),
                    Err(error) => return Err(error.into()),
                }
                found = self.find(&so_far, DIRECTORY);
            }
            place = match found {
                Ok(found) => found,
                Err(Errno::EXDEV) => return refused("is a link that leaves the volume"),
                Err(Errno::ELOOP) => return refused("leads in circles"),
                Err(Errno::ENOTDIR) => return refused("is no directory"),
                Err(Errno::ENAMETOOLONG) => return refused("is too long"),
                // A sandbox that has the volume moves things while they are looked for.
                Err(Errno::ENOENT | Errno::EAGAIN) => return refused("is being changed"),
                Err(error) => return Err(error.into()),
            };
        }
        let link = format!("/proc/self/fd/{}", place.as_raw_fd());
        fs::read_link(link).map_err(Broken::Failed)
    }

    /// Opens what is at `path` below; a way out, also by a link, is an error.
    fn find(&self, path: &Path, flags: OFlag) -> nix::Result<OwnedFd> {
        let path = if path.as_os_str().is_empty() {
            Path::new(".")
        } else {
            path
        };
        let resolve = ResolveFlag::RESOLVE_BENEATH | ResolveFlag::RESOLVE_NO_MAGICLINKS;
        let how = OpenHow::new()
            .flags(flags | OFlag::O_CLOEXEC)
            .resolve(resolve);
        openat2(&self.file, path, how)
    }
}

/// Only to find it.
const DIRECTORY: OFlag = OFlag::O_PATH.union(OFlag::O_DIRECTORY);

#[cfg(test)]
mod tests {
    use super::*;
    use std::os::unix::fs::symlink;

    #[test]
    fn a_sub_path_stays_inside_of_its_volume() {
        let folder = tempfile::tempdir().expect("a folder");
        let data = folder.path().join("volume");
        fs::create_dir(&data).expect("made");
        fs::write(folder.path().join("outside"), "no").expect("written");
        let volume = Directory::open(&data).expect("opened");
        let files = Files::from([
            ("a/b/f".into(), b"x".to_vec()),
            ("top".into(), b"t".to_vec()),
        ]);
        volume.fill(&files).expect("filled");
        for (target, name) in [
            ("/", "root"),
            ("../..", "up"),
            ("a", "inside"),
            ("loop2", "loop1"),
            ("loop1", "loop2"),
            ("gone", "dangling"),
        ] {
            symlink(target, data.join(name)).expect("a link");
        }
        for evil in [
            "root",
            "up",
            "up/new",
            "root/new",
            "loop1",
            "top",
            "top/x",
            "dangling/x",
        ] {
            let result = volume.descend(evil);
            assert!(matches!(result, Err(Broken::Refused(_))), "{evil}");
        }
        for good in ["", "a", "inside/b", "new/deep"] {
            assert!(volume.descend(good).is_ok(), "{good}");
        }
        assert!(data.join("new/deep").is_dir());
        let read = |path| volume.read(path).expect("read");
        assert_eq!(read("inside/b/f").as_deref(), Some(&b"x"[..]));
        for none in ["up/outside", "root/etc/passwd", "nope", "top/x"] {
            assert_eq!(read(none), None, "{none}");
        }
    }
}
