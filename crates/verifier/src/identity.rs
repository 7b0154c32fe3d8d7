//! The agent of a token, and its principal.

use std::collections::BTreeMap;

use bailiwick_biscuit::datalog::Code;
use bailiwick_token::{
    claims::{Claims, TokenId},
    datalog::names,
};
use serde::Serialize;

use crate::excerpt::{MAX_SHOWN_NAME, beginning};

/// The most bytes that are kept of a delegate's name and of a task.
const MAX_DESCRIPTION: usize = 256;

/// The agent of a verified token, and its principal.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Identity {
    /// The handle for revocation and audit.
    pub token_id: TokenId,
    /// The agent that the token was minted for.
    pub agent: String,
    /// On whose authority it acts.
    pub principal: String,
    /// The tenant it acts in.
    pub tenant: Option<String>,
    /// Further claims of the issuer.
    pub claims: BTreeMap<String, String>,
    /// The hand-overs of the token, block by block.
    pub chain: Vec<Delegation>,
}

impl Identity {
    pub(crate) fn new(code: &Code, claims: Claims) -> Identity {
        let chain = code.blocks.iter().enumerate().skip(1);
        let chain = chain.map(|(index, block)| {
            // A string that one block states can be named by all others, so a short token could name
            // megabytes. No decision rests on these.
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

    /// The beginning of the delegate's name that an appended block states: explanations repeat it for each
    /// condition.
    pub(crate) fn delegate(&self, block: usize) -> Option<String> {
        let mut chain = self.chain.iter();
        let link = chain.find(|link| link.block == block)?;
        let delegate = link.delegate.as_deref();
        delegate.map(|delegate| beginning(delegate, MAX_SHOWN_NAME))
    }

    /// About how many bytes of memory it takes.
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

/// An appended block, as its writer describes it. Descriptive: no decision rests on it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Delegation {
    /// The block's place, from 1.
    pub block: usize,
    /// To whom the token was handed on.
    pub delegate: Option<String>,
    /// The task.
    pub task: Option<String>,
}
