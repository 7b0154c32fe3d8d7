//! Tables that examples write into the documentation.

use std::{fs, path::Path};

/// Replaces the text between two marks of a page.
pub fn replace_between(file: &Path, [begin, end]: [&str; 2], table: &str) {
    let page = fs::read_to_string(file).expect("the page");
    let (before, rest) = page.split_once(begin).expect("the first mark");
    let (_, after) = rest.split_once(end).expect("the second mark");
    fs::write(file, format!("{before}{begin}{table}{end}{after}")).expect("the page");
}
