//! The resource of a route, as a template of path parameters.

use super::call::{CallError, Pairs};

/// Segments, some of which the path fills.
#[derive(Debug, Clone)]
pub(super) struct Template(Vec<Segment>);

#[derive(Debug, Clone)]
enum Segment {
    Text(String),
    Parameter(String),
    Rest(String),
}

impl Template {
    /// Reads a template such as `eu/{tenant}/{*rest}`; `None` where a brace stands elsewhere.
    pub(super) fn read(text: &str) -> Option<Template> {
        let segments: Option<_> = text.split('/').map(Segment::read).collect();
        segments.map(Template)
    }

    /// The resource of a call. Whether it is in normal form is looked at with the call.
    pub(super) fn fill(&self, path: &Pairs) -> Result<String, CallError> {
        let filled: Result<Vec<&str>, CallError> = self
            .0
            .iter()
            .map(|segment| match segment {
                Segment::Text(text) => Ok(text.as_str()),
                Segment::Rest(name) => parameter(path, name),
                Segment::Parameter(name) => match parameter(path, name)? {
                    // `%2F` in the path: what follows would not be where the route expects it.
                    value if value.contains('/') => Err(CallError::Slash(name.clone())),
                    value => Ok(value),
                },
            })
            .collect();
        Ok(filled?.join("/"))
    }
}

impl Segment {
    fn read(text: &str) -> Option<Segment> {
        let inner = text
            .strip_prefix('{')
            .and_then(|text| text.strip_suffix('}'));
        let name = inner.unwrap_or(text);
        let segment = match (inner, name.strip_prefix('*')) {
            (Some(_), Some(rest)) => Segment::Rest(rest.to_owned()),
            (Some(name), None) => Segment::Parameter(name.to_owned()),
            (None, _) => Segment::Text(text.to_owned()),
        };
        (!name.contains(['{', '}'])).then_some(segment)
    }
}

/// The one path parameter of that name. Nested services can have two: of these the handler might
/// act on the other.
pub(super) fn parameter<'a>(path: &'a Pairs, name: &str) -> Result<&'a str, CallError> {
    let mut found = path.iter().filter(|(key, _)| key == name);
    match (found.next(), found.next()) {
        (Some((_, value)), None) => Ok(value),
        (None, _) => Err(CallError::NoParameter(name.to_owned())),
        (Some(_), Some(_)) => Err(CallError::TwoParameters(name.to_owned())),
    }
}
