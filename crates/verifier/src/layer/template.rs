//! Templates that make the resource of a route from path parameters.

use super::parameters::{Pairs, ParameterError, parameter};

/// The segments of a resource. Some are fixed, and some come from path parameters.
#[derive(Debug, Clone)]
pub(super) struct ResourceTemplate(Vec<Segment>);

#[derive(Debug, Clone)]
enum Segment {
    Text(String),
    Parameter(String),
    Rest(String),
}

impl ResourceTemplate {
    /// Reads a template such as `eu/{tenant}/{*rest}`; `None` if braces occur in any other form.
    pub(super) fn read(text: &str) -> Option<ResourceTemplate> {
        let segments: Option<_> = text.split('/').map(Segment::read).collect();
        segments.map(ResourceTemplate)
    }

    /// The path parameters that fill the template.
    pub(super) fn parameters(&self) -> impl Iterator<Item = &str> {
        self.0.iter().filter_map(|segment| match segment {
            Segment::Text(_) => None,
            Segment::Parameter(name) | Segment::Rest(name) => Some(name.as_str()),
        })
    }

    /// Makes the resource of a call. [`Call`](crate::Call) refuses a resource that is not in normal form.
    pub(super) fn fill(&self, path: &Pairs) -> Result<String, ParameterError> {
        let filled: Result<Vec<&str>, ParameterError> = self
            .0
            .iter()
            .map(|segment| match segment {
                Segment::Text(text) => Ok(text.as_str()),
                Segment::Rest(name) => parameter(path, name),
                Segment::Parameter(name) => match parameter(path, name)? {
                    // `%2F` in the path decodes to a slash, which would shift the segments after it.
                    value if value.contains('/') => Err(ParameterError::Slash(name.clone())),
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
