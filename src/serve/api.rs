//! What the lifecycle API does, whoever asks.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use tokio::sync::oneshot;

use crate::sandbox::{
    ApiAnswer, ApiError, ApiRequest, CreateSandboxRequest, ListQuery, SandboxInfo, SandboxPage,
};
use crate::target::{Resource, Scope, Target, TargetError};

use super::nursery::Nursery;
use super::refusal::Refusal;
use super::router;

/// The lifecycle API in front of a target. What it makes belongs to one [`Scope`], and is recorded
/// there before it is made.
pub struct Api {
    pub(super) target: Arc<dyn Target>,
    scope: Arc<Scope>,
    nursery: Nursery,
    /// Names of the sandboxes that were made here, by their ids.
    names: Mutex<HashMap<String, String>>,
}

impl std::fmt::Debug for Api {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Api").finish_non_exhaustive()
    }
}

impl Api {
    /// The API of `target`; what is made belongs to `scope`.
    pub fn new(target: Arc<dyn Target>, scope: Arc<Scope>) -> Self {
        Self {
            target,
            scope,
            nursery: Nursery::default(),
            names: Mutex::default(),
        }
    }

    /// Answers a request as a server would, without a network.
    ///
    /// # Errors
    /// When the request is none that HTTP could carry.
    pub async fn answer(self: &Arc<Self>, request: &ApiRequest) -> Result<ApiAnswer, TargetError> {
        router::answer(router::private(Arc::clone(self)), request).await
    }

    /// Accepts a sandbox; answers it as it is then.
    pub(super) async fn create(
        self: &Arc<Self>,
        request: CreateSandboxRequest,
    ) -> Result<SandboxInfo, Refusal> {
        // Nothing is recorded for a request that no target would accept.
        request.validate()?;
        for pvc in request
            .volumes
            .iter()
            .flatten()
            .filter_map(|volume| volume.pvc.as_ref())
        {
            self.scope
                .record(Resource::Volume(pvc.claim_name.clone()))?;
        }
        let handle = self.scope.reserve_sandbox()?;
        let resource = Resource::Sandbox(handle.name.clone());
        let (tell, told) = oneshot::channel();
        let api = Arc::clone(self);
        // A task of its own: a client that goes away does not stop it halfway.
        let is_begun = self.scope.spawn(async move {
            let acceptance = handle.acceptance.clone();
            let mut creation = std::pin::pin!(api.target.create(&handle, &request));
            let early = tokio::select! {
                biased;
                ended = &mut creation => Err(ended),
                info = acceptance.accepted() => Ok(info),
            };
            // Whoever asked may have gone.
            match early {
                Err(Ok(info)) => {
                    api.names().insert(info.id.clone(), handle.name.clone());
                    let _ = tell.send(Ok(info));
                }
                Err(Err(error)) => {
                    api.scope.release(&Resource::Sandbox(handle.name.clone()));
                    let _ = tell.send(Err(error));
                }
                Ok(info) => {
                    let id = info.id.clone();
                    api.names().insert(id.clone(), handle.name.clone());
                    api.nursery.admit(info.clone());
                    let _ = tell.send(Ok(info));
                    match creation.await {
                        Ok(_) => api.nursery.born(&id),
                        Err(error) => api.nursery.failed(&id, &error),
                    }
                }
            }
        });
        if !is_begun {
            self.scope.release(&resource);
            let message = "the server ends and makes no sandbox any more";
            return Err(ApiError::new(503, "GENERAL::UNAVAILABLE", message).into());
        }
        let lost = |error| TargetError::failed("the creation was lost", error);
        Ok(told.await.map_err(lost)??)
    }

    /// The sandbox as it is now.
    pub(super) async fn get(&self, id: &str) -> Result<SandboxInfo, Refusal> {
        match self.nursery.get(id) {
            Some(info) => Ok(info),
            None => Ok(self.target.get(id).await?),
        }
    }

    /// A page of all sandboxes, those that do not run yet among them.
    pub(super) async fn list(&self, query: &ListQuery) -> Result<SandboxPage, Refusal> {
        let everything = ListQuery {
            page_size: u32::MAX,
            ..ListQuery::default()
        };
        let young = self.nursery.all();
        let mut all = self.target.list(&everything).await?.items;
        all.retain(|info| young.iter().all(|other| other.id != info.id));
        all.extend(young);
        Ok(SandboxPage::select(all, query))
    }

    /// Removes a sandbox; one that is being made is awaited first.
    pub(super) async fn delete(&self, id: &str) -> Result<(), Refusal> {
        if self.nursery.settled(id).await.is_none() {
            let (target, gone) = (Arc::clone(&self.target), id.to_owned());
            self.completing(async move { target.delete(&gone).await })
                .await?;
        } else if !self.nursery.discard(id) {
            // Somebody else was faster.
            return Err(TargetError::from(not_found(id)).into());
        }
        let name = self.names().remove(id);
        if let Some(name) = name {
            self.scope.release(&Resource::Sandbox(name));
        }
        Ok(())
    }

    /// Waits until something can be done to the sandbox.
    ///
    /// # Errors
    /// 409 where it could not be made.
    pub(super) async fn running(&self, id: &str) -> Result<(), Refusal> {
        match self.nursery.settled(id).await {
            None => Ok(()),
            Some(info) => {
                let message = format!("the sandbox is {}", info.status.state);
                let error = ApiError::new(409, "DOCKER::SANDBOX_NOT_RUNNING", message);
                Err(error.into())
            }
        }
    }

    /// Pauses a sandbox that runs.
    pub(super) async fn pause(&self, id: &str) -> Result<(), Refusal> {
        self.running(id).await?;
        let (target, id) = (Arc::clone(&self.target), id.to_owned());
        self.completing(async move { target.pause(&id).await })
            .await
    }

    /// Resumes a sandbox that is paused.
    pub(super) async fn resume(&self, id: &str) -> Result<(), Refusal> {
        self.running(id).await?;
        let (target, id) = (Arc::clone(&self.target), id.to_owned());
        self.completing(async move { target.resume(&id).await })
            .await
    }

    /// Does something to a sandbox to its end, also when the client goes away halfway.
    async fn completing(
        &self,
        change: impl Future<Output = Result<(), TargetError>> + Send + 'static,
    ) -> Result<(), Refusal> {
        Ok(self.scope.completing(change).await?)
    }

    fn names(&self) -> MutexGuard<'_, HashMap<String, String>> {
        self.names.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

fn not_found(id: &str) -> ApiError {
    let message = format!("there is no sandbox \"{id}\"");
    ApiError::new(404, "DOCKER::SANDBOX_NOT_FOUND", message)
}
