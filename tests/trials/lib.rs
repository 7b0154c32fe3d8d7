//! Trials of the issuer's service together with verifiers that follow it over HTTP.
