//! Paths to arguments and their members, with `*` for each element of an array.

use std::{collections::BTreeMap, fmt, str::FromStr};

use crate::value::Value;

/// Maximum number of `*` in a path.
const MAX_EACH: usize = 2;

/// A path such as `amount`, `address.city`, `lines.*.price` or `tags.*`.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct ArgPath(Vec<Segment>);

/// One part of a path.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
enum Segment {
    /// The member of an object.
    Member(String),
    /// Every element of an array, of which there must be at least one.
    Each,
}

/// The error of a text that is not a path.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum ArgPathError {
    /// A name between dots is empty.
    #[error("the argument's name or a part of its path is empty")]
    Empty,
    /// A `*` is the first part, or only a part of a name.
    #[error(
        "a star stands for all elements of an array, and must be a whole part after the array's name; write `lines.*.price`"
    )]
    Star,
    /// There are more `*` than allowed.
    #[error("the path has more than {MAX_EACH} stars; constrain a value closer to the argument")]
    ManyStars,
}

impl FromStr for ArgPath {
    type Err = ArgPathError;

    fn from_str(text: &str) -> Result<ArgPath, ArgPathError> {
        let segments = text.split('.').map(|part| match part {
            "" => Err(ArgPathError::Empty),
            "*" => Ok(Segment::Each),
            part if part.contains('*') => Err(ArgPathError::Star),
            part => Ok(Segment::Member(part.to_owned())),
        });
        let segments: Vec<Segment> = segments.collect::<Result<_, _>>()?;
        if segments.first() == Some(&Segment::Each) {
            return Err(ArgPathError::Star);
        }
        let stars = segments.iter().filter(|segment| **segment == Segment::Each);
        match stars.count() {
            0..=MAX_EACH => Ok(ArgPath(segments)),
            _ => Err(ArgPathError::ManyStars),
        }
    }
}

impl fmt::Display for ArgPath {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.first(self.len()).fmt(f)
    }
}

/// The first obstacle on a path through the arguments of a call.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Blocked {
    /// The kind of obstacle.
    pub kind: BlockedKind,
    /// Number of parts of the path that lead to the obstacle, as [`ArgPath::first`] takes it.
    pub parts: usize,
}

/// The kinds of obstacles on a path.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum BlockedKind {
    /// A required member is absent.
    Missing,
    /// The path names a member of a value that is not an object.
    NotObject,
    /// The path names the elements of a value that is not an array, or is an empty one.
    NotArray,
}

impl ArgPath {
    /// Number of parts.
    #[must_use]
    #[expect(clippy::len_without_is_empty, reason = "a path is never empty")]
    pub fn len(&self) -> usize {
        self.0.len()
    }

    /// The first `parts` parts of the path, in the form of its text.
    pub fn first(&self, parts: usize) -> impl fmt::Display {
        fmt::from_fn(move |f| {
            for (place, segment) in self.0.iter().take(parts).enumerate() {
                if place > 0 {
                    f.write_str(".")?;
                }
                f.write_str(match segment {
                    Segment::Member(name) => name,
                    Segment::Each => "*",
                })?;
            }
            Ok(())
        })
    }

    /// Returns true if the path stands for many values.
    #[must_use]
    pub fn has_each(&self) -> bool {
        self.0.contains(&Segment::Each)
    }

    /// The argument that the path begins with.
    #[must_use]
    pub fn argument(&self) -> &str {
        match self.0.first() {
            Some(Segment::Member(name)) => name,
            // The parser refuses a path that is empty or begins with `*`.
            Some(Segment::Each) | None => "",
        }
    }

    /// Returns true if the flags fit the path: one for each part, and none set for a `*`, which names no member that
    /// could be absent.
    #[must_use]
    pub(super) fn can_miss(&self, optional: &[bool]) -> bool {
        let parts = self.0.iter().zip(optional);
        let on_each = parts
            .clone()
            .any(|(segment, optional)| *optional && *segment == Segment::Each);
        self.0.len() == optional.len() && !on_each
    }

    /// The values at this path, in the order of the call. A member whose part of the path is `optional` may be absent,
    /// and then has no values below it.
    ///
    /// # Errors
    /// [`Blocked`] if a required member is absent, or if a value on the path has the wrong type.
    pub fn values<'v>(
        &self,
        args: &'v BTreeMap<String, Value>,
        optional: &[bool],
    ) -> Result<Vec<&'v Value>, Blocked> {
        let flags = optional.iter().copied().chain(std::iter::repeat(false));
        let mut parts = self.0.iter().zip(flags).enumerate();
        let blocked = |kind, parts| Err(Blocked { kind, parts });
        let Some((_, (Segment::Member(name), may_be_absent))) = parts.next() else {
            return blocked(BlockedKind::Missing, 0);
        };
        let mut values = match args.get(name) {
            Some(value) => vec![value],
            None if may_be_absent => return Ok(Vec::new()),
            None => return blocked(BlockedKind::Missing, 1),
        };
        for (place, (segment, may_be_absent)) in parts {
            let mut next = Vec::with_capacity(values.len());
            for value in values {
                match (segment, value) {
                    (Segment::Each, Value::Array(items)) if !items.is_empty() => next.extend(items),
                    (Segment::Each, _) => return blocked(BlockedKind::NotArray, place),
                    (Segment::Member(name), Value::Object(members)) => match members.get(name) {
                        Some(value) => next.push(value),
                        None if may_be_absent => {}
                        None => {
                            return blocked(BlockedKind::Missing, place.saturating_add(1));
                        }
                    },
                    (Segment::Member(_), _) => return blocked(BlockedKind::NotObject, place),
                }
            }
            values = next;
        }
        Ok(values)
    }
}

/// The paths above a path in text form, from the outside in: `a` and `a.b` for `a.b.c`.
pub(crate) fn above(path: &str) -> impl DoubleEndedIterator<Item = &str> {
    path.match_indices('.')
        .filter_map(|(end, _)| path.get(..end))
}

/// The path directly above a path in text form, and the last part; `None` for an argument.
pub(crate) fn split_last(path: &str) -> Option<(&str, &str)> {
    path.rsplit_once('.')
}

/// The steps of a path in text form, from the outside in: `a` to `b` and `a.b` to `c` for `a.b.c`.
pub(crate) fn steps_above(path: &str) -> impl Iterator<Item = (&str, &str)> {
    let inner = above(path).skip(1).chain([path]);
    inner.filter_map(split_last)
}
