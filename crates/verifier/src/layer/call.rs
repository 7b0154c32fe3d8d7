//! An HTTP request as a call: the action of its route, its resource, its arguments as declared.

use axum::{
    body::Body,
    extract::{FromRequestParts, Query, RawPathParams},
    http::request::Parts,
};
use bailiwick_token::value::{Number, Value};

use super::{
    body::{self, BodyError},
    template::{Template, parameter},
};
use crate::{
    authenticate::Authenticated,
    request::{Request, RequestError},
};

/// What the calls of one route are made of.
#[derive(Debug, Clone)]
pub(super) struct Declared {
    pub(super) action: String,
    pub(super) json_body: bool,
    resource: Option<Template>,
    arguments: Vec<Argument>,
    /// A mistake in the declaration. It denies every call, so that it is found with the first.
    fault: Option<CallError>,
}

/// An argument that comes from the path or the query.
#[derive(Debug, Clone)]
pub(super) struct Argument {
    pub(super) place: Place,
    pub(super) key: String,
    pub(super) name: String,
    pub(super) number: bool,
}

#[derive(Debug, Clone, Copy)]
pub(super) enum Place {
    Path,
    Query,
}

/// A request that cannot be read as a call.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub(super) enum CallError {
    #[error("the route declares the argument `{0}` twice")]
    DeclaredTwice(String),
    #[error(
        "the route's resource template `{0}` has a brace that does not enclose a whole segment"
    )]
    Template(String),
    #[error("the route has no path parameter `{0}`")]
    NoParameter(String),
    #[error("the route has two path parameters `{0}`")]
    TwoParameters(String),
    #[error("the path is not UTF-8 text once it is percent-decoded")]
    Path,
    #[error("the query cannot be read")]
    Query,
    #[error("the query parameter `{0}` is there more than once")]
    Repeated(String),
    #[error("the argument `{0}` comes from the path or the query, and may not be in the body")]
    Clash(String),
    #[error("the argument `{0}` is not a decimal number")]
    Number(String),
    #[error("the path parameter `{0}` is more than one segment of the resource")]
    Slash(String),
    #[error(transparent)]
    Body(#[from] BodyError),
    #[error(transparent)]
    Request(#[from] RequestError),
}

/// Names and values, percent-decoded.
pub(super) type Pairs = Vec<(String, String)>;

impl Declared {
    pub(super) fn new(action: &str) -> Declared {
        Declared {
            action: action.to_owned(),
            json_body: false,
            resource: None,
            arguments: Vec::new(),
            fault: None,
        }
    }

    pub(super) fn argument(&mut self, argument: Argument) {
        if self
            .arguments
            .iter()
            .any(|other| other.name == argument.name)
        {
            self.mistaken(CallError::DeclaredTwice(argument.name.clone()));
        }
        self.arguments.push(argument);
    }

    pub(super) fn resource(&mut self, template: &str) {
        self.resource = Template::read(template);
        if self.resource.is_none() {
            self.mistaken(CallError::Template(template.to_owned()));
        }
    }

    fn mistaken(&mut self, fault: CallError) {
        tracing::error!(action = self.action, %fault, "every call of this route will be denied");
        self.fault = Some(fault);
    }

    /// Reads the call. The verified token is proof that no stranger causes this work. Bytes that were
    /// read go back into the body.
    pub(super) async fn read(
        &self,
        _: &Authenticated,
        parts: &mut Parts,
        body: &mut Body,
    ) -> Result<Request, CallError> {
        if let Some(fault) = &self.fault {
            return Err(fault.clone());
        }
        let path = self.path(parts).await?;
        let query = self.query(parts)?;
        let resource = self.resource.as_ref().map(|template| template.fill(&path));
        let resource = resource.transpose()?;
        let text = match self.json_body {
            true => body::read_json(&parts.headers, body).await?,
            false => None,
        };
        let text = text.as_deref().map(std::str::from_utf8).transpose();
        let text = text.map_err(|_| BodyError::Text)?;
        let mut request = Request::from_args_json(&self.action, resource.as_deref(), text)?;
        for argument in &self.arguments {
            let Argument { key, name, .. } = argument;
            // Also where the query parameter is absent: the handler would not look into the body.
            if request.argument_names().any(|present| present == name) {
                return Err(CallError::Clash(name.clone()));
            }
            let found = match argument.place {
                Place::Path => Some(parameter(&path, key)?),
                Place::Query => {
                    let mut values = query.iter().filter(|(found, _)| found == key);
                    let value = values.next().map(|(_, value)| value.as_str());
                    if values.next().is_some() {
                        return Err(CallError::Repeated(key.clone()));
                    }
                    value
                }
            };
            let value = match found {
                None => continue,
                Some(text) if argument.number => Value::from(
                    text.parse::<Number>()
                        .map_err(|_| CallError::Number(name.clone()))?,
                ),
                Some(text) => Value::from(text),
            };
            request = request.arg(name, value);
        }
        Ok(request)
    }

    /// The path parameters, as axum decodes them for the handler.
    async fn path(&self, parts: &mut Parts) -> Result<Pairs, CallError> {
        let declared = self
            .arguments
            .iter()
            .any(|argument| matches!(argument.place, Place::Path));
        if !declared && self.resource.is_none() {
            return Ok(Pairs::new());
        }
        let params = RawPathParams::from_request_parts(parts, &()).await;
        let params = params.map_err(|_| CallError::Path)?;
        Ok(params
            .iter()
            .map(|(key, value)| (key.to_owned(), value.to_owned()))
            .collect())
    }

    /// The query parameters, through the parser that gives them to the handler.
    fn query(&self, parts: &Parts) -> Result<Pairs, CallError> {
        if !self
            .arguments
            .iter()
            .any(|argument| matches!(argument.place, Place::Query))
        {
            return Ok(Pairs::new());
        }
        match Query::<Pairs>::try_from_uri(&parts.uri) {
            Ok(Query(pairs)) => Ok(pairs),
            Err(_) => Err(CallError::Query),
        }
    }
}
