//! The rules, one by one.

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
