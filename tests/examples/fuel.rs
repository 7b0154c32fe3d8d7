//! Measures the maximum time that a unit of fuel can take, and writes the tables in
//! `docs/decisions/0002-fuel.md`.
//!
//! `cargo run --release -p bailiwick-tests --example fuel`, and `-- NAME` for one operation alone.
//!
//! For each operation, a search looks for the program whose units take the most time: it draws lengths,
//! alphabets, shapes and positions at random, and then moves from the slowest program to its neighbours. The
//! result is measured again, in turns with one `verify_strict` as the yardstick, so that a slow phase of the
//! machine affects both.
//!
//! [`LEFT_OUT`] lists what the first table leaves out.

use std::path::Path;

use peak_alloc::PeakAlloc;

/// Helpers that run the engine on the Datalog of these examples.
#[path = "../../crates/biscuit/tests/support/mod.rs"]
#[allow(dead_code, reason = "its tests use all of it")]
mod engine;
#[path = "../support/mod.rs"]
mod support;
/// The programs, the search for the slowest, and complete decisions.
mod fuel {
    pub mod climb;
    pub mod conditions;
    pub mod decisions;
    pub mod operations;
    pub mod text;
}

use crate::support::page::replace_between;
use fuel::{climb, conditions, decisions, operations};

#[global_allocator]
static MEMORY: PeakAlloc = PeakAlloc;

const LEFT_OUT: &str = "The table leaves out programs that end in an error or use less than a twentieth of their fuel, and the\nwork before an evaluation (signatures, decoding, compiling, stating a call). The search tries values from lists and then\nstops, so there may be more expensive programs.\n\n";

const MARKS: [&str; 2] = ["<!-- measured -->\n", "<!-- end -->"];

fn main() {
    // With an argument, only the operations whose names contain it, and no page is written.
    let only = std::env::args().nth(1);
    let wanted = only.clone().unwrap_or_default();
    let mut found: Vec<climb::Found> = operations::all()
        .iter()
        .filter(|operation| operation.name.contains(&wanted))
        .map(|operation| {
            let found = climb::dearest(operation);
            println!("{found}");
            found
        })
        .collect();
    found.sort_by(|one, other| other.signatures().total_cmp(&one.signatures()));
    let conditions = conditions::table(&wanted);
    if only.is_some() {
        println!("{conditions}");
        return;
    }
    let mut page = String::from(
        "| operation | ns a unit | units for a `verify_strict` | bytes a unit | counted | most expensive with |\n|---|--:|--:|--:|--:|---|\n",
    );
    for found in &found {
        page.push_str(&found.row());
    }
    page.push('\n');
    page.push_str(LEFT_OUT);
    page.push_str(&climb::worst_of_reading(&found));
    page.push_str(&conditions);
    page.push('\n');
    page.push_str(&decisions::table());
    println!("\n{page}");
    let file = Path::new(env!("CARGO_MANIFEST_DIR")).join("../docs/decisions/0002-fuel.md");
    replace_between(&file, MARKS, &page);
}
