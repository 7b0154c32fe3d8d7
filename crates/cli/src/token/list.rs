//! `bailiwick token list`: minted tokens, by party.

use bailiwick_api::{MAX_LISTED_TOKENS, TokenPage, TokenState, TokenStatus, TokensQuery};
use bailiwick_token::{
    claims::TokenId,
    escape::{code, name, shell},
};
use clap::{Args, value_parser};

use crate::{
    exit::{Exit, ExitResult, Failure},
    operations::{Operations, with},
    output::{self, Format},
    parse,
    server::unreadable,
    settings::Global,
    table::{Cell, Column, Table, Tone},
};

/// Options of `token list`.
#[derive(Debug, Args)]
#[command(after_help = "\
The latest come first. ENDS is `expired` or `revoked` if a token is no longer valid; --json also has all \
times, the party that asked for each token, and its row in the audit log. `in` precedes the tenant. The \
issuer does not know which tokens contain a revoked block, so it lists them as live.

Examples:
  bailiwick token list --agent agent:buyer
  bailiwick token list --client buyer-7 --all --limit 20
  bailiwick token list --agent agent:buyer | tail -n +2 | cut -f 1")]
pub(crate) struct TokenListArgs {
    #[command(flatten)]
    party: TokenParty,
    /// Also list tokens that have expired or are revoked
    #[arg(long)]
    all: bool,
    /// Only tokens that were minted before this one: the next page
    #[arg(long, value_name = "ID")]
    after: Option<TokenId>,
    /// Maximum number of tokens, the latest first
    #[arg(long, value_name = "N", default_value = "100",
          value_parser = value_parser!(u32).range(1..=100_000))]
    limit: u32,
}

/// Options that select tokens by their parties.
#[derive(Debug, Clone, Args)]
pub(crate) struct TokenParty {
    /// Only tokens of this agent
    #[arg(long, value_parser = parse::name)]
    agent: Option<String>,
    /// Only tokens on this principal's authority
    #[arg(long, value_parser = parse::name)]
    principal: Option<String>,
    /// Only tokens in this tenant
    #[arg(long, value_parser = parse::name)]
    tenant: Option<String>,
    /// Only tokens that this client fetched; name a provider's workload as `PROVIDER/SUBJECT`
    #[arg(long, value_parser = parse::text)]
    client: Option<String>,
}

impl TokenListArgs {
    pub(super) async fn run(self, global: &Global) -> ExitResult {
        let query = TokensQuery {
            agent: self.party.agent.clone(),
            principal: self.party.principal.clone(),
            tenant: self.party.tenant.clone(),
            client: self.party.client.clone(),
            all: self.all.then_some(true),
            after: self.after,
            limit: Some(self.limit),
        };
        let read = async |issuer: &dyn Operations| pages(issuer, query).await;
        let page = with(global, None, read).await?;
        let table = Table::new(COLUMNS, page.tokens.iter().map(row));
        let nothing = match self.all {
            true => "no token matches",
            false => "no live token matches; --all also lists expired and revoked ones",
        };
        table.print(global.format(), &page, nothing)?;
        self.party.warn_of_unknown(&page.unknown);
        if let Some(next) = page.next {
            output::hint(format_args!("for older tokens add `--after {next}`"));
        }
        if global.format() == Format::Text && !self.all && !page.tokens.is_empty() {
            self.party.hint();
        }
        Ok(Exit::Done)
    }
}

impl TokenParty {
    /// Prints a hint about revoking the listed tokens.
    fn named(&self) -> Vec<(&'static str, &str)> {
        let parties = [
            ("agent", &self.agent),
            ("principal", &self.principal),
            ("tenant", &self.tenant),
            ("client", &self.client),
        ];
        let named = parties
            .into_iter()
            .filter_map(|(party, value)| Some((party, value.as_deref()?)));
        named.collect()
    }

    /// Warns about names that the issuer does not know.
    fn warn_of_unknown(&self, unknown: &[String]) {
        let named = self.named().into_iter();
        for (party, value) in named.filter(|(party, _)| unknown.iter().any(|it| it == party)) {
            output::warn(format_args!(
                "no token on record is of the {party} {}; check the name",
                code(value)
            ));
        }
    }

    /// Says how the listed tokens are revoked.
    fn hint(&self) {
        let mut named = self.named();
        // With two options the list is their intersection, but a watermark names only one party.
        if let (Some((party, value)), true) = (named.pop(), named.is_empty()) {
            output::hint("revoke one of them: bailiwick token revoke ID --reason TEXT");
            output::hint(format_args!(
                "revoke all of them: bailiwick revocations add {} --reason TEXT",
                option(party, value)
            ));
        }
    }
}

/// Writes an option with a value for a shell. Names come from callers' claims, and the command is to be pasted.
fn option(name: &str, value: &str) -> String {
    // A value that begins with a hyphen would be taken for another option.
    let sign = if value.starts_with('-') { '=' } else { ' ' };
    format!("--{name}{sign}{}", shell(value))
}

/// Reads pages until there are as many tokens as the query's limit.
pub(crate) async fn pages(
    issuer: &dyn Operations,
    query: TokensQuery,
) -> Result<TokenPage, Failure> {
    let limit = query.limit.unwrap_or(u32::MAX);
    let mut all = TokenPage {
        next: query.after,
        ..TokenPage::default()
    };
    loop {
        let had = u32::try_from(all.tokens.len()).unwrap_or(u32::MAX);
        let wanted = limit.saturating_sub(had);
        if wanted == 0 {
            return Ok(all);
        }
        let page = TokensQuery {
            after: all.next,
            limit: Some(wanted.min(MAX_LISTED_TOKENS)),
            ..query.clone()
        };
        let page = issuer.tokens(page).await?;
        if page.next.is_some() && page.next == all.next {
            return Err(unreadable());
        }
        all.tokens.extend(page.tokens);
        all.unknown = page.unknown;
        all.next = page.next;
        if page.next.is_none() {
            return Ok(all);
        }
    }
}

const COLUMNS: [Column; 3] = [
    Column::whole("TOKEN"),
    Column::whole("ENDS"),
    Column::text("AGENT AND PRINCIPAL"),
];

fn row(token: &TokenStatus) -> [Cell; 3] {
    let ends = match token.state {
        TokenState::Live => Cell::new(token.expires).toned(Tone::Good),
        TokenState::Expired => Cell::new("expired").toned(Tone::Past),
        TokenState::Revoked => Cell::new("revoked").toned(Tone::Bad),
    };
    [Cell::new(token.token_id), ends, Cell::new(parties(token))]
}

/// The parties of a token.
fn parties(token: &TokenStatus) -> String {
    let parties = format!("{} for {}", name(&token.agent), name(&token.principal));
    match &token.tenant {
        Some(tenant) => format!("{parties} in {}", name(tenant)),
        None => parties,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_in_commands_are_quoted() {
        for (value, shown) in [
            ("agent:buyer", "--agent agent:buyer"),
            ("agent:$(touch pwned)", "--agent 'agent:$(touch pwned)'"),
            ("it's; reboot", r"--agent 'it'\''s; reboot'"),
            ("--all", "--agent=--all"),
        ] {
            assert_eq!(option("agent", value), shown);
        }
    }
}
