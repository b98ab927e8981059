//! A target of this test's own, for what no real one does on demand: it makes a sandbox when it is
//! told to, and echoes what is forwarded to it.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::{Arc, Mutex};

use async_trait::async_trait;
use http_body_util::{BodyExt, Full};
use hyper::Response;
use jiff::Timestamp;
use osb_conformance::execd::{Execd, ForwardRequest, ForwardResponse, Payload};
use osb_conformance::sandbox::{
    ApiError, CreateSandboxRequest, ListQuery, SandboxInfo, SandboxPage, SandboxState,
    SandboxStatus,
};
use osb_conformance::target::{
    Handle, Owner, Resource, Result, RunId, Target, TargetError, TargetInfo,
};
use serde_json::json;
use tokio::sync::Semaphore;
use uuid::Uuid;

pub struct Echo {
    info: TargetInfo,
    /// How many sandboxes may be made yet.
    pub gate: Semaphore,
    made: Mutex<BTreeMap<String, (Owner, SandboxInfo)>>,
}

impl Echo {
    pub fn new() -> Arc<Self> {
        Arc::new(Self {
            info: TargetInfo {
                name: "echo".into(),
                locator: "echo".into(),
                description: "sandboxes in memory".into(),
                image: "none".into(),
                volume_kind: "Memory".into(),
                host_root: None,
                capabilities: BTreeSet::new(),
            },
            gate: Semaphore::new(0),
            made: Mutex::default(),
        })
    }

    /// Names of the sandboxes that are there.
    pub fn names(&self) -> Vec<String> {
        self.made.lock().unwrap().keys().cloned().collect()
    }

    fn name(&self, id: &str) -> Result<String> {
        let made = self.made.lock().unwrap();
        let found = made.iter().find(|(_, (_, info))| info.id == id);
        let name = found.map(|(name, _)| name.clone());
        name.ok_or_else(|| ApiError::new(404, "ECHO::NOT_FOUND", "there is none").into())
    }
}

#[async_trait]
impl Target for Echo {
    fn info(&self) -> &TargetInfo {
        &self.info
    }

    async fn create(&self, handle: &Handle, request: &CreateSandboxRequest) -> Result<SandboxInfo> {
        let mut info = SandboxInfo {
            id: Uuid::new_v4().to_string(),
            image: request.image.clone(),
            snapshot_id: None,
            platform: None,
            status: SandboxStatus::of(SandboxState::Pending),
            metadata: request.metadata.clone(),
            entrypoint: request.entrypoint.clone().unwrap_or_default(),
            expires_at: None,
            created_at: Timestamp::now(),
        };
        handle.acceptance.accept(info.clone());
        self.gate.acquire().await.unwrap().forget();
        if request.env.contains_key("BREAK") {
            return Err(TargetError::failed("making it", "it broke"));
        }
        info.status = SandboxStatus::of(SandboxState::Running);
        let made = (handle.owner.clone(), info.clone());
        self.made.lock().unwrap().insert(handle.name.clone(), made);
        Ok(info)
    }

    async fn get(&self, id: &str) -> Result<SandboxInfo> {
        let name = self.name(id)?;
        Ok(self.made.lock().unwrap()[&name].1.clone())
    }

    async fn delete(&self, id: &str) -> Result<()> {
        let name = self.name(id)?;
        self.made.lock().unwrap().remove(&name);
        Ok(())
    }

    async fn execd(&self, _: &str) -> Result<Arc<dyn Execd>> {
        Err(TargetError::unsupported("execd"))
    }

    async fn list(&self, query: &ListQuery) -> Result<SandboxPage> {
        let made = self.made.lock().unwrap();
        let all = made.values().map(|(_, info)| info.clone()).collect();
        Ok(SandboxPage::select(all, query))
    }

    async fn forward(
        &self,
        _: &str,
        port: u16,
        request: ForwardRequest,
    ) -> Result<ForwardResponse> {
        let (head, body) = request.into_parts();
        let body = body.collect().await;
        let body = body.map_err(|error| TargetError::failed("reading", error))?;
        let header = |(name, value): (&hyper::header::HeaderName, &hyper::header::HeaderValue)| {
            (name.to_string(), value.to_str().unwrap().to_owned())
        };
        let headers: BTreeMap<_, _> = head.headers.iter().map(header).collect();
        let seen = json!({
            "method": head.method.as_str(), "target": head.uri.to_string(), "port": port,
            "headers": headers, "body": String::from_utf8_lossy(&body.to_bytes()),
        });
        let body = Full::from(seen.to_string()).map_err(|never| match never {});
        let answer = Response::builder()
            .status(418)
            .header("x-answered", "yes")
            .header("connection", "x-hop")
            .header("x-hop", "1")
            .header("keep-alive", "timeout=5")
            .body(Payload::new(body));
        Ok(answer.unwrap())
    }

    async fn remove(&self, run: &RunId, resource: &Resource) -> Result<()> {
        if let Resource::Sandbox(name) = resource {
            let mut made = self.made.lock().unwrap();
            made.retain(|known, (owner, _)| known != name || owner.run != *run);
        }
        Ok(())
    }

    async fn remains(&self, run: Option<&RunId>) -> Result<Vec<(Owner, Resource)>> {
        let made = self.made.lock().unwrap();
        let mine = |owner: &Owner| run.is_none_or(|run| owner.run == *run);
        let left = made.iter().filter(|(_, (owner, _))| mine(owner));
        Ok(left
            .map(|(name, (owner, _))| (owner.clone(), Resource::Sandbox(name.clone())))
            .collect())
    }
}
