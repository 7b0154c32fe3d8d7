//! Calls to decide, and the facts that are stated about them.

use std::{borrow::Cow, collections::BTreeMap};

use bailiwick_token::{grant::is_normal_resource, json, value::Value};
use serde::Deserialize;
use serde_json::value::RawValue;

mod error;
mod limits;
mod statement;

pub use error::CallError;
pub(crate) use limits::CallLimits;
pub use limits::{DEFAULT_CALL_BYTES, MAX_CALL_BYTES, MAX_FACTS, MAX_PATH_BYTES};
pub(crate) use statement::{Stated, Statement, is_scalar};

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

    /// Reads a call from the JSON text `{"action":…,"resource"?:…,"args"?:{…}}`, of at most [`DEFAULT_CALL_BYTES`].
    /// Members with other names are refused. Numbers are read exactly.
    ///
    /// # Errors
    /// [`CallError`] if the text is not a call that can be decided.
    pub fn from_json(text: &str) -> Result<Call, CallError> {
        Call::from_json_within(text, DEFAULT_CALL_BYTES)
    }

    /// Reads a call like [`Call::from_json`], but of up to `bytes` bytes, for a service that allows longer calls
    /// ([`Limits::call_bytes`](crate::Limits::call_bytes)). A text of more than [`MAX_CALL_BYTES`] is always refused.
    ///
    /// # Errors
    /// [`CallError`] if the text is not a call that can be decided.
    pub fn from_json_within(text: &str, bytes: usize) -> Result<Call, CallError> {
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
        let limits = CallLimits::of(bytes);
        if text.len() > limits.bytes {
            return Err(CallError::TooLong(limits.bytes));
        }
        let call: Members<'_> =
            json::from_str(text).map_err(|error| CallError::Shape(error.to_string()))?;
        Call::from_args_json_within(
            &call.action,
            call.resource.as_deref(),
            call.args.map(RawValue::get),
            limits.bytes,
        )
    }

    /// Makes a call whose arguments are the JSON text of an object, of at most [`DEFAULT_CALL_BYTES`]; `None` means no
    /// arguments.
    ///
    /// # Errors
    /// [`CallError`] if the call cannot be decided.
    pub fn from_args_json(
        action: &str,
        resource: Option<&str>,
        args: Option<&str>,
    ) -> Result<Call, CallError> {
        Call::from_args_json_within(action, resource, args, DEFAULT_CALL_BYTES)
    }

    /// Makes a call like [`Call::from_args_json`], but with arguments of up to `bytes` bytes.
    ///
    /// # Errors
    /// [`CallError`] if the call cannot be decided.
    pub fn from_args_json_within(
        action: &str,
        resource: Option<&str>,
        args: Option<&str>,
        bytes: usize,
    ) -> Result<Call, CallError> {
        let limits = CallLimits::of(bytes);
        let args = match args {
            None => BTreeMap::new(),
            Some(text) if text.len() > limits.bytes => {
                return Err(CallError::TooLong(limits.bytes));
            }
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
        call.state(limits)?;
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
    pub(crate) fn state(&self, limits: CallLimits) -> Result<Statement<'_>, CallError> {
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
        Statement::new(&self.action, self.resource.as_deref(), &self.args, limits)
    }
}
