//! Helpers that run the engine on Datalog from tests.

use std::sync::Arc;

use bailiwick_biscuit::{
    container::Container,
    datalog::Code,
    engine::{Authorizer, Externs, Program},
};
use biscuit_auth::{Biscuit, KeyPair};

/// Compiles a token of one block together with a policy that allows everything.
pub(crate) fn program(code: &str) -> Program {
    let token = Biscuit::builder()
        .code(code)
        .unwrap_or_else(|error| panic!("{error}: {code}"));
    let token = token
        .build(&KeyPair::new())
        .expect("a token")
        .to_vec()
        .expect("bytes");
    let token = Container::from_bytes(token).expect("a token");
    let code = Code::of(&token).expect("blocks");
    let policies = Authorizer::parse("allow if true;").expect("Datalog");
    Program::compile(&code, &policies).expect("a program")
}

/// One external function, `same`, which returns its argument.
pub(crate) fn externs() -> Externs {
    Externs::default().with("same", Arc::new(|left, _| Ok(left)))
}
