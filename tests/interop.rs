//! Test vectors for implementers in other languages. The product, biscuit-python, biscuit-wasm and the code of the
//! implementers' page are tested with them.

#![cfg(test)]

/// The tests: one module for each file of `tests/vectors/`, and others for shared code and further comparisons.
mod interop {
    mod conditions;
    mod file;
    mod keysets;
    mod languages;
    mod narrowings;
    mod page;
    mod revocations;
    mod tokens;
}
