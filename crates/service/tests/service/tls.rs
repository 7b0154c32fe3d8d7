//! Tests of TLS in the service itself: clients that trust its authority are served, a renewed certificate is
//! loaded, and a handshake that never ends is abandoned.

use std::{net::SocketAddr, path::Path, sync::Arc};

use bailiwick_service::Tls;
use bailiwick_testkit::{
    http::eventually,
    service::{Auth, Service, Setup, wire::Wire},
};
use bailiwick_verifier::Verifier;
use rcgen::{BasicConstraints, CertificateParams, CertifiedIssuer, IsCa, KeyPair};
use reqwest::{Client, Response, Version};

type Authority = CertifiedIssuer<'static, KeyPair>;

fn authority() -> Authority {
    let mut params = CertificateParams::new(Vec::new()).unwrap();
    params.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
    CertifiedIssuer::self_signed(params, KeyPair::generate().unwrap()).unwrap()
}

/// Writes a certificate for this machine, with its key.
fn certify(authority: &Authority, home: &Path) {
    let key = KeyPair::generate().unwrap();
    let params = CertificateParams::new(["127.0.0.1".to_owned()]).unwrap();
    let certificate = params.signed_by(&key, authority).unwrap();
    std::fs::write(home.join("tls.pem"), certificate.pem()).unwrap();
    std::fs::write(home.join("tls.key"), key.serialize_pem()).unwrap();
}

async fn service(authority: &Authority, header_seconds: u64) -> (Service, tempfile::TempDir) {
    let files = tempfile::tempdir().unwrap();
    certify(authority, files.path());
    let mut setup = Setup::default();
    setup.config.limits.header_seconds = header_seconds;
    setup.config.tls = Some(Tls {
        certificate: files.path().join("tls.pem"),
        key: files.path().join("tls.key"),
    });
    (setup.start().await, files)
}

/// Makes a client that trusts only this authority. Each client opens a connection of its own.
#[expect(clippy::disallowed_methods, reason = "proxies are switched off")]
fn client(authority: &Authority) -> Client {
    let root = reqwest::Certificate::from_pem(authority.pem().as_bytes()).unwrap();
    Client::builder()
        .no_proxy()
        .tls_certs_only([root])
        .build()
        .unwrap()
}

async fn keyset(client: &Client, address: SocketAddr) -> reqwest::Result<Response> {
    let url = format!("https://{address}/.well-known/bailiwick/keyset");
    client.get(url).send().await
}

#[tokio::test]
async fn callers_that_trust_its_authority_are_served() {
    let (ours, another) = (authority(), authority());
    let (service, _files) = service(&ours, 10).await;
    let client = client(&ours);
    let answer = keyset(&client, service.address).await.unwrap();
    // HTTP/2 is not offered, though this client asks for it.
    assert_eq!(
        (answer.status().as_u16(), answer.version()),
        (200, Version::HTTP_11)
    );
    let secret = service.client("orchestrator", &["buyer"]).await;
    let url = format!("https://{}/v1/token", service.address);
    let minted = client
        .post(url)
        .basic_auth("orchestrator", Some(secret))
        .header("content-type", "application/x-www-form-urlencoded")
        .body("grant_type=client_credentials")
        .send()
        .await
        .unwrap();
    assert_eq!(minted.status(), 200);

    assert!(
        keyset(&self::client(&another), service.address)
            .await
            .is_err()
    );
    // Plain HTTP on this port gets no answer.
    let mut wire = Wire::connect(service.address).await;
    wire.send("GET /.well-known/bailiwick/keyset HTTP/1.1\r\nhost: x\r\n\r\n")
        .await;
    assert!(!wire.rest().await.contains("200"));
    // The pages for operations stay on this machine, without TLS.
    assert_eq!(service.get("/livez", Auth::None).await.status, 200);
}

#[tokio::test]
async fn a_verifier_follows_over_tls() {
    let ours = authority();
    let (service, _files) = service(&ours, 10).await;
    let base = format!("https://{}", service.address);
    let now = service.now();
    let start = async |authority: &Authority| {
        Verifier::follow(&base, *service.issuer.keyset_key())
            .service("erp")
            .certificates(authority.pem())
            .clock(Arc::new(move || now))
            .start()
            .await
    };
    let follower = start(&ours).await.unwrap();
    assert_eq!(follower.verifier().trust().keyset().version, 1);
    assert!(start(&authority()).await.is_err());
}

#[tokio::test]
async fn a_renewed_certificate_is_taken_up() {
    let (old, new) = (authority(), authority());
    let (service, files) = service(&old, 10).await;
    let running = service.running.as_ref().unwrap();
    let held = client(&old);
    keyset(&held, service.address).await.unwrap();
    // A renewal that is only half done changes nothing.
    std::fs::write(files.path().join("tls.pem"), "not a certificate").unwrap();
    running.reload().await.unwrap();
    keyset(&client(&old), service.address).await.unwrap();
    let failed = "bailiwick_issuer_certificate_failed";
    assert_eq!(service.metric(failed).await.as_deref(), Some("1"));
    certify(&new, files.path());
    running.reload().await.unwrap();
    assert_eq!(service.metric(failed).await.as_deref(), Some("0"));
    keyset(&client(&new), service.address).await.unwrap();
    assert!(keyset(&client(&old), service.address).await.is_err());
    // Existing connections stay open.
    keyset(&held, service.address).await.unwrap();
}

#[tokio::test]
async fn a_handshake_that_never_ends_is_not_waited_for() {
    let ours = authority();
    let (service, _files) = service(&ours, 1).await;
    let mut silent = Wire::connect(service.address).await;
    let mut begun = Wire::connect(service.address).await;
    // The beginning of a ClientHello.
    begun.send("\u{16}\u{3}\u{1}").await;
    assert_eq!(silent.rest().await, "");
    begun.rest().await;
    eventually("others are served", async || {
        keyset(&client(&ours), service.address).await.is_ok()
    })
    .await;
}
