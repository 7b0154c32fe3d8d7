//! One structured record for each decision, and counters by reason.

use std::{
    borrow::Cow,
    sync::atomic::{AtomicU64, AtomicUsize, Ordering},
};

use bailiwick_token::escape::quote;

use crate::{
    decision::{Decision, Reason},
    explain::{Values, shortened},
    request::Request,
};

/// How many calls were allowed, denied by each reason, and let pass by shadow mode.
#[derive(Debug, Default)]
pub struct Counters([Share; SHARES]);

const SHARES: usize = 8;

/// What some of the threads counted. Each share has cache lines of its own: threads that count in one take
/// it from one another with every decision.
#[derive(Debug, Default)]
#[repr(align(128))]
struct Share {
    allowed: AtomicU64,
    denied: [AtomicU64; Reason::ALL.len()],
    would_deny: AtomicU64,
}

impl Counters {
    /// Calls allowed.
    #[must_use]
    pub fn allowed(&self) -> u64 {
        self.sum(|share| Some(&share.allowed))
    }

    /// Calls denied for this reason, those that shadow mode let pass included.
    #[must_use]
    pub fn denied(&self, reason: Reason) -> u64 {
        self.sum(|share| share.denied(reason))
    }

    /// Calls that would have been denied, and that shadow mode let pass.
    #[must_use]
    pub fn would_deny(&self) -> u64 {
        self.sum(|share| Some(&share.would_deny))
    }

    fn sum(&self, counter: impl Fn(&Share) -> Option<&AtomicU64>) -> u64 {
        let counters = self.0.iter().filter_map(counter);
        counters
            .map(|counter| counter.load(Ordering::Relaxed))
            .sum()
    }

    pub(crate) fn count(&self, decision: &Decision, shadow: bool) {
        let Some(share) = self.0.get(place()) else {
            return;
        };
        let one = |counter: &AtomicU64| counter.fetch_add(1, Ordering::Relaxed);
        match decision.reason() {
            None => drop(one(&share.allowed)),
            Some(reason) => {
                share.denied(reason).map(one);
                if shadow {
                    one(&share.would_deny);
                }
            }
        }
    }
}

impl Share {
    fn denied(&self, reason: Reason) -> Option<&AtomicU64> {
        let index = Reason::ALL
            .iter()
            .position(|candidate| *candidate == reason)?;
        self.denied.get(index)
    }
}

/// Where this thread counts.
fn place() -> usize {
    static THREADS: AtomicUsize = AtomicUsize::new(0);
    thread_local! {
        static PLACE: usize = THREADS.fetch_add(1, Ordering::Relaxed) % SHARES;
    }
    PLACE.with(|place| *place)
}

/// The most bytes of argument names in a record.
const MAX_NAMES: usize = 512;

/// The most characters of one argument name in a record.
const MAX_NAME: usize = 64;

/// The argument names as a list within [`MAX_NAMES`]. The caller chose them, so a name that could
/// pass for several or for something else is quoted.
fn names(request: &Request) -> String {
    let mut list = String::new();
    let mut left = request.argument_names();
    while let Some(name) = left.next() {
        let name = printed(name);
        if list.len().saturating_add(name.len()) > MAX_NAMES {
            list.push_str(&format!("… and {} more", left.len().saturating_add(1)));
            break;
        }
        if !list.is_empty() {
            list.push(',');
        }
        list.push_str(&name);
    }
    list
}

/// One name, cut, and quoted unless it is plain.
fn printed(name: &str) -> Cow<'_, str> {
    let (cut, mark) = match name.char_indices().nth(MAX_NAME) {
        Some((end, _)) => (name.get(..end).unwrap_or_default(), "…"),
        None => (name, ""),
    };
    let plain = |c: char| c.is_ascii_alphanumeric() || matches!(c, '_' | '-');
    match mark.is_empty() && !cut.is_empty() && cut.chars().all(plain) {
        true => Cow::Borrowed(cut),
        false => Cow::Owned(format!("{}{mark}", quote(cut))),
    }
}

/// Emits the record: names of arguments, never their values, and never token bytes.
pub(crate) fn emit(service: &str, request: Option<&Request>, decision: &Decision, shadow: bool) {
    if !tracing::enabled!(tracing::Level::WARN) {
        return;
    }
    let identity = decision.identity();
    let chain: Vec<&str> = identity
        .iter()
        .flat_map(|identity| &identity.chain)
        .filter_map(|link| link.delegate.as_deref())
        .collect();
    let token_id = identity.map(|identity| identity.token_id.to_string());
    let action = request.map(|request| shortened(request.action()));
    macro_rules! record {
        ($level:ident, $text:literal, $outcome:expr) => {
            tracing::$level!(
                decision = $outcome,
                reason = decision.reason().map(Reason::code),
                service,
                "gen_ai.tool.name" = action,
                arguments = request.map(names),
                token_id,
                agent = identity.map(|identity| identity.agent.as_str()),
                principal = identity.map(|identity| identity.principal.as_str()),
                // Each quoted: a delegate's name must not pass for two.
                chain = ?chain,
                explain = decision.explain(Values::Hidden).join("; "),
                $text
            )
        };
    }
    match (decision, shadow) {
        (Decision::Allow(_), _) => record!(info, "call allowed", "allow"),
        (Decision::Deny(_), false) => record!(info, "call denied", "deny"),
        (Decision::Deny(_), true) => record!(warn, "call let pass by shadow mode", "would_deny"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn named(names_of_arguments: &[&str]) -> String {
        let request = Request::new("order:create");
        names(
            &names_of_arguments
                .iter()
                .fold(request, |request, name| request.arg(name, 1)),
        )
    }

    #[test]
    fn plain_names_are_listed() {
        assert_eq!(named(&[]), "");
        assert_eq!(
            named(&["currency", "amount", "due-date"]),
            "amount,currency,due-date"
        );
    }

    #[test]
    fn misleading_names_are_quoted() {
        assert_eq!(named(&["amount,currency"]), r#""amount,currency""#);
        assert_eq!(named(&["a\" agent=\"x"]), r#""a\" agent=\"x""#);
        assert_eq!(named(&["a\nb\u{202e}\u{9b}"]), r#""a\nb\u202e\u009b""#);
        assert_eq!(named(&[""]), r#""""#);
    }

    #[test]
    fn long_and_many_names_are_cut() {
        let long = "n".repeat(65_000);
        assert_eq!(named(&[&long]), format!("\"{}\"…", "n".repeat(MAX_NAME)));
        let many: Vec<String> = (0..9_000).map(|number| format!("name{number}")).collect();
        let many: Vec<&str> = many.iter().map(String::as_str).collect();
        let listed = named(&many);
        assert!(listed.len() <= MAX_NAMES + 40, "{}", listed.len());
        let (shown, more) = listed.rsplit_once("… and ").unwrap();
        let more: usize = more.strip_suffix(" more").unwrap().parse().unwrap();
        assert_eq!(shown.split(',').count() + more, many.len());
        // Characters that are escaped grow, and the bound holds for what is written.
        let wide: Vec<String> = (0..100)
            .map(|number| format!("{}{number}", "\u{202e}".repeat(60)))
            .collect();
        let wide: Vec<&str> = wide.iter().map(String::as_str).collect();
        assert!(named(&wide).len() <= MAX_NAMES + 40);
    }
}
