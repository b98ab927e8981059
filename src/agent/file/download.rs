//! `GET /files/download`: a file, some of its bytes, or some of its lines.

use std::fs::File;
use std::io::{self, ErrorKind, Read, Seek, SeekFrom};
use std::path::Path;

use axum::body::Body;
use axum::extract::Query;
use axum::http::header::{
    ACCEPT_RANGES, CONTENT_DISPOSITION, CONTENT_LENGTH, CONTENT_RANGE, CONTENT_TYPE, RANGE,
};
use axum::http::{HeaderMap, HeaderValue, StatusCode};
use axum::response::{IntoResponse, Response};
use bytes::Bytes;

use crate::body;
use crate::error::Refusal;
use crate::file::line::Lines;
use crate::file::{detach, path, range, work};
use crate::server::Pairs;

/// How much of a file is read at a time.
const PIECE: usize = 64 << 10;

/// How many pieces may wait for the client.
const BACKLOG: usize = 4;

/// `GET /files/download`.
pub(crate) async fn download(
    headers: HeaderMap,
    Query(query): Query<Pairs>,
) -> Result<Response, Refusal> {
    let path = path::one(&query)?;
    let lines = Lines::asked(&query)?;
    let range = headers.get(RANGE);
    if lines.is_some() && range.is_some() {
        let message = "offset and limit do not go with the header Range";
        return Err(Refusal::body(message));
    }
    let range = range.map(|range| String::from_utf8_lossy(range.as_bytes()).into_owned());
    work(move || {
        let (file, length) = open(&path)?;
        if let Some(lines) = lines {
            let headers = [(CONTENT_TYPE, "text/plain; charset=utf-8")];
            return Ok((headers, send_lines(file, lines)).into_response());
        }
        let mut answer = send_bytes(&path, file, length, range.as_deref())?;
        let headers = answer.headers_mut();
        headers.insert(ACCEPT_RANGES, HeaderValue::from_static("bytes"));
        Ok(answer)
    })
    .await
}

/// The file, or the range of it.
fn send_bytes(
    path: &Path,
    mut file: File,
    length: u64,
    range: Option<&str>,
) -> Result<Response, Refusal> {
    let headers = [
        (CONTENT_TYPE, "application/octet-stream".to_owned()),
        (CONTENT_DISPOSITION, disposition(path)),
    ];
    let Some(asked) = range else {
        let size = [(CONTENT_LENGTH, length.to_string())];
        return Ok((headers, size, send(file, length)).into_response());
    };
    let Some(range) = range::parse(asked, length) else {
        let message = format!("the range \"{asked}\" is not within the file's {length} bytes");
        let status = StatusCode::RANGE_NOT_SATISFIABLE;
        let refusal = Refusal::new(status, "INVALID_RANGE", message);
        return Ok(([(CONTENT_RANGE, format!("bytes */{length}"))], refusal).into_response());
    };
    let (begin, end) = range.into_inner();
    let sought = file.seek(SeekFrom::Start(begin));
    sought.map_err(path::failed(path))?;
    let wanted = end - begin + 1;
    let place = [
        (CONTENT_LENGTH, wanted.to_string()),
        (CONTENT_RANGE, format!("bytes {begin}-{end}/{length}")),
    ];
    let answer = (headers, place, send(file, wanted));
    Ok((StatusCode::PARTIAL_CONTENT, answer).into_response())
}

fn open(path: &Path) -> Result<(File, u64), Refusal> {
    // Looked at first: to open a pipe is to wait for one who writes.
    let metadata = std::fs::metadata(path).map_err(path::failed(path))?;
    path::check_regular(path, &metadata)?;
    let file = File::open(path).map_err(path::failed(path))?;
    let metadata = file.metadata().map_err(path::failed(path))?;
    Ok((file, metadata.len()))
}

/// The next `length` bytes of a file, which has promised them.
fn send(mut file: File, length: u64) -> Body {
    let (pieces, body) = body::channel(BACKLOG);
    detach(Box::new(move || {
        let mut left = length;
        while left > 0 {
            let most = usize::try_from(left).unwrap_or(PIECE).min(PIECE);
            let piece = match read(&mut file, most) {
                // Less came than was announced.
                Ok(piece) if piece.is_empty() => Err(ErrorKind::UnexpectedEof.into()),
                other => other,
            };
            let is_last = piece.is_err();
            left -= piece.as_ref().map_or(0, |piece| piece.len() as u64);
            if pieces.blocking_send(piece).is_err() || is_last {
                return;
            }
        }
    }));
    body
}

fn send_lines(mut file: File, mut lines: Lines) -> Body {
    let (pieces, body) = body::channel(BACKLOG);
    detach(Box::new(move || {
        while !lines.is_done() && !pieces.is_closed() {
            let (piece, is_last) = match read(&mut file, PIECE) {
                Ok(piece) if piece.is_empty() => (Ok(Bytes::from_static(lines.rest())), true),
                Ok(piece) => (Ok(Bytes::from(lines.cut(&piece))), false),
                Err(error) => (Err(error), true),
            };
            // Nothing is wanted of most pieces where lines are left out.
            let is_empty = piece.as_ref().is_ok_and(Bytes::is_empty);
            if (!is_empty && pieces.blocking_send(piece).is_err()) || is_last {
                return;
            }
        }
    }));
    body
}

/// Up to `most` bytes; none at the end.
fn read(file: &mut File, most: usize) -> io::Result<Bytes> {
    let mut piece = vec![0; most];
    loop {
        match file.read(&mut piece) {
            Err(error) if error.kind() == ErrorKind::Interrupted => {}
            Err(error) => return Err(error),
            Ok(count) => {
                piece.truncate(count);
                return Ok(piece.into());
            }
        }
    }
}

/// The header that names the file, for those who can read any name and for those who cannot
/// (RFC 6266).
fn disposition(path: &Path) -> String {
    let name = path.file_name().unwrap_or_default().to_string_lossy();
    let is_plain = |byte: char| matches!(byte, ' '..='~') && !matches!(byte, '"' | '\\' | '%');
    if name.chars().all(is_plain) {
        return format!("attachment; filename=\"{name}\"");
    }
    let plain = name.replace(|byte| !is_plain(byte), "_");
    let mut encoded = String::new();
    for byte in name.bytes() {
        if byte.is_ascii_alphanumeric() || b"-._~".contains(&byte) {
            encoded.push(char::from(byte));
        } else {
            encoded.push_str(&format!("%{byte:02X}"));
        }
    }
    format!("attachment; filename=\"{plain}\"; filename*=UTF-8''{encoded}")
}

#[cfg(test)]
mod tests {
    use std::path::Path;

    use super::disposition;

    #[test]
    fn any_name_fits_into_a_header() {
        let header = |path| disposition(Path::new(path));
        assert_eq!(header("/a/b c.txt"), "attachment; filename=\"b c.txt\"");
        let odd = "attachment; filename=\"___\"; filename*=UTF-8''%C3%A4%22%0A";
        assert_eq!(header("/ä\"\n"), odd);
    }
}
