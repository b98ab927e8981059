//! What these tests have on the Docker engine, removed also where they fail.

use std::process::{Command, Stdio};
use std::sync::atomic::{AtomicUsize, Ordering};

use tokio::sync::{Mutex, MutexGuard};

use crate::support;

/// The engine for one test alone, `None` where none answers. The official server looks at every
/// sandbox on it, also at ours, and answers 500 where one of them goes away meanwhile.
pub async fn alone() -> Option<MutexGuard<'static, ()>> {
    static ENGINE: Mutex<()> = Mutex::const_new(());
    support::engine().await?;
    Some(ENGINE.lock().await)
}

/// Standard output of a `docker` command line, if it succeeds.
fn docker(arguments: &[&str]) -> Option<String> {
    let output = Command::new("docker")
        .args(arguments)
        .stdin(Stdio::null())
        .output()
        .ok()?;
    let out = String::from_utf8_lossy(&output.stdout).trim().to_owned();
    output.status.success().then_some(out)
}

/// A name that nothing else in this process and no other process uses.
pub fn unique(what: &str) -> String {
    static COUNT: AtomicUsize = AtomicUsize::new(0);
    let count = COUNT.fetch_add(1, Ordering::Relaxed);
    format!("osb-outside-{}-{what}-{count}", std::process::id())
}

fn remove_containers(filter: &str) {
    let found = docker(&["ps", "-aq", "--filter", filter]).unwrap_or_default();
    for id in found.lines() {
        docker(&["rm", "-f", "-v", id]);
    }
}

/// Removes every container and volume that carries `label`.
pub fn remove_marked(label: &str) {
    let filter = format!("label={label}");
    remove_containers(&filter);
    let found = docker(&["volume", "ls", "-q", "--filter", &filter]).unwrap_or_default();
    for name in found.lines() {
        docker(&["volume", "rm", "-f", name]);
    }
}

/// Removes a volume, and every container that mounts it.
pub fn remove_volume(name: &str) {
    remove_containers(&format!("volume={name}"));
    docker(&["volume", "rm", "-f", name]);
}

/// The name of a volume that nobody else has. The volume, and every container that mounts it, is
/// removed in the end.
pub struct Volume {
    pub name: String,
}

impl Volume {
    pub fn unique() -> Self {
        Self {
            name: unique("volume"),
        }
    }
}

impl Drop for Volume {
    fn drop(&mut self) {
        remove_volume(&self.name);
    }
}

/// The name of an image. The image, and every container of it, is removed in the end.
pub struct Image {
    pub name: String,
}

impl Drop for Image {
    fn drop(&mut self) {
        remove_containers(&format!("ancestor={}", self.name));
        docker(&["rmi", "-f", &self.name]);
    }
}
