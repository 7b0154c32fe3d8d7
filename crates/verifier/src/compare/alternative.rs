//! Grants in the form that calls are compared with: flat, and little larger than their text.

use std::{collections::BTreeMap, fmt};

use bailiwick_token::{
    escape::quote,
    grant::{Bound, Constraint, Grant, List, Pattern, top_level},
    value::{Micros, Scalar, Value, separated},
};

use crate::native::Native;

/// A grant, or one alternative of a scope.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Alternative {
    pub(crate) service: Box<str>,
    pub(crate) action: Pattern,
    pub(crate) resource: Option<Pattern>,
    /// Position of the window of time in the table of native conditions; `None` if the grant allows any time.
    pub(crate) when: Option<usize>,
    /// The arguments, sorted by path; `None` if the grant allows any arguments.
    pub(crate) args: Option<Box<[Argument]>>,
}

/// An argument that may be present. Without requirements and tests, it may have any value or be absent.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Argument {
    /// Name of the argument, or path to members.
    pub(crate) path: Box<str>,
    pub(crate) requirements: Box<[Requirement]>,
    /// Positions of its tests in the table of native conditions.
    pub(crate) tests: Box<[usize]>,
}

/// One condition of a [`Constraint`].
#[derive(Debug, Clone, PartialEq)]
pub(crate) enum Requirement {
    Exact(Exact),
    OneOf(Set),
    NotOneOf(Set),
    Min(Bound),
    Max(Bound),
    Prefix(Box<str>),
    Suffix(Box<str>),
    Contains(Box<str>),
    /// The values, sorted.
    AllOfIn(Box<[Scalar]>),
    MaxLen(u32),
}

/// A value, and the number of values inside it, including itself.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Exact {
    pub(crate) value: Box<Value>,
    pub(crate) size: u32,
}

/// The values of a [`List`], sorted.
#[derive(Debug, Clone, PartialEq)]
pub(crate) enum Set {
    Strings(Box<[Box<str>]>),
    Numbers(Box<[Micros]>),
    Bools(Box<[bool]>),
}

impl Alternative {
    /// Makes an alternative from a grant. `place` returns a native condition's position in a table, and adds the
    /// condition to the table if needed.
    pub(crate) fn new(grant: Grant, mut place: impl FnMut(Native) -> usize) -> Alternative {
        let tests = grant.tests();
        // Destructured by name, like a constraint below.
        let Grant {
            service,
            action,
            resource,
            args,
            when,
        } = grant;
        let mut tests = tests.into_iter().map(Native::Test).map(&mut place);
        let args = args.map(|args| arguments(args, &mut tests));
        Alternative {
            service: service.into(),
            action,
            resource,
            args,
            when: when.map(|window| place(Native::During(window))),
        }
    }
}

/// Converts the arguments of a grant. `tests` yields the positions of their tests in the table, in order.
fn arguments(
    args: BTreeMap<String, Constraint>,
    tests: &mut impl Iterator<Item = usize>,
) -> Box<[Argument]> {
    let args = args.into_iter().map(|(path, constraint)| {
        let meets = constraint.meets.as_ref();
        let count = meets.map_or(0, |meets| meets.conditions.len());
        Argument {
            path: path.into(),
            tests: tests.by_ref().take(count).collect(),
            requirements: requirements(constraint),
        }
    });
    args.collect()
}

fn requirements(constraint: Constraint) -> Box<[Requirement]> {
    // Destructured by name, so that a new field of a constraint is a compile error until it is handled here. A field
    // left out would widen every grant that uses it.
    let Constraint {
        exact,
        one_of,
        not_one_of,
        min,
        max,
        prefix,
        suffix,
        contains,
        all_of_in,
        max_len,
        // Its conditions are the tests of the argument.
        meets: _,
    } = constraint;
    let requirements = [
        // Its size is the number of steps that comparing it takes, so it is counted once.
        exact.map(|value| {
            Requirement::Exact(Exact {
                size: size(&value),
                value: Box::new(value),
            })
        }),
        one_of.map(|list| Requirement::OneOf(list.into())),
        not_one_of.map(|list| Requirement::NotOneOf(list.into())),
        min.map(Requirement::Min),
        max.map(Requirement::Max),
        prefix.map(|text| Requirement::Prefix(text.into())),
        suffix.map(|text| Requirement::Suffix(text.into())),
        contains.map(|text| Requirement::Contains(text.into())),
        all_of_in.map(|set| Requirement::AllOfIn(set.into_iter().collect())),
        max_len.map(Requirement::MaxLen),
    ];
    requirements.into_iter().flatten().collect()
}

/// Counts the values inside a value, including itself. Recursion is safe, because the depth of values is
/// bounded when they are read.
fn size(value: &Value) -> u32 {
    let inner: u32 = match value {
        Value::Array(items) => items.iter().map(size).fold(0, u32::saturating_add),
        Value::Object(members) => members.values().map(size).fold(0, u32::saturating_add),
        _ => 0,
    };
    inner.saturating_add(1)
}

impl From<List> for Set {
    fn from(list: List) -> Set {
        match list {
            // The sets of a list are sorted, which binary searches rely on.
            List::Strings(set) => Set::Strings(set.into_iter().map(Box::from).collect()),
            List::Numbers(set) => Set::Numbers(set.into_iter().collect()),
            List::Bools(set) => Set::Bools(set.into_iter().collect()),
        }
    }
}

/// Writes the same text as [`List`] does, without making one.
impl fmt::Display for Set {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Set::Strings(set) => separated(f, ", ", set, |f, text| quote(text).fmt(f)),
            Set::Numbers(set) => separated(f, ", ", set, |f, micros| micros.fmt(f)),
            Set::Bools(set) => separated(f, ", ", set, |f, value| value.fmt(f)),
        }
    }
}

impl Set {
    fn to_list(&self) -> List {
        match self {
            Set::Strings(set) => {
                List::Strings(set.iter().map(|text| String::from(text.as_ref())).collect())
            }
            Set::Numbers(set) => List::Numbers(set.iter().copied().collect()),
            Set::Bools(set) => List::Bools(set.iter().copied().collect()),
        }
    }

    pub(crate) fn len(&self) -> usize {
        match self {
            Set::Strings(set) => set.len(),
            Set::Numbers(set) => set.len(),
            Set::Bools(set) => set.len(),
        }
    }
}

impl Alternative {
    /// Returns true if the arguments that may be present include this name, or a member below it.
    pub(crate) fn lists(args: &[Argument], name: &str) -> bool {
        let dotted = || name.bytes().chain(*b".");
        // Paths below `a` begin with `a.`, and they are adjacent in the order of paths. `a` itself need not be next to
        // them: `a-b` sorts between the two, so `a` has a search of its own.
        let first = args.partition_point(|argument| argument.path.bytes().lt(dotted()));
        let named = |argument: &Argument| top_level(&argument.path) == name;
        args.get(first).is_some_and(named)
            || args
                .binary_search_by(|argument| argument.path.as_ref().cmp(name))
                .is_ok()
    }

    /// Approximate heap memory, in bytes.
    pub(crate) fn size(&self) -> usize {
        let pattern = |pattern: &Pattern| match pattern {
            Pattern::Exact(text) | Pattern::Prefix(text) => text.len(),
        };
        let args = self.args.iter().flatten().map(Argument::size);
        let own = [
            self.service.len(),
            pattern(&self.action),
            self.resource.as_ref().map_or(0, pattern),
        ];
        own.into_iter().chain(args).fold(0, usize::saturating_add)
    }
}

impl Argument {
    /// The constraint that consists of these requirements.
    pub(crate) fn constraint(&self) -> Constraint {
        let mut constraint = Constraint::any();
        for requirement in &self.requirements {
            match requirement {
                Requirement::Exact(exact) => constraint.exact = Some(exact.value.as_ref().clone()),
                Requirement::OneOf(set) => constraint.one_of = Some(set.to_list()),
                Requirement::NotOneOf(set) => constraint.not_one_of = Some(set.to_list()),
                Requirement::Min(bound) => constraint.min = Some(*bound),
                Requirement::Max(bound) => constraint.max = Some(*bound),
                Requirement::Prefix(text) => constraint.prefix = Some(text.as_ref().to_owned()),
                Requirement::Suffix(text) => constraint.suffix = Some(text.as_ref().to_owned()),
                Requirement::Contains(text) => constraint.contains = Some(text.as_ref().to_owned()),
                Requirement::AllOfIn(set) => {
                    constraint.all_of_in = Some(set.iter().cloned().collect())
                }
                Requirement::MaxLen(length) => constraint.max_len = Some(*length),
            }
        }
        constraint
    }

    /// Approximate memory, in bytes.
    pub(crate) fn size(&self) -> usize {
        let requirements = self.requirements.iter().map(Requirement::size);
        let own = size_of::<Argument>()
            .saturating_add(self.path.len())
            .saturating_add(size_of_val(self.tests.as_ref()));
        requirements.fold(own, usize::saturating_add)
    }
}

impl Requirement {
    fn size(&self) -> usize {
        // An estimate is enough: it only limits how many tokens the cache keeps.
        let heap = match self {
            Requirement::Exact(exact) => (exact.size as usize).saturating_mul(size_of::<Value>()),
            Requirement::OneOf(set) | Requirement::NotOneOf(set) => match set {
                Set::Strings(set) => texts(set.iter().map(|text| text.len())),
                Set::Numbers(set) => size_of_val(set.as_ref()),
                Set::Bools(set) => size_of_val(set.as_ref()),
            },
            Requirement::Prefix(text) | Requirement::Suffix(text) | Requirement::Contains(text) => {
                text.len()
            }
            Requirement::AllOfIn(set) => texts(set.iter().map(|scalar| match scalar {
                Scalar::String(text) => text.len(),
                _ => 0,
            })),
            Requirement::Min(_) | Requirement::Max(_) | Requirement::MaxLen(_) => 0,
        };
        heap.saturating_add(size_of::<Requirement>())
    }
}

/// Approximate memory of texts of these lengths in a list, in bytes.
fn texts(lengths: impl Iterator<Item = usize>) -> usize {
    let each = lengths.map(|length| length.saturating_add(size_of::<Scalar>()));
    each.fold(0, usize::saturating_add)
}
