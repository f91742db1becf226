//! Why nothing was fetched, and whether to ask again.

use std::io;
use std::time::Duration;

use ureq::http::{HeaderMap, StatusCode, Uri};

use super::{FetchError, RETRY_AFTER_MAX};

/// Whether to ask again.
pub(super) enum Failure {
    /// No.
    Final(FetchError),
    /// Yes.
    ForNow(FetchError),
}

pub(super) fn wrong(text: String) -> Failure {
    Failure::Final(text.into())
}

pub(super) fn host(uri: &Uri) -> &str {
    uri.authority().map_or("the server", |authority| authority.as_str())
}

/// A status other than 200.
pub(super) fn refused(uri: &Uri, status: StatusCode, headers: &HeaderMap) -> Failure {
    let advice = match status.as_u16() {
        401 | 403 => ": check the credentials of the source",
        404 | 410 => ": check its location",
        _ => "",
    };
    let error = FetchError {
        text: format!("{} answers {status}{advice}", host(uri)),
        status: Some(status),
        retry_after: retry_after(headers),
    };
    match status.is_server_error() || status == StatusCode::TOO_MANY_REQUESTS {
        true => Failure::ForNow(error),
        false => Failure::Final(error),
    }
}

/// How long a server asks to be left alone: in seconds, or until a moment by its own clock (RFC 9110 section 10.2.3).
fn retry_after(headers: &HeaderMap) -> Option<Duration> {
    let text = |name: &str| headers.get(name)?.to_str().ok().map(str::trim);
    let date = |name: &str| jiff::fmt::rfc2822::parse(text(name)?).ok().map(|at| at.timestamp().as_second());
    let seconds = match text("retry-after")?.parse::<u64>() {
        Ok(seconds) => seconds,
        Err(_) => u64::try_from(date("retry-after")?.saturating_sub(date("date")?)).unwrap_or(0),
    };
    Some(Duration::from_secs(seconds).min(RETRY_AFTER_MAX))
}

pub(super) fn failed(uri: &Uri, error: &ureq::Error) -> Failure {
    let text = FetchError::from(format!("{} cannot be asked: {error}", host(uri)));
    match error {
        ureq::Error::Io(io) if io.kind() == io::ErrorKind::PermissionDenied => Failure::Final(text),
        ureq::Error::Io(_)
        | ureq::Error::Timeout(_)
        | ureq::Error::HostNotFound
        | ureq::Error::ConnectionFailed
        | ureq::Error::Protocol(_) => Failure::ForNow(text),
        _ => Failure::Final(text),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn servers_say_in_seconds_or_by_their_clock_how_long_to_wait() {
        let wait = |headers: &[(&'static str, &'static str)]| {
            let mut map = HeaderMap::new();
            for (name, value) in headers {
                map.insert(*name, value.parse().unwrap());
            }
            retry_after(&map).map(|wait| wait.as_secs())
        };
        let date = ("date", "Sun, 06 Nov 1994 08:49:37 GMT");
        assert_eq!(wait(&[("retry-after", "120")]), Some(120));
        assert_eq!(wait(&[("retry-after", "Sun, 06 Nov 1994 08:50:37 GMT"), date]), Some(60));
        assert_eq!(wait(&[("retry-after", "Sun, 06 Nov 1994 08:48:37 GMT"), date]), Some(0), "over");
        assert_eq!(wait(&[("retry-after", "99999999")]), Some(86_400));
        assert_eq!(wait(&[("retry-after", "Sun, 06 Nov 1994 08:50:37 GMT")]), None, "by no clock");
        assert_eq!((wait(&[("retry-after", "soon"), date]), wait(&[])), (None, None));
    }
}
