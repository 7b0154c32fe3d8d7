//! Programs that repeat one operation, generated from choices.

use bailiwick_biscuit::engine::Budget;

use super::climb::Choices;

mod containers;
mod rules;
mod scalars;
mod strings;

/// An operation of the engine, to be measured.
pub struct Operation {
    pub name: &'static str,
    pub code: fn(&mut Choices<'_>) -> String,
    fuel: u64,
}

impl Operation {
    /// A budget that limits fuel but not memory, which is only measured.
    pub fn budget(&self) -> Budget {
        Budget {
            fuel: self.fuel,
            memory: 1 << 30,
        }
    }
}

const LENGTHS: [usize; 12] = [0, 1, 7, 8, 15, 16, 33, 63, 64, 200, 1000, 4000];
const COUNTS: [usize; 6] = [1, 2, 4, 16, 60, 200];
const LETTERS: [&str; 3] = ["one letter", "two letters", "words"];
const PLACES: [&str; 3] = ["first", "middle", "last"];

pub fn all() -> Vec<Operation> {
    let of = |name, code| Operation {
        name,
        code,
        fuel: 60_000,
    };
    let mut all = vec![
        of("rows that do not match", rules::rows),
        of("rows that match", rules::bindings),
        of("integers", scalars::integers),
        of("booleans", scalars::booleans),
        of("comparison of strings", strings::equal_strings),
        of("comparison of bytes", strings::equal_bytes),
        of("comparison of terms", containers::equal_terms),
        of("`contains` of strings", strings::search),
        of("`starts_with`, `ends_with` of strings", strings::ends),
        of(
            "`starts_with`, `ends_with` of arrays",
            containers::array_ends,
        ),
        of("`contains` of sets and arrays", containers::listed),
        of("`contains` of a set in a set", containers::superset),
        of("`union`, `intersection`", containers::merge),
        of("`get`", containers::get),
        of("`length`, `type`", scalars::length),
        of("`+` of strings", strings::concat),
        of("`all`, `any`", containers::closures),
        of("`try_or`", scalars::try_or),
        of("external functions", containers::externs),
        of("`matches`", strings::matching),
        of("facts derived", rules::derived),
        of("facts derived again", rules::derived_again),
        of("the same facts with other origins", rules::origins),
        of("rounds of rules", rules::rounds),
        of("checks and their alternatives", rules::checks),
    ];
    all.push(Operation {
        name: "regular expressions compiled",
        code: strings::patterns,
        fuel: 1_000_000,
    });
    all.push(Operation {
        name: "facts derived, a million units",
        code: rules::derived,
        fuel: 1_000_000,
    });
    all
}
