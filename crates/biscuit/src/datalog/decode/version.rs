//! The versions of Datalog, and the features that came with each.

/// The supported versions, as the field `version` of a block numbers them: 3.0 to 3.3.
pub(super) const VERSIONS: std::ops::RangeInclusive<u32> = V3_0..=V3_3;

const V3_0: u32 = 3;
const V3_1: u32 = 4;
const V3_2: u32 = 5;
const V3_3: u32 = 6;

/// A part of the language that is newer than Datalog 3.0.
///
/// A block that uses a feature but declares an older version is refused. Other libraries refuse it too, and all
/// readers must agree.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Feature {
    KindOfCheck,
    Trusting,
    PublicKeys,
    Bitwise,
    NotEqual,
    ThirdParty,
    RejectIf,
    Null,
    Array,
    Map,
    Closure,
    TypeOf,
    External,
    Lenient,
    Lazy,
    Quantifier,
    Get,
    TryOr,
}

impl Feature {
    /// The feature's name for people, and the version that introduced it (Biscuit specification, "Datalog" and
    /// "Third-party block datalog version").
    const fn introduced(self) -> (&'static str, u32) {
        // The specification decides the version, even where biscuit-auth accepts a feature in an older one.
        match self {
            Feature::KindOfCheck => ("a check that names its kind, such as `check all`", V3_1),
            Feature::Trusting => ("`trusting`", V3_1),
            Feature::PublicKeys => ("public keys", V3_1),
            Feature::Bitwise => ("a bitwise operator", V3_1),
            Feature::NotEqual => ("`!==`", V3_1),
            Feature::ThirdParty => ("a third party's signature", V3_2),
            Feature::RejectIf => ("`reject if`", V3_3),
            Feature::Null => ("`null`", V3_3),
            Feature::Array => ("an array", V3_3),
            Feature::Map => ("a map", V3_3),
            Feature::Closure => ("a closure", V3_3),
            Feature::TypeOf => ("`.type()`", V3_3),
            Feature::External => ("an external function", V3_3),
            Feature::Lenient => ("`==` or `!=`", V3_3),
            Feature::Lazy => ("`&&` or `||`", V3_3),
            Feature::Quantifier => ("`.all()` or `.any()`", V3_3),
            Feature::Get => ("`.get()`", V3_3),
            Feature::TryOr => ("`.try_or()`", V3_3),
        }
    }

    /// Returns true if a block that declares this version may use the feature.
    pub(super) const fn is_in(self, version: u32) -> bool {
        self.introduced().1 <= version
    }

    pub(super) const fn name(self) -> &'static str {
        self.introduced().0
    }

    /// The version that introduced the feature, in dotted form.
    pub(super) const fn since(self) -> &'static str {
        // No feature of the table came with 3.0, so the last arm is never taken.
        match self.introduced().1 {
            V3_1 => "3.1",
            V3_2 => "3.2",
            V3_3 => "3.3",
            _ => "3.0",
        }
    }
}
