//! The call to decide, given by options or as a JSON object.

use std::borrow::Cow;

use bailiwick_token::json;
use bailiwick_verifier::{Call, CallError};
use clap::Args;
use serde::{Deserialize, Deserializer};
use serde_json::value::RawValue;

use crate::{exit::Failure, input::Input};

/// Maximum length of a call's file, in bytes. The verifier has a lower limit and a better message.
const MAX_FILE: usize = 1 << 20;

/// Options that describe the call.
#[derive(Debug, Args)]
pub(super) struct CallArgs {
    /// The action of the call
    #[arg(long, value_name = "NAME", required_unless_present = "call")]
    action: Option<String>,
    /// The resource of the call
    #[arg(long, value_name = "PATH")]
    resource: Option<String>,
    /// The call's arguments, a JSON object
    #[arg(long, value_name = "JSON", conflicts_with = "args_file")]
    args: Option<String>,
    /// The file of the call's arguments
    #[arg(long, value_name = "FILE|-")]
    args_file: Option<Input>,
    /// The file of the whole call, a JSON object: `action`, and optionally `resource` and `args`
    #[arg(long, value_name = "FILE|-", conflicts_with_all = ["action", "resource", "args", "args_file"])]
    call: Option<Input>,
}

impl CallArgs {
    /// Reads the call. The inner error means a malformed call: a caller of the service could have sent it, so
    /// the verifier denies it.
    ///
    /// # Errors
    /// A [`Failure`] if a file cannot be read or is too long.
    pub(super) fn request(&self) -> Result<Result<Call, CallError>, Failure> {
        if let Some(file) = &self.call {
            return Ok(text(&file.read(MAX_FILE)?).and_then(whole));
        }
        let file = self.args_file.as_ref();
        let bytes = file.map(|file| file.read(MAX_FILE)).transpose()?;
        let args = match &bytes {
            Some(bytes) => text(bytes).map(Some),
            None => Ok(self.args.as_deref()),
        };
        let action = self.action.as_deref().unwrap_or_default();
        Ok(args.and_then(|args| Call::from_args_json(action, self.resource.as_deref(), args)))
    }
}

/// The members of a call. Unknown members are refused, because a misspelled member would otherwise be ignored.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Whole<'a> {
    #[serde(borrow)]
    action: Cow<'a, str>,
    #[serde(borrow, default, deserialize_with = "present")]
    resource: Option<Cow<'a, str>>,
    #[serde(borrow, default, deserialize_with = "raw")]
    args: Option<&'a RawValue>,
}

/// Deserializes a member that is present, so that `null` is refused rather than treated as absent.
fn present<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Option<Cow<'de, str>>, D::Error> {
    Cow::<'de, str>::deserialize(deserializer).map(Some)
}

fn raw<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Option<&'de RawValue>, D::Error> {
    <&RawValue>::deserialize(deserializer).map(Some)
}

fn whole(text: &str) -> Result<Call, CallError> {
    let call: Whole<'_> =
        json::from_str(text).map_err(|error| CallError::Shape(error.to_string()))?;
    Call::from_args_json(
        &call.action,
        call.resource.as_deref(),
        call.args.map(RawValue::get),
    )
}

fn text(bytes: &[u8]) -> Result<&str, CallError> {
    std::str::from_utf8(bytes).map_err(|_| CallError::Shape("not text (UTF-8)".to_owned()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_call_has_three_members() {
        let call = whole(r#"{"action":"order","resource":"eu/1","args":{"a":1}}"#).unwrap();
        let expected = Call::new("order").resource("eu/1").arg("a", 1);
        assert_eq!(call, expected);
        assert_eq!(whole(r#"{"action":"order"}"#).unwrap(), Call::new("order"));
        for wrong in [
            "",
            "null",
            r#""order""#,
            r#"["order"]"#,
            r#"["order","eu/1",{}]"#,
            "{}",
            r#"{"action":null}"#,
            r#"{"action":"order","arg":{}}"#,
            r#"{"action":"order","Resource":"eu/1"}"#,
            r#"{"action":"order","service":"erp"}"#,
            r#"{"action":"order","action":"read"}"#,
            r#"{"action":"order","resource":null}"#,
            r#"{"action":"order","args":null}"#,
            r#"{"action":"order","args":[]}"#,
            r#"{"action":"order","args":{"a":1,"a":2}}"#,
            r#"{"action":"order"} {}"#,
        ] {
            assert!(whole(wrong).is_err(), "{wrong}");
        }
    }
}
