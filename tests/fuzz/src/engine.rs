//! The engine alone, for any Biscuit and without the limits of the profile.

use bailiwick_biscuit::engine::{Authorizer, Budget, Error, Evaluation, Externs, Outcome, Program};
use bailiwick_token::token::Token;

/// Compiles a program. All fuzz targets use this function.
pub fn compile(token: &Token, authorizer: &Authorizer) -> Result<Program, Error> {
    Program::compile(token.code(), authorizer)
}

/// Evaluates within a budget, and checks the engine's accounting of fuel: the outcome depends only on the input, no
/// more fuel is used than given, and exactly the amount used suffices.
pub fn evaluate(program: &Program, budget: impl Into<Budget>) -> Evaluation {
    let budget = budget.into();
    let with = |fuel: u64| Budget { fuel, ..budget };
    let externs = Externs::default();
    let evaluation = program.evaluate(&externs, budget);
    assert!(
        evaluation.burnt <= budget.fuel,
        "{} of {} burnt",
        evaluation.burnt,
        budget.fuel
    );
    assert_eq!(
        program.evaluate(&externs, budget),
        evaluation,
        "a second run"
    );
    if evaluation.outcome != Outcome::OutOfFuel {
        assert_eq!(
            program.evaluate(&externs, with(evaluation.burnt)),
            evaluation,
            "what was burnt"
        );
        if let Some(less) = evaluation.burnt.checked_sub(1) {
            assert_eq!(
                program.burn(&externs, with(less)).outcome,
                Outcome::OutOfFuel,
                "one less than was burnt"
            );
        }
    }
    evaluation
}
