//! The granted authority, for the handler.

use axum::{
    extract::{FromRequestParts, OptionalFromRequestParts},
    http::request::Parts,
};

use super::problem::Problem;
use crate::decision::{Allow, Deny};

/// The authority under which this call was allowed.
///
/// As a plain extractor it is present, or the handler does not run. Shadow mode lets calls without
/// authority pass, so a handler that should run for them takes `Option<Authorized>`. A route without the
/// layer answers 500 to both, so a handler that needs authority never runs unprotected.
#[derive(Debug, Clone, PartialEq)]
pub struct Authorized(pub Allow);

/// The denial of a request that shadow mode let pass, in the request's extensions.
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
                    "shadow mode let this call pass, and its handler refuses it: \
                     take `Option<Authorized>` there while in shadow mode"
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
