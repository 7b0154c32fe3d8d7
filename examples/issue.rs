//! An operator makes an issuer and mints a token for an agent.
//!
//!     cargo run -p bailiwick-examples --example issue
//!
//! The command line does the same with `bailiwick init` and `bailiwick token mint`.

use std::{collections::BTreeMap, error::Error, time::SystemTime};

use bailiwick::{Grants, Timestamp};
use bailiwick_issuer::{InitOptions, Issuer, MintRequest, Passphrase};

/// The grants of the agent, as a person writes them. Anything else is denied.
const GRANTS: &str = r#"
[[grant]]
service = "erp"                              # the service that the call is made at
action  = "purchase_order:create"            # what is done there
[grant.args]                                 # and with which arguments: only those named here
amount   = { min = "0.01", max = "10000" }   # compared exactly, never through a binary float
currency = "EUR"
vendor   = { one_of = ["acme", "globex"] }
note     = "*"                               # any value, may be absent

[[grant]]
service = "erp"
action  = "purchase_order:read"
"#;

#[tokio::main]
async fn main() -> Result<(), Box<dyn Error>> {
    // Nothing in the libraries reads a clock: time is handed in, so tests can hand in their own.
    let now = Timestamp::try_from(SystemTime::now())?;

    // 1. An issuer is a home directory. It holds the root keys, encrypted under a passphrase.
    //    This one is deleted at the end of the program.
    let home = tempfile::tempdir()?;
    let passphrase = Passphrase::new("correct horse battery staple")?;
    let options = InitOptions::new("https://issuer.example");
    let issuer = Issuer::init(&home.path().join("issuer"), options, &passphrase, now).await?;
    for key in issuer.keys().await? {
        println!("root key     {}  {}", key.id, key.state);
    }

    // 2. A token states who acts, on whose authority, what they may do, and until when.
    //    Its row in the audit is on disk before `mint` returns.
    let minted = issuer
        .mint(
            &MintRequest {
                agent: "agent:orchestrator".to_owned(),
                principal: "team:procurement".to_owned(),
                tenant: None,
                task: Some("order what the workshop needs".to_owned()),
                claims: BTreeMap::new(),
                grants: Grants::from_toml(GRANTS)?,
                ttl: 15 * 60,
                max_depth: None,
                profile: None,
            },
            now,
        )
        .await?;
    println!(
        "token id     {}  until {}",
        minted.receipt.token_id, minted.receipt.expires
    );

    // 3. A service needs two things to check a token without calling the issuer: the signed keyset, which
    //    changes and may be delivered in any way, and the key that signs it, which is configured.
    let keyset = issuer.keyset(now).await?;
    println!(
        "keyset       version {}, {} bytes",
        keyset.version,
        keyset.envelope.len()
    );
    println!("keyset key   {}", issuer.keyset_key());

    // 4. The token is a secret of its agent. `Debug` would not show it.
    println!("token        {}", *minted.token.to_base64());
    println!(
        "\nWhat it says, read without any key:\n\n{}",
        minted.token.inspect()
    );
    Ok(())
}
