//! Calls over the network, and their outcomes.

use std::net::SocketAddr;

use axum::http::{Request, header};
use bailiwick_token::token::Token;
use http_body_util::BodyExt;
use hyper::client::conn::http1::{self, SendRequest};
use hyper_util::rt::TokioIo;
use serde::{Deserialize, Serialize};
use tokio::net::TcpStream;

use super::failure::broken;
use crate::exit::Failure;

/// An agent's call, with the expected outcome.
#[derive(Debug, Clone)]
pub(super) struct AgentCall {
    agent: &'static str,
    method: &'static str,
    path: String,
    body: String,
    /// The expected reason of the denial; `None` if the call should be allowed.
    expected: Option<&'static str>,
}

impl AgentCall {
    pub(super) fn read(agent: &'static str, id: &str) -> AgentCall {
        let path = format!("/orders/{id}");
        AgentCall {
            agent,
            method: "GET",
            path,
            body: String::new(),
            expected: None,
        }
    }

    pub(super) fn create(agent: &'static str, body: &str) -> AgentCall {
        let (path, body) = ("/orders".to_owned(), body.to_owned());
        AgentCall {
            agent,
            method: "POST",
            path,
            body,
            expected: None,
        }
    }

    pub(super) fn allowed(self) -> AgentCall {
        AgentCall {
            expected: None,
            ..self
        }
    }

    pub(super) fn refused_as(self, reason: &'static str) -> AgentCall {
        AgentCall {
            expected: Some(reason),
            ..self
        }
    }
}

/// The outcome of a call.
#[derive(Debug, Clone, Serialize)]
pub(super) struct CallOutcome {
    pub(super) agent: &'static str,
    pub(super) call: String,
    pub(super) status: u16,
    pub(super) reason: Option<String>,
    pub(super) explain: Vec<String>,
    pub(super) as_expected: bool,
}

impl CallOutcome {
    pub(super) fn is_allowed(&self) -> bool {
        (200..300).contains(&self.status)
    }
}

/// The displayed members of a problem document (RFC 9457).
#[derive(Default, Deserialize)]
struct RefusedCall {
    reason: Option<String>,
    #[serde(default)]
    explain: Vec<String>,
}

/// A connection to the service.
pub(super) struct AgentClient {
    to: SocketAddr,
    connection: SendRequest<String>,
}

impl AgentClient {
    pub(super) async fn connect(to: SocketAddr) -> Result<AgentClient, Failure> {
        let stream = TcpStream::connect(to).await.map_err(broken)?;
        stream.set_nodelay(true).map_err(broken)?;
        let (sender, connection) = http1::handshake(TokioIo::new(stream))
            .await
            .map_err(broken)?;
        tokio::spawn(connection);
        Ok(AgentClient {
            to,
            connection: sender,
        })
    }

    /// Makes a call with a token.
    pub(super) async fn call(
        &mut self,
        token: &Token,
        call: AgentCall,
    ) -> Result<CallOutcome, Failure> {
        let mut request = Request::builder()
            .method(call.method)
            .uri(&call.path)
            .header(header::HOST, self.to.to_string())
            .header(
                header::AUTHORIZATION,
                format!("Bearer {}", *token.to_base64()),
            );
        if !call.body.is_empty() {
            request = request.header(header::CONTENT_TYPE, "application/json");
        }
        let request = request.body(call.body.clone()).map_err(broken)?;
        self.connection.ready().await.map_err(broken)?;
        let response = self
            .connection
            .send_request(request)
            .await
            .map_err(broken)?;
        let status = response.status();
        let body = response
            .into_body()
            .collect()
            .await
            .map_err(broken)?
            .to_bytes();
        let problem = match status.is_success() {
            true => RefusedCall::default(),
            false => serde_json::from_slice(&body).unwrap_or_default(),
        };
        Ok(CallOutcome {
            agent: call.agent,
            as_expected: match call.expected {
                None => status.is_success(),
                Some(reason) => problem.reason.as_deref() == Some(reason),
            },
            call: format!("{} {} {}", call.method, call.path, call.body)
                .trim_end()
                .to_owned(),
            status: status.as_u16(),
            reason: problem.reason,
            explain: problem.explain,
        })
    }
}
