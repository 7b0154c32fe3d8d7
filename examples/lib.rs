//! The programs beside this file are the examples; see the README.
