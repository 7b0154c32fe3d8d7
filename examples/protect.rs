//! A purchase-order service that decides each call by the token in it.
//!
//!     cargo run -p bailiwick-examples --example protect    # calls itself; `-- --serve`: for curl

use std::{collections::BTreeMap, error::Error, fs, net::SocketAddr};

use axum::routing::{get, post};
use axum::{Router, extract::Path, http::Request};
use bailiwick::{
    Authorized, Follower, Grants, PublicKey, Timestamp, Values, Verifier, system_clock,
};
use bailiwick_issuer::{InitOptions, Issuer, MintRequest, Passphrase};
use http_body_util::BodyExt;
use hyper::client::conn::http1;
use hyper_util::rt::TokioIo;
use tempfile::TempDir;
use tokio::net::{TcpListener, TcpStream};

const GRANTS: &str = r#"grant = [
    { service = "erp", action = "purchase_order:create", args = { amount = { max = 10000 }, currency = "EUR" } },
    { service = "erp", action = "purchase_order:read", args = { id = { prefix = "PO-" } } },
]"#;

/// The service: everything that its owner writes.
fn service(erp: &Follower) -> Router {
    // Refusals show the values of arguments here. By default they do not, since values may be secret.
    let protect = erp.protect().explain(Values::Shown);
    // Each route names its action, and declares the arguments that its handler acts on.
    let creates = protect.action("purchase_order:create").json_body();
    let reads = protect.action("purchase_order:read").path("id");
    Router::new()
        .merge(creates.route("/orders", post(create)))
        .merge(reads.route("/orders/{id}", get(read)))
}

/// Handles a call that was allowed. A handler can get the principal and the body exactly as it was sent, but
/// never the token.
async fn create(Authorized(allow): Authorized, order: String) -> String {
    format!("ordered {order} for {}", allow.identity.principal)
}

async fn read(Path(id): Path<String>) -> String {
    format!("order {id}: 3 pallets, open")
}

#[tokio::main]
async fn main() -> Result<(), Box<dyn Error>> {
    let (files, keyset_key, token) = issuer(system_clock()()).await?;
    // "erp" is the service name in grants. It is configured, and never taken from a request. The files are
    // read again while the service runs; `Verifier::follow` fetches the same from an issuer's service.
    let erp = Verifier::from_files(files.path().join("keyset.json"), keyset_key)
        .revocations(files.path().join("revocations.ndjson"))
        .service("erp")
        .start()
        .await?;
    let listener = TcpListener::bind("127.0.0.1:0").await?;
    let to = listener.local_addr()?;
    let server = axum::serve(listener, service(&erp));
    if std::env::args().any(|argument| argument == "--serve") {
        println!("# For 15 minutes, or until Ctrl-C:\nTOKEN={token}");
        println!("curl -i http://{to}/orders/PO-7 -H \"Authorization: Bearer $TOKEN\"");
        return Ok(server.await?);
    }
    tokio::spawn(async move { server.await });
    let token = format!("Bearer {token}");
    for (path, body) in [
        ("/orders", r#"{"amount": 98.70, "currency": "EUR"}"#),
        ("/orders", r#"{"amount": 20000, "currency": "EUR"}"#),
        ("/orders", r#"{"amount": 1, "currency": "EUR", "iban": 1}"#),
        ("/orders", r#"{"amount": 1, "amount": 20000}"#),
        ("/orders/PO-7", ""),
        ("/orders/HR-1", ""),
    ] {
        call(to, &token, path, body).await?;
    }
    call(to, "Basic bm86dG9rZW4=", "/orders/PO-7", "").await
}

/// Makes one call over the network, and prints the answer.
async fn call(to: SocketAddr, token: &str, path: &str, body: &str) -> Result<(), Box<dyn Error>> {
    let method = if body.is_empty() { "GET" } else { "POST" };
    let request = Request::builder()
        .method(method)
        .uri(path)
        .header("Host", to.to_string())
        .header("Authorization", token)
        .header("Content-Type", "application/json")
        .body(body.to_owned())?;
    let stream = TokioIo::new(TcpStream::connect(to).await?);
    let (mut client, connection) = http1::handshake(stream).await?;
    tokio::spawn(connection);
    let response = client.send_request(request).await?;
    println!("{method} {path} {body}\n  {}", response.status());
    let body = response.into_body().collect().await?.to_bytes();
    // A refusal is a problem document (RFC 9457) with a stable reason and an explanation.
    match serde_json::from_slice::<serde_json::Value>(&body) {
        Ok(problem) => println!("  {} {}\n", problem["reason"], problem["explain"]),
        Err(_) => println!("  {}\n", String::from_utf8_lossy(&body)),
    }
    Ok(())
}

/// The operator's part: makes signed files, the key that verifies them, and a token. See the example `issue`.
async fn issuer(now: Timestamp) -> Result<(TempDir, PublicKey, String), Box<dyn Error>> {
    let home = tempfile::tempdir()?;
    let passphrase = Passphrase::new("correct horse battery staple")?;
    let options = InitOptions::new("https://issuer.example");
    let issuer = Issuer::init(&home.path().join("issuer"), options, &passphrase, now).await?;
    let request = MintRequest {
        agent: "agent:buyer".to_owned(),
        principal: "team:procurement".to_owned(),
        tenant: None,
        task: None,
        claims: BTreeMap::new(),
        grants: Grants::from_toml(GRANTS)?,
        ttl: 15 * 60,
        max_depth: None,
        profile: None,
    };
    let token = issuer.mint(&request, now).await?.token.to_base64();
    let files = tempfile::tempdir()?;
    let (keyset, revocations) = (issuer.keyset(now).await?, issuer.snapshot(now).await?);
    fs::write(files.path().join("keyset.json"), keyset.envelope)?;
    fs::write(files.path().join("revocations.ndjson"), revocations.file)?;
    Ok((files, *issuer.keyset_key(), token.to_string()))
}
