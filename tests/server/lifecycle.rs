//! The life of a sandbox over the wire.

use std::sync::Arc;
use std::time::Duration;

use futures_util::future::join_all;
use serde_json::{Value, json};

use crate::bench::Bench;
use crate::echo::Echo;
use crate::support;

over! {
    docker {
        a_sandbox_is_pending_and_then_runs,
        a_sandbox_that_cannot_start_is_failed_until_it_is_deleted,
        a_sandbox_is_deleted_while_it_is_pending,
        of_deletes_at_once_one_is_the_one,
        a_client_that_goes_away_stops_no_removal,
        what_could_not_be_removed_can_be_once_more,
    }
    local {
        a_sandbox_is_pending_and_then_runs,
        a_sandbox_that_cannot_start_is_failed_until_it_is_deleted,
        a_sandbox_is_deleted_while_it_is_pending,
        of_deletes_at_once_one_is_the_one,
        pages_are_of_one_list_with_the_newest_first,
        what_an_endpoint_is_asked_for_is_checked,
    }
}

async fn a_sandbox_is_pending_and_then_runs(bench: Arc<Bench>) {
    let http = bench.http();
    let body = bench.body(json!({"metadata": {"team": "a"}, "env": {"A": "b c"}}));
    let answer = http.post("/v1/sandboxes", body.clone()).await;
    let created = answer.json();
    assert_eq!(
        (answer.status, &created["status"]["state"]),
        (202, &json!("Pending"))
    );
    let id = created["id"].as_str().unwrap();
    let path = format!("/v1/sandboxes/{id}");
    let location = format!("{}{path}", bench.url());
    assert_eq!(answer.header("location"), Some(location.as_str()));
    assert_eq!(created["entrypoint"], body["entrypoint"]);
    assert_eq!(created["metadata"], body["metadata"]);
    let (made, ends) = (&created["createdAt"], &created["expiresAt"]);
    let time = |value: &Value| value.as_str().unwrap().parse::<jiff::Timestamp>().unwrap();
    assert_eq!(time(ends).duration_since(time(made)).as_secs(), 600);
    for absent in ["image", "snapshotId", "updatedAt", "platform"] {
        assert!(created.get(absent).is_none(), "{absent}");
    }
    let running = bench.until(id, "Running").await;
    assert_eq!(running["image"]["uri"], body["image"]["uri"]);
    for same in ["id", "createdAt", "expiresAt", "metadata", "entrypoint"] {
        assert_eq!(running[same], created[same], "{same}");
    }
    assert_eq!(bench.out(id, "printenv A").await, "b c\n");
    let listed = http.get("/v1/sandboxes").await.json();
    assert_eq!(listed["items"], json!([running]));
    let deleted = http.delete(&path).await;
    assert_eq!((deleted.status, deleted.text().as_str()), (204, ""));
    for gone in [http.get(&path).await, http.delete(&path).await] {
        gone.refused(404, "DOCKER::SANDBOX_NOT_FOUND");
    }
    assert_eq!(bench.count().await, 0);
}

async fn a_sandbox_that_cannot_start_is_failed_until_it_is_deleted(bench: Arc<Bench>) {
    let http = bench.http();
    let volume = format!("failed-{}", uuid::Uuid::new_v4().simple());
    let pvc = json!({"claimName": volume, "deleteOnSandboxTermination": true});
    let id = bench
        .accepted(json!({
            "entrypoint": ["/no/such/program"],
            "volumes": [{"name": "v", "mountPath": "/mnt/data", "pvc": pvc}],
        }))
        .await;
    let path = format!("/v1/sandboxes/{id}");
    let failed = bench.until(&id, "Failed").await;
    assert_eq!(failed["status"]["reason"], "DOCKER::SANDBOX_START_FAILED");
    let message = failed["status"]["message"].as_str().unwrap();
    assert!(message.contains("/no/such/program"), "{message}");
    let listed = http.get("/v1/sandboxes?state=Failed").await.json();
    assert_eq!(listed["items"], json!([failed]));
    for (method, rest) in [
        ("POST", "/pause"),
        ("POST", "/resume"),
        ("GET", "/proxy/44772/ping"),
    ] {
        let answer = http.send(method, &format!("{path}{rest}"), &[], "").await;
        let message = answer.refused(409, "DOCKER::SANDBOX_NOT_RUNNING");
        assert!(message.contains("Failed"), "{message}");
    }
    let patch = http
        .json("PATCH", &format!("{path}/metadata"), json!({"a": "b"}))
        .await;
    patch.refused(409, "DOCKER::SANDBOX_NOT_RUNNING");
    assert_eq!(http.delete(&path).await.status, 204);
    http.delete(&path)
        .await
        .refused(404, "DOCKER::SANDBOX_NOT_FOUND");
    assert_eq!(bench.count().await, 0);
    // What it would have mounted is not there either.
    let missing = json!({"claimName": volume, "createIfNotExists": false});
    let body = json!({"volumes": [{"name": "v", "mountPath": "/mnt/data", "pvc": missing}]});
    let answer = http.post("/v1/sandboxes", bench.body(body)).await;
    answer.refused(400, "VOLUME::PVC_NOT_FOUND");
}

async fn a_sandbox_is_deleted_while_it_is_pending(bench: Arc<Bench>) {
    let http = bench.http();
    for _ in 0..3 {
        let id = bench.accepted(json!({})).await;
        let deleted = http.delete(&format!("/v1/sandboxes/{id}")).await;
        assert_eq!(deleted.status, 204, "{}", deleted.text());
        assert_eq!(bench.count().await, 0);
    }
}

async fn of_deletes_at_once_one_is_the_one(bench: Arc<Bench>) {
    let http = bench.http();
    for running in [false, true] {
        let id = bench.accepted(json!({})).await;
        if running {
            bench.until(&id, "Running").await;
        }
        let path = format!("/v1/sandboxes/{id}");
        let all = join_all((0..5).map(|_| http.delete(&path))).await;
        let mut statuses: Vec<_> = all.iter().map(|answer| answer.status).collect();
        statuses.sort_unstable();
        assert_eq!(statuses, [204, 404, 404, 404, 404]);
    }
}

async fn pages_are_of_one_list_with_the_newest_first(bench: Arc<Bench>) {
    let http = bench.http();
    let mut made = Vec::new();
    for team in ["x", "x", "y", "x"] {
        made.push(
            bench
                .create(json!({"metadata": {"team": team, "blank": ""}}))
                .await,
        );
    }
    made.reverse();
    let page = |query: &str| {
        let (http, path) = (bench.http(), format!("/v1/sandboxes{query}"));
        async move {
            let page = http.get(&path).await.json();
            let ids = page["items"].as_array().unwrap().iter();
            let ids: Vec<_> = ids.map(|i| i["id"].as_str().unwrap().to_owned()).collect();
            (ids, page["pagination"].clone())
        }
    };
    let (all, pagination) = page("").await;
    assert_eq!(all, made);
    let whole =
        json!({"page": 1, "pageSize": 20, "totalItems": 4, "totalPages": 1, "hasNextPage": false});
    assert_eq!(pagination, whole);
    let (first, pagination) = page("?pageSize=3").await;
    assert_eq!(first, made[..3]);
    assert_eq!(pagination["hasNextPage"], true);
    let (second, pagination) = page("?pageSize=3&page=2").await;
    assert_eq!(
        (&second[..], &pagination["hasNextPage"]),
        (&made[3..], &json!(false))
    );
    let (past, pagination) = page("?pageSize=3&page=4294967295").await;
    assert_eq!((past.len(), &pagination["totalItems"]), (0, &json!(4)));
    let (filtered, _) = page("?metadata=team%3Dx%26blank%3D&state=Running&state=Paused").await;
    assert_eq!(filtered, [&made[0], &made[2], &made[3]].map(String::clone));
    assert_eq!(page("?state=Paused").await.0, Vec::<String>::new());
    let paused = http
        .send("POST", &format!("/v1/sandboxes/{}/pause", made[1]), &[], "")
        .await;
    assert_eq!(paused.status, 202);
    assert_eq!(page("?state=paused&metadata=team%3Dy").await.0, made[1..2]);
    for wrong in ["page=0", "pageSize=0", "page=-1", "pageSize=x"] {
        let answer = http.get(&format!("/v1/sandboxes?{wrong}")).await;
        let message = answer.refused(400, "SANDBOX::INVALID_PARAMETER");
        let (name, _) = wrong.split_once('=').unwrap();
        assert!(message.contains(name), "{message}");
    }
    let broken = http.get("/v1/sandboxes?metadata=team%3Dx%26broken").await;
    broken.refused(400, "INVALID_METADATA_FORMAT");
}

async fn what_an_endpoint_is_asked_for_is_checked(bench: Arc<Bench>) {
    let id = bench.create(json!({})).await;
    let http = bench.http();
    let endpoint = |rest: &str| {
        let (http, path) = (bench.http(), format!("/v1/sandboxes/{id}/endpoints/{rest}"));
        async move { http.get(&path).await }
    };
    for port in ["44772", "8080", "1", "65535"] {
        for query in ["", "?use_server_proxy=true", "?use_server_proxy=false"] {
            let answer = endpoint(&format!("{port}{query}")).await.json();
            let here = format!("{}/v1/sandboxes/{id}/proxy/{port}", bench.address);
            assert_eq!(answer, json!({"endpoint": here}));
        }
    }
    for (rest, code) in [
        ("0", "DOCKER::INVALID_PORT"),
        ("65536", "DOCKER::INVALID_PORT"),
        ("http", "SANDBOX::INVALID_PARAMETER"),
        ("-1", "SANDBOX::INVALID_PARAMETER"),
        ("80?expires=2000000000", "SANDBOX::API_NOT_SUPPORTED"),
        ("80?expires=01x", "SANDBOX::INVALID_PARAMETER"),
    ] {
        endpoint(rest).await.refused(400, code);
    }
    let ping = format!("/v1/sandboxes/{id}/proxy/44772/ping");
    assert_eq!(http.get(&ping).await.status, 200);
}

#[tokio::test]
async fn why_a_sandbox_could_not_be_made_is_told_in_full() {
    let echo = Echo::new();
    let bench = Bench::over(Arc::clone(&echo) as _, tempfile::tempdir().unwrap(), |_| ()).await;
    let id = bench.accepted(json!({"env": {"BREAK": "x"}})).await;
    echo.gate.add_permits(1);
    let failed = bench.until(&id, "Failed").await;
    let status = json!({
        "state": "Failed", "reason": "GENERAL::UNKNOWN_ERROR", "message": "making it: it broke",
    });
    assert_eq!(failed["status"], status);
    bench.end().await;
}

#[tokio::test]
async fn a_delete_waits_for_a_sandbox_that_is_being_made() {
    let echo = Echo::new();
    let bench = Bench::over(Arc::clone(&echo) as _, tempfile::tempdir().unwrap(), |_| ()).await;
    let http = bench.http();
    for broken in [json!({}), json!({"BREAK": "x"})] {
        let id = bench.accepted(json!({"env": broken})).await;
        let path = format!("/v1/sandboxes/{id}");
        assert_eq!(http.get(&path).await.json()["status"]["state"], "Pending");
        let listed = http.get("/v1/sandboxes?state=Pending").await.json();
        assert_eq!(listed["items"][0]["id"], json!(id));
        let delete = http.delete(&path);
        let pause = format!("{path}/pause");
        let pause = http.send("POST", &pause, &[], "");
        let (mut delete, mut pause) = (Box::pin(delete), Box::pin(pause));
        // Both are under way, and neither comes before the sandbox does.
        tokio::select! {
            biased;
            early = &mut delete => panic!("{early:?}"),
            early = &mut pause => panic!("{early:?}"),
            listed = http.get("/v1/sandboxes") => assert_eq!(listed.status, 200),
        }
        assert_eq!(echo.names(), Vec::<String>::new());
        echo.gate.add_permits(1);
        let (deleted, paused) = tokio::join!(delete, pause);
        assert_eq!(deleted.status, 204, "{}", deleted.text());
        assert!(
            [404, 409, 501].contains(&paused.status),
            "{}",
            paused.text()
        );
        http.get(&path).await.refused(404, "ECHO::NOT_FOUND");
        assert_eq!(echo.names(), Vec::<String>::new());
    }
    bench.end().await;
}

async fn a_client_that_goes_away_stops_no_removal(bench: Arc<Bench>) {
    let engine = support::engine().await.unwrap();
    let claim = format!("osb-gone-{}", uuid::Uuid::new_v4().simple());
    let pvc = json!({"claimName": claim, "deleteOnSandboxTermination": true});
    let volume = json!({"name": "v", "mountPath": "/v", "pvc": pvc});
    let id = bench.create(json!({"volumes": [volume]})).await;
    assert!(engine.inspect_volume(&claim).await.is_ok());
    let http = bench.http();
    let path = format!("/v1/sandboxes/{id}");
    // The engine takes longer than this to remove a container.
    let asked = http.open("DELETE", &path, &[], "");
    let gone = tokio::time::timeout(Duration::from_millis(10), asked).await;
    assert!(gone.is_err(), "it was too fast to go away");
    // The server is never told to end: it removes the volume by itself, or nobody does.
    let removed = async {
        while engine.inspect_volume(&claim).await.is_ok() {
            tokio::time::sleep(Duration::from_millis(20)).await;
        }
    };
    let removed = tokio::time::timeout(Duration::from_secs(20), removed).await;
    assert!(removed.is_ok(), "{claim} is left");
    http.get(&path)
        .await
        .refused(404, "DOCKER::SANDBOX_NOT_FOUND");
}

async fn what_could_not_be_removed_can_be_once_more(bench: Arc<Bench>) {
    use bollard::models::{ContainerCreateBody, HostConfig};
    use bollard::query_parameters::{CreateContainerOptions, RemoveContainerOptions};
    let engine = support::engine().await.unwrap();
    let claim = format!("osb-held-{}", uuid::Uuid::new_v4().simple());
    let pvc = json!({"claimName": claim, "deleteOnSandboxTermination": true});
    let volume = json!({"name": "v", "mountPath": "/v", "pvc": pvc});
    let id = bench.create(json!({"volumes": [volume]})).await;
    // Somebody else's container has the volume: the engine does not remove it.
    let holder = ContainerCreateBody {
        image: Some(bench.target.info().image.clone()),
        cmd: Some(vec!["true".into()]),
        host_config: Some(HostConfig {
            binds: Some(vec![format!("{claim}:/v")]),
            ..HostConfig::default()
        }),
        ..ContainerCreateBody::default()
    };
    let made = engine.create_container(None::<CreateContainerOptions>, holder);
    let holder = made.await.unwrap().id;
    let http = bench.http();
    let path = format!("/v1/sandboxes/{id}");
    let refused = http.delete(&path).await;
    engine
        .remove_container(&holder, None::<RemoveContainerOptions>)
        .await
        .unwrap();
    assert_eq!(refused.status, 500, "{}", refused.text());
    assert!(engine.inspect_volume(&claim).await.is_ok());
    assert_eq!(http.delete(&path).await.status, 204);
    assert!(engine.inspect_volume(&claim).await.is_err());
    http.get(&path)
        .await
        .refused(404, "DOCKER::SANDBOX_NOT_FOUND");
}
