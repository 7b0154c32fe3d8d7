//! Conversion of grants and claims to Biscuit blocks and back. Defines the names of the facts.
//!
//! Strings enter Datalog as terms, never by concatenation, and blocks are read from their decoded
//! structure, never from printed Datalog, which does not survive a second parse.

use bailiwick_biscuit::datalog::{Block, BlockCheck, Kind, Predicate, Query, Term};

use crate::{caveat::Caveat, claims::Claims, grant::Grants};

mod authority;
mod caveat;
mod conditions;
mod depth;
mod encode;
mod recognize;
mod sink;
mod tree;
mod written;

pub use authority::{Authority, AuthorityError, authority, claims};
pub use caveat::{CheckMeaning, ValidityLimit, grant, limit, max_depth, meaning};
pub use conditions::{conditions, needs_other};
pub use depth::bounds_depth_from_above;
pub use encode::DatalogError;
pub use written::{written_grants, written_scope};

/// The version of the token profile that this crate reads and writes.
pub const PROFILE: &str = "bailiwick/1";

/// The names of the profile's facts.
pub mod names {
    /// Facts that only the verifier states, about the call. No fact and no rule head in a token has such a name.
    pub const RESERVED: [&str; 12] = [
        TIME,
        SERVICE,
        ACTION,
        RESOURCE,
        ARGS,
        ARG,
        NUM,
        DATE,
        JSON,
        DEPTH,
        "approval",
        "request_digest",
    ];
    /// Reserved like the names in [`RESERVED`].
    pub const NOW: &str = "now";
    /// Facts that only the authority block may state.
    pub const AUTHORITY_ONLY: [&str; 9] = [
        PROFILE, ISSUER, TOKEN_ID, AGENT, PRINCIPAL, ISSUED_AT, TENANT, HOLDER, GRANT,
    ];

    /// `time($date)`: the verifier's clock.
    pub const TIME: &str = "time";
    /// `service($string)`: the verifier's own name.
    pub const SERVICE: &str = "service";
    /// `action($string)`: what is called.
    pub const ACTION: &str = "action";
    /// `resource($string)`: what is acted on.
    pub const RESOURCE: &str = "resource";
    /// `args($set)`: the names of the arguments, and the empty string.
    pub const ARGS: &str = "args";
    /// `arg($name, $value)`: a scalar, or an array of scalars.
    pub const ARG: &str = "arg";
    /// `num($name, $micros)`: a number in millionths.
    pub const NUM: &str = "num";
    /// `date($name, $date)`: a string that is a date-time.
    pub const DATE: &str = "date";
    /// `json($name, $text)`: the canonical text of a nested argument.
    pub const JSON: &str = "json";
    /// `depth($int)`: the number of appended blocks.
    pub const DEPTH: &str = "depth";

    /// `profile("bailiwick/1")`
    pub const PROFILE: &str = "profile";
    /// `issuer($string)`
    pub const ISSUER: &str = "issuer";
    /// `token_id($bytes16)`
    pub const TOKEN_ID: &str = "token_id";
    /// `agent($string)`
    pub const AGENT: &str = "agent";
    /// `principal($string)`
    pub const PRINCIPAL: &str = "principal";
    /// `issued_at($date)`
    pub const ISSUED_AT: &str = "issued_at";
    /// `tenant($string)`
    pub const TENANT: &str = "tenant";
    /// `task($string)`
    pub const TASK: &str = "task";
    /// `holder($bytes32)`
    pub const HOLDER: &str = "holder";
    /// `claim($name, $value)`
    pub const CLAIM: &str = "claim";
    /// `grant($action)`: the head of the rules that grant.
    pub const GRANT: &str = "grant";
    /// `delegate($string)`: the agent to whom a holder handed the token on.
    pub const DELEGATE: &str = "delegate";
}

/// Returns true if a block may use the name neither for a fact nor in the head of a rule.
#[must_use]
pub fn is_reserved(name: &str) -> bool {
    names::RESERVED.contains(&name) || name == names::NOW
}

/// Builds the authority block of `claims` and `grants`.
///
/// # Errors
/// [`DatalogError`] if the claims or grants do not fit the profile.
pub fn authority_block(claims: &Claims, grants: &Grants) -> Result<Block, DatalogError> {
    authority::encode(claims, grants)
}

/// Builds one appended block: a scope, an end, a delegate and a task, each if given.
///
/// # Errors
/// [`DatalogError`] if a description is too long.
pub fn appended_block(caveat: &Caveat) -> Result<Block, DatalogError> {
    caveat::encode(caveat)
}

/// The Datalog of grants as an authority block holds it, for people.
#[must_use]
pub fn show(grants: &Grants) -> String {
    let rules = encode::rules(grants);
    rules.iter().map(|rule| format!("{rule};\n")).collect()
}

fn fact(name: &str, terms: Vec<Term>) -> Predicate {
    Predicate::new(name, terms)
}

/// A check with one alternative per query.
fn check(queries: Vec<Query>) -> BlockCheck {
    BlockCheck {
        kind: Kind::One,
        queries,
    }
}
