//! Texts with a form of their own, read by hand.

use std::net::IpAddr;

use bailiwick_token::condition::{Email, PathChars, PathUnder, UrlAt};
use unicode_normalization::UnicodeNormalization;

fn are_digits(text: &str) -> bool {
    !text.is_empty() && text.bytes().all(|c| c.is_ascii_digit())
}

/// A decimal in millionths, and its decimals as written.
pub fn decimal(text: &str) -> Option<(i128, u8)> {
    let (sign, digits) = match text.strip_prefix('-') {
        Some(digits) => (-1, digits),
        None => (1, text),
    };
    let (whole, fraction) = digits.split_once('.').unwrap_or((digits, ""));
    let has_point = digits.contains('.');
    let whole_fits =
        are_digits(whole) && whole.len() <= 15 && (whole == "0" || !whole.starts_with('0'));
    let fraction_fits = !has_point || (are_digits(fraction) && fraction.len() <= 6);
    if !whole_fits || !fraction_fits {
        return None;
    }
    let micros: i128 = format!("{whole}{fraction:0<6}").parse().ok()?;
    let decimals = u8::try_from(fraction.len()).ok()?;
    let is_in_range = i64::try_from(micros).is_ok();
    (is_in_range && !(sign < 0 && micros == 0)).then_some((sign * micros, decimals))
}

/// Returns true for `YYYY-MM-DD` if the day exists, 1970 to 9999.
pub fn is_day(text: &str) -> bool {
    let parts: Vec<&str> = text.split('-').collect();
    let [year, month, day] = parts[..] else {
        return false;
    };
    let shape = [year.len(), month.len(), day.len()] == [4, 2, 2]
        && parts.iter().all(|part| are_digits(part));
    let number = |text: &str| text.parse::<u32>().unwrap_or(0);
    shape
        && (1970..=9999).contains(&number(year))
        && (1..=days_of(number(year), number(month))).contains(&number(day))
}

fn days_of(year: u32, month: u32) -> u32 {
    let leaps = year.is_multiple_of(4) && (!year.is_multiple_of(100) || year.is_multiple_of(400));
    match month {
        2 => 28 + u32::from(leaps),
        4 | 6 | 9 | 11 => 30,
        1..=12 => 31,
        _ => 0,
    }
}

/// A date-time of RFC 3339 in microseconds since 1970.
pub fn instant(text: &str) -> Option<i64> {
    let (day, rest) = text.split_once('T')?;
    if !is_day(day) || !text.is_ascii() {
        return None;
    }
    let (clock, offset) = match rest.strip_suffix('Z') {
        Some(clock) => (clock, 0),
        None => {
            let (clock, offset) = rest.split_at_checked(rest.len().checked_sub(6)?)?;
            let sign = match offset.as_bytes()[0] {
                b'+' => 1,
                b'-' => -1,
                _ => return None,
            };
            let (hours, minutes) = (two(&offset[1..3])?, two(&offset[4..])?);
            let total = hours * 60 + minutes;
            let fits = &offset[3..4] == ":"
                && minutes < 60
                && total <= 14 * 60
                && !(sign < 0 && total == 0);
            (clock, fits.then_some(sign * total)?)
        }
    };
    let (whole, decimals) = clock.split_once('.').unwrap_or((clock, "0"));
    let parts: Vec<&str> = whole.split(':').collect();
    let [hour, minute, second] = parts[..] else {
        return None;
    };
    let (hour, minute, second) = (two(hour)?, two(minute)?, two(second)?);
    let fits =
        hour < 24 && minute < 60 && second < 60 && are_digits(decimals) && decimals.len() <= 6;
    let number = |text: &str| text.parse::<u32>().unwrap_or(0);
    let (year, month, date) = (number(&day[..4]), number(&day[5..7]), number(&day[8..]));
    let before = (1970..year).map(|year| 337 + days_of(year, 2)).sum::<u32>();
    let days = before + (1..month).map(|month| days_of(year, month)).sum::<u32>() + date - 1;
    let minutes = (i64::from(days) * 24 + hour) * 60 + minute - offset;
    let micros: i64 = format!("{decimals:0<6}").parse().ok()?;
    fits.then_some((minutes * 60 + second) * 1_000_000 + micros)
}

fn two(text: &str) -> Option<i64> {
    (text.len() == 2 && are_digits(text)).then(|| text.parse().ok())?
}

/// The patterns of random grants, each with its meaning.
pub const PATTERNS: [&str; 4] = ["47[0-9]{2}", "[a-z]+", "a|ab", ".{0,3}"];

/// Returns true if the whole text matches one of [`PATTERNS`].
pub fn matches(pattern: &str, text: &str) -> bool {
    match pattern {
        "47[0-9]{2}" => text.len() == 4 && text.starts_with("47") && are_digits(text),
        "[a-z]+" => !text.is_empty() && text.bytes().all(|c| c.is_ascii_lowercase()),
        "a|ab" => text == "a" || text == "ab",
        ".{0,3}" => {
            text.chars().count() <= 3 && !text.chars().any(|c| c.is_control() || is_separator(c))
        }
        other => {
            // The patterns of the tests of denials, `b{1,N}`.
            let most = other
                .strip_prefix("b{1,")
                .and_then(|rest| rest.strip_suffix('}'));
            let most: usize = most
                .and_then(|most| most.parse().ok())
                .expect("a known pattern");
            (1..=most).contains(&text.len()) && text.bytes().all(|c| c == b'b')
        }
    }
}

fn is_separator(c: char) -> bool {
    c == '\u{2028}' || c == '\u{2029}'
}

/// Returns true if no character of the text breaks the line or cannot be seen, among those of random calls.
pub fn is_one_line(text: &str) -> bool {
    !text
        .chars()
        .any(|c| c.is_control() || is_separator(c) || is_hidden(c))
}

fn is_hidden(c: char) -> bool {
    matches!(c, '\u{ad}' | '\u{200b}'..='\u{200f}' | '\u{202a}'..='\u{202e}' | '\u{2060}'..='\u{206f}' | '\u{feff}' | '\u{e000}'..='\u{f8ff}')
}

/// Returns true if the text contains something that programs turn into a link.
pub fn has_link(text: &str) -> bool {
    let lower = text.to_lowercase();
    let is_marked = ["://", "//", "\\\\", "](", "<", ">", "www."]
        .iter()
        .any(|mark| lower.contains(mark));
    let chars: Vec<char> = text.chars().collect();
    let of_scheme = |c: &char| c.is_ascii_alphanumeric() || "+-.".contains(*c);
    let mut colons = (0..chars.len()).filter(|place| chars[*place] == ':');
    let has_scheme = colons.any(|place| {
        let before = chars[..place].iter().rev();
        let word = before.take_while(|c| of_scheme(c)).last();
        word.is_some_and(char::is_ascii_alphabetic)
            && chars.get(place + 1).is_some_and(|c| !c.is_whitespace())
    });
    let has_address = chars
        .windows(2)
        .any(|pair| pair[0] == '@' && pair[1].is_alphanumeric());
    let dots = ['.', '\u{3002}', '\u{ff0e}', '\u{ff61}', '\u{2024}'];
    let mut names = text.split(|c: char| !(c.is_alphanumeric() || c == '-' || dots.contains(&c)));
    let has_domain = names.any(|name| {
        let labels: Vec<&str> = name.split(dots).filter(|label| !label.is_empty()).collect();
        labels.len() > 1
            && labels[labels.len() - 1]
                .chars()
                .filter(|c| c.is_alphabetic())
                .count()
                > 1
    });
    let has_hidden = text
        .chars()
        .any(|c| is_hidden(c) || (c.is_control() && !c.is_whitespace()));
    is_marked || has_scheme || has_address || has_domain || has_hidden
}

/// Returns true if a domain in lower case is listed itself, or is a subdomain of one in `under`.
fn is_at(exactly: bool, under: impl IntoIterator<Item = String>, domain: &str) -> bool {
    exactly
        || under
            .into_iter()
            .any(|above| domain.len() > above.len() + 1 && domain.ends_with(&format!(".{above}")))
}

fn are_labels(domain: &str) -> bool {
    domain.split('.').all(|label| {
        (1..=63).contains(&label.len())
            && label
                .bytes()
                .all(|c| c.is_ascii_alphanumeric() || c == b'-')
            && !label.starts_with('-')
            && !label.ends_with('-')
    })
}

pub fn is_email(email: &Email, text: &str) -> bool {
    let Some((local, domain)) = text.rsplit_once('@') else {
        return false;
    };
    let domain = domain.to_ascii_lowercase();
    let is_local = !local.is_empty()
        && local.len() <= 64
        && local
            .bytes()
            .all(|c| c.is_ascii_alphanumeric() || b"_.+-".contains(&c))
        && !local.starts_with(['.', '+', '-'])
        && !local.ends_with('.')
        && !local.contains("..")
        && (email.tag || !local.contains('+'));
    let is_listed = email.domains.exactly.contains(&domain);
    let has_alias = domain.split('.').any(|label| label.get(2..4) == Some("--"));
    let is_at = is_at(is_listed, email.domains.under.clone(), &domain);
    text.len() <= 254 && is_local && are_labels(&domain) && is_at && (is_listed || !has_alias)
}

/// Returns true for a URL in the one form that random grants and calls have: a host in lower case, a path of plain
/// characters, perhaps a port and a query.
pub fn is_url(at: &UrlAt, text: &str) -> bool {
    let Some((scheme, rest)) = text.split_once("://") else {
        return false;
    };
    let Some((authority, path)) = rest.split_once('/') else {
        return false;
    };
    let default = match scheme {
        "http" | "ws" => "80",
        "https" | "wss" => "443",
        _ => return false,
    };
    let (host, port) = authority
        .split_once(':')
        .map_or((authority, None), |(host, port)| (host, Some(port)));
    let port_fits = port.is_none_or(|port| {
        let is_written = are_digits(port) && !port.starts_with('0') && port != default;
        is_written && at.port.is_some_and(|listed| listed.to_string() == port)
    });
    let (path, query) = path
        .split_once('?')
        .map_or((path, None), |(path, query)| (path, Some(query)));
    let plain = |text: &str, also: &str| {
        text.bytes()
            .all(|c| c.is_ascii_alphanumeric() || also.as_bytes().contains(&c))
    };
    let segments_fit = path
        .split('/')
        .all(|segment| !matches!(segment, "." | ".."));
    let path = format!("/{path}");
    let below = |above: &String| path == *above || path.starts_with(&format!("{above}/"));
    at.schemes.iter().any(|one| one.as_str() == scheme)
        && are_labels(host)
        && !host.bytes().any(|c| c.is_ascii_uppercase())
        && is_at(
            at.hosts.exactly.contains(host),
            at.hosts.under.clone(),
            host,
        )
        && port_fits
        && plain(&path, "/-._~")
        && segments_fit
        && at.path_under.as_ref().is_none_or(below)
        && query.is_none_or(|query| at.query && plain(query, "=&"))
}

/// Returns true for a path below the directory, among the texts of random calls, which are ASCII.
pub fn is_path(path: &PathUnder, text: &str) -> bool {
    let below = text.strip_prefix(&format!("{}/", path.under));
    below.is_some_and(|below| {
        below.split('/').all(|segment| {
            let is_name = !segment.is_empty()
                && segment != "."
                && segment != ".."
                && !segment.chars().any(char::is_control);
            let is_plain = segment
                .bytes()
                .all(|c| c.is_ascii_alphanumeric() || b" ._-+@=,()".contains(&c))
                && !segment.starts_with(['-', '~', ' '])
                && !segment.ends_with([' ', '.'])
                && !segment.split('.').next().is_some_and(|stem| {
                    ["con", "nul", "com1"].contains(&stem.to_ascii_lowercase().as_str())
                });
            is_name && (path.chars == PathChars::Any || is_plain)
        })
    })
}

/// Returns true if the network contains the address. A mapped address counts as its IPv4 address. An address in a range
/// that embeds IPv4 addresses is only in networks within that range.
pub fn is_in(network: &str, address: IpAddr) -> bool {
    let (base, length) = network.split_once('/').expect("a network");
    let base: IpAddr = base.parse().expect("an address");
    let length: u32 = length.parse().expect("a length");
    let share =
        |a: u128, b: u128, bits: u32, length: u32| length == 0 || (a ^ b) >> (bits - length) == 0;
    match (base, address.to_canonical()) {
        (IpAddr::V4(base), IpAddr::V4(address)) => {
            share(base.to_bits().into(), address.to_bits().into(), 32, length)
        }
        (IpAddr::V6(base), IpAddr::V6(address)) => {
            let mut embedding = [("64:ff9b::", 96), ("2002::", 16), ("::", 96)].into_iter();
            let (base, address) = (base.to_bits(), address.to_bits());
            let is_named = embedding.all(|(prefix, embedded)| {
                let prefix: std::net::Ipv6Addr = prefix.parse().expect("an address");
                let prefix = prefix.to_bits();
                !share(prefix, address, 128, embedded)
                    || (length >= embedded && share(prefix, base, 128, embedded))
            });
            share(base, address, 128, length) && is_named
        }
        _ => false,
    }
}

/// The text as the most tolerant receiver would compare it.
pub fn folded(text: &str) -> String {
    let folded = text
        .nfkc()
        .flat_map(char::to_uppercase)
        .flat_map(char::to_lowercase)
        .nfkc();
    let shown = folded.filter(|c| !c.is_whitespace() && !c.is_control() && !is_hidden(*c));
    shown.collect::<String>().trim_start_matches('0').to_owned()
}
