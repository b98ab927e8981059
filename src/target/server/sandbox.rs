//! Sandboxes of a server: made, awaited, removed.

use std::collections::{BTreeMap, HashMap, HashSet};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use async_trait::async_trait;
use hyper::Method;
use tokio::time::{Instant, sleep};

use crate::execd::Client;
use crate::sandbox::{
    CreateSandboxRequest, Endpoint, ListQuery, SandboxInfo, SandboxPage, SandboxState,
};
use crate::target::reach::{EXECD_PORT, Lookup};
use crate::target::{Handle, Owner, READY, Resource, Result, RunId, TargetError};

use super::http::{Http, Reply};
use super::mark;

/// Shortest pause between two looks at something that is awaited.
const SHORTEST_PAUSE: Duration = Duration::from_millis(4);

/// Longest pause between two looks.
const LONGEST_PAUSE: Duration = Duration::from_millis(150);

/// How long a sandbox may take to pause, resume or go.
const CHANGE: Duration = Duration::from_secs(30);

/// How long execd may take to answer once its sandbox runs: what the clients' libraries wait.
const EXECD: Duration = Duration::from_secs(30);

/// How long one `/ping` may take.
const PING: Duration = Duration::from_secs(2);

/// How often a removal is tried, where the server fails to do it.
const REMOVALS: u32 = 10;

/// Time for a server to recover, or to start anew, between two of them.
const RECOVERY: Duration = Duration::from_millis(300);

/// Entries of a page where all pages are read.
const PAGE: u32 = 100;

/// Most pages that are read.
const PAGES: u32 = 200;

/// A server, and what this run has on it.
pub(super) struct Server {
    pub(super) http: Http,
    /// Whether sandboxes are reached through the server's proxy.
    proxy: bool,
    state: Mutex<State>,
}

#[derive(Default)]
struct State {
    /// Ids of the sandboxes that were made here, by their names; `None` once they are gone.
    ids: HashMap<String, Option<String>>,
    /// Sandboxes that were paused here.
    paused: HashSet<String>,
    /// Ways to sandboxes' execds.
    clients: HashMap<String, Client>,
}

impl std::fmt::Debug for Server {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Server")
            .field("address", &self.http.address)
            .finish_non_exhaustive()
    }
}

/// Pauses between looks at something that is awaited, until its time is over. Each is a tenth of
/// the time so far: little is lost when it comes soon, and little asked when it comes late.
struct Patience {
    begun: Instant,
    limit: Duration,
}

impl Patience {
    fn new(limit: Duration) -> Self {
        Self {
            begun: Instant::now(),
            limit,
        }
    }

    /// Pauses; `false` when the time is over.
    async fn pause(&self) -> bool {
        let pause = (self.begun.elapsed() / 10).clamp(SHORTEST_PAUSE, LONGEST_PAUSE);
        if self.begun.elapsed() + pause > self.limit {
            return false;
        }
        sleep(pause).await;
        true
    }
}

/// `text` as one segment of a path.
pub(super) fn segment(text: &str) -> String {
    form_urlencoded::byte_serialize(text.as_bytes())
        .collect::<String>()
        .replace('+', "%20")
}

/// The path of a sandbox.
pub(super) fn path(id: &str) -> String {
    format!("/sandboxes/{}", segment(id))
}

impl Server {
    pub(super) fn new(http: Http, proxy: bool) -> Self {
        Self {
            http,
            proxy,
            state: Mutex::default(),
        }
    }

    /// Finds out whether the server is there, is one, and lets us in.
    pub(super) async fn greet(&self) -> Result<()> {
        let list = self
            .http
            .ask(Method::GET, "/sandboxes?page=1&pageSize=1")
            .await;
        // Whether the list is right in every part is for scenarios to say.
        let list = list.and_then(Reply::json::<serde_json::Map<String, serde_json::Value>>);
        let Err(error) = list else {
            return Ok(());
        };
        let reason = match &error {
            TargetError::Api(error) if matches!(error.status, 401 | 403) => {
                format!("it does not let us in ({error}): set SANDBOX_API_KEY to its API key")
            }
            TargetError::Api(error) => format!(
                "GET {}/sandboxes answers {error}: is this an OpenSandbox server?",
                self.http.address
            ),
            TargetError::Misbehaved { what, exchange } => {
                let shown = exchange
                    .as_ref()
                    .map_or_else(String::new, |e| format!("\n{e}\n"));
                format!("{what}{shown}: is this an OpenSandbox server?")
            }
            _ => return Err(error),
        };
        Err(TargetError::Unreachable {
            target: format!("the server at {}", self.http.address),
            reason,
        })
    }

    /// Makes a sandbox and waits until it runs and its execd answers.
    pub(super) async fn create(
        server: &Arc<Self>,
        handle: &Handle,
        request: &CreateSandboxRequest,
    ) -> Result<SandboxInfo> {
        let mut request = request.clone();
        mark::put(handle, &mut request.metadata);
        let reply = server
            .http
            .send(Method::POST, "/sandboxes", Some(&request))
            .await?;
        let created: SandboxInfo = reply.json()?;
        let id = created.id.clone();
        server
            .lock()
            .ids
            .insert(handle.name.clone(), Some(id.clone()));
        handle.acceptance.accept(mark::hide(created.clone()));
        let running = match created.status.state {
            SandboxState::Running => created,
            _ => {
                server
                    .reach_state(&id, &SandboxState::Running, READY)
                    .await?
            }
        };
        server.reach_execd(&id).await?;
        Ok(mark::hide(running))
    }

    /// Waits until the sandbox is in the state `want`.
    async fn reach_state(
        &self,
        id: &str,
        want: &SandboxState,
        limit: Duration,
    ) -> Result<SandboxInfo> {
        let patience = Patience::new(limit);
        loop {
            let reply = self.http.ask(Method::GET, &path(id)).await?;
            let wrong = |what: String| reply.wrong(what);
            let state = |info: &SandboxInfo| {
                let status = &info.status;
                let why = [&status.reason, &status.message];
                let why: Vec<_> = why.into_iter().flatten().map(String::as_str).collect();
                format!("{} ({})", status.state, why.join(": "))
            };
            let info: SandboxInfo = serde_json::from_slice(&reply.body)
                .map_err(|error| wrong(format!("is not what the specification has: {error}")))?;
            let current = &info.status.state;
            if current == want {
                return Ok(info);
            }
            let has_ended = matches!(current, SandboxState::Failed | SandboxState::Terminated);
            if has_ended {
                return Err(wrong(format!("says that the sandbox is {}", state(&info))));
            }
            if !patience.pause().await {
                let seconds = limit.as_secs();
                return Err(wrong(format!(
                    "says that the sandbox is {} still, not {want}, after {seconds} s",
                    state(&info)
                )));
            }
        }
    }

    /// Waits until the sandbox's execd answers, and remembers the way to it.
    async fn reach_execd(&self, id: &str) -> Result<Client> {
        let endpoint = self.endpoint(id, EXECD_PORT).await?;
        let headers = endpoint.headers.unwrap_or_default();
        let client = self.http.execd(&endpoint.endpoint, &headers)?;
        let patience = Patience::new(EXECD);
        loop {
            let why = match tokio::time::timeout(PING, client.ping()).await {
                Ok(Ok(())) => break,
                // The first one after a start is now and then cut off.
                Ok(Err(error)) => crate::target::in_full(&error),
                Err(_) => format!("no answer within {} s", PING.as_secs()),
            };
            if !patience.pause().await {
                let (at, seconds) = (&endpoint.endpoint, EXECD.as_secs());
                return Err(TargetError::Misbehaved {
                    what: format!("execd did not answer /ping at {at} within {seconds} s: {why}"),
                    exchange: None,
                });
            }
        }
        self.lock().clients.insert(id.into(), client.clone());
        Ok(client)
    }

    /// The way to the sandbox's execd.
    pub(super) async fn client(&self, id: &str) -> Result<Client> {
        let known = self.lock().clients.get(id).cloned();
        match known {
            Some(client) => Ok(client),
            None => self.reach_execd(id).await,
        }
    }

    pub(super) async fn endpoint(&self, id: &str, port: u16) -> Result<Endpoint> {
        let query = if self.proxy {
            "?use_server_proxy=true"
        } else {
            ""
        };
        let path = format!("{}/endpoints/{port}{query}", path(id));
        self.http.ask(Method::GET, &path).await?.json()
    }

    pub(super) async fn get(&self, id: &str) -> Result<SandboxInfo> {
        self.http
            .ask(Method::GET, &path(id))
            .await?
            .json()
            .map(mark::hide)
    }

    pub(super) async fn list(&self, query: &ListQuery) -> Result<SandboxPage> {
        let mut page = self.page(query).await?;
        page.items = page.items.into_iter().map(mark::hide).collect();
        Ok(page)
    }

    async fn page(&self, query: &ListQuery) -> Result<SandboxPage> {
        let path = listing(query);
        self.http.ask(Method::GET, &path).await?.json()
    }

    /// Every sandbox with this metadata, each once.
    async fn all(&self, metadata: BTreeMap<String, String>) -> Result<Vec<SandboxInfo>> {
        let mut query = ListQuery {
            metadata,
            page_size: PAGE,
            ..ListQuery::default()
        };
        let (mut all, mut known) = (Vec::new(), HashSet::new());
        while query.page <= PAGES {
            let mut page = self.page(&query).await?;
            page.items.retain(|info| known.insert(info.id.clone()));
            // A server that has nothing new has no other page, whatever it says.
            let is_last = page.items.is_empty() || !page.pagination.has_next_page;
            all.extend(page.items);
            if is_last {
                return Ok(all);
            }
            query.page += 1;
        }
        Err(TargetError::Misbehaved {
            what: format!("the list of sandboxes has more than {PAGES} pages"),
            exchange: None,
        })
    }

    pub(super) async fn pause(&self, id: &str) -> Result<()> {
        self.http
            .ask(Method::POST, &format!("{}/pause", path(id)))
            .await?;
        self.reach_state(id, &SandboxState::Paused, CHANGE).await?;
        self.lock().paused.insert(id.into());
        Ok(())
    }

    pub(super) async fn resume(server: &Arc<Self>, id: &str) -> Result<()> {
        server
            .http
            .ask(Method::POST, &format!("{}/resume", path(id)))
            .await?;
        server
            .reach_state(id, &SandboxState::Running, CHANGE)
            .await?;
        {
            let mut state = server.lock();
            state.paused.remove(id);
            // It may be elsewhere now.
            state.clients.remove(id);
        }
        server.reach_execd(id).await.map(drop)
    }

    /// Removes a sandbox and waits until it is gone.
    pub(super) async fn delete(&self, id: &str) -> Result<()> {
        self.http.ask(Method::DELETE, &path(id)).await?;
        let patience = Patience::new(CHANGE);
        loop {
            match self.http.ask(Method::GET, &path(id)).await {
                Err(TargetError::Api(error)) if matches!(error.status, 400 | 404 | 410) => break,
                Err(error) => return Err(error),
                Ok(reply) => {
                    let info: SandboxInfo =
                        serde_json::from_slice(&reply.body).map_err(|error| {
                            reply.wrong(format!("is not what the specification has: {error}"))
                        })?;
                    if info.status.state == SandboxState::Terminated {
                        break;
                    }
                    if !patience.pause().await {
                        let (state, seconds) = (info.status.state, CHANGE.as_secs());
                        let what = format!(
                            "says that the deleted sandbox is {state} still after {seconds} s"
                        );
                        return Err(reply.wrong(what));
                    }
                }
            }
        }
        let mut state = self.lock();
        state.clients.remove(id);
        state.paused.remove(id);
        for known in state
            .ids
            .values_mut()
            .filter(|known| known.as_deref() == Some(id))
        {
            *known = None;
        }
        Ok(())
    }

    /// Removes the sandbox that `run` called `name`, or that has this id. One that is gone, or was
    /// never made, is fine.
    pub(super) async fn remove(&self, run: &RunId, name: &str) -> Result<()> {
        let known = self.lock().ids.remove(name);
        let ids = match known {
            Some(None) => return Ok(()),
            Some(Some(id)) => vec![id],
            // A server may have made it without telling us.
            None if name.starts_with(&format!("osb-{run}-")) => {
                let found = self.all(BTreeMap::from([mark::named(name)])).await?;
                // Looked at here, too: a server that ignores filters answers everybody's.
                let is_it = |info: &SandboxInfo| {
                    let mark = mark::read(info);
                    mark.is_some_and(|(owner, known)| owner.run == *run && known == name)
                };
                found
                    .into_iter()
                    .filter(|info| is_there(info) && is_it(info))
                    .map(|info| info.id)
                    .collect()
            }
            None => vec![name.to_owned()],
        };
        for id in ids {
            self.remove_one(&id).await?;
        }
        Ok(())
    }

    async fn remove_one(&self, id: &str) -> Result<()> {
        let begun = Instant::now();
        let mut tries = 0;
        loop {
            tries += 1;
            let error = match self.delete(id).await {
                Ok(()) => return Ok(()),
                Err(error) if is_gone(&error) => return Ok(()),
                Err(error) => error,
            };
            let is_final = error
                .api()
                .is_some_and(|e| e.status < 500 && e.status != 409);
            // A server that starts anew, or fails now and then, may do it in a moment. One that
            // has had all of its time will not.
            if is_final || tries == REMOVALS || begun.elapsed() > CHANGE {
                return Err(error);
            }
            sleep(RECOVERY).await;
        }
    }

    /// Sandboxes that carry the mark of `run`, or of any run.
    pub(super) async fn remains(&self, run: Option<&RunId>) -> Result<Vec<(Owner, Resource)>> {
        let wanted = run.map(mark::of).into_iter().collect();
        let all = self.all(wanted).await?;
        let marked = all
            .iter()
            .filter(|info| is_there(info))
            .filter_map(mark::read);
        Ok(marked
            .filter(|(owner, _)| run.is_none_or(|run| owner.run == *run))
            .map(|(owner, name)| (owner, Resource::Sandbox(name)))
            .collect())
    }

    fn lock(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

#[async_trait]
impl Lookup for Server {
    async fn look_up(&self, id: &str) -> Result<SandboxInfo> {
        self.get(id).await
    }

    fn is_paused(&self, id: &str) -> bool {
        self.lock().paused.contains(id)
    }
}

fn is_gone(error: &TargetError) -> bool {
    error.api().is_some_and(|error| error.status == 404)
}

/// Whether a sandbox that is listed is more than a memory of one.
fn is_there(info: &SandboxInfo) -> bool {
    info.status.state != SandboxState::Terminated
}

/// Path and query of a list.
fn listing(query: &ListQuery) -> String {
    let mut pairs = form_urlencoded::Serializer::new(String::new());
    for state in &query.state {
        pairs.append_pair("state", state);
    }
    if !query.metadata.is_empty() {
        // Encoded as a whole once more.
        let metadata = form_urlencoded::Serializer::new(String::new())
            .extend_pairs(&query.metadata)
            .finish();
        pairs.append_pair("metadata", &metadata);
    }
    pairs.append_pair("page", &query.page.to_string());
    pairs.append_pair("pageSize", &query.page_size.to_string());
    format!("/sandboxes?{}", pairs.finish())
}
