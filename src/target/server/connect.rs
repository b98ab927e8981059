//! Connections to a server, and to what it points at.

use std::error::Error;
use std::io::{self, ErrorKind};
use std::sync::Arc;
use std::time::Duration;

use rustls_native_certs::load_native_certs;
use tokio::io::{AsyncRead, AsyncWrite};
use tokio::net::TcpStream;
use tokio::time::timeout;
use tokio_rustls::TlsConnector;
use tokio_rustls::rustls::crypto::ring;
use tokio_rustls::rustls::pki_types::ServerName;
use tokio_rustls::rustls::{self, ClientConfig, RootCertStore};

use crate::target::TargetError;

/// How long a connection may take.
const PATIENCE: Duration = Duration::from_secs(5);

/// A stream of bytes in both directions.
pub(super) trait Stream: AsyncRead + AsyncWrite + Unpin + Send {}

impl<T: AsyncRead + AsyncWrite + Unpin + Send> Stream for T {}

/// Makes connections, all of them plain or all of them encrypted.
#[derive(Clone)]
pub(super) struct Connector(Option<TlsConnector>);

impl Connector {
    /// Plain ones.
    pub(super) fn plain() -> Self {
        Self(None)
    }

    /// Encrypted ones, to servers that this machine's certificates vouch for, or those that
    /// `SSL_CERT_FILE` names in their place.
    pub(super) fn encrypted() -> Result<Self, TargetError> {
        let mut roots = RootCertStore::empty();
        let found = load_native_certs();
        let (usable, _) = roots.add_parsable_certificates(found.certs);
        if usable == 0 {
            let why = found.errors.first().map_or_else(
                || "there are none; name a file of them in SSL_CERT_FILE".to_owned(),
                ToString::to_string,
            );
            let context = "finding this machine's certificates for https";
            return Err(TargetError::failed(context, why));
        }
        let config = ClientConfig::builder_with_provider(Arc::new(ring::default_provider()))
            .with_safe_default_protocol_versions()
            .map_err(|error| TargetError::failed("preparing for https", error))?
            .with_root_certificates(roots)
            .with_no_client_auth();
        Ok(Self(Some(TlsConnector::from(Arc::new(config)))))
    }

    /// Connects. Whatever fails here, nobody has been asked anything yet.
    pub(super) async fn connect(&self, host: &str, port: u16) -> io::Result<Box<dyn Stream>> {
        let connecting = async {
            let stream = TcpStream::connect((host, port)).await?;
            stream.set_nodelay(true)?;
            let Some(tls) = &self.0 else {
                return Ok(Box::new(stream) as Box<dyn Stream>);
            };
            let name = ServerName::try_from(host.to_owned()).map_err(io::Error::other)?;
            Ok(Box::new(tls.connect(name, stream).await?) as Box<dyn Stream>)
        };
        let connected = timeout(PATIENCE, connecting).await.unwrap_or_else(|_| {
            let why = format!("no connection within {} s", PATIENCE.as_secs());
            Err(io::Error::other(why))
        });
        // The kind says so, whatever it was that failed.
        connected.map_err(|error| match error.kind() {
            ErrorKind::ConnectionRefused => error,
            _ => io::Error::new(ErrorKind::HostUnreachable, error),
        })
    }
}

/// What to do about a connection that failed.
pub(super) fn advice(error: &(dyn Error + 'static)) -> &'static str {
    match tls(error) {
        Some(rustls::Error::InvalidCertificate(_)) => {
            "if the certificate is right, name its file, or that of who signed it, in SSL_CERT_FILE"
        }
        Some(_) => "does it speak https there?",
        None => "is it running there?",
    }
}

/// What TLS has against it.
fn tls<'a>(error: &'a (dyn Error + 'static)) -> Option<&'a rustls::Error> {
    let inner = error.downcast_ref::<io::Error>()?.get_ref()?;
    inner.downcast_ref().or_else(|| tls(inner))
}
