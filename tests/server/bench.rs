//! A server of this process, and what its tests share.

use std::net::SocketAddr;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::{Duration, Instant};

use osb_conformance::execd::{Client, Command};
use osb_conformance::serve::{ServeConfig, Server};
use osb_conformance::target::docker::{DockerConfig, DockerTarget};
#[cfg(target_os = "linux")]
use osb_conformance::target::local::{LocalConfig, LocalTarget};
use osb_conformance::target::server::{ServerConfig, ServerTarget, VolumeAccess};
use osb_conformance::target::{Target, TargetError};
use serde_json::{Value, json};
use tokio::sync::Mutex;
use tokio::task::JoinHandle;
use tokio_util::sync::CancellationToken;

use crate::client::Http;
use crate::support;

/// Makes a test `TARGET::NAME` of every test that is named for a target. Their benches are ended
/// for them.
macro_rules! over {
    ($($target:ident { $($name:ident),+ $(,)? })+) => {
        $(mod $target {
            $(#[tokio::test(flavor = "multi_thread")]
            async fn $name() {
                crate::bench::on(crate::bench::Bench::$target().await, super::$name).await;
            })+
        })+
    };
}

/// The API key of servers that have one.
pub const KEY: &str = "k3y-that-nobody-may-see";

/// How long the end of a server may take: its connections have three seconds of it.
const END: Duration = Duration::from_secs(8);

/// Runs a test, and ends its bench also where it panics.
pub async fn on<T>(bench: Option<Bench>, test: impl FnOnce(Arc<Bench>) -> T)
where
    T: Future<Output = ()> + Send + 'static,
{
    let Some(bench) = bench.map(Arc::new) else {
        return;
    };
    let outcome = tokio::spawn(test(Arc::clone(&bench))).await;
    let ended = tokio::spawn(async move { bench.end().await }).await;
    for outcome in [outcome, ended] {
        if let Err(error) = outcome {
            std::panic::resume_unwind(error.into_panic());
        }
    }
}

/// A server that listens on a free port of this machine, and must leave nothing.
pub struct Bench {
    pub target: Arc<dyn Target>,
    pub address: SocketAddr,
    key: Option<String>,
    folder: tempfile::TempDir,
    /// Run id of what the server makes.
    run: String,
    cancel: CancellationToken,
    serving: Mutex<Option<JoinHandle<Vec<String>>>>,
}

impl Bench {
    /// Over this machine's own sandboxes; `None` where the kernel refuses.
    pub async fn local() -> Option<Self> {
        let folder = tempfile::tempdir().unwrap();
        let target = available("local", local(&folder.path().join("local")).await)?;
        Some(Self::over(target, folder, |_| ()).await)
    }

    /// As [`Bench::local`], with the API key [`KEY`].
    pub async fn keyed() -> Option<Self> {
        let folder = tempfile::tempdir().unwrap();
        let target = available("local", local(&folder.path().join("local")).await)?;
        let with_key = |config: &mut ServeConfig| config.api_key = Some(KEY.into());
        Some(Self::over(target, folder, with_key).await)
    }

    /// Over an engine; `None` where none answers.
    pub async fn docker() -> Option<Self> {
        let target = available("docker", docker().await)?;
        let folder = tempfile::tempdir().unwrap();
        Some(Self::over(target, folder, |_| ()).await)
    }

    /// Over any target.
    pub async fn over(
        target: Arc<dyn Target>,
        folder: tempfile::TempDir,
        change: impl FnOnce(&mut ServeConfig),
    ) -> Self {
        let state = folder.path().join("serve");
        let mut config = ServeConfig {
            listen: SocketAddr::from(([127, 0, 0, 1], 0)),
            api_key: None,
            state: state.clone(),
        };
        change(&mut config);
        let key = config.api_key.clone();
        let server = Server::bind(Arc::clone(&target), config).await.unwrap();
        let ledgers: Vec<_> = entries(&state.join("runs"));
        let [ledger] = &ledgers[..] else {
            panic!("one ledger, not {ledgers:?}")
        };
        let run = ledger.file_stem().unwrap().to_str().unwrap().to_owned();
        let (address, cancel) = (server.address(), CancellationToken::new());
        let serving = tokio::spawn(server.run(cancel.clone()));
        Self {
            target,
            address,
            key,
            folder,
            run,
            cancel,
            serving: Mutex::new(Some(serving)),
        }
    }

    /// Another server on the same target and port, after the first has ended.
    pub async fn again(&self) -> Self {
        let folder = tempfile::tempdir().unwrap();
        let same = self.address;
        Self::over(Arc::clone(&self.target), folder, |config| {
            config.listen = same;
        })
        .await
    }

    pub fn http(&self) -> Http {
        Http::at(self.address)
    }

    pub fn url(&self) -> String {
        format!("http://{}", self.address)
    }

    pub fn is_docker(&self) -> bool {
        self.target.info().name == "docker"
    }

    /// The body of a create request that is right, with `more` added or in the place of its own.
    pub fn body(&self, more: Value) -> Value {
        let mut body = json!({
            "image": {"uri": self.target.info().image}, "entrypoint": ["tail", "-f", "/dev/null"],
            "resourceLimits": {"cpu": "500m", "memory": "256Mi"}, "timeout": 600,
        });
        let Value::Object(more) = more else {
            panic!("{more} is no object")
        };
        body.as_object_mut().unwrap().extend(more);
        body
    }

    /// Has a sandbox accepted, and answers its id.
    pub async fn accepted(&self, more: Value) -> String {
        let answer = self.http().post("/v1/sandboxes", self.body(more)).await;
        assert_eq!(answer.status, 202, "{}", answer.text());
        answer.json()["id"].as_str().unwrap().to_owned()
    }

    /// Makes a sandbox and waits until it runs.
    pub async fn create(&self, more: Value) -> String {
        let id = self.accepted(more).await;
        self.until(&id, "Running").await;
        id
    }

    /// Waits until a sandbox is in `state`, and answers it.
    pub async fn until(&self, id: &str, state: &str) -> Value {
        let patience = Instant::now() + Duration::from_secs(30);
        loop {
            let info = self.http().get(&format!("/v1/sandboxes/{id}")).await.json();
            if info["status"]["state"] == state {
                return info;
            }
            assert!(Instant::now() < patience, "not {state}: {info}");
            tokio::time::sleep(Duration::from_millis(5)).await;
        }
    }

    /// The execd of a sandbox, through the server's proxy.
    pub fn execd(&self, id: &str) -> Client {
        let base = format!("{}/v1/sandboxes/{id}/proxy/44772", self.url());
        Client::at(&base, &[].into()).unwrap()
    }

    /// Standard output of a command that must succeed.
    pub async fn out(&self, id: &str, command: &str) -> String {
        let result = self.execd(id).run(&shell(command)).await.unwrap();
        let complaint = support::text(&result.stderr);
        assert_eq!(result.exit_code, 0, "{command}: {complaint}");
        support::text(&result.stdout)
    }

    /// How many sandboxes the server has.
    pub async fn count(&self) -> u64 {
        let page = self.http().with("open-sandbox-api-key", KEY);
        let page = page.get("/v1/sandboxes").await.json();
        page["pagination"]["totalItems"].as_u64().unwrap()
    }

    /// The server at `address`, which is this one, as a target that is prepared; by default with
    /// the image and the key that the server has, and with volumes through the API.
    pub async fn connect(
        &self,
        address: impl Into<String>,
        change: impl FnOnce(&mut ServerConfig),
    ) -> Result<Arc<ServerTarget>, TargetError> {
        let mut config = ServerConfig {
            address: address.into(),
            api_key: self.key.clone(),
            image: Some(self.target.info().image.clone()),
            volumes: VolumeAccess::Api,
            ..ServerConfig::default()
        };
        change(&mut config);
        let target = ServerTarget::connect(config).await?;
        target.prepare().await?;
        Ok(Arc::new(target))
    }

    /// Tells the server to end.
    pub fn cancel(&self) {
        self.cancel.cancel();
    }

    /// Ends the server, and answers what it says could not be removed.
    pub async fn stop(&self) -> Vec<String> {
        self.cancel.cancel();
        let serving = self.serving.lock().await.take();
        let serving = serving.expect("a server that was not stopped before");
        let ended = tokio::time::timeout(END, serving).await;
        ended.expect("an end within bounds").expect("an end")
    }

    /// Ends the server, if nobody has, and checks that nothing is left of it.
    pub async fn end(&self) {
        if self.serving.lock().await.is_some() {
            assert_eq!(self.stop().await, Vec::<String>::new());
        }
        self.assert_empty().await;
    }

    /// Checks that nothing is left of an ended server: in its folders, in the kernel, on the engine.
    pub async fn assert_empty(&self) {
        let ledgers = entries(&self.folder.path().join("serve/runs"));
        assert_eq!(ledgers, Vec::<PathBuf>::new());
        self.assert_idle();
        if self.is_docker() {
            let engine = support::engine().await.unwrap();
            let left = support::marked(&engine, Some(&self.run)).await;
            assert_eq!(left, Vec::<String>::new());
        }
    }

    /// Checks that no sandbox is left of a server that may still run.
    pub fn assert_idle(&self) {
        for folder in ["local/sandboxes", "local/volumes"] {
            let left = entries(&self.folder.path().join(folder));
            assert_eq!(left, Vec::<PathBuf>::new());
        }
        assert_eq!(support::control_groups(&self.run), Vec::<PathBuf>::new());
    }
}

fn entries(folder: &Path) -> Vec<PathBuf> {
    let entries = std::fs::read_dir(folder).into_iter().flatten();
    entries.map(|entry| entry.unwrap().path()).collect()
}

async fn docker() -> Result<Arc<dyn Target>, TargetError> {
    let target = DockerTarget::connect(DockerConfig::default()).await?;
    target.prepare().await.unwrap();
    Ok(Arc::new(target))
}

/// This machine as a target that takes any image, as `serve` has it.
#[cfg(target_os = "linux")]
pub async fn local(state: &Path) -> Result<Arc<dyn Target>, TargetError> {
    let config = LocalConfig {
        state: state.into(),
        allowed_host_paths: Vec::new(),
        any_image: true,
    };
    Ok(Arc::new(LocalTarget::connect(config).await?))
}

#[cfg(not(target_os = "linux"))]
pub async fn local(_: &Path) -> Result<Arc<dyn Target>, TargetError> {
    Err(TargetError::Unreachable {
        target: "local".into(),
        reason: "it is made of Linux namespaces".into(),
    })
}

/// The target, or `None` where it cannot run here: then the test is skipped, visibly, unless
/// `OSB_CONFORMANCE_REQUIRE` demands it.
pub fn available<T>(name: &str, target: Result<T, TargetError>) -> Option<T> {
    let reason = match target {
        Ok(target) => return Some(target),
        Err(error @ TargetError::Unreachable { .. }) => error,
        Err(error) => panic!("{error}: {:?}", std::error::Error::source(&error)),
    };
    support::skip(name, &reason.to_string());
    None
}

/// A command line with nothing else.
pub fn shell(command: &str) -> Command {
    Command {
        command: command.into(),
        ..Command::default()
    }
}
