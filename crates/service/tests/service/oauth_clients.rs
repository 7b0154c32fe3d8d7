//! Tests of token requests, byte for byte as OAuth clients send them.

use bailiwick_testkit::{
    provider::{Provider, Signer},
    service::{Answer, Auth, scene::Scene},
};
use reqwest::Method;
use serde_json::json;

const FORM: &str = "application/x-www-form-urlencoded";
const FORM_UTF8: &str = "application/x-www-form-urlencoded;charset=UTF-8";

/// The place of a client's credentials.
#[derive(Clone, Copy, PartialEq)]
enum Client {
    Basic,
    InBody,
}

/// Token exchanges. `JWT` stands for the subject token, `SECRET` for the client's secret.
const EXCHANGES: [(&str, Client, &str, &str); 10] = [
    (
        "Spring Security 6.3, client_secret_basic",
        Client::Basic,
        FORM_UTF8,
        "grant_type=urn%3Aietf%3Aparams%3Aoauth%3Agrant-type%3Atoken-exchange&scope=assistant\
         &requested_token_type=urn%3Aietf%3Aparams%3Aoauth%3Atoken-type%3Aaccess_token\
         &subject_token=JWT&subject_token_type=urn%3Aietf%3Aparams%3Aoauth%3Atoken-type%3Ajwt",
    ),
    (
        "Spring Security 6.3, client_secret_post, with an audience and a resource",
        Client::InBody,
        FORM_UTF8,
        "grant_type=urn%3Aietf%3Aparams%3Aoauth%3Agrant-type%3Atoken-exchange\
         &client_id=assistant-1&client_secret=SECRET&scope=assistant\
         &requested_token_type=urn%3Aietf%3Aparams%3Aoauth%3Atoken-type%3Aaccess_token\
         &subject_token=JWT\
         &subject_token_type=urn%3Aietf%3Aparams%3Aoauth%3Atoken-type%3Aaccess_token\
         &audience=erp&resource=erp",
    ),
    (
        "google-auth for Python, external account",
        Client::Basic,
        FORM,
        "grant_type=urn%3Aietf%3Aparams%3Aoauth%3Agrant-type%3Atoken-exchange&audience=erp\
         &scope=assistant\
         &requested_token_type=urn%3Aietf%3Aparams%3Aoauth%3Atoken-type%3Aaccess_token\
         &subject_token=JWT&subject_token_type=urn%3Aietf%3Aparams%3Aoauth%3Atoken-type%3Ajwt\
         &options=%257B%2522userProject%2522%253A%2520%2522p%2522%257D",
    ),
    (
        "google-auth for Go, external account",
        Client::InBody,
        FORM,
        "audience=erp&client_id=assistant-1&client_secret=SECRET\
         &grant_type=urn%3Aietf%3Aparams%3Aoauth%3Agrant-type%3Atoken-exchange&options=null\
         &requested_token_type=urn%3Aietf%3Aparams%3Aoauth%3Atoken-type%3Aaccess_token\
         &scope=assistant&subject_token=JWT\
         &subject_token_type=urn%3Aietf%3Aparams%3Aoauth%3Atoken-type%3Aid_token",
    ),
    (
        "Authlib",
        Client::Basic,
        FORM_UTF8,
        "grant_type=urn%3Aietf%3Aparams%3Aoauth%3Agrant-type%3Atoken-exchange\
         &subject_token=JWT\
         &subject_token_type=urn%3Aietf%3Aparams%3Aoauth%3Atoken-type%3Aaccess_token\
         &audience=erp&scope=assistant",
    ),
    (
        "oauthlib, the client named once more",
        Client::Basic,
        FORM,
        "grant_type=urn%3Aietf%3Aparams%3Aoauth%3Agrant-type%3Atoken-exchange\
         &client_id=assistant-1&scope=assistant&subject_token=JWT\
         &subject_token_type=urn%3Aietf%3Aparams%3Aoauth%3Atoken-type%3Ajwt",
    ),
    (
        "openid-client 6 (oauth4webapi), client_secret_post",
        Client::InBody,
        FORM_UTF8,
        "scope=assistant&subject_token=JWT\
         &subject_token_type=urn%3Aietf%3Aparams%3Aoauth%3Atoken-type%3Aid_token\
         &requested_token_type=urn%3Aietf%3Aparams%3Aoauth%3Atoken-type%3Aaccess_token\
         &resource=erp&grant_type=urn%3Aietf%3Aparams%3Aoauth%3Agrant-type%3Atoken-exchange\
         &client_id=assistant-1&client_secret=SECRET",
    ),
    (
        "Duende IdentityModel",
        Client::Basic,
        FORM,
        "subject_token=JWT\
         &subject_token_type=urn%3Aietf%3Aparams%3Aoauth%3Atoken-type%3Aaccess_token\
         &scope=assistant&audience=erp\
         &grant_type=urn%3Aietf%3Aparams%3Aoauth%3Agrant-type%3Atoken-exchange",
    ),
    (
        "curl, with the type by its own name and every audience there is",
        Client::Basic,
        FORM,
        "grant_type=urn:ietf:params:oauth:grant-type:token-exchange&subject_token=JWT\
         &subject_token_type=urn:ietf:params:oauth:token-type:id_token&scope=assistant\
         &requested_token_type=urn:bailiwick:token-type:biscuit\
         &audience=erp&audience=erp&resource=erp&resource=erp",
    ),
    (
        "members without a value, which count as absent (RFC 6749, section 3.2)",
        Client::Basic,
        FORM,
        "grant_type=urn:ietf:params:oauth:grant-type:token-exchange&subject_token=JWT\
         &subject_token_type=urn:ietf:params:oauth:token-type:jwt&scope=assistant\
         &requested_token_type=&audience=&resource=&actor_token=&actor_token_type=\
         &client_id=&client_secret=&client_assertion=&client_assertion_type=",
    ),
];

/// Requests of tokens for the client itself.
const CREDENTIALS: [(&str, Client, &str, &str); 6] = [
    (
        "Spring Security",
        Client::Basic,
        FORM_UTF8,
        "grant_type=client_credentials&scope=buyer",
    ),
    (
        "oauthlib",
        Client::InBody,
        FORM,
        "grant_type=client_credentials&scope=buyer&client_id=assistant-1&client_secret=SECRET",
    ),
    (
        "Go, x/oauth2",
        Client::Basic,
        FORM,
        "grant_type=client_credentials&resource=erp&scope=buyer",
    ),
    (
        "Auth0's style",
        Client::InBody,
        FORM,
        "audience=erp&client_id=assistant-1&client_secret=SECRET&grant_type=client_credentials\
         &scope=buyer",
    ),
    (
        "a requested type without an exchange",
        Client::Basic,
        FORM,
        "grant_type=client_credentials&scope=buyer\
         &requested_token_type=urn:ietf:params:oauth:token-type:access_token",
    ),
    (
        "parameters that nobody knows, twice",
        Client::Basic,
        FORM,
        "grant_type=client_credentials&scope=buyer&trace=1&trace=2&client_info=1",
    ),
];

/// A scene whose client may also use a profile of its own.
async fn scene() -> Scene {
    let signer = Signer::es256("first");
    let provider = Provider::start(&[&signer]).await;
    Scene::with_profiles(provider, signer, "", &["assistant", "buyer"]).await
}

/// Requests as OAuth clients send them.
trait Clients {
    async fn send(&self, client: Client, media: &str, body: &str) -> Answer;
}

impl Clients for Scene {
    async fn send(&self, client: Client, media: &str, body: &str) -> Answer {
        let body = body
            .replace("JWT", &self.jwt(&json!({})))
            .replace("SECRET", &self.secret);
        let auth = match client {
            Client::Basic => Auth::Basic("assistant-1", &self.secret),
            Client::InBody => Auth::None,
        };
        let headers = [("content-type", media), ("accept", "application/json")];
        self.service
            .send(Method::POST, "/v1/token", auth, &headers, body)
            .await
    }
}

#[tokio::test]
async fn common_clients_get_tokens() {
    let scene = scene().await;
    for (name, client, media, body) in EXCHANGES.into_iter().chain(CREDENTIALS) {
        let answer = scene.send(client, media, body).await;
        assert_eq!(answer.status, 200, "{name}: {answer:?}");
        answer.is_token();
    }
}

/// Clients that authenticate with a JWT also send their name, or another party's actor token, without any
/// secret.
#[tokio::test]
async fn clients_without_a_secret_get_tokens() {
    let scene = scene().await;
    let assertion = scene.jwt(&json!({ "sub": "robot", "jti": "one" }));
    let actor = scene.jwt(&json!({ "sub": "robot" }));
    for body in [
        format!(
            "grant_type=client_credentials&scope=workload&client_id=robot\
             &client_assertion_type=urn%3Aietf%3Aparams%3Aoauth%3Aclient-assertion-type%3Ajwt-bearer\
             &client_assertion={assertion}"
        ),
        format!(
            "grant_type=urn%3Aietf%3Aparams%3Aoauth%3Agrant-type%3Atoken-exchange&client_id=robot\
             &scope=deputy&subject_token=JWT\
             &requested_token_type=urn%3Aietf%3Aparams%3Aoauth%3Atoken-type%3Aaccess_token\
             &subject_token_type=urn%3Aietf%3Aparams%3Aoauth%3Atoken-type%3Ajwt\
             &actor_token={actor}\
             &actor_token_type=urn%3Aietf%3Aparams%3Aoauth%3Atoken-type%3Ajwt"
        ),
    ] {
        let answer = scene.send(Client::InBody, FORM_UTF8, &body).await;
        answer.is_token();
    }
}

#[tokio::test]
async fn other_token_types_are_refused() {
    let scene = scene().await;
    let exchange = "grant_type=urn:ietf:params:oauth:grant-type:token-exchange&scope=assistant\
                    &subject_token=JWT&subject_token_type=urn:ietf:params:oauth:token-type:jwt";
    for requested in [
        "urn:ietf:params:oauth:token-type:jwt",
        "urn:ietf:params:oauth:token-type:id_token",
        "urn:ietf:params:oauth:token-type:refresh_token",
        "urn:ietf:params:oauth:token-type:saml1",
        "urn:ietf:params:oauth:token-type:saml2",
        "urn:ietf:params:oauth:token-type:Access_Token",
        "access_token",
        "urn:bailiwick:token-type:biscuit%20",
    ] {
        let body = format!("{exchange}&requested_token_type={requested}");
        let says = scene.send(Client::Basic, FORM, &body).await;
        let says = says.is_oauth(400, "invalid_request");
        assert!(says.contains("token-type:access_token"), "{says}");
    }
    // A parameter that occurs twice is refused, even if both values are the same.
    let twice = "&requested_token_type=urn:bailiwick:token-type:biscuit";
    let body = format!("{exchange}{twice}{twice}");
    let answer = scene.send(Client::Basic, FORM, &body).await;
    answer.is_oauth(400, "invalid_request");
    // A type without its token (RFC 8693, section 2.1).
    let body = format!("{exchange}&actor_token_type=urn:ietf:params:oauth:token-type:jwt");
    let answer = scene.send(Client::Basic, FORM, &body).await;
    answer.is_oauth(400, "invalid_request");
}
