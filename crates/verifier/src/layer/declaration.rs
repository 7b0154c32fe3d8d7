//! The declaration of a route: the action, and the sources of the resource and arguments.

use std::iter;

use serde_json::json;

use super::template::ResourceTemplate;
use crate::call::{Call, CallError};

/// The action of a route, and the sources of the resource and arguments of its calls.
#[derive(Debug, Clone)]
pub(super) struct Declaration {
    pub(super) action: String,
    pub(super) json_body: bool,
    pub(super) resource: Option<ResourceTemplate>,
    pub(super) arguments: Vec<Argument>,
}

/// An argument that comes from the path or the query.
#[derive(Debug, Clone)]
pub(super) struct Argument {
    pub(super) source: ArgumentSource,
    /// Name of the parameter.
    pub(super) key: String,
    /// Name of the argument.
    pub(super) name: String,
    pub(super) number: bool,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum ArgumentSource {
    Path,
    Query,
}

/// A mistake in a declaration, which panics while the router is built.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub(super) enum DeclarationError {
    #[error("cannot protect a route of the action `{action}`: {error}")]
    Call { action: String, error: CallError },
    #[error(
        "the route of `{action}` declares two sources for the argument `{name}`; keep one of them"
    )]
    TwoSources { action: String, name: String },
    #[error("the route of `{0}` declares two resources; keep one of them")]
    TwoResources(String),
    #[error(
        "the route of `{action}` has the resource template `{template}`, where a brace does not enclose a whole segment; write segments such as `{{id}}`"
    )]
    Template { action: String, template: String },
    #[error(
        "the route `{path}` of `{action}` has no path parameter `{name}`; write `{{{name}}}` in its path, or declare another name"
    )]
    NoParameter {
        action: String,
        path: String,
        name: String,
    },
}

impl Declaration {
    pub(super) fn new(action: &str) -> Result<Declaration, DeclarationError> {
        let declaration = Declaration {
            action: action.to_owned(),
            json_body: false,
            resource: None,
            arguments: Vec::new(),
        };
        declaration.possible(Call::from_args_json(action, None, None))?;
        Ok(declaration)
    }

    pub(super) fn argument(&mut self, argument: Argument) -> Result<(), DeclarationError> {
        let Argument { name, .. } = &argument;
        let alone = json!({ name: "" }).to_string();
        self.possible(Call::from_args_json(&self.action, None, Some(&alone)))?;
        if self.arguments.iter().any(|other| other.name == *name) {
            return Err(DeclarationError::TwoSources {
                action: self.action.clone(),
                name: name.clone(),
            });
        }
        self.arguments.push(argument);
        Ok(())
    }

    pub(super) fn resource(&mut self, template: &str) -> Result<(), DeclarationError> {
        let action = || self.action.clone();
        if self.resource.is_some() {
            return Err(DeclarationError::TwoResources(action()));
        }
        let read = ResourceTemplate::read(template);
        let read = read.ok_or_else(|| DeclarationError::Template {
            action: action(),
            template: template.to_owned(),
        })?;
        self.resource = Some(read);
        Ok(())
    }

    /// Checks that the path of an axum route, such as `/orders/{id}`, contains every declared parameter.
    pub(super) fn fits(&self, path: &str) -> Result<(), DeclarationError> {
        let arguments = self.arguments.iter();
        let arguments = arguments.filter(|argument| argument.source == ArgumentSource::Path);
        let mut declared = arguments
            .map(|argument| argument.key.as_str())
            .chain(self.resource.iter().flat_map(ResourceTemplate::parameters));
        match declared.find(|name| !captures(path).any(|capture| capture == *name)) {
            None => Ok(()),
            Some(name) => Err(DeclarationError::NoParameter {
                action: self.action.clone(),
                path: path.to_owned(),
                name: name.to_owned(),
            }),
        }
    }

    /// Checks that a call built from a part of this declaration can be decided.
    fn possible(&self, call: Result<Call, CallError>) -> Result<(), DeclarationError> {
        call.map(drop).map_err(|error| DeclarationError::Call {
            action: self.action.clone(),
            error,
        })
    }
}

/// The parameters in the path of an axum route: `{id}` captures a segment, `{*rest}` all following segments,
/// and `{{` is a literal brace.
fn captures(path: &str) -> impl Iterator<Item = &str> {
    let mut rest = path;
    iter::from_fn(move || {
        loop {
            let (_, after) = rest.split_once('{')?;
            if let Some(literal) = after.strip_prefix('{') {
                rest = literal;
                continue;
            }
            let (name, after) = after.split_once('}')?;
            rest = after;
            return Some(name.strip_prefix('*').unwrap_or(name));
        }
    })
}
