//! Tests of the documents that verifiers fetch, and of the reports that verifiers send with their requests.

use bailiwick_api::ProblemCode;
use bailiwick_issuer::InitOptions;
use bailiwick_testkit::{
    grant,
    service::{Answer, Auth, HEAD, KEYSET, SNAPSHOT, Service, Setup},
};
use bailiwick_token::revocation::{Head, Snapshot};
use bailiwick_verifier::{Call, Trust, Verifier};
use reqwest::Method;
use serde_json::json;

/// Requests of readers, and a revocation that changes the documents.
trait Readers {
    async fn unless(&self, path: &str, tag: &str) -> Answer;
    async fn revoke_agent(&self, name: &str);
    async fn head(&self) -> (String, Head);
}

impl Readers for Service {
    async fn unless(&self, path: &str, tag: &str) -> Answer {
        let headers = [("if-none-match", tag)];
        self.send(Method::GET, path, Auth::None, &headers, "").await
    }

    async fn revoke_agent(&self, name: &str) {
        let token = self.operator(&["revocation:create"]).await;
        let body = json!({ "agents": [name], "reason": "a test" });
        let answer = self
            .post("/v1/revocations", Auth::Bearer(&token), &body)
            .await;
        assert_eq!(answer.status, 200, "{answer:?}");
    }

    async fn head(&self) -> (String, Head) {
        let text = self.get(HEAD, Auth::None).await.text;
        let head = Head::open(text.as_bytes(), self.issuer.keyset_key()).unwrap();
        (text, head)
    }
}

#[tokio::test]
async fn unchanged_content_is_not_sent_again() {
    let service = Service::start().await;
    for (path, seconds) in [(KEYSET, 30), (HEAD, 1)] {
        let first = service.get(path, Auth::None).await;
        let tag = first.header("etag").unwrap().to_owned();
        let caching = format!("public, max-age={seconds}");
        assert_eq!(first.header("cache-control"), Some(caching.as_str()));
        assert_eq!(first.header("x-content-type-options"), Some("nosniff"));
        for known in [
            tag.clone(),
            format!("W/{tag}"),
            format!("\"other\", {tag}"),
            "*".to_owned(),
        ] {
            let answer = service.unless(path, &known).await;
            assert_eq!((answer.status, answer.text.as_str()), (304, ""), "{known}");
            assert_eq!(answer.header("etag"), Some(tag.as_str()));
            assert_eq!(answer.header("cache-control"), Some(caching.as_str()));
        }
        for unknown in [
            "\"other\"".to_owned(),
            tag.trim_matches('"').to_owned(),
            "\"\"".to_owned(),
        ] {
            let answer = service.unless(path, &unknown).await;
            assert_eq!(
                (answer.status, &answer.text),
                (200, &first.text),
                "{unknown}"
            );
        }
        // Another process serves the same text, because a version has exactly one text.
        let another = service.another().await;
        assert_eq!(another.get(path, Auth::None).await.text, first.text);
        assert_eq!(another.unless(path, &tag).await.status, 304);
    }
    let keyset = service.get(KEYSET, Auth::None).await;
    let head = service.get(HEAD, Auth::None).await;
    let token = service.operator(&["key:stage"]).await;
    service
        .post("/v1/keys", Auth::Bearer(&token), &json!(null))
        .await;
    // The head announces another keyset.
    for (path, known) in [(KEYSET, &keyset), (HEAD, &head)] {
        let answer = service.unless(path, known.header("etag").unwrap()).await;
        assert_eq!(answer.status, 200);
        assert_ne!(answer.header("etag"), known.header("etag"));
    }
    let head = service.get(HEAD, Auth::None).await;
    service.revoke_agent("agent:a").await;
    let revoked = service.unless(HEAD, head.header("etag").unwrap()).await;
    assert_eq!(revoked.status, 200);
    service.time.pass(5);
    let fresher = service.unless(HEAD, revoked.header("etag").unwrap()).await;
    assert_eq!(fresher.status, 200);
}

#[tokio::test]
async fn changes_lead_from_one_head_to_the_next_and_never_change() {
    let service = Service::start().await;
    let (token, _) = service.mint("agent:b", &grant("erp", "report:read")).await;
    let verifier = service.verifier("erp").await;
    let call = Call::new("report:read");
    assert!(verifier.check(&token, &call, service.now()).is_allow());
    let (_, before) = service.head().await;
    for name in ["agent:a", "agent:b", "agent:c"] {
        service.revoke_agent(name).await;
    }
    let (text, after) = service.head().await;
    assert_eq!((before.seq, after.seq), (0, 3));
    let path = format!("{HEAD}/{}/0-3", after.epoch);
    let delta = service.get(&path, Auth::None).await;
    assert_eq!(
        delta.header("cache-control"),
        Some("public, max-age=31536000, immutable")
    );
    assert_eq!(delta.text.lines().count(), 3);
    let trust: std::sync::Arc<Trust> = verifier.trust();
    let newer = trust.with_delta(text.as_bytes(), delta.text.as_bytes(), service.now());
    verifier.replace_trust(newer.unwrap()).unwrap();
    assert!(!verifier.check(&token, &call, service.now()).is_allow());

    service.time.pass(3_600);
    service.revoke_agent("agent:d").await;
    let parts = [(0, 1), (1, 3), (3, 3)];
    let mut pieces = String::new();
    for (after_seq, to) in parts {
        let path = format!("{HEAD}/{}/{after_seq}-{to}", after.epoch);
        pieces.push_str(&service.get(&path, Auth::None).await.text);
    }
    assert_eq!(pieces, delta.text);
    // A new verifier now begins with the snapshot.
    service.time.pass(5);
    let snapshot = service.get(SNAPSHOT, Auth::None).await;
    assert_eq!(snapshot.text.lines().count(), 5);
    service.verifier("erp").await;
}

/// Making a snapshot takes a while, and anyone can request one, so an older one is served if changes lead from
/// it to the head.
#[tokio::test]
async fn a_snapshot_is_not_rebuilt_for_each_change() {
    let service = Service::start().await;
    service.revoke_agent("agent:a").await;
    let first = service.get(SNAPSHOT, Auth::None).await.text;
    service.revoke_agent("agent:b").await;
    service.time.pass(4);
    assert_eq!(service.get(SNAPSHOT, Auth::None).await.text, first);
    let verifier = service.verifier("erp").await;
    assert_eq!(verifier.trust().revocation_count(), 2);
    // The issuer's own verifier does not wait for the snapshot.
    let operator = service.operator(&["key:list"]).await;
    let answer = service.get("/v1/keys", Auth::Bearer(&operator)).await;
    assert_eq!(answer.status, 200);
    service.time.pass(1);
    let second = service.get(SNAPSHOT, Auth::None).await.text;
    assert_eq!(second.lines().count(), 3);
    // A newer keyset makes the snapshot outdated at once.
    let token = service.operator(&["key:stage"]).await;
    service
        .post("/v1/keys", Auth::Bearer(&token), &json!(null))
        .await;
    assert_ne!(service.get(SNAPSHOT, Auth::None).await.text, second);
}

#[tokio::test]
async fn an_impossible_range_is_not_found() {
    let service = Service::start().await;
    for name in ["agent:a", "agent:b"] {
        service.revoke_agent(name).await;
    }
    let (_, head) = service.head().await;
    let epoch = head.epoch.to_string();
    for range in [
        "2-1",
        "0-3",
        "3-3",
        "a-b",
        "1",
        "-",
        "0-",
        "-1",
        "--1",
        "+0-1",
        "0-+1",
        "0-1-2",
        "%200-1",
        "0-1%20",
        "0-1.0",
        "0x0-1",
        "0-18446744073709551616",
        "18446744073709551615-0",
        "0-18446744073709551615",
        "%FF-1",
        "%00",
        "0%2F1",
    ] {
        let answer = service
            .get(&format!("{HEAD}/{epoch}/{range}"), Auth::None)
            .await;
        answer.is_problem(404, ProblemCode::NotFound);
        // These changes may exist soon, so the answer must not be cached.
        assert_eq!(answer.header("cache-control"), Some("no-store"), "{range}");
    }
    for epoch in [
        "0000000000000000",
        "x",
        "%FF",
        &epoch.to_uppercase(),
        &epoch[1..],
    ] {
        // An epoch without letters is the same in upper case.
        if *epoch == head.epoch.to_string() {
            continue;
        }
        let answer = service
            .get(&format!("{HEAD}/{epoch}/0-1"), Auth::None)
            .await;
        answer.is_problem(404, ProblemCode::NotFound);
    }
}

#[tokio::test]
async fn reports_of_verifiers_are_taken_where_they_can_be_read() {
    let service = Service::start().await;
    let good = "name=\"erp-1\"; service=\"erp\"; keyset=1; epoch=0123456789abcdef; seq=345";
    let long = format!("name=\"{}\"; service=\"erp\"", "x".repeat(65));
    for (path, report) in [
        (KEYSET, good),
        (HEAD, "name=\"crm-1\"; service=\"crm\""),
        (KEYSET, ""),
        (KEYSET, "name=\"bad-1\""),
        (KEYSET, "name=bad-2; service=erp"),
        (HEAD, "name=\"\"; service=\"erp\""),
        (HEAD, "name=\"bad-3\"; service=\"erp\"; keyset=01"),
        (
            HEAD,
            "name=\"bad-4\"; service=\"erp\"; keyset=18446744073709551616",
        ),
        (
            HEAD,
            "name=\"bad-5\"; service=\"erp\"; epoch=0123456789abcdef",
        ),
        (HEAD, "name=\"bad-6\"; service=\"erp\"; else=1"),
        (HEAD, "name=\"bad\\-7\"; service=\"erp\""),
        (HEAD, long.as_str()),
        // No operator could name these in a URL.
        (HEAD, "name=\"..\"; service=\"erp\""),
        (HEAD, "name=\"a/b\"; service=\"erp\""),
        (HEAD, "name=\"%2e\"; service=\"erp\""),
        // A report in a request for the snapshot is ignored.
        (SNAPSHOT, "name=\"bad-8\"; service=\"erp\""),
    ] {
        let headers = [("bailiwick-verifier", report)];
        let answer = service
            .send(Method::GET, path, Auth::None, &headers, "")
            .await;
        assert_eq!(answer.status, 200, "{report}");
    }
    let token = service
        .operator(&["verifier:list", "verifier:forget"])
        .await;
    let list = service
        .get("/v1/verifiers", Auth::Bearer(&token))
        .await
        .json();
    let verifiers = list["verifiers"].as_array().unwrap();
    let names: Vec<_> = verifiers
        .iter()
        .map(|it| it["name"].as_str().unwrap())
        .collect();
    assert_eq!(names, ["crm-1", "erp-1"]);
    assert_eq!(
        verifiers[1],
        json!({
            "name": "erp-1",
            "service": "erp",
            "keyset_version": 1,
            "feed_epoch": "0123456789abcdef",
            "feed_seq": 345,
            "seen_at": service.now(),
        })
    );
    let forget = async |name: &str| {
        let path = format!("/v1/verifiers/{name}");
        service
            .send(Method::DELETE, &path, Auth::Bearer(&token), &[], "")
            .await
    };
    assert_eq!(forget("crm-1").await.status, 204);
    forget("crm-1").await.is_problem(404, ProblemCode::NotFound);
    forget("%FF").await.is_problem(400, ProblemCode::BadRequest);
}

/// A snapshot is made once for all readers, until some part of it is outdated. This includes the keyset
/// version, because a restored issuer may have the same numbers of changes as its predecessor.
#[tokio::test]
async fn a_snapshot_speaks_of_the_newest_keyset() {
    let service = Service::start().await;
    let version = async || {
        let file = service.get(SNAPSHOT, Auth::None).await.text;
        let key = service.issuer.keyset_key();
        let snapshot = Snapshot::open(file.as_bytes(), key).unwrap();
        (snapshot.header().keyset_version, file)
    };
    let (first, file) = version().await;
    assert_eq!(version().await, (first, file));
    service.issuer.stage(service.time.now()).await.unwrap();
    assert_eq!(version().await.0, first + 1);
}

/// An issuer whose URL has a path is served below that path, as without a proxy, and at the root, as behind a
/// proxy that strips the path. The metadata is also served where RFC 8414, section 3.1, expects it.
#[tokio::test]
async fn an_issuer_may_have_a_path() {
    const METADATA: &str = "/.well-known/oauth-authorization-server";
    for issuer in [
        "https://issuer.example/tenants/one",
        "https://issuer.example/v1/",
    ] {
        let setup = Setup {
            options: InitOptions::new(issuer),
            ..Setup::default()
        };
        let service = setup.start().await;
        let path = issuer
            .trim_start_matches("https://issuer.example")
            .trim_end_matches('/');
        let fetched = async |path: &str| {
            let url = format!("http://{}{path}", service.address);
            let answer = service.http.get(url).send().await.unwrap();
            (answer.status().as_u16(), answer.text().await.unwrap())
        };
        for place in ["", path] {
            let (status, keyset) = fetched(&format!("{place}{KEYSET}")).await;
            assert_eq!(status, 200, "{place}");
            let trust = Trust::open(keyset.as_bytes(), service.issuer.keyset_key(), None);
            assert_eq!(trust.unwrap().keyset().issuer, issuer);
            for below in [HEAD, SNAPSHOT, "/v1/openapi.json"] {
                assert_eq!(
                    fetched(&format!("{place}{below}")).await.0,
                    200,
                    "{place}{below}"
                );
            }
        }
        let base = issuer.trim_end_matches('/');
        for place in [
            METADATA.to_owned(),
            format!("{METADATA}{path}"),
            format!("{path}{METADATA}"),
        ] {
            let (status, text) = fetched(&place).await;
            assert_eq!(status, 200, "{place}");
            let metadata: serde_json::Value = serde_json::from_str(&text).unwrap();
            assert_eq!(metadata["issuer"], issuer);
            assert_eq!(metadata["token_endpoint"], format!("{base}/v1/token"));
        }
        for nothing in [
            format!("{METADATA}{path}/"),
            format!("{METADATA}/other"),
            format!("{path}/other{KEYSET}"),
            format!("{path}{path}{KEYSET}"),
            path.to_owned(),
        ] {
            assert_eq!(fetched(&nothing).await.0, 404, "{nothing}");
        }
        // The metrics count a route once, whichever of its paths was requested.
        let metrics = service.get("/metrics", Auth::None).await.text;
        assert!(
            metrics.contains(&format!("path=\"{KEYSET}\",status=\"200\"}} 2")),
            "{metrics}"
        );
        assert!(!metrics.contains("tenants"), "{metrics}");
        // A verifier can be configured with the issuer's URL.
        let at = format!("http://{}{path}/", service.address);
        let time = service.time.clone();
        let follower = Verifier::follow(&at, *service.issuer.keyset_key())
            .service("erp")
            .clock(std::sync::Arc::new(move || time.now()))
            .start()
            .await
            .unwrap();
        assert_eq!(follower.verifier().trust().keyset().issuer, issuer);
    }
}
