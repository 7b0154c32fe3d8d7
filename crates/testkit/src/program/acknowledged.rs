//! A record of the mints and revocations that a service acknowledged, for checking that none is lost.

use std::{
    collections::HashSet,
    sync::{
        Mutex,
        atomic::{AtomicUsize, Ordering},
    },
    time::{Duration, Instant},
};

use serde_json::Value;

use super::World;

/// An answer of the service.
#[derive(Debug)]
pub struct Answer {
    pub status: u16,
    pub retry_after: Option<String>,
    pub text: String,
    pub took: Duration,
}

impl Answer {
    pub fn json(&self) -> Value {
        serde_json::from_str(&self.text).unwrap_or_else(|_| panic!("{self:?}"))
    }

    pub fn is_success(&self) -> bool {
        self.status < 300
    }
}

/// Posts JSON, and reads the whole answer. An error means that the connection broke.
pub async fn post(
    request: reqwest::RequestBuilder,
    body: String,
) -> Result<Answer, reqwest::Error> {
    let begun = Instant::now();
    let request = request
        .header("content-type", "application/json")
        .body(body);
    let response = request.send().await?;
    let status = response.status().as_u16();
    let retry_after = response.headers().get("retry-after");
    let retry_after = retry_after.map(|value| value.to_str().unwrap().to_owned());
    let text = response.text().await?;
    Ok(Answer {
        status,
        retry_after,
        text,
        took: begun.elapsed(),
    })
}

/// The mints and revocations that a service acknowledged.
#[derive(Default)]
pub struct Acknowledged {
    pub tokens: Mutex<Vec<String>>,
    pub revoked: Mutex<Vec<String>>,
    /// Number of acknowledged requests of any kind.
    pub count: AtomicUsize,
}

impl Acknowledged {
    /// Mints a token as the client, and records it if the service acknowledged it.
    pub async fn mint(
        &self,
        http: &reqwest::Client,
        base: &str,
        secret: &str,
    ) -> Result<Answer, reqwest::Error> {
        let request = http.post(format!("{base}/v1/tokens"));
        let request = request.basic_auth("orchestrator", Some(secret));
        let answer = post(request, "{}".to_owned()).await?;
        if answer.is_success() {
            let answer = answer.json();
            let id = answer.pointer("/token_id").unwrap().as_str().unwrap();
            self.tokens.lock().unwrap().push(id.to_owned());
            self.count.fetch_add(1, Ordering::SeqCst);
        }
        Ok(answer)
    }

    /// Revokes a token as the operator, and records it if the service acknowledged it.
    pub async fn revoke(
        &self,
        http: &reqwest::Client,
        base: &str,
        operator: &str,
        token: &str,
    ) -> Result<Answer, reqwest::Error> {
        let request = http
            .post(format!("{base}/v1/revocations"))
            .bearer_auth(operator);
        let body = format!("{{\"tokens\":[\"{token}\"],\"reason\":\"a trial\"}}");
        let answer = post(request, body).await?;
        if answer.is_success() {
            self.revoked.lock().unwrap().push(token.to_owned());
            self.count.fetch_add(1, Ordering::SeqCst);
        }
        Ok(answer)
    }

    /// Checks that the audit log is intact and contains everything acknowledged. Returns the number of recorded
    /// mints, acknowledged or not.
    pub fn check(&self, world: &World) -> usize {
        let report = world.json(&["audit", "verify"]);
        assert_eq!(report.pointer("/finding"), Some(&Value::Null));
        let rows = world.json(&["audit", "list", "--limit", "1000000"]);
        let rows = rows.pointer("/rows").unwrap().as_array().unwrap();
        let of = |event: &str| -> HashSet<&str> {
            let rows = rows.iter();
            let rows = rows.filter(|row| row.pointer("/event").unwrap() == event);
            rows.filter_map(|row| row.pointer("/token")?.as_str())
                .collect()
        };
        for (event, acknowledged) in [("mint", &self.tokens), ("revoke", &self.revoked)] {
            let recorded = of(event);
            for token in acknowledged.lock().unwrap().iter() {
                let lost = "was acknowledged and is lost";
                assert!(
                    recorded.contains(token.as_str()),
                    "{event} of {token} {lost}"
                );
            }
        }
        of("mint").len()
    }
}
