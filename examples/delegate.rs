//! An orchestrator narrows its token for two sub-agents: offline, without asking anyone.
//!
//!     cargo run -p bailiwick-examples --example delegate
//!
//! The command line does the same with `bailiwick token attenuate`.

use std::{collections::BTreeMap, error::Error, time::SystemTime};

use bailiwick_issuer::{InitOptions, Issuer, MintRequest, Passphrase};
use bailiwick_token::{
    caveat::Caveat,
    grant::{Constraint, Grant, Grants},
    timestamp::Timestamp,
    token::Token,
};

fn main() -> Result<(), Box<dyn Error>> {
    let seconds = SystemTime::now()
        .duration_since(SystemTime::UNIX_EPOCH)?
        .as_secs();
    let now = Timestamp::from_unix(seconds).ok_or("the clock is beyond the year 9999")?;

    // This is all that an orchestrator gets: a token, as text. It has no key, and needs none.
    let text = minted(now)?;
    let token = Token::parse(&text)?;
    println!("The orchestrator holds:\n{}", token.inspect().effective()?);

    // 1. A buyer may create orders, and smaller ones. A grant that names arguments closes the
    //    world: what it does not name is denied, so each argument to pass is named again.
    //    `any()` adds no bound of its own; those of the token go on holding.
    let buyer = token.attenuate(&Caveat {
        scope: Some(Grants::new(vec![
            Grant::new("erp", "purchase_order:create")
                .arg("amount", Constraint::any().max("4200".parse()?))
                .arg("currency", Constraint::any())
                .arg("vendor", Constraint::any()),
        ])?),
        expires: Some(now.plus(5 * 60)),
        delegate: Some("agent:buyer".to_owned()),
        ..Caveat::default()
    })?;
    println!("The buyer may:\n{}", buyer.inspect().effective()?);

    // 2. A reader may only read. Sealed, its token cannot be narrowed and handed on any further.
    let reader = token
        .attenuate(&Caveat {
            scope: Some(Grants::new(vec![Grant::new("erp", "purchase_order:read")])?),
            delegate: Some("agent:reader".to_owned()),
            ..Caveat::default()
        })?
        .seal()?;
    println!("The reader may:\n{}", reader.inspect().effective()?);
    if let Err(error) = reader.attenuate(&Caveat {
        task: Some("more".to_owned()),
        ..Caveat::default()
    }) {
        println!("And it cannot hand that on: {error}.\n");
    }

    // 3. To ask for more is allowed, and gives nothing: a call must be inside of every block.
    let greedy = buyer.attenuate(&Caveat {
        scope: Some(Grants::new(vec![
            Grant::new("erp", "*"),
            Grant::new("erp", "purchase_order:create")
                .arg("amount", Constraint::any().max("1000000".parse()?)),
        ])?),
        ..Caveat::default()
    })?;
    println!(
        "A buyer who writes itself a scope without bounds still may:\n{}",
        greedy.inspect().effective()?
    );
    Ok(())
}

/// The operator's part; see the example `issue`.
#[tokio::main]
async fn minted(now: Timestamp) -> Result<String, Box<dyn Error>> {
    let home = tempfile::tempdir()?;
    let passphrase = Passphrase::new("correct horse battery staple")?;
    let options = InitOptions::new("https://issuer.example");
    let issuer = Issuer::init(&home.path().join("issuer"), options, &passphrase, now).await?;
    let request = MintRequest {
        agent: "agent:orchestrator".to_owned(),
        principal: "team:procurement".to_owned(),
        tenant: None,
        task: None,
        claims: BTreeMap::new(),
        grants: Grants::from_toml(
            r#"
            [[grant]]
            service = "erp"
            action = "purchase_order:create"
            args = { amount = { max = "10000" }, currency = "EUR", vendor = { one_of = ["acme", "globex"] } }

            [[grant]]
            service = "erp"
            action = "purchase_order:read"
            "#,
        )?,
        ttl: 15 * 60,
        max_depth: None,
        profile: None,
    };
    let minted = issuer.mint(&request, now).await?;
    Ok(minted.token.to_base64().to_string())
}
