//! Extractors that give a handler the authority under which its call was allowed.

use axum::{
    extract::{FromRequestParts, OptionalFromRequestParts},
    http::request::Parts,
};

use super::problem::Problem;
use crate::decision::{Allow, Deny};

/// The authority under which this call was allowed.
///
/// A handler that takes `Authorized` runs only for calls with authority. Shadow mode also lets calls without
/// authority through, so a handler that should run for those takes `Option<Authorized>`. On a route without the
/// layer, both extractors answer 500, so a handler that needs authority never runs unprotected.
#[derive(Debug, Clone, PartialEq)]
pub struct Authorized(pub Allow);

/// The denial of a request that shadow mode let through, found in the request's extensions.
#[derive(Debug, Clone, PartialEq)]
pub struct ShadowDenied(pub Deny);

impl<S: Send + Sync> FromRequestParts<S> for Authorized {
    type Rejection = Problem;

    async fn from_request_parts(parts: &mut Parts, _: &S) -> Result<Authorized, Problem> {
        match found(parts)? {
            Ok(authorized) => Ok(authorized),
            Err(ShadowDenied(deny)) => {
                tracing::warn!(
                    reason = deny.reason().code(),
                    "shadow mode let this call pass, but its handler needs `Authorized`; take `Option<Authorized>` while in shadow mode"
                );
                Err(Problem::bare(deny))
            }
        }
    }
}

impl<S: Send + Sync> OptionalFromRequestParts<S> for Authorized {
    type Rejection = Problem;

    async fn from_request_parts(parts: &mut Parts, _: &S) -> Result<Option<Authorized>, Problem> {
        Ok(found(parts)?.ok())
    }
}

fn found(parts: &Parts) -> Result<Result<Authorized, &ShadowDenied>, Problem> {
    let extensions = &parts.extensions;
    match (
        extensions.get::<ShadowDenied>(),
        extensions.get::<Authorized>(),
    ) {
        (Some(denied), _) => Ok(Err(denied)),
        (None, Some(authorized)) => Ok(Ok(authorized.clone())),
        (None, None) => Err(Problem::unprotected()),
    }
}
