//! A request before it is sent.

use bytes::Bytes;
use http_body_util::{BodyExt, Full};
use hyper::header::{CONTENT_TYPE, HeaderMap, HeaderName, HeaderValue};
use hyper::{Method, Request};
use serde::Serialize;

use super::forward::{ForwardRequest, Payload};
use crate::execd::api::ExecdError;

/// One request; its path and query are encoded.
#[derive(Debug)]
pub(super) struct Call {
    pub(super) method: Method,
    /// Path and query, from the root of execd.
    pub(super) target: String,
    pub(super) headers: HeaderMap,
    pub(super) body: Bytes,
}

impl Call {
    /// A request for `path`, which needs no encoding; see [`segment`].
    pub(super) fn new(method: Method, path: impl Into<String>) -> Self {
        Self {
            method,
            target: path.into(),
            headers: HeaderMap::new(),
            body: Bytes::new(),
        }
    }

    pub(super) fn get(path: impl Into<String>) -> Self {
        Self::new(Method::GET, path)
    }

    pub(super) fn post(path: impl Into<String>) -> Self {
        Self::new(Method::POST, path)
    }

    pub(super) fn delete(path: impl Into<String>) -> Self {
        Self::new(Method::DELETE, path)
    }

    /// Adds a query parameter; it may be there several times.
    pub(super) fn query(mut self, name: &str, value: &str) -> Self {
        self.target.push(match self.target.contains('?') {
            true => '&',
            false => '?',
        });
        self.target.push_str(name);
        self.target.push('=');
        self.target.push_str(&segment(value));
        self
    }

    /// Adds a query parameter for each of `values`.
    pub(super) fn queries(self, name: &str, values: &[&str]) -> Self {
        let add = |call: Self, value: &&str| call.query(name, value);
        values.iter().fold(self, add)
    }

    /// Adds a query parameter where there is a value.
    pub(super) fn maybe(self, name: &str, value: Option<impl ToString>) -> Self {
        match value {
            Some(value) => self.query(name, &value.to_string()),
            None => self,
        }
    }

    /// Adds a header whose value is known to be one.
    pub(super) fn header(mut self, name: HeaderName, value: HeaderValue) -> Self {
        self.headers.insert(name, value);
        self
    }

    /// The request as it is sent.
    pub(super) fn into_request(self) -> Result<ForwardRequest, hyper::http::Error> {
        let body = Full::from(self.body).map_err(|never| match never {});
        let mut request = Request::builder()
            .method(self.method)
            .uri(self.target)
            .body(Payload::new(body))?;
        *request.headers_mut() = self.headers;
        Ok(request)
    }

    /// Sets the body.
    pub(super) fn body(mut self, content_type: HeaderValue, body: Bytes) -> Self {
        self.body = body;
        self.header(CONTENT_TYPE, content_type)
    }

    /// Sets a body of JSON.
    pub(super) fn json<T: Serialize + ?Sized>(self, value: &T) -> Result<Self, ExecdError> {
        let body = serde_json::to_vec(value).map_err(|error| {
            ExecdError::transport(format!("writing {} {}", self.method, self.target), error)
        })?;
        let json = HeaderValue::from_static("application/json");
        Ok(self.body(json, body.into()))
    }
}

/// `value` as a query's value, or as one segment of a path.
pub(super) fn segment(value: &str) -> String {
    // A form's space is a plus, which is a space in no path and not in every query.
    let mut encoded = String::with_capacity(value.len());
    for piece in form_urlencoded::byte_serialize(value.as_bytes()) {
        encoded.push_str(if piece == "+" { "%20" } else { piece });
    }
    encoded
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn queries_are_encoded() {
        let call = Call::get("/files/info").queries("path", &["/a b", "/å&c=+%?#\n\"'"]);
        assert_eq!(
            call.target,
            "/files/info?path=%2Fa%20b&path=%2F%C3%A5%26c%3D%2B%25%3F%23%0A%22%27"
        );
        let read = form_urlencoded::parse(b"path=%2F%C3%A5%26c%3D%2B%25%3F%23%0A%22%27");
        assert_eq!(read.last().expect("a pair").1, "/å&c=+%?#\n\"'");
        assert_eq!(Call::get("/x").maybe("depth", None::<u32>).target, "/x");
        assert_eq!(Call::get("/x").maybe("depth", Some(3)).target, "/x?depth=3");
    }

    #[test]
    fn a_segment_stays_one() {
        assert_eq!(segment("a/../b c+"), "a%2F..%2Fb%20c%2B");
    }
}
