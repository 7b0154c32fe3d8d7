//! The engine on Datalog that tests write, without the limits of the profile.

use std::sync::Arc;

use bailiwick_token::token::Token;
use bailiwick_verifier::engine::{Authorizer, Externs, Program};
use biscuit_auth::{Biscuit, KeyPair};

/// Compiles a token of one block beside a policy that allows everything.
pub fn program(code: &str) -> Program {
    let token = Biscuit::builder()
        .code(code)
        .unwrap_or_else(|error| panic!("{error}: {code}"));
    let token = token
        .build(&KeyPair::new())
        .expect("a token")
        .to_vec()
        .expect("bytes");
    let token = Token::from_bytes(token).expect("a token");
    let policies = Authorizer::parse("allow if true;").expect("Datalog");
    Program::compile(token.code(), &policies).expect("a program")
}

/// One external function, `same`, which returns its argument.
pub fn externs() -> Externs {
    Externs::default().with("same", Arc::new(|left, _| Ok(left)))
}
