//! Limits on the size of a call.

/// Maximum length of a call's text in bytes, unless a service allows longer calls.
pub const DEFAULT_CALL_BYTES: usize = 64 * 1024;

/// Maximum length of a call's text that a service may allow, in bytes.
pub const MAX_CALL_BYTES: usize = 4 * 1024 * 1024;

/// Maximum number of arguments and members of a call of the default length. A longer call may have more in proportion.
pub const MAX_FACTS: usize = 1024;

/// Maximum total length of all paths to members, in bytes. A path repeats the names of all enclosing members, so a
/// short call could expand to megabytes. A service that allows calls longer than half of this limit allows paths of
/// twice that length.
pub const MAX_PATH_BYTES: usize = 512 * 1024;

/// The limits on a call, which follow from the longest text that the service allows.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct CallLimits {
    /// Maximum length of the text.
    pub(crate) bytes: usize,
    /// Maximum number of arguments and members.
    pub(super) facts: usize,
    /// Maximum total length of the paths to members.
    pub(super) path_bytes: usize,
}

impl CallLimits {
    /// The limits for texts of up to `bytes`, but at most [`MAX_CALL_BYTES`].
    pub(crate) fn of(bytes: usize) -> CallLimits {
        const BYTES_PER_FACT: usize = DEFAULT_CALL_BYTES / MAX_FACTS;
        let bytes = bytes.min(MAX_CALL_BYTES);
        CallLimits {
            bytes,
            facts: MAX_FACTS.max(bytes / BYTES_PER_FACT),
            path_bytes: MAX_PATH_BYTES.max(bytes.saturating_mul(2)),
        }
    }
}
