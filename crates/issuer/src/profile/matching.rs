//! Conditions on a caller.

use bailiwick_token::value::{Number, Value};

use super::{
    caller::{CLIENT, Party, Source},
    error::Fault,
    param::{ClaimPath, MAX_CLAIM_DEPTH, Who},
    refusal::Mismatch,
    table::Table,
};

/// The most conditions on one party.
const MAX_CONDITIONS: usize = 64;

/// What a party has to be.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct PartyMatch {
    source: Source,
    conditions: Vec<Condition>,
}

#[derive(Debug, Clone, PartialEq)]
struct Condition {
    claim: ClaimPath,
    test: Test,
}

/// What a claim has to be. The values are strings, booleans and numbers.
#[derive(Debug, Clone, PartialEq)]
enum Test {
    /// This value, or a list that holds it.
    Is(Value),
    /// This value.
    Exact(Value),
    /// One of these, or a list that holds one of them.
    OneOf(Vec<Value>),
    /// A list that holds this value.
    Contains(Value),
    /// A string that begins so.
    Prefix(String),
}

impl PartyMatch {
    /// Who has to vouch for the party.
    pub(super) fn source(&self) -> &Source {
        &self.source
    }

    /// Why the party is not what it has to be; none, where it is.
    pub(super) fn mismatch(&self, who: Who, party: &Party) -> Option<Mismatch> {
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
    pub(super) fn read(table: &Table<'_>, who: Who) -> Result<PartyMatch, Fault> {
        table.only(&["source", "claims"])?;
        let source = table.needed_name("source").map_err(|fault| {
            let hint = "write `client` or the name of an identity provider";
            Fault::at(fault.path, format!("{}: {hint}", fault.message))
        })?;
        let source = Source::from(source.to_owned());
        if who == Who::Principal && source == Source::Client {
            return Err(Fault::at(
                table.path_of("source"),
                format!("a subject token comes from an identity provider, never from `{CLIENT}`"),
            ));
        }
        let mut conditions = Vec::new();
        if let Some(claims) = table.table("claims")? {
            collect(&claims, who, &mut Vec::new(), &mut conditions)?;
        }
        if conditions.len() > MAX_CONDITIONS {
            return Err(Fault::at(
                table.path_of("claims"),
                format!("there are more than {MAX_CONDITIONS} conditions"),
            ));
        }
        Ok(PartyMatch { source, conditions })
    }
}

const OPERATORS: [&str; 4] = ["exact", "one_of", "contains", "prefix"];

/// Reads the conditions of a table of claims. A table below it is a condition where its keys are
/// operators, and the members of a nested claim otherwise.
fn collect(
    table: &Table<'_>,
    who: Who,
    names: &mut Vec<String>,
    conditions: &mut Vec<Condition>,
) -> Result<(), Fault> {
    for (name, value) in table.members() {
        let path = table.path_of(name);
        names.push(name.to_owned());
        if names.len() > MAX_CLAIM_DEPTH {
            return Err(Fault::at(
                path,
                format!("claims nest more than {MAX_CLAIM_DEPTH} deep"),
            ));
        }
        let claim = || ClaimPath::new(who, names.clone()).map_err(|why| Fault::at(&path, why));
        match value {
            Value::Object(_) => {
                let below = Table::new(&path, value)?;
                let is_operator = |name: &str| OPERATORS.contains(&name);
                let operators = below.members().filter(|(name, _)| is_operator(name));
                match (operators.count(), below.members().count()) {
                    (_, 0) => {
                        return Err(Fault::at(
                            &path,
                            "the condition is empty: leave it out where any value will do",
                        ));
                    }
                    (0, _) => collect(&below, who, names, conditions)?,
                    (operators, all) if operators == all => {
                        let claim = claim()?;
                        for test in tests(&below)? {
                            let claim = claim.clone();
                            conditions.push(Condition { claim, test });
                        }
                    }
                    _ => {
                        let known = OPERATORS.join(", ");
                        return Err(Fault::at(
                            &path,
                            format!(
                                "conditions ({known}) and members of a claim stand in one table"
                            ),
                        ));
                    }
                }
            }
            value => conditions.push(Condition {
                claim: claim()?,
                test: Test::Is(scalar(&path, value)?),
            }),
        }
        names.pop();
    }
    Ok(())
}

fn tests(table: &Table<'_>) -> Result<Vec<Test>, Fault> {
    let tests = table.members().map(|(key, value)| {
        let path = table.path_of(key);
        Ok(match (key, value) {
            ("exact", value) => Test::Exact(scalar(&path, value)?),
            ("contains", value) => Test::Contains(scalar(&path, value)?),
            ("one_of", Value::Array(items)) if !items.is_empty() => {
                let items = items.iter().map(|item| scalar(&path, item));
                Test::OneOf(items.collect::<Result<_, _>>()?)
            }
            ("one_of", _) => return Err(Fault::at(path, "a list of one or more values is needed")),
            (_, Value::String(text)) if !text.is_empty() => Test::Prefix(text.clone()),
            _ => {
                return Err(Fault::at(
                    path,
                    "a string that is not empty is needed: every string begins with the empty one",
                ));
            }
        })
    });
    tests.collect()
}

fn scalar(path: &str, value: &Value) -> Result<Value, Fault> {
    match value {
        Value::String(text) if text.contains("${") => Err(Fault::at(
            path,
            "no parameter can stand in a condition: it is what claims are held to",
        )),
        Value::String(_) | Value::Bool(_) | Value::Number(_) => Ok(value.clone()),
        other => Err(Fault::at(
            path,
            format!(
                "a string, a number or a boolean is needed, this is {}",
                other.kind()
            ),
        )),
    }
}

impl Test {
    fn is_met_by(&self, claim: &serde_json::Value) -> bool {
        let holds = |wanted: &Value| {
            let items = claim.as_array();
            items.is_some_and(|items| items.iter().any(|item| same(wanted, item)))
        };
        match self {
            Test::Is(wanted) => same(wanted, claim) || holds(wanted),
            Test::Exact(wanted) => same(wanted, claim),
            Test::OneOf(all) => all
                .iter()
                .any(|wanted| same(wanted, claim) || holds(wanted)),
            Test::Contains(wanted) => holds(wanted),
            Test::Prefix(prefix) => claim.as_str().is_some_and(|text| text.starts_with(prefix)),
        }
    }
}

/// Equal by type and value, numbers by value.
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
