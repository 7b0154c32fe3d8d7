//! Recorded calls, one JSON object per line.

mod members;

use std::{
    collections::BTreeMap,
    io::{self, BufRead, BufReader, Read},
};

use bailiwick_token::value::Value;
use bailiwick_verifier::{Call, CallError, Decision};
use serde_json::value::RawValue;

use self::members::CallMembers;
use crate::{
    exit::{Exit, Failure},
    input::Input,
};

/// Maximum length of a line, in bytes.
const MAX_LINE: u64 = 1 << 20;

/// A recorded call.
pub(super) struct RecordedCall {
    /// The called service, if it could be read.
    pub(super) service: Option<String>,
    /// The action, if it could be read.
    pub(super) action: Option<String>,
    /// True if the call is expected to be allowed; `None` if the line does not say.
    pub(super) expected: Option<bool>,
    /// The service and the call, or the denial if the call cannot be read.
    pub(super) call: Result<(String, Call), Box<Decision>>,
    /// The member that takes the place of `args` under another name. It makes the line a mistake, whatever the line
    /// expects.
    pub(super) misnamed: Option<String>,
    /// Names of members that no call has.
    pub(super) others: Vec<String>,
}

impl RecordedCall {
    /// Reads one line.
    ///
    /// # Errors
    /// A [`Failure`] if `expect` is neither `allow` nor `deny`. Any other error denies the call instead.
    pub(super) fn read(line: &CallLine) -> Result<RecordedCall, Failure> {
        let members = match line.members() {
            Ok(members) => members,
            Err(detail) => {
                return Ok(RecordedCall {
                    service: None,
                    action: None,
                    expected: None,
                    call: Err(denied(detail)),
                    misnamed: None,
                    others: Vec::new(),
                });
            }
        };
        let service = members.service.and_then(string);
        let action = members.action.and_then(string);
        let misnamed = members.misnamed().map(str::to_owned);
        let call = match (&service, &action) {
            (Some(service), Some(action)) => match &misnamed {
                None => request(action, &members).map(|call| (service.clone(), call)),
                Some(name) => Err(denied(format!(
                    "the arguments are named `{name}` instead of `args`"
                ))),
            },
            (None, _) => Err(denied("`service` is missing or not a string".to_owned())),
            (_, None) => Err(denied("`action` is missing or not a string".to_owned())),
        };
        let expected = expected(&members, line.number)?;
        let mut others = members.others;
        // This member was refused rather than ignored.
        others.retain(|name| misnamed.as_ref() != Some(name));
        Ok(RecordedCall {
            service,
            action,
            expected,
            call,
            misnamed,
            others,
        })
    }
}

fn request(action: &str, members: &CallMembers<'_>) -> Result<Call, Box<Decision>> {
    let resource = match members.resource.map(string) {
        Some(None) => return Err(denied("`resource` is not a string".to_owned())),
        Some(resource) => resource,
        None => None,
    };
    Call::from_args_json(action, resource.as_deref(), members.args.map(RawValue::get))
        .map_err(|error| Box::new(Decision::bad_request(error)))
}

fn expected(members: &CallMembers<'_>, number: u64) -> Result<Option<bool>, Failure> {
    let Some(raw) = members.expect else {
        return Ok(None);
    };
    match string(raw).as_deref() {
        Some("allow") => Ok(Some(true)),
        Some("deny") => Ok(Some(false)),
        _ => Err(Failure::plain(
            Exit::Local,
            format!("`expect` in line {number} is neither `allow` nor `deny`"),
        )
        .hint("correct the line, or leave `expect` out")),
    }
}

fn string(raw: &RawValue) -> Option<String> {
    serde_json::from_str(raw.get()).ok()
}

pub(super) fn denied(detail: String) -> Box<Decision> {
    Box::new(Decision::bad_request(CallError::Unreadable(detail)))
}

/// A line that is not empty.
pub(super) struct CallLine {
    /// Line number, counted from 1 and including empty lines.
    pub(super) number: u64,
    bytes: Vec<u8>,
    complete: bool,
}

/// Service, action and arguments of a call.
pub(super) type CallParts = (String, String, BTreeMap<String, Value>);

impl CallLine {
    /// The service, the action and the arguments; `None` if the line cannot be read as a call.
    pub(super) fn call_parts(&self) -> Option<CallParts> {
        let members = self.members().ok()?;
        if members.misnamed().is_some() {
            return None;
        }
        let args = match members.args {
            None => BTreeMap::new(),
            Some(text) => match Value::parse(text.get()).ok()? {
                Value::Object(args) => args,
                _ => return None,
            },
        };
        Some((string(members.service?)?, string(members.action?)?, args))
    }

    fn members(&self) -> Result<CallMembers<'_>, String> {
        if !self.complete {
            return Err(format!("the line is longer than {MAX_LINE} bytes"));
        }
        let text = std::str::from_utf8(&self.bytes)
            .map_err(|_| "the line is not text (UTF-8)".to_owned())?;
        // Serde would accept a list of the right length as an object.
        if !text.trim_ascii_start().starts_with('{') {
            return Err("the line is not a JSON object".to_owned());
        }
        serde_json::from_str(text)
            .map_err(|error| format!("the line is not a JSON object that can be read ({error})"))
    }
}

/// Reads the lines of a file of any length, one at a time.
pub(super) struct Lines {
    source: Input,
    reader: Box<dyn BufRead>,
    number: u64,
}

impl Lines {
    pub(super) fn open(source: &Input) -> Result<Lines, Failure> {
        Ok(Lines {
            source: source.clone(),
            reader: Box::new(BufReader::new(source.open()?)),
            number: 0,
        })
    }

    /// Reads the next line that is not empty.
    pub(super) fn next(&mut self) -> Result<Option<CallLine>, Failure> {
        loop {
            let line = self
                .read()
                .map_err(|error| self.source.unreadable(&error))?;
            match line {
                Some(line) if line.bytes.trim_ascii().is_empty() && line.complete => {}
                line => return Ok(line),
            }
        }
    }

    fn read(&mut self) -> io::Result<Option<CallLine>> {
        let mut bytes = Vec::new();
        let most = MAX_LINE.saturating_add(1);
        if (&mut self.reader)
            .take(most)
            .read_until(b'\n', &mut bytes)?
            == 0
        {
            return Ok(None);
        }
        let ended = bytes.last() == Some(&b'\n');
        let complete = ended || u64::try_from(bytes.len()).is_ok_and(|length| length < most);
        if !complete {
            self.reader.skip_until(b'\n')?;
        }
        self.number = self.number.saturating_add(1);
        Ok(Some(CallLine {
            number: self.number,
            bytes,
            complete,
        }))
    }
}

#[cfg(test)]
mod tests {
    use bailiwick_verifier::Reason;

    use super::*;

    fn read(text: &str) -> Result<RecordedCall, Failure> {
        RecordedCall::read(&CallLine {
            number: 7,
            bytes: text.as_bytes().to_vec(),
            complete: true,
        })
    }

    #[test]
    fn a_call_is_an_object_with_service_and_action() {
        let call = read(r#"{"service":"s","action":"a","prompt":[{}],"expect":"deny"}"#).unwrap();
        assert!(call.call.is_ok());
        assert_eq!(call.expected, Some(false));
        for bad in [
            "nonsense",
            r#"["s","a"]"#,
            r#""s""#,
            r#"{"service":"s"}"#,
            r#"{"action":"a"}"#,
            r#"{"service":1,"action":"a"}"#,
            r#"{"service":"s","service":"s","action":"a"}"#,
            r#"{"service":"s","action":"a","args":null}"#,
            r#"{"service":"s","action":"a","args":[]}"#,
            r#"{"service":"s","action":"a","args":{"a":1,"a":2}}"#,
            r#"{"service":"s","action":"a","resource":null}"#,
            r#"{"service":"s","action":"a"} {}"#,
        ] {
            let denied = read(bad).unwrap().call.unwrap_err();
            assert_eq!(denied.reason(), Some(Reason::BadRequest), "{bad}");
        }
    }

    #[test]
    fn misnamed_arguments_are_refused() {
        for name in members::MISNAMED {
            let text = format!(r#"{{"service":"s","action":"a","{name}":{{"x":1}}}}"#);
            let call = read(&text).unwrap();
            let denied = call.call.unwrap_err();
            assert_eq!(denied.reason(), Some(Reason::BadRequest), "{name}");
            assert_eq!(call.misnamed.as_deref(), Some(name));
        }
        // If there is `args` too, `input` is a member like any other.
        let call = read(r#"{"service":"s","action":"a","args":{},"input":1,"id":2}"#).unwrap();
        assert!(call.call.is_ok() && call.misnamed.is_none());
        assert_eq!(call.others, ["input", "id"]);
    }

    #[test]
    fn an_expectation_is_one_of_two_words() {
        assert_eq!(read(r#"{"expect":"allow"}"#).unwrap().expected, Some(true));
        assert_eq!(read("{}").unwrap().expected, None);
        for bad in [
            r#"{"expect":"Allow"}"#,
            r#"{"expect":null}"#,
            r#"{"expect":true}"#,
        ] {
            assert!(read(bad).is_err(), "{bad}");
        }
    }

    #[test]
    fn lines_are_bounded_and_counted() {
        let long = "x".repeat(usize::try_from(MAX_LINE).unwrap() + 5);
        let text = format!("\n{{}}\r\n   \n{long}\n{{}}");
        let mut lines = Lines {
            source: Input::Stdin,
            reader: Box::new(io::Cursor::new(text.into_bytes())),
            number: 0,
        };
        let mut seen = Vec::new();
        while let Some(line) = lines.next().unwrap() {
            seen.push((line.number, line.complete));
        }
        assert_eq!(seen, [(2, true), (4, false), (5, true)]);
    }
}
