//! Texts with parameters, such as `agent:${client}`.

use std::collections::BTreeMap;

use super::param::{Param, ParamType, ParamValues};

/// The characters that begin a parameter.
pub(super) const OPEN: &str = "${";

/// A text with parameters, and its maximum length in bytes once they are filled in.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Text {
    parts: Vec<Part>,
    max: usize,
}

#[derive(Debug, Clone, PartialEq)]
enum Part {
    Literal(String),
    Param(String),
}

impl Text {
    /// Reads a text of at most `max` bytes, and looks up its parameters among those of the profile.
    ///
    /// Callers with different claims never get the same text: each parameter but the last has a type that
    /// cannot contain a `/`, and is followed by a `/`, so the text determines all its parameters.
    pub(super) fn parse(
        text: &str,
        params: &BTreeMap<String, Param>,
        max: usize,
    ) -> Result<Text, String> {
        let parts = split(text)?;
        if text.is_empty() || text.len() > max || text.contains(char::is_control) {
            return Err(format!(
                "not a valid text; write 1 to {max} bytes without control characters"
            ));
        }
        let names = parts.iter().filter(|part| matches!(part, Part::Param(_)));
        let mut left = names.count();
        for (index, part) in parts.iter().enumerate() {
            let Part::Param(name) = part else { continue };
            let kind = kind_of(name, params)?;
            if kind == ParamType::Strings {
                return Err(format!(
                    "`${{{name}}}` is a list, which cannot be part of a text; use a parameter of another type"
                ));
            }
            left = left.saturating_sub(1);
            let parted = match parts.get(index.saturating_add(1)) {
                Some(Part::Literal(literal)) => literal.starts_with('/'),
                _ => false,
            };
            if left > 0 && (kind == ParamType::String || !parted) {
                return Err(format!(
                    "`${{{name}}}` runs into the next parameter, so two callers could get the same text; give all but the last the type `segment`, and put a `/` after each"
                ));
            }
        }
        Ok(Text { parts, max })
    }

    /// Returns the name of the parameter if the text consists of exactly one parameter.
    pub(super) fn whole(text: &str) -> Option<&str> {
        let name = text.strip_prefix(OPEN)?.strip_suffix('}')?;
        is_name(name).then_some(name)
    }

    /// Returns true if each parameter is a segment that is followed by a `/`. Then a claim can neither be the
    /// beginning of another claim nor extend beyond its place.
    pub(super) fn is_path_prefix(&self, params: &BTreeMap<String, Param>) -> bool {
        self.parts
            .iter()
            .enumerate()
            .all(|(index, part)| match part {
                Part::Literal(_) => true,
                Part::Param(name) => {
                    let next = self.parts.get(index.saturating_add(1));
                    let parted = matches!(next, Some(Part::Literal(text)) if text.starts_with('/'));
                    let kind = params.get(name).map(|param| param.kind);
                    parted && matches!(kind, Some(ParamType::Segment | ParamType::Integer))
                }
            })
    }

    /// Returns the names of the text's parameters.
    pub(super) fn params(&self) -> impl Iterator<Item = &str> {
        self.parts.iter().filter_map(|part| match part {
            Part::Param(name) => Some(name.as_str()),
            Part::Literal(_) => None,
        })
    }

    /// Returns the text with its parameters filled in; `None` if it becomes too long.
    pub(super) fn fill(&self, values: &ParamValues) -> Option<String> {
        let parts = self.parts.iter().map(|part| match part {
            Part::Literal(text) => Some(text.clone()),
            Part::Param(name) => values.get(name)?.text(),
        });
        let text: String = parts.collect::<Option<_>>()?;
        (text.len() <= self.max).then_some(text)
    }
}

/// Returns the type of a parameter that a text or a grant names.
pub(super) fn kind_of(name: &str, params: &BTreeMap<String, Param>) -> Result<ParamType, String> {
    params.get(name).map(|param| param.kind).ok_or_else(|| {
        format!("`${{{name}}}` is not a parameter of the profile; add it to `[profile.params]`")
    })
}

/// Returns true for a valid name of a parameter: lower-case letters, digits and `_`, beginning with a letter.
pub(super) fn is_name(name: &str) -> bool {
    let right = |byte: u8| byte.is_ascii_lowercase() || byte.is_ascii_digit() || byte == b'_';
    (1..=64).contains(&name.len())
        && name.starts_with(|c: char| c.is_ascii_lowercase())
        && name.bytes().all(right)
}

fn split(text: &str) -> Result<Vec<Part>, String> {
    let mut parts = Vec::new();
    let mut rest = text;
    while let Some((before, after)) = rest.split_once(OPEN) {
        let name = after.split_once('}').filter(|(name, _)| is_name(name));
        let (name, after) = name.ok_or(
            "`${` begins a parameter that is not complete; write `${name}` with lower-case letters, digits and `_`",
        )?;
        if !before.is_empty() {
            parts.push(Part::Literal(before.to_owned()));
        }
        parts.push(Part::Param(name.to_owned()));
        rest = after;
    }
    if !rest.is_empty() {
        parts.push(Part::Literal(rest.to_owned()));
    }
    Ok(parts)
}
