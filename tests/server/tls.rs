//! https: a server behind something that ends TLS. Which certificates are trusted is the process's
//! business, so the tool is a process of its own here.

use std::net::SocketAddr;
use std::path::{Path, PathBuf};
use std::process::Output;
use std::sync::Arc;

use base64::Engine as _;
use base64::prelude::BASE64_STANDARD;
use tokio::io::copy_bidirectional;
use tokio::net::{TcpListener, TcpStream};
use tokio::task::JoinSet;
use tokio_rustls::TlsAcceptor;
use tokio_rustls::rustls::ServerConfig;
use tokio_rustls::rustls::crypto::ring;
use tokio_rustls::rustls::pki_types::{PrivateKeyDer, PrivatePkcs8KeyDer};
use tokio_util::task::AbortOnDropHandle;

use crate::bench::{Bench, KEY};
use crate::run::COMMAND;
use crate::support::{Tool, text};

over! {
    keyed {
        a_certificate_that_is_trusted_is_all_it_takes,
        a_certificate_that_is_not_trusted_is_refused_with_what_to_do,
        a_certificate_for_another_name_is_refused,
        the_wrong_scheme_is_no_riddle,
    }
}

/// Ends TLS with a certificate of its own, and passes everything on.
struct Tls {
    address: SocketAddr,
    folder: tempfile::TempDir,
    _listening: AbortOnDropHandle<()>,
}

impl Tls {
    /// In front of the server at `upstream`, as `name`.
    async fn to(upstream: SocketAddr, name: &str) -> Self {
        let made = rcgen::generate_simple_self_signed([name.to_owned()]).unwrap();
        let key = PrivatePkcs8KeyDer::from(made.signing_key.serialize_der());
        let certificate = made.cert.der().clone();
        let folder = tempfile::tempdir().unwrap();
        let base64 = BASE64_STANDARD.encode(&certificate);
        let pem = format!("-----BEGIN CERTIFICATE-----\n{base64}\n-----END CERTIFICATE-----\n");
        std::fs::write(folder.path().join("certificate.pem"), pem).unwrap();
        let config = ServerConfig::builder_with_provider(Arc::new(ring::default_provider()))
            .with_safe_default_protocol_versions()
            .unwrap()
            .with_no_client_auth()
            .with_single_cert(vec![certificate], PrivateKeyDer::Pkcs8(key))
            .unwrap();
        let acceptor = TlsAcceptor::from(Arc::new(config));
        let listener = TcpListener::bind(("127.0.0.1", 0)).await.unwrap();
        let address = listener.local_addr().unwrap();
        let listening = tokio::spawn(async move {
            let mut connections = JoinSet::new();
            loop {
                let (stream, _) = listener.accept().await.unwrap();
                let acceptor = acceptor.clone();
                connections.spawn(async move {
                    // Whoever is not content with the certificate goes.
                    let Ok(mut stream) = acceptor.accept(stream).await else {
                        return;
                    };
                    let mut upstream = TcpStream::connect(upstream).await.unwrap();
                    let _ = copy_bidirectional(&mut stream, &mut upstream).await;
                });
            }
        });
        Self {
            address,
            folder,
            _listening: AbortOnDropHandle::new(listening),
        }
    }

    fn certificate(&self) -> PathBuf {
        self.folder.path().join("certificate.pem")
    }
}

/// Runs one scenario with the tool against `target`, which trusts `certificate` alone.
async fn run(target: &str, certificate: &Path, more: &[&str]) -> Output {
    let tool = Tool::new();
    let folder = tempfile::tempdir().unwrap();
    let lua = format!("scenario {{ title = 'T' }}\n{COMMAND}");
    std::fs::write(folder.path().join("only.lua"), lua).unwrap();
    std::fs::write(folder.path().join("only.transcript"), "...\n").unwrap();
    let root = folder.path().display().to_string();
    let arguments = [
        "run",
        "only.lua",
        "--target",
        target,
        "--scenarios",
        &root,
        "--volumes",
        "api",
        "--image",
        "host",
        "--transcript",
    ];
    let mut command = tool.command(&[&arguments, more].concat());
    command
        .env("SSL_CERT_FILE", certificate)
        .env("SANDBOX_API_KEY", KEY);
    let output = tokio::task::spawn_blocking(move || command.output());
    let output = output.await.unwrap().unwrap();
    let told = format!("{}{}", text(&output.stdout), text(&output.stderr));
    assert!(!told.contains(KEY), "{told}");
    output
}

async fn a_certificate_that_is_trusted_is_all_it_takes(bench: Arc<Bench>) {
    let tls = Tls::to(bench.address, "localhost").await;
    let target = format!("https://localhost:{}", tls.address.port());
    for more in [&[][..], &["--proxy"]] {
        let output = run(&target, &tls.certificate(), more).await;
        let told = format!("{}{}", text(&output.stdout), text(&output.stderr));
        assert_eq!(output.status.code(), Some(0), "{told}");
        assert!(
            told.contains(&target) && told.contains("\n  hello\n"),
            "{told}"
        );
    }
    assert_eq!(bench.count().await, 0);
}

async fn a_certificate_that_is_not_trusted_is_refused_with_what_to_do(bench: Arc<Bench>) {
    let tls = Tls::to(bench.address, "localhost").await;
    let other = Tls::to(bench.address, "localhost").await;
    let target = format!("https://localhost:{}", tls.address.port());
    let output = run(&target, &other.certificate(), &[]).await;
    let told = text(&output.stderr);
    assert_eq!(output.status.code(), Some(3), "{told}");
    for part in [&target, "cannot be reached", "certificate", "SSL_CERT_FILE"] {
        assert!(told.contains(part), "{part}: {told}");
    }
    assert!(!told.contains("OpenSandbox server?"), "{told}");
    // Nor does it help to name a file that is not there.
    let missing = tls.folder.path().join("missing.pem");
    let output = run(&target, &missing, &[]).await;
    let told = text(&output.stderr);
    assert_eq!(output.status.code(), Some(3), "{told}");
    assert!(told.contains("SSL_CERT_FILE"), "{told}");
}

async fn a_certificate_for_another_name_is_refused(bench: Arc<Bench>) {
    let tls = Tls::to(bench.address, "box.example.com").await;
    for name in ["localhost", "127.0.0.1"] {
        let target = format!("https://{name}:{}", tls.address.port());
        let output = run(&target, &tls.certificate(), &[]).await;
        let told = text(&output.stderr);
        assert_eq!(output.status.code(), Some(3), "{told}");
        assert!(told.contains("certificate not valid for name"), "{told}");
    }
}

async fn the_wrong_scheme_is_no_riddle(bench: Arc<Bench>) {
    let tls = Tls::to(bench.address, "localhost").await;
    let secured = format!("https://localhost:{}", bench.address.port());
    let plain = format!("http://localhost:{}", tls.address.port());
    for target in [secured, plain] {
        let output = run(&target, &tls.certificate(), &[]).await;
        let told = text(&output.stderr);
        assert_eq!(output.status.code(), Some(3), "{told}");
        assert!(
            told.contains(&target) && told.contains("cannot be reached"),
            "{told}"
        );
    }
}
