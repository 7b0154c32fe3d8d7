//! Texts near conditions: addresses, URLs, paths, lines.

use crate::condition::{Email, Ip, PathUnder, Scheme, UrlAt};

/// Maximum number of listed names that are tried for one condition.
const MAX_LISTED: usize = 64;

/// A text with its neighbours.
pub(super) fn around(text: &str) -> Vec<String> {
    let mut shorter = text.to_owned();
    shorter.pop();
    vec![
        text.to_owned(),
        format!("{text}x"),
        format!("x{text}"),
        format!("x{text}x"),
        format!("{text}/x"),
        format!("{text}/../x"),
        format!("{text}\n"),
        format!(" {text}"),
        text.to_uppercase(),
        text.to_lowercase(),
        shorter,
    ]
}

/// Texts on one line and on several.
pub(super) fn lines() -> Vec<String> {
    [
        "one line",
        "two\nlines",
        "hidden\u{200b}",
        "turned\u{202e}",
        "",
    ]
    .map(str::to_owned)
    .to_vec()
}

/// Texts with and without links.
pub(super) fn links(at: Option<&UrlAt>) -> Vec<String> {
    let mut texts = vec![
        "no link".to_owned(),
        "see https://other.example/x".to_owned(),
        "see www.other.example".to_owned(),
        "mail a@other.example".to_owned(),
    ];
    let urls = at.map(urls).unwrap_or_default();
    texts.extend(urls.into_iter().map(|url| format!("see {url}")));
    texts
}

/// Addresses at the domains, below them, and elsewhere.
pub(super) fn emails(email: &Email) -> Vec<String> {
    let exactly = email.domains.exactly.iter().take(MAX_LISTED);
    let under = email.domains.under.iter().take(MAX_LISTED);
    let mut texts = Vec::new();
    for domain in exactly.chain(under) {
        texts.extend([
            format!("ada@{domain}"),
            format!("ada@mail.{domain}"),
            format!("ada+tag@{domain}"),
            format!("ada+tag@mail.{domain}"),
            format!("Ada@{}", domain.to_uppercase()),
            format!("eve@other.example,a@{domain}"),
            format!("a@{domain}\r\nBcc: eve@other.example"),
        ]);
    }
    texts.push("eve@other.example".to_owned());
    texts
}

/// URLs at the hosts, below them, at other ports, schemes and paths.
pub(super) fn urls(at: &UrlAt) -> Vec<String> {
    let scheme = at.schemes.first().map_or("https", |scheme| scheme.as_str());
    let path = at.path_under.as_deref().unwrap_or("");
    let exactly = at.hosts.exactly.iter().take(MAX_LISTED).cloned();
    let under = at
        .hosts
        .under
        .iter()
        .take(MAX_LISTED)
        .map(|host| format!("api.{host}"));
    let mut texts = Vec::new();
    for host in exactly.chain(under) {
        texts.extend([
            format!("{scheme}://{host}{path}/x"),
            format!("{scheme}://{host}/"),
            format!("{scheme}://{host}{path}/x?q=1"),
            format!("{scheme}://{host}{path}x"),
            format!("{scheme}://{host}:8443{path}/x"),
            format!("{scheme}://{host}.other.example{path}/x"),
            format!("{scheme}://sub.{host}{path}/x"),
            format!("{scheme}://{host}@other.example{path}/x"),
        ]);
        texts.extend(Scheme::ALL.map(|scheme| format!("{}://{host}{path}/x", scheme.as_str())));
        texts.extend(
            at.port
                .map(|port| format!("{scheme}://{host}:{port}{path}/x")),
        );
    }
    // A domain whose subdomains are allowed is not allowed itself.
    let bare = at.hosts.under.iter().take(MAX_LISTED);
    texts.extend(bare.map(|host| format!("{scheme}://{host}{path}/x")));
    texts.push(format!("{scheme}://other.example{path}/x"));
    texts
}

/// Paths below the folder, with plain names and others, and beside it.
pub(super) fn paths(path: &PathUnder) -> Vec<String> {
    let under = &path.under;
    let above = under.rsplit_once('/').map_or("", |(above, _)| above);
    vec![
        format!("{under}/x"),
        format!("{under}/x/y.txt"),
        under.clone(),
        format!("{under}/"),
        format!("{under}x"),
        format!("{under}/../x"),
        format!("{under}/a;b"),
        format!("{under}/-x"),
        format!("{above}/other"),
        "/etc/passwd".to_owned(),
    ]
}

/// The ends of each network, and their neighbours.
pub(super) fn addresses(ip: &Ip) -> Vec<String> {
    use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};

    let mut texts = Vec::new();
    for network in ip.networks().iter().take(MAX_LISTED) {
        let (first, last) = (network.network(), network.broadcast());
        let before = match first {
            IpAddr::V4(first) => u32::from(first)
                .checked_sub(1)
                .map(|n| IpAddr::V4(Ipv4Addr::from(n))),
            IpAddr::V6(first) => u128::from(first)
                .checked_sub(1)
                .map(|n| IpAddr::V6(Ipv6Addr::from(n))),
        };
        let behind = match last {
            IpAddr::V4(last) => u32::from(last)
                .checked_add(1)
                .map(|n| IpAddr::V4(Ipv4Addr::from(n))),
            IpAddr::V6(last) => u128::from(last)
                .checked_add(1)
                .map(|n| IpAddr::V6(Ipv6Addr::from(n))),
        };
        let near = [Some(first), Some(last), before, behind];
        texts.extend(
            near.into_iter()
                .flatten()
                .map(|address| address.to_string()),
        );
        if let IpAddr::V4(first) = first {
            texts.push(format!("::ffff:{first}"));
        }
    }
    texts.extend(["192.0.2.1", "2001:db8::1"].map(str::to_owned));
    texts
}
