//! The conditions on one party of a request.

use bailiwick_token::value::{Number, Value};

use super::{
    caller::{CLIENT, CallerParty, ClaimSource},
    error::ProfileFault,
    param::{ClaimPath, MAX_CLAIM_DEPTH, Who},
    refusal::Mismatch,
    table::TomlTable,
};

/// Maximum number of conditions on one party.
const MAX_CONDITIONS: usize = 64;

/// The conditions on a party.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct PartyMatch {
    source: ClaimSource,
    conditions: Vec<ClaimCondition>,
}

#[derive(Debug, Clone, PartialEq)]
struct ClaimCondition {
    claim: ClaimPath,
    test: ClaimTest,
}

/// A condition on a claim. The values are strings, booleans and numbers.
#[derive(Debug, Clone, PartialEq)]
enum ClaimTest {
    /// The claim is this value, or a list that contains it.
    Is(Value),
    /// The claim is exactly this value.
    Exact(Value),
    /// The claim is one of these values, or a list that contains one of them.
    OneOf(Vec<Value>),
    /// The claim is a list that contains this value.
    Contains(Value),
    /// The claim is a string that begins with this text.
    Prefix(String),
}

impl PartyMatch {
    /// Returns the source that must vouch for the party.
    pub(super) fn source(&self) -> &ClaimSource {
        &self.source
    }

    /// Returns the first condition that the party does not meet; `None` if it meets all.
    pub(super) fn mismatch(&self, who: Who, party: &CallerParty) -> Option<Mismatch> {
        if party.source != self.source {
            return Some(Mismatch::Source {
                who,
                needed: self.source.clone(),
            });
        }
        let unmet = self.conditions.iter().find(|condition| {
            let claim = party.claim(condition.claim.names());
            !claim.is_some_and(|claim| condition.test.is_met_by(claim))
        });
        unmet.map(|condition| Mismatch::Claim(condition.claim.clone()))
    }

    /// Reads `[profile.match.agent]` or `[profile.match.principal]`.
    pub(super) fn read(table: &TomlTable<'_>, who: Who) -> Result<PartyMatch, ProfileFault> {
        table.only(&["source", "claims"])?;
        let source = table.needed_name("source").map_err(|fault| {
            let hint = "write `client` or the name of an identity provider";
            // Keep the description of the fault, and replace its general hint.
            let wrong = fault.message.split("; ").next().unwrap_or_default();
            ProfileFault::at(fault.path, format!("{wrong}; {hint}"))
        })?;
        let source = ClaimSource::from(source.to_owned());
        if who == Who::Principal && source == ClaimSource::Client {
            return Err(ProfileFault::at(
                table.path_of("source"),
                format!("a subject token cannot come from `{CLIENT}`; name an identity provider"),
            ));
        }
        let mut conditions = Vec::new();
        if let Some(claims) = table.table("claims")? {
            collect(&claims, who, &mut Vec::new(), &mut conditions)?;
        }
        if conditions.len() > MAX_CONDITIONS {
            return Err(ProfileFault::at(
                table.path_of("claims"),
                format!("there are more than {MAX_CONDITIONS} conditions; remove some"),
            ));
        }
        Ok(PartyMatch { source, conditions })
    }
}

const OPERATORS: [&str; 4] = ["exact", "one_of", "contains", "prefix"];

/// Reads the conditions of a table of claims. An inner table is a condition if its keys are operators;
/// otherwise it holds conditions on the members of a nested claim.
fn collect(
    table: &TomlTable<'_>,
    who: Who,
    names: &mut Vec<String>,
    conditions: &mut Vec<ClaimCondition>,
) -> Result<(), ProfileFault> {
    for (name, value) in table.members() {
        let path = table.path_of(name);
        names.push(name.to_owned());
        if names.len() > MAX_CLAIM_DEPTH {
            return Err(ProfileFault::at(
                path,
                format!("the claims nest more than {MAX_CLAIM_DEPTH} deep; remove some levels"),
            ));
        }
        let claim =
            || ClaimPath::new(who, names.clone()).map_err(|why| ProfileFault::at(&path, why));
        match value {
            Value::Object(_) => {
                let below = TomlTable::new(&path, value)?;
                let is_operator = |name: &str| OPERATORS.contains(&name);
                let operators = below.members().filter(|(name, _)| is_operator(name));
                match (operators.count(), below.members().count()) {
                    (_, 0) => {
                        return Err(ProfileFault::at(
                            &path,
                            "the condition is empty; leave it out if any value will do",
                        ));
                    }
                    (0, _) => collect(&below, who, names, conditions)?,
                    (operators, all) if operators == all => {
                        let claim = claim()?;
                        for test in tests(&below)? {
                            let claim = claim.clone();
                            conditions.push(ClaimCondition { claim, test });
                        }
                    }
                    _ => {
                        let known = OPERATORS.join(", ");
                        return Err(ProfileFault::at(
                            &path,
                            format!(
                                "the table mixes conditions ({known}) and members of a claim; put them into tables of their own"
                            ),
                        ));
                    }
                }
            }
            value => conditions.push(ClaimCondition {
                claim: claim()?,
                test: ClaimTest::Is(scalar(&path, value)?),
            }),
        }
        names.pop();
    }
    Ok(())
}

fn tests(table: &TomlTable<'_>) -> Result<Vec<ClaimTest>, ProfileFault> {
    let tests = table.members().map(|(key, value)| {
        let path = table.path_of(key);
        Ok(match (key, value) {
            ("exact", value) => ClaimTest::Exact(scalar(&path, value)?),
            ("contains", value) => ClaimTest::Contains(scalar(&path, value)?),
            ("one_of", Value::Array(items)) if !items.is_empty() => {
                let items = items.iter().map(|item| scalar(&path, item));
                ClaimTest::OneOf(items.collect::<Result<_, _>>()?)
            }
            ("one_of", _) => {
                return Err(ProfileFault::at(
                    path,
                    "not a list of one or more values; write one",
                ));
            }
            (_, Value::String(text)) if !text.is_empty() => ClaimTest::Prefix(text.clone()),
            _ => {
                return Err(ProfileFault::at(
                    path,
                    "the string is empty, and every string begins with it; write a longer one",
                ));
            }
        })
    });
    tests.collect()
}

fn scalar(path: &str, value: &Value) -> Result<Value, ProfileFault> {
    match value {
        Value::String(text) if text.contains("${") => Err(ProfileFault::at(
            path,
            "a parameter cannot be used in a condition; write the value that the claim must have",
        )),
        Value::String(_) | Value::Bool(_) | Value::Number(_) => Ok(value.clone()),
        other => Err(ProfileFault::at(
            path,
            format!(
                "this is {} and not a string, a number or a boolean; write one of these",
                other.kind()
            ),
        )),
    }
}

impl ClaimTest {
    fn is_met_by(&self, claim: &serde_json::Value) -> bool {
        let holds = |wanted: &Value| {
            let items = claim.as_array();
            items.is_some_and(|items| items.iter().any(|item| same(wanted, item)))
        };
        match self {
            ClaimTest::Is(wanted) => same(wanted, claim) || holds(wanted),
            ClaimTest::Exact(wanted) => same(wanted, claim),
            ClaimTest::OneOf(all) => all
                .iter()
                .any(|wanted| same(wanted, claim) || holds(wanted)),
            ClaimTest::Contains(wanted) => holds(wanted),
            ClaimTest::Prefix(prefix) => {
                claim.as_str().is_some_and(|text| text.starts_with(prefix))
            }
        }
    }
}

/// Returns true if type and value are equal. Numbers are compared by value.
fn same(wanted: &Value, claim: &serde_json::Value) -> bool {
    match (wanted, claim) {
        (Value::String(wanted), serde_json::Value::String(text)) => wanted == text,
        (Value::Bool(wanted), serde_json::Value::Bool(value)) => wanted == value,
        (Value::Number(wanted), serde_json::Value::Number(number)) => {
            number.to_string().parse::<Number>().as_ref() == Ok(wanted)
        }
        _ => false,
    }
}
