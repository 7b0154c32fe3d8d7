#![doc = include_str!("../README.md")]

#[cfg(feature = "authorize")]
pub mod authorize;
pub mod build;
pub mod chain;
pub mod container;
pub mod datalog;
#[cfg(feature = "authorize")]
pub mod engine;
pub mod escape;
pub mod excerpt;
pub mod key;
mod protobuf;
mod small_order;
