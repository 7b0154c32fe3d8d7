//! `Content-Type` (RFC 9110 section 8.3), for bodies that are text.

use axum::http::{HeaderMap, header::CONTENT_TYPE};
use mime::Mime;

/// Returns the media type of a body in UTF-8: the only `Content-Type`, provided that it states no other
/// charset.
///
/// A header that is repeated, or that a strict parser refuses, counts as absent. Otherwise a handler could
/// follow a `charset =utf-16` or a second `charset` that the check overlooked, and read a different text.
#[must_use]
pub fn utf8(headers: &HeaderMap) -> Option<Mime> {
    let mut values = headers.get_all(CONTENT_TYPE).iter();
    let (value, None) = (values.next()?, values.next()) else {
        return None;
    };
    let media: Mime = value.to_str().ok()?.parse().ok()?;
    let utf8 = media.params().all(|(name, value)| {
        let name = name.as_str().to_ascii_lowercase();
        match name.strip_prefix("charset") {
            None => true,
            Some("") => ["utf-8", "utf8"]
                .iter()
                .any(|utf8| value.as_str().eq_ignore_ascii_case(utf8)),
            // `charset*` and `charset*0` of RFC 2231 spell a charset in yet another way.
            Some(_) => false,
        }
    });
    utf8.then_some(media)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(values: &[&str]) -> Option<String> {
        let mut headers = HeaderMap::new();
        for value in values {
            headers.append(CONTENT_TYPE, value.parse().unwrap());
        }
        utf8(&headers).map(|media| media.essence_str().to_owned())
    }

    #[test]
    fn utf8_is_accepted() {
        for value in [
            "application/json",
            "Application/JSON",
            "application/json;charset=utf-8",
            "application/json; charset=UTF-8",
            "application/json; charset=utf8",
            "application/json;  charset=\"utf-8\"",
            "application/json; CHARSET=\"Utf-8\"",
            "application/json; version=1; charset=utf-8",
            "application/json; charset=utf-8; charset=utf-8",
        ] {
            assert_eq!(
                read(&[value]).as_deref(),
                Some("application/json"),
                "{value}"
            );
        }
    }

    #[test]
    fn other_charsets_are_refused() {
        for value in [
            "application/json; charset=utf-16",
            "application/json; charset =utf-16",
            "application/json; charset= utf-16",
            "application/json; charset = utf-16",
            "application/json ;charset=utf-16",
            "application/json;charset\t=utf-16",
            "application/json; CHARSET=UTF-16",
            "application/json; charset=\"utf-16\"",
            "application/json; charset=\"utf\\-8\"",
            "application/json; charset='utf-8'",
            "application/json; charset=utf-8; charset=utf-16",
            "application/json; charset=utf-16; charset=utf-8",
            "application/json; charset=utf-8; CharSet=\"utf-16\"",
            "application/json; x=\"; charset=utf-8\"; charset=utf-16",
            "application/json; charset*=utf-8''utf-16",
            "application/json; charset*0=utf; charset*1=-16",
            "application/json; charset=",
            "application/json; charset",
            "application/json; charset=utf-7",
            "application/json; charset=us-ascii",
            "application/json, text/plain; charset=utf-16",
            "application/json charset=utf-16",
            "json",
            "",
        ] {
            assert_eq!(read(&[value]), None, "{value}");
        }
        assert_eq!(read(&[]), None);
        assert_eq!(read(&["application/json", "application/json"]), None);
    }
}
