//! What is Docker's alone: images, and where limits are seen.

use crate::bench::{Bench, claim, on};
use osb_conformance::sandbox::{CreateSandboxRequest, ImageSpec, ResourceLimits};
use osb_conformance::target::Handle;
use serde_json::json;

#[tokio::test(flavor = "multi_thread")]
async fn a_request_names_its_own_image_and_limits() {
    on(Bench::docker().await, async |bench| {
        let request = CreateSandboxRequest {
            image: Some(ImageSpec {
                uri: "NOT/valid".into(),
                auth: None,
            }),
            entrypoint: Some(vec!["true".into()]),
            resource_limits: Some(ResourceLimits::default()),
            ..CreateSandboxRequest::default()
        };
        let handle = Handle::new(bench.owner.clone(), bench.name());
        let error = bench.target.create(&handle, &request).await.unwrap_err();
        assert!(
            (400..=500).contains(&error.api().unwrap().status),
            "{error}"
        );
        assert_eq!(bench.remains().await, []);
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn an_image_that_cannot_be_pulled_leaves_nothing() {
    on(Bench::docker().await, async |bench| {
        let mut unpullable = claim(&bench.name(), json!({}));
        unpullable["image"] = json!({"uri": "localhost:1/no/such:image"});
        assert_eq!(
            bench.refused(unpullable).await.code,
            "DOCKER::SANDBOX_IMAGE_PULL_FAILED"
        );
        assert_eq!(bench.remains().await, []);
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn the_memory_limit_is_the_containers() {
    on(Bench::docker().await, async |bench| {
        let limits = json!({"resourceLimits": {"memory": "128Mi", "cpu": "250m"}});
        let sandbox = bench.create(limits).await;
        let limit = sandbox
            .out("cat /sys/fs/cgroup/memory/memory.limit_in_bytes /sys/fs/cgroup/memory.max 2>/dev/null || true")
            .await;
        assert_eq!(limit.trim(), "134217728");
    })
    .await;
}
