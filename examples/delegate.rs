//! An orchestrator narrows its token for two sub-agents, offline.
//!
//!     cargo run -p bailiwick-examples --example delegate
//!
//! The command line does the same with `bailiwick token attenuate`.

use std::{
    collections::BTreeMap,
    error::Error,
    time::{Duration, SystemTime},
};

use bailiwick::{Caveat, Grant, Grants, Timestamp, Token};
use bailiwick_issuer::{InitOptions, Issuer, MintRequest, Passphrase};

fn main() -> Result<(), Box<dyn Error>> {
    let now = Timestamp::try_from(SystemTime::now())?;

    // An orchestrator gets only a token, as text. It has no key, and needs none.
    let text = minted(now)?;
    let token = Token::parse(&text)?;
    println!("The orchestrator holds:\n{}", token.inspect().effective()?);

    // 1. A buyer may create smaller orders only. A grant that names arguments denies all others, so
    //    every argument that may be passed is named again. `..` adds no limit of its own; the token's
    //    limits still apply.
    let order = Grant::new("erp", "purchase_order:create")
        .arg("amount", ..=4200)
        .arg("currency", ..)
        .arg("vendor", ..);
    let caveat = Caveat::new()
        .scope(Grants::new([order])?)
        .expires(now + Duration::from_mins(5))
        .delegate("agent:buyer");
    let buyer = token.attenuate(&caveat)?;
    println!("The buyer may:\n{}", buyer.inspect().effective()?);

    // 2. A reader may only read. Its token is sealed, so it cannot be narrowed any further.
    let reading = Grants::new([Grant::new("erp", "purchase_order:read")])?;
    let caveat = Caveat::new().scope(reading).delegate("agent:reader");
    let reader = token.attenuate(&caveat)?.seal()?;
    println!("The reader may:\n{}", reader.inspect().effective()?);
    if let Err(error) = reader.attenuate(&Caveat::new().task("more")) {
        println!("And it cannot hand that on: {error}.\n");
    }

    // 3. Asking for more is allowed but has no effect: every block must allow a call.
    let everything = Grants::new([
        Grant::new("erp", "*"),
        Grant::new("erp", "purchase_order:create").arg("amount", ..=1_000_000),
    ])?;
    let greedy = buyer.attenuate(&Caveat::new().scope(everything))?;
    println!(
        "A buyer who writes itself a scope without bounds still may:\n{}",
        greedy.inspect().effective()?
    );
    Ok(())
}

/// The operator's part: mints a token. See the example `issue`.
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
