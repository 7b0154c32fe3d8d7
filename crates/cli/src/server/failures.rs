//! Failures of requests to a remote issuer: its own refusals, and answers of proxies in front of it.

use bailiwick_api::{ProblemCode, ProblemDetails};
use bailiwick_token::{
    escape::{code, visible},
    json,
};
use reqwest::StatusCode;

use crate::exit::{Exit, Failure};

/// Length of an operator's token, in bytes, from which the default limits of proxies may refuse the request. nginx and
/// Apache take 8 KiB for one header.
const LONG_TOKEN: usize = 4 * 1024;

/// The failure that an answer reports. `token` is the length of the operator's token, if one was sent.
pub(super) fn refused(status: StatusCode, bytes: &[u8], token: Option<usize>) -> Failure {
    let Ok(problem) = json::from_slice::<ProblemDetails>(bytes) else {
        return foreign(status, token);
    };
    let exit = match problem.code {
        ProblemCode::Denied | ProblemCode::Unauthenticated => Exit::Denied,
        ProblemCode::NotFound => Exit::NotFound,
        ProblemCode::Guarded => Exit::Guarded,
        ProblemCode::BadRequest => Exit::Usage,
        _ => Exit::Remote,
    };
    // The text comes from another machine, and a line break in it could forge a hint.
    let failure = Failure::new(exit, visible(&problem.detail));
    match problem.code {
        ProblemCode::Unauthenticated if token.is_none() => {
            failure.hint("give --operator-token-file, or set BAILIWICK_OPERATOR_TOKEN")
        }
        _ => failure,
    }
}

/// The failure of an answer that is not an issuer's, but perhaps that of a proxy in front of it.
fn foreign(status: StatusCode, token: Option<usize>) -> Failure {
    // 494 is nginx's own status for a header that is too large; 502 is the answer of a proxy whose upstream hung up.
    let may_be_the_header = matches!(status.as_u16(), 400 | 413 | 414 | 431 | 494 | 502);
    match long(token) {
        Some(bytes) if may_be_the_header => Failure::plain(
            Exit::Remote,
            format!(
                "a proxy in front of the issuer answered {status}, perhaps because the operator's token, a header of {bytes} bytes, is above its limit"
            ),
        )
        .hint(LARGER_HEADERS),
        _ => Failure::plain(
            Exit::Remote,
            format!("the server answered {status}, which is not the answer of an issuer"),
        )
        .hint("check that --server is the URL of a Bailiwick issuer, and read the log of any proxy in front of it"),
    }
}

/// The hint for a proxy that refuses a long token.
const LARGER_HEADERS: &str = "raise the limit on request headers in the proxy (nginx: `large_client_header_buffers 4 64k`), or mint a token with fewer grants";

/// The length of a token that a proxy may refuse.
fn long(token: Option<usize>) -> Option<usize> {
    token.filter(|bytes| *bytes >= LONG_TOKEN)
}

/// The failure of a request to this issuer without an answer. `token` is the length of the operator's token, if one was
/// sent.
pub(super) fn unreachable(issuer: &str, error: &reqwest::Error, token: Option<usize>) -> Failure {
    // The address has no password: `SafeUrl` refuses one.
    let issuer = code(issuer);
    // The error's own text names the URL. Only its last cause describes the failure.
    let mut cause: &dyn std::error::Error = error;
    while let Some(source) = cause.source() {
        cause = source;
    }
    let failure = |what: String| Failure::plain(Exit::Remote, what);
    match (error.is_connect(), long(token)) {
        (true, _) => failure(format!("the issuer at {issuer} cannot be reached ({cause}), and nothing was sent"))
            .hint("check --server and the network, and give your own certificate authority with --ca"),
        (false, None) => failure(format!("the issuer at {issuer} did not answer ({cause})"))
            .hint("check --server and the network, and whether the request was carried out anyway"),
        (false, Some(bytes)) => failure(format!(
            "the issuer at {issuer} did not answer ({cause}), perhaps because the operator's token, a header of {bytes} bytes, is above the limit of a proxy"
        ))
        .hint(format!(
            "check the network, and whether the request was carried out anyway; {LARGER_HEADERS}"
        )),
    }
}

/// The failure of an answer that no issuer of this version gives.
pub(crate) fn unreadable() -> Failure {
    Failure::plain(Exit::Remote, "the issuer's answer cannot be read")
        .hint("use the same version on both sides, since the answer may be of another version")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_proxy_that_refuses_a_long_token_is_named() {
        let page = b"<html><title>400 Request Header Or Cookie Too Large</title></html>";
        for status in [400, 414, 431, 494, 502] {
            let status = StatusCode::from_u16(status).unwrap_or_default();
            let failure = refused(status, page, Some(10_240));
            assert!(failure.message().contains("10240 bytes"), "{failure:?}");
            let hint = failure.what_next().unwrap_or_default();
            assert!(hint.contains("large_client_header_buffers 4 64k"), "{hint}");
        }
    }

    #[test]
    fn other_refusals_do_not_blame_the_token() {
        let page = b"<html></html>";
        for (status, token) in [
            (StatusCode::BAD_REQUEST, Some(700)),
            (StatusCode::BAD_REQUEST, None),
            (StatusCode::NOT_FOUND, Some(10_240)),
        ] {
            let failure = refused(status, page, token);
            assert!(!failure.message().contains("bytes"), "{failure:?}");
            let hint = failure.what_next().unwrap_or_default();
            assert!(hint.contains("--server"), "{hint}");
        }
        let problem = br#"{"status":400,"code":"bad_request","detail":"`ttl` is too large; send fewer seconds"}"#;
        let failure = refused(StatusCode::BAD_REQUEST, problem, Some(10_240));
        assert_eq!(failure.message(), "`ttl` is too large");
        assert_eq!(failure.what_next(), Some("send fewer seconds"));
    }
}
