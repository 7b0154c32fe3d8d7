//! Tests that a refused caller without valid credentials leaves an audit row, a line in the log and a count.

use bailiwick_testkit::{
    log::Log,
    provider::{Signer, unsigned},
    service::{Auth, Service, scene::Scene},
};
use serde_json::{Value, json};
use tracing::Level;

const JWT: &str = "urn:ietf:params:oauth:token-type:jwt";
const ASSERTION: &str = "urn:ietf:params:oauth:client-assertion-type:jwt-bearer";
const EXCHANGE: &str = "urn:ietf:params:oauth:grant-type:token-exchange";

/// Requests of strangers, and the records that they leave.
trait Strangers {
    async fn exchange(&self, subject: &str) -> u16;
    async fn act(&self, actor: &str) -> u16;
    async fn assert(&self, assertion: &str, more: &[(&str, &str)]) -> u16;
    async fn post(&self, body: Value) -> u16;
    async fn rows(&self) -> Vec<Value>;
    async fn count(&self, kind: &str) -> Option<String>;
}

impl Strangers for Scene {
    async fn exchange(&self, subject: &str) -> u16 {
        let form = [
            ("grant_type", EXCHANGE),
            ("scope", "assistant"),
            ("subject_token", subject),
            ("subject_token_type", JWT),
        ];
        let auth = Auth::Basic("assistant-1", &self.secret);
        self.service.token(auth, &form).await.status
    }

    async fn act(&self, actor: &str) -> u16 {
        let subject = self.jwt(&json!({}));
        let form = [
            ("grant_type", EXCHANGE),
            ("scope", "deputy"),
            ("subject_token", &subject),
            ("subject_token_type", JWT),
            ("actor_token", actor),
            ("actor_token_type", JWT),
        ];
        self.service.token(Auth::None, &form).await.status
    }

    async fn assert(&self, assertion: &str, more: &[(&str, &str)]) -> u16 {
        let mut form = vec![
            ("grant_type", "client_credentials"),
            ("scope", "workload"),
            ("client_assertion", assertion),
            ("client_assertion_type", ASSERTION),
        ];
        form.extend(more);
        self.service.token(Auth::None, &form).await.status
    }

    async fn post(&self, body: Value) -> u16 {
        let auth = match body.get("client_assertion") {
            None => Auth::Basic("assistant-1", &self.secret),
            Some(_) => Auth::None,
        };
        self.service.post("/v1/tokens", auth, &body).await.status
    }

    async fn rows(&self) -> Vec<Value> {
        let mut rows = self.service.audit().await;
        rows.retain(|row| row["event"] == "mint.refused" || row["event"] == "operator.refused");
        rows
    }

    async fn count(&self, kind: &str) -> Option<String> {
        let name = format!("bailiwick_issuer_unknown_callers_total{{kind=\"{kind}\"}}");
        self.service.metric(&name).await
    }
}

#[tokio::test]
async fn refused_jwts_leave_rows() {
    let scene = Scene::new().await;
    let elsewhere = scene.jwt(&json!({ "aud": "other", "jti": "1" }));
    let expired = scene.jwt(&json!({ "iat": 1, "exp": 2 }));
    let forged = Signer::es256("first").sign(&scene.claims(&json!({})));
    let nobody = unsigned(&json!({ "alg": "none" }), &scene.claims(&json!({})));
    let foreign = scene.jwt(&json!({ "iss": "https://another.example" }));
    let used = scene.jwt(&json!({ "sub": "robot", "jti": "2" }));
    assert_eq!(scene.assert(&used, &[]).await, 200);
    let nameless = scene.jwt(&json!({ "sub": "robot" }));
    let other_name = scene.jwt(&json!({ "sub": "robot", "jti": "3" }));

    let client = Some("assistant-1");
    let robot = Some("corp/robot");
    let cases = [
        (
            scene.exchange(&elsewhere).await,
            400,
            client,
            "subject token is not accepted: its `aud`",
        ),
        (
            scene.exchange(&expired).await,
            400,
            client,
            "it has expired",
        ),
        (
            scene.exchange(&forged).await,
            400,
            client,
            "its signature is wrong",
        ),
        (
            scene.exchange(&nobody).await,
            400,
            client,
            "is not among the algorithms configured for its provider",
        ),
        (
            scene.exchange(&foreign).await,
            400,
            client,
            "`iss` is not a configured provider",
        ),
        (scene.exchange("garbage").await, 400, client, "not a JWT"),
        (
            scene.act(&elsewhere).await,
            400,
            None,
            "actor token is not accepted",
        ),
        (scene.act("garbage").await, 400, None, "not a JWT"),
        (
            scene.assert(&elsewhere, &[]).await,
            401,
            None,
            "client assertion is not accepted",
        ),
        (scene.assert("garbage", &[]).await, 401, None, "not a JWT"),
        (
            scene.assert(&used, &[]).await,
            401,
            robot,
            "was used before",
        ),
        (
            scene.assert(&nameless, &[]).await,
            401,
            robot,
            "has no `jti`",
        ),
        (
            scene.assert(&other_name, &[("client_id", "another")]).await,
            401,
            robot,
            "`client_id` is not the subject",
        ),
        (
            scene
                .post(json!({ "profile": "assistant", "subject_token": elsewhere }))
                .await,
            401,
            client,
            "its `aud`",
        ),
        (
            scene
                .post(json!({ "profile": "workload", "client_assertion": "garbage" }))
                .await,
            401,
            None,
            "not a JWT",
        ),
    ];
    let rows = scene.rows().await;
    assert_eq!(rows.len(), cases.len(), "{rows:?}");
    for ((found, status, agent, says), row) in cases.into_iter().zip(&rows) {
        assert_eq!(found, status, "{says}");
        assert_eq!(row["event"], "mint.refused", "{row}");
        assert_eq!(row.get("agent").and_then(Value::as_str), agent, "{row}");
        let error = row["detail"]["error"].as_str().unwrap();
        assert!(error.contains(says), "{row}");
        // The row contains no part of the token.
        assert!(!row.to_string().contains("garbage"), "{row}");
    }
    assert_eq!(scene.count("signed_jwt").await.as_deref(), Some("7"));
    assert_eq!(scene.count("unsigned_jwt").await.as_deref(), Some("7"));
}

#[tokio::test]
async fn wrong_secrets_leave_rows() {
    let scene = Scene::new().await;
    for (name, agent) in [("assistant-1", Some("assistant-1")), ("nobody", None)] {
        let form = [("grant_type", "client_credentials")];
        let answer = scene.service.token(Auth::Basic(name, "wrong"), &form).await;
        answer.is_oauth(401, "invalid_client");
        let row = scene.rows().await.pop().unwrap();
        assert_eq!(row.get("agent").and_then(Value::as_str), agent, "{row}");
        assert_eq!(row["actor"], "unknown caller");
    }
    assert_eq!(scene.count("secret").await.as_deref(), Some("2"));
}

#[tokio::test]
async fn unknown_operators_leave_rows() {
    let scene = Scene::new().await;
    let keys = async |token: &str| {
        let answer = scene.service.get("/v1/keys", Auth::Bearer(token)).await;
        answer.status
    };
    let other = Service::start().await;
    let foreign = other.operator(&["key:list"]).await;
    let own = scene.service.operator(&["key:list"]).await;
    // The token is cut off within the signature.
    let broken = &own[..own.len() - 8];
    for token in ["garbage", foreign.as_str(), broken] {
        assert_eq!(keys(token).await, 401, "{token}");
        let row = scene.rows().await.pop().unwrap();
        assert_eq!(row["event"], "operator.refused");
        assert_eq!(row["actor"], "unknown operator");
        assert_eq!(row["detail"]["action"], "key:list");
        assert!(!row.to_string().contains(token), "{row}");
    }
    assert_eq!(scene.count("operator").await.as_deref(), Some("3"));
    // A request without credentials is not recorded.
    let before = scene.rows().await.len();
    assert_eq!(scene.service.get("/v1/keys", Auth::None).await.status, 401);
    assert_eq!(scene.rows().await.len(), before);
}

/// Every refusal that the audit records is a warning in the log too, with the address that it came from.
#[tokio::test]
async fn refusals_are_logged_with_addresses() {
    let scene = Scene::new().await;
    let (log, _recording) = Log::record(Level::WARN);
    let lines = |what: &str| {
        let text = log.text();
        let lines = text.lines().filter(|line| line.contains(what));
        let lines: Vec<String> = lines.map(str::to_owned).collect();
        for line in &lines {
            assert!(
                line.contains("WARN") && line.contains("from=127.0.0.1"),
                "{line}"
            );
        }
        lines.len()
    };
    let form = [("grant_type", "client_credentials"), ("scope", "nothing")];
    let auth = Auth::Basic("assistant-1", &scene.secret);
    scene
        .service
        .token(auth, &form)
        .await
        .is_oauth(400, "invalid_scope");
    assert_eq!(lines("a caller is refused"), 1);
    let other = scene.service.operator(&["key:list"]).await;
    let answer = scene.service.get("/v1/status", Auth::Bearer(&other)).await;
    assert_eq!(answer.status, 403);
    assert_eq!(lines("an operator is denied"), 1);
    let answer = scene.service.get("/v1/keys", Auth::Bearer("garbage")).await;
    assert_eq!(answer.status, 401);
    assert_eq!(lines("an operator could not be authenticated"), 1);
    // The log is bounded like the audit: a flood of refusals does not fill it.
    for _ in 0..80 {
        scene.service.get("/v1/status", Auth::Bearer(&other)).await;
    }
    assert!(lines("an operator is denied") < 60, "{}", log.text());
}

/// Each kind of refusal has its own allowance, so that garbage does not hide a replayed assertion.
#[tokio::test]
async fn floods_fill_no_record() {
    let scene = Scene::new().await;
    let sent = 400;
    for _ in 0..sent {
        assert_eq!(scene.assert("garbage", &[]).await, 401);
    }
    let rows = scene.rows().await.len();
    assert!((60..sent).contains(&rows), "{rows} rows");
    let count = scene.count("unsigned_jwt").await;
    assert_eq!(count, Some(sent.to_string()));
    let elsewhere = scene.jwt(&json!({ "aud": "other", "jti": "1" }));
    assert_eq!(scene.assert(&elsewhere, &[]).await, 401);
    let last = scene.rows().await.pop().unwrap();
    assert!(last["detail"]["error"].as_str().unwrap().contains("`aud`"));
}
