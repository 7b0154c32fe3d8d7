//! Lists of minted tokens.

use bailiwick_token::{
    claims::TokenId,
    revocation::{Party, Target, Watermark},
};

use super::*;
use crate::{TokenFilter, TokenListError, TokenPage, TokenState};

/// Mints a token for an agent and a principal that lives 600 seconds.
async fn mint(issuer: &Issuer, agent: &str, principal: &str, now: u64) -> TokenId {
    let request = MintRequest {
        agent: agent.to_owned(),
        principal: principal.to_owned(),
        ..request()
    };
    let minted = issuer.mint(&request, at(now)).await.unwrap();
    minted.receipt.token_id
}

fn of_agent(agent: &str) -> TokenFilter {
    TokenFilter {
        agent: Some(agent.to_owned()),
        limit: 100,
        ..TokenFilter::default()
    }
}

fn ids(page: &TokenPage) -> Vec<TokenId> {
    let ids = page.tokens.iter().map(|listed| listed.token.token_id);
    ids.collect()
}

/// The ids of a list that fits one page.
async fn listed(issuer: &Issuer, filter: &TokenFilter, now: u64) -> Vec<TokenId> {
    let page = issuer.tokens(filter, at(now)).await.unwrap();
    assert_eq!(page.next, None, "{filter:?}");
    ids(&page)
}

/// The states of all tokens of an agent, the latest first.
async fn states(issuer: &Issuer, agent: &str, now: u64) -> Vec<TokenState> {
    let filter = TokenFilter {
        all: true,
        ..of_agent(agent)
    };
    let page = issuer.tokens(&filter, at(now)).await.unwrap();
    page.tokens.iter().map(|listed| listed.state).collect()
}

#[tokio::test]
async fn live_tokens_are_found_by_party() {
    let (_dir, issuer) = issuer().await;
    let buyer = issuer.acting_as("caller:buyer-7");
    let one = mint(&buyer, "agent:one", "team:a", 10).await;
    let two = mint(&issuer, "agent:one", "team:b", 20).await;
    let three = mint(&buyer, "agent:two", "team:a", 30).await;
    let all = TokenFilter {
        agent: None,
        ..of_agent("")
    };
    assert_eq!(listed(&issuer, &all, 40).await, [three, two, one]);
    let one_agent = of_agent("agent:one");
    assert_eq!(listed(&issuer, &one_agent, 40).await, [two, one]);
    let principal = TokenFilter {
        principal: Some("team:a".to_owned()),
        ..all.clone()
    };
    assert_eq!(listed(&issuer, &principal, 40).await, [three, one]);
    let both = TokenFilter {
        agent: Some("agent:one".to_owned()),
        ..principal
    };
    assert_eq!(listed(&issuer, &both, 40).await, [one]);
    let tenant = |name: &str| TokenFilter {
        tenant: Some(name.to_owned()),
        ..all.clone()
    };
    assert_eq!(listed(&issuer, &tenant("acme"), 40).await.len(), 3);
    assert_eq!(listed(&issuer, &tenant("initech"), 40).await, []);
    let actors = TokenFilter {
        actors: vec!["caller:other".to_owned(), "caller:buyer-7".to_owned()],
        ..all.clone()
    };
    assert_eq!(listed(&issuer, &actors, 40).await, [three, one]);
    for nobody in ["agent:nobody", "agent:on", "agent:one' OR 1=1 --", ""] {
        assert_eq!(listed(&issuer, &of_agent(nobody), 40).await, [], "{nobody}");
    }
    // The list shows each token as the mint recorded it.
    let page = issuer.tokens(&both, at(40)).await.unwrap();
    let token = &page.tokens[0].token;
    assert_eq!(Some(token), issuer.token(one).await.unwrap().as_ref());
    assert_eq!(token.actor, "caller:buyer-7");
}

#[tokio::test]
async fn ended_tokens_are_listed_on_request() {
    let (_dir, issuer) = issuer().await;
    let first = mint(&issuer, "agent:one", "team:a", 10).await;
    let second = mint(&issuer, "agent:one", "team:a", 500).await;
    let live = of_agent("agent:one");
    assert_eq!(listed(&issuer, &live, 609).await, [second, first]);
    assert_eq!(listed(&issuer, &live, 610).await, [second]);
    let states = states(&issuer, "agent:one", 610).await;
    assert_eq!(states, [TokenState::Live, TokenState::Expired]);
}

#[tokio::test]
async fn revoked_tokens_are_not_live() {
    let (_dir, issuer) = issuer().await;
    let id = mint(&issuer, "agent:one", "team:a", 10).await;
    mint(&issuer, "agent:two", "team:a", 10).await;
    mint(&issuer, "agent:three", "team:b", 10).await;
    let live = async |agent: &str| states(&issuer, agent, 100).await;
    let revoke = async |target: Target| issuer.revoke(target, None, "a test", at(50)).await;
    revoke(Target::Token(id)).await.unwrap();
    assert_eq!(live("agent:one").await, [TokenState::Revoked]);
    assert_eq!(live("agent:two").await, [TokenState::Live]);
    let watermark = |party, name| Watermark::new(party, name, at(51)).unwrap();
    let target = Target::Watermark(watermark(Party::Principal, "team:a"));
    revoke(target).await.unwrap();
    assert_eq!(live("agent:two").await, [TokenState::Revoked]);
    assert_eq!(live("agent:three").await, [TokenState::Live]);
    // A watermark covers only earlier tokens, and only those of its own party.
    mint(&issuer, "agent:two", "team:a", 60).await;
    assert_eq!(
        live("agent:two").await,
        [TokenState::Live, TokenState::Revoked]
    );
    let target = Target::Watermark(watermark(Party::Tenant, "acme"));
    let revoked = issuer.revoke(target, None, "a test", at(61)).await;
    revoked.unwrap();
    assert_eq!(live("agent:three").await, [TokenState::Revoked]);
    assert_eq!(listed(&issuer, &of_agent("agent:three"), 100).await, []);
    assert_eq!(listed(&issuer, &of_agent("agent:two"), 100).await.len(), 1);
    // Revoking a key revokes its tokens.
    let keys = issuer.keys().await.unwrap();
    let active = keys.iter().find(|key| key.state == crate::State::Active);
    let active = active.unwrap().id;
    issuer.revoke_key(active, "stolen", at(70)).await.unwrap();
    assert_eq!(listed(&issuer, &of_agent("agent:two"), 100).await, []);
    let successor = mint(&issuer, "agent:two", "team:a", 80).await;
    assert_eq!(
        listed(&issuer, &of_agent("agent:two"), 100).await,
        [successor]
    );
}

#[tokio::test]
async fn pages_join_without_a_gap() {
    let (_dir, issuer) = issuer().await;
    let mut minted = Vec::new();
    // Several tokens have the same second, and a wrong clock dated one of them earlier.
    for now in [10, 10, 10, 5, 11, 12, 12] {
        minted.push((now, mint(&issuer, "agent:one", "team:a", now).await));
    }
    // A list is sorted by time, and within a second by the order of mints.
    minted.sort_by_key(|(now, _)| *now);
    let expected: Vec<TokenId> = minted.iter().rev().map(|(_, id)| *id).collect();
    for limit in 1..=8 {
        let mut filter = TokenFilter {
            limit,
            ..of_agent("agent:one")
        };
        let mut all = Vec::new();
        loop {
            let page = issuer.tokens(&filter, at(20)).await.unwrap();
            assert!(page.tokens.len() <= limit as usize);
            all.extend(ids(&page));
            filter.after = page.next;
            if page.next.is_none() {
                break;
            }
        }
        assert_eq!(all, expected, "{limit}");
    }
    // Revoked tokens are skipped, and the page is filled with the tokens after them.
    for id in &expected[1..6] {
        let revoked = issuer.revoke(Target::Token(*id), None, "a test", at(20));
        revoked.await.unwrap();
    }
    let two = TokenFilter {
        limit: 2,
        ..of_agent("agent:one")
    };
    let page = issuer.tokens(&two, at(20)).await.unwrap();
    assert_eq!(ids(&page), [expected[0], expected[6]]);
    let stranger = TokenId::from_bytes([7; 16]);
    let after = TokenFilter {
        after: Some(stranger),
        ..two
    };
    let refused = issuer.tokens(&after, at(20)).await.unwrap_err();
    assert!(matches!(refused, TokenListError::Unknown(id) if id == stranger));
}

/// More tokens than one statement reads, most of which are revoked.
#[tokio::test]
async fn revoked_tokens_do_not_hide_live_ones() {
    let (_dir, issuer) = issuer().await;
    let oldest = mint(&issuer, "agent:one", "team:live", 1).await;
    let many = (0..250).map(|n| {
        let issuer = issuer.clone();
        tokio::spawn(async move { mint(&issuer, "agent:one", "team:fooled", 2 + n % 3).await })
    });
    for minted in many.collect::<Vec<_>>() {
        minted.await.unwrap();
    }
    let fooled = Watermark::new(Party::Principal, "team:fooled", at(6)).unwrap();
    let target = Target::Watermark(fooled);
    issuer.revoke(target, None, "fooled", at(6)).await.unwrap();
    assert_eq!(listed(&issuer, &of_agent("agent:one"), 7).await, [oldest]);
    assert_eq!(states(&issuer, "agent:one", 7).await.len(), 100);
}
