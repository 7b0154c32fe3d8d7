//! `bailiwick revocations add`: revokes all tokens of a party, or all that a client fetched.

use std::time::Duration;

use bailiwick_api::{RevokeRequest, RevokeResult, TokensQuery};
use bailiwick_issuer::MAX_TARGETS;
use bailiwick_token::{
    claims::TokenId,
    escape::{code, name},
    revocation::Party,
    text::counted,
    timestamp::Timestamp,
};
use clap::{ArgGroup, Args};
use tokio::time::sleep;

use super::RevocationList;
use crate::{
    confirm::{Confirm, Effect},
    exit::{Exit, ExitResult, Failure},
    operations::{Operations, with},
    output, parse,
    settings::Global,
    token,
};

/// Options of `revocations add`.
#[derive(Debug, Args)]
#[command(
    group(
        ArgGroup::new("whose")
            .required(true)
            .multiple(true)
            .args(["agent", "principal", "tenant", "client"])
    ),
    after_help = "\
One entry ends every token that was issued before the time, with every token narrowed from it. Tokens \
that are minted later are valid. Use it when an agent was tricked, a principal left, or a client's \
secret leaked. Several options add up: each revokes all tokens of the party that it names. \
With --client, all live tokens that the client fetched are revoked one by one: give the \
client another secret first. An operator's token needs `revocation:create`, and with --client \
`token:list` too. `bailiwick token list` shows the tokens, and `bailiwick token revoke` \
revokes a single one.

Examples:
  bailiwick revocations add --agent agent:buyer \\
      --reason 'prompt injection' --yes
  bailiwick revocations add --client buyer-7 --reason 'secret in a log' --yes"
)]
#[group(skip)]
pub(crate) struct RevocationsAddArgs {
    /// All tokens of this agent
    #[arg(long, value_parser = parse::name)]
    agent: Option<String>,
    /// All tokens on this principal's authority
    #[arg(long, value_parser = parse::name)]
    principal: Option<String>,
    /// All tokens in this tenant
    #[arg(long, value_parser = parse::name)]
    tenant: Option<String>,
    /// All live tokens that this client fetched
    #[arg(long, value_parser = parse::text)]
    client: Option<String>,
    /// Issued before this time [default: now]
    #[arg(long, value_name = "RFC3339")]
    before: Option<Timestamp>,
    /// The reason, for the operators of the issuer
    #[arg(long, value_name = "TEXT", value_parser = parse::text)]
    reason: String,
    #[command(flatten)]
    confirm: Confirm,
}

/// The result of `revocations add`.
struct Done {
    reports: Vec<RevokeResult>,
    /// Number of tokens in the first request, whose reports come before those of the parties.
    before_parties: usize,
    /// Number of live tokens that the client had fetched.
    fetched: usize,
    /// True if verifiers fetch the revocations from the issuer.
    is_served: bool,
}

impl RevocationsAddArgs {
    pub(super) async fn run(self, global: &Global) -> ExitResult {
        self.confirm.ask_all(&self.effects())?;
        let done = with(global, None, async |issuer| self.revoke(issuer).await).await?;
        if self.before.is_none() && !self.parties().is_empty() {
            // Times have whole seconds, and tokens of the current one are revoked. Waiting for its end keeps
            // tokens that are minted after this command from being revoked as well.
            sleep(Duration::from_secs(1)).await;
        }
        self.print(global, &done)
    }

    /// The parties whose tokens are revoked by watermarks, in the order of a request's targets.
    fn parties(&self) -> Vec<(Party, &str)> {
        let parties = [
            (Party::Agent, &self.agent),
            (Party::Principal, &self.principal),
            (Party::Tenant, &self.tenant),
        ];
        let named = parties
            .into_iter()
            .filter_map(|(party, value)| Some((party, value.as_deref()?)));
        named.collect()
    }

    /// The effects to confirm, one for each option.
    fn effects(&self) -> Vec<Effect<'_>> {
        let of_parties = self.parties().into_iter().map(|(party, value)| Effect {
            what: format!("revoke all tokens of the {party}"),
            id: value,
        });
        let of_client = self.client.iter().map(|client| Effect {
            what: "revoke all tokens of the client".to_owned(),
            id: client,
        });
        of_parties.chain(of_client).collect()
    }

    /// Looks up everything that is named, and then revokes it. A name that is not known leaves nothing half done.
    async fn revoke(&self, issuer: &dyn Operations) -> Result<Done, Failure> {
        let fetched = match &self.client {
            Some(client) => self.fetched(issuer, client).await?,
            None => Vec::new(),
        };
        let requests = self.requests(&fetched);
        let mut reports = Vec::new();
        for request in &requests {
            reports.extend(issuer.revoke(request).await?);
        }
        Ok(Done {
            reports,
            before_parties: requests.first().map_or(0, |first| first.tokens.len()),
            fetched: fetched.len(),
            is_served: issuer.serves_revocations(),
        })
    }

    /// Returns the live tokens that the client fetched. No token names the client, so no watermark can.
    ///
    /// A client without tokens is not an error: none of its tokens is honoured. A name that nobody has is one.
    async fn fetched(
        &self,
        issuer: &dyn Operations,
        client: &str,
    ) -> Result<Vec<TokenId>, Failure> {
        let query = TokensQuery {
            client: Some(client.to_owned()),
            ..TokensQuery::default()
        };
        let live = token::listed(issuer, query).await?;
        if !live.unknown.is_empty() {
            return Err(Failure::plain(
                Exit::NotFound,
                format!("no client {} is registered, and none of this name fetched a token on record, so nothing was revoked", code(client)),
            )
            .hint("check the name: `bailiwick client list` lists registered clients, and a workload of a provider is named `PROVIDER/SUBJECT`"));
        }
        let due = live
            .tokens
            .iter()
            .filter(|token| self.before.is_none_or(|before| token.issued_at < before));
        Ok(due.map(|token| token.token_id).collect())
    }

    /// The requests that revoke everything: a single one, which does all or nothing, unless a client has more tokens
    /// than one request takes. The watermarks are in the first.
    fn requests(&self, fetched: &[TokenId]) -> Vec<RevokeRequest> {
        let parties = self.parties().len();
        let room = MAX_TARGETS.saturating_sub(parties).min(fetched.len());
        let (first, rest) = fetched.split_at(room);
        let mut requests = Vec::new();
        if parties > 0 || !first.is_empty() {
            let list = |name: &Option<String>| name.iter().cloned().collect();
            requests.push(RevokeRequest {
                agents: list(&self.agent),
                principals: list(&self.principal),
                tenants: list(&self.tenant),
                issued_before: self.before,
                ..self.of(first)
            });
        }
        requests.extend(rest.chunks(MAX_TARGETS).map(|tokens| self.of(tokens)));
        requests
    }

    /// A request to revoke these tokens.
    fn of(&self, tokens: &[TokenId]) -> RevokeRequest {
        RevokeRequest {
            tokens: tokens.to_vec(),
            reason: self.reason.clone(),
            ..RevokeRequest::default()
        }
    }

    /// Prints the reports, with a warning for each name that may be a typing error.
    fn print(&self, global: &Global, done: &Done) -> ExitResult {
        let lines: String = done.reports.iter().map(token::revoked).collect();
        let listed = RevocationList {
            revocations: &done.reports,
        };
        global.format().print(&listed, lines)?;
        let of_parties = done.reports.iter().skip(done.before_parties);
        for ((party, value), report) in self.parties().into_iter().zip(of_parties) {
            if !report.minted_here {
                output::warn(unknown(party, value));
            }
        }
        if let Some(client) = &self.client {
            output::note(format_args!(
                "{} of the client {}",
                counted(done.fetched, "live token"),
                name(client)
            ));
        }
        if !done.is_served && done.reports.iter().any(token::is_new) {
            output::hint(token::EXPORT);
        }
        Ok(Exit::Done)
    }
}

/// The warning about a party without tokens.
fn unknown(party: Party, value: &str) -> String {
    let value = code(value);
    match party {
        Party::Tenant => format!(
            "no token that can still be valid was minted here in the tenant {value}; check the name"
        ),
        Party::Agent | Party::Principal => {
            format!("no token was minted here for the {party} {value}; check the name")
        }
    }
}

#[cfg(test)]
#[allow(clippy::unwrap_used, reason = "a test fails by panicking")]
mod tests {
    use clap::Parser;

    use super::*;

    #[derive(Parser)]
    struct Line {
        #[command(flatten)]
        args: RevocationsAddArgs,
    }

    fn args(line: &str) -> RevocationsAddArgs {
        let line = format!("add --reason fooled {line}");
        Line::try_parse_from(line.split_whitespace()).unwrap().args
    }

    fn tokens(count: u16) -> Vec<TokenId> {
        let id = |n: u16| {
            let [high, low] = n.to_be_bytes();
            TokenId::from_bytes([high, low, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0])
        };
        (0..count).map(id).collect()
    }

    #[test]
    fn one_request_revokes_all() {
        let args = args("--agent agent:buyer --tenant acme --client buyer-7");
        let fetched = tokens(998);
        let requests = args.requests(&fetched);
        let [request] = requests.as_slice() else {
            panic!("{requests:?}");
        };
        assert_eq!(request.tokens, fetched);
        assert_eq!(request.agents, ["agent:buyer"]);
        assert_eq!(request.tenants, ["acme"]);
    }

    #[test]
    fn many_tokens_follow_the_watermarks() {
        let args = args("--principal team:a --client buyer-7 --before 2026-11-01T00:00:00Z");
        let fetched = tokens(2_500);
        let requests = args.requests(&fetched);
        let sizes: Vec<usize> = requests.iter().map(|it| it.tokens.len()).collect();
        assert_eq!(sizes, [999, 1_000, 501]);
        let all: Vec<TokenId> = requests.iter().flat_map(|it| it.tokens.clone()).collect();
        assert_eq!(all, fetched);
        assert_eq!(requests.first().unwrap().principals, ["team:a"]);
        assert!(requests.iter().skip(1).all(|it| it.principals.is_empty()));
    }

    #[test]
    fn nothing_to_revoke_is_no_request() {
        assert_eq!(args("--client buyer-7").requests(&[]), []);
        assert_eq!(args("--agent a").requests(&[]).len(), 1);
    }
}
