//! Conversion of an HTTP request to a call: the action of its route, its resource, and its declared arguments.

use axum::{
    body::Body,
    extract::{FromRequestParts, Query, RawPathParams, rejection::RawPathParamsRejection},
    http::request::Parts,
};
use bailiwick_token::value::{Number, Value};

use super::{
    body::{self, BodyError},
    declaration::{Argument, ArgumentSource, Declaration},
    parameters::{Pairs, ParameterError, parameter},
};
use crate::{
    authenticate::Authenticated,
    call::{Call, CallError},
};

/// The reason why a request cannot be read as a call.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub(super) enum UnreadableCall {
    #[error(transparent)]
    Parameter(#[from] ParameterError),
    #[error("the path is not UTF-8 text once it is percent-decoded")]
    Path,
    #[error("the query cannot be read")]
    Query,
    #[error("the query parameter `{0}` is given more than once; send it once")]
    Repeated(String),
    #[error(
        "the argument `{0}` is in the body, but this route takes it from the path or the query; leave it out of the body"
    )]
    Clash(String),
    #[error("the argument `{0}` is not a decimal number; send one such as `12.50`")]
    Number(String),
    #[error(transparent)]
    Body(#[from] BodyError),
    #[error(transparent)]
    Call(#[from] CallError),
}

impl Declaration {
    /// Reads a call of at most `limit` bytes from a request. Requiring an authenticated token ensures that no stranger
    /// causes this work. Bytes that were read are put back into the body.
    pub(super) async fn read(
        &self,
        _: &Authenticated,
        parts: &mut Parts,
        body: &mut Body,
        limit: usize,
    ) -> Result<Call, UnreadableCall> {
        let path = self.path(parts).await?;
        let query = self.query(parts)?;
        let resource = self.resource.as_ref().map(|template| template.fill(&path));
        let resource = resource.transpose()?;
        let text = match self.json_body {
            true => body::read_json(&parts.headers, body, limit).await?,
            false => None,
        };
        let text = text.as_deref().map(std::str::from_utf8).transpose();
        let text = text.map_err(|_| BodyError::Text)?;
        let mut call = Call::from_args_json_within(&self.action, resource.as_deref(), text, limit)?;
        for argument in &self.arguments {
            let Argument { key, name, .. } = argument;
            // Refused even if the query parameter is absent, because the handler does not look for the argument in the
            // body.
            if call.argument_names().any(|present| present == name) {
                return Err(UnreadableCall::Clash(name.clone()));
            }
            let found = match argument.source {
                ArgumentSource::Path => Some(parameter(&path, key)?),
                ArgumentSource::Query => {
                    let mut values = query.iter().filter(|(found, _)| found == key);
                    let value = values.next().map(|(_, value)| value.as_str());
                    if values.next().is_some() {
                        return Err(UnreadableCall::Repeated(key.clone()));
                    }
                    value
                }
            };
            let value = match found {
                None => continue,
                Some(text) if argument.number => Value::from(
                    text.parse::<Number>()
                        .map_err(|_| UnreadableCall::Number(name.clone()))?,
                ),
                Some(text) => Value::from(text),
            };
            call = call.arg(name, value);
        }
        Ok(call)
    }

    fn takes(&self, source: ArgumentSource) -> bool {
        let mut arguments = self.arguments.iter();
        arguments.any(|argument| argument.source == source)
    }

    /// The path parameters, as axum decodes them for the handler.
    async fn path(&self, parts: &mut Parts) -> Result<Pairs, UnreadableCall> {
        if !self.takes(ArgumentSource::Path) && self.resource.is_none() {
            return Ok(Pairs::new());
        }
        match RawPathParams::from_request_parts(parts, &()).await {
            Ok(params) => Ok(params
                .iter()
                .map(|(key, value)| (key.to_owned(), value.to_owned()))
                .collect()),
            // The request did not pass through a router of axum.
            Err(RawPathParamsRejection::MissingPathParams(_)) => Ok(Pairs::new()),
            Err(_) => Err(UnreadableCall::Path),
        }
    }

    /// The query parameters, read by the same parser that the handler uses.
    fn query(&self, parts: &Parts) -> Result<Pairs, UnreadableCall> {
        if !self.takes(ArgumentSource::Query) {
            return Ok(Pairs::new());
        }
        match Query::<Pairs>::try_from_uri(&parts.uri) {
            Ok(Query(pairs)) => Ok(pairs),
            Err(_) => Err(UnreadableCall::Query),
        }
    }
}
