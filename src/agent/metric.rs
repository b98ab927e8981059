//! `/metrics`: processors and memory, as `/proc` tells of the machine.

use std::fs;
use std::time::Duration;

use axum::Json;
use axum::http::header::CONTENT_TYPE;
use axum::response::{IntoResponse, Response};
use osb_conformance::execd::protocol::Metrics;
use tokio::time::sleep;

use crate::body;
use crate::error::Refusal;
use crate::event::now;

/// How long the processors are watched for one answer. They are counted in hundredths of a
/// second: much less would tell little.
const WATCHED: Duration = Duration::from_millis(250);

/// From one line of the watch to the next.
const PERIOD: Duration = Duration::from_secs(1);

/// `GET /metrics`.
pub(crate) async fn get() -> Result<Json<Metrics>, Refusal> {
    let before = Ticks::read()?;
    sleep(WATCHED).await;
    Ok(Json(measure(&before)?.1))
}

/// `GET /metrics/watch`: a line of JSON every second, until the client leaves.
pub(crate) async fn watch() -> Result<Response, Refusal> {
    let mut before = Ticks::read()?;
    let (lines, body) = body::channel(1);
    tokio::spawn(async move {
        loop {
            tokio::select! {
                () = lines.closed() => return,
                () = sleep(PERIOD) => {}
            }
            // Too late to refuse: the watch ends.
            let Ok((ticks, metrics)) = measure(&before) else {
                return;
            };
            before = ticks;
            let mut line = serde_json::to_vec(&metrics).unwrap_or_default();
            line.push(b'\n');
            if lines.send(Ok(line.into())).await.is_err() {
                return;
            }
        }
    });
    Ok(([(CONTENT_TYPE, "text/event-stream")], body).into_response())
}

/// The processors' time since the machine started.
#[derive(Debug, PartialEq, Eq)]
struct Ticks {
    processors: u32,
    idle: u64,
    total: u64,
}

impl Ticks {
    fn read() -> Result<Self, Refusal> {
        let stat = read("/proc/stat")?;
        Self::parse(&stat).ok_or_else(|| unreadable("/proc/stat", "it has no line cpu"))
    }

    fn parse(stat: &str) -> Option<Self> {
        let all = stat.lines().find_map(|line| line.strip_prefix("cpu "))?;
        // The time of guests, behind these eight, is part of user's and nice's.
        let fields: Vec<u64> = all
            .split_ascii_whitespace()
            .take(8)
            .map_while(|field| field.parse().ok())
            .collect();
        let is_one = |line: &&str| {
            let rest = line.strip_prefix("cpu");
            rest.is_some_and(|rest| rest.starts_with(|byte: char| byte.is_ascii_digit()))
        };
        Some(Self {
            processors: u32::try_from(stat.lines().filter(is_one).count()).ok()?,
            // A processor that waits for a disk does nothing either.
            idle: fields.get(3)? + fields.get(4).unwrap_or(&0),
            total: fields.iter().sum(),
        })
    }

    /// How much of the time from `before` to now was in use, of 100.
    fn used_since(&self, before: &Self) -> f64 {
        let total = self.total.saturating_sub(before.total);
        // The kernel's count of idle time may run back a little.
        let idle = self.idle.saturating_sub(before.idle).min(total);
        if total == 0 {
            return 0.0;
        }
        (total - idle) as f64 * 100.0 / total as f64
    }
}

fn measure(before: &Ticks) -> Result<(Ticks, Metrics), Refusal> {
    let ticks = Ticks::read()?;
    let meminfo = read("/proc/meminfo")?;
    let mib = |name: &str| {
        kib(&meminfo, name)
            .map(|kib| kib as f64 / 1024.0)
            .ok_or_else(|| unreadable("/proc/meminfo", &format!("it has no line {name}")))
    };
    let total = mib("MemTotal")?;
    let metrics = Metrics {
        cpu_count: f64::from(ticks.processors),
        cpu_used_pct: ticks.used_since(before),
        mem_total_mib: total,
        mem_used_mib: (total - mib("MemAvailable")?).max(0.0),
        timestamp: now(),
    };
    Ok((ticks, metrics))
}

/// One line of `/proc/meminfo`.
fn kib(meminfo: &str, name: &str) -> Option<u64> {
    let mut lines = meminfo.lines();
    let rest = lines.find_map(|line| line.strip_prefix(name)?.strip_prefix(':'))?;
    rest.trim().strip_suffix("kB")?.trim_end().parse().ok()
}

fn read(path: &str) -> Result<String, Refusal> {
    fs::read_to_string(path).map_err(|error| unreadable(path, &error.to_string()))
}

fn unreadable(path: &str, why: &str) -> Refusal {
    Refusal::runtime(format!("\"{path}\": {why}"))
}

#[cfg(test)]
mod tests {
    use super::{Ticks, kib};

    #[test]
    fn use_is_what_is_not_idle() {
        let read = |stat: &str| Ticks::parse(stat).expect("a line cpu");
        let before = read("cpu  10 0 10 80 0 0 0 0 5 5\ncpu0 1\ncpu1 1\nctxt 1\n");
        assert_eq!((before.processors, before.idle, before.total), (2, 80, 100));
        let after = read("cpu  60 0 10 100 30 0 0 0 5 5\ncpu0 1\n");
        assert!((after.used_since(&before) - 50.0).abs() < 1e-9);
        assert!(before.used_since(&before).abs() < 1e-9);
        assert_eq!(Ticks::parse("intr 1\n"), None);
    }

    #[test]
    fn memory_is_read_by_name() {
        let meminfo = "MemTotal:       2048 kB\nMemAvailable:   1024 kB\n";
        assert_eq!(kib(meminfo, "MemTotal"), Some(2048));
        assert_eq!(kib(meminfo, "Mem"), None);
    }
}
