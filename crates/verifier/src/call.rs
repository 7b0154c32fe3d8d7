//! Calls to decide, and the facts that are stated about them.

use std::{
    borrow::Cow,
    cell::OnceCell,
    collections::BTreeMap,
    fmt::{self, Write},
};

use bailiwick_token::{
    escape,
    grant::is_normal_resource,
    timestamp::Timestamp,
    value::{MAX_DEPTH, Micros, Scalar, Value, ValueError},
};
use serde::Deserialize;
use serde_json::value::RawValue;

/// Maximum length of a call's text, in bytes.
pub const MAX_CALL_BYTES: usize = 64 * 1024;

/// Maximum number of arguments and members of a call.
pub const MAX_FACTS: usize = 1024;

/// Maximum total length of all paths to members, in bytes. A path repeats the names of all enclosing members,
/// so a short call could expand to megabytes.
pub const MAX_PATH_BYTES: usize = 512 * 1024;

/// A call: an action, an optional resource, and named arguments.
///
/// The service is not part of a call: it is configured in the verifier, and never taken from a request.
///
/// ```
/// use bailiwick_verifier::Call;
///
/// let call = Call::new("purchase_order:create").resource("eu/4711").arg("amount", 4200);
/// let same = r#"{"action": "purchase_order:create", "resource": "eu/4711", "args": {"amount": 4200}}"#;
/// assert_eq!(Call::from_json(same)?, call);
/// # Ok::<(), bailiwick_verifier::CallError>(())
/// ```
#[derive(Debug, Clone, PartialEq)]
pub struct Call {
    action: String,
    resource: Option<String>,
    args: BTreeMap<String, Value>,
}

/// The reason why a call cannot be decided. Such a call is denied as `bad_request`.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum CallError {
    /// The call is too long.
    #[error("the call is longer than {MAX_CALL_BYTES} bytes")]
    TooLong,
    /// The call has too many arguments and members.
    #[error("the call has more than {MAX_FACTS} arguments and members")]
    TooMany,
    /// The call's names are too long for its nesting.
    #[error("the paths of the call's members are longer than {MAX_PATH_BYTES} bytes in all")]
    Paths,
    /// The text does not have the form of a call.
    #[error(
        "the call is not a JSON object with `action` and, if needed, `resource` and `args` ({0})"
    )]
    Shape(String),
    /// The arguments are not an object.
    #[error("the arguments are {0} and not a JSON object")]
    NotAnObject(&'static str),
    /// The arguments cannot be read.
    #[error("the arguments cannot be read ({0})")]
    Arguments(#[from] ValueError),
    /// The name of the action is invalid.
    #[error("the action is empty, or holds a star or a control character")]
    Action,
    /// The resource is not in normal form.
    #[error(
        "the resource is not in normal form; write segments separated by `/`, each with more than dots and white space before its first `;`, and no `\\`, `%`, `?`, `#` or control character"
    )]
    Resource,
    /// The call cannot be read from the request that carries it.
    #[error("{0}")]
    Unreadable(String),
    /// An argument has a name that no grant could refer to.
    #[error("the argument name {} is empty or holds a dot", escape::code(.0))]
    Name(String),
}

impl Call {
    /// Makes a call of `action` without a resource or arguments.
    #[must_use]
    pub fn new(action: &str) -> Call {
        Call {
            action: action.to_owned(),
            resource: None,
            args: BTreeMap::new(),
        }
    }

    /// Sets the resource, which must be in normal form.
    #[must_use]
    pub fn resource(mut self, resource: &str) -> Call {
        self.resource = Some(resource.to_owned());
        self
    }

    /// Adds an argument.
    #[must_use]
    pub fn arg(mut self, name: &str, value: impl Into<Value>) -> Call {
        self.args.insert(name.to_owned(), value.into());
        self
    }

    /// Reads a call from the JSON text `{"action":…,"resource"?:…,"args"?:{…}}`. Members with other names are
    /// refused, because a misspelled `args` would otherwise count as no arguments. Numbers are read exactly.
    ///
    /// # Errors
    /// [`CallError`] if the text is not a call that can be decided.
    pub fn from_json(text: &str) -> Result<Call, CallError> {
        #[derive(Deserialize)]
        #[serde(deny_unknown_fields)]
        struct Members<'a> {
            #[serde(borrow)]
            action: Cow<'a, str>,
            #[serde(borrow)]
            resource: Option<Cow<'a, str>>,
            #[serde(borrow, default, deserialize_with = "present")]
            args: Option<&'a RawValue>,
        }
        /// Distinguishes `"args": null` from a missing `args`. Only a missing `args` means "no arguments".
        fn present<'de, D: serde::Deserializer<'de>>(
            deserializer: D,
        ) -> Result<Option<&'de RawValue>, D::Error> {
            <&RawValue>::deserialize(deserializer).map(Some)
        }
        if text.len() > MAX_CALL_BYTES {
            return Err(CallError::TooLong);
        }
        // Serde would also accept an array of the values.
        if !text.trim_ascii_start().starts_with('{') {
            return Err(CallError::Shape("an object is expected".to_owned()));
        }
        let call: Members<'_> =
            serde_json::from_str(text).map_err(|error| CallError::Shape(error.to_string()))?;
        Call::from_args_json(
            &call.action,
            call.resource.as_deref(),
            call.args.map(RawValue::get),
        )
    }

    /// Makes a call whose arguments are the JSON text of an object; `None` means no arguments.
    ///
    /// # Errors
    /// [`CallError`] if the call cannot be decided.
    pub fn from_args_json(
        action: &str,
        resource: Option<&str>,
        args: Option<&str>,
    ) -> Result<Call, CallError> {
        let args = match args {
            None => BTreeMap::new(),
            Some(text) if text.len() > MAX_CALL_BYTES => return Err(CallError::TooLong),
            Some(text) => match Value::parse(text)? {
                Value::Object(args) => args,
                other => return Err(CallError::NotAnObject(other.kind())),
            },
        };
        let call = Call {
            action: action.to_owned(),
            resource: resource.map(str::to_owned),
            args,
        };
        call.state()?;
        Ok(call)
    }

    /// Returns the action.
    #[must_use]
    pub fn action(&self) -> &str {
        &self.action
    }

    /// The names of the arguments.
    pub fn argument_names(&self) -> impl ExactSizeIterator<Item = &str> + Clone {
        self.args.keys().map(String::as_str)
    }

    /// The facts that the profile states about this call.
    pub(crate) fn state(&self) -> Result<Statement<'_>, CallError> {
        let bad_name = |name: &str| {
            name.is_empty() || name.contains('*') || name.chars().any(char::is_control)
        };
        if bad_name(&self.action) {
            return Err(CallError::Action);
        }
        if self
            .resource
            .as_deref()
            .is_some_and(|resource| !is_normal_resource(resource))
        {
            return Err(CallError::Resource);
        }
        let mut statement = Statement {
            action: &self.action,
            resource: self.resource.as_deref(),
            names: &self.args,
            args: Vec::with_capacity(self.args.len()),
            path_bytes: 0,
            bytes: 0,
        };
        let mut bytes = self
            .action
            .len()
            .saturating_add(statement.resource.map_or(0, str::len));
        for (name, value) in &self.args {
            if name.is_empty() || name.contains('.') {
                return Err(CallError::Name(name.clone()));
            }
            // The object of all arguments counts as the first level.
            if value.depth() >= MAX_DEPTH {
                return Err(ValueError::TooDeep(MAX_DEPTH).into());
            }
            statement.members(name, value)?;
            statement.argument(Cow::Borrowed(name), value)?;
            bytes = bytes
                .saturating_add(name.len())
                .saturating_add(length(value));
        }
        if bytes > MAX_CALL_BYTES {
            return Err(CallError::TooLong);
        }
        statement.bytes = bytes;
        // Arguments are sorted by name, but paths of nested members may be out of order.
        if statement.args.len() > self.args.len() {
            statement.args.sort_by(|a, b| a.path.cmp(&b.path));
        }
        Ok(statement)
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

/// A call as the profile states it: everything that conditions can refer to, by name or path.
pub(crate) struct Statement<'a> {
    pub(crate) action: &'a str,
    pub(crate) resource: Option<&'a str>,
    names: &'a BTreeMap<String, Value>,
    /// Arguments and scalar members, sorted by path.
    args: Vec<Stated<'a>>,
    path_bytes: usize,
    /// Approximate length of the call's text, in bytes.
    pub(crate) bytes: usize,
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

/// Returns true if Datalog can represent the value as a scalar.
pub(crate) fn is_scalar(value: &Value) -> bool {
    match value {
        Value::Null | Value::Bool(_) | Value::String(_) => true,
        Value::Number(number) => number.integer().is_some(),
        Value::Array(_) | Value::Object(_) => false,
    }
}

impl<'a> Statement<'a> {
    /// The names of the arguments, sorted.
    pub(crate) fn names(&self) -> impl ExactSizeIterator<Item = &'a str> {
        self.names.keys().map(String::as_str)
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
        if self.args.len() == MAX_FACTS {
            return Err(CallError::TooMany);
        }
        self.args.push(Stated {
            path,
            value,
            num: OnceCell::new(),
            scalars: OnceCell::new(),
        });
        Ok(())
    }

    /// States the facts about the scalar members of objects inside `value`, whose nesting has already been
    /// bounded.
    fn members(&mut self, path: &str, value: &'a Value) -> Result<(), CallError> {
        match value {
            Value::Object(members) => {
                for (name, member) in members {
                    if name.contains('.') {
                        return Err(CallError::Name(name.clone()));
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

    /// Makes the path to a member. Its length counts towards [`MAX_PATH_BYTES`].
    fn path(&mut self, path: &str, member: &str) -> Result<String, CallError> {
        let path = format!("{path}.{member}");
        self.path_bytes = self.path_bytes.saturating_add(path.len());
        if self.path_bytes > MAX_PATH_BYTES {
            return Err(CallError::Paths);
        }
        Ok(path)
    }
}
