//! The header `Range`.

use std::ops::RangeInclusive;

/// The bytes that a `Range` header asks for, of a file of `length` bytes; `None` where it asks for
/// none that are there. Of several ranges it is the first, as execd has it.
pub(crate) fn parse(header: &str, length: u64) -> Option<RangeInclusive<u64>> {
    let (unit, ranges) = header.split_once('=')?;
    if !unit.trim().eq_ignore_ascii_case("bytes") {
        return None;
    }
    let (begin, end) = ranges.split(',').next()?.trim().split_once('-')?;
    let last = length.checked_sub(1)?;
    if begin.is_empty() {
        let count = number(end)?;
        return (count > 0).then(|| length.saturating_sub(count)..=last);
    }
    let begin = number(begin)?;
    let end = if end.is_empty() { last } else { number(end)? };
    (begin <= end && begin <= last).then(|| begin..=end.min(last))
}

/// One that is too large for a number is beyond the end of any file.
fn number(text: &str) -> Option<u64> {
    let is_number = !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_digit());
    is_number.then(|| text.parse().unwrap_or(u64::MAX))
}

#[cfg(test)]
mod tests {
    use super::parse;

    #[test]
    fn ranges_are_cut_at_the_end_of_the_file() {
        for (header, range) in [
            ("bytes=0-9", 0..=9),
            ("bytes=0-0", 0..=0),
            ("bytes=99-", 99..=99),
            ("bytes=-5", 95..=99),
            ("bytes=-500", 0..=99),
            ("bytes=90-99999999999999999999999", 90..=99),
            ("Bytes = 1-2", 1..=2),
            ("bytes=0-1,5-6", 0..=1),
        ] {
            assert_eq!(parse(header, 100), Some(range), "{header}");
        }
        for header in [
            "bytes=100-",
            "bytes=99999-",
            "bytes=-0",
            "bytes=5-3",
            "bytes=-",
            "bytes=+1-2",
            "bytes=a-b",
            "bytes",
            "lines=0-1",
            "",
        ] {
            assert_eq!(parse(header, 100), None, "{header}");
        }
        assert_eq!(parse("bytes=0-9", 0), None);
        assert_eq!(parse("bytes=-1", 0), None);
    }
}
