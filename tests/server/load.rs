//! Many clients at once, for as long as `OSB_LOAD_SECONDS` says. Not among the others: it needs the
//! machine, and the process, for itself. `cargo test --test server load:: -- --ignored`

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::{Duration, Instant};

use serde_json::json;

use crate::bench::{Bench, on, shell};
use crate::client::Http;
use crate::support::descendants;

/// How many clients there are.
const CLIENTS: usize = 64;

/// How many MiB more than a quarter of the first the process may have at the end.
const SLACK: f64 = 8.0;

#[tokio::test(flavor = "multi_thread")]
#[ignore = "takes OSB_LOAD_SECONDS, 30 by default, and the whole machine"]
async fn clients_at_once_leave_nothing_and_take_no_more_memory_in_time() {
    on(Bench::local().await, clients_at_once).await;
}

async fn clients_at_once(bench: Arc<Bench>) {
    let seconds = std::env::var("OSB_LOAD_SECONDS").ok();
    let seconds = seconds.map_or(30.0, |text| text.parse().expect("a number of seconds"));
    let begun = Instant::now();
    let end = begun + Duration::from_secs_f64(seconds);
    let made = Arc::new(AtomicUsize::new(0));
    let clients = (0..CLIENTS).map(|_| {
        let (bench, made) = (Arc::clone(&bench), Arc::clone(&made));
        tokio::spawn(async move {
            while Instant::now() < end {
                once(&bench).await;
                made.fetch_add(1, Ordering::Relaxed);
            }
        })
    });
    let clients: Vec<_> = clients.collect();
    tokio::time::sleep(Duration::from_secs_f64(seconds / 5.0)).await;
    let (warm, early) = (resident(), made.load(Ordering::Relaxed));
    tokio::time::sleep_until(end.into()).await;
    let (late, all) = (resident(), made.load(Ordering::Relaxed));
    for client in clients {
        client.await.expect("no error");
    }
    let elapsed = begun.elapsed().as_secs_f64();
    println!(
        "{all} sandboxes within {seconds} s by {CLIENTS} clients ({:.0} a second), {early} of them \
         warm-up; {warm:.1} MiB then, {late:.1} MiB at the end, and the last gone after {elapsed:.1} s",
        all as f64 / seconds,
    );
    assert!(all > early && early > 0, "{early} of {all}");
    let limit = warm * 1.25 + SLACK;
    assert!(
        late <= limit,
        "{late:.1} MiB, where {limit:.1} would be flat"
    );
    assert_eq!(bench.count().await, 0);
    // Before the server ends: nothing waits for that.
    bench.assert_idle();
    let left = descendants();
    assert_eq!(left.len(), 1, "{left:?}");
}

/// One sandbox's life.
async fn once(bench: &Bench) {
    let id = bench.create(json!({})).await;
    let said = bench.execd(&id).run(&shell("echo $((6 * 7))")).await;
    assert_eq!(said.expect("a result").stdout, b"42\n");
    let deleted = Http::at(bench.address)
        .delete(&format!("/v1/sandboxes/{id}"))
        .await;
    assert_eq!(deleted.status, 204, "{}", deleted.text());
}

/// Resident memory of this process in MiB.
fn resident() -> f64 {
    let statm = std::fs::read_to_string("/proc/self/statm").expect("statm");
    let pages: f64 = statm
        .split(' ')
        .nth(1)
        .expect("pages")
        .parse()
        .expect("a number");
    // The kernel's page, on every machine that this runs on.
    pages * 4096.0 / f64::from(1 << 20)
}
