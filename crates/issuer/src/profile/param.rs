//! Parameters: typed values from the claims of a caller.

use std::{
    collections::{BTreeMap, BTreeSet},
    fmt,
};

use bailiwick_token::{
    claims::MAX_TEXT,
    grant::{Bound, is_plain_segment},
    timestamp::Timestamp,
    value::{Micros, Number, Value},
};
use serde::{Deserialize, Serialize};

use super::{caller::Caller, error::ProfileFault, table::TomlTable};

/// Maximum depth at which a claim can be nested in other claims.
pub(super) const MAX_CLAIM_DEPTH: usize = 8;

/// Maximum length of a claim's name, in bytes.
const MAX_CLAIM_NAME: usize = 256;

/// Maximum number of strings in a list.
const MAX_STRINGS: usize = 256;

/// Maximum number of decimal digits for which a binary float is exact.
const FLOAT_DIGITS: usize = 15;

/// The values of a profile's parameters for one caller.
pub(super) type ParamValues = BTreeMap<String, ParamValue>;

/// A parameter: a claim and its required type.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Param {
    pub(super) claim: ClaimPath,
    pub(super) kind: ParamType,
}

impl Param {
    /// Reads `{ claim = "principal.region", type = "segment" }`.
    pub(super) fn read(table: &TomlTable<'_>) -> Result<Param, ProfileFault> {
        table.only(&["claim", "type"])?;
        let path = table.path_of("claim");
        let claim =
            ClaimPath::read(table.get("claim")).map_err(|why| ProfileFault::at(path, why))?;
        let name = table.needed_text("type")?;
        let kind = ParamType::ALL.into_iter().find(|kind| kind.name() == name);
        let kind = kind.ok_or_else(|| {
            let known = ParamType::ALL.map(ParamType::name).join(", ");
            ProfileFault::at(
                table.path_of("type"),
                format!("unknown type; write one of {known}"),
            )
        })?;
        Ok(Param { claim, kind })
    }

    /// Reads the value of the parameter from the claims of a caller.
    ///
    /// # Errors
    /// The fault of the claim, without its value.
    pub(super) fn value(&self, caller: &Caller) -> Result<ParamValue, &'static str> {
        let party = match self.claim.who {
            Who::Agent => Some(&caller.agent),
            Who::Principal => caller.principal.as_ref(),
        };
        let claim = party.and_then(|party| party.claim(&self.claim.names));
        self.kind.read(claim.ok_or("is missing")?)
    }
}

/// A party of a request.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Who {
    /// The agent that is to act.
    Agent,
    /// The principal on whose authority the agent acts.
    Principal,
}

impl fmt::Display for Who {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Who::Agent => "agent",
            Who::Principal => "principal",
        })
    }
}

/// The path of a claim: a party, and the names of nested members, outermost first.
///
/// Its text form is, for example, `principal.address.country`. A name that contains a dot is quoted.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct ClaimPath {
    who: Who,
    names: Vec<String>,
}

impl ClaimPath {
    pub(super) fn new(who: Who, names: Vec<String>) -> Result<ClaimPath, &'static str> {
        let is_name = |name: &String| {
            (1..=MAX_CLAIM_NAME).contains(&name.len()) && !name.contains(char::is_control)
        };
        if !(1..=MAX_CLAIM_DEPTH).contains(&names.len()) {
            return Err(
                "the claim does not have 1 to 8 names after `agent` or `principal`; write one such as `principal.region`",
            );
        }
        if !names.iter().all(is_name) {
            return Err(
                "the name of the claim is not valid; write 1 to 256 bytes without control characters",
            );
        }
        Ok(ClaimPath { who, names })
    }

    /// Reads a path such as `"principal.region"` or `["principal", "https://corp.example/region"]`.
    fn read(value: Option<&Value>) -> Result<ClaimPath, &'static str> {
        let wrong = "not a claim; write one such as `principal.region`, or a list if a name contains a dot, as in [\"principal\", \"https://corp.example/region\"]";
        let names: Vec<&str> = match value {
            None => return Err("is missing"),
            Some(Value::String(path)) => path.split('.').collect(),
            Some(Value::Array(items)) => {
                let names = items.iter().map(|item| match item {
                    Value::String(name) => Some(name.as_str()),
                    _ => None,
                });
                names.collect::<Option<_>>().ok_or(wrong)?
            }
            Some(_) => return Err(wrong),
        };
        let (who, names) = match names.split_first() {
            Some((&"agent", names)) => (Who::Agent, names),
            Some((&"principal", names)) => (Who::Principal, names),
            _ => {
                return Err(
                    "the claim belongs neither to the `agent` nor to the `principal`; write one such as `principal.region`",
                );
            }
        };
        ClaimPath::new(who, names.iter().map(|&name| name.to_owned()).collect())
    }

    /// Returns the party that has the claim.
    #[must_use]
    pub fn who(&self) -> Who {
        self.who
    }

    /// Returns the names of nested members, outermost first.
    #[must_use]
    pub fn names(&self) -> &[String] {
        &self.names
    }
}

impl fmt::Display for ClaimPath {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}", self.who)?;
        self.names
            .iter()
            .try_for_each(|name| match name.contains('.') {
                true => write!(f, ".'{name}'"),
                false => write!(f, ".{name}"),
            })
    }
}

/// The type that a parameter's claim must have.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
#[non_exhaustive]
pub enum ParamType {
    /// A string.
    String,
    /// One segment of a resource.
    Segment,
    /// An exact decimal, as text or as a number.
    Decimal,
    /// A whole number of 64 bits, as text or as a number.
    Integer,
    /// A date-time of RFC 3339, or seconds since 1970 as a number.
    Date,
    /// A list of strings.
    Strings,
}

impl ParamType {
    const ALL: [ParamType; 6] = [
        ParamType::String,
        ParamType::Segment,
        ParamType::Decimal,
        ParamType::Integer,
        ParamType::Date,
        ParamType::Strings,
    ];

    /// Returns the type's name in files.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            ParamType::String => "string",
            ParamType::Segment => "segment",
            ParamType::Decimal => "decimal",
            ParamType::Integer => "integer",
            ParamType::Date => "date",
            ParamType::Strings => "strings",
        }
    }

    /// Returns a sample value of this type, for checking a profile without a caller.
    pub(super) fn sample(self) -> ParamValue {
        match self {
            ParamType::String | ParamType::Segment => ParamValue::Text("sample".to_owned()),
            ParamType::Decimal => ParamValue::Decimal(Micros(1_000_000)),
            ParamType::Integer => ParamValue::Integer(1),
            ParamType::Date => ParamValue::Date(Timestamp::MAX),
            ParamType::Strings => ParamValue::Strings(BTreeSet::from(["sample".to_owned()])),
        }
    }

    fn read(self, claim: &serde_json::Value) -> Result<ParamValue, &'static str> {
        match (self, claim) {
            (_, serde_json::Value::Null) => Err("is null"),
            (ParamType::String, serde_json::Value::String(text)) => {
                read_text(text).map(ParamValue::Text)
            }
            (ParamType::Segment, serde_json::Value::String(text)) => {
                read_segment(text).map(ParamValue::Text)
            }
            (ParamType::Decimal, claim) => read_decimal(claim).map(ParamValue::Decimal),
            (ParamType::Integer, claim) => read_integer(claim).map(ParamValue::Integer),
            (ParamType::Date, claim) => read_date(claim).map(ParamValue::Date),
            (ParamType::Strings, serde_json::Value::Array(items)) => {
                read_strings(items).map(ParamValue::Strings)
            }
            _ => Err("is of another type"),
        }
    }
}

impl fmt::Display for ParamType {
    /// Writes the type with its article, such as `a segment of a path`.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            ParamType::String => "a string",
            ParamType::Segment => "a segment of a path",
            ParamType::Decimal => "a decimal",
            ParamType::Integer => "an integer",
            ParamType::Date => "a date-time",
            ParamType::Strings => "a list of strings",
        })
    }
}

/// The value of a parameter. The type was checked when the value was read.
#[derive(Debug, Clone, PartialEq)]
pub(super) enum ParamValue {
    Text(String),
    Decimal(Micros),
    Integer(i64),
    Date(Timestamp),
    Strings(BTreeSet<String>),
}

impl ParamValue {
    /// Returns the value as part of a text; `None` for a list.
    pub(super) fn text(&self) -> Option<String> {
        match self {
            ParamValue::Text(text) => Some(text.clone()),
            ParamValue::Decimal(micros) => Some(micros.to_string()),
            ParamValue::Integer(integer) => Some(integer.to_string()),
            ParamValue::Date(date) => Some(date.to_string()),
            ParamValue::Strings(_) => None,
        }
    }

    /// Returns the value as the value of an argument; `None` for a date or a list.
    pub(super) fn value(&self) -> Option<Value> {
        match self {
            ParamValue::Text(text) => Some(Value::from(text.as_str())),
            ParamValue::Decimal(micros) => Some(Value::Number((*micros).into())),
            ParamValue::Integer(integer) => Some(Value::from(*integer)),
            ParamValue::Date(_) | ParamValue::Strings(_) => None,
        }
    }

    /// Returns the value as a bound; `None` for a text, a list, or an integer whose millionths exceed 64 bits.
    pub(super) fn bound(&self) -> Option<Bound> {
        match self {
            ParamValue::Decimal(micros) => Some(Bound::Number(*micros)),
            ParamValue::Integer(integer) => Number::from(*integer).micros().map(Bound::Number),
            ParamValue::Date(date) => Some(Bound::Date(*date)),
            ParamValue::Text(_) | ParamValue::Strings(_) => None,
        }
    }
}

fn read_text(text: &str) -> Result<String, &'static str> {
    if text.is_empty() || text.trim() != text {
        return Err("is empty, or begins or ends with white space");
    }
    if text.contains(char::is_control) {
        return Err("contains a control character");
    }
    if text.len() > MAX_TEXT {
        return Err("is longer than 1024 bytes");
    }
    Ok(text.to_owned())
}

fn read_segment(text: &str) -> Result<String, &'static str> {
    let text = read_text(text)?;
    // A star would turn the name into a prefix, which matches more resources than the one that the claim names.
    if !is_plain_segment(&text) || text.contains('*') {
        return Err("is not one segment of a path in normal form");
    }
    Ok(text)
}

fn read_decimal(claim: &serde_json::Value) -> Result<Micros, &'static str> {
    let number = read_number(claim)?;
    number.micros().ok_or(
        "is not a decimal with at most six decimal places, up to 9223372036854.775807 in size",
    )
}

fn read_integer(claim: &serde_json::Value) -> Result<i64, &'static str> {
    let number = read_number(claim)?;
    number.integer().ok_or("is not a whole number of 64 bits")
}

fn read_number(claim: &serde_json::Value) -> Result<Number, &'static str> {
    let (text, is_float) = match claim {
        serde_json::Value::String(text) => (text.clone(), false),
        serde_json::Value::Number(number) => (number.to_string(), number.is_f64()),
        _ => return Err("is of another type"),
    };
    if text.len() > MAX_TEXT {
        return Err("is longer than 1024 bytes");
    }
    let number: Number = text.parse().map_err(|_| "is not a decimal number")?;
    if is_float && number.digits() > FLOAT_DIGITS {
        return Err(
            "is a number with more digits than JSON numbers carry exactly, so it has to be a string",
        );
    }
    Ok(number)
}

fn read_date(claim: &serde_json::Value) -> Result<Timestamp, &'static str> {
    let date = match claim {
        serde_json::Value::String(text) => text.parse().ok(),
        serde_json::Value::Number(seconds) => seconds.as_u64().and_then(Timestamp::from_unix),
        _ => return Err("is of another type"),
    };
    date.ok_or("is not a date-time of RFC 3339 in whole seconds, or seconds since 1970")
}

fn read_strings(items: &[serde_json::Value]) -> Result<BTreeSet<String>, &'static str> {
    if !(1..=MAX_STRINGS).contains(&items.len()) {
        return Err("is empty, or has more than 256 elements");
    }
    let strings = items.iter().map(|item| match item {
        serde_json::Value::String(text) => read_text(text).ok(),
        _ => None,
    });
    let strings = strings.collect::<Option<_>>();
    strings.ok_or("has an element that is not a string of 1 to 1024 bytes, or that has control characters or white space at its ends")
}
