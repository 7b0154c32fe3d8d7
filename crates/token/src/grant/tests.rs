//! Grants in text, typed and in Datalog, with conditions.

mod corpus;
mod forms;
mod meaning;
mod mistakes;
mod pages;
mod random;
mod relations;
mod text;
mod wishes;
