//! The trials beside this file join the issuer's service with verifiers that follow it over HTTP.
