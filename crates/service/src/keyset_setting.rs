//! The answer to a change of the keyset's settings.

use bailiwick_api::{KeysetSetting, routes};
use bailiwick_issuer::RevocationUrlReport;
use reqwest::Url;

/// Returns the answer to a change of the URL of the revocations of an issuer with this name.
#[must_use]
pub fn keyset_setting(issuer: &str, url: String, report: &RevocationUrlReport) -> KeysetSetting {
    KeysetSetting {
        usual_url: usual_revocation_url(issuer, &url),
        revocation_url: url,
        keyset_version: report.keyset_version,
        changed: report.changed,
    }
}

/// Returns the URL at which a service of this issuer serves the revocations if `url` names the issuer's own host and
/// another path there; `None` if `url` is that URL, or one elsewhere, such as at a cache.
#[must_use]
pub fn usual_revocation_url(issuer: &str, url: &str) -> Option<String> {
    let usual = format!(
        "{}{}",
        issuer.trim_end_matches('/'),
        routes::FEED_HEAD.path()
    );
    let (ours, given) = (Url::parse(&usual).ok()?, Url::parse(url).ok()?);
    let is_same_host = ours.host() == given.host()
        && ours.port_or_known_default() == given.port_or_known_default();
    (is_same_host && ours.path() != given.path()).then_some(usual)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn another_path_at_the_own_host_is_noticed() {
        let path = "/.well-known/bailiwick/revocations";
        for (issuer, url, is_usual) in [
            (
                "https://issuer.example",
                format!("https://issuer.example{path}"),
                true,
            ),
            (
                "https://issuer.example/",
                format!("https://ISSUER.example:443{path}"),
                true,
            ),
            (
                "https://issuer.example/a",
                format!("https://issuer.example/a{path}"),
                true,
            ),
            (
                "https://issuer.example",
                "https://cdn.example/revocations".to_owned(),
                true,
            ),
            (
                "https://issuer.example",
                "https://issuer.example:8443/revocations".to_owned(),
                true,
            ),
            (
                "https://issuer.example",
                "https://issuer.example/revocations".to_owned(),
                false,
            ),
            (
                "https://issuer.example",
                format!("https://issuer.example{path}/"),
                false,
            ),
            (
                "https://issuer.example/a",
                format!("https://issuer.example{path}"),
                false,
            ),
        ] {
            let usual = usual_revocation_url(issuer, &url);
            assert_eq!(usual.is_none(), is_usual, "{issuer}: {url}: {usual:?}");
        }
        assert_eq!(
            usual_revocation_url(
                "https://issuer.example",
                "https://issuer.example/revocations"
            ),
            Some(format!("https://issuer.example{path}"))
        );
    }
}
