//! The rules of each backend.

use crate::sandbox::volume::{Host, Ossfs, Pvc};

/// A broken backend rule: its code and what was wrong.
pub(super) type Broken = (&'static str, String);

pub(super) fn check_host(host: &Host) -> Result<(), Broken> {
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
    if path.contains('\0') {
        wrong("must not contain a zero byte")
    } else if !path.starts_with('/') && !windows {
        wrong("must be absolute")
    } else if path.split('/').any(|part| part == "..") {
        wrong("must not contain \"..\"")
    } else if path.contains("//") || (path.len() > 1 && path.ends_with('/')) {
        wrong("must not contain \"//\" or end with \"/\"")
    } else {
        Ok(())
    }
}

pub(super) fn check_pvc(pvc: &Pvc) -> Result<(), Broken> {
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

pub(super) fn check_ossfs(ossfs: &Ossfs) -> Result<(), Broken> {
    let bucket = &ossfs.bucket;
    let bucket_ok = (3..=63).contains(&bucket.len())
        && bucket
            .chars()
            .all(|c| c.is_ascii_lowercase() || c.is_ascii_digit() || c == '-')
        && !bucket.starts_with('-')
        && !bucket.ends_with('-');
    if !bucket_ok {
        return Err((
            "VOLUME::INVALID_OSSFS_BUCKET",
            format!(
                "ossfs.bucket \"{bucket}\" must have 3 to 63 characters of a-z, 0-9 and \"-\", the \
                 last not at either end"
            ),
        ));
    }
    let endpoint = &ossfs.endpoint;
    let host = |c: char| c.is_ascii_alphanumeric() || ".-:/[]".contains(c);
    if endpoint.is_empty() || endpoint.starts_with('-') || !endpoint.chars().all(host) {
        return Err((
            "VOLUME::INVALID_OSSFS_ENDPOINT",
            format!("ossfs.endpoint \"{endpoint}\" must be a host, maybe with a scheme and a port"),
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
pub(super) fn is_dns_label(text: &str) -> bool {
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
