//! Tests of decisions on honest tokens: their cost, the effect of a service's own policy, and their printed
//! forms.

#![cfg(test)]

mod support;

/// The tests, one module per subject.
mod decisions {
    mod cost;
    mod differences;
    mod interop;
    mod natives;
    mod policies;
    mod printing;
    mod records;
    mod secrets;
    mod traces;
    mod wishes;
}
