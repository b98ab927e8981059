//! One request and its answer, within bounds, and what is to be made of it.

use std::collections::BTreeMap;

use bytes::Bytes;
use http_body_util::{BodyExt, Full};
use hyper::header::{CONTENT_TYPE, HeaderMap, HeaderName, HeaderValue};
use hyper::{Method, Request, StatusCode};
use serde::de::DeserializeOwned;
use serde::{Deserialize, Serialize};
use tokio::time::timeout;

use crate::execd::{Client, ExecdError, Payload};
use crate::sandbox::{ApiAnswer, ApiError, Exchange, LARGEST_ANSWER, STRUCK, patience};
use crate::target::error::is_unreachable;
use crate::target::{Result, TargetError, in_full};

use super::address::Address;
use super::connect::{Connector, advice};

/// The header with the API key.
const API_KEY: HeaderName = HeaderName::from_static("open-sandbox-api-key");

/// The way to a server's lifecycle API.
pub(super) struct Http {
    pub(super) address: Address,
    pub(super) connector: Connector,
    client: Client,
    key: Option<HeaderValue>,
}

/// An answer, whatever its status.
#[derive(Debug)]
pub(super) struct Reply {
    pub(super) status: StatusCode,
    pub(super) headers: HeaderMap,
    pub(super) body: Bytes,
    pub(super) exchange: Exchange,
    key: Option<HeaderValue>,
}

impl Http {
    /// The way to the server at `address`; nothing is sent yet.
    pub(super) fn new(address: Address, key: Option<&str>) -> Result<Self> {
        let connector = match address.is_https {
            true => Connector::encrypted()?,
            false => Connector::plain(),
        };
        let client = client(
            &address,
            &connector,
            &format!("{}{}", address.authority, address.base),
            &BTreeMap::new(),
        )?;
        let secret = |key: &str| {
            let mut value = HeaderValue::try_from(key).map_err(|_| {
                let why = "it has characters that no HTTP header can have";
                TargetError::failed("the API key cannot be sent", why)
            })?;
            value.set_sensitive(true);
            Ok::<_, TargetError>(value)
        };
        Ok(Self {
            client,
            key: key.map(secret).transpose()?,
            address,
            connector,
        })
    }

    /// The execd at `endpoint`, as the server answered it: no scheme, maybe a path.
    pub(super) fn execd(
        &self,
        endpoint: &str,
        headers: &BTreeMap<String, String>,
    ) -> Result<Client> {
        if endpoint.contains("://") {
            return Err(TargetError::Misbehaved {
                what: format!(
                    "the endpoint \"{endpoint}\" has a scheme, where a client puts its own"
                ),
                exchange: None,
            });
        }
        client(&self.address, &self.connector, endpoint, headers)
    }

    /// Sends a request as it is, the key added where `headers` has none.
    pub(super) async fn exchange(
        &self,
        method: Method,
        path: &str,
        mut headers: HeaderMap,
        body: Bytes,
    ) -> Result<Reply> {
        if let Some(key) = self
            .key
            .as_ref()
            .filter(|_| !headers.contains_key(&API_KEY))
        {
            headers.insert(API_KEY, key.clone());
        }
        let patience = patience(method.as_str(), path);
        let place = format!("{}{path}", self.address.base);
        let mut exchange = Exchange::begin(method.as_str(), &place, &body);
        let what = format!("{method} {path}");
        let full = Full::from(body).map_err(|never| match never {});
        let mut request = Request::builder()
            .method(method)
            .uri(path)
            .body(Payload::new(full))
            .map_err(|error| TargetError::failed(format!("{what} is no request"), error))?;
        *request.headers_mut() = headers;
        let told = timeout(patience, self.told(request, &mut exchange)).await;
        let why = match told {
            Ok(Ok((status, headers, body))) => {
                self.strike(&mut exchange);
                return Ok(Reply {
                    status,
                    headers,
                    body,
                    exchange,
                    key: self.key.clone(),
                });
            }
            Ok(Err(ExecdError::Transport { source, .. })) if is_unreachable(source.as_ref()) => {
                return Err(TargetError::Unreachable {
                    target: format!("the server at {}", self.address),
                    reason: format!("{}; {}", in_full(source.as_ref()), advice(source.as_ref())),
                });
            }
            Ok(Err(ExecdError::Transport { source, .. })) => in_full(source.as_ref()),
            Ok(Err(other)) => return Err(other.into()),
            Err(_) => format!("nothing came within {} s", patience.as_secs()),
        };
        exchange.broken(&why);
        self.strike(&mut exchange);
        Err(TargetError::Misbehaved {
            what: format!("the server did not answer {what}: {why}"),
            exchange: Some(exchange),
        })
    }

    /// Strikes the key out, in case that the server repeats it.
    fn strike(&self, exchange: &mut Exchange) {
        let lines = exchange.0.iter_mut();
        lines.for_each(|line| *line = struck(self.key.as_ref(), std::mem::take(line)));
    }

    async fn told(
        &self,
        request: Request<Payload>,
        exchange: &mut Exchange,
    ) -> Result<(StatusCode, HeaderMap, Bytes), ExecdError> {
        let answer = self.client.forward(request).await?;
        let (head, body) = answer.into_parts();
        let kind = head
            .headers
            .get(CONTENT_TYPE)
            .and_then(|kind| kind.to_str().ok());
        exchange.status(head.status, kind);
        let body = whole(body).await?;
        exchange.body(&body);
        Ok((head.status, head.headers, body))
    }

    /// Sends a request with a body of JSON, or none.
    pub(super) async fn send<B: Serialize>(
        &self,
        method: Method,
        path: &str,
        body: Option<&B>,
    ) -> Result<Reply> {
        let mut headers = HeaderMap::new();
        let mut bytes = Vec::new();
        if let Some(body) = body {
            headers.insert(CONTENT_TYPE, HeaderValue::from_static("application/json"));
            bytes = serde_json::to_vec(body)
                .map_err(|error| TargetError::failed(format!("writing {method} {path}"), error))?;
        }
        self.exchange(method, path, headers, bytes.into())
            .await?
            .success()
    }

    /// As [`Http::send`], without a body.
    pub(super) async fn ask(&self, method: Method, path: &str) -> Result<Reply> {
        self.send(method, path, None::<&()>).await
    }
}

/// `text` without the key.
fn struck(key: Option<&HeaderValue>, text: String) -> String {
    match key.and_then(|key| key.to_str().ok()) {
        Some(key) => text.replace(key, STRUCK),
        None => text,
    }
}

/// A body to its end, if that comes soon enough.
async fn whole(mut body: Payload) -> Result<Bytes, ExecdError> {
    let context = "reading the answer";
    let mut bytes = Vec::new();
    while let Some(frame) = body.frame().await {
        let frame = frame.map_err(|source| ExecdError::Transport {
            context: context.into(),
            source,
        })?;
        if let Ok(data) = frame.into_data() {
            bytes.extend_from_slice(&data);
        }
        if bytes.len() > LARGEST_ANSWER {
            let what = format!("it is longer than {} MiB", LARGEST_ANSWER >> 20);
            return Err(ExecdError::transport(context, what));
        }
    }
    Ok(bytes.into())
}

fn client(
    address: &Address,
    connector: &Connector,
    place: &str,
    headers: &BTreeMap<String, String>,
) -> Result<Client> {
    let (host, port) = address.host_and_port(place.split('/').next().unwrap_or_default());
    let connector = connector.clone();
    let connect = move || {
        let (connector, host) = (connector.clone(), host.clone());
        async move { connector.connect(&host, port).await }
    };
    // Whether the connection is encrypted is the connector's business alone.
    Ok(Client::with(&format!("http://{place}"), headers, connect)?)
}

/// The error envelope, as far as there is one.
#[derive(Deserialize)]
struct Envelope {
    code: String,
    message: String,
}

impl Reply {
    /// The answer where it is a success, else the error that it tells.
    fn success(self) -> Result<Self> {
        if self.status.is_success() {
            return Ok(self);
        }
        let envelope = serde_json::from_slice::<Envelope>(&self.body);
        let (code, message) = match envelope {
            Ok(envelope) => (envelope.code, envelope.message),
            // No code: whoever expects one learns that there is none.
            Err(_) => {
                let text = String::from_utf8_lossy(&self.body)
                    .chars()
                    .take(500)
                    .collect();
                (String::new(), text)
            }
        };
        // A server may repeat the key that it does not like.
        let [code, message] = [code, message].map(|text| struck(self.key.as_ref(), text));
        Err(ApiError {
            exchange: Some(self.exchange),
            ..ApiError::new(self.status.as_u16(), code, message)
        }
        .into())
    }

    /// The answer as a scenario may see it: without the key, which a server may repeat.
    pub(super) fn answer(self) -> ApiAnswer {
        let strike = |text: String| struck(self.key.as_ref(), text);
        let header = |(name, value): (&HeaderName, &HeaderValue)| {
            let value = String::from_utf8_lossy(value.as_bytes()).into_owned();
            (name.as_str().to_owned(), strike(value))
        };
        let body = match String::from_utf8(self.body.to_vec()) {
            Ok(text) => strike(text).into_bytes(),
            Err(bytes) => bytes.into_bytes(),
        };
        ApiAnswer {
            status: self.status.as_u16(),
            headers: self.headers.iter().map(header).collect(),
            body,
            exchange: Some(self.exchange),
        }
    }

    /// The answer's body as the schema has it.
    pub(super) fn json<T: DeserializeOwned>(self) -> Result<T> {
        let mut reader = serde_json::Deserializer::from_slice(&self.body);
        let read = serde_path_to_error::deserialize(&mut reader).map_err(|error| {
            let path = error.path().to_string();
            let place = if path == "." {
                String::new()
            } else {
                format!(" at {path}")
            };
            self.wrong(format!(
                "is not what the specification has{place}: {}",
                error.inner()
            ))
        })?;
        match reader.end() {
            Ok(()) => Ok(read),
            Err(error) => Err(self.wrong(format!("is not what the specification has: {error}"))),
        }
    }

    /// The error that the answer `is` wrong in some way.
    pub(super) fn wrong(&self, is: String) -> TargetError {
        TargetError::Misbehaved {
            what: format!(
                "the answer {} {}",
                self.status.as_u16(),
                struck(self.key.as_ref(), is)
            ),
            exchange: Some(self.exchange.clone()),
        }
    }
}
