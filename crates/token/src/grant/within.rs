//! The test that one list of grants allows only calls that another allows.
//!
//! The test is sound but not complete: "yes" is proven condition by condition, and "no" only means that no
//! such proof was found.

use std::collections::BTreeSet;

use super::{
    Bound, Constraint, Grant, Grants, List, Pattern,
    intersect::bounded,
    table::{Args, excludes, is_optional, may_be_absent, says_something},
    top_level,
};
use crate::{
    condition::{Condition, above},
    value::{Micros, Value},
};

impl Grants {
    /// Returns true if each of these grants is within one of `other`, so that `other` allows every call that
    /// these allow. False may only mean that no proof was found.
    ///
    /// ```
    /// use bailiwick_token::grant::Grants;
    ///
    /// # fn main() -> Result<(), bailiwick_token::grant::GrantsError> {
    /// let wide = Grants::from_toml("[[grant]]\nservice = 'erp'\naction = 'order:*'\nargs = { amount = { max = 100 } }")?;
    /// let narrow = Grants::from_toml("[[grant]]\nservice = 'erp'\naction = 'order:read'\nargs = { amount = 5 }")?;
    /// assert!(narrow.is_within(&wide) && !wide.is_within(&narrow));
    /// # Ok(())
    /// # }
    /// ```
    #[must_use]
    pub fn is_within(&self, other: &Grants) -> bool {
        self.iter()
            .all(|grant| other.iter().any(|wider| grant.is_within(wider)))
    }
}

impl Grant {
    /// Returns true if `other` allows every call that this grant allows. False may only mean that no proof was
    /// found.
    #[must_use]
    pub fn is_within(&self, other: &Grant) -> bool {
        // Cheap conditions come first: a list of values can be long.
        if self.service != other.service || !self.action.is_within(&other.action) {
            return false;
        }
        let resource = match (&self.resource, &other.resource) {
            (_, None) => true,
            (None, Some(_)) => false,
            (Some(narrow), Some(wide)) => narrow.is_within(wide),
        };
        let when = match (&self.when, &other.when) {
            (_, None) => true,
            (None, Some(_)) => false,
            (Some(narrow), Some(wide)) => narrow.is_within(wide),
        };
        resource
            && when
            && match (&self.args, &other.args) {
                (_, None) => true,
                (None, Some(_)) => false,
                (Some(narrow), Some(wide)) => arguments(narrow, wide),
            }
    }
}

impl Pattern {
    fn is_within(&self, other: &Pattern) -> bool {
        match (self, other) {
            (Pattern::Exact(name), wide) => wide.matches(name),
            (Pattern::Prefix(narrow), Pattern::Prefix(wide)) => narrow.starts_with(wide),
            (Pattern::Prefix(_), Pattern::Exact(_)) => false,
        }
    }
}

fn arguments(narrow: &Args, wide: &Args) -> bool {
    let listed: BTreeSet<&str> = wide.keys().map(|path| top_level(path)).collect();
    // A closed table denies whole top-level arguments, so names are compared at that level.
    let closed = narrow.keys().all(|path| listed.contains(top_level(path)));
    let mut constrained = wide
        .iter()
        .filter(|(_, constraint)| says_something(constraint));
    closed && constrained.all(|(path, constraint)| member(narrow, wide, path, constraint))
}

/// Returns true if each call that meets `narrow` meets the constraint that `wide` has at `path`.
fn member(narrow: &Args, wide: &Args, path: &str, constraint: &Constraint) -> bool {
    for part in above(path).chain([path]) {
        if excludes(narrow, part) {
            // The narrow table excludes the member, so the wide one must let it be absent. The object above is closed,
            // so the values above the member have the right form. The sum of no values is 0, which may be out of range.
            let needed = constraint.conditions();
            return is_optional(wide, part) && needed.iter().all(Condition::holds_without_values);
        }
        if may_be_absent(narrow, part) && !is_optional(wide, part) {
            return false;
        }
    }
    let own = narrow.get(path).filter(|own| says_something(own));
    own.is_some_and(|own| own.implies(constraint, path.contains('.')))
}

impl Constraint {
    /// Returns true if every value that meets this constraint also meets `wide`, which must have a condition.
    fn implies(&self, wide: &Constraint, is_member: bool) -> bool {
        if self.meets.is_none() && wide.meets.is_none() {
            return self.implies_basic(wide);
        }
        // A number that a service could round may meet basic conditions, but meets none of those in `meets`.
        let may_be_rounded = self.meets.is_none() && wide.meets.is_some() && self.may_be_rounded();
        let own = self.conditions();
        wide.conditions().iter().all(|needed| {
            let implied = || match needed {
                Condition::NotOneOf(list) if avoid(&own, list, is_member) => true,
                needed => own.iter().any(|own| own.implies(needed)),
            };
            self.all_listed_meet(&own, wide, needed, is_member) || (!may_be_rounded && implied())
        })
    }

    /// Returns true if this constraint lists its values, and each of them that meets it also meets a condition of
    /// `wide`.
    fn all_listed_meet(
        &self,
        own: &[Condition],
        wide: &Constraint,
        condition: &Condition,
        is_member: bool,
    ) -> bool {
        let values = own.iter().find_map(|own| match own {
            Condition::Exact(value) => Some(vec![value.clone()]),
            Condition::OneOf {
                values,
                ignore_case: false,
            } => Some(values.values()),
            _ => None,
        });
        let can_occur = |value: &Value| match &self.meets {
            None => self.is_met_by(value),
            Some(_) => own
                .iter()
                .all(|own| own.holds(value, is_member) != Some(false)),
        };
        values.is_some_and(|values| {
            let mut values = values.iter().filter(|value| can_occur(value));
            values.all(|value| match &wide.meets {
                // A basic condition on a member is about scalars: other members are not stated.
                None if is_member && is_container(value) => false,
                // Basic conditions admit more numbers than those of the same name in `meets`.
                None => wide.is_met_by(value),
                Some(_) => condition.holds(value, is_member) == Some(true),
            })
        })
    }

    /// Returns true if a number that a service could round may meet the constraint, which has basic conditions only.
    fn may_be_rounded(&self) -> bool {
        /// Below this, a number of whole millionths has at most 15 digits.
        const ALIKE: i64 = 1_000_000_000_000_000;
        let within = |bound: Option<Bound>| match bound {
            Some(Bound::Number(Micros(micros))) => micros.abs_diff(0) < ALIKE.unsigned_abs(),
            _ => false,
        };
        let is_other_type = self.conditions().iter().any(Condition::is_about_strings)
            || self.all_of_in.is_some()
            || self.max_len.is_some()
            || matches!(self.not_one_of, Some(List::Bools(_)));
        !(is_other_type || (within(self.min) && within(self.max)))
    }

    /// Returns true if every value that meets these basic conditions also meets those of `wide`.
    fn implies_basic(&self, wide: &Constraint) -> bool {
        // Listed values are tried one by one. Those that this constraint itself refuses cannot occur.
        if let Some(values) = self.candidates() {
            return values
                .iter()
                .all(|value| !self.is_met_by(value) || wide.is_met_by(value));
        }
        let texts = [&self.prefix, &self.suffix, &self.contains];
        let is_in_a_text = |part: &String| {
            let mut texts = texts.iter().copied().flatten();
            texts.any(|text| text.contains(part))
        };
        // Each condition of `wide` needs one of this constraint's own. So this constraint has one too, and
        // the argument cannot be absent.
        wide.exact.is_none()
            && wide.one_of.is_none()
            && holds(&wide.not_one_of, |list| self.avoids(list))
            && holds(&wide.min, |wide| {
                self.min
                    .is_some_and(|min| same_kind(min, *wide) && min >= *wide)
            })
            && holds(&wide.max, |wide| {
                self.max
                    .is_some_and(|max| same_kind(max, *wide) && max <= *wide)
            })
            && holds(&wide.prefix, |wide| {
                self.prefix
                    .as_ref()
                    .is_some_and(|text| text.starts_with(wide))
            })
            && holds(&wide.suffix, |wide| {
                self.suffix
                    .as_ref()
                    .is_some_and(|text| text.ends_with(wide))
            })
            && holds(&wide.contains, is_in_a_text)
            && holds(&wide.all_of_in, |wide| {
                self.all_of_in
                    .as_ref()
                    .is_some_and(|set| set.is_subset(wide))
            })
            && holds(&wide.max_len, |wide| {
                self.max_len.is_some_and(|length| length <= *wide)
            })
    }

    /// All values that can meet this constraint; `None` if the constraint does not list them.
    fn candidates(&self) -> Option<Vec<Value>> {
        let exact = self.exact.as_ref().map(|value| vec![value.clone()]);
        exact.or_else(|| self.one_of.as_ref().map(List::values))
    }

    /// Returns true if every value that meets this constraint has the list's type but is not in the list.
    fn avoids(&self, list: &List) -> bool {
        let is_text = |bound: Option<Bound>| matches!(bound, Some(Bound::Date(_)));
        let is_number = |bound: Option<Bound>| matches!(bound, Some(Bound::Number(_)));
        // `not_one_of` also requires its type, so that must be proven as well.
        let of_its_type = match (list, &self.not_one_of) {
            (List::Strings(_), Some(List::Strings(_)))
            | (List::Numbers(_), Some(List::Numbers(_)))
            | (List::Bools(_), Some(List::Bools(_))) => true,
            (List::Strings(_), _) => {
                self.prefix.is_some()
                    || self.suffix.is_some()
                    || self.contains.is_some()
                    || is_text(self.min)
                    || is_text(self.max)
            }
            (List::Numbers(_), _) => is_number(self.min) || is_number(self.max),
            (List::Bools(_), _) => false,
        };
        of_its_type && list.values().iter().all(|value| !self.is_met_by(value))
    }

    /// Returns true if an argument with this value meets the constraint.
    fn is_met_by(&self, value: &Value) -> bool {
        let text = match value {
            Value::String(text) => Some(text.as_str()),
            _ => None,
        };
        let elements = value.as_scalars();
        let length = text.map(str::len).or(elements.as_ref().map(Vec::len));
        holds(&self.exact, |exact| exact == value)
            && holds(&self.one_of, |list| list.holds(value))
            && holds(&self.not_one_of, |list| {
                list.has_type_of(value) && !list.holds(value)
            })
            && holds(&self.min, |min| bounded(value, |found| found >= *min, *min))
            && holds(&self.max, |max| bounded(value, |found| found <= *max, *max))
            && holds(&self.prefix, |part| {
                text.is_some_and(|text| text.starts_with(part))
            })
            && holds(&self.suffix, |part| {
                text.is_some_and(|text| text.ends_with(part))
            })
            && holds(&self.contains, |part| {
                text.is_some_and(|text| text.contains(part))
            })
            && holds(&self.all_of_in, |set| {
                elements
                    .as_ref()
                    .is_some_and(|items| items.iter().all(|item| set.contains(item)))
            })
            && holds(&self.max_len, |most| {
                length
                    .is_some_and(|length| u32::try_from(length).is_ok_and(|length| length <= *most))
            })
    }
}

fn is_container(value: &Value) -> bool {
    matches!(value, Value::Array(_) | Value::Object(_))
}

/// Returns true if every value that meets the conditions has the list's type but is not in the list.
fn avoid(own: &[Condition], list: &List, is_member: bool) -> bool {
    let of_its_type = own.iter().any(|own| match list {
        List::Strings(_) => own.is_about_strings(),
        List::Numbers(_) => matches!(
            own,
            Condition::Number(_) | Condition::NotOneOf(List::Numbers(_))
        ),
        List::Bools(_) => matches!(own, Condition::NotOneOf(List::Bools(_))),
    });
    let is_refused = |value: &Value| {
        own.iter()
            .any(|own| own.holds(value, is_member) == Some(false))
    };
    of_its_type && list.values().iter().all(is_refused)
}

/// Returns true if the condition is absent or passes `test`.
fn holds<T>(condition: &Option<T>, test: impl FnOnce(&T) -> bool) -> bool {
    condition.as_ref().is_none_or(test)
}

fn same_kind(a: Bound, b: Bound) -> bool {
    matches!(
        (a, b),
        (Bound::Number(_), Bound::Number(_)) | (Bound::Date(_), Bound::Date(_))
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    fn args(text: &str) -> Grants {
        let text = format!("[[grant]]\nservice = 'erp'\naction = 'order'\nargs = {{ {text} }}");
        Grants::from_toml(&text).unwrap()
    }

    #[test]
    fn a_narrower_constraint_is_within_a_wider_one() {
        for (narrow, wide) in [
            ("a = 5", "a = '*'"),
            ("a = 5", "a = { min = 1, max = 5 }"),
            ("a = { min = 2, max = 3 }", "a = { max = '3.5' }"),
            ("a = 'EUR'", "a = { one_of = ['EUR', 'USD'] }"),
            ("a = { one_of = [1, 2, 9], max = 5 }", "a = { max = 2 }"),
            ("a = { prefix = 'eu/x' }", "a = { prefix = 'eu/' }"),
            ("a = { suffix = 'abc' }", "a = { contains = 'b' }"),
            (
                "a = { not_one_of = ['x', 'y'] }",
                "a = { not_one_of = ['x'] }",
            ),
            ("a = { max = 5 }", "a = { not_one_of = [6, 7] }"),
            (
                "a = { all_of_in = ['x'] }",
                "a = { all_of_in = ['x', 'y'] }",
            ),
            (
                "a = ['x', 'x']",
                "a = { all_of_in = ['x', 'y'], max_len = 2 }",
            ),
            (
                "a = '2026-06-01T00:00:00Z'",
                "a = { min = '2026-01-01T00:00:00Z' }",
            ),
            ("a = 5", "a = { max = 10 }, note = '*'"),
            ("'a.b' = 5", "a = '*'"),
            ("", "note = '*'"),
        ] {
            assert!(args(narrow).is_within(&args(wide)), "{narrow} in {wide}");
            assert!(!args(wide).is_within(&args(narrow)), "{wide} in {narrow}");
        }
    }

    #[test]
    fn constraints_not_shown_to_be_within_are_refused() {
        for (narrow, wide) in [
            ("a = '*'", "a = { max = 5 }"),
            ("a = { min = 1 }", "a = { min = '2026-01-01T00:00:00Z' }"),
            ("a = { min = 1, max = 9 }", "a = { min = 2 }"),
            ("a = { min = 1, max = 9 }", "a = { max = 8 }"),
            ("a = { max_len = 3 }", "a = { max_len = 2 }"),
            ("a = { max_len = 3 }", "a = { not_one_of = ['long text'] }"),
            ("a = { max = 5 }", "a = { not_one_of = ['x'] }"),
            ("a = 5, b = 1", "a = 5"),
            ("a = 5", "a = 5, b = 1"),
            ("a = '*'", "'a.b' = 5"),
            ("a = 9223372036854775807", "a = { min = 1 }"),
        ] {
            assert!(!args(narrow).is_within(&args(wide)), "{narrow} in {wide}");
        }
    }

    #[test]
    fn names_and_resources_narrow_too() {
        let wide = Grant::new("erp", "order:*").resource("eu/*");
        for (grant, within) in [
            (Grant::new("erp", "order:read").resource("eu/1"), true),
            (Grant::new("erp", "order:c*").resource("eu/x*"), true),
            (Grant::new("erp", "order:*").resource("eu/*").closed(), true),
            (Grant::new("erp", "order:read"), false),
            (Grant::new("erp", "order:*").resource("e*"), false),
            (Grant::new("erp", "*").resource("eu/1"), false),
            (Grant::new("crm", "order:read").resource("eu/1"), false),
        ] {
            assert_eq!(grant.is_within(&wide), within, "{grant}");
        }
        assert!(!wide.is_within(&Grant::new("erp", "order:read").resource("eu/*")));
    }
}
