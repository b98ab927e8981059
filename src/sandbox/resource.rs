//! Resource limits: Kubernetes-style quantities.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use super::error::ApiError;

/// `resourceLimits` of a request (`ResourceLimits`): an open map of quantities.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(transparent)]
pub struct ResourceLimits(pub BTreeMap<String, String>);

/// The limits that a runtime applies, in machine units.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Quantity {
    /// CPU time, in billionths of a core; `None` for no limit.
    pub nano_cpus: Option<i64>,
    /// Memory, in bytes; `None` for no limit.
    pub memory_bytes: Option<i64>,
}

impl ResourceLimits {
    /// Reads the limits.
    ///
    /// # Errors
    /// `SANDBOX::INVALID_PARAMETER` for a quantity that cannot be read and for a resource that is
    /// neither `cpu` nor `memory`: a limit that would not be applied is refused, not ignored.
    pub fn quantity(&self) -> Result<Quantity, ApiError> {
        let mut quantity = Quantity::default();
        for (key, value) in &self.0 {
            let refuse = |why: &str| {
                ApiError::invalid_parameter(format!("resourceLimits.{key} \"{value}\" {why}"))
            };
            match key.as_str() {
                "cpu" => {
                    let nanos = cpu(value)
                        .ok_or_else(|| refuse("is not a CPU quantity such as \"500m\" or \"1\""))?;
                    quantity.nano_cpus = Some(nanos);
                }
                "memory" => {
                    let bytes = memory(value)
                        .ok_or_else(|| refuse("is not a memory quantity such as \"512Mi\""))?;
                    quantity.memory_bytes = Some(bytes);
                }
                _ => return Err(refuse("cannot be applied: only cpu and memory can")),
            }
        }
        Ok(quantity)
    }
}

fn cpu(text: &str) -> Option<i64> {
    let (digits, unit) = match text.strip_suffix('m') {
        Some(milli) => (milli, 1e6),
        None => (text, 1e9),
    };
    positive(digits, unit)
}

fn memory(text: &str) -> Option<i64> {
    let split = text
        .find(|c: char| c.is_ascii_alphabetic())
        .unwrap_or(text.len());
    let (digits, unit) = text.split_at(split);
    let power = |base: f64, n: i32| Some(base.powi(n));
    let factor = match unit.to_ascii_lowercase().as_str() {
        "" => Some(1.0),
        "k" => power(1000.0, 1),
        "m" => power(1000.0, 2),
        "g" => power(1000.0, 3),
        "t" => power(1000.0, 4),
        "ki" => power(1024.0, 1),
        "mi" => power(1024.0, 2),
        "gi" => power(1024.0, 3),
        "ti" => power(1024.0, 4),
        _ => None,
    }?;
    positive(digits, factor)
}

/// `digits` times `factor` as a whole positive number, or nothing.
fn positive(digits: &str, factor: f64) -> Option<i64> {
    if digits.is_empty() || !digits.chars().all(|c| c.is_ascii_digit() || c == '.') {
        return None;
    }
    let value = digits.parse::<f64>().ok()? * factor;
    (value >= 1.0 && value < i64::MAX as f64).then_some(value.round() as i64)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(key: &str, value: &str) -> Result<Quantity, ApiError> {
        ResourceLimits(BTreeMap::from([(key.into(), value.into())])).quantity()
    }

    #[test]
    fn quantities_are_read() {
        assert_eq!(
            read("cpu", "500m").expect("ok").nano_cpus,
            Some(500_000_000)
        );
        assert_eq!(
            read("cpu", "1.5").expect("ok").nano_cpus,
            Some(1_500_000_000)
        );
        assert_eq!(
            read("memory", "256Mi").expect("ok").memory_bytes,
            Some(268_435_456)
        );
        assert_eq!(
            read("memory", "1G").expect("ok").memory_bytes,
            Some(1_000_000_000)
        );
        assert_eq!(
            read("memory", "1.5Gi").expect("ok").memory_bytes,
            Some(1_610_612_736)
        );
    }

    #[test]
    fn what_cannot_be_applied_is_refused_and_named() {
        for (key, value) in [
            ("cpu", "zz"),
            ("cpu", "-1"),
            ("cpu", "0"),
            ("memory", "1Xi"),
            ("memory", ""),
            ("memory", "1e9999"),
            ("gpu", "1"),
        ] {
            let error = read(key, value).expect_err(value);
            assert_eq!(
                (error.status, error.code.as_str()),
                (400, "SANDBOX::INVALID_PARAMETER")
            );
            assert!(error.message.contains(key), "{}", error.message);
        }
    }
}
