//! `bailiwick demo`: an issuer in a temporary home, a purchase-order service on loopback, agents that call
//! it, and an operator who rotates, revokes and audits.
//!
//! The demonstration uses only the public interface of the libraries, and checks its own claims: if a call has an
//! unexpected outcome, or a valid token is denied, the process ends with exit code 1.

mod agents;
mod client;
mod failure;
mod report;
mod rotation;
mod screen;
mod service;
mod world;

use std::time::Instant;

use bailiwick_token::revocation::Target;
use clap::Args;

use self::{
    agents::{Agents, GRANTS},
    client::{AgentCall, AgentClient},
    report::DemoReport,
    screen::Screen,
    world::DemoWorld,
};
use crate::{
    exit::{Exit, ExitResult, Failure},
    output::{self, Format},
    settings::Global,
};

/// Options of `bailiwick demo`.
#[derive(Debug, Args)]
pub(crate) struct DemoArgs {}

/// Runs the demonstration.
pub(crate) async fn run(args: DemoArgs, global: &Global) -> ExitResult {
    let DemoArgs {} = args;
    let report = show(&Screen::new(global.format())).await?;
    let ok = report.ok;
    if global.format() == Format::Json {
        output::json(&report)?;
    }
    match ok {
        true => Ok(Exit::Done),
        false => Err(
            Failure::plain(Exit::Local, "some results of the demonstration are wrong")
                .hint("please report this with the output above"),
        ),
    }
}

async fn show(screen: &Screen) -> Result<DemoReport, Failure> {
    let started = Instant::now();
    let world = DemoWorld::start().await?;
    screen.title(world.address)?;
    let mut calls = Vec::new();

    let minted = world.mint("agent:orchestrator", GRANTS).await?;
    screen.step("An operator mints a token for `agent:orchestrator`, for `team:procurement`.")?;
    screen.authority(&minted.token)?;

    let agents = Agents::narrow(&minted.token, world.now())?;
    screen.step(
        "The orchestrator narrows it for `agent:buyer` and `agent:reader`: offline, without a key.",
    )?;
    screen.authority(&agents.buyer)?;
    screen.authority(&agents.reader)?;

    screen.step(
        "They call the service, which decides by the token alone and explains each denial.",
    )?;
    let mut client = AgentClient::connect(world.address).await?;
    for (token, call) in agents.calls() {
        calls.push(screen.call(client.call(token, call).await?)?);
    }
    screen.line("The buyer appends a block with a limit of 1000000. Nobody can widen a token:")?;
    let (token, call) = agents.widening();
    calls.push(screen.call(client.call(token, call).await?)?);

    screen.step("An agent is tricked. It orders whatever it reads; the service refuses.")?;
    screen.quote(agents::INVOICE)?;
    for call in agents::gullible(agents::INVOICE) {
        calls.push(screen.call(client.call(&agents.buyer, call).await?)?);
    }

    screen
        .step("Root keys rotate while agents call. The shared clock is moved past the guards.")?;
    let rotation = rotation::under_traffic(&world).await?;
    screen.rotation(&rotation)?;
    // The key is gone from the keyset, so the token is denied before anything else in it is checked.
    let call = AgentCall::read("agent:buyer", "PO-1").refused_as("unknown_key");
    calls.push(screen.call(client.call(&agents.buyer, call).await?)?);

    screen.step("A token is revoked: it worked until then.")?;
    let lost = world.mint("agent:orchestrator", GRANTS).await?;
    let call = || AgentCall::read("agent:orchestrator", "PO-1");
    calls.push(screen.call(client.call(&lost.token, call().allowed()).await?)?);
    let target = Target::Token(lost.receipt.token_id);
    world
        .issuer
        .revoke(target, None, "left on a train", world.now())
        .await?;
    world.reload().await?;
    calls.push(
        screen.call(
            client
                .call(&lost.token, call().refused_as("revoked"))
                .await?,
        )?,
    );

    let audit = world.issuer.audit_verify(&[], |_| ()).await?;
    let report = DemoReport {
        version: 1,
        ok: calls.iter().all(|call| call.as_expected)
            && rotation.is_clean()
            && audit.finding.is_none()
            && world.orders.vendors() == ["acme", "globex"],
        calls,
        rotation,
        audit_rows: audit.rows,
        audit_intact: audit.finding.is_none(),
        seconds: started.elapsed().as_secs_f64(),
    };
    screen.end(&report, &world)?;
    world.close().await;
    Ok(report)
}
