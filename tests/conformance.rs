//! Every shipped scenario as a libtest trial, on every target that can run here, and on the
//! reference server in front of each.

use std::error::Error;
use std::path::PathBuf;
use std::process::ExitCode;
use std::sync::Arc;

use osb_conformance::harness::Harness;
use osb_conformance::runner::Suite;
use osb_conformance::serve::{ServeConfig, Server};
use osb_conformance::target::docker::{DockerConfig, DockerTarget};
#[cfg(target_os = "linux")]
use osb_conformance::target::local::{LocalConfig, LocalTarget};
use osb_conformance::target::server::{ServerConfig, ServerTarget};
use osb_conformance::target::{Capability, Result as TargetResult, Target, TargetError};
use tokio::runtime::Runtime;
use tokio::task::JoinSet;
use tokio_util::sync::CancellationToken;

fn main() -> Result<ExitCode, Box<dyn Error>> {
    let suite = Suite::shipped()?;
    let folder = tempfile::tempdir()?;
    let allowed = folder.path().join("allow");
    std::fs::create_dir(&allowed)?;
    let mut servers = Servers::new(folder.path().join("state"), allowed.clone())?;
    let harness = Harness::new(suite)
        .target("docker", docker(allowed.clone()))
        .without("docker", Capability::Endpoints)
        .target("serve-docker", servers.before(docker(allowed.clone())));
    #[cfg(target_os = "linux")]
    let harness = harness
        .target("local", local(allowed.clone(), false))
        .without("local", Capability::Endpoints)
        .without("local", Capability::Images)
        .target("serve-local", servers.before(local(allowed, true)));
    let code = harness.main();
    let left = servers.stop();
    for words in &left {
        eprintln!("{words}");
    }
    Ok(if left.is_empty() {
        code
    } else {
        ExitCode::FAILURE
    })
}

async fn docker(allowed: PathBuf) -> TargetResult<DockerTarget> {
    let config = DockerConfig {
        allowed_host_paths: vec![allowed],
        ..DockerConfig::default()
    };
    DockerTarget::connect(config).await
}

#[cfg(target_os = "linux")]
async fn local(allowed: PathBuf, any_image: bool) -> TargetResult<LocalTarget> {
    let config = LocalConfig {
        allowed_host_paths: vec![allowed],
        any_image,
        ..LocalConfig::default()
    };
    LocalTarget::connect(config).await
}

/// Reference servers that live as long as the trials, on a runtime of their own.
struct Servers {
    runtime: Runtime,
    running: JoinSet<Vec<String>>,
    cancel: CancellationToken,
    state: PathBuf,
    allowed: PathBuf,
}

impl Servers {
    fn new(state: PathBuf, allowed: PathBuf) -> std::io::Result<Self> {
        Ok(Self {
            runtime: Runtime::new()?,
            running: JoinSet::new(),
            cancel: CancellationToken::new(),
            state,
            allowed,
        })
    }

    /// A server in front of the target that `connect` connects to, as a target.
    fn before<T: Target + 'static, F: Future<Output = TargetResult<T>>>(
        &mut self,
        connect: F,
    ) -> impl Future<Output = TargetResult<ServerTarget>> + Send + use<T, F> {
        let config = ServeConfig {
            listen: ([127, 0, 0, 1], 0).into(),
            state: self.state.clone(),
            ..ServeConfig::default()
        };
        let bound = self.runtime.block_on(async {
            let target: Arc<dyn Target> = Arc::new(connect.await?);
            let server = Server::bind(target, config).await;
            server.map_err(|error| TargetError::failed("the reference server", error))
        });
        let allowed = self.allowed.clone();
        let address = bound.map(|server| {
            let address = server.address();
            let work = server.run(self.cancel.clone());
            self.running.spawn_on(work, self.runtime.handle());
            format!("http://{address}")
        });
        async move {
            let config = ServerConfig {
                address: address?,
                allowed_host_paths: vec![allowed],
                ..ServerConfig::default()
            };
            ServerTarget::connect(config).await
        }
    }

    /// Stops all; answers what they could not remove.
    fn stop(self) -> Vec<String> {
        self.cancel.cancel();
        self.runtime.block_on(self.running.join_all()).concat()
    }
}
