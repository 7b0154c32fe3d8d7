//! The differences for people and as JSON.

use std::{collections::BTreeMap, fmt};

use bailiwick_token::{
    escape::name,
    grant::{
        Grants,
        difference::{Difference, Example, Found},
    },
    text::counted,
    value::Value,
};
use serde::{Serialize, Serializer, ser::SerializeStruct};

use crate::{exit::Failure, input::Input, output::BOLD};

/// Maximum number of sentences to show for a refusal.
const MAX_SENTENCES: usize = 4;

/// Differences between two files of grants, in both directions.
pub(super) struct Report<'i> {
    pub(super) files: [&'i Input; 2],
    /// Calls that only the first file allows, then calls that only the second allows.
    pub(super) directions: [Direction; 2],
}

/// Calls that one file allows and the other refuses.
pub(super) struct Direction {
    shown: Vec<Shown>,
    is_within: bool,
    is_cut_off: bool,
    calls: u64,
}

/// A difference in words, with its example.
#[derive(Serialize)]
struct Shown {
    /// Position of the grant, counted from 0.
    grant: usize,
    #[serde(skip)]
    action: String,
    /// The part of the grant.
    about: String,
    /// Values that the grant allows there, in words.
    allowed: String,
    /// Reasons for which the other file refuses the example.
    refused: Vec<String>,
    /// The example, as `grants simulate` reads it.
    call: Value,
    /// The time of the example, where it matters.
    #[serde(skip_serializing_if = "Option::is_none")]
    at: Option<String>,
}

impl Direction {
    pub(super) fn new(
        found: Found,
        grants: &Grants,
        shows_time: bool,
        mut refusal: impl FnMut(&Example) -> Result<Vec<String>, Failure>,
    ) -> Result<Direction, Failure> {
        let mut shown = Vec::new();
        for difference in &found.differences {
            let Difference {
                grant: index,
                aspect,
                example,
            } = difference;
            let Some(grant) = grants.iter().nth(*index) else {
                continue;
            };
            let mut refused = refusal(example)?;
            refused.truncate(MAX_SENTENCES);
            shown.push(Shown {
                grant: *index,
                action: format!(
                    "{} {}",
                    name(&grant.service),
                    name(&grant.action.to_string())
                ),
                about: aspect.to_string(),
                allowed: difference.allowed(grant).to_string(),
                refused,
                call: call(example),
                at: shows_time.then(|| example.time.to_string()),
            });
        }
        Ok(Direction {
            shown,
            is_within: found.is_within,
            is_cut_off: found.is_cut_off,
            calls: found.calls,
        })
    }
}

/// The call as a line of recorded calls.
fn call(example: &Example) -> Value {
    let mut call = BTreeMap::from([
        ("service".to_owned(), Value::from(example.service.as_str())),
        ("action".to_owned(), Value::from(example.action.as_str())),
    ]);
    if let Some(resource) = &example.resource {
        call.insert("resource".to_owned(), Value::from(resource.as_str()));
    }
    if !example.args.is_empty() {
        call.insert("args".to_owned(), Value::Object(example.args.clone()));
    }
    Value::Object(call)
}

impl Report<'_> {
    fn is_same(&self) -> bool {
        self.directions.iter().all(|direction| direction.is_within)
    }
}

impl fmt::Display for Report<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let [first, second] = self.files;
        if self.is_same() {
            return writeln!(f, "{first} and {second} allow the same calls");
        }
        let [forth, back] = &self.directions;
        direction(f, forth, [first, second])?;
        direction(f, back, [second, first])
    }
}

fn direction(
    f: &mut fmt::Formatter<'_>,
    direction: &Direction,
    [allowing, refusing]: [&Input; 2],
) -> fmt::Result {
    let Direction {
        shown,
        is_within,
        is_cut_off,
        calls,
    } = direction;
    if *is_within {
        return writeln!(f, "{allowing} allows nothing that {refusing} does not");
    }
    if shown.is_empty() {
        writeln!(
            f,
            "no call allowed by {allowing} and refused by {refusing} was found among {}; it is not proven that none exists",
            counted(*calls, "tried call")
        )?;
    } else {
        writeln!(
            f,
            "{BOLD}allowed by {allowing}, refused by {refusing}:{BOLD:#}"
        )?;
    }
    for difference in shown {
        let Shown {
            action,
            about,
            allowed,
            refused,
            call,
            at,
            ..
        } = difference;
        writeln!(f, "  {action}, {about}: {allowed}")?;
        for sentence in refused {
            writeln!(f, "    refused: {sentence}")?;
        }
        writeln!(f, "    example: {}", call.to_visible())?;
        if let Some(at) = at {
            writeln!(f, "    at {at}")?;
        }
    }
    if *is_cut_off {
        writeln!(
            f,
            "  there were more calls to try: this list may not be complete"
        )?;
    }
    Ok(())
}

impl Serialize for Direction {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let mut direction = serializer.serialize_struct("Direction", 4)?;
        direction.serialize_field("differences", &self.shown)?;
        direction.serialize_field("none_proven", &self.is_within)?;
        direction.serialize_field("calls_tried", &self.calls)?;
        direction.serialize_field("cut_off", &self.is_cut_off)?;
        direction.end()
    }
}

impl Serialize for Report<'_> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let [forth, back] = &self.directions;
        let mut report = serializer.serialize_struct("Report", 3)?;
        report.serialize_field("same", &self.is_same())?;
        report.serialize_field("only_first", forth)?;
        report.serialize_field("only_second", back)?;
        report.end()
    }
}
