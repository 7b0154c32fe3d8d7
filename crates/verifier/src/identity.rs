//! The identity in a token: its agent, principal and delegations.

use std::collections::BTreeMap;

use bailiwick_biscuit::datalog::Code;
use bailiwick_token::{
    claims::{Claims, TokenId},
    datalog::names,
};
use serde::Serialize;

use crate::excerpt::{MAX_SHOWN_NAME, beginning};

/// Maximum length of a delegate's name and of a task, in bytes; the rest is dropped.
const MAX_DESCRIPTION: usize = 256;

/// The agent of a verified token, with its principal and delegations.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Identity {
    /// The token's id, for revocation and audit.
    pub token_id: TokenId,
    /// The agent that the token was minted for.
    pub agent: String,
    /// The principal on whose authority the agent acts.
    pub principal: String,
    /// The tenant in which the agent acts.
    pub tenant: Option<String>,
    /// Further claims by the issuer.
    pub claims: BTreeMap<String, String>,
    /// The delegations of the token, block by block.
    pub chain: Vec<Delegation>,
}

impl Identity {
    pub(crate) fn new(code: &Code, claims: Claims) -> Identity {
        let chain = code.blocks.iter().enumerate().skip(1);
        let chain = chain.map(|(index, block)| {
            // Later blocks can refer to a string of an earlier one, so a short token could name megabytes.
            // Cutting is safe: no decision depends on these texts.
            let described = |name| {
                let text = code.described(block, name);
                text.map(|text| beginning(text, MAX_DESCRIPTION))
            };
            Delegation {
                block: index,
                delegate: described(names::DELEGATE),
                task: described(names::TASK),
            }
        });
        Identity {
            token_id: claims.token_id,
            agent: claims.agent,
            principal: claims.principal,
            tenant: claims.tenant,
            claims: claims.claims,
            chain: chain.collect(),
        }
    }

    /// The delegate that an appended block names, cut off if long, because explanations repeat the name for
    /// each condition.
    pub(crate) fn delegate(&self, block: usize) -> Option<String> {
        let mut chain = self.chain.iter();
        let link = chain.find(|link| link.block == block)?;
        let delegate = link.delegate.as_deref();
        delegate.map(|delegate| beginning(delegate, MAX_SHOWN_NAME))
    }

    /// Approximate memory use, in bytes.
    pub(crate) fn size(&self) -> usize {
        let length = |text: &Option<String>| text.as_ref().map_or(0, String::len);
        let claims = self.claims.iter().map(|(name, value)| {
            let texts = name.len().saturating_add(value.len());
            texts.saturating_add(size_of::<(String, String)>())
        });
        let chain = self.chain.iter().map(|link| {
            let texts = length(&link.delegate).saturating_add(length(&link.task));
            texts.saturating_add(size_of::<Delegation>())
        });
        let own = [
            size_of::<Identity>(),
            self.agent.len(),
            self.principal.len(),
            length(&self.tenant),
        ];
        own.into_iter()
            .chain(claims)
            .chain(chain)
            .fold(0, usize::saturating_add)
    }
}

/// An appended block, as described by the holder who appended it. No decision depends on the description.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Delegation {
    /// Number of the block, counted from 1.
    pub block: usize,
    /// The delegate that received the token.
    pub delegate: Option<String>,
    /// The task of the delegate.
    pub task: Option<String>,
}
