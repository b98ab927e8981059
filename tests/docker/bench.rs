//! One run against the engine, and what its tests share.

use std::sync::Arc;

use osb_conformance::execd::{Command, CommandResult, Execd};
use osb_conformance::sandbox::{ApiError, CreateSandboxRequest};
use osb_conformance::target::docker::{DockerConfig, DockerTarget};
use osb_conformance::target::{Files, Handle, Owner, Resource, Target, TargetError};
use serde_json::{Value, json};
use tokio::sync::Mutex;

/// One run against the engine, which must leave nothing.
pub struct Bench {
    pub target: DockerTarget,
    pub owner: Owner,
    pub count: Mutex<u32>,
}

impl Bench {
    /// `None` where no engine answers.
    pub async fn new() -> Option<Self> {
        Self::with(DockerConfig::default()).await
    }

    pub async fn with(config: DockerConfig) -> Option<Self> {
        crate::support::engine().await?;
        let target = DockerTarget::connect(config).await.unwrap();
        target.prepare().await.unwrap();
        Some(Self {
            target,
            owner: Owner::this_process(),
            count: Mutex::default(),
        })
    }

    pub async fn name(&self) -> String {
        let mut count = self.count.lock().await;
        *count += 1;
        format!("test-{}-{count}", self.owner.run)
    }

    pub async fn try_create(&self, change: Value) -> Result<TestBox, ApiError> {
        let mut body = json!({
            "image": {"uri": self.target.info().image}, "entrypoint": ["tail", "-f", "/dev/null"],
            "resourceLimits": {"cpu": "500m", "memory": "256Mi"}, "timeout": 600,
        });
        body.as_object_mut()
            .unwrap()
            .extend(change.as_object().unwrap().clone());
        let request: CreateSandboxRequest = serde_json::from_value(body).unwrap();
        let handle = Handle {
            owner: self.owner.clone(),
            name: self.name().await,
        };
        match self.target.create(&handle, &request).await {
            Ok(info) => {
                let execd = self.target.execd(&info.id).await.unwrap();
                Ok(TestBox { id: info.id, execd })
            }
            Err(TargetError::Api(error)) => Err(error),
            Err(error) => panic!(
                "no answer: {error}: {:?}",
                std::error::Error::source(&error)
            ),
        }
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
        let name = self.name().await;
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

    /// Removes everything and checks that nothing is left.
    pub async fn end(self) {
        let mut left = self.target.remains(Some(&self.owner.run)).await.unwrap();
        left.sort_by(|a, b| a.1.cmp(&b.1));
        for (_, resource) in left {
            self.target
                .remove(&self.owner.run, &resource)
                .await
                .unwrap();
        }
        assert_eq!(
            self.target.remains(Some(&self.owner.run)).await.unwrap(),
            []
        );
    }

    pub async fn remains(&self) -> Vec<Resource> {
        let left = self.target.remains(Some(&self.owner.run)).await.unwrap();
        left.into_iter().map(|(_, resource)| resource).collect()
    }
}

pub struct TestBox {
    pub id: String,
    pub execd: Arc<dyn Execd>,
}

impl TestBox {
    pub async fn run(&self, command: &str) -> CommandResult {
        self.execd
            .run(&Command {
                command: command.into(),
                ..Command::default()
            })
            .await
            .unwrap()
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

pub fn pvc(claim: &str, more: Value) -> Value {
    let mut volume = json!({"name": "v", "mountPath": "/mnt/data", "pvc": {"claimName": claim}});
    volume
        .as_object_mut()
        .unwrap()
        .extend(more.as_object().unwrap().clone());
    json!({"volumes": [volume]})
}

pub fn claim(claim: &str, more: Value) -> Value {
    let mut pvc = json!({"claimName": claim});
    pvc.as_object_mut()
        .unwrap()
        .extend(more.as_object().unwrap().clone());
    json!({"volumes": [{"name": "v", "mountPath": "/mnt/data", "pvc": pvc}]})
}
