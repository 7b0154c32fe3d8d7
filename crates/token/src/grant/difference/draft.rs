//! A call under construction: values by path, which are put together at the end.

use std::collections::BTreeMap;

use super::Example;
use crate::{timestamp::Timestamp, value::Value};

/// A call whose parts can be replaced one by one.
#[derive(Debug, Clone)]
pub(super) struct Draft {
    pub(super) service: String,
    pub(super) action: String,
    pub(super) resource: Option<String>,
    /// The value at each path; `None` if it is absent.
    pub(super) values: BTreeMap<String, Option<Value>>,
    /// The path whose value keeps its type, even if paths below it have values too.
    pub(super) fixed: Option<String>,
    /// An argument that no grant names.
    pub(super) other: Option<(String, Value)>,
    pub(super) time: Timestamp,
}

impl Draft {
    /// Builds the call.
    pub(super) fn example(&self) -> Example {
        Example {
            service: self.service.clone(),
            action: self.action.clone(),
            resource: self.resource.clone(),
            args: self.args(),
            time: self.time,
        }
    }

    /// Builds the arguments. Each path comes before those below it, because the map is ordered.
    pub(super) fn args(&self) -> BTreeMap<String, Value> {
        let mut args = Value::Object(BTreeMap::new());
        for (path, value) in &self.values {
            let Some(value) = value else { continue };
            let is_below_fixed = self.fixed.as_ref().is_some_and(|fixed| {
                let rest = path.strip_prefix(fixed.as_str());
                rest.is_some_and(|rest| rest.starts_with('.'))
            });
            let parts: Vec<&str> = path.split('.').collect();
            place(&mut args, &parts, value, !is_below_fixed);
        }
        let mut args = match args {
            Value::Object(args) => args,
            _ => BTreeMap::new(),
        };
        if let Some((name, value)) = &self.other {
            args.insert(name.clone(), value.clone());
        }
        args
    }
}

/// Puts a value at a path, into each element where the path has a `*`. With `makes`, missing containers on the path are
/// made, and replace values of other types. Without it, a value of another type stays, and nothing is placed. Recursion
/// is bounded by the number of parts.
fn place(container: &mut Value, parts: &[&str], value: &Value, makes: bool) {
    let Some((part, rest)) = parts.split_first() else {
        *container = value.clone();
        return;
    };
    if *part == "*" {
        if makes && !matches!(container, Value::Array(items) if !items.is_empty()) {
            *container = Value::Array(vec![Value::Null]);
        }
        if let Value::Array(items) = container {
            items
                .iter_mut()
                .for_each(|item| place(item, rest, value, makes));
        }
        return;
    }
    if makes && !matches!(container, Value::Object(_)) {
        *container = Value::Object(BTreeMap::new());
    }
    if let Value::Object(members) = container {
        let member = members.entry((*part).to_owned()).or_insert(Value::Null);
        place(member, rest, value, makes);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn draft(values: &[(&str, &str)]) -> Draft {
        let values = values.iter().map(|(path, text)| {
            let value = Value::parse(text).unwrap();
            ((*path).to_owned(), Some(value))
        });
        Draft {
            service: "erp".to_owned(),
            action: "a".to_owned(),
            resource: None,
            values: values.collect(),
            fixed: None,
            other: None,
            time: Timestamp::from_unix(0).unwrap(),
        }
    }

    #[test]
    fn values_are_put_together_by_their_paths() {
        for (values, args) in [
            (vec![("a", "1"), ("b.c", "2")], r#"{"a":1,"b":{"c":2}}"#),
            (
                vec![("l.*.p", "1"), ("l.*.q", "2")],
                r#"{"l":[{"p":1,"q":2}]}"#,
            ),
            (
                vec![("l", "[0,0]"), ("l.*.p", "1")],
                r#"{"l":[{"p":1},{"p":1}]}"#,
            ),
            (vec![("t.*", "\"x\"")], r#"{"t":["x"]}"#),
            (
                vec![("b", "{\"z\":1}"), ("b.c", "2")],
                r#"{"b":{"c":2,"z":1}}"#,
            ),
        ] {
            assert_eq!(Value::Object(draft(&values).args()).to_string(), args);
        }
    }

    #[test]
    fn a_fixed_value_keeps_its_type() {
        for (fixed, args) in [
            ("[]", r#"{"l":[]}"#),
            ("5", r#"{"l":5}"#),
            ("[{\"z\":1}]", r#"{"l":[{"p":1,"z":1}]}"#),
        ] {
            let mut draft = draft(&[("l", fixed), ("l.*.p", "1")]);
            draft.fixed = Some("l".to_owned());
            assert_eq!(Value::Object(draft.args()).to_string(), args);
        }
    }
}
