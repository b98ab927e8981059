//! One run against a target, and what its tests share.

use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::atomic::{AtomicU32, Ordering};
use std::time::{Duration, Instant};

use osb_conformance::execd::{Command, CommandResult, Execd, ExecdError};
use osb_conformance::sandbox::{ApiError, CreateSandboxRequest, SandboxState};
use osb_conformance::target::docker::{DockerConfig, DockerTarget};
#[cfg(target_os = "linux")]
use osb_conformance::target::local::{LocalConfig, LocalTarget};
use osb_conformance::target::{Files, Handle, Owner, Resource, Target, TargetError};
use serde_json::{Value, json};

/// Makes of every test two, `docker::NAME` and `local::NAME`. Their benches are ended for them.
macro_rules! on_every_target {
    (flavor = $flavor:literal; $($name:ident),+ $(,)?) => {
        mod docker {
            $(#[tokio::test(flavor = $flavor)]
            async fn $name() {
                crate::bench::on(crate::bench::Bench::docker().await, super::$name).await;
            })+
        }
        mod local {
            $(#[tokio::test(flavor = $flavor)]
            async fn $name() {
                crate::bench::on(crate::bench::Bench::local().await, super::$name).await;
            })+
        }
    };
    ($($name:ident),+ $(,)?) => {
        on_every_target! { flavor = "multi_thread"; $($name),+ }
    };
}

/// Runs a test, and ends its bench also where it panics.
pub async fn on<T>(bench: Option<Bench>, test: impl FnOnce(Bench) -> T)
where
    T: Future<Output = ()> + Send + 'static,
{
    let Some(bench) = bench else { return };
    let outcome = tokio::spawn(test(bench.clone())).await;
    let ended = tokio::spawn(bench.end()).await;
    for outcome in [outcome, ended] {
        if let Err(error) = outcome {
            std::panic::resume_unwind(error.into_panic());
        }
    }
}

/// One run against a target, which must leave nothing.
#[derive(Clone)]
pub struct Bench {
    pub target: Arc<dyn Target>,
    pub owner: Owner,
    count: Arc<AtomicU32>,
    folder: Arc<tempfile::TempDir>,
}

impl Bench {
    /// `None` where no engine answers.
    pub async fn docker() -> Option<Self> {
        let folder = folder();
        let target = docker(folder.path()).await;
        Some(Self::begin(available("docker", target)?, folder))
    }

    /// `None` where the kernel refuses.
    pub async fn local() -> Option<Self> {
        let folder = folder();
        let target = local(folder.path()).await;
        Some(Self::begin(available("local", target)?, folder))
    }

    fn begin(target: Arc<dyn Target>, folder: tempfile::TempDir) -> Self {
        Self {
            target,
            owner: Owner::this_process(),
            count: Arc::default(),
            folder: folder.into(),
        }
    }

    /// The same target as another process would have it.
    pub async fn another(&self) -> Arc<dyn Target> {
        let target = if self.is_docker() {
            docker(self.folder()).await
        } else {
            local(self.folder()).await
        };
        target.unwrap()
    }

    pub fn is_docker(&self) -> bool {
        self.target.info().name == "docker"
    }

    /// Whether root is the only one inside, as where an ordinary user's namespaces are all there is.
    pub fn has_one_user(&self) -> bool {
        #[cfg(target_os = "linux")]
        let is_root = nix::unistd::geteuid().is_root();
        #[cfg(not(target_os = "linux"))]
        let is_root = true;
        !self.is_docker() && !is_root
    }

    /// The folder of this bench alone; `allow` below it is the allowlist, `state` the local
    /// target's.
    pub fn folder(&self) -> &Path {
        self.folder.path()
    }

    pub fn name(&self) -> String {
        let count = self.count.fetch_add(1, Ordering::Relaxed);
        format!("test-{}-{count}", self.owner.run)
    }

    pub async fn request(&self, change: Value) -> Result<TestBox, TargetError> {
        let mut body = json!({
            "image": {"uri": self.target.info().image}, "entrypoint": ["tail", "-f", "/dev/null"],
            "resourceLimits": {"cpu": "500m", "memory": "256Mi"}, "timeout": 600,
        });
        merge(&mut body, change);
        let request: CreateSandboxRequest = serde_json::from_value(body).unwrap();
        let handle = Handle::new(self.owner.clone(), self.name());
        let info = self.target.create(&handle, &request).await?;
        let execd = self.target.execd(&info.id).await?;
        Ok(TestBox {
            id: info.id,
            name: handle.name,
            execd,
        })
    }

    pub async fn try_create(&self, change: Value) -> Result<TestBox, ApiError> {
        self.request(change).await.map_err(|error| match error {
            TargetError::Api(error) => error,
            error => panic!(
                "no answer: {error}: {:?}",
                std::error::Error::source(&error)
            ),
        })
    }

    pub async fn create(&self, change: Value) -> TestBox {
        self.try_create(change).await.unwrap()
    }

    pub async fn refused(&self, change: Value) -> ApiError {
        match self.try_create(change).await {
            Err(error) => error,
            Ok(_) => panic!("it was accepted"),
        }
    }

    pub async fn volume(&self, files: &[(&str, &str)]) -> String {
        let files: Files = files
            .iter()
            .map(|(path, text)| ((*path).into(), text.as_bytes().to_vec()))
            .collect();
        let name = self.name();
        self.target
            .create_volume(&self.owner, &name, &files)
            .await
            .unwrap();
        name
    }

    pub async fn read(&self, volume: &str, path: &str) -> Option<String> {
        let data = self
            .target
            .read_volume(&self.owner, volume, path)
            .await
            .unwrap();
        data.map(|data| String::from_utf8(data).unwrap())
    }

    /// Waits until a sandbox has come to `state`.
    pub async fn until(&self, id: &str, state: SandboxState) {
        let patience = Instant::now() + Duration::from_secs(10);
        loop {
            let now = self.target.get(id).await.unwrap().status.state;
            if now == state {
                return;
            }
            assert!(Instant::now() < patience, "it is {now}, not {state}");
            tokio::time::sleep(Duration::from_millis(10)).await;
        }
    }

    /// Removes everything and checks that nothing is left.
    async fn end(self) {
        let mut left = self.target.remains(Some(&self.owner.run)).await.unwrap();
        left.sort_by(|a, b| a.1.cmp(&b.1));
        for (_, resource) in left {
            self.target
                .remove(&self.owner.run, &resource)
                .await
                .unwrap();
        }
        assert_eq!(self.remains().await, []);
        assert_eq!(self.state(), Vec::<PathBuf>::new());
    }

    pub async fn remains(&self) -> Vec<Resource> {
        let left = self.target.remains(Some(&self.owner.run)).await.unwrap();
        left.into_iter().map(|(_, resource)| resource).collect()
    }

    /// What the local target keeps in its state folder.
    pub fn state(&self) -> Vec<PathBuf> {
        ["sandboxes", "volumes"]
            .iter()
            .filter_map(|kind| std::fs::read_dir(self.folder().join("state").join(kind)).ok())
            .flatten()
            .map(|entry| entry.unwrap().path())
            .collect()
    }
}

async fn docker(folder: &Path) -> Result<Arc<dyn Target>, TargetError> {
    let config = DockerConfig {
        allowed_host_paths: vec![folder.join("allow")],
        ..DockerConfig::default()
    };
    let target = DockerTarget::connect(config).await?;
    target.prepare().await.unwrap();
    Ok(Arc::new(target))
}

#[cfg(target_os = "linux")]
async fn local(folder: &Path) -> Result<Arc<dyn Target>, TargetError> {
    let config = LocalConfig {
        state: folder.join("state"),
        allowed_host_paths: vec![folder.join("allow")],
        any_image: false,
    };
    Ok(Arc::new(LocalTarget::connect(config).await?))
}

#[cfg(not(target_os = "linux"))]
async fn local(_: &Path) -> Result<Arc<dyn Target>, TargetError> {
    Err(TargetError::Unreachable {
        target: "local".into(),
        reason: "it is made of Linux namespaces".into(),
    })
}

fn folder() -> tempfile::TempDir {
    let folder = tempfile::tempdir().unwrap();
    std::fs::create_dir(folder.path().join("allow")).unwrap();
    folder
}

/// The target, or `None` where it cannot run here: then the test is skipped, visibly, unless
/// `OSB_CONFORMANCE_REQUIRE` demands it.
fn available<T>(name: &str, target: Result<T, TargetError>) -> Option<T> {
    let reason = match target {
        Ok(target) => return Some(target),
        Err(error @ TargetError::Unreachable { .. }) => error,
        Err(error) => panic!("{error}: {:?}", std::error::Error::source(&error)),
    };
    crate::support::skip(name, &reason.to_string());
    None
}

pub struct TestBox {
    pub id: String,
    /// Name of what it is made of.
    pub name: String,
    pub execd: Arc<dyn Execd>,
}

impl TestBox {
    pub async fn try_run(&self, command: Command) -> Result<CommandResult, ExecdError> {
        self.execd.run(&command).await
    }

    pub async fn run(&self, command: &str) -> CommandResult {
        self.try_run(shell(command)).await.unwrap()
    }

    /// Standard output of a command that must succeed.
    pub async fn out(&self, command: &str) -> String {
        let result = self.run(command).await;
        assert_eq!(
            result.exit_code,
            0,
            "{command}: {}",
            crate::support::text(&result.stderr)
        );
        crate::support::text(&result.stdout)
    }
}

/// A command line with nothing else.
pub fn shell(command: &str) -> Command {
    Command {
        command: command.into(),
        ..Command::default()
    }
}

pub fn merge(body: &mut Value, more: Value) {
    let Value::Object(more) = more else {
        panic!("{more} is no object")
    };
    body.as_object_mut().unwrap().extend(more);
}

pub fn pvc(claim: &str, more: Value) -> Value {
    let mut volume = json!({"name": "v", "mountPath": "/mnt/data", "pvc": {"claimName": claim}});
    merge(&mut volume, more);
    json!({"volumes": [volume]})
}

pub fn claim(claim: &str, more: Value) -> Value {
    let mut pvc = json!({"claimName": claim});
    merge(&mut pvc, more);
    json!({"volumes": [{"name": "v", "mountPath": "/mnt/data", "pvc": pvc}]})
}
