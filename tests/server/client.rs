//! Requests as they go over the wire.

use std::net::SocketAddr;
use std::time::Duration;

use bytes::Bytes;
use http_body_util::{BodyExt, Full};
use hyper::header::{HeaderMap, HeaderName, HeaderValue};
use hyper::{Request, Response};
use osb_conformance::execd::{Client, ExecdError, Payload};
use serde_json::Value;
use tokio::net::TcpStream;

/// No answer takes longer.
const PATIENCE: Duration = Duration::from_secs(60);

/// A client without manners of its own.
pub struct Http {
    client: Client,
    headers: HeaderMap,
}

/// An answer, read to its end.
#[derive(Debug)]
pub struct Answer {
    pub status: u16,
    pub headers: HeaderMap,
    pub body: Bytes,
}

impl Http {
    pub fn at(address: SocketAddr) -> Self {
        Self::called(address, &address.to_string())
    }

    /// Connects to `address`, and calls it `host`.
    pub fn called(address: SocketAddr, host: &str) -> Self {
        let connect = move || TcpStream::connect(address);
        let client = Client::with(&format!("http://{host}"), &[].into(), connect);
        Self {
            client: client.unwrap(),
            headers: HeaderMap::new(),
        }
    }

    /// With a header in every request.
    pub fn with(mut self, name: &str, value: &str) -> Self {
        let name: HeaderName = name.parse().unwrap();
        self.headers.append(name, value.parse().unwrap());
        self
    }

    /// Sends a request, and answers once the head of its answer is there.
    pub async fn open(
        &self,
        method: &str,
        path: &str,
        headers: &[(&str, &str)],
        body: impl Into<Bytes>,
    ) -> Result<Response<Payload>, ExecdError> {
        let body = Full::from(body.into()).map_err(|never| match never {});
        let mut request = Request::builder().method(method).uri(path);
        for (name, value) in headers {
            request = request.header(*name, *value);
        }
        let mut request = request.body(Payload::new(body)).unwrap();
        for (name, value) in &self.headers {
            request.headers_mut().append(name, value.clone());
        }
        let sent = self.client.forward(request);
        tokio::time::timeout(PATIENCE, sent).await.unwrap()
    }

    pub async fn send(
        &self,
        method: &str,
        path: &str,
        headers: &[(&str, &str)],
        body: impl Into<Bytes>,
    ) -> Answer {
        let answer = self.open(method, path, headers, body).await.unwrap();
        let (head, body) = answer.into_parts();
        let body = tokio::time::timeout(PATIENCE, body.collect()).await;
        Answer {
            status: head.status.as_u16(),
            headers: head.headers,
            body: body.unwrap().unwrap().to_bytes(),
        }
    }

    pub async fn get(&self, path: &str) -> Answer {
        self.send("GET", path, &[], "").await
    }

    pub async fn delete(&self, path: &str) -> Answer {
        self.send("DELETE", path, &[], "").await
    }

    pub async fn post(&self, path: &str, body: Value) -> Answer {
        self.json("POST", path, body).await
    }

    pub async fn json(&self, method: &str, path: &str, body: Value) -> Answer {
        let kind = [("content-type", "application/json")];
        self.send(method, path, &kind, body.to_string()).await
    }
}

impl Answer {
    pub fn text(&self) -> String {
        String::from_utf8_lossy(&self.body).into_owned()
    }

    pub fn json(&self) -> Value {
        serde_json::from_slice(&self.body).unwrap_or_else(|error| {
            let text = self.text();
            panic!("{} {text:?}: {error}", self.status)
        })
    }

    pub fn header(&self, name: &str) -> Option<&str> {
        self.headers.get(name).map(HeaderValue::to_str)?.ok()
    }

    /// Checks that this is a refusal in the error envelope: a code and a message, and nothing else.
    /// Answers the message.
    pub fn refused(&self, status: u16, code: &str) -> String {
        assert_eq!(self.status, status, "{}", self.text());
        assert_eq!(self.header("content-type"), Some("application/json"));
        assert!(self.header("x-request-id").is_some_and(|id| !id.is_empty()));
        let envelope = self.json();
        let members: Vec<_> = envelope.as_object().unwrap().keys().collect();
        assert_eq!(members, ["code", "message"], "{envelope}");
        assert_eq!(envelope["code"], code, "{envelope}");
        let message = envelope["message"].as_str().unwrap();
        assert!(!message.is_empty());
        message.to_owned()
    }
}
