//! Forgeries that exceed each limit by one.

use bailiwick_testkit::{
    Root,
    forge::{AUTHORITY, Forge, block},
};
use biscuit_auth::{
    datalog::SymbolTable,
    format::schema::{Op, OpUnary, op},
};
use prost::Message;

use super::{Forgery, forgery};

const LARGE: &str = "too_large";

pub(super) fn all(root: &Root) -> Vec<Forgery> {
    let append = |code: &str| Forge::honest(root).append(code);
    let grants = "grant(\"order\") <- action(\"order\");".repeat(64);
    let grants = Forge::authority(root, &format!("{AUTHORITY}{grants}"));
    let facts: String = (0..504).map(|index| format!("f({index});")).collect();
    let long = "x".repeat(2000);
    let named =
        Forge::honest(root).append_changed(&format!("f(\"{}\");", "x".repeat(4000)), |block| {
            let terms = &mut block.facts[0].predicate.terms;
            *terms = vec![terms[0].clone(); 700];
        });
    let context = |bytes: usize| {
        let mut block = block(AUTHORITY, &mut SymbolTable::new());
        block.context = Some("x".repeat(bytes));
        Forge::authority_bytes(root, block.encode_to_vec())
    };
    let parens = Op {
        content: Some(op::Content::Unary(OpUnary {
            kind: 1,
            ffi_name: None,
        })),
    };
    let operations = Forge::honest(root).append_changed("check if true;", |block| {
        block.checks[0].queries[0].expressions[0]
            .ops
            .resize(257, parens);
    });
    let blocks = (0..16).fold(Forge::honest(root), |forge, _| {
        forge.append("check if true;")
    });
    vec![
        forgery(
            "bytes-9000",
            "a container of nine kilobytes",
            context(8400),
            LARGE,
        ),
        forgery(
            "bytes-60000",
            "a container of sixty kilobytes",
            context(60_000),
            LARGE,
        ),
        forgery("blocks-17", "seventeen blocks", blocks, LARGE),
        forgery(
            "alternatives-65",
            "sixty-four alternatives and a grant",
            append(&format!("check if {};", ["true"; 64].join(" or "))),
            LARGE,
        ),
        forgery(
            "checks-64",
            "sixty-four checks and a grant",
            append(&"check if true;".repeat(64)),
            LARGE,
        ),
        forgery("grants-65", "sixty-five grants", grants, LARGE),
        forgery(
            "statements-513",
            "five hundred and four facts beside nine statements",
            append(&facts),
            LARGE,
        ),
        forgery(
            "predicates-33",
            "thirty-three predicates in one body",
            append(&format!(
                "check if {};",
                ["action(\"order\")"; 33].join(", ")
            )),
            LARGE,
        ),
        forgery(
            "operations-257",
            "two hundred and fifty-seven operations in one expression",
            operations,
            LARGE,
        ),
        forgery(
            "expressions-257",
            "two hundred and fifty-seven expressions in one body",
            append(&format!("check if {};", ["true"; 257].join(", "))),
            LARGE,
        ),
        forgery(
            "symbol-resolved-33-times",
            "a long string, named by thirty-three facts",
            append(&format!("f(\"{long}\");").repeat(33)),
            LARGE,
        ),
        forgery(
            "symbol-resolved-700-times",
            "a long string, named seven hundred times in one fact",
            named,
            LARGE,
        ),
    ]
}
