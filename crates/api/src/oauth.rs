//! The OAuth 2.0 token endpoint (RFC 6749, RFC 8693), and the metadata for OAuth clients (RFC 8414).

use std::fmt;

use serde::{Deserialize, Serialize};
use zeroize::Zeroizing;

/// The grant type of a client that acts for itself (RFC 6749, section 4.4).
pub const CLIENT_CREDENTIALS: &str = "client_credentials";

/// The grant type of a token exchange (RFC 8693, section 2.1).
pub const TOKEN_EXCHANGE: &str = "urn:ietf:params:oauth:grant-type:token-exchange";

/// The type of a client assertion (RFC 7521, section 4.2, with RFC 7523).
pub const CLIENT_ASSERTION_TYPE: &str = "urn:ietf:params:oauth:client-assertion-type:jwt-bearer";

/// The types of token that a client may request: a Bailiwick token by its own name, or an access token. Each
/// Bailiwick token is both.
pub const REQUESTED_TOKEN_TYPES: [&str; 2] = [
    "urn:bailiwick:token-type:biscuit",
    "urn:ietf:params:oauth:token-type:access_token",
];

/// The types that a request may state for a subject or actor token. Here, each means a JWT.
pub const JWT_TOKEN_TYPES: [&str; 3] = [
    "urn:ietf:params:oauth:token-type:jwt",
    "urn:ietf:params:oauth:token-type:id_token",
    "urn:ietf:params:oauth:token-type:access_token",
];

/// Maximum number of parameters of a request, known and unknown.
pub const MAX_PARAMETERS: usize = 64;

macro_rules! names {
    ($(#[$of:meta])* $type:ident { $($(#[$doc:meta])* $variant:ident $name:literal,)* }) => {
        $(#[$of])*
        pub enum $type {
            $($(#[$doc])* #[serde(rename = $name)] $variant,)*
        }

        impl $type {
            /// All variants, in order.
            pub const ALL: &[$type] = &[$($type::$variant,)*];

            /// Returns the name on the wire.
            #[must_use]
            pub const fn as_str(self) -> &'static str {
                match self {
                    $($type::$variant => $name,)*
                }
            }
        }

        impl fmt::Display for $type {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str(self.as_str())
            }
        }
    };
}

names! {
    /// A parameter of a token request.
    #[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
    TokenParameter {
        /// The grant type. Required.
        GrantType "grant_type",
        /// The profile. It may be omitted if the caller may use only one.
        Scope "scope",
        /// A service for which the token should have grants (RFC 8707). May be repeated.
        Resource "resource",
        /// A service, like `resource` (RFC 8693).
        Audience "audience",
        /// The requested type of token.
        RequestedTokenType "requested_token_type",
        /// A JWT that names the principal.
        SubjectToken "subject_token",
        /// The type of the subject token.
        SubjectTokenType "subject_token_type",
        /// A JWT that names the agent.
        ActorToken "actor_token",
        /// The type of the actor token.
        ActorTokenType "actor_token_type",
        /// The name of the client.
        ClientId "client_id",
        /// The client's secret.
        ClientSecret "client_secret",
        /// A JWT that authenticates the client.
        ClientAssertion "client_assertion",
        /// The type of the client assertion.
        ClientAssertionType "client_assertion_type",
    }
}

impl TokenParameter {
    /// Returns true if a request may repeat the parameter.
    #[must_use]
    pub const fn is_repeatable(self) -> bool {
        matches!(self, TokenParameter::Resource | TokenParameter::Audience)
    }
}

/// A token request, parsed from a form. Its values are wiped from memory on drop. Unknown parameters are
/// ignored (RFC 6749, section 3.2).
///
/// ```
/// use bailiwick_api::{CLIENT_CREDENTIALS, TokenParameter, TokenRequest};
///
/// let form = b"grant_type=client_credentials&scope=buyer&resource=erp&resource=crm";
/// let request = TokenRequest::parse(form)?;
/// assert_eq!(request.one(TokenParameter::GrantType)?, Some(CLIENT_CREDENTIALS));
/// assert_eq!(request.all(TokenParameter::Resource).collect::<Vec<_>>(), ["erp", "crm"]);
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
pub struct TokenRequest(Vec<(TokenParameter, Zeroizing<String>)>);

impl TokenRequest {
    /// Parses a form (WHATWG URL, section 5.1).
    ///
    /// # Errors
    /// [`TooManyParameters`].
    pub fn parse(form: &[u8]) -> Result<TokenRequest, TooManyParameters> {
        let mut parameters = Vec::new();
        for (count, (name, value)) in form_urlencoded::parse(form).enumerate() {
            let value = Zeroizing::new(value.into_owned());
            if count >= MAX_PARAMETERS {
                return Err(TooManyParameters);
            }
            let known = TokenParameter::ALL.iter();
            if let Some(known) = known.copied().find(|known| known.as_str() == name) {
                parameters.push((known, value));
            }
        }
        Ok(TokenRequest(parameters))
    }

    /// All values of a parameter. An empty value counts as absent (RFC 6749, section 3.2).
    pub fn all(&self, parameter: TokenParameter) -> impl Iterator<Item = &str> {
        let same = self.0.iter().filter(move |(name, _)| *name == parameter);
        same.map(|(_, value)| value.as_str())
            .filter(|value| !value.is_empty())
    }

    /// The value of a parameter that may occur once.
    ///
    /// # Errors
    /// [`RepeatedParameter`] if it occurs more than once.
    pub fn one(&self, parameter: TokenParameter) -> Result<Option<&str>, RepeatedParameter> {
        let mut values = self.all(parameter);
        match (values.next(), values.next()) {
            (value, None) => Ok(value),
            (_, Some(_)) => Err(RepeatedParameter(parameter)),
        }
    }
}

impl fmt::Debug for TokenRequest {
    /// Formats the names of the parameters without their values, which are secret.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let names: Vec<_> = self.0.iter().map(|(name, _)| name).collect();
        f.debug_struct("TokenRequest")
            .field("parameters", &names)
            .finish_non_exhaustive()
    }
}

/// The error of a form with more than [`MAX_PARAMETERS`] parameters.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("the request has more than {MAX_PARAMETERS} parameters; send fewer")]
pub struct TooManyParameters;

/// The error of a parameter that occurs more than once.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("the parameter `{0}` is given more than once; send it once")]
pub struct RepeatedParameter(pub TokenParameter);

/// A successful answer of the token endpoint (RFC 6749, section 5.1, with RFC 8693, section 2.2.1).
///
/// ```
/// use bailiwick_api::TokenResponse;
///
/// /// The value of the header `Authorization` for calls with the token in an answer.
/// fn authorization(answer: &[u8]) -> Result<String, serde_json::Error> {
///     let answer: TokenResponse = serde_json::from_slice(answer)?;
///     Ok(format!("Bearer {}", *answer.access_token))
/// }
/// ```
#[derive(Serialize, Deserialize)]
pub struct TokenResponse {
    /// The token. It is a secret of its holder.
    pub access_token: Zeroizing<String>,
    /// The type of the token.
    pub issued_token_type: IssuedTokenType,
    /// The scheme by which the token is presented.
    pub token_type: TokenType,
    /// The token's lifetime, in seconds.
    pub expires_in: u64,
    /// The profile that the token was minted under.
    pub scope: String,
}

impl fmt::Debug for TokenResponse {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("TokenResponse")
            .field("scope", &self.scope)
            .field("expires_in", &self.expires_in)
            .finish_non_exhaustive()
    }
}

/// The type of an issued token (RFC 8693, section 3).
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub enum IssuedTokenType {
    /// A Bailiwick token.
    #[serde(rename = "urn:bailiwick:token-type:biscuit")]
    Biscuit,
}

/// The scheme by which a token is presented (RFC 6749, section 7.1).
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub enum TokenType {
    /// A bearer token (RFC 6750).
    Bearer,
}

/// An error of the token endpoint (RFC 6749, section 5.2).
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct OAuthError {
    /// The kind of error, for programs.
    pub error: OAuthErrorCode,
    /// A description of the error and its remedy, for people: printable ASCII without `"` and `\`.
    pub error_description: String,
}

names! {
    /// The kind of an OAuth error (RFC 6749, section 5.2; RFC 8693, section 2.2.2).
    #[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
    OAuthErrorCode {
        /// The request is malformed, or exceeds the limits of the profile.
        InvalidRequest "invalid_request",
        /// The client could not be authenticated.
        InvalidClient "invalid_client",
        /// No profile matches this caller.
        UnauthorizedClient "unauthorized_client",
        /// The grant type is not supported.
        UnsupportedGrantType "unsupported_grant_type",
        /// The profile is unknown, not open to this caller, or does not grant the request.
        InvalidScope "invalid_scope",
        /// The profile grants nothing for the requested service.
        InvalidTarget "invalid_target",
        /// A profile matches this caller, but a claim that it needs is missing or invalid.
        AccessDenied "access_denied",
        /// The caller exceeds its rate limit.
        SlowDown "slow_down",
        /// The issuer failed.
        ServerError "server_error",
        /// The issuer is overloaded, or one of its parts does not answer. The client may try again.
        TemporarilyUnavailable "temporarily_unavailable",
    }
}

/// Authorization server metadata (RFC 8414, section 2).
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct ServerMetadata {
    /// The issuer's URL.
    pub issuer: String,
    /// The URL of the token endpoint.
    pub token_endpoint: String,
    /// Always empty, since there is no authorization endpoint.
    pub response_types_supported: Vec<String>,
    /// The supported grant types.
    pub grant_types_supported: Vec<String>,
    /// The ways in which a client authenticates.
    pub token_endpoint_auth_methods_supported: Vec<String>,
    /// The algorithms that may sign a client assertion; absent if none is accepted.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub token_endpoint_auth_signing_alg_values_supported: Option<Vec<String>>,
    /// The URL of the description of all routes.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub service_documentation: Option<String>,
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_parameter_stands_once() {
        let form = b"scope=buyer&resource=a&resource=b&audience=&unknown=1&unknown=2&client_id=x&client_id=y";
        let request = TokenRequest::parse(form).unwrap();
        assert_eq!(request.one(TokenParameter::Scope), Ok(Some("buyer")));
        assert_eq!(request.one(TokenParameter::GrantType), Ok(None));
        let resources: Vec<&str> = request.all(TokenParameter::Resource).collect();
        assert_eq!(resources, ["a", "b"]);
        assert_eq!(request.all(TokenParameter::Audience).count(), 0);
        let twice = request.one(TokenParameter::ClientId).unwrap_err();
        assert_eq!(
            twice.to_string(),
            "the parameter `client_id` is given more than once; send it once"
        );
    }

    #[test]
    fn parameters_are_counted() {
        let form = |count: usize| vec!["a=1"; count].join("&");
        assert!(TokenRequest::parse(form(MAX_PARAMETERS).as_bytes()).is_ok());
        let more = TokenRequest::parse(form(MAX_PARAMETERS + 1).as_bytes());
        assert_eq!(more.unwrap_err(), TooManyParameters);
    }
}
