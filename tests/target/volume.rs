//! Volumes: named, by subPath, host directories.

use crate::bench::{Bench, claim, merge, pvc};
use osb_conformance::target::{Files, Resource};
use serde_json::{Value, json};
use std::os::unix::fs::symlink;

on_every_target! {
    volumes_are_made_on_demand_and_kept_or_removed_as_asked,
    what_a_refused_request_made_is_taken_back,
    sub_paths_stay_inside_of_the_volume,
    host_directories_stay_below_the_allowlist,
}

async fn volumes_are_made_on_demand_and_kept_or_removed_as_asked(bench: Bench) {
    let (kept, doomed, shared) = (bench.name(), bench.name(), bench.name());
    let refused = bench
        .refused(claim(&kept, json!({"createIfNotExists": false})))
        .await;
    assert_eq!(
        (refused.status, refused.code.as_str()),
        (400, "VOLUME::PVC_NOT_FOUND")
    );
    assert!(refused.message.contains(&kept));
    let a = bench.create(claim(&kept, json!({}))).await;
    a.out("echo kept > /mnt/data/f").await;
    bench.target.delete(&a.id).await.unwrap();
    assert_eq!(bench.read(&kept, "f").await.as_deref(), Some("kept\n"));
    let flag = json!({"deleteOnSandboxTermination": true});
    let b = bench.create(claim(&doomed, flag.clone())).await;
    assert!(
        bench
            .target
            .volume_exists(&bench.owner, &doomed)
            .await
            .unwrap()
    );
    bench.target.delete(&b.id).await.unwrap();
    assert!(
        !bench
            .target
            .volume_exists(&bench.owner, &doomed)
            .await
            .unwrap()
    );
    // One that was there before is never removed.
    let c = bench.create(claim(&kept, flag.clone())).await;
    bench.target.delete(&c.id).await.unwrap();
    assert!(
        bench
            .target
            .volume_exists(&bench.owner, &kept)
            .await
            .unwrap()
    );
    // One that another sandbox still mounts goes with the last of them.
    let first = bench.create(claim(&shared, flag)).await;
    let second = bench.create(claim(&shared, json!({}))).await;
    bench.target.delete(&first.id).await.unwrap();
    second.out("echo x > /mnt/data/f").await;
    bench.target.delete(&second.id).await.unwrap();
    assert!(
        !bench
            .target
            .volume_exists(&bench.owner, &shared)
            .await
            .unwrap()
    );
}

async fn what_a_refused_request_made_is_taken_back(bench: Bench) {
    let (new, missing) = (bench.name(), bench.name());
    let two = json!({"volumes": [
        {"name": "a", "mountPath": "/a", "pvc": {"claimName": new}},
        {"name": "b", "mountPath": "/b", "pvc": {"claimName": missing, "createIfNotExists": false}},
    ]});
    assert_eq!(bench.refused(two).await.code, "VOLUME::PVC_NOT_FOUND");
    let mut unstartable = claim(&new, json!({}));
    unstartable["entrypoint"] = json!(["/no/such/program"]);
    let error = bench.refused(unstartable).await;
    assert_eq!(
        (error.status, error.code.as_str()),
        (500, "DOCKER::SANDBOX_START_FAILED")
    );
    let with = |key: &str, value: Value| {
        let mut body = claim(&new, json!({}));
        body[key] = value;
        body
    };
    for (body, code) in [
        (
            with("networkPolicy", json!({})),
            "SANDBOX::INVALID_PARAMETER",
        ),
        (
            with("secureAccess", json!(true)),
            "SANDBOX::INVALID_PARAMETER",
        ),
        (
            with("extensions", json!({"poolRef": "p"})),
            "SANDBOX::UNSUPPORTED_POOL_REF",
        ),
        (
            with("platform", json!({"os": "linux", "arch": "s390x"})),
            "SANDBOX::INVALID_PARAMETER",
        ),
        (
            with("metadata", json!({"opensandbox.io/a": "b"})),
            "SANDBOX::INVALID_METADATA_LABEL",
        ),
        (
            with("resourceLimits", json!({"gpu": "1"})),
            "SANDBOX::INVALID_PARAMETER",
        ),
        (
            json!({"volumes": [{"name": "o", "mountPath": "/o", "ossfs": {"bucket": "bucket", "endpoint": "e",
            "accessKeyId": "i", "accessKeySecret": "s"}}]}),
            "VOLUME::UNSUPPORTED_BACKEND",
        ),
        (
            json!({"volumes": [{"name": "h", "mountPath": "/h", "host": {"path": "/tmp"}}]}),
            "VOLUME::HOST_PATH_NOT_ALLOWED",
        ),
    ] {
        assert_eq!(bench.refused(body).await.code, code);
    }
    assert_eq!(bench.remains().await, []);
}

async fn sub_paths_stay_inside_of_the_volume(bench: Bench) {
    let volume = bench.volume(&[("a/b/f", "in b\n"), ("top", "top\n")]).await;
    let maker = bench.create(pvc(&volume, json!({}))).await;
    maker.out("cd /mnt/data && ln -s / root && ln -s /etc abs && ln -s ../../.. up && ln -s a inside \
        && ln -s inside/b nested && ln -s loop2 loop1 && ln -s loop1 loop2 && ln -s /mnt/data/a selfabs \
        && mkdir 'odd:name,with spaces' && echo odd > 'odd:name,with spaces/f'").await;
    for evil in [
        "root",
        "abs",
        "up",
        "root/nonexist-osb",
        "abs/nonexist-osb",
        "up/x/y",
        "loop1",
        "loop1/x",
        "top",
        "top/x",
        "selfabs",
    ] {
        let error = bench.refused(pvc(&volume, json!({"subPath": evil}))).await;
        assert_eq!(
            (error.status, error.code.as_str()),
            (400, "VOLUME::INVALID_SUB_PATH"),
            "{evil}"
        );
        assert!(error.message.contains(evil), "{}", error.message);
    }
    assert!(
        !std::path::Path::new("/nonexist-osb").exists()
            && !std::path::Path::new("/etc/nonexist-osb").exists()
    );
    for good in ["a/b", "inside/b", "nested"] {
        let sandbox = bench.create(pvc(&volume, json!({"subPath": good}))).await;
        assert_eq!(
            sandbox.out("cat /mnt/data/f; ls /mnt/data").await,
            "in b\nf\n",
            "{good}"
        );
        bench.target.delete(&sandbox.id).await.unwrap();
    }
    let odd = bench
        .create(pvc(&volume, json!({"subPath": "odd:name,with spaces"})))
        .await;
    assert_eq!(odd.out("cat /mnt/data/f").await, "odd\n");
    // A missing one is made, inside.
    let new = bench
        .create(pvc(&volume, json!({"subPath": "inside/new/deep"})))
        .await;
    new.out("echo x > /mnt/data/f").await;
    assert_eq!(
        bench.read(&volume, "a/new/deep/f").await.as_deref(),
        Some("x\n")
    );
    // Read-only, and combined with the whole volume at another path.
    let both = bench.create(json!({"volumes": [
        {"name": "rw", "mountPath": "/rw", "pvc": {"claimName": volume}},
        {"name": "ro", "mountPath": "/ro", "pvc": {"claimName": volume}, "subPath": "a/b", "readOnly": true},
    ]})).await;
    both.out("echo changed > /rw/a/b/f").await;
    assert_eq!(both.out("cat /ro/f").await, "changed\n");
    let denied = both.run("echo no > /ro/f").await;
    assert!(denied.exit_code != 0 && crate::support::text(&denied.stderr).contains("Read-only"));
}

async fn host_directories_stay_below_the_allowlist(bench: Bench) {
    let folder = bench.folder();
    let root = folder.join("allow");
    for name in ["allow/t/sub", "allow2", "outside"] {
        std::fs::create_dir_all(folder.join(name)).unwrap();
    }
    std::fs::write(root.join("t/marker.txt"), "host\n").unwrap();
    symlink(folder.join("outside"), root.join("link")).unwrap();
    symlink(folder.join("nowhere"), root.join("dangling")).unwrap();
    let host = |path: &str, more: Value| {
        let path = if path.starts_with('/') {
            path.to_owned()
        } else {
            folder.join(path).display().to_string()
        };
        let mut volume = json!({"name": "h", "mountPath": "/mnt/host", "host": {"path": path}});
        merge(&mut volume, more);
        json!({"volumes": [volume]})
    };
    let sandbox = bench.create(host("allow/t", json!({}))).await;
    assert_eq!(
        sandbox
            .out("cat /mnt/host/marker.txt; echo new > /mnt/host/f")
            .await,
        "host\n"
    );
    assert_eq!(std::fs::read_to_string(root.join("t/f")).unwrap(), "new\n");
    let read_only = bench
        .create(host("allow/t", json!({"readOnly": true})))
        .await;
    assert_ne!(read_only.run("touch /mnt/host/x").await.exit_code, 0);
    for (path, more) in [
        ("/etc", json!({})),
        ("allow2", json!({})),
        ("allow/link", json!({})),
        ("allow/link/new", json!({})),
        ("allow", json!({"subPath": "link"})),
        ("allow/dangling", json!({})),
        ("allow/dangling/x", json!({})),
    ] {
        assert_eq!(
            bench.refused(host(path, more)).await.code,
            "VOLUME::HOST_PATH_NOT_ALLOWED",
            "{path}"
        );
    }
    assert!(!folder.join("outside/new").exists() && !folder.join("nowhere").exists());
    bench.create(host("allow/made/here", json!({}))).await;
    assert!(root.join("made/here").is_dir());
    let host_root = bench.target.info().host_root.clone().unwrap();
    let made = format!("{host_root}/{}", bench.name());
    let files = Files::from([("a/f".into(), b"x".to_vec())]);
    bench.target.create_host_dir(&made, &files).await.unwrap();
    assert_eq!(std::fs::read_to_string(format!("{made}/a/f")).unwrap(), "x");
    // What a sandbox put there leads the look nowhere else.
    std::os::unix::fs::symlink(root.join("t"), format!("{made}/out")).unwrap();
    let listed = bench.target.list_host_dir(&made).await.unwrap();
    assert_eq!(listed, ["a", "a/f", "out"].map(str::to_owned).into());
    let target = &bench.target;
    let read = async |file: &str| target.read_host_dir(&made, file).await.unwrap();
    assert_eq!(read("a/f").await, Some(b"x".to_vec()));
    assert!(root.join("t/f").is_file());
    assert_eq!((read("out/f").await, read("a/g").await), (None, None));
    let run = &bench.owner.run;
    let others = Resource::HostDir(root.join("t").display().to_string());
    bench.target.remove(run, &others).await.unwrap();
    let ours = Resource::HostDir(made.clone());
    bench.target.remove(run, &ours).await.unwrap();
    assert!(!std::path::Path::new(&made).exists() && root.join("t/f").exists());
}
