//! Biscuit's Datalog, versions 3.0 to 3.3: decoded from blocks as [`Code`], and as a tree for people.
//!
//! Blocks are always read from their decoded structure and never from printed Datalog, which cannot be
//! parsed back without loss.

pub mod code;
mod decode;
mod import;
mod print;
mod resolve;
mod syntax;

pub use code::Code;
pub use decode::BlockError;
pub use syntax::{
    Binary, Block, BlockCheck, BlockRule, Kind, MapKey, Op, Predicate, Query, Scope, ScopeKey,
    Term, Unary,
};
