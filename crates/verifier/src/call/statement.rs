//! The facts that the profile states about a call.

use std::{
    borrow::Cow,
    cell::OnceCell,
    collections::BTreeMap,
    fmt::{self, Write},
};

use bailiwick_token::{
    timestamp::Timestamp,
    value::{MAX_DEPTH, Micros, Scalar, Value, ValueError},
};

use super::{error::CallError, limits::CallLimits};

/// A call as the profile states it: everything that conditions can refer to, by name or path.
pub(crate) struct Statement<'a> {
    pub(crate) action: &'a str,
    pub(crate) resource: Option<&'a str>,
    values: &'a BTreeMap<String, Value>,
    /// Arguments and scalar members, sorted by path.
    args: Vec<Stated<'a>>,
    path_bytes: usize,
    /// Approximate length of the call's text, in bytes.
    pub(crate) bytes: usize,
    limits: CallLimits,
}

/// An argument, or a scalar member of one, with the facts stated about it.
pub(crate) struct Stated<'a> {
    path: Cow<'a, str>,
    pub(crate) value: &'a Value,
    num: OnceCell<Option<Micros>>,
    scalars: OnceCell<Option<Box<[Scalar]>>>,
}

impl<'a> Stated<'a> {
    /// The value of the fact `arg` if it is a string.
    pub(crate) fn text(&self) -> Option<&'a str> {
        match self.value {
            Value::String(text) => Some(text),
            _ => None,
        }
    }

    /// The name or path.
    pub(crate) fn path(&self) -> &str {
        &self.path
    }

    /// The value of the fact `num`, parsed on first use.
    pub(crate) fn num(&self) -> Option<Micros> {
        match self.value {
            Value::Number(number) => *self.num.get_or_init(|| number.micros()),
            _ => None,
        }
    }

    /// The elements of an array of scalars, converted on first use; `None` for any other value.
    pub(crate) fn scalars(&self) -> Option<&[Scalar]> {
        match self.value {
            Value::Array(_) => {
                let read = || self.value.as_scalars().map(Vec::into_boxed_slice);
                self.scalars.get_or_init(read).as_deref()
            }
            _ => None,
        }
    }

    /// Returns true if [`Stated::scalars`] has been called before.
    pub(crate) fn scalars_are_read(&self) -> bool {
        self.scalars.get().is_some()
    }

    /// The value of the fact `date`.
    pub(crate) fn date(&self) -> Option<Timestamp> {
        self.text()?.parse().ok()
    }

    /// The value of the fact `json`: the canonical text of an object, or of an array that does not consist of
    /// scalars.
    pub(crate) fn json(&self) -> Option<String> {
        let nested = match self.value {
            Value::Array(items) => items.iter().any(|item| !is_scalar(item)),
            Value::Object(_) => true,
            _ => false,
        };
        nested.then(|| self.value.to_string())
    }
}

/// Returns true if a path can refer to a member of this name. A name with `.` or `*` would make the path ambiguous, so
/// neither such a member nor anything below it has a path. The `json` of its object still contains it.
fn is_named(name: &str) -> bool {
    !name.is_empty() && !name.contains(['.', '*'])
}

/// Returns true if Datalog can represent the value as a scalar.
pub(crate) fn is_scalar(value: &Value) -> bool {
    match value {
        Value::Null | Value::Bool(_) | Value::String(_) => true,
        Value::Number(number) => number.integer().is_some(),
        Value::Array(_) | Value::Object(_) => false,
    }
}

impl<'a> Statement<'a> {
    /// States a call whose action and resource are valid.
    ///
    /// # Errors
    /// [`CallError`] if the call exceeds a limit, or if an argument has a name that no grant could refer to.
    pub(super) fn new(
        action: &'a str,
        resource: Option<&'a str>,
        values: &'a BTreeMap<String, Value>,
        limits: CallLimits,
    ) -> Result<Statement<'a>, CallError> {
        // All arguments count, because conditions see the name of each, even if no path can refer to it.
        if values.len() > limits.facts {
            return Err(CallError::TooMany(limits.facts));
        }
        let mut statement = Statement {
            action,
            resource,
            values,
            args: Vec::with_capacity(values.len()),
            path_bytes: 0,
            bytes: action.len().saturating_add(resource.map_or(0, str::len)),
            limits,
        };
        for (name, value) in values {
            if name.is_empty() || name.contains('.') {
                return Err(CallError::Name(name.clone()));
            }
            // The object of all arguments counts as the first level.
            if value.depth() >= MAX_DEPTH {
                return Err(ValueError::TooDeep(MAX_DEPTH).into());
            }
            if is_named(name) {
                statement.members(name, value)?;
                statement.argument(Cow::Borrowed(name), value)?;
            }
            let bytes = name.len().saturating_add(length(value));
            statement.bytes = statement.bytes.saturating_add(bytes);
        }
        if statement.bytes > limits.bytes {
            return Err(CallError::TooLong(limits.bytes));
        }
        // Arguments are sorted by name, but paths of nested members may be out of order.
        if statement.args.len() > values.len() {
            statement.args.sort_by(|a, b| a.path.cmp(&b.path));
        }
        Ok(statement)
    }

    /// The names of the arguments, sorted.
    pub(crate) fn names(&self) -> impl ExactSizeIterator<Item = &'a str> {
        self.values.keys().map(String::as_str)
    }

    /// The arguments, unchanged.
    pub(crate) fn values(&self) -> &'a BTreeMap<String, Value> {
        self.values
    }

    /// All arguments and scalar members, sorted by path.
    pub(crate) fn args(&self) -> &[Stated<'a>] {
        &self.args
    }

    /// The argument or member with this name or path.
    pub(crate) fn get(&self, path: &str) -> Option<&Stated<'a>> {
        let place = self
            .args
            .binary_search_by(|stated| stated.path.as_ref().cmp(path));
        self.args.get(place.ok()?)
    }

    /// States the facts about an argument, or about a scalar member of an object.
    fn argument(&mut self, path: Cow<'a, str>, value: &'a Value) -> Result<(), CallError> {
        if self.args.len() == self.limits.facts {
            return Err(CallError::TooMany(self.limits.facts));
        }
        self.args.push(Stated {
            path,
            value,
            num: OnceCell::new(),
            scalars: OnceCell::new(),
        });
        Ok(())
    }

    /// States the facts about the scalar members of objects inside `value`, whose depth has already been checked.
    fn members(&mut self, path: &str, value: &'a Value) -> Result<(), CallError> {
        match value {
            Value::Object(members) => {
                for (name, member) in members {
                    if !is_named(name) {
                        continue;
                    }
                    let path = self.path(path, name)?;
                    match member {
                        Value::Array(_) | Value::Object(_) => self.members(&path, member)?,
                        _ => self.argument(Cow::Owned(path), member)?,
                    }
                }
            }
            Value::Array(items) => {
                for (index, item) in items.iter().enumerate() {
                    if matches!(item, Value::Array(_) | Value::Object(_)) {
                        let path = self.path(path, &index.to_string())?;
                        self.members(&path, item)?;
                    }
                }
            }
            _ => {}
        }
        Ok(())
    }

    /// Makes the path to a member. Its length counts towards the limit on paths.
    fn path(&mut self, path: &str, member: &str) -> Result<String, CallError> {
        let path = format!("{path}.{member}");
        self.path_bytes = self.path_bytes.saturating_add(path.len());
        if self.path_bytes > self.limits.path_bytes {
            return Err(CallError::Paths(self.limits.path_bytes));
        }
        Ok(path)
    }
}

/// Length of a value's canonical text.
fn length(value: &Value) -> usize {
    struct Length(usize);
    impl fmt::Write for Length {
        fn write_str(&mut self, text: &str) -> fmt::Result {
            self.0 = self.0.saturating_add(text.len());
            Ok(())
        }
    }
    match value {
        // Most values: computed without formatting them, and without counting escapes.
        Value::String(text) => return text.len().saturating_add(2),
        Value::Null | Value::Bool(_) => return 5,
        Value::Number(number) => return number.digits().saturating_add(2),
        _ => {}
    }
    let mut length = Length(0);
    // Writing to `Length` cannot fail.
    let _ = write!(length, "{value}");
    length.0
}
