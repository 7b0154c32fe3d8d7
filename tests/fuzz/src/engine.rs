//! The engine by itself: any Biscuit, without the limits of the profile.

use bailiwick_token::token::Token;
use bailiwick_verifier::engine::{Authorizer, Error, Evaluation, Externs, Outcome, Program};

/// The one place that knows how a program is made.
pub fn compile(token: &Token, authorizer: &Authorizer) -> Result<Program, Error> {
    Program::compile(token.code(), authorizer)
}

/// Evaluates with so much fuel, and holds the engine to what it says of fuel: the outcome is a
/// function of its input, no more is burnt than is given, and what was burnt suffices just so.
pub fn evaluate(program: &Program, fuel: u64) -> Evaluation {
    let externs = Externs::default();
    let evaluation = program.evaluate(&externs, fuel);
    assert!(
        evaluation.burnt <= fuel,
        "{} of {fuel} burnt",
        evaluation.burnt
    );
    assert_eq!(program.evaluate(&externs, fuel), evaluation, "a second run");
    if evaluation.outcome != Outcome::OutOfFuel {
        assert_eq!(
            program.evaluate(&externs, evaluation.burnt),
            evaluation,
            "what was burnt"
        );
        if let Some(less) = evaluation.burnt.checked_sub(1) {
            assert_eq!(
                program.burn(&externs, less).outcome,
                Outcome::OutOfFuel,
                "one less than was burnt"
            );
        }
    }
    evaluation
}
