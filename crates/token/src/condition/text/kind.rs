//! Names of the kinds of conditions in their text.

pub(in crate::condition) const PRESENT: &str = "present";
pub(in crate::condition) const EXACT: &str = "exact";
pub(in crate::condition) const ONE_OF: &str = "one_of";
pub(in crate::condition) const NOT_ONE_OF: &str = "not_one_of";
pub(in crate::condition) const PREFIX: &str = "prefix";
pub(in crate::condition) const SUFFIX: &str = "suffix";
pub(in crate::condition) const CONTAINS: &str = "contains";
pub(in crate::condition) const ALL_OF_IN: &str = "all_of_in";
pub(in crate::condition) const MAX_LEN: &str = "max_len";
pub(in crate::condition) const DATE: &str = "date";
pub(in crate::condition) const NUMBER: &str = "number";
pub(in crate::condition) const DECIMAL: &str = "decimal";
pub(in crate::condition) const DAY: &str = "day";
pub(in crate::condition) const INSTANT: &str = "instant";
pub(in crate::condition) const MATCHES: &str = "matches";
pub(in crate::condition) const ONE_LINE: &str = "one_line";
pub(in crate::condition) const LINKS: &str = "links";
pub(in crate::condition) const EMAIL: &str = "email";
pub(in crate::condition) const URL: &str = "url";
pub(in crate::condition) const PATH: &str = "path";
pub(in crate::condition) const IP: &str = "ip";
pub(in crate::condition) const COUNT: &str = "count";
pub(in crate::condition) const SUM: &str = "sum";
pub(in crate::condition) const EQUALS_SUM: &str = "equals_sum";
pub(in crate::condition) const EQUALS_ARG: &str = "equals_arg";
pub(in crate::condition) const DIFFERS_FROM_ARG: &str = "differs_from_arg";
pub(in crate::condition) const MEMBERS: &str = "members";

/// The member beside the kind: for each part of the path, true if it may be absent.
pub(in crate::condition) const OPTIONAL: &str = "optional";
