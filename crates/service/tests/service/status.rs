//! Tests of a service's report on its issuer, and of the setting that the report asks operators to make.

use std::time::Duration;

use bailiwick_api::{
    Health, IssuerStatus, PrivateKeys, ProblemCode, SectionStatus, StatusSection, StoreKind,
};
use bailiwick_issuer::InitOptions;
use bailiwick_testkit::{
    ISSUER,
    http::eventually,
    provider::{Mood, Provider, Signer},
    service::{
        Auth, HEAD, Service, Setup,
        profiles::{OF_PROVIDER, PROFILES},
    },
    watch::{ACTION, Watch},
};
use serde_json::json;

async fn report(service: &Service) -> IssuerStatus {
    let token = service.operator(&["status:read"]).await;
    let answer = service.get("/v1/status", Auth::Bearer(&token)).await;
    assert_eq!(answer.status, 200, "{answer:?}");
    serde_json::from_str(&answer.text).unwrap()
}

fn section(status: &IssuerStatus, wanted: StatusSection) -> &SectionStatus {
    let found = status.sections.iter().find(|it| it.section == wanted);
    found.unwrap_or_else(|| panic!("no section {wanted:?}: {status:?}"))
}

/// The codes of all findings, in the order of the sections.
fn codes(status: &IssuerStatus) -> Vec<&str> {
    let findings = status.sections.iter().flat_map(|it| &it.findings);
    findings.map(|finding| finding.code.as_str()).collect()
}

/// Starts a service that is configured as it should be: its keyset names the feed.
async fn well() -> Service {
    let setup = Setup {
        time: Setup::default().time,
        profiles: PROFILES.to_owned(),
        ..Setup::followed(InitOptions::new(ISSUER), 600)
    };
    setup.start().await
}

#[tokio::test]
async fn a_service_reports_that_all_is_well() {
    let service = well().await;
    service.client("buyer-7", &["buyer"]).await;
    let status = report(&service).await;
    assert_eq!(codes(&status), Vec::<&str>::new(), "{status:?}");
    assert_eq!(status.state, Health::Ok);
    assert_eq!(section(&status, StatusSection::Service).state, Health::Ok);
    assert_eq!(status.issuer, ISSUER);
    assert_eq!(status.private_keys, PrivateKeys::Unlocked);
    assert_eq!(status.keys.len(), 2);
    assert_eq!(status.keyset.version, 1);
    assert!(status.head.is_some());
    assert_eq!(status.clients.registered, 1);
    assert!(status.settings.profiles > 0);
    assert_eq!(status.store.kind, StoreKind::Sqlite);
    assert_eq!(status.store.bytes.map(|bytes| bytes > 0), Some(true));
}

#[tokio::test]
async fn only_operators_with_the_action_get_it() {
    let service = Service::start().await;
    let answer = service.get("/v1/status", Auth::None).await;
    answer.is_problem(401, ProblemCode::Unauthenticated);
    let other = service.operator(&["key:list", "verifier:list"]).await;
    let answer = service.get("/v1/status", Auth::Bearer(&other)).await;
    answer.is_problem(403, ProblemCode::Denied);
    let body = json!({ "revocation_url": "https://issuer.example/r" });
    let keys = service.operator(&["key:*", "status:read"]).await;
    let answer = service.post("/v1/keyset", Auth::Bearer(&keys), &body).await;
    answer.is_problem(403, ProblemCode::Denied);
    assert_eq!(service.issuer.revocation_url().await.unwrap(), None);
}

#[tokio::test]
async fn overdue_work_is_a_warning() {
    let service = well().await;
    // The staged key is due after two minutes, and overdue two hours later.
    service.time.pass(120 + 7_199);
    let status = report(&service).await;
    assert_eq!(status.due.len(), 1, "{status:?}");
    assert!(!codes(&status).contains(&"rotation_overdue"), "{status:?}");
    service.time.pass(1);
    let status = report(&service).await;
    assert!(codes(&status).contains(&"rotation_overdue"), "{status:?}");
    assert_eq!(section(&status, StatusSection::Keys).state, Health::Warning);
    service
        .operate("key:rotate", "/v1/keys/rotate", &json!(null))
        .await;
    let status = report(&service).await;
    assert!(!codes(&status).contains(&"rotation_overdue"), "{status:?}");
}

#[tokio::test]
async fn verifiers_with_an_older_keyset_are_named() {
    let service = well().await;
    service.operate("key:stage", "/v1/keys", &json!(null)).await;
    let poll = async || {
        let said = [(
            "bailiwick-verifier",
            "name=\"erp-1\"; service=\"erp\"; keyset=1",
        )];
        let path = bailiwick_testkit::service::KEYSET;
        service
            .send(reqwest::Method::GET, path, Auth::None, &said, "")
            .await;
    };
    poll().await;
    let status = report(&service).await;
    assert_eq!(status.verifiers.behind, 0, "it has just been published");
    service.time.pass(120);
    poll().await;
    let status = report(&service).await;
    assert_eq!(status.verifiers.behind_names, ["erp-1"]);
    assert!(codes(&status).contains(&"verifiers_behind"), "{status:?}");
    service.time.pass(3_600);
    let status = report(&service).await;
    assert_eq!((status.verifiers.behind, status.verifiers.silent), (0, 1));
}

#[tokio::test]
async fn unreachable_providers_are_reported_with_the_reason() {
    let signer = Signer::es256("first");
    let provider = Provider::start(&[&signer]).await;
    provider.becomes(Mood::Disguised);
    let mut setup = Setup::with_providers(&provider.config());
    setup.profiles = format!("{PROFILES}{OF_PROVIDER}");
    let service = setup.start().await;
    eventually("the provider was asked", async || {
        let status = report(&service).await;
        let failure = status.providers.first().and_then(|it| it.failure.clone());
        failure.is_some_and(|failure| failure.contains("another issuer"))
    })
    .await;
    let status = report(&service).await;
    let found = section(&status, StatusSection::Providers);
    assert_eq!(found.state, Health::Error, "{found:?}");
    let finding = found.findings.first().unwrap();
    assert_eq!(finding.code, "provider_unreachable");
    assert!(finding.message.contains("`corp`"), "{finding:?}");
}

/// An issuer was created without the URL. The service reports this, an operator sets the URL, and a running
/// verifier uses it.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_revocation_url_set_later_reaches_verifiers() {
    let mut setup = Setup::followed(
        InitOptions {
            refresh_hint: 1,
            ..InitOptions::new(ISSUER)
        },
        600,
    );
    setup.options.revocation_url = None;
    let service = setup.start().await;
    let status = report(&service).await;
    assert_eq!(codes(&status), ["no_revocation_url"], "{status:?}");
    let watch = Watch::start("erp-1", service.follow("erp-1", Duration::from_millis(200))).await;
    let grants = format!("[[grant]]\nservice = \"erp\"\naction = \"{ACTION}\"\n");
    let (token, id) = service.mint("agent:buyer", &grants).await;
    assert!(watch.check(&token).is_allow());

    let url = format!("{}{HEAD}", service.url());
    let body = json!({ "revocation_url": url });
    let set = service.operate("keyset:set", "/v1/keyset", &body).await;
    assert_eq!(set["changed"], json!(true));
    assert_eq!(set["keyset_version"], json!(2));
    let revoke = json!({ "tokens": [id], "reason": "a test" });
    service
        .operate("revocation:create", "/v1/revocations", &revoke)
        .await;
    eventually("the verifier follows the revocations", async || {
        !watch.check(&token).is_allow()
    })
    .await;
    let (other, _) = service.mint("agent:other", &grants).await;
    eventually("another token is good", async || {
        watch.check(&other).is_allow()
    })
    .await;
    let status = report(&service).await;
    assert_eq!(codes(&status), Vec::<&str>::new(), "{status:?}");
    assert_eq!(status.revocation_url.as_deref(), Some(url.as_str()));
    let rows = service.audit().await;
    let row = rows
        .iter()
        .find(|row| row["event"] == "keyset.set")
        .unwrap();
    assert!(
        row["actor"].as_str().unwrap().starts_with("operator:"),
        "{row}"
    );
}

#[tokio::test]
async fn a_wrong_revocation_url_is_a_bad_request() {
    let service = Service::start().await;
    let token = service.operator(&["keyset:set"]).await;
    for url in [
        "revocations",
        "https://issuer.example/?a=b",
        "http://issuer.example/revocations",
    ] {
        let body = json!({ "revocation_url": url });
        let answer = service
            .post("/v1/keyset", Auth::Bearer(&token), &body)
            .await;
        answer.is_problem(400, ProblemCode::BadRequest);
    }
}
