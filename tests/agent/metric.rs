//! Metrics, and the agent's own requests.

use std::time::{SystemTime, UNIX_EPOCH};

use osb_conformance::execd::protocol::Metrics;
use tokio::time::timeout;

use crate::support::{SOON, api, on_both, refused};

fn check(metrics: Metrics) {
    assert!(metrics.cpu_count > 0.0, "{metrics:?}");
    assert!((0.0..=100.0).contains(&metrics.cpu_used_pct), "{metrics:?}");
    assert!(metrics.mem_total_mib > 0.0, "{metrics:?}");
    assert!(
        (0.0..=metrics.mem_total_mib).contains(&metrics.mem_used_mib),
        "{metrics:?}"
    );
    let now = SystemTime::now().duration_since(UNIX_EPOCH).unwrap();
    let now = i64::try_from(now.as_millis()).unwrap();
    assert!(
        (now - 60_000..=now + 60_000).contains(&metrics.timestamp),
        "{metrics:?}"
    );
}

#[tokio::test]
async fn they_are_told_once_and_again() {
    on_both(async |client| {
        check(client.metrics().await.unwrap());
        let mut stream = client.watch_metrics().await.unwrap();
        let mut last = 0;
        for _ in 0..3 {
            let next = timeout(SOON, stream.next()).await.unwrap();
            let metrics = next.unwrap().unwrap();
            check(metrics);
            assert!(metrics.timestamp > last);
            last = metrics.timestamp;
        }
        drop(stream);
        client.ping().await.unwrap();
    })
    .await;
}

#[tokio::test]
async fn only_a_sandbox_of_its_own_is_frozen() {
    on_both(async |client| {
        assert_eq!(refused(client.freeze().await), api(500, "RUNTIME_ERROR"));
        assert_eq!(refused(client.thaw().await), api(500, "RUNTIME_ERROR"));
    })
    .await;
}
