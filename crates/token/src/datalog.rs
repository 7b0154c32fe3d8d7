//! Conversion of grants and claims to Biscuit blocks and back, and the names of the profile's facts.
//!
//! Strings enter Datalog as terms, never by concatenation, and blocks are read from their decoded structure,
//! never from printed Datalog, which cannot be parsed back without loss.

use bailiwick_biscuit::datalog::{Block, BlockCheck, Kind, Predicate, Query, Term};

use crate::{caveat::Caveat, claims::Claims, grant::Grants};

mod authority;
mod caveat;
mod conditions;
mod depth;
mod encode;
mod native;
mod recognize;
mod sink;
mod tree;
mod written;

pub use authority::{Authority, AuthorityError, authority, claims};
pub use caveat::{CheckMeaning, ValidityLimit, grant, limit, max_depth, meaning};
pub use conditions::{conditions, needs_other};
pub use depth::bounds_depth_from_above;
pub use encode::DatalogError;
pub use native::{Native, has_each_outside_meets, natives, natives_of};
pub use written::{written_grants, written_scope};

/// The version of the token profile that this crate reads and writes.
pub const PROFILE: &str = "bailiwick/1";

/// The names of the profile's facts.
pub mod names {
    /// Facts that only the verifier states, to describe the call. No fact and no rule head in a token may have
    /// such a name.
    pub const RESERVED: [&str; 15] = [
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
        MEETS,
        DURING,
        "approval",
        "request_digest",
        "call_digest",
    ];
    /// A further reserved name, like those in [`RESERVED`].
    pub const NOW: &str = "now";
    /// Facts that only the authority block may state.
    pub const AUTHORITY_ONLY: [&str; 9] = [
        PROFILE, ISSUER, TOKEN_ID, AGENT, PRINCIPAL, ISSUED_AT, TENANT, HOLDER, GRANT,
    ];

    /// `time($date)`: the verifier's clock.
    pub const TIME: &str = "time";
    /// `service($string)`: the verifier's own name.
    pub const SERVICE: &str = "service";
    /// `action($string)`: the action of the call.
    pub const ACTION: &str = "action";
    /// `resource($string)`: the resource of the call.
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
    /// `meets($path, $condition)`: a condition that plain Datalog cannot express, and that the arguments meet.
    pub const MEETS: &str = "meets";
    /// `during($window)`: a window of time that the verifier's clock is in.
    pub const DURING: &str = "during";
    /// `depth($int)`: the number of appended blocks.
    pub const DEPTH: &str = "depth";

    /// `profile("bailiwick/1")`: the version of the token profile.
    pub const PROFILE: &str = "profile";
    /// `issuer($string)`: the issuer's name.
    pub const ISSUER: &str = "issuer";
    /// `token_id($bytes16)`: the id of the token.
    pub const TOKEN_ID: &str = "token_id";
    /// `agent($string)`: the agent that may act.
    pub const AGENT: &str = "agent";
    /// `principal($string)`: the principal on whose authority the agent acts.
    pub const PRINCIPAL: &str = "principal";
    /// `issued_at($date)`: the time of minting.
    pub const ISSUED_AT: &str = "issued_at";
    /// `tenant($string)`: the tenant in which the agent acts.
    pub const TENANT: &str = "tenant";
    /// `task($string)`: the purpose of the token, in words.
    pub const TASK: &str = "task";
    /// `holder($bytes32)`: the key of the holder that the token is bound to.
    pub const HOLDER: &str = "holder";
    /// `claim($name, $value)`: a further claim.
    pub const CLAIM: &str = "claim";
    /// `grant($action)`: the head of the rules that express grants.
    pub const GRANT: &str = "grant";
    /// `delegate($string)`: the agent to whom a holder passed the token on.
    pub const DELEGATE: &str = "delegate";
}

/// Returns true if no fact and no rule head in a block may have this name.
#[must_use]
pub fn is_reserved(name: &str) -> bool {
    names::RESERVED.contains(&name) || name == names::NOW
}

/// Builds the authority block for `claims` and `grants`.
///
/// # Errors
/// [`DatalogError`] if the claims or grants do not fit the profile.
pub fn authority_block(claims: &Claims, grants: &Grants) -> Result<Block, DatalogError> {
    authority::encode(claims, grants)
}

/// Builds an appended block from those parts of a caveat that are set: scope, expiry, delegate and task.
///
/// # Errors
/// [`DatalogError`] if a description is too long.
pub fn appended_block(caveat: &Caveat) -> Result<Block, DatalogError> {
    caveat::encode(caveat)
}

/// Prints grants for people, as the Datalog of an authority block.
#[must_use]
pub fn show(grants: &Grants) -> String {
    let rules = encode::rules(grants);
    rules.iter().map(|rule| format!("{rule};\n")).collect()
}

fn fact(name: &str, terms: Vec<Term>) -> Predicate {
    Predicate::new(name, terms)
}

/// Makes a check with one alternative per query.
fn check(queries: Vec<Query>) -> BlockCheck {
    BlockCheck {
        kind: Kind::One,
        queries,
    }
}
