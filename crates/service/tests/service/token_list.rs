//! The list of minted tokens, and revoking from it.

use bailiwick_api::{ProblemCode, TokenPage, TokenState};
use bailiwick_testkit::{
    grant,
    service::{Auth, Service},
};
use serde_json::json;

/// The page that the service answers with.
async fn page(service: &Service, token: &str, query: &str) -> TokenPage {
    let answer = service
        .get(&format!("/v1/tokens{query}"), Auth::Bearer(token))
        .await;
    assert_eq!(answer.status, 200, "{query}: {answer:?}");
    serde_json::from_value(answer.json()).unwrap()
}

fn agents(page: &TokenPage) -> Vec<&str> {
    page.tokens.iter().map(|it| it.agent.as_str()).collect()
}

#[tokio::test]
async fn tokens_are_listed_by_party() {
    let service = Service::start().await;
    let operator = service.operator(&["token:list"]).await;
    let secret = service.client("buyer-7", &["buyer"]).await;
    let form = [("grant_type", "client_credentials")];
    for _ in 0..2 {
        let token = service.token(Auth::Basic("buyer-7", &secret), &form).await;
        token.is_token();
    }
    let (_, id) = service.mint("ada", &grant("erp", "*")).await;
    let by_client = page(&service, &operator, "?client=buyer-7").await;
    assert_eq!(agents(&by_client), ["agent:buyer-7", "agent:buyer-7"]);
    assert_eq!(by_client.next, None);
    let token = &by_client.tokens[0];
    assert_eq!(token.state, TokenState::Live);
    assert_eq!(token.actor, "caller:buyer-7");
    assert_eq!(token.principal, "team:procurement");
    let by_agent = page(&service, &operator, "?agent=agent%3Abuyer-7").await;
    assert_eq!(by_agent, by_client);
    let one = page(&service, &operator, "?agent=ada").await;
    assert_eq!(one.tokens[0].token_id.to_string(), id);
    service.client("buyer-8", &["buyer"]).await;
    for (nobody, unknown) in [
        ("?client=buyer", &["client"][..]),
        ("?agent=buyer-7", &["agent"]),
        ("?principal=team%3Ab&all=true", &["principal"]),
        ("?tenant=initech", &["tenant"]),
        ("?agent=ada&client=buyer", &["client"]),
        // Each is known, though not together, and a client may have fetched nothing yet.
        ("?agent=ada&client=buyer-7", &[]),
        ("?client=buyer-8", &[]),
    ] {
        let expected = TokenPage {
            unknown: unknown.iter().map(|it| (*it).to_owned()).collect(),
            ..TokenPage::default()
        };
        assert_eq!(
            page(&service, &operator, nobody).await,
            expected,
            "{nobody}"
        );
    }
    // Whatever tokens an answer lists, it contains no token itself and no secret.
    let all = service
        .get("/v1/tokens?all=true", Auth::Bearer(&operator))
        .await;
    assert!(!all.text.contains(&operator) && !all.text.contains(&secret));
}

#[tokio::test]
async fn ended_tokens_are_listed_on_request() {
    let service = Service::start().await;
    service.mint("ada", &grant("erp", "*")).await;
    service.time.pass(300);
    let (_, id) = service.mint("ada", &grant("erp", "*")).await;
    service.time.pass(300);
    let operator = service.operator(&["token:list", "revocation:create"]).await;
    let live = page(&service, &operator, "?agent=ada").await;
    assert_eq!(live.tokens.len(), 1);
    let states = async || {
        let page = page(&service, &operator, "?agent=ada&all=true").await;
        let states = page.tokens.iter().map(|it| it.state);
        states.collect::<Vec<_>>()
    };
    assert_eq!(states().await, [TokenState::Live, TokenState::Expired]);
    let body = json!({ "tokens": [id], "reason": "seen in a log" });
    let revoked = service
        .post("/v1/revocations", Auth::Bearer(&operator), &body)
        .await;
    assert_eq!(revoked.json()[0]["outcome"], "revoked", "{revoked:?}");
    assert_eq!(states().await, [TokenState::Revoked, TokenState::Expired]);
    let live = page(&service, &operator, "?agent=ada").await;
    assert_eq!(live, TokenPage::default());
}

#[tokio::test]
async fn pages_follow_each_other() {
    let service = Service::start().await;
    let operator = service.operator(&["token:list"]).await;
    for _ in 0..5 {
        service.mint("ada", &grant("erp", "*")).await;
    }
    let whole = page(&service, &operator, "?agent=ada").await;
    let mut joined = Vec::new();
    let mut next = None;
    loop {
        let after = next.map_or(String::new(), |id| format!("&after={id}"));
        let page = page(&service, &operator, &format!("?agent=ada&limit=2{after}")).await;
        assert!(page.tokens.len() <= 2);
        joined.extend(page.tokens);
        next = page.next;
        if next.is_none() {
            break;
        }
    }
    assert_eq!(joined, whole.tokens);
    let auth = Auth::Bearer(&operator);
    for wrong in [
        "?limit=0",
        "?limit=1001",
        "?limit=-1",
        "?all=maybe",
        "?after=1",
        "?after=00000000000000000000000000000000",
        "?agent=a&agent=b",
        "?agents=a",
    ] {
        let answer = service.get(&format!("/v1/tokens{wrong}"), auth).await;
        answer.is_problem(400, ProblemCode::BadRequest);
    }
}

/// An operator who may mint may not list, and a token that does not verify lists nothing.
#[tokio::test]
async fn listing_has_an_action_of_its_own() {
    let service = Service::start().await;
    let (token, _) = service.mint("ada", &grant("bailiwick", "token:mint")).await;
    let denied = service.get("/v1/tokens", Auth::Bearer(&token)).await;
    let problem = denied.is_problem(403, ProblemCode::Denied);
    assert_eq!(problem.reason.as_deref(), Some("no_grant"));
    let lister = service.operator(&["token:list"]).await;
    let forged = format!("{lister}x");
    for auth in [Auth::None, Auth::Bearer("nonsense"), Auth::Bearer(&forged)] {
        let answer = service.get("/v1/tokens", auth).await;
        answer.is_problem(401, ProblemCode::Unauthenticated);
    }
}
