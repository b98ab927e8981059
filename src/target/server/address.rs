//! Where a server is.

use std::fmt;

use hyper::Uri;

use crate::target::TargetError;

/// What the paths of the API begin with where an address has no path of its own
/// (`specs/sandbox-lifecycle.yml`, servers).
const BASE: &str = "/v1";

/// A server's address.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Address {
    pub(super) is_https: bool,
    /// `host[:port]`.
    pub(super) authority: String,
    /// What every path begins with: `/v1`.
    pub(super) base: String,
}

impl Address {
    /// Reads `http://HOST:PORT`, with a path where the API is elsewhere than below `/v1`.
    pub(super) fn parse(text: &str) -> Result<Self, TargetError> {
        let refused = |why: String| {
            TargetError::Impossible(format!(
                "\"{text}\" is no server's address: {why}; it takes http://HOST:PORT or \
                 https://HOST:PORT"
            ))
        };
        let uri: Uri = text
            .parse()
            .map_err(|error: hyper::http::uri::InvalidUri| refused(error.to_string()))?;
        let is_https = match uri.scheme_str() {
            Some("http") => false,
            Some("https") => true,
            _ => {
                return Err(refused(
                    "it begins with neither http:// nor https://".into(),
                ));
            }
        };
        let authority = uri
            .authority()
            .map(|authority| authority.as_str().to_owned());
        let Some(authority) = authority.filter(|authority| !authority.contains('@')) else {
            return Err(refused(
                "it has no host, or more than a host and a port".into(),
            ));
        };
        if uri.query().is_some() {
            return Err(refused("it has a query".into()));
        }
        let base = match uri.path().trim_end_matches('/') {
            "" => BASE.to_owned(),
            path => path.to_owned(),
        };
        Ok(Self {
            is_https,
            authority,
            base,
        })
    }

    /// The scheme, with what follows it.
    pub(super) fn scheme(&self) -> &'static str {
        match self.is_https {
            true => "https://",
            false => "http://",
        }
    }

    /// Host and port of `authority`, the port being that of our scheme where there is none.
    pub(super) fn host_and_port(&self, authority: &str) -> (String, u16) {
        let default = if self.is_https { 443 } else { 80 };
        let parsed = authority.parse::<hyper::http::uri::Authority>();
        match parsed {
            Ok(authority) => {
                let host = authority
                    .host()
                    .trim_start_matches('[')
                    .trim_end_matches(']');
                (host.to_owned(), authority.port_u16().unwrap_or(default))
            }
            Err(_) => (authority.to_owned(), default),
        }
    }
}

impl fmt::Display for Address {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}{}{}", self.scheme(), self.authority, self.base)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_api_is_below_v1_unless_the_address_says_otherwise() {
        let shown = |text: &str| Address::parse(text).expect("an address").to_string();
        assert_eq!(shown("http://localhost:8080"), "http://localhost:8080/v1");
        assert_eq!(
            shown("https://box.example.com/"),
            "https://box.example.com/v1"
        );
        assert_eq!(shown("http://h/api/v2/"), "http://h/api/v2");
        let address = Address::parse("https://h").expect("an address");
        assert_eq!(address.host_and_port("h"), ("h".into(), 443));
        assert_eq!(address.host_and_port("[::1]:8"), ("::1".into(), 8));
    }

    #[test]
    fn what_is_no_address_is_refused_with_the_form_it_takes() {
        for text in [
            "",
            "localhost:8080",
            "ftp://h",
            "http://",
            "http://a@b",
            "http://h?x=1",
            "http://h h",
        ] {
            let error = Address::parse(text).expect_err(text);
            assert!(error.to_string().contains("http://HOST:PORT"), "{error}");
        }
    }
}
