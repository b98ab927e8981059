//! The rules of `CreateSandboxRequest`, in the order in which a server applies them: lexical
//! checks of every entry first, so that a refused request has touched nothing.

use std::collections::{BTreeMap, BTreeSet};

use super::error::ApiError;
use super::request::{CreateSandboxRequest, ImageSpec, default_entrypoint};
use super::resource::Quantity;
use super::volume::{Host, Ossfs, Pvc, Volume};

/// Longest `timeout`: a hundred years, in seconds. More cannot be a date.
const MAX_TIMEOUT: i64 = 100 * 365 * 24 * 3600;

/// What a sandbox is made from and with, once every rule holds.
#[derive(Debug, Clone, PartialEq)]
pub struct ValidRequest {
    /// The image; `None` when a snapshot is restored.
    pub image: Option<ImageSpec>,
    /// The snapshot; `None` when an image is started.
    pub snapshot_id: Option<String>,
    /// The entry process, never empty.
    pub entrypoint: Vec<String>,
    /// Seconds until expiry; `None` for manual clean-up.
    pub timeout: Option<u64>,
    /// Limits in machine units.
    pub limits: Quantity,
    /// Environment.
    pub env: BTreeMap<String, String>,
    /// Metadata as given.
    pub metadata: Option<BTreeMap<String, String>>,
    /// Mounts, their names unique.
    pub mounts: Vec<Mount>,
}

/// One volume with exactly one backend.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Mount {
    /// The entry's name.
    pub name: String,
    /// Where the data lives.
    pub backend: Backend,
    /// Absolute path inside the sandbox.
    pub mount_path: String,
    /// Whether the kernel refuses writes.
    pub read_only: bool,
    /// Normalised relative path without `.`, `..` or empty components; `None` for the root.
    pub sub_path: Option<String>,
}

/// Where a volume's data lives.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Backend {
    /// A host directory.
    Host(Host),
    /// A named volume.
    Pvc(Pvc),
    /// An OSS bucket.
    Ossfs(Ossfs),
}

impl CreateSandboxRequest {
    /// Checks every rule that needs no engine.
    ///
    /// # Errors
    /// The 400 of the first rule that is broken, with the code of `requirements.md` part C for
    /// volumes and `SANDBOX::INVALID_PARAMETER` for the rest; the message names the value.
    pub fn validate(&self) -> Result<ValidRequest, ApiError> {
        let refuse = |message: &str| Err(ApiError::invalid_parameter(message));
        let image = self
            .image
            .clone()
            .filter(|image| !image.uri.trim().is_empty());
        match (&image, &self.snapshot_id) {
            (None, None) => return refuse("one of image and snapshotId is required"),
            (Some(_), Some(_)) => return refuse("image and snapshotId exclude each other"),
            (Some(_), None) if self.entrypoint.is_none() => {
                return refuse("entrypoint is required with image");
            }
            _ => {}
        }
        let entrypoint = self.entrypoint.clone().unwrap_or_else(default_entrypoint);
        if entrypoint.is_empty() {
            return refuse("entrypoint must have at least one item");
        }
        let Some(limits) = &self.resource_limits else {
            return refuse("resourceLimits is required");
        };
        let limits = limits.quantity()?;
        let proxied = self
            .credential_proxy
            .as_ref()
            .is_some_and(|proxy| proxy.enabled);
        if proxied && self.network_policy.is_none() {
            return refuse("credentialProxy.enabled needs networkPolicy");
        }
        Ok(ValidRequest {
            image,
            snapshot_id: self.snapshot_id.clone(),
            entrypoint,
            timeout: self.timeout.map(timeout).transpose()?,
            limits,
            env: self.env.clone(),
            metadata: self.metadata.clone(),
            mounts: mounts(self.volumes.as_deref().unwrap_or_default())?,
        })
    }
}

fn timeout(seconds: i64) -> Result<u64, ApiError> {
    match u64::try_from(seconds) {
        Ok(valid) if (60..=MAX_TIMEOUT).contains(&seconds) => Ok(valid),
        _ => Err(ApiError::invalid_parameter(format!(
            "timeout {seconds} is not between 60 and {MAX_TIMEOUT} seconds"
        ))),
    }
}

fn mounts(volumes: &[Volume]) -> Result<Vec<Mount>, ApiError> {
    let mut names = BTreeSet::new();
    let mut paths = BTreeSet::new();
    volumes
        .iter()
        .map(|volume| {
            let name = &volume.name;
            if !names.insert(name.as_str()) {
                let message = format!("volume name \"{name}\" is used twice");
                return Err(ApiError::bad_request("VOLUME::DUPLICATE_NAME", message));
            }
            let mount = mount(volume)?;
            if !paths.insert(comparable(&mount.mount_path)) {
                let message = format!(
                    "volume \"{name}\": mountPath \"{}\" is used twice",
                    mount.mount_path
                );
                return Err(ApiError::bad_request("VOLUME::INVALID_MOUNT_PATH", message));
            }
            Ok(mount)
        })
        .collect()
}

fn mount(volume: &Volume) -> Result<Mount, ApiError> {
    let name = &volume.name;
    let refuse = |code: &str, what: String| {
        Err(ApiError::bad_request(
            code,
            format!("volume \"{name}\": {what}"),
        ))
    };
    if name.len() > 63 || !is_dns_label(name) {
        return refuse(
            "VOLUME::INVALID_NAME",
            "name must be a DNS label of at most 63 characters".into(),
        );
    }
    let path = &volume.mount_path;
    if !path.starts_with('/') || path.contains('\0') {
        return refuse(
            "VOLUME::INVALID_MOUNT_PATH",
            format!("mountPath \"{path}\" must start with \"/\""),
        );
    }
    if comparable(path).is_empty() || path.split('/').any(|part| part == "..") {
        return refuse(
            "VOLUME::INVALID_MOUNT_PATH",
            format!("mountPath \"{path}\" must be a directory below \"/\", without \"..\""),
        );
    }
    let sub_path = match volume.sub_path.as_deref().map(normal_sub_path) {
        None => None,
        Some(Some(normal)) => Some(normal).filter(|normal| !normal.is_empty()),
        Some(None) => {
            let given = volume.sub_path.as_deref().unwrap_or_default();
            return refuse(
                "VOLUME::INVALID_SUB_PATH",
                format!("subPath \"{given}\" must be relative, without \"..\" components"),
            );
        }
    };
    let backend = match (&volume.host, &volume.pvc, &volume.ossfs) {
        (Some(host), None, None) => Backend::Host(host.clone()),
        (None, Some(pvc), None) => Backend::Pvc(pvc.clone()),
        (None, None, Some(ossfs)) => Backend::Ossfs(ossfs.clone()),
        (None, None, None) => {
            return refuse(
                "VOLUME::INVALID_BACKEND",
                "one of host, pvc and ossfs is required".into(),
            );
        }
        _ => {
            return refuse(
                "VOLUME::INVALID_BACKEND",
                "only one of host, pvc and ossfs may be set".into(),
            );
        }
    };
    let checked = match &backend {
        Backend::Host(host) => check_host(host),
        Backend::Pvc(pvc) => check_pvc(pvc),
        Backend::Ossfs(ossfs) => check_ossfs(ossfs),
    };
    if let Err((code, what)) = checked {
        return refuse(code, what);
    }
    Ok(Mount {
        name: name.clone(),
        backend,
        mount_path: path.clone(),
        read_only: volume.read_only,
        sub_path,
    })
}

/// A broken backend rule: its code and what was wrong.
type Broken = (&'static str, String);

fn check_host(host: &Host) -> Result<(), Broken> {
    let path = &host.path;
    let windows = path.as_bytes().get(1) == Some(&b':')
        && path.as_bytes().first().is_some_and(u8::is_ascii_alphabetic)
        && matches!(path.as_bytes().get(2), Some(b'/' | b'\\'));
    let wrong = |what: &str| {
        Err((
            "VOLUME::INVALID_HOST_PATH",
            format!("host.path \"{path}\" {what}"),
        ))
    };
    if !path.starts_with('/') && !windows || path.contains('\0') {
        wrong("must be absolute")
    } else if path.split('/').any(|part| part == "..") {
        wrong("must not contain \"..\"")
    } else if path.contains("//") || (path.len() > 1 && path.ends_with('/')) {
        wrong("must not contain \"//\" or end with \"/\"")
    } else {
        Ok(())
    }
}

fn check_pvc(pvc: &Pvc) -> Result<(), Broken> {
    let name = &pvc.claim_name;
    if name.len() > 253 || !is_dns_label(name) {
        return Err((
            "VOLUME::INVALID_PVC_NAME",
            format!(
                "pvc.claimName \"{name}\" must match [a-z0-9]([-a-z0-9]*[a-z0-9])? and have at most 253 characters"
            ),
        ));
    }
    match &pvc.storage {
        Some(storage) if !is_storage(storage) => Err((
            "SANDBOX::INVALID_PARAMETER",
            format!("pvc.storage \"{storage}\" is not a size such as \"10Gi\""),
        )),
        _ => Ok(()),
    }
}

fn check_ossfs(ossfs: &Ossfs) -> Result<(), Broken> {
    let bucket = &ossfs.bucket;
    let bucket_ok = (3..=63).contains(&bucket.len())
        && bucket
            .chars()
            .all(|c| c.is_ascii_lowercase() || c.is_ascii_digit() || c == '-');
    if !bucket_ok {
        return Err((
            "VOLUME::INVALID_OSSFS_BUCKET",
            format!("ossfs.bucket \"{bucket}\" must have 3 to 63 characters of a-z, 0-9 and \"-\""),
        ));
    }
    if ossfs.endpoint.trim().is_empty() {
        return Err((
            "VOLUME::INVALID_OSSFS_ENDPOINT",
            "ossfs.endpoint must not be blank".into(),
        ));
    }
    if !["1.0", "2.0"].contains(&ossfs.version.as_str()) {
        let what = format!(
            "ossfs.version \"{}\" must be \"1.0\" or \"2.0\"",
            ossfs.version
        );
        return Err(("VOLUME::INVALID_OSSFS_VERSION", what));
    }
    if ossfs.access_key_id.trim().is_empty() || ossfs.access_key_secret.trim().is_empty() {
        let what = "ossfs.accessKeyId and ossfs.accessKeySecret must not be empty".into();
        return Err(("VOLUME::INVALID_OSSFS_CREDENTIALS", what));
    }
    let safe = |c: char| c.is_ascii_alphanumeric() || "_-=.,:/@%+".contains(c);
    let wrong = |option: &&String| {
        let option = option.trim();
        option.is_empty() || option.starts_with('-') || !option.chars().all(safe)
    };
    match ossfs.options.iter().find(wrong) {
        Some(option) => Err((
            "VOLUME::INVALID_OSSFS_OPTION",
            format!(
                "ossfs.options \"{option}\" must not be blank, start with \"-\" or hold shell characters"
            ),
        )),
        None => Ok(()),
    }
}

/// `[a-z0-9]([-a-z0-9]*[a-z0-9])?`
fn is_dns_label(text: &str) -> bool {
    let inner = |c: char| c.is_ascii_lowercase() || c.is_ascii_digit() || c == '-';
    !text.is_empty() && text.chars().all(inner) && !text.starts_with('-') && !text.ends_with('-')
}

/// `\d+(\.\d+)?(Ki|Mi|Gi|Ti|Pi|Ei)?`
fn is_storage(text: &str) -> bool {
    let number = ["Ki", "Mi", "Gi", "Ti", "Pi", "Ei"]
        .iter()
        .find_map(|unit| text.strip_suffix(unit))
        .unwrap_or(text);
    let digits = |part: &str| !part.is_empty() && part.chars().all(|c| c.is_ascii_digit());
    match number.split_once('.') {
        Some((whole, fraction)) => digits(whole) && digits(fraction),
        None => digits(number),
    }
}

/// The components of a legal `subPath` joined anew, or `None` for one that is absolute or climbs.
fn normal_sub_path(given: &str) -> Option<String> {
    if given.starts_with('/') || given.contains('\0') {
        return None;
    }
    let parts: Vec<_> = given
        .split('/')
        .filter(|p| !p.is_empty() && *p != ".")
        .collect();
    (!parts.contains(&"..")).then(|| parts.join("/"))
}

/// A mount path without doubled or trailing slashes, so that equal places compare equal.
fn comparable(path: &str) -> String {
    path.split('/')
        .filter(|p| !p.is_empty() && *p != ".")
        .collect::<Vec<_>>()
        .join("/")
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::{Value, json};

    fn request(volumes: Value) -> CreateSandboxRequest {
        serde_json::from_value(json!({
            "image": {"uri": "img"}, "entrypoint": ["true"], "resourceLimits": {}, "volumes": volumes,
        }))
        .expect("a request of the right shape")
    }

    fn code(volumes: Value) -> String {
        let error = request(volumes).validate().expect_err("a broken rule");
        assert_eq!(error.status, 400);
        error.code
    }

    fn with(field: &str, value: Value) -> Value {
        let mut volume = json!({"name": "v", "mountPath": "/d", "pvc": {"claimName": "c"}});
        volume[field] = value;
        json!([volume])
    }

    #[test]
    fn the_shortest_volume_is_valid_and_gets_the_defaults() {
        let valid = request(with("readOnly", json!(false)))
            .validate()
            .expect("valid");
        let mount = &valid.mounts[0];
        assert_eq!(mount.backend, Backend::Pvc(Pvc::claim("c")));
        assert_eq!((mount.read_only, mount.sub_path.as_deref()), (false, None));
        for volumes in [Value::Null, json!([])] {
            assert!(
                request(volumes)
                    .validate()
                    .expect("valid")
                    .mounts
                    .is_empty()
            );
        }
    }

    #[test]
    fn names_and_paths_are_checked() {
        for name in ["Bad", "a_b", "-a", "a-", "", &"a".repeat(64)] {
            assert_eq!(
                code(with("name", json!(name))),
                "VOLUME::INVALID_NAME",
                "{name}"
            );
        }
        assert!(
            request(with("name", json!("a".repeat(63))))
                .validate()
                .is_ok()
        );
        for path in ["d", "", "/", "//", "/./", "/a/../..", "/a\0"] {
            assert_eq!(
                code(with("mountPath", json!(path))),
                "VOLUME::INVALID_MOUNT_PATH",
                "{path}"
            );
        }
        let twice = json!([
            with("name", json!("v"))[0],
            with("mountPath", json!("/e"))[0]
        ]);
        assert_eq!(code(twice), "VOLUME::DUPLICATE_NAME");
        let same_path = json!([with("name", json!("v"))[0],
            {"name": "w", "mountPath": "/d/", "pvc": {"claimName": "c"}}]);
        assert_eq!(code(same_path), "VOLUME::INVALID_MOUNT_PATH");
    }

    #[test]
    fn a_sub_path_stays_inside() {
        for bad in ["../x", "a/../b", "..", "a/..", "/x", "a\0b"] {
            assert_eq!(
                code(with("subPath", json!(bad))),
                "VOLUME::INVALID_SUB_PATH",
                "{bad}"
            );
        }
        for (given, normal) in [
            (".", None),
            ("", None),
            ("./a/", Some("a")),
            ("a//b", Some("a/b")),
            ("..a/b..", Some("..a/b..")),
            ("a:b,c", Some("a:b,c")),
        ] {
            let valid = request(with("subPath", json!(given)))
                .validate()
                .expect(given);
            assert_eq!(valid.mounts[0].sub_path.as_deref(), normal, "{given}");
        }
    }

    #[test]
    fn exactly_one_backend() {
        let none = json!([{"name": "v", "mountPath": "/d", "pvc": null}]);
        assert_eq!(code(none), "VOLUME::INVALID_BACKEND");
        assert_eq!(
            code(with("host", json!({"path": "/x"}))),
            "VOLUME::INVALID_BACKEND"
        );
    }

    #[test]
    fn backends_check_their_fields() {
        let claim = |name: &str| with("pvc", json!({"claimName": name}));
        for name in [
            "A_b",
            "a.b",
            "-a",
            "a-",
            "/etc",
            "a b",
            "",
            &"a".repeat(254),
        ] {
            assert_eq!(code(claim(name)), "VOLUME::INVALID_PVC_NAME", "{name}");
        }
        assert!(request(claim(&"a".repeat(253))).validate().is_ok());
        let storage = |size: &str| with("pvc", json!({"claimName": "c", "storage": size}));
        assert_eq!(code(storage("1XB")), "SANDBOX::INVALID_PARAMETER");
        for size in ["1.5Gi", "100"] {
            assert!(request(storage(size)).validate().is_ok(), "{size}");
        }
        let host = |path: &str| json!([{"name": "v", "mountPath": "/d", "host": {"path": path}}]);
        for path in ["tmp", "", "/a/../b", "/tmp//x", "/tmp/"] {
            assert_eq!(code(host(path)), "VOLUME::INVALID_HOST_PATH", "{path}");
        }
        for path in ["/tmp", "/a/..foo", "C:\\x", "D:/x"] {
            assert!(request(host(path)).validate().is_ok(), "{path}");
        }
        let ossfs = |field: &str, value: Value| {
            let mut ossfs = json!({"bucket": "bucket", "endpoint": "e", "accessKeyId": "i", "accessKeySecret": "s"});
            ossfs[field] = value;
            json!([{"name": "v", "mountPath": "/d", "ossfs": ossfs}])
        };
        for (field, value, want) in [
            ("bucket", json!("ab"), "BUCKET"),
            ("bucket", json!("   "), "BUCKET"),
            ("endpoint", json!(" "), "ENDPOINT"),
            ("version", json!("3.0"), "VERSION"),
            ("accessKeyId", json!(""), "CREDENTIALS"),
            ("options", json!(["-o x"]), "OPTION"),
            ("options", json!([" "]), "OPTION"),
            ("options", json!(["a;b"]), "OPTION"),
        ] {
            assert_eq!(
                code(ossfs(field, value)),
                format!("VOLUME::INVALID_OSSFS_{want}")
            );
        }
    }

    #[test]
    fn unknown_members_are_refused_by_name() {
        let error = serde_json::from_value::<Volume>(with("bogus", json!(1))[0].clone());
        assert!(error.expect_err("refused").to_string().contains("bogus"));
    }

    #[test]
    fn the_request_around_the_volumes_is_checked() {
        let base = || request(json!([]));
        let broken = [
            CreateSandboxRequest {
                image: None,
                ..base()
            },
            CreateSandboxRequest {
                snapshot_id: Some("s".into()),
                ..base()
            },
            CreateSandboxRequest {
                entrypoint: None,
                ..base()
            },
            CreateSandboxRequest {
                entrypoint: Some(vec![]),
                ..base()
            },
            CreateSandboxRequest {
                resource_limits: None,
                ..base()
            },
            CreateSandboxRequest {
                timeout: Some(59),
                ..base()
            },
            CreateSandboxRequest {
                timeout: Some(i64::MAX),
                ..base()
            },
        ];
        for request in broken {
            let error = request.validate().expect_err("a broken rule");
            assert_eq!(error.code, "SANDBOX::INVALID_PARAMETER", "{error}");
        }
        assert_eq!(
            CreateSandboxRequest {
                timeout: Some(60),
                ..base()
            }
            .validate()
            .expect("ok")
            .timeout,
            Some(60)
        );
    }
}
