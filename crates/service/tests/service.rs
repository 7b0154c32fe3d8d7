//! Tests of the service over HTTP, one module per subject. Tests that need a separate process are in the files
//! beside this one.

#![cfg(test)]
#![allow(clippy::arithmetic_side_effects, reason = "a test fails by panicking")]

mod service {
    mod client_keys;
    mod description;
    mod exchange;
    mod jwks;
    mod oauth_clients;
    mod operations;
    mod operators;
    mod published;
    mod status;
    mod strangers;
    mod tls;
    mod token;
    mod token_list;
    mod waits;
}
