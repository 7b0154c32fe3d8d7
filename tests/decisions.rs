//! Decisions on honest tokens: what they cost, what a service's own policy adds, and what is printed of them.

#![cfg(test)]

mod support;

/// By subject.
mod decisions {
    mod cost;
    mod interop;
    mod policies;
    mod printing;
    mod records;
    mod secrets;
    mod traces;
}
