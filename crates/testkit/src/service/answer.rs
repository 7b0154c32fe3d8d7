//! Credentials of requests, and answers.

use bailiwick_api::{ProblemCode, ProblemDetails};
use base64::{Engine, engine::general_purpose::STANDARD};
use reqwest::header::HeaderMap;
use serde_json::{Value, json};

/// The credentials of a request.
#[derive(Clone, Copy)]
pub enum Auth<'a> {
    None,
    Basic(&'a str, &'a str),
    Bearer(&'a str),
}

impl Auth<'_> {
    pub(super) fn header(self) -> Option<String> {
        match self {
            Auth::None => None,
            Auth::Basic(name, secret) => {
                let encoded = |text: &str| {
                    form_urlencoded::byte_serialize(text.as_bytes()).collect::<String>()
                };
                let pair = format!("{}:{}", encoded(name), encoded(secret));
                Some(format!("Basic {}", STANDARD.encode(pair)))
            }
            Auth::Bearer(token) => Some(format!("Bearer {token}")),
        }
    }
}

/// An answer that was read to its end.
#[derive(Debug, Clone)]
pub struct Answer {
    pub status: u16,
    pub headers: HeaderMap,
    pub text: String,
}

impl Answer {
    pub fn header(&self, name: &str) -> Option<&str> {
        Some(self.headers.get(name)?.to_str().unwrap())
    }

    pub fn json(&self) -> Value {
        serde_json::from_str(&self.text).unwrap_or_else(|_| panic!("no JSON: {self:?}"))
    }

    /// Checks that the answer is this problem document, and returns it.
    #[track_caller]
    pub fn is_problem(&self, status: u16, code: ProblemCode) -> ProblemDetails {
        assert_eq!(self.status, status, "{self:?}");
        assert_eq!(
            self.header("content-type"),
            Some("application/problem+json")
        );
        let problem: ProblemDetails = serde_json::from_str(&self.text).unwrap();
        assert_eq!((problem.status, problem.code), (status, code), "{self:?}");
        problem
    }

    /// Checks that the answer is this OAuth error (RFC 6749, section 5.2), and returns its description.
    #[track_caller]
    pub fn is_oauth(&self, status: u16, error: &str) -> String {
        assert_eq!(self.status, status, "{self:?}");
        assert_eq!(self.json()["error"], json!(error), "{self:?}");
        assert_eq!(self.header("content-type"), Some("application/json"));
        assert_eq!(self.header("cache-control"), Some("no-store"));
        assert_eq!(self.header("pragma"), Some("no-cache"));
        let description = self.json()["error_description"]
            .as_str()
            .unwrap()
            .to_owned();
        let allowed = |c: char| matches!(c, ' '..='~') && !matches!(c, '"' | '\\');
        assert!(description.chars().all(allowed), "{description}");
        description
    }

    /// Checks that the answer contains a token, and returns the token.
    #[track_caller]
    pub fn is_token(&self) -> String {
        assert_eq!(self.status, 200, "{self:?}");
        assert_eq!(self.header("cache-control"), Some("no-store"));
        let body = self.json();
        assert_eq!(body["token_type"], "Bearer");
        assert_eq!(
            body["issued_token_type"],
            "urn:bailiwick:token-type:biscuit"
        );
        body["access_token"].as_str().unwrap().to_owned()
    }
}
