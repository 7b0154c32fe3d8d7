//! Test vectors for implementers in other languages. The product, biscuit-python, biscuit-wasm and the code of the
//! implementers' page are held to them.

#![cfg(test)]

/// One module for each file of `tests/vectors/`, then those that read them elsewhere.
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
