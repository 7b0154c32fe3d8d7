//! Verified tokens, in the form that decides calls.

use std::{fmt, sync::Arc};

use bailiwick_biscuit::{
    datalog::Code,
    engine::{self, Keep, Program},
};
use bailiwick_token::{
    datalog::{self, ValidityLimit},
    grant::Grants,
    key::KeyId,
    timestamp::Timestamp,
};

use crate::{
    compare::Alternative,
    identity::Identity,
    native::{NativeTable, TableBuilder},
    policy::CompiledPolicy,
    source::TokenText,
    trust::RevocationNames,
};

/// A token whose structure, size and signatures have been verified. Only a
/// [`Verifier`](crate::Verifier) makes one.
///
/// Verification considers neither a call nor the present time. Each decision checks that the root key is still trusted,
/// that the token is not revoked, and that the limits on time and depth are met.
#[derive(Clone)]
pub struct Verified {
    pub(crate) source: TokenText,
    pub(crate) identity: Arc<Identity>,
    /// Time at which the authority block was made.
    pub(crate) issued_at: Timestamp,
    /// The latest start of validity of all blocks.
    pub(crate) begins: Timestamp,
    /// The earliest expiry of all blocks.
    pub(crate) expires: Timestamp,
    /// Number of appended blocks.
    pub(crate) depth: usize,
    /// The limits on time and depth, each with its block. Each decision checks them.
    pub(crate) validity: Box<[(usize, ValidityLimit)]>,
    pub(crate) root_key: KeyId,
    /// The bytes of the root key: an id is too short to tell two issuers' keys apart for certain.
    pub(crate) root: [u8; 32],
    /// The names by which revocations can refer to the token.
    pub(crate) names: RevocationNames,
    pub(crate) conditions: CompiledConditions,
}

/// The grants and checks of a token.
#[derive(Clone)]
pub(crate) struct CompiledConditions {
    /// The typed conditions; `None` if the engine decides the whole token.
    pub(crate) typed: Option<Typed>,
    /// The code of the token, kept to explain the engine's denials; `None` if the engine decides no part of the token.
    pub(crate) explained: Option<Arc<Code>>,
    /// Program of the engine: the conditions that are not typed, and the policy of the verifier that verified the
    /// token. `None` if there is nothing but typed conditions to decide.
    program: Option<Program>,
    /// The native conditions of the token and of the policy.
    pub(crate) natives: NativeTable,
    policy: Arc<CompiledPolicy>,
}

/// The conditions that are decided without the engine: those in exactly the Datalog that Bailiwick writes.
#[derive(Clone)]
pub(crate) struct Typed {
    pub(crate) grants: Box<[Alternative]>,
    /// The scopes, each with the number of its block.
    pub(crate) scopes: Box<[(usize, Box<[Alternative]>)]>,
    /// The other checks, sorted, each given by its block and its position in the block.
    pub(crate) others: Box<[(usize, usize)]>,
}

impl Verified {
    /// The agent, with its principal and delegations.
    #[must_use]
    pub fn identity(&self) -> &Identity {
        &self.identity
    }

    /// The earliest expiry of all blocks.
    #[must_use]
    pub fn expires(&self) -> Timestamp {
        self.expires
    }

    /// Approximate memory use in bytes, including the token's text.
    pub(crate) fn size(&self) -> usize {
        [
            size_of::<Verified>(),
            self.source.text().len(),
            self.identity.size(),
            size_of_val(self.validity.as_ref()),
            self.names.size(),
            self.conditions.size(),
        ]
        .into_iter()
        .fold(0, usize::saturating_add)
    }
}

impl CompiledConditions {
    /// Reads the conditions of a token, and compiles those for the engine together with a policy.
    ///
    /// # Errors
    /// [`engine::Error`] if the token's Datalog cannot be compiled.
    pub(crate) fn new(
        code: &Code,
        policy: &Arc<CompiledPolicy>,
    ) -> Result<CompiledConditions, engine::Error> {
        let mut natives = TableBuilder::new(&policy.natives);
        let typed = match policy.engine_only {
            true => None,
            false => Typed::new(code, &mut natives),
        };
        let program = program(typed.as_ref(), code, policy)?;
        let is_datalog = typed.as_ref().is_none_or(|typed| !typed.others.is_empty());
        Ok(CompiledConditions {
            typed,
            explained: is_datalog.then(|| Arc::new(code.clone())),
            natives: natives.build(program.as_ref()),
            program,
            policy: Arc::clone(policy),
        })
    }

    /// Returns true if these conditions were compiled with this policy. Conditions that another verifier
    /// compiled, or this one under another policy, do not apply here.
    pub(crate) fn are_for(&self, policy: &Arc<CompiledPolicy>) -> bool {
        Arc::ptr_eq(&self.policy, policy)
    }

    /// The Datalog to evaluate, if any.
    pub(crate) fn program(&self) -> Option<&Program> {
        self.program.as_ref()
    }

    fn size(&self) -> usize {
        let typed = self.typed.as_ref().map_or(0, Typed::size);
        let program = self.program.as_ref().map_or(0, Program::size);
        let code = self.explained.as_ref().map_or(0, |code| code.memory());
        let natives = self.natives.size();
        [typed, program, code, natives]
            .into_iter()
            .fold(0, usize::saturating_add)
    }
}

/// Compiles the part of a token that the engine decides.
fn program(
    typed: Option<&Typed>,
    code: &Code,
    policy: &CompiledPolicy,
) -> Result<Option<Program>, engine::Error> {
    let Some(typed) = typed else {
        return policy.base.program(code, Keep::Wanted).map(Some);
    };
    if typed.others.is_empty() && !policy.is_own {
        // Nothing is left for the engine. The token was decoded within its limits, so it would compile.
        return Ok(None);
    }
    let is_left = |block, place| typed.is_other(block, place);
    policy.base.checks(code, Keep::Wanted, is_left).map(Some)
}

impl Typed {
    /// Reads the typed conditions of a token; `None` if its grants are Datalog that Bailiwick does not write.
    fn new(code: &Code, natives: &mut TableBuilder) -> Option<Typed> {
        let grants = datalog::written_grants(code, code.blocks.first()?)?;
        let (mut scopes, mut others) = (Vec::new(), Vec::new());
        for (block, content) in code.blocks.iter().enumerate() {
            for (place, check) in code.checks(content).iter().enumerate() {
                if datalog::limit(code, check).is_some() {
                    continue;
                }
                match datalog::written_scope(code, check) {
                    Some(scope) => scopes.push((block, alternatives(scope, natives))),
                    None => others.push((block, place)),
                }
            }
        }
        Some(Typed {
            grants: alternatives(grants, natives),
            scopes: scopes.into(),
            others: others.into(),
        })
    }

    /// Returns true if the check at this position of a block is not typed.
    pub(crate) fn is_other(&self, block: usize, place: usize) -> bool {
        self.others.binary_search(&(block, place)).is_ok()
    }

    fn size(&self) -> usize {
        let scopes = self.scopes.iter().map(|(_, scope)| scope);
        let all = scopes.chain([&self.grants]);
        let alternatives = all
            .flatten()
            .map(|alternative| size_of::<Alternative>().saturating_add(alternative.size()));
        let own =
            size_of_val(self.scopes.as_ref()).saturating_add(size_of_val(self.others.as_ref()));
        alternatives.fold(own, usize::saturating_add)
    }
}

fn alternatives(grants: Grants, natives: &mut TableBuilder) -> Box<[Alternative]> {
    let grants = grants.into_iter();
    let alternatives = grants.map(|grant| Alternative::new(grant, |native| natives.place(native)));
    alternatives.collect()
}

impl fmt::Debug for Verified {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Verified")
            .field("token_id", &self.identity.token_id)
            .finish_non_exhaustive()
    }
}
